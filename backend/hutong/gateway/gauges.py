"""How much is waiting, and for how long: counted where an index makes it cheap."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hutong.invoices.standing import landed_next
from hutong.invoices.store import allocations, batches, invoices, promises
from hutong.ledger.indexer import blocks, dead_letters
from hutong.ledger.outbox import accounts, outbox
from hutong.ledger.pulse import felt
from hutong.webhooks.store import webhook_deliveries


class Gauge(NamedTuple):
    """A number by labels."""

    name: str
    help: str
    labels: list[str]
    values: list[tuple[list[str], float]]


def gauges(connection: Connection, now: float) -> list[Gauge]:
    """All gauges as of `now`, seconds UTC."""
    accepted = waiting = late = stalled = 0
    for row in connection.execute(
        sa.select(allocations.c.book, allocations.c.next, allocations.c.stalled)
    ).all():
        landed = landed_next(connection, row.book)
        accepted += int(row.next) - int(row.book)
        stalled += row.stalled is not None
        if row.next > landed:
            waiting += int(row.next) - int(landed)
            late += _late(connection, landed, row.next, now)
    return [
        _plain("hutong_invoices_numbered", "Numbers given in books used here.", accepted),
        _plain("hutong_invoices_promised", "Invoices promised and not on chain yet.", waiting),
        _plain("hutong_promises_late", "Of those: promised for a time that has passed.", late),
        _plain("hutong_books_stalled", "Books that stand still.", stalled),
        Gauge(
            "hutong_batches",
            "Batches on their way, by state.",
            ["state"],
            [
                ([state], _count(connection, batches, batches.c.state == state))
                for state in ("cut", "sent")
            ],
        ),
        _plain(
            "hutong_outbox_queued",
            "Transactions not in a block yet.",
            _count(
                connection,
                outbox,
                outbox.c.account.in_(sa.select(accounts.c.account)),
                outbox.c.state == "queued",
            ),
        ),
        _plain(
            "hutong_webhooks_pending",
            "Deliveries of notices that are not settled.",
            _count(connection, webhook_deliveries, webhook_deliveries.c.state == "pending"),
        ),
        _plain("hutong_dead_letters", "Events not understood.", _count(connection, dead_letters)),
        _plain(
            "hutong_block_indexed",
            "The last block that facts rest on.",
            connection.execute(sa.select(sa.func.max(blocks.c.number))).scalar() or 0,
        ),
        Gauge(
            "hutong_pulse_age_seconds",
            "Time since a loop of the worker gave a sign of life.",
            ["loop"],
            [([pulse.name], max(0.0, now - pulse.at)) for pulse in felt(connection)],
        ),
    ]


def _plain(name: str, text: str, value: float) -> Gauge:
    return Gauge(name, text, [], [([], value)])


def _late(connection: Connection, landed: str, following: str, now: float) -> int:
    found = connection.execute(
        sa.select(sa.func.count())
        .select_from(invoices.join(promises, promises.c.id == invoices.c.promise))
        .where(invoices.c.number >= landed, invoices.c.number < following, promises.c.before <= now)
    ).scalar_one()
    return int(found)


def _count(connection: Connection, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(table).where(*conditions)
    return int(connection.execute(query).scalar_one())
