"""Charging points as rows. Their secrets are derived, not stored."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hutong.database import Uscc, metadata
from hutong.payments.model import Profile

charging_points = sa.Table(
    "charging_points",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("participant", Uscc, nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("profile", sa.JSON, nullable=False),
    sa.Column("request", sa.LargeBinary(16), nullable=False, unique=True),
    sa.Column("content", sa.LargeBinary(32), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("closed_at", sa.BigInteger),
)


class ChargingPoint(NamedTuple):
    """A place that reports payments of a participant. Times in seconds, UTC."""

    id: str
    participant: str
    name: str
    profile: Profile
    created_at: int
    closed_at: int | None


def _point(row: sa.Row[Any]) -> ChargingPoint:
    return ChargingPoint(
        row.id, row.participant, row.name, Profile(**row.profile), row.created_at, row.closed_at
    )


def point(connection: Connection, identity: str) -> ChargingPoint | None:
    """A charging point, closed or not."""
    row = connection.execute(
        sa.select(charging_points).where(charging_points.c.id == identity)
    ).first()
    return _point(row) if row else None


def points_of(connection: Connection, participant: str) -> list[ChargingPoint]:
    """The participant's charging points that are not closed, newest first."""
    rows = connection.execute(
        sa.select(charging_points)
        .where(charging_points.c.participant == participant, charging_points.c.closed_at.is_(None))
        .order_by(charging_points.c.created_at.desc(), charging_points.c.id)
    )
    return [_point(row) for row in rows]


def settled(connection: Connection, request: bytes) -> tuple[str, bytes] | None:
    """Id and content of the point that an earlier request with this id made."""
    row = connection.execute(
        sa.select(charging_points.c.id, charging_points.c.content).where(
            charging_points.c.request == request
        )
    ).first()
    return (row.id, bytes(row.content)) if row else None


def insert_point(
    connection: Connection, made: ChargingPoint, request: bytes, content: bytes
) -> None:
    """Stores a new charging point."""
    connection.execute(
        charging_points.insert().values(
            **made._asdict() | {"profile": made.profile.to_json()}, request=request, content=content
        )
    )


def close_point(connection: Connection, participant: str, identity: str, now: int) -> bool:
    """Closes a point for good; False when the participant has no such point."""
    mine = (charging_points.c.id == identity, charging_points.c.participant == participant)
    if connection.execute(sa.select(charging_points.c.id).where(*mine)).first() is None:
        return False
    connection.execute(
        sa.update(charging_points)
        .where(*mine, charging_points.c.closed_at.is_(None))
        .values(closed_at=now)
    )
    return True
