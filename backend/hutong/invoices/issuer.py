"""Issuers' desks while a group is accepted: each book's next number, and what each issuer may still issue."""

from __future__ import annotations

from dataclasses import dataclass

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
from hutong.invoices.signing import Cashiers
from hutong.invoices.standing import Book, books_of, quota_of
from hutong.invoices.store import allocations
from hutong.participants.store import ISSUER, Participant, participant


@dataclass(slots=True)
class Desk:
    """One book: `next`, `last` are numbers, `promised` is the sum of all that was ever promised in it."""

    book: str
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
    books: list[Book]


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

    def __init__(self, connection: Connection, cashiers: Cashiers, now: float) -> None:
        self._connection, self._cashiers, self._now = connection, cashiers, now
        self._issuers: dict[tuple[str, str], Issuer] = {}
        self._desks: dict[str, Desk] = {}

    def take(
        self, issuer: str, book: str | None, currency: str, gross: int
    ) -> tuple[int, Desk, str]:
        """Takes the next number of the book (of the issuer's first book with room when None) for `gross`.

        Returns number, desk and the issuer's name. Raises the errors of `admitted_issuer`, SignerMissing, BookUnknown,
        BookExhausted, QuotaExceeded, SignerCapExceeded.
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
        desk = self._choose(who, issuer, book, currency)
        number = desk.next
        desk.next += 1
        desk.promised += gross
        who.left -= gross
        return number, desk, who.name

    def save(self) -> None:
        """Writes how far each book was promised."""
        for desk in self._desks.values():
            if desk.next != desk.opened:
                self._connection.execute(
                    sa.update(allocations)
                    .where(allocations.c.book == desk.book)
                    .values(next=f"{desk.next:020d}", promised=desk.promised)
                )

    def _issuer(self, issuer: str, currency: str) -> Issuer:
        known = self._issuers.get((issuer, currency))
        if known is not None:
            return known
        who = admitted_issuer(self._connection, issuer)
        cashier = self._cashiers.of(self._connection, issuer, self._now)
        if cashier is None:
            raise SignerMissing(f"this gateway holds no cashier's key of {issuer}", uscc=issuer)
        books = books_of(self._connection, issuer)
        # Locked before the quota is read: what another gateway promises meanwhile must be seen.
        for book in books:
            self._lock(book)
        quota = quota_of(self._connection, issuer, currency, self._now)
        found = Issuer(
            who.name,
            quota.left,
            quota.amount,
            cashier.cap,
            [book for book in books if book.currency == currency],
        )
        self._issuers[(issuer, currency)] = found
        return found

    def _choose(self, who: Issuer, issuer: str, wanted: str | None, currency: str) -> Desk:
        fitting = [book for book in who.books if wanted is None or book.first == wanted]
        if not fitting:
            raise BookUnknown(
                f"{issuer} has no book in {currency}"
                + (f" that begins at {wanted}" if wanted else ""),
                field="book",
            )
        for book in fitting:
            desk = self._desks[book.first]
            if not book.closed and desk.next <= desk.last:
                return desk
        raise BookExhausted(
            f"no book of {issuer} in {currency} has a number left", book=fitting[-1].first
        )

    def _lock(self, book: Book) -> None:
        """Reads and locks the book's allocation, begun at the chain's next number on first use."""
        wanted = (
            sa.select(allocations.c.next, allocations.c.promised)
            .where(allocations.c.book == book.first)
            .with_for_update()
        )
        found = self._connection.execute(wanted).first()
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
            found = self._connection.execute(wanted).one()
        following = int(found.next)
        self._desks[book.first] = Desk(
            book.first, following, following, int(book.last), int(found.promised)
        )
