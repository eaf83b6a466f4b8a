"""Webhooks: made, listed, ended; tested, looked into, sent again; and delivered."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from hutong.database import read, write
from hutong.errors import IdempotencyKeyReused, TooMany, WebhookUnknown
from hutong.web.settled import derive, request_id
from hutong.webhooks.address import read_url
from hutong.webhooks.deliverer import Deliverer
from hutong.webhooks.model import TEST
from hutong.webhooks.queue import settle
from hutong.webhooks.sending import Send, Sender
from hutong.webhooks.store import (
    Delivery,
    Webhook,
    deliveries_of,
    delivery,
    end_webhook,
    insert_event,
    webhook,
    webhook_events,
    webhooks,
    webhooks_of,
)

MOST = 20


class DeliveryPage(NamedTuple):
    """Newest first; `next_cursor` None at the end."""

    items: list[Delivery]
    next_cursor: str | None


class WebhookService:
    """Webhooks of all participants; `secret` is the server's, theirs are derived from it.

    `loopback`: whether notices may go to this machine itself, which only a demonstration wants.
    """

    def __init__(
        self, engine: Engine, secret: bytes, *, loopback: bool = False, send: Send | None = None
    ) -> None:
        self._engine, self._secret, self._loopback = engine, secret, loopback
        self._deliverer = Deliverer(
            engine, self.secret_of, send or Sender(loopback=loopback), loopback=loopback
        )

    def create(
        self, participant: str, url: str, events: Sequence[str], *, key: str, content: bytes
    ) -> Webhook:
        """A new webhook. `key` and `content` are those of an idempotent request.

        Raises WebhookUrlRefused, IdempotencyKeyReused, TooMany.
        """
        read_url(url, loopback=self._loopback)
        request = request_id(participant, "webhook", key)
        digest = hashlib.sha256(content).digest()
        with write(self._engine) as connection:
            row = connection.execute(
                sa.select(webhooks.c.id, webhooks.c.content).where(webhooks.c.request == request)
            ).first()
            if row is not None and bytes(row.content) != digest:
                raise IdempotencyKeyReused(
                    "this Idempotency-Key was used with other content", field="Idempotency-Key"
                )
            identity = row.id if row else "wh_" + secrets.token_hex(8)
            if row is None:
                if len(webhooks_of(connection, participant)) >= MOST:
                    raise TooMany(f"a participant has at most {MOST} webhooks", most=MOST)
                connection.execute(
                    webhooks.insert().values(
                        id=identity,
                        participant=participant,
                        url=url,
                        events=" ".join(sorted(set(events))),
                        request=request,
                        content=digest,
                        created_at=int(time.time()),
                    )
                )
            return self._own(connection, participant, identity, ended=True)

    def secret_of(self, found: Webhook) -> bytes:
        """The 32 bytes that its notices are signed with."""
        return derive(self._secret, "webhook", found.id)

    def of(self, participant: str) -> list[Webhook]:
        """The participant's webhooks, newest first."""
        with read(self._engine) as connection:
            return webhooks_of(connection, participant)

    def get(self, participant: str, identity: str) -> Webhook:
        """One of the participant's webhooks. Raises WebhookUnknown."""
        with read(self._engine) as connection:
            return self._own(connection, participant, identity)

    def end(self, participant: str, identity: str) -> None:
        """Deletes a webhook. Raises WebhookUnknown; once more is no error."""
        with write(self._engine) as connection:
            self._own(connection, participant, identity, ended=True)
            end_webhook(connection, identity, int(time.time()), None)

    def test(self, participant: str, identity: str, key: str) -> str:
        """Has a webhook.test delivered; returns the event's id, the same for the same key. Raises WebhookUnknown."""
        event = "evt_" + request_id(participant, f"webhook test {identity}", key).hex()[:24]
        with write(self._engine) as connection:
            self._own(connection, participant, identity)
            known = connection.execute(
                sa.select(webhook_events.c.id).where(webhook_events.c.id == event)
            ).first()
            if known is None:
                insert_event(connection, event, TEST, {"webhook": identity}, [(identity, TEST)])
        return event

    def deliveries(
        self, participant: str, identity: str, *, after: str | None, limit: int
    ) -> DeliveryPage:
        """The webhook's deliveries of the last month, newest first. Raises WebhookUnknown."""
        with read(self._engine) as connection:
            self._own(connection, participant, identity)
            below = None if after is None else int(after)
            found = deliveries_of(connection, identity, below=below, limit=limit + 1)
        more = len(found) > limit
        return DeliveryPage(found[:limit], str(found[limit - 1].id) if more else None)

    def redeliver(self, participant: str, identity: str, number: str) -> Delivery:
        """Has a delivery carried out once more, from its first notice on, with the same ids. Raises WebhookUnknown."""
        with write(self._engine) as connection:
            self._own(connection, participant, identity)
            found = delivery(connection, identity, int(number)) if _is_serial(number) else None
            if found is None:
                raise WebhookUnknown("this webhook has no such delivery", field="delivery")
            again = {"state": "pending", "place": 0, "attempts": 0, "next_at": time.time()}
            settle(connection, found.id, **again)
        return found._replace(state="pending", place=0, attempts=0, next_at=time.time())

    def deliver_due(self, now: float, *, patiently: bool = False) -> int:
        """Starts what is due at `now` (seconds UTC); returns how many deliveries. See Deliverer."""
        return self._deliverer.deliver_due(now, patiently=patiently)

    @staticmethod
    def _own(
        connection: Connection, participant: str, identity: str, *, ended: bool = False
    ) -> Webhook:
        found = webhook(connection, identity)
        hidden = found is not None and found.ended_at is not None and found.ended_why is None
        if found is None or found.participant != participant or (hidden and not ended):
            raise WebhookUnknown("you have no such webhook", field="id")
        return found


def _is_serial(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
