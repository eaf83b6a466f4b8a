"""Charging points, and the payments that they report."""

from __future__ import annotations

import hashlib
import secrets
import time

from sqlalchemy.engine import Engine

from hutong.database import read, write
from hutong.errors import (
    ChargingPointUnknown,
    IdempotencyKeyReused,
    SignatureInvalid,
    TooMany,
)
from hutong.invoices.acceptance import Accepted, Item
from hutong.invoices.service import InvoiceService
from hutong.payments.model import Notification, Profile, invoice_of
from hutong.payments.store import (
    ChargingPoint,
    close_point,
    insert_point,
    point,
    points_of,
    settled,
)
from hutong.web.settled import derive, request_id
from hutong.web.signature import Signed, verify

MOST = 1_000
#: A closed point stops working in other processes after at most this many seconds, in its own at once.
CACHE_SECONDS = 2.0


class PaymentService:
    """Charging points of all participants; `secret` is the server's, theirs are derived from it."""

    def __init__(self, engine: Engine, invoices: InvoiceService, secret: bytes) -> None:
        self._engine, self._invoices, self._secret = engine, invoices, secret
        self._known: dict[str, tuple[float, ChargingPoint]] = {}

    def create(
        self, participant: str, name: str, profile: Profile, *, key: str, content: bytes
    ) -> ChargingPoint:
        """A new charging point. `key` and `content` are those of an idempotent request.

        Raises IdempotencyKeyReused, TooMany, and BadInput errors of the profile.
        """
        # A profile that no payment can be invoiced with is better refused now.
        sample = Notification("sample", "sample", "1.00")
        if profile.kind != "special":
            self._invoices.draft(invoice_of(sample, profile))
        request = request_id(participant, "charging point", key)
        digest = hashlib.sha256(content).digest()
        with write(self._engine) as connection:
            earlier = settled(connection, request)
            if earlier is not None:
                if earlier[1] != digest:
                    raise IdempotencyKeyReused(
                        "this Idempotency-Key was used with other content", field="Idempotency-Key"
                    )
                found = point(connection, earlier[0])
                if found is None:
                    raise ChargingPointUnknown("the charging point is gone")
                return found
            if len(points_of(connection, participant)) >= MOST:
                raise TooMany(f"a participant has at most {MOST} charging points", most=MOST)
            made = ChargingPoint(
                "cp_" + secrets.token_hex(8), participant, name, profile, int(time.time()), None
            )
            insert_point(connection, made, request, digest)
        return made

    def secret_of(self, found: ChargingPoint) -> bytes:
        """The 32 bytes that the charging point signs with."""
        return derive(self._secret, "charging point", found.id)

    def of(self, participant: str) -> list[ChargingPoint]:
        """The participant's open charging points, newest first."""
        with read(self._engine) as connection:
            return points_of(connection, participant)

    def close(self, participant: str, identity: str) -> None:
        """Closes a point, for good. Raises ChargingPointUnknown. Once more is no error."""
        with write(self._engine) as connection:
            if not close_point(connection, participant, identity, int(time.time())):
                raise ChargingPointUnknown("you have no such charging point", field="id")
        self._known.pop(identity, None)

    def recognise(self, identity: str, signed: Signed, body: bytes) -> ChargingPoint:
        """The open charging point that signed `body`. Raises SignatureInvalid, SignatureStale."""
        found = self._point(identity)
        # A point that does not exist costs the same and answers the same as a wrong signature.
        secret = derive(self._secret, "charging point", found.id if found else "none")
        verify(secret, signed, body, time.time())
        if found is None:
            raise SignatureInvalid("no signature fits this id, timestamp and body under the secret")
        return found

    def invoice(
        self, found: ChargingPoint, key: str, body: bytes, notification: Notification
    ) -> Accepted:
        """Invoices a payment. The message's id is the idempotency key. Raises what InvoiceService.accept raises."""
        draft = self._invoices.draft(invoice_of(notification, found.profile))
        item = Item(f"{found.id}\n{key}", body, draft)
        return self._invoices.accept(found.participant, item, found.profile.book)

    def _point(self, identity: str) -> ChargingPoint | None:
        now = time.monotonic()
        known = self._known.get(identity)
        if known is not None and known[0] > now:
            return known[1]
        with read(self._engine) as connection:
            found = point(connection, identity)
        if found is None or found.closed_at is not None:
            return None
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[identity] = (now + CACHE_SECONDS, found)
        return found
