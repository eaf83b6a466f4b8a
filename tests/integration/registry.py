"""What the chain would say, said without one: events handed to the projections, block by block."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from hutong import uscc
from hutong.database import read, write
from hutong.invoices.facts import InvoiceFacts
from hutong.invoices.standing import month_of
from hutong.invoices.store import batch_facts, batches
from hutong.ledger.client import Node
from hutong.ledger.contracts import Event
from hutong.ledger.indexer import blocks
from hutong.participants.facts import ParticipantFacts
from hutong.participants.store import CASHIER, ISSUER, NO_CAP

_NEVER = 2**48 - 1
_bodies = count(1)


def new_uscc() -> str:
    """A valid code that no test has used before."""
    body = f"91110105MA{next(_bodies):07d}"
    return body + uscc.check_digit(body)


class Registry:
    """Tells a database facts. Books begin at 26112 0000 ... and follow one another."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # No event that is told here makes the projection ask the node.
        self._projections = [ParticipantFacts(), InvoiceFacts(Node("http://127.0.0.1:1"))]
        self._block = 100
        self._books = count(1)

    def merchant(
        self,
        cashier: str,
        *,
        quota: int = 10**12,
        cap: int = NO_CAP,
        numbers: int = 100_000,
        books: int = 1,
    ) -> str:
        """Admits an issuer with a cashier, books and a quota; returns its USCC."""
        code = new_uscc()
        self.admit(code)
        self.appoint(code, cashier, cap=cap)
        for _ in range(books):
            self.open_book(code, numbers=numbers)
        self.set_quota(code, quota)
        return code

    def admit(self, code: str, *, roles: int = ISSUER, name: str = "胡同口小卖部") -> None:
        self.tell("Participants", "Admitted", uscc=code, name=name, roles=roles, irregular=False)

    def appoint(
        self, code: str, account: str, *, roles: int = CASHIER, cap: int = NO_CAP,
        expires: int = _NEVER, epoch: int = 0,
    ) -> None:  # fmt: skip
        self.tell(
            "Participants", "SignerSet", uscc=code, account=account, epoch=epoch, roles=roles,
            expires=expires, cap=cap,
        )  # fmt: skip

    def suspend(self, code: str, reason: str = "audit") -> None:
        self.tell("Participants", "Suspended", uscc=code, reason=reason)

    def reinstate(self, code: str) -> None:
        self.tell("Participants", "Reinstated", uscc=code)

    def open_book(self, code: str, *, numbers: int = 100_000, currency: str = "CNY") -> int:
        """Opens a book of `numbers`; returns its first number."""
        first = 26_112 * 10**15 + next(self._books) * 10_000_000 + 1
        self.tell(
            "Invoices", "BookOpened", issuer=code, first=first, last=first + numbers - 1,
            currency=currency,
        )  # fmt: skip
        return first

    def close_book(self, code: str, first: int, following: int) -> None:
        self.tell("Invoices", "BookClosed", issuer=code, first=first, next=following)

    def set_quota(self, code: str, amount: int, currency: str = "CNY") -> None:
        self.tell("Invoices", "QuotaSet", issuer=code, currency=currency, amount=amount)

    def land(self, first: str, *, spent: int, at: float | None = None) -> int:
        """The batch that was cut at `first` lands; `spent` is the issuer's sum of the month. Returns its block."""
        with read(self._engine) as connection:
            row = connection.execute(sa.select(batches).where(batches.c.first == first)).one()
        at = time.time() if at is None else at
        return self.tell(
            "Invoices", "Issued", issuer=row.issuer, book=int(row.book), first=int(first),
            count=row.count, root=bytes(row.root), bound=int(row.bound), spent=spent,
            period=month_of(at), signer="0x" + "11" * 20, at=int(at),
        )  # fmt: skip

    def foreign(
        self, connection: Connection, code: str, book: int, *, first: int, count: int, spent: int
    ) -> None:
        """A batch that was issued elsewhere lands; its leaves are left unknown."""
        self._block += 1
        connection.execute(
            batch_facts.insert().values(
                block=self._block, log_index=0, book=f"{book:020d}", first=f"{first:020d}",
                last=f"{first + count - 1:020d}", count=count, issuer=code, currency="CNY",
                root=bytes(32), bound="0", spent=str(spent), period=month_of(time.time()),
                signer="0x" + "11" * 20, transaction="0x" + "22" * 32, block_hash=bytes(32),
                time=int(time.time()),
            )
        )  # fmt: skip

    def tell(self, contract: str, event: str, /, *, at: int | None = None, **args: Any) -> int:
        """One event in a block of its own, stored as the indexer does; returns the block's number."""
        self._block += 1
        block_hash = self._block.to_bytes(32, "big")
        told = Event(contract, event, args, self._block, block_hash, 0, "0x" + block_hash.hex())
        with write(self._engine) as connection:
            for projection in self._projections:
                if projection.contract == contract:
                    projection.apply(connection, told, int(time.time()) if at is None else at)
            connection.execute(
                blocks.insert().values(number=self._block, hash=block_hash, time=int(time.time()))
            )
        return self._block

    def rewind(self, block: int) -> None:
        with write(self._engine) as connection:
            for projection in self._projections:
                projection.rewind(connection, block)
            connection.execute(sa.delete(blocks).where(blocks.c.number > block))


def cut_firsts(engine: Engine, issuer: str) -> Sequence[str]:
    """First numbers of the batches cut for an issuer, in order."""
    with read(engine) as connection:
        return connection.execute(
            sa.select(batches.c.first).where(batches.c.issuer == issuer).order_by(batches.c.first)
        ).scalars().all()  # fmt: skip
