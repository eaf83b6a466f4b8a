"""Where an issuer stands: its books, what is left of its quota, how far the chain has come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hutong.invoices.store import allocations, batch_facts, batches, book_facts, quota_facts

BEIJING = timezone(timedelta(hours=8))

#: Code of a book whose transaction was refused, until a trial has told why.
SUSPECT = "Suspect"


class Book(NamedTuple):
    """A book by facts and intent. `next` is the next number to be promised, `landed` the chain's next."""

    first: str
    issuer: str
    last: str
    currency: str
    closed: bool
    next: str
    landed: str
    stalled: dict[str, Any] | None


class Quota(NamedTuple):
    """Minor units. `spent` on the chain this month, `pending` promised but not landed."""

    currency: str
    amount: int
    spent: int
    pending: int
    month: str

    @property
    def left(self) -> int:
        return self.amount - self.spent - self.pending


def month_of(time: float) -> int:
    """Calendar month in Beijing as year * 12 + (month - 1), as contracts/libraries/Months.sol counts it."""
    day = datetime.fromtimestamp(time, UTC).astimezone(BEIJING)
    return day.year * 12 + day.month - 1


def standstill(stalled: dict[str, Any] | None) -> dict[str, Any] | None:
    """Why a book stands still, None when it does not. A mere suspicion is none: it may be another book's fault."""
    return stalled if stalled and stalled["code"] != SUSPECT else None


def books_of(connection: Connection, issuer: str) -> list[Book]:
    """All books of the issuer, by first number."""
    firsts = connection.execute(
        sa.select(book_facts.c.first)
        .where(book_facts.c.issuer == issuer)
        .distinct()
        .order_by(book_facts.c.first)
    ).scalars()
    return [found for first in firsts.all() if (found := book_of(connection, first))]


def book_of(connection: Connection, first: str) -> Book | None:
    """One book, None when it was never opened."""
    fact = connection.execute(
        sa.select(book_facts)
        .where(book_facts.c.first == first)
        .order_by(book_facts.c.block.desc(), book_facts.c.log_index.desc())
        .limit(1)
    ).first()
    if fact is None:
        return None
    landed = landed_next(connection, first)
    allocation = connection.execute(
        sa.select(allocations.c.next, allocations.c.stalled).where(allocations.c.book == first)
    ).first()
    return Book(
        first=first,
        issuer=fact.issuer,
        last=fact.last,
        currency=fact.currency,
        closed=fact.closed,
        next=allocation.next if allocation else landed,
        landed=landed,
        stalled=standstill(allocation.stalled) if allocation else None,
    )


def landed_next(connection: Connection, book: str) -> str:
    """The chain's next number of the book."""
    last = connection.execute(
        sa.select(batch_facts.c.last)
        .where(batch_facts.c.book == book)
        .order_by(batch_facts.c.first.desc())
        .limit(1)
    ).scalar()
    return book if last is None else f"{int(last) + 1:020d}"


def quota_of(connection: Connection, issuer: str, currency: str, now: float) -> Quota:
    """The issuer's quota of the running month; all zero when none was ever set.

    One statement, so that a batch that lands meanwhile counts as pending or as spent, never as neither.
    """
    amount = (
        sa.select(quota_facts.c.amount)
        .where(quota_facts.c.issuer == issuer, quota_facts.c.currency == currency)
        .order_by(quota_facts.c.block.desc(), quota_facts.c.log_index.desc())
        .limit(1)
    )
    latest = (
        sa.select(batch_facts.c.spent, batch_facts.c.period)
        .where(batch_facts.c.issuer == issuer, batch_facts.c.currency == currency)
        .order_by(batch_facts.c.block.desc(), batch_facts.c.log_index.desc())
        .limit(1)
        .subquery()
    )
    row = connection.execute(
        sa.select(
            amount.scalar_subquery().label("amount"),
            sa.select(latest.c.spent).scalar_subquery().label("spent"),
            sa.select(latest.c.period).scalar_subquery().label("period"),
            _pending(issuer, currency).label("pending"),
        )
    ).one()
    month = month_of(now)
    return Quota(
        currency=currency,
        amount=int(row.amount or 0),
        spent=int(row.spent) if row.period == month else 0,
        pending=int(row.pending or 0),
        month=f"{month // 12:04d}-{month % 12 + 1:02d}",
    )


def _pending(issuer: str, currency: str) -> sa.ScalarSelect[Any]:
    """What was promised in the issuer's books and has not landed: it will count when it does."""
    through = (
        sa.select(batches.c.through)
        .join(batch_facts, batch_facts.c.first == batches.c.first)
        .where(batches.c.book == allocations.c.book)
        .order_by(batches.c.first.desc())
        .limit(1)
        .correlate(allocations)
        .scalar_subquery()
    )
    return (
        sa.select(sa.func.sum(allocations.c.promised - sa.func.coalesce(through, 0)))
        .where(allocations.c.issuer == issuer, allocations.c.currency == currency)
        .scalar_subquery()
    )
