"""A sender step by step, on a chain that mines when told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from hutong.database import read, write
from hutong.errors import NodeError
from hutong.ledger.client import Node
from hutong.ledger.keystore import LIGHT_WORK, Keystore
from hutong.ledger.lease import Lease
from hutong.ledger.outbox import Call, enqueue, outbox, signatures
from hutong.ledger.sender import Sender

TARGET = "0x" + "44" * 20


REFUSING = "0x" + "55" * 20


ETHER = 10**18


class Watched(Node):
    """Remembers what was sent. `lag` blocks are not final; `sent` holds the raws of each call."""

    lag = 0

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.sent: list[list[bytes]] = []

    def send_raw(self, raws: Any) -> list[str | NodeError]:
        self.sent.append(list(raws))
        return super().send_raw(raws)

    def finality(self) -> int | None:
        return self.block_number() - self.lag

    def mine(self, count: int = 1) -> None:
        for _ in range(count):
            self.call("evm_mine")


class Post:
    """A sender of a new, rich account, and what it does."""

    def __init__(self, engine: Engine, node: Watched, folder: Path, **options: Any) -> None:
        self.engine, self.node = engine, node
        keystore = Keystore(folder / "keys", "test", work=LIGHT_WORK)
        self.account = keystore.ensure("sender")
        self.key = keystore.key(self.account)
        node.call("anvil_setBalance", self.account, hex(ETHER))
        with write(engine) as connection:  # a worker that was killed before holds it no more
            connection.execute(sa.text("UPDATE leases SET until = 0"))
        self.lease = Lease(engine, "worker")
        assert self.lease.take()
        self.sender = Sender(engine, node, self.lease, self.key, **options)
        self.sender.open()

    def queue(self, count: int = 1, *, gas: int = 100_000, to: str = TARGET) -> None:
        with write(self.engine) as connection:
            for _ in range(count):
                enqueue(connection, self.account, Call(to, b"", gas))

    def rows(self) -> list[Any]:
        with read(self.engine) as connection:
            return list(connection.execute(sa.select(outbox).order_by(outbox.c.nonce)).all())

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]

    def signed(self) -> list[Any]:
        with read(self.engine) as connection:
            return list(
                connection.execute(sa.select(signatures).order_by(signatures.c.signed_at)).all()
            )

    def settle(self) -> None:
        for _ in range(20):
            if not self.sender.step():
                return
