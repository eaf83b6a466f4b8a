"""What can be said of invoices, batches and books: by whom, and with which proof."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from hutong import merkle
from hutong.errors import BatchUnknown, FactInconsistent
from hutong.invoices.document import Summary
from hutong.invoices.standing import standstill
from hutong.invoices.store import allocations, batch_facts, batches, foreign_leaves, invoices

NONE = bytes(32)


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a batch stands on the chain; `time` in seconds, UTC."""

    first: str
    last: str
    count: int
    root: bytes
    issuer: str
    book: str
    bound: int
    signer: str
    block: int
    block_hash: bytes
    time: int
    transaction: str


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice as this gateway knows it. `status`: "promised", "onchain" or "failed" (then `why`)."""

    number: str
    issuer: str
    book: str
    status: str
    why: dict[str, Any] | None
    accepted_at: int
    before: int
    landing: Landing | None
    summary: Summary
    leaf: bytes
    payload: bytes
    disclosures: list[str]
    promise_id: int
    position: int


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch on the chain, or (landing None) on its way there."""

    first: str
    last: str
    count: int
    issuer: str
    book: str
    root: bytes
    bound: int
    landing: Landing | None
    leaves: list[bytes]


_LANDING = (
    batch_facts.c.first,
    batch_facts.c.last,
    batch_facts.c.count,
    batch_facts.c.root,
    batch_facts.c.issuer,
    batch_facts.c.book,
    batch_facts.c.bound,
    batch_facts.c.signer,
    batch_facts.c.block,
    batch_facts.c.block_hash,
    batch_facts.c.time,
    batch_facts.c.transaction,
)


def landing(row: Any) -> Landing:
    """A row of batch_facts as a Landing."""
    return Landing(
        row.first,
        row.last,
        row.count,
        bytes(row.root),
        row.issuer,
        row.book,
        int(row.bound),
        row.signer,
        row.block,
        bytes(row.block_hash),
        row.time,
        row.transaction,
    )


def landings(connection: Connection, book: str, low: str, high: str) -> list[Landing]:
    """Batches of a book that touch the numbers low .. high, by number."""
    rows = connection.execute(
        sa.select(*_LANDING)
        .where(batch_facts.c.book == book, batch_facts.c.first <= high, batch_facts.c.last >= low)
        .order_by(batch_facts.c.first)
    )
    return [landing(row) for row in rows]


def views(connection: Connection, rows: Sequence[Row[Any]]) -> list[InvoiceView]:
    """Rows of invoices, joined with promises' `before`, as views; facts are read once a book."""
    spans: dict[str, tuple[str, str]] = {}
    for row in rows:
        low, high = spans.get(row.book, (row.number, row.number))
        spans[row.book] = (min(low, row.number), max(high, row.number))
    facts = {book: landings(connection, book, *span) for book, span in spans.items()}
    cut = _cut_roots(connection, [one.first for many in facts.values() for one in many])
    stalled = {
        row.book: standstill(row.stalled)
        for row in connection.execute(
            sa.select(allocations.c.book, allocations.c.stalled).where(
                allocations.c.book.in_(list(spans))
            )
        )
    }
    return [_view(row, facts[row.book], cut, stalled.get(row.book)) for row in rows]


def _cut_roots(connection: Connection, firsts: list[str]) -> dict[str, bytes]:
    rows = connection.execute(
        sa.select(batches.c.first, batches.c.root).where(batches.c.first.in_(firsts))
    )
    return {row.first: bytes(row.root) for row in rows}


def _view(
    row: Row[Any], facts: list[Landing], cut: dict[str, bytes], stalled: dict[str, Any] | None
) -> InvoiceView:
    found = (
        facts[index]
        if (index := bisect_right([f.first for f in facts], row.number) - 1) >= 0
        else None
    )
    if found is not None and found.last < row.number:
        found = None
    status, why = ("failed", stalled) if stalled else ("promised", None)
    if found is not None and cut.get(found.first) == found.root:
        status, why = "onchain", None
    elif found is not None:
        # The chain has another invoice under this number: the issuer's key signed elsewhere, too.
        status, why = "failed", {"code": "NumberTaken", "detail": "another invoice has this number"}
        found = None
    return InvoiceView(
        number=row.number,
        issuer=row.issuer,
        book=row.book,
        status=status,
        why=why,
        accepted_at=row.accepted_at,
        before=row.before,
        landing=found,
        summary=Summary(
            int(row.number),
            int(row.original or 0),
            row.gross,
            row.tax,
            bytes(row.buyer) if row.buyer else NONE,
            bytes(row.payment) if row.payment else NONE,
            bytes(row.document),
        ),
        leaf=bytes(row.leaf),
        payload=bytes(row.payload),
        disclosures=orjson.loads(row.disclosures),
        promise_id=row.promise,
        position=row.position,
    )


def batch_leaves(connection: Connection, first: str, count: int) -> list[bytes]:
    """The leaves of a batch, from its invoices here or from its transaction."""
    kept = connection.execute(
        sa.select(foreign_leaves.c.leaves).where(foreign_leaves.c.first == first)
    ).scalar()
    if kept is not None:
        return [bytes(kept[at : at + 32]) for at in range(0, len(kept), 32)]
    rows = connection.execute(
        sa.select(invoices.c.leaf)
        .where(invoices.c.number >= first, invoices.c.number < f"{int(first) + count:020d}")
        .order_by(invoices.c.number)
    )
    return [bytes(leaf) for leaf in rows.scalars()]


def batch_view(connection: Connection, first: str) -> BatchView:
    """The batch that begins at `first`. Raises BatchUnknown."""
    fact = connection.execute(sa.select(*_LANDING).where(batch_facts.c.first == first)).first()
    if fact is not None:
        found = landing(fact)
        leaves = batch_leaves(connection, first, found.count)
        return BatchView(
            first,
            found.last,
            found.count,
            found.issuer,
            found.book,
            found.root,
            found.bound,
            found,
            leaves,
        )
    row: Any = connection.execute(sa.select(batches).where(batches.c.first == first)).first()
    if row is None:
        raise BatchUnknown(f"no batch begins at {first}", field="first")
    last = f"{int(first) + row.count - 1:020d}"
    leaves = batch_leaves(connection, first, row.count)
    return BatchView(
        first, last, row.count, row.issuer, row.book, bytes(row.root), int(row.bound), None, leaves
    )


class Trees:
    """Trees of the batches asked for last: proofs of one batch cost its hashing once."""

    def __init__(self, size: int = 32) -> None:
        self._size = size
        self._trees: OrderedDict[tuple[str, bytes], list[list[bytes]]] = OrderedDict()

    def siblings(self, connection: Connection, found: Landing, number: str) -> list[bytes]:
        """Proof of a number in a batch. Raises FactInconsistent when the leaves here are not the batch's."""
        key = (found.first, found.root)
        tree = self._trees.get(key)
        if tree is None:
            tree = merkle.levels(batch_leaves(connection, found.first, found.count))
            if tree[-1][0] != found.root:
                raise FactInconsistent(f"the leaves of batch {found.first} do not make its root")
            self._trees[key] = tree
            while len(self._trees) > self._size:
                self._trees.popitem(last=False)
        return merkle.path(tree, int(number) - int(found.first))
