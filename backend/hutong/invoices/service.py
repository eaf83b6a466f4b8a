"""Use cases of invoices: draft, accept, look up, prove, list."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from hutong import merkle
from hutong.database import read
from hutong.errors import BatchUnknown, FieldInvalid, HutongError, InvoiceUnknown, NotYetOnChain
from hutong.invoices.acceptance import Accepted, Item
from hutong.invoices.acceptor import Acceptor
from hutong.invoices.bundle import ChainRef, make_bundle
from hutong.invoices.model import Draft, draft_invoice
from hutong.invoices.promise import Promise, stored_promise
from hutong.invoices.rates import RateTable
from hutong.invoices.standing import Book, Quota, books_of, quota_of
from hutong.invoices.store import invoices, promises
from hutong.invoices.view import BatchView, InvoiceView, Landing, Trees, batch_view, views
from hutong.participants.store import participant

MAX_ITEMS = 1_000
MAX_PAGE = 200
#: Bundles read from the database at once.
_TOGETHER = 500


class Page(NamedTuple):
    """Newest first; `next_cursor` None at the end."""

    items: list[InvoiceView]
    next_cursor: str | None


class Filters(NamedTuple):
    """What a list is narrowed to; times in seconds UTC, amounts in minor units, `content` a SHA-256."""

    status: str | None = None
    since: int | None = None
    until: int | None = None
    min_gross: int | None = None
    max_gross: int | None = None
    content: bytes | None = None


class InvoiceService:
    """Everything that routes and commands ask of invoices. Threads share it."""

    def __init__(
        self, engine: Engine, acceptor: Acceptor, rates: RateTable, chain_id: int, contract: str
    ) -> None:
        self._engine, self._acceptor, self._rates = engine, acceptor, rates
        self._chain_id, self._contract = chain_id, contract
        self._trees = Trees()

    def draft(self, data: Mapping[str, object]) -> Draft:
        """Checks an invoice as received. Raises BadInput errors that name the field."""
        return draft_invoice(
            data, now=int(time.time()), rates=self._rates, admitted=self._is_admitted
        )

    def accept(self, issuer: str, item: Item, book: str | None = None) -> Accepted:
        """Accepts one invoice; returns when it is stored. Raises the errors of Desks.take, Conflict errors, Busy."""
        answer = self._acceptor.submit(issuer, [item], book)[0]
        if isinstance(answer, HutongError):
            raise answer
        return answer

    def accept_many(
        self, issuer: str, items: Sequence[Item], book: str | None = None
    ) -> list[Accepted | HutongError]:
        """Accepts or refuses each of at most 1,000 items; what is accepted shares one promise, in order."""
        if len(items) > MAX_ITEMS:
            raise ValueError(f"at most {MAX_ITEMS} items at once")
        return self._acceptor.submit(issuer, items, book, apart=True) if items else []

    def get(self, number: str, viewer: str | None) -> InvoiceView:
        """An invoice of the viewer's. Raises InvoiceUnknown for others' as for none."""
        with read(self._engine) as connection:
            return self._get(connection, number, viewer)

    def find(self, number: str) -> InvoiceView:
        """An invoice for whoever holds its link. Raises InvoiceUnknown."""
        with read(self._engine) as connection:
            return self._get(connection, number, None, anyone=True)

    def promise(self, view: InvoiceView) -> Promise:
        """The promise that was given for the invoice."""
        with read(self._engine) as connection:
            return stored_promise(connection, view.promise_id, view.position)

    def bundle(self, number: str, viewer: str | None, *, holder: bool = False) -> dict[str, Any]:
        """All that a verifier needs. Raises InvoiceUnknown, NotYetOnChain."""
        with read(self._engine) as connection:
            view = self._get(connection, number, viewer, anyone=holder)
            if view.landing is None:
                raise NotYetOnChain(
                    f"{number} is not on the chain yet; promised before {view.before}",
                    before=view.before,
                    status=view.status,
                )
            siblings = self._trees.siblings(connection, view.landing, number)
        return self._bundle(view, view.landing, siblings)

    def _bundle(
        self, view: InvoiceView, landing: Landing, siblings: Sequence[bytes]
    ) -> dict[str, Any]:
        return make_bundle(
            view.payload,
            view.disclosures,
            view.summary,
            first=int(landing.first),
            index=int(view.number) - int(landing.first),
            count=landing.count,
            siblings=siblings,
            chain=ChainRef(self._chain_id, self._contract, landing.block, landing.transaction),
        )

    def bundles(self, first: str, viewer: str) -> Iterator[dict[str, Any]]:
        """Bundles of the viewer's invoices in the batch that begins at `first`, by number.

        Raises BatchUnknown for others' batches as for none, NotYetOnChain.
        """
        with read(self._engine) as connection:
            found = batch_view(connection, first)
            if found.issuer != viewer:
                raise BatchUnknown(f"no batch begins at {first}", field="first")
            if found.landing is None:
                raise NotYetOnChain(f"the batch {first} is not on the chain yet")
        return self._bundles(found)

    def _bundles(self, batch: BatchView) -> Iterator[dict[str, Any]]:
        tree = merkle.levels(batch.leaves)
        for begin in range(0, batch.count, _TOGETHER):
            low = int(batch.first) + begin
            high = min(low + _TOGETHER, int(batch.last) + 1)
            with read(self._engine) as connection:
                rows = connection.execute(
                    _joined()
                    .where(invoices.c.number >= f"{low:020d}", invoices.c.number < f"{high:020d}")
                    .order_by(invoices.c.number)
                ).all()
                found = views(connection, rows)
            for view in found:
                if view.landing is not None:
                    index = int(view.number) - int(batch.first)
                    yield self._bundle(view, view.landing, merkle.path(tree, index))

    def by_content(self, issuer: str, content: bytes) -> list[str]:
        """Numbers of the issuer's invoices that were accepted from octets with this SHA-256."""
        with read(self._engine) as connection:
            return list(
                connection.execute(
                    sa.select(invoices.c.number)
                    .where(invoices.c.content == content, invoices.c.issuer == issuer)
                    .order_by(invoices.c.number)
                ).scalars()
            )

    def list(
        self,
        issuer: str,
        filters: Filters = Filters(),  # noqa: B008
        *,
        after: str | None = None,
        limit: int = 50,
    ) -> Page:
        """The issuer's invoices by number, greatest first, below `after`."""
        limit = max(1, min(limit, MAX_PAGE))
        with read(self._engine) as connection:
            rows: list[sa.Row[Any]] = []
            for book in reversed(books_of(connection, issuer)):
                query = _select(book, filters, after).limit(limit + 1 - len(rows))
                rows.extend(connection.execute(query))
                if len(rows) > limit:
                    break
            page = views(connection, rows[:limit])
        return Page(page, rows[limit - 1].number if len(rows) > limit else None)

    def batch(self, first: str) -> BatchView:
        """A batch by its first number. Raises BatchUnknown."""
        with read(self._engine) as connection:
            return batch_view(connection, first)

    def books(self, issuer: str) -> Sequence[Book]:
        """The issuer's books, by first number."""
        with read(self._engine) as connection:
            return books_of(connection, issuer)

    def quotas(self, issuer: str) -> Sequence[Quota]:
        """The issuer's quotas, one a currency of its books."""
        with read(self._engine) as connection:
            currencies = sorted({book.currency for book in books_of(connection, issuer)})
            return [quota_of(connection, issuer, each, time.time()) for each in currencies]

    def _is_admitted(self, uscc: str) -> bool:
        with read(self._engine) as connection:
            return participant(connection, uscc) is not None

    @staticmethod
    def _get(
        connection: Connection, number: str, viewer: str | None, *, anyone: bool = False
    ) -> InvoiceView:
        row = connection.execute(_joined().where(invoices.c.number == number)).first()
        if row is None or not (anyone or row.issuer == viewer):
            raise InvoiceUnknown(f"no invoice {number} that you may see", field="number")
        return views(connection, [row])[0]


