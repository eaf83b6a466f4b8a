"""A promise: the gateway's signature over leaves that it has accepted together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hutong import merkle
from hutong.invoices.store import invoices, promises


@dataclass(frozen=True, slots=True)
class Promise:
    """This leaf, at `index` of `count` under `root`, is on chain before `before` (seconds, UTC), says `signer`.

    `tree` holds all levels (see hutong.merkle.levels); `signature` is EIP-712, see hutong.ledger.consents.
    """

    root: bytes
    count: int
    index: int
    before: int
    signer: str
    signature: bytes
    tree: Sequence[Sequence[bytes]]

    @property
    def siblings(self) -> list[bytes]:
        """Siblings from the leaf up."""
        return merkle.path(self.tree, self.index)


def stored_promise(connection: Connection, identity: int, position: int) -> Promise:
    """The promise given for an invoice earlier."""
    row: Any = connection.execute(sa.select(promises).where(promises.c.id == identity)).one()
    leaves = [
        bytes(leaf)
        for leaf in connection.execute(
            sa.select(invoices.c.leaf)
            .where(invoices.c.promise == identity)
            .order_by(invoices.c.position)
        ).scalars()
    ]
    return Promise(
        bytes(row.root),
        row.count,
        position,
        row.before,
        row.signer,
        bytes(row.signature),
        merkle.levels(leaves),
    )
