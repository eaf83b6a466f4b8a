"""What holds of every accepted invoice; and many who ask at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from hutong import merkle
from hutong.database import read
from hutong.errors import (
    HutongError,
)
from hutong.invoices.acceptance import Accepted
from hutong.invoices.store import allocations, invoices
from hutong.ledger.consents import promise_digest, recover
from tests.integration.gateway import CHAIN_ID, CONTRACT, Gateway


def numbers(engine: Engine, issuer: str) -> list[int]:
    with read(engine) as connection:
        found = sa.select(invoices.c.number).where(invoices.c.issuer == issuer)
        return sorted(int(number) for number in connection.execute(found).scalars())


def assert_gapless(engine: Engine, issuer: str, count: int) -> None:
    found = numbers(engine, issuer)
    assert len(found) == count
    assert found == list(range(found[0], found[0] + count))
    with read(engine) as connection:
        rows = connection.execute(
            sa.select(allocations.c.book, allocations.c.next, allocations.c.promised).where(
                allocations.c.issuer == issuer
            )
        ).all()
        total = connection.execute(
            sa.select(sa.func.sum(invoices.c.gross)).where(invoices.c.issuer == issuer)
        ).scalar_one()
    assert [(int(row.book), int(row.next)) for row in rows] == [(found[0], found[-1] + 1)]
    assert sum(int(row.promised) for row in rows) == int(total)


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """Results, or errors, of `work` in that many threads that begin together."""
    barrier = threading.Barrier(count)

    def run(index: int) -> object:
        barrier.wait()
        try:
            return work(index)
        except HutongError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def assert_promised(gateway: Gateway, accepted: Accepted) -> None:
    promise = accepted.promise
    digest = promise_digest(CHAIN_ID, CONTRACT, promise.root, promise.count, promise.before)
    assert recover(digest, promise.signature) == gateway.promiser.signer == promise.signer
    assert merkle.verify(
        promise.root, accepted.leaf, promise.index, promise.count, promise.siblings
    )
