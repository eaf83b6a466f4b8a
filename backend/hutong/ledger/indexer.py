"""The indexer: follows the contracts' events and is the only one that writes facts."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from hutong.database import Octets, metadata, read, write
from hutong.errors import ChainMismatch, HutongError, NodeError, NodeUnavailable
from hutong.ledger.client import Block, Node
from hutong.ledger.contracts import Contracts, Event
from hutong.ledger.lease import Lease

log = logging.getLogger(__name__)

#: Blocks that facts rest on, and the cursor: the greatest. A rewind finds the last one that still holds.
blocks = sa.Table(
    "blocks",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", Octets, nullable=False, unique=True),
    sa.Column("time", sa.BigInteger, nullable=False),
)

#: Events that could not be understood; they stop nothing.
dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("block_hash", Octets, primary_key=True),
    sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("block", sa.BigInteger, nullable=False),
    sa.Column("log", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
)

#: Blocks kept for finding the fork; below them only those stay that a deeper check may need.
_KEEP = 20_000
#: More events are not stored in one go: memory and the write lock are others' too.
_MOST_LOGS = 500

#: Called inside the transaction that rewinds, with the last block that still holds.
Rewound = Callable[[Connection, int], None]


class Projection(Protocol):
    """Turns one contract's events into rows.

    `prepare` sees a range's events first and may ask the node, since no transaction is open yet; `apply` runs inside
    the indexer's transaction, once an event.
    """

    contract: str

    def prepare(self, engine: Engine, events: Sequence[Event]) -> None: ...

    def apply(self, connection: Connection, event: Event, time: int) -> None: ...

    def rewind(self, connection: Connection, block: int) -> None: ...


class Indexer:
    """Reads ranges of blocks; facts, block hashes and cursor move in one transaction, fenced by the lease."""

    def __init__(
        self,
        engine: Engine,
        node: Node,
        contracts: Contracts,
        lease: Lease,
        projections: Sequence[Projection],
        *,
        span: int = 2_000,
        rewound: Rewound | None = None,
    ) -> None:
        self._engine, self._node, self._contracts, self._lease = engine, node, contracts, lease
        self._projections = {projection.contract: projection for projection in projections}
        self._rewound = rewound
        self._start = contracts.manifest.start_block
        self._most = self._span = span

    def step(self) -> bool:
        """Indexes the next range, or rewinds. True when there may be more at once."""
        cursor = self._cursor()
        head = self._node.block("latest")
        if head is None:
            return False
        if cursor is not None and not self._holds(cursor, head):
            self._rewind()
            return True
        first = self._start if cursor is None else cursor.number + 1
        if first > head.number:
            return False
        last = min(head.number, first + self._span - 1)
        # Looked up before the logs: should the chain change in between, this hash will not hold, and the range goes.
        end = head if last == head.number else self._node.block(last)
        if end is None:
            return True
        try:
            logs = self._node.logs(self._contracts.addresses, first, last)
        except NodeError as error:
            if last == first:
                raise
            self._narrow(first, last)  # "too many results", "range too wide"
            log.info("asking for %d blocks at a time: %s", self._span, error.detail)
            return True
        if len(logs) > _MOST_LOGS and last > first:
            self._narrow(first, last)
            return True
        if self._store(cursor, logs, end):
            self._span = min(self._most, self._span * 2)
            return last < head.number
        return True

    def _narrow(self, first: int, last: int) -> None:
        self._span = max(1, (last - first + 1) // 2)

    def rebuild(self) -> None:
        """Drops every fact and the cursor; the next steps read everything again from the chain."""
        with write(self._engine) as connection:
            self._lease.fence(connection)
            self._forget(connection, self._start - 1)

    def _cursor(self) -> Block | None:
        with read(self._engine) as connection:
            row = connection.execute(
                sa.select(blocks).order_by(blocks.c.number.desc()).limit(1)
            ).first()
        return None if row is None else Block(row.number, row.hash, b"", row.time, 0, None)

    def _holds(self, cursor: Block, head: Block) -> bool:
        if head.number == cursor.number:
            return head.hash == cursor.hash
        if head.number == cursor.number + 1:
            return head.parent == cursor.hash
        known = self._node.block(cursor.number)
        return known is not None and known.hash == cursor.hash

    def _store(self, cursor: Block | None, logs: list[dict[str, Any]], end: Block) -> bool:
        """Writes a range; False when the chain changed meanwhile, so that nothing was written."""
        found = {end.number: end}
        wanted = {int(entry["blockNumber"], 16) for entry in logs} - {end.number}
        again = wanted if cursor is None else wanted | {cursor.number}
        for block in self._node.blocks(sorted(again)):
            if block is None:
                return False
            found[block.number] = block
        if cursor is not None and found[cursor.number].hash != cursor.hash:
            return False
        for entry in logs:
            if _octets(entry["blockHash"]) != found[int(entry["blockNumber"], 16)].hash:
                return False
        read_logs = [(entry, self._read(entry)) for entry in logs]
        for name, projection in self._projections.items():
            projection.prepare(
                self._engine,
                [e for _, e in read_logs if isinstance(e, Event) and e.contract == name],
            )
        with write(self._engine) as connection:
            self._lease.fence(connection)
            for number in sorted(wanted | {end.number}):
                block = found[number]
                connection.execute(
                    blocks.insert().values(number=number, hash=block.hash, time=block.time)
                )
            for entry, event in read_logs:
                self._apply(connection, entry, event, found[int(entry["blockNumber"], 16)].time)
            self._prune(connection, end.number)
        return True

    def _read(self, entry: dict[str, Any]) -> Event | Exception | None:
        try:
            return self._contracts.decode_log(entry)
        except Exception as error:
            return error

    def _apply(
        self,
        connection: Connection,
        entry: dict[str, Any],
        event: Event | Exception | None,
        block_time: int,
    ) -> None:
        """Hands an event to its projection; one that fails is put aside without a trace in the facts."""
        try:
            if isinstance(event, Exception):
                raise event
            projection = None if event is None else self._projections.get(event.contract)
            if event is None or projection is None:
                return
            with connection.begin_nested():
                projection.apply(connection, event, block_time)
        except Exception as error:
            if _passes(error):
                raise  # the node or the database, not the event: the range is read again
            log.exception("an event could not be understood; it is kept as a dead letter")
            connection.execute(
                dead_letters.insert().values(
                    block_hash=_octets(entry["blockHash"]),
                    log_index=int(entry["logIndex"], 16),
                    block=int(entry["blockNumber"], 16),
                    log=json.dumps(entry),
                    # PostgreSQL keeps no text with a zero in it.
                    why=f"{type(error).__name__}: {error}".replace("\0", "\\0")[:2_000],
                    seen_at=time.time(),
                )
            )

    def _rewind(self) -> None:
        """Goes back to the last stored block that the chain still has."""
        with read(self._engine) as connection:
            stored = connection.execute(
                sa.select(blocks.c.number, blocks.c.hash).order_by(blocks.c.number.desc())
            ).all()
        for begin in range(0, len(stored), 100):
            part = stored[begin : begin + 100]
            current = self._node.blocks([row.number for row in part])
            for row, block in zip(part, current, strict=True):
                if block is not None and block.hash == row.hash:
                    log.warning("the chain was reorganised: rewinding to block %d", row.number)
                    with write(self._engine) as connection:
                        self._lease.fence(connection)
                        self._forget(connection, row.number)
                        if self._rewound is not None:
                            self._rewound(connection, row.number)
                    return
        genesis, head = self._node.blocks([0, stored[-1].number])
        expected = bytes.fromhex(self._contracts.manifest.genesis.removeprefix("0x"))
        if head is None and genesis is not None and genesis.hash == expected:
            raise NodeUnavailable("the node has not come as far as the database; it may catch up")
        raise ChainMismatch(
            "none of the blocks that the database rests on is on this chain: the node carries another one"
        )

    def _forget(self, connection: Connection, block: int) -> None:
        for projection in self._projections.values():
            projection.rewind(connection, block)
        connection.execute(sa.delete(blocks).where(blocks.c.number > block))
        connection.execute(sa.delete(dead_letters).where(dead_letters.c.block > block))

    @staticmethod
    def _prune(connection: Connection, last: int) -> None:
        connection.execute(sa.delete(blocks).where(blocks.c.number < last - _KEEP))


def _octets(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _passes(error: Exception) -> bool:
    """Whether an error is none of the event's, and passes by itself."""
    if isinstance(error, HutongError):
        return error.status in (502, 503)
    return isinstance(error, DBAPIError) and not isinstance(error, IntegrityError | DataError)
