"""Participants, signers as the chain says: rows are only added, so that a rewind is a delete."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hutong.database import Uscc, metadata

#: Bits of contracts/Participants.sol.
ISSUER = 1
CASHIER = 2
NO_CAP = 2**128 - 1


def _fact_columns() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return (
        sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
    )


participant_facts = sa.Table(
    "participant_facts",
    metadata,
    *_fact_columns(),
    sa.Column("uscc", Uscc, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("roles", sa.BigInteger, nullable=False),
    sa.Column("suspended", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("irregular", sa.Boolean, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Index("participant_facts_uscc", "uscc", "block", "log_index"),
)

signer_facts = sa.Table(
    "signer_facts",
    metadata,
    *_fact_columns(),
    sa.Column("uscc", Uscc, nullable=False),
    sa.Column("account", sa.String(42), nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("roles", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=False),
    sa.Column("cap", sa.Numeric(40, 0, asdecimal=True).with_variant(sa.Text, "sqlite")),
    sa.Index("signer_facts_uscc", "uscc", "account", "block", "log_index"),
)


class Participant(NamedTuple):
    """An organisation as of the last indexed block."""

    uscc: str
    name: str
    roles: int
    suspended: bool
    reason: str
    irregular: bool
    epoch: int


class Signer(NamedTuple):
    """An address that signs for a participant; `expires` in seconds, `cap` in minor units."""

    account: str
    roles: int
    expires: int
    cap: int


def participant(connection: Connection, uscc: str) -> Participant | None:
    """The participant's latest state, None when it was never admitted."""
    facts = participant_facts.c
    row = connection.execute(
        sa.select(
            facts.uscc,
            facts.name,
            facts.roles,
            facts.suspended,
            facts.reason,
            facts.irregular,
            facts.epoch,
        )
        .where(facts.uscc == uscc)
        .order_by(facts.block.desc(), facts.log_index.desc())
        .limit(1)
    ).first()
    return Participant(*row) if row else None


def participants(connection: Connection) -> list[Participant]:
    """All participants, by USCC."""
    known = connection.execute(
        sa.select(participant_facts.c.uscc).distinct().order_by(participant_facts.c.uscc)
    ).scalars()
    return [found for uscc in known if (found := participant(connection, uscc))]


def signers(connection: Connection, uscc: str) -> list[Signer]:
    """Signers of the participant's running epoch that have a role, by account; expired ones included."""
    who = participant(connection, uscc)
    if who is None:
        return []
    facts = signer_facts.c
    rows = connection.execute(
        sa.select(facts.account, facts.roles, facts.expires, facts.cap)
        .where(facts.uscc == uscc, facts.epoch == who.epoch)
        .order_by(facts.block, facts.log_index)
    )
    latest = {
        row.account: Signer(row.account, row.roles, row.expires, int(row.cap)) for row in rows
    }
    return sorted(signer for signer in latest.values() if signer.roles)
