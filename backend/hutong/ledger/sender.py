"""The sender: signs outbox rows in order of nonce, sends them within a window, follows them until final."""

from __future__ import annotations

import logging
import time
from typing import Any

import sqlalchemy as sa
from coincurve import PrivateKey
from sqlalchemy.engine import Connection, Engine, Row

from hutong.database import read, write
from hutong.errors import NodeError
from hutong.ledger.client import Fees, Node
from hutong.ledger.consents import address_of
from hutong.ledger.lease import Lease
from hutong.ledger.outbox import accounts, open_account, outbox, signatures
from hutong.ledger.refusals import SendFailure, classify_send_error
from hutong.ledger.transaction import sign_transaction

log = logging.getLogger(__name__)


class Sender:
    """Sends for one account. All writes are fenced by the lease.

    The window is bounded by `count` transactions and by the gas of about `blocks` blocks. The same signed bytes are
    sent again every `resend` seconds until they are mined; other bytes for the same nonce are signed only when the
    chain's base fee has outgrown what the first ones offer.
    """

    def __init__(
        self,
        engine: Engine,
        node: Node,
        lease: Lease,
        key: bytes,
        *,
        count: int = 16,
        blocks: float = 2.0,
        resend: float = 5.0,
    ) -> None:
        self._engine, self._node, self._lease = engine, node, lease
        self._key = PrivateKey(key)
        self.account = address_of(self._key)
        self._count, self._blocks, self._resend = count, blocks, resend
        self._chain_id: int | None = None

    def open(self) -> None:
        """Notes where the account's nonces begin. Raises NodeUnavailable; needed once a database."""
        with read(self._engine) as connection:
            known = connection.execute(
                sa.select(accounts.c.account).where(accounts.c.account == self.account)
            ).first()
        if known is None:
            nonce = self._node.transaction_count(self.account, "pending")
            with write(self._engine) as connection:
                self._lease.fence(connection)
                open_account(connection, self.account, nonce)

    def step(self) -> bool:
        """One round: look for receipts, then sign and send what fits. True when anything moved."""
        moved = self._follow()
        return self._send() or moved

    # --- sending ------------------------------------------------------------------------------------

    def _send(self) -> bool:
        with read(self._engine) as connection:
            queued = connection.execute(
                sa.select(outbox.c.id, outbox.c.nonce, outbox.c.gas, outbox.c.sent_at)
                .where(outbox.c.account == self.account, outbox.c.state == "queued")
                .order_by(outbox.c.nonce)
                .limit(self._count)
            ).all()
        if not queued:
            return False
        head = self._node.block("latest")
        if head is None:
            return False
        room = self._blocks * head.gas_limit
        window: list[Any] = []
        for row in queued:
            room -= row.gas
            if room < 0 and window:
                break
            window.append(row)
        now = time.time()
        due = [row for row in window if row.sent_at is None or row.sent_at < now - self._resend]
        if not due:
            return False
        raws = self._sign([row.id for row in due], head.base_fee)
        results = self._node.send_raw([raw for _, raw in raws])
        with write(self._engine) as connection:
            self._lease.fence(connection)
            for (row_id, _), result in zip(raws, results, strict=True):
                why = None if isinstance(result, str) else self._failure(row_id, result)
                connection.execute(
                    sa.update(outbox)
                    .where(outbox.c.id == row_id, outbox.c.state == "queued")
                    .values(sent_at=now, why=why)
                )
        return True

    def _failure(self, row_id: int, error: NodeError) -> str | None:
        failure = classify_send_error(error)
        # Known already: the very same bytes arrived before. Too low: mined, or displaced; _follow finds out.
        if failure in (SendFailure.ALREADY_KNOWN, SendFailure.NONCE_TOO_LOW):
            return None
        log.warning("outbox %d not taken by the node: %s (%s)", row_id, failure.name, error.detail)
        return f"{failure.name}: {error.detail}"[:500]

    def _sign(self, ids: list[int], base_fee: int | None) -> list[tuple[int, bytes]]:
        """Signed bytes of the rows, stored before they are returned; old ones wherever they still serve."""
        with read(self._engine) as connection:
            rows = connection.execute(
                sa.select(signatures)
                .where(signatures.c.outbox.in_(ids))
                .order_by(signatures.c.signed_at)
            )
            latest: dict[int, Row[Any]] = {row.outbox: row for row in rows}
        raws = {
            row_id: bytes(row.raw)
            for row_id, row in latest.items()
            if base_fee is None or int(row.max_fee) >= base_fee
        }
        missing = [row_id for row_id in ids if row_id not in raws]
        if missing:
            # Asked before the write lock is taken: a node that hangs must not keep gateways from promising.
            fees = self._node.fees()
            if self._chain_id is None:
                self._chain_id = self._node.chain_id()
            with write(self._engine) as connection:
                self._lease.fence(connection)
                for row_id in missing:
                    raws[row_id] = self._sign_row(
                        connection, row_id, fees, latest.get(row_id), self._chain_id
                    )
        return [(row_id, raws[row_id]) for row_id in ids]

    def _sign_row(
        self,
        connection: Connection,
        row_id: int,
        fees: Fees,
        latest: Row[Any] | None,
        chain_id: int,
    ) -> bytes:
        row = connection.execute(sa.select(outbox).where(outbox.c.id == row_id)).one()
        max_fee, priority = fees
        if latest is not None:  # a replacement must pay noticeably more for the pool to take it
            max_fee = max(max_fee, int(latest.max_fee) * 5 // 4)
            priority = max(priority, max_fee // 4)
        signed = sign_transaction(
            self._key,
            chain_id=chain_id,
            nonce=row.nonce,
            fees=Fees(max_fee, priority),
            gas=row.gas,
            to=row.to,
            data=row.data,
        )
        connection.execute(
            signatures.insert().values(
                hash=signed.hash,
                outbox=row_id,
                raw=signed.raw,
                max_fee=str(max_fee),
                replaces=latest.hash if latest is not None else None,
                signed_at=time.time(),
            )
        )
        return signed.raw

    # --- following ----------------------------------------------------------------------------------

    def _follow(self) -> bool:
        """Receipts of all rows that are not final: a row's state follows the chain, back and forth."""
        with read(self._engine) as connection:
            rows = connection.execute(
                sa.select(
                    outbox.c.id, outbox.c.nonce, outbox.c.state, outbox.c.block, signatures.c.hash
                )
                .join(signatures, signatures.c.outbox == outbox.c.id)
                .where(
                    outbox.c.account == self.account,
                    outbox.c.state.in_(("queued", "mined")),
                    outbox.c.sent_at.is_not(None),
                )
                .order_by(outbox.c.nonce)
                .limit(4 * self._count)
            ).all()
        if not rows:
            return False
        finality = self._node.finality()
        final = -1 if finality is None else finality
        receipts = self._node.receipts([row.hash for row in rows])
        # One row may have several signatures; at most one of them is mined.
        found: dict[int, tuple[Any, dict[str, Any] | None]] = {}
        for row, receipt in zip(rows, receipts, strict=True):
            if receipt is not None or row.id not in found:
                found[row.id] = (row, receipt)
        waiting = [
            row.nonce
            for row, receipt in found.values()
            if receipt is None and row.state == "queued"
        ]
        used = self._used(final) if waiting and final >= 0 else 0
        moves = [
            (row.id, values)
            for row, receipt in found.values()
            if (values := self._move(row, receipt, final, used)) is not None
        ]
        if not moves:
            return False
        with write(self._engine) as connection:
            self._lease.fence(connection)
            for row_id, values in moves:
                connection.execute(sa.update(outbox).where(outbox.c.id == row_id).values(**values))
        return True

    @staticmethod
    def _move(
        row: Row[Any], receipt: dict[str, Any] | None, final: int, used: int
    ) -> dict[str, Any] | None:
        """What changes in a row, None when nothing does. Nonces below `used` are used for good."""
        if receipt is None:
            if row.state == "mined":  # a reorganisation took it out: the same bytes go in again
                return {"state": "queued", "block": None, "sent_at": None}
            # Another transaction of the account has the nonce: ours will never be mined.
            return {"state": "reverted", "why": "NonceDisplaced"} if row.nonce < used else None
        block = int(receipt["blockNumber"], 16)
        if block > final:
            return None if row.block == block else {"state": "mined", "block": block}
        if int(receipt["status"], 16) == 1:
            return {"state": "final", "block": block, "why": None}
        return {"state": "reverted", "block": block, "why": "Reverted"}

    def _used(self, final: int) -> int:
        """Nonces that the account has used up to the block `final`, which was looked up before the receipts."""
        return self._node.transaction_count(self.account, hex(final))
