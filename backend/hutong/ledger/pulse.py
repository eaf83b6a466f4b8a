"""Signs of life: what the worker last saw, so that others need not ask the node themselves."""

from __future__ import annotations

import time
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from hutong.database import metadata, write

pulses = sa.Table(
    "pulses",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("well", sa.Boolean, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)


class Pulse(NamedTuple):
    """`at` in seconds UTC; `well` False with the reason in `detail`."""

    name: str
    at: float
    well: bool
    detail: str


def beat(engine: Engine, name: str, *, well: bool, detail: str = "") -> None:
    """Notes that the named work goes on, or what keeps it."""
    values = {"at": time.time(), "well": well, "detail": detail[:500]}
    with write(engine) as connection:
        done = connection.execute(sa.update(pulses).where(pulses.c.name == name).values(**values))
        if done.rowcount == 0:
            connection.execute(pulses.insert().values(name=name, **values))


def felt(connection: Connection) -> list[Pulse]:
    """The last sign of each work."""
    return [Pulse(*row) for row in connection.execute(sa.select(pulses).order_by(pulses.c.name))]
