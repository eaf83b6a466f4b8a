"""What is due: deliveries are claimed, and put back or settled; a claim that is not settled runs out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hutong.webhooks.store import (
    Delivery,
    Webhook,
    webhook,
    webhook_deliveries,
    webhook_events,
)

#: A claim that was not settled after so many seconds, because the worker ended, is due again.
CLAIM_SECONDS = 180.0
_KEEP_SECONDS = 30 * 86_400


class Due(NamedTuple):
    """A claimed delivery with all that is needed to carry it out."""

    delivery: Delivery
    webhook: Webhook
    created_at: int
    data: dict[str, Any]


def claim_due(
    connection: Connection, now: float, busy: Mapping[str, int], *, most: int, each: int
) -> list[Due]:
    """Claims at most `most` deliveries that are due, and for a webhook only up to `each` with those in `busy`."""
    columns = webhook_deliveries.c
    waiting = connection.execute(
        sa.select(columns.webhook)
        .where(columns.state == "pending", columns.next_at <= now)
        .group_by(columns.webhook)
        .order_by(sa.func.min(columns.next_at))
        .limit(most + len(busy))
    ).scalars()
    claimed: list[Due] = []
    for identity in waiting.all():
        room = min(each - busy.get(identity, 0), most - len(claimed))
        if room > 0:
            claimed += _claim_of(connection, identity, now, room)
    return claimed


def any_due(connection: Connection, now: float) -> bool:
    """Whether anything is due."""
    columns = webhook_deliveries.c
    return (
        connection.execute(
            sa.select(columns.id).where(columns.state == "pending", columns.next_at <= now).limit(1)
        ).first()
        is not None
    )


def _claim_of(connection: Connection, identity: str, now: float, room: int) -> list[Due]:
    columns = webhook_deliveries.c
    rows = connection.execute(
        sa.select(*(columns[name] for name in Delivery._fields))
        .where(columns.webhook == identity, columns.state == "pending", columns.next_at <= now)
        .order_by(columns.next_at, columns.id)
        .limit(room)
        .with_for_update(skip_locked=True)
    ).all()
    target = webhook(connection, identity)
    claimed: list[Due] = []
    for row in rows:
        found = Delivery(*row)
        event = connection.execute(
            sa.select(webhook_events.c.data, webhook_events.c.created_at).where(
                webhook_events.c.id == found.event
            )
        ).first()
        if target is None or event is None:
            settle(connection, found.id, state="dead", why="the webhook or event is gone")
            continue
        connection.execute(
            sa.update(webhook_deliveries)
            .where(columns.id == found.id)
            .values(next_at=now + CLAIM_SECONDS)
        )
        claimed.append(Due(found, target, event.created_at, event.data))
    return claimed


def settle(connection: Connection, number: int, **values: object) -> None:
    """Writes how an attempt went."""
    connection.execute(
        sa.update(webhook_deliveries).where(webhook_deliveries.c.id == number).values(**values)
    )


def forget(connection: Connection, now: float) -> None:
    """Drops deliveries that were settled a month ago, and events that nothing is to be told of any more."""
    old = now - _KEEP_SECONDS
    columns = webhook_deliveries.c
    connection.execute(
        sa.delete(webhook_deliveries).where(columns.state != "pending", columns.created_at < old)
    )
    connection.execute(
        sa.delete(webhook_events).where(
            webhook_events.c.created_at < old,
            ~sa.exists().where(columns.event == webhook_events.c.id),
        )
    )
