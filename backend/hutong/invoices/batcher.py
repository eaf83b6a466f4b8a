"""The batcher: cuts promised numbers into batches, has them signed, and hands them to the outbox."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from hutong import merkle
from hutong.database import read, write
from hutong.errors import ContractRefusal, HutongError, NodeError, SignerMissing
from hutong.invoices.signing import Cashiers
from hutong.invoices.standing import SUSPECT, landed_next, standstill
from hutong.invoices.store import allocations, batches, invoices
from hutong.ledger.issuing import IssueCall, encode_issue, encode_issue_many
from hutong.ledger.lease import Lease
from hutong.ledger.outbox import Call, enqueue, outbox, waiting

log = logging.getLogger(__name__)

#: contracts/Invoices.sol MAX_BATCH, and what of calldata one transaction may hold (most clients: 128 KiB).
MAX_BATCH = 3_000
_MAX_DATA = 120_000
#: Batches of one transaction. More save little, and one that fails takes all with it.
_MAX_TOGETHER = 40
#: Leaves queued in one go.
_MAX_QUEUED = 9_000
#: How long a consent counts, in seconds; a batch that could not be sent in time is signed anew.
_DEADLINE = 3_600
#: Seconds between two looks at a book that stands still.
_PROBE = 3.0
#: Transactions not yet in a block beyond which only full batches are cut: the others wait and grow.
_ENOUGH = 4

#: Told when a book stands still (why) or goes on (None), inside the transaction that notes it.
StallListener = Callable[[Connection, str, str, dict[str, Any] | None], None]
#: Asks the contract what it would say of a call now; raises ContractRefusal or the errors of the node.
Trial = Callable[[bytes], None]


def gas_limit(leaves: int, together: int, size: int) -> int:
    """Gas limit of a transaction that issues `leaves` in `together` batches with `size` bytes of calldata.

    Measured use with a margin, and never less than the floor of EIP-7623 for chains that have it.
    """
    used = 21_000 + 16 * size + together * 110_000 + leaves * 180
    return max(used + used // 8, 21_000 + 40 * size)


class Batcher:
    """Cuts, signs, queues; all writes fenced by the lease. `account` is the sender's, `to` the Invoices contract."""

    def __init__(
        self,
        engine: Engine,
        lease: Lease,
        cashiers: Cashiers,
        *,
        account: str,
        to: str,
        trial: Trial,
        listener: StallListener | None = None,
        full: int = MAX_BATCH,
    ) -> None:
        self._engine, self._lease, self._cashiers = engine, lease, cashiers
        self._account, self._to, self._trial = account, to, trial
        self._listener, self._full = listener, full

    def step(self, *, partial: bool) -> bool:
        """One round: take back what was refused, try books that stand still, cut and queue what is new.

        With `partial` batches that are not full are cut, too. True when something was queued.
        """
        self._take_back()
        self._probe()
        cut = self._cut(partial=partial)
        return self._queue() or cut

    # --- cutting ------------------------------------------------------------------------------------

    def _cut(self, *, partial: bool) -> bool:
        with read(self._engine) as connection:
            in_flight = waiting(connection, self._account)
            books = connection.execute(
                sa.select(allocations.c.book, allocations.c.next, allocations.c.batched).where(
                    allocations.c.next > allocations.c.batched
                )
            ).all()
        cut = False
        for row in books:
            size = int(row.next) - int(row.batched)
            # At rest an invoice need not wait for the tick; under load small batches grow instead.
            if size >= self._full or in_flight == 0 or (partial and in_flight < _ENOUGH):
                cut = self._cut_book(row.book) or cut
        return cut

    def _cut_book(self, book: str) -> bool:
        """Cuts the book's next batch: as many numbers as fit, adding up to what a cashier may sign."""
        with write(self._engine) as connection:
            self._lease.fence(connection)
            allocation = connection.execute(
                sa.select(allocations).where(allocations.c.book == book).with_for_update()
            ).one()
            cashier = self._cashiers.of(connection, allocation.issuer, time.time())
            rows = connection.execute(
                sa.select(invoices.c.number, invoices.c.leaf, invoices.c.gross)
                .where(
                    invoices.c.book == book,
                    invoices.c.number >= allocation.batched,
                    invoices.c.number < allocation.next,
                )
                .order_by(invoices.c.number)
                .limit(self._full)
            ).all()
            cap = cashier.cap if cashier else None
            leaves: list[bytes] = []
            bound = 0
            for row in rows:
                if leaves and cap is not None and bound + row.gross > cap:
                    break
                leaves.append(bytes(row.leaf))
                bound += row.gross
            if not leaves:
                return False
            through = int(allocation.batched_sum) + bound
            connection.execute(
                batches.insert().values(
                    first=allocation.batched,
                    book=book,
                    issuer=allocation.issuer,
                    count=len(leaves),
                    root=merkle.root(leaves),
                    bound=bound,
                    through=through,
                    state="cut",
                    alone=False,
                    cut_at=int(time.time()),
                )
            )
            connection.execute(
                sa.update(allocations)
                .where(allocations.c.book == book)
                .values(
                    batched=f"{int(allocation.batched) + len(leaves):020d}", batched_sum=through
                )
            )
        return True

    # --- queueing -----------------------------------------------------------------------------------

    def _queue(self) -> bool:
        """Puts cut batches of books that move into the outbox, many small ones in one transaction."""
        with write(self._engine) as connection:
            self._lease.fence(connection)
            rows: Any = connection.execute(
                sa.select(batches)
                .join(allocations, allocations.c.book == batches.c.book)
                .where(batches.c.state == "cut", allocations.c.stalled.is_(None))
                .order_by(batches.c.book, batches.c.first)
                .limit(200)
            ).all()
            together: list[tuple[Any, IssueCall]] = []
            size = leaves = 0
            for row in rows:
                leaves += row.count
                if leaves > _MAX_QUEUED and leaves > row.count:
                    break  # the write lock is not held for long; the rest comes next
                try:
                    call = self._call(connection, row)
                except SignerMissing as error:
                    self._stall(connection, row.book, row.issuer, error)
                    continue
                data = 500 + 32 * row.count
                full = size + data > _MAX_DATA or len(together) == _MAX_TOGETHER
                if together and (full or row.alone or together[0][0].alone):
                    self._enqueue(connection, together)
                    together, size = [], 0
                together.append((row, call))
                size += data
            if together:
                self._enqueue(connection, together)
        return bool(rows)

    def _call(self, connection: Connection, batch: Any) -> IssueCall:
        """The batch with a fresh consent. Raises SignerMissing."""
        now = time.time()
        cashier = self._cashiers.of(connection, batch.issuer, now)
        if cashier is None:
            raise SignerMissing(f"this gateway holds no cashier's key of {batch.issuer}")
        first, deadline = int(batch.first), int(now) + _DEADLINE
        leaves = [
            bytes(leaf)
            for leaf in connection.execute(
                sa.select(invoices.c.leaf)
                .where(
                    invoices.c.number >= batch.first,
                    invoices.c.number < f"{first + batch.count:020d}",
                )
                .order_by(invoices.c.number)
            ).scalars()
        ]
        book, root, bound = int(batch.book), bytes(batch.root), int(batch.bound)
        signature = self._cashiers.sign(
            cashier.account,
            book=book,
            first=first,
            count=batch.count,
            root=root,
            bound=bound,
            deadline=deadline,
        )
        return IssueCall(book, first, bound, leaves, cashier.account, deadline, signature)

    def _enqueue(self, connection: Connection, together: list[tuple[Any, IssueCall]]) -> None:
        calls = [call for _, call in together]
        data = encode_issue(calls[0]) if len(calls) == 1 else encode_issue_many(calls)
        leaves = sum(len(call.leaves) for call in calls)
        call = Call(self._to, data, gas_limit(leaves, len(calls), len(data)))
        identity = enqueue(connection, self._account, call)
        connection.execute(
            sa.update(batches)
            .where(batches.c.first.in_([row.first for row, _ in together]))
            .values(state="sent", outbox=identity)
        )

    # --- what the chain refuses -----------------------------------------------------------------------

    def _take_back(self) -> None:
        """Batches of refused transactions are cut again, as they were; their books stand still until a trial holds."""
        refused = (
            sa.select(batches.c.first, batches.c.book, outbox.c.why)
            .join(outbox, outbox.c.id == batches.c.outbox)
            .where(
                outbox.c.account == self._account,
                outbox.c.state == "reverted",
                batches.c.state == "sent",
            )
            .order_by(batches.c.first)
        )
        with read(self._engine) as connection:
            if not connection.execute(refused.limit(1)).first():
                return
        with write(self._engine) as connection:
            self._lease.fence(connection)
            rows = connection.execute(refused).all()
            for row in rows:
                landed = row.first < landed_next(connection, row.book)
                connection.execute(
                    sa.update(batches)
                    .where(batches.c.first == row.first)
                    .values(state="sent" if landed else "cut", alone=True, outbox=None)
                )
                if not landed:
                    self._suspect(connection, row.book, row.why)

    def _probe(self) -> None:
        """Asks the contract about the first batch of each book that stands still; goes on when it would take it."""
        now = time.time()
        with read(self._engine) as connection:
            stalled = connection.execute(
                sa.select(allocations.c.book, allocations.c.issuer).where(
                    allocations.c.stalled.is_not(None), allocations.c.probe_at <= now
                )
            ).all()
        for book, issuer in stalled:
            self._probe_book(book, issuer)

    def _probe_book(self, book: str, issuer: str) -> None:
        with read(self._engine) as connection:
            landed = landed_next(connection, book)
            in_flight = connection.execute(
                sa.select(batches.c.first)
                .join(outbox, outbox.c.id == batches.c.outbox)
                .where(
                    batches.c.book == book,
                    batches.c.state == "sent",
                    outbox.c.state.in_(("queued", "mined", "reverted")),
                    batches.c.first >= landed,
                )
                .limit(1)
            ).first()
            if in_flight is not None:
                return  # its later batches fail one after another; the last word is not said yet
            batch = connection.execute(
                sa.select(batches)
                .where(batches.c.book == book, batches.c.state == "cut", batches.c.first >= landed)
                .order_by(batches.c.first)
                .limit(1)
            ).first()
            why: HutongError | None = None
            try:
                call = None if batch is None else self._call(connection, batch)
            except SignerMissing as error:
                call, why = None, error
        try:
            if call is not None:
                self._trial(encode_issue(call))
        except ContractRefusal as error:
            why = error
        except NodeError as error:
            log.warning("book %s: the trial failed: %s", book, error.detail)
            self._postpone(book)
            return
        with write(self._engine) as connection:
            self._lease.fence(connection)
            # Somebody else relayed the very batch, consent and all: it has landed, and is not tried again.
            connection.execute(
                sa.update(batches)
                .where(batches.c.book == book, batches.c.state == "cut", batches.c.first < landed)
                .values(state="sent")
            )
            self._stall(connection, book, issuer, why)

    def _postpone(self, book: str) -> None:
        with write(self._engine) as connection:
            self._lease.fence(connection)
            connection.execute(
                sa.update(allocations)
                .where(allocations.c.book == book)
                .values(probe_at=int(time.time() + _PROBE))
            )

    @staticmethod
    def _suspect(connection: Connection, book: str, why: str) -> None:
        """Holds the book until a trial tells what is wrong: in a shared transaction it may be another book's fault."""
        reason = {"code": SUSPECT, "detail": why, "values": {}, "since": int(time.time())}
        connection.execute(
            sa.update(allocations)
            .where(allocations.c.book == book, allocations.c.stalled.is_(None))
            .values(stalled=reason, probe_at=0)
        )

    def _stall(
        self, connection: Connection, book: str, issuer: str, why: HutongError | None
    ) -> None:
        """Notes why a book stands still, or that it goes on; tells the listener when that is news."""
        before = connection.execute(
            sa.select(allocations.c.stalled).where(allocations.c.book == book)
        ).scalar_one()
        reason = None
        if why is not None:
            reason = {
                "code": why.code,
                "detail": why.detail,
                "values": {key: str(value) for key, value in why.values.items()},
                "since": before["since"] if before else int(time.time()),
            }
        connection.execute(
            sa.update(allocations)
            .where(allocations.c.book == book)
            .values(
                stalled=sa.null() if reason is None else reason, probe_at=int(time.time() + _PROBE)
            )
        )
        known = standstill(before)
        if (known["code"] if known else None) != (reason["code"] if reason else None):
            log.warning("book %s %s", book, f"stands still: {reason}" if reason else "goes on")
            if self._listener is not None:
                self._listener(connection, book, issuer, reason)
