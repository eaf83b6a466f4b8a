"""What happens to invoices, told in the transaction in which it becomes known."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection

from hutong.webhooks.store import enqueue


class Notices:
    """Listeners for the indexer and the batcher."""

    @staticmethod
    def batch(connection: Connection, fact: dict[str, Any]) -> None:
        """A batch has landed; `fact` is its row of batch_facts."""
        data = {
            name: fact[name]
            for name in ("first", "last", "count", "book", "block", "time", "transaction")
        }
        enqueue(
            connection,
            "batch.onchain",
            fact["issuer"],
            data
            | {"root": "0x" + fact["root"].hex(), "block_hash": "0x" + fact["block_hash"].hex()},
        )

    @staticmethod
    def book(connection: Connection, book: str, issuer: str, why: dict[str, Any] | None) -> None:
        """A book stands still, or (why None) goes on."""
        kind = "book.resumed" if why is None else "book.stalled"
        enqueue(connection, kind, issuer, {"book": book} | ({} if why is None else {"why": why}))
