"""An indexer step by step, and a node with flaws."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from hutong.database import read
from hutong.errors import NodeError
from hutong.invoices.facts import InvoiceFacts
from hutong.ledger.client import Block, Node
from hutong.ledger.contracts import Contracts
from hutong.ledger.indexer import Indexer, blocks
from hutong.ledger.lease import Lease
from hutong.participants.facts import ParticipantFacts
from hutong.participants.store import ISSUER, participant
from tests.integration.city import City
from tests.integration.registry import new_uscc

FACTS = (*ParticipantFacts.tables, *InvoiceFacts.tables, blocks)


ADMIN = "0x" + "66" * 20


class Desk:
    """An indexer over a database, held by its own lease."""

    def __init__(
        self, engine: Engine, city: City, node: Node | None = None, **options: Any
    ) -> None:
        self.engine, self.city = engine, city
        self.node = node or city.node
        self.heard: list[str] = []
        lease = Lease(engine, "worker")
        assert lease.take()
        self.indexer = Indexer(
            engine,
            self.node,
            Contracts(options.pop("manifest", city.manifest)),
            lease,
            options.pop("projections", None)
            or [ParticipantFacts(), InvoiceFacts(self.node, self.hear)],
            **options,
        )

    def hear(self, connection: Connection, fact: dict[str, Any]) -> None:
        self.heard.append(fact["first"])

    def catch_up(self) -> int:
        """Steps until nothing moves; how many it took."""
        steps = 1
        while self.indexer.step():
            steps += 1
        return steps

    def facts(self) -> dict[str, list[tuple[Any, ...]]]:
        with read(self.engine) as connection:
            return {
                table.name: [
                    tuple(row)
                    for row in connection.execute(sa.select(table).order_by(*table.primary_key))
                ]
                for table in FACTS
            }

    def count(self, table: sa.Table) -> int:
        with read(self.engine) as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()

    def name_of(self, code: str) -> str | None:
        with read(self.engine) as connection:
            found = participant(connection, code)
        return found.name if found else None


def admit(city: City, name: str = "一家店") -> str:
    code = new_uscc()
    city.transact("Participants", "admit", code, name, ISSUER, ADMIN, False)
    return code


class Odd(Node):
    """A node with a flaw."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.most = 10**9
        self.asked: list[int] = []
        self.before_end: Any = None
        self.before_logs: Any = None
        self.after_logs: Any = None

    def block(self, which: int | str) -> Block | None:
        if self.before_end and isinstance(which, int):  # the end of a range that is not the head
            happen, self.before_end = self.before_end, None
            happen()
        return super().block(which)

    def logs(self, addresses: Any, first: int, last: int) -> list[dict[str, Any]]:
        self.asked.append(last - first + 1)
        if last - first + 1 > self.most:
            raise NodeError("query returned more than 10000 results", rpc_code=-32005)
        if self.before_logs:
            happen, self.before_logs = self.before_logs, None
            happen()
        found = super().logs(addresses, first, last)
        if self.after_logs:
            happen, self.after_logs = self.after_logs, None
            happen()
        return found
