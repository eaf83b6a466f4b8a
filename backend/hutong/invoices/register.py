"""What the facts say of issuers, remembered while the indexer has stored nothing new."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hutong.invoices.standing import Book, books_of, month_of
from hutong.ledger.indexer import blocks

if TYPE_CHECKING:
    from hutong.invoices.issuer import Issuer

#: Keys and expiries are looked at again after so many seconds, whatever the chain does.
_SECONDS = 2

_LATEST = sa.select(blocks.c.number, blocks.c.hash).order_by(blocks.c.number.desc()).limit(1)


class Entry(NamedTuple):
    """An issuer as read when `promised` was the sum ever promised in all its books of the currency."""

    issuer: Issuer
    promised: int


class Register:
    """Belongs to one acceptor. Facts change only together with the indexer's cursor, which is read each time."""

    def __init__(self) -> None:
        self._state: tuple[object, ...] | None = None
        self._until = 0.0
        self._books: dict[str, list[Book]] = {}
        self.issuers: dict[tuple[str, str], Entry] = {}

    def turn(self, connection: Connection, now: float) -> None:
        """To be called first in a transaction: forgets what may be out of date."""
        cursor = connection.execute(_LATEST).first()
        state = (None if cursor is None else tuple(cursor), month_of(now))
        if state != self._state or not self._until - _SECONDS <= now < self._until:
            self._state, self._until = state, now + _SECONDS
            self._books.clear()
            self.issuers.clear()

    def books(self, connection: Connection, issuer: str) -> list[Book]:
        """The issuer's books; of what they hold of intent (`next`, `stalled`) nothing may be used."""
        found = self._books.get(issuer)
        if found is None:
            found = self._books[issuer] = books_of(connection, issuer)
        return found
