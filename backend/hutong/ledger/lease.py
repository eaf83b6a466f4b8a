"""A lease: of many workers started, one works; a fencing token makes a late one's writes fail."""

from __future__ import annotations

import secrets
import time

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from hutong.database import metadata, write
from hutong.errors import LeaseLost

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("holder", sa.String(32), nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False),
    sa.Column("until", sa.Float, nullable=False),
)


class Lease:
    """The right to do a named work for `seconds`, renewed by doing it."""

    def __init__(self, engine: Engine, name: str, *, seconds: float = 15.0) -> None:
        self.name = name
        self.seconds = seconds
        self._engine = engine
        self._holder = secrets.token_hex(8)
        self._token: int | None = None

    @property
    def held(self) -> bool:
        """Whether this process was the holder when it last looked."""
        return self._token is not None

    def take(self) -> bool:
        """Takes or renews the lease; False while another worker holds it."""
        now = time.time()
        try:
            with write(self._engine) as connection:
                token = self._take(connection, now)
        except IntegrityError:  # another worker made the row at the same moment
            token = None
        self._token = token
        return token is not None

    def _take(self, connection: Connection, now: float) -> int | None:
        row = connection.execute(
            sa.select(leases).where(leases.c.name == self.name).with_for_update()
        ).first()
        values = {"holder": self._holder, "until": now + self.seconds}
        if row is None:
            connection.execute(leases.insert().values(name=self.name, token=1, **values))
            return 1
        if row.holder != self._holder and row.until > now:
            return None
        token: int = row.token if row.holder == self._holder else row.token + 1
        connection.execute(
            sa.update(leases).where(leases.c.name == self.name).values(token=token, **values)
        )
        return token

    def fence(self, connection: Connection) -> None:
        """First statement of every write done under the lease. Raises LeaseLost when another worker took over."""
        held = connection.execute(
            sa.update(leases)
            .where(
                leases.c.name == self.name,
                leases.c.holder == self._holder,
                leases.c.token == self._token,
            )
            .values(until=time.time() + self.seconds)
        )
        if held.rowcount != 1:
            self._token = None
            raise LeaseLost(f"another worker holds the lease {self.name}")

    def release(self) -> None:
        """Gives the lease up, so that the next worker need not wait."""
        if self._token is None:
            return
        with write(self._engine) as connection:
            connection.execute(
                sa.update(leases)
                .where(leases.c.name == self.name, leases.c.holder == self._holder)
                .values(until=0)
            )
        self._token = None
