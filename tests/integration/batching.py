"""A batcher with no chain behind it: what it cuts and queues can be looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from hutong import merkle
from hutong.database import read, write
from hutong.invoices.batcher import MAX_BATCH, Batcher, StallListener
from hutong.invoices.store import batches
from hutong.ledger.consents import invoices_domain, issue_digest, recover
from hutong.ledger.issuing import IssueCall, decode_issue
from hutong.ledger.lease import Lease
from hutong.ledger.outbox import open_account, outbox
from tests.integration.gateway import CHAIN_ID, CONTRACT, Gateway

DOMAIN = invoices_domain(CHAIN_ID, CONTRACT)
ACCOUNT = "0x" + "33" * 20


def cutter(
    gateway: Gateway,
    *,
    full: int = MAX_BATCH,
    trial: Callable[[bytes], None] = lambda _: None,
    listener: StallListener | None = None,
) -> Batcher:
    """A batcher that holds the lease, over an account that is open."""
    lease = Lease(gateway.engine, "worker")
    with write(gateway.engine) as connection:
        connection.execute(sa.text("DELETE FROM leases"))
        open_account(connection, ACCOUNT, 0)
    assert lease.take()
    return Batcher(
        gateway.engine, lease, gateway.cashiers, account=ACCOUNT, to=CONTRACT, trial=trial,
        listener=listener, full=full,
    )  # fmt: skip


def cut(engine: Engine) -> list[tuple[int, int, int]]:
    """(first, count, bound) of all batches, by number."""
    with read(engine) as connection:
        rows = connection.execute(sa.select(batches).order_by(batches.c.first)).all()
    return [(int(row.first), row.count, int(row.bound)) for row in rows]


def queued(engine: Engine) -> list[list[IssueCall]]:
    """The batches of each outbox row, by nonce."""
    return [decode_issue(bytes(row.data)) for row in rows(engine)]


def rows(engine: Engine) -> list[Any]:
    """The outbox, by nonce."""
    with read(engine) as connection:
        return list(connection.execute(sa.select(outbox).order_by(outbox.c.nonce)).all())


def mark(engine: Engine, nonce: int, state: str, why: str | None = None) -> None:
    """What the sender would note of an outbox row."""
    with write(engine) as connection:
        connection.execute(
            sa.update(outbox).where(outbox.c.nonce == nonce).values(state=state, why=why)
        )


def fill(gateway: Gateway, merchant: str, count: int) -> int:
    """Accepts that many invoices of 1.00; returns the first number."""
    answers = gateway.invoices.accept_many(merchant, [gateway.item() for _ in range(count)])
    return int(answers[0].number)  # type: ignore[union-attr]


def assert_consent(call: IssueCall, cashier: str) -> None:
    digest = issue_digest(
        DOMAIN, call.book, call.first, len(call.leaves), merkle.root(call.leaves), call.bound,
        call.deadline,
    )  # fmt: skip
    assert recover(digest, call.signature) == cashier
    assert int(call.signer, 16) == int(cashier, 16)
