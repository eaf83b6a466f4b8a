"""Events of the Invoices contract become rows: books, quotas, and one row for each batch, whatever its size."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError

from hutong import merkle
from hutong.database import read
from hutong.errors import FactInconsistent, NodeUnavailable
from hutong.invoices.store import batch_facts, batches, book_facts, foreign_leaves, quota_facts
from hutong.ledger.client import Node
from hutong.ledger.contracts import Event
from hutong.ledger.issuing import decode_issue

log = logging.getLogger(__name__)

#: Told of each batch that lands, inside the transaction that stores the fact.
BatchListener = Callable[[Connection, dict[str, Any]], None]


def number_text(number: int) -> str:
    """A number as its 20 digits."""
    return f"{number:020d}"


class InvoiceFacts:
    """Projection of Invoices' events; see hutong.ledger.indexer.Projection."""

    contract = "Invoices"
    tables = (book_facts, quota_facts, batch_facts, foreign_leaves)

    def __init__(self, node: Node, listener: BatchListener | None = None) -> None:
        self._node, self._listener = node, listener
        self._transactions: dict[str, dict[str, Any] | None] = {}

    def prepare(self, engine: Engine, events: Sequence[Event]) -> None:
        """Asks the node for the transactions of batches that were not cut here, all in one go."""
        issued = {number_text(e.args["first"]): e for e in events if e.name == "Issued"}
        with read(engine) as connection:
            ours = connection.execute(
                sa.select(batches.c.first, batches.c.root).where(batches.c.first.in_(list(issued)))
            )
            for row in ours:
                if bytes(row.root) == issued[row.first].args["root"]:
                    del issued[row.first]
        hashes = sorted({event.tx_hash for event in issued.values()})
        found = self._node.transactions(hashes) if hashes else []
        self._transactions = dict(zip(hashes, found, strict=True))

    def apply(self, connection: Connection, event: Event, time: int) -> None:
        """Stores one event. Raises FactInconsistent when it does not fit the events before it."""
        if event.name == "BookOpened":
            self._open_book(connection, event, time)
        elif event.name == "BookClosed":
            self._close_book(connection, event, time)
        elif event.name == "QuotaSet":
            connection.execute(
                quota_facts.insert().values(
                    block=event.block,
                    log_index=event.log_index,
                    issuer=event.args["issuer"],
                    currency=event.args["currency"],
                    amount=str(event.args["amount"]),
                )
            )
        elif event.name == "Issued":
            self._land_batch(connection, event, time)

    def rewind(self, connection: Connection, block: int) -> None:
        """Forgets everything after a block."""
        for table in self.tables:
            connection.execute(sa.delete(table).where(table.c.block > block))

    @staticmethod
    def _open_book(connection: Connection, event: Event, time: int) -> None:
        connection.execute(
            book_facts.insert().values(
                block=event.block,
                log_index=event.log_index,
                first=number_text(event.args["first"]),
                issuer=event.args["issuer"],
                last=number_text(event.args["last"]),
                currency=event.args["currency"],
                closed=False,
                time=time,
            )
        )

    def _close_book(self, connection: Connection, event: Event, time: int) -> None:
        first = number_text(event.args["first"])
        connection.execute(
            book_facts.insert().values(
                block=event.block,
                log_index=event.log_index,
                first=first,
                issuer=event.args["issuer"],
                last=number_text(event.args["next"] - 1),
                currency=self._currency(connection, first),
                closed=True,
                time=time,
            )
        )

    def _land_batch(self, connection: Connection, event: Event, time: int) -> None:
        args = event.args
        first, count, root = args["first"], args["count"], args["root"]
        book = number_text(args["book"])
        fact = {
            "block": event.block,
            "log_index": event.log_index,
            "book": book,
            "first": number_text(first),
            "last": number_text(first + count - 1),
            "count": count,
            "issuer": args["issuer"],
            "currency": self._currency(connection, book),
            "root": root,
            "bound": str(args["bound"]),
            "spent": str(args["spent"]),
            "period": args["period"],
            "signer": args["signer"],
            "transaction": event.tx_hash,
            "block_hash": event.block_hash,
            "time": time,
        }
        connection.execute(batch_facts.insert().values(**fact))
        ours = connection.execute(
            sa.select(batches.c.root).where(batches.c.first == fact["first"])
        ).scalar()
        if ours != root:
            self._keep_leaves(connection, event, root)
        elif self._listener is not None:
            self._tell(connection, fact)

    def _tell(self, connection: Connection, fact: dict[str, Any]) -> None:
        """The batch has landed whether or not somebody can be told."""
        assert self._listener is not None
        try:
            with connection.begin_nested():
                self._listener(connection, fact)
        except OperationalError:
            raise  # the database, not the listener: the range is read again
        except Exception:
            log.exception("nobody was told that batch %s has landed", fact["first"])

    def _keep_leaves(self, connection: Connection, event: Event, root: bytes) -> None:
        """Leaves of a batch that was not cut here, from its transaction: proofs need nothing else."""
        transaction = self._transactions.get(event.tx_hash)
        if transaction is None:
            raise NodeUnavailable(f"the node does not give the transaction {event.tx_hash}")
        for call in decode_issue(bytes.fromhex(transaction["input"][2:])):
            if call.first == event.args["first"]:
                if merkle.root(call.leaves) != root:
                    break
                connection.execute(
                    foreign_leaves.insert().values(
                        first=number_text(call.first),
                        block=event.block,
                        leaves=b"".join(call.leaves),
                    )
                )
                return
        raise FactInconsistent(f"{event.tx_hash} does not contain the leaves of its batch")

    @staticmethod
    def _currency(connection: Connection, book: str) -> str:
        currency = connection.execute(
            sa.select(book_facts.c.currency)
            .where(book_facts.c.first == book)
            .order_by(book_facts.c.block)
            .limit(1)
        ).scalar()
        if currency is None:
            raise FactInconsistent(f"the book {book} was never opened")
        return str(currency)