def _joined() -> sa.Select[Any]:
    return sa.select(invoices, promises.c.before).join(
        promises, promises.c.id == invoices.c.promise
    )


def _select(book: Book, filters: Filters, after: str | None) -> sa.Select[Any]:
    number, gross = invoices.c.number, invoices.c.gross
    # A closed book may have promised more numbers than the chain gave it.
    last = max(book.last, f"{int(book.next) - 1:020d}")
    conditions: list[sa.ColumnElement[bool]] = [number >= book.first, number <= last]
    optional: Iterable[tuple[object, Callable[[Any], sa.ColumnElement[bool]]]] = (
        (after, lambda value: number < value),
        (filters.since, lambda value: invoices.c.accepted_at >= value),
        (filters.until, lambda value: invoices.c.accepted_at < value),
        (filters.min_gross, lambda value: gross >= value),
        (filters.max_gross, lambda value: gross <= value),
        (filters.content, lambda value: invoices.c.content == value),
    )
    conditions += [make(value) for value, make in optional if value is not None]
    if filters.status == "onchain":
        conditions.append(number < book.landed)
    elif filters.status in ("promised", "failed"):
        conditions.append(number >= book.landed)
        conditions.append(
            sa.true() if bool(book.stalled) == (filters.status == "failed") else sa.false()
        )
    elif filters.status is not None:
        raise FieldInvalid("status is promised, onchain or failed", field="status")
    return _joined().where(*conditions).order_by(number.desc())
