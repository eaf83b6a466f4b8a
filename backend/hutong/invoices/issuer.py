"""Issuers' desks while a group is accepted: each book's next number, and what each issuer may still issue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hutong.errors import (
    BookExhausted,
    BookUnknown,
    ParticipantRoleMissing,
    ParticipantSuspended,
    ParticipantUnknown,
    QuotaExceeded,
    SignerCapExceeded,
    SignerMissing,
)
from hutong.invoices.register import Entry, Register
from hutong.invoices.signing import Cashiers
from hutong.invoices.standing import Book, quota_of
from hutong.invoices.store import allocations
from hutong.participants.store import ISSUER, Participant, participant

_LOCK = (
    sa.select(allocations.c.next, allocations.c.batched, allocations.c.promised)
    .where(allocations.c.book == sa.bindparam("first"))
    .with_for_update()
)

#: What a column of 64 bits holds: no book's sum goes beyond it, whatever the quota.
_MOST = 2**63 - 1


@dataclass(slots=True)
class Desk:
    """One book: `stored` (as in the database), `next`, `last` are numbers, `promised` the sum of all ever promised."""

    book: Book
    stored: int
    opened: int
    next: int
    last: int
    promised: int


@dataclass(slots=True)
class Issuer:
    """What holds for all books of an issuer in one currency; `left`, `quota`, `cap` in minor units."""

    name: str
    left: int
    quota: int
    cap: int


def admitted_issuer(connection: Connection, issuer: str) -> Participant:
    """The participant, if it may issue. Raises ParticipantUnknown, ParticipantSuspended, ParticipantRoleMissing."""
    who = participant(connection, issuer)
    if who is None:
        raise ParticipantUnknown(f"{issuer} is not admitted", uscc=issuer)
    if who.suspended:
        raise ParticipantSuspended(f"{issuer} is suspended: {who.reason}", uscc=issuer)
    if not who.roles & ISSUER:
        raise ParticipantRoleMissing(f"{issuer} is not admitted as an issuer", uscc=issuer)
    return who


class Desks:
    """All desks of one transaction; each book's row is read, and locked, once."""

    def __init__(
        self,
        connection: Connection,
        cashiers: Cashiers,
        now: float,
        register: Register | None = None,
    ) -> None:
        self._connection, self._cashiers, self._now = connection, cashiers, now
        self._register = register or Register()
        self._issuers: dict[tuple[str, str], Issuer] = {}
        self._desks: dict[str, list[Desk]] = {}

    def open(self, issuers: Iterable[str]) -> None:
        """Locks all books of all issuers, by number: whoever locks in one order never waits in a circle.

        What is read after this includes all that other gateways have promised.
        """
        self._register.turn(self._connection, self._now)
        books = [
            book
            for issuer in set(issuers)
            for book in self._register.books(self._connection, issuer)
        ]
        for book in sorted(books):
            self._desks.setdefault(book.issuer, []).append(self._lock(book))

    def find(self, issuer: str, book: str | None, currency: str, gross: int) -> tuple[Desk, Issuer]:
        """The desk of the book (of the issuer's first book with room when None) that has room for `gross`.

        Raises the errors of `admitted_issuer`, SignerMissing, BookUnknown, BookExhausted, QuotaExceeded,
        SignerCapExceeded.
        """
        who = self._issuer(issuer, currency)
        if gross > who.left:
            raise QuotaExceeded(
                f"{gross} exceeds the {who.left} that are left of this month's quota",
                field="totals.gross",
                amount=who.quota,
                left=who.left,
                gross=gross,
            )
        if gross > who.cap:
            raise SignerCapExceeded(
                f"{gross} exceeds the {who.cap} that the issuer's cashier may sign",
                field="totals.gross",
                cap=who.cap,
                gross=gross,
            )
        return self._choose(issuer, book, currency, gross), who

    @staticmethod
    def take(desk: Desk, who: Issuer, gross: int) -> None:
        """Takes the desk's next number for `gross`."""
        desk.next += 1
        desk.promised += gross
        who.left -= gross

    def save(self) -> None:
        """Writes how far each book was promised."""
        for desk in (desk for desks in self._desks.values() for desk in desks):
            if desk.next == desk.stored:
                continue
            values = {"next": f"{desk.next:020d}", "promised": desk.promised}
            if desk.opened != desk.stored:
                values["batched"] = f"{desk.opened:020d}"
            self._connection.execute(
                sa.update(allocations).where(allocations.c.book == desk.book.first).values(**values)
            )

    def _issuer(self, issuer: str, currency: str) -> Issuer:
        known = self._issuers.get((issuer, currency))
        if known is not None:
            return known
        promised = sum(
            desk.promised for desk in self._desks.get(issuer, []) if desk.book.currency == currency
        )
        entry = self._register.issuers.get((issuer, currency))
        if entry is None:
            # The books are locked: what is pending in the quota is what was promised until now.
            entry = Entry(self._read(issuer, currency), promised)
            self._register.issuers[(issuer, currency)] = entry
        left = entry.issuer.left - (promised - entry.promised)
        found = self._issuers[(issuer, currency)] = replace(entry.issuer, left=left)
        return found

    def _read(self, issuer: str, currency: str) -> Issuer:
        who = admitted_issuer(self._connection, issuer)
        cashier = self._cashiers.of(self._connection, issuer, self._now)
        if cashier is None:
            raise SignerMissing(f"this gateway holds no cashier's key of {issuer}", uscc=issuer)
        quota = quota_of(self._connection, issuer, currency, self._now)
        return Issuer(who.name, quota.left, quota.amount, cashier.cap)

    def _choose(self, issuer: str, wanted: str | None, currency: str, gross: int) -> Desk:
        fitting = [
            desk
            for desk in self._desks.get(issuer, [])
            if desk.book.currency == currency and wanted in (None, desk.book.first)
        ]
        if not fitting:
            raise BookUnknown(
                f"{issuer} has no book in {currency}"
                + (f" that begins at {wanted}" if wanted else ""),
                field="book",
            )
        for desk in fitting:
            if not desk.book.closed and desk.next <= desk.last and desk.promised + gross <= _MOST:
                return desk
        raise BookExhausted(
            f"no book of {issuer} in {currency} has room for the invoice",
            book=fitting[-1].book.first,
        )

    def _lock(self, book: Book) -> Desk:
        """Reads and locks the book's allocation, begun at the chain's next number on first use."""
        wanted = {"first": book.first}
        found = self._connection.execute(_LOCK, wanted).first()
        if found is None:
            self._connection.execute(
                allocations.insert().values(
                    book=book.first,
                    issuer=book.issuer,
                    currency=book.currency,
                    next=book.landed,
                    promised=0,
                    batched=book.landed,
                    batched_sum=0,
                )
            )
            found = self._connection.execute(_LOCK, wanted).one()
        stored = opened = int(found.next)
        if found.next == found.batched:
            # Nothing of ours waits, so numbers that the issuer used elsewhere meanwhile are passed over.
            opened = max(stored, int(book.landed))
        return Desk(book, stored, opened, opened, int(book.last), int(found.promised))
