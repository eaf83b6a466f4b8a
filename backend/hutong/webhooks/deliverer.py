"""Delivers what is due, a few at a time beside each other; a slow address holds up only itself."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from sqlalchemy.engine import Engine

from hutong.database import read, write
from hutong.errors import HutongError
from hutong.web.signature import sign
from hutong.webhooks.address import read_url
from hutong.webhooks.model import invoices_of, notice, wait_after
from hutong.webhooks.queue import Due, any_due, claim_due, forget, settle
from hutong.webhooks.sending import Outcome, Send
from hutong.webhooks.store import Webhook, end_webhook

log = logging.getLogger(__name__)

_TOGETHER = 16
_EACH = 2
#: A delivery of many notices pauses after so many seconds, for others' sake and before its claim runs out.
_TURN_SECONDS = 30.0
_FORGET_EVERY = 3_600.0
_GONE = 410


class Deliverer:
    """Claims and sends. `secret_of` gives a webhook's secret; `loopback` as for the addresses."""

    def __init__(
        self, engine: Engine, secret_of: Callable[[Webhook], bytes], send: Send, *, loopback: bool
    ) -> None:
        self._engine, self._secret_of, self._send = engine, secret_of, send
        self._loopback = loopback
        self._busy: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._forget_at = 0.0

    def deliver_due(self, now: float, *, patiently: bool = False) -> int:
        """Starts what is due at `now` (seconds UTC) and returns how many; with `patiently` when they are settled."""
        with self._lock:
            busy = +self._busy
        room = _TOGETHER - busy.total()
        with read(self._engine) as connection:
            if room <= 0 or not any_due(connection, now):
                return 0
        with write(self._engine) as connection:
            claimed = claim_due(connection, now, busy, most=room, each=_EACH)
            if now > self._forget_at:
                forget(connection, now)
                self._forget_at = now + _FORGET_EVERY
        with self._lock:
            self._busy.update(due.webhook.id for due in claimed)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_TOGETHER, "webhook")
        running = [self._pool.submit(self._deliver, due) for due in claimed]
        if patiently:
            wait(running)
        return len(claimed)

    def _deliver(self, due: Due) -> None:
        try:
            self._settle(due, *self._tell(due))
        except HutongError as error:
            log.warning("a delivery is not settled, it will be sent again: %s", error.detail)
        except Exception:
            log.exception("delivery %d failed; it will be tried again", due.delivery.id)
        finally:
            with self._lock:
                self._busy[due.webhook.id] -= 1

    def _tell(self, due: Due) -> tuple[int, Outcome | None]:
        """Sends the event's notices from its place on; the place reached, the last outcome (None: go on later)."""
        if due.delivery.type != "invoice.onchain" or "count" not in due.data:
            return 1, self._post(due, due.delivery.event, due.data)
        end = time.monotonic() + _TURN_SECONDS
        place, outcome = due.delivery.place, Outcome(200, None)
        for identity, data in invoices_of(due.delivery.event, due.data, place):
            if time.monotonic() > end:
                return place, None
            outcome = self._post(due, identity, data)
            if not outcome.taken:
                break
            place += 1
        return place, outcome

    def _post(self, due: Due, identity: str, data: dict[str, object]) -> Outcome:
        try:
            target = read_url(due.webhook.url, loopback=self._loopback)
        except HutongError as error:
            return Outcome(None, error.detail)
        body = notice(due.delivery.type, due.created_at, data)
        sent_at = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Hutong-Webhooks/1",
            "webhook-id": identity,
            "webhook-timestamp": str(sent_at),
            "webhook-signature": sign(self._secret_of(due.webhook), identity, sent_at, body),
        }
        return self._send(target, body, headers)

    def _settle(self, due: Due, place: int, outcome: Outcome | None) -> None:
        now, found = time.time(), due.delivery
        values: dict[str, object] = {"place": place}
        if outcome is None:
            values |= {"next_at": now}
        elif outcome.taken:
            values |= {
                "state": "done",
                "attempts": found.attempts + 1,
                "status": outcome.status,
                "why": None,
            }
        else:
            # Whoever takes some of a batch is alive: the count begins anew.
            attempts = 1 if place > found.place else found.attempts + 1
            pause = wait_after(attempts, random.random())  # noqa: S311 - no secret
            values |= {
                "state": "pending" if pause is not None else "dead",
                "attempts": attempts,
                "next_at": now + (pause or 0.0),
                "status": outcome.status,
                "why": outcome.why,
            }
        with write(self._engine) as connection:
            if outcome is not None and outcome.status == _GONE:
                end_webhook(connection, due.webhook.id, int(now), "it answered 410 Gone")
                values["state"] = "dead"
            settle(connection, found.id, **values)
