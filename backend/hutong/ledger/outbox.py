"""The outbox: transactions that will be sent, each with its nonce from the moment that it is written."""

from __future__ import annotations

import time
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hutong.database import Octets, Serial, inserted_id, metadata

#: state: queued (perhaps signed and sent), mined (in a block), final, reverted (final, refused by the contract)
outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),
    sa.Column("account", sa.String(42), nullable=False),
    sa.Column("nonce", sa.BigInteger, nullable=False),
    sa.Column("to", sa.String(42), nullable=False),
    sa.Column("data", Octets, nullable=False),
    sa.Column("gas", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("sent_at", sa.Float),
    sa.Column("block", sa.BigInteger),
    sa.Column("why", sa.Text),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.UniqueConstraint("account", "nonce"),
    sa.Index("outbox_state", "account", "state", "nonce"),
)

#: Every transaction ever signed for a row; for one nonce another one is signed only to replace `replaces`.
signatures = sa.Table(
    "signatures",
    metadata,
    sa.Column("hash", sa.String(66), primary_key=True),
    sa.Column("outbox", sa.BigInteger, nullable=False, index=True),
    sa.Column("raw", Octets, nullable=False),
    sa.Column("max_fee", sa.Numeric(40, 0).with_variant(sa.Text, "sqlite"), nullable=False),
    sa.Column("replaces", sa.String(66)),
    sa.Column("signed_at", sa.Float, nullable=False),
)

#: Where an account's nonces began when this database first used it.
accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("account", sa.String(42), primary_key=True),
    sa.Column("first_nonce", sa.BigInteger, nullable=False),
)


class Call(NamedTuple):
    """A contract call to be sent; `gas` is its limit."""

    to: str
    data: bytes
    gas: int


def open_account(connection: Connection, account: str, chain_nonce: int) -> None:
    """Notes the account's nonce on the chain, unless the account is known already."""
    known = connection.execute(
        sa.select(accounts.c.account).where(accounts.c.account == account)
    ).first()
    if known is None:
        connection.execute(accounts.insert().values(account=account, first_nonce=chain_nonce))


def next_nonce(connection: Connection, account: str) -> int:
    """The nonce of the account's next row. The account must be open; the caller holds the write lock or the lease."""
    greatest = connection.execute(
        sa.select(sa.func.max(outbox.c.nonce)).where(outbox.c.account == account)
    ).scalar()
    first: int = connection.execute(
        sa.select(accounts.c.first_nonce).where(accounts.c.account == account)
    ).scalar_one()
    return first if greatest is None else max(int(greatest) + 1, first)


def enqueue(connection: Connection, account: str, call: Call) -> int:
    """Adds a call with the account's next nonce; returns the row's id."""
    inserted = connection.execute(
        outbox.insert().values(
            account=account,
            nonce=next_nonce(connection, account),
            to=call.to,
            data=call.data,
            gas=call.gas,
            state="queued",
            created_at=time.time(),
        )
    )
    return inserted_id(inserted)


def waiting(connection: Connection, account: str) -> int:
    """How many of the account's rows are not in a block yet."""
    return int(
        connection.execute(
            sa.select(sa.func.count()).where(
                outbox.c.account == account, outbox.c.state == "queued"
            )
        ).scalar_one()
    )


def reopen(connection: Connection, block: int) -> None:
    """Follows again what was mined after a block that the chain went back to, even what was thought final."""
    connection.execute(
        sa.update(outbox)
        .where(outbox.c.block > block, outbox.c.state.in_(("final", "reverted")))
        .values(state="mined")
    )
