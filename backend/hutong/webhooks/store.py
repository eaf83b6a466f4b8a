"""Webhooks, events and deliveries as rows. A batch of any size makes one event, and a delivery a webhook."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hutong.database import Serial, Uscc, metadata

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("participant", Uscc, nullable=False, index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("events", sa.Text, nullable=False),  # names with spaces between
    sa.Column("request", sa.LargeBinary(16), nullable=False, unique=True),
    sa.Column("content", sa.LargeBinary(32), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("ended_why", sa.Text),
)

webhook_events = sa.Table(
    "webhook_events",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("type", sa.String(32), nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False, index=True),
)

#: `place`: how many notices of the event are delivered; more than one only for invoice.onchain.
webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),
    sa.Column("webhook", sa.String(32), nullable=False),
    sa.Column("event", sa.String(40), nullable=False, index=True),
    sa.Column("type", sa.String(32), nullable=False),
    sa.Column("state", sa.String(8), nullable=False),  # pending, done, dead
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", sa.Float, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("why", sa.Text),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Index("webhook_deliveries_due", "state", "webhook", "next_at"),
    sa.Index("webhook_deliveries_webhook", "webhook", "id"),
)


class Webhook(NamedTuple):
    """An address that is told of events. Times in seconds, UTC; `ended_why` when it was not its owner who ended it."""

    id: str
    participant: str
    url: str
    events: list[str]
    created_at: int
    ended_at: int | None
    ended_why: str | None


class Delivery(NamedTuple):
    """One event on its way to one webhook. `status` is the last HTTP status, `why` what went wrong last."""

    id: int
    webhook: str
    event: str
    type: str
    state: str
    place: int
    attempts: int
    next_at: float
    status: int | None
    why: str | None
    created_at: int


def _webhook(row: sa.Row[Any]) -> Webhook:
    return Webhook(
        row.id,
        row.participant,
        row.url,
        row.events.split(),
        row.created_at,
        row.ended_at,
        row.ended_why,
    )


def webhook(connection: Connection, identity: str) -> Webhook | None:
    """A webhook, ended or not."""
    row = connection.execute(sa.select(webhooks).where(webhooks.c.id == identity)).first()
    return _webhook(row) if row else None


def webhooks_of(connection: Connection, participant: str) -> list[Webhook]:
    """The participant's webhooks but for those that it has ended itself, newest first."""
    rows = connection.execute(
        sa.select(webhooks)
        .where(
            webhooks.c.participant == participant,
            sa.or_(webhooks.c.ended_at.is_(None), webhooks.c.ended_why.is_not(None)),
        )
        .order_by(webhooks.c.created_at.desc(), webhooks.c.id)
    )
    return [_webhook(row) for row in rows]


def end_webhook(connection: Connection, identity: str, now: int, why: str | None) -> None:
    """Tells the webhook nothing any more; what is under way to it is dropped."""
    connection.execute(
        sa.update(webhooks).where(webhooks.c.id == identity).values(ended_at=now, ended_why=why)
    )
    connection.execute(
        sa.update(webhook_deliveries)
        .where(webhook_deliveries.c.webhook == identity, webhook_deliveries.c.state == "pending")
        .values(state="dead", why=why or "the webhook was deleted")
    )


def enqueue(
    connection: Connection, event_type: str, participant: str, payload: Mapping[str, Any]
) -> str | None:
    """Notes an event for the participant's webhooks that ask for it, inside the caller's transaction.

    `payload` is JSON-able. A batch.onchain (with first, count, block, time, transaction) is an invoice.onchain for each
    of its invoices, too: those are made when they are delivered. Returns the event's id, None when nobody asks for it.
    """
    rows = connection.execute(
        sa.select(webhooks.c.id, webhooks.c.events).where(
            webhooks.c.participant == participant, webhooks.c.ended_at.is_(None)
        )
    ).all()
    types = [event_type, "invoice.onchain"] if event_type == "batch.onchain" else [event_type]
    wanted = [(row.id, kind) for row in rows for kind in types if kind in row.events.split()]
    if not wanted:
        return None
    event = "evt_" + secrets.token_hex(12)
    insert_event(connection, event, event_type, payload, wanted)
    return event


def insert_event(
    connection: Connection,
    event: str,
    event_type: str,
    payload: Mapping[str, Any],
    wanted: list[tuple[str, str]],
) -> None:
    """Stores an event and a delivery for each (webhook, type to be told) of `wanted`."""
    now = time.time()
    connection.execute(
        webhook_events.insert().values(
            id=event, type=event_type, data=dict(payload), created_at=int(now)
        )
    )
    connection.execute(
        webhook_deliveries.insert(),
        [
            {
                "webhook": identity,
                "event": event,
                "type": kind,
                "state": "pending",
                "place": 0,
                "attempts": 0,
                "next_at": now,
                "created_at": int(now),
            }
            for identity, kind in wanted
        ],
    )


def deliveries_of(
    connection: Connection, identity: str, *, below: int | None, limit: int
) -> list[Delivery]:
    """The webhook's deliveries, newest first."""
    query = sa.select(*_DELIVERY).where(webhook_deliveries.c.webhook == identity)
    if below is not None:
        query = query.where(webhook_deliveries.c.id < below)
    rows = connection.execute(query.order_by(webhook_deliveries.c.id.desc()).limit(limit))
    return [Delivery(*row) for row in rows]


def delivery(connection: Connection, identity: str, number: int) -> Delivery | None:
    """One delivery of a webhook."""
    row = connection.execute(
        sa.select(*_DELIVERY).where(
            webhook_deliveries.c.id == number, webhook_deliveries.c.webhook == identity
        )
    ).first()
    return Delivery(*row) if row else None


_DELIVERY = tuple(webhook_deliveries.c[name] for name in Delivery._fields)
