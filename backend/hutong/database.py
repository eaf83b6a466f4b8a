"""The database: one shared table catalogue, an engine for SQLite or PostgreSQL, and two kinds of transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, CursorResult, Engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hutong.errors import Busy, SchemaMismatch

metadata = sa.MetaData()

#: Raise when a table changes its shape; a database of another version is refused, never guessed at.
SCHEMA_VERSION = 1

_schema = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))

#: Twenty-digit numbers as text of fixed width: sorts like the number, on every database.
Number = sa.String(20).with_variant(sa.String(20, collation="C"), "postgresql")
Uscc = sa.String(18)
#: A 64-bit key that SQLite fills by itself, too.
Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class Octets(sa.LargeBinary):
    """Octets, handed to the driver as they are: both take and give `bytes`, and there are many of them."""

    def bind_processor(self, dialect: object) -> None:  # noqa: ARG002
        return None

    def result_processor(self, dialect: object, coltype: object) -> None:  # noqa: ARG002
        return None


_BUSY_MS = 10_000


def open_database(url: str) -> Engine:
    """Opens the database at a SQLAlchemy URL and creates the tables that are missing.

    Raises SchemaMismatch when it was made by another version of the tables.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(parsed, connect_args={"check_same_thread": False})
        event.listen(engine, "connect", _tune_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = sa.create_engine(parsed, pool_size=8, max_overflow=56, pool_pre_ping=True)
    with write(engine) as connection:
        if engine.dialect.name == "postgresql":  # two processes may start at once
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4848)")
        metadata.create_all(connection)
        version = connection.execute(sa.select(_schema.c.version)).scalar()
        if version is None:
            connection.execute(_schema.insert().values(version=SCHEMA_VERSION))
        elif version != SCHEMA_VERSION:
            raise SchemaMismatch(
                f"the database has table version {version}, this program needs {SCHEMA_VERSION}"
            )
    return engine


@contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write. On SQLite it takes the write lock at once, so it never fails half-way for a lock.

    Raises Busy when the database stays locked or away.
    """
    with _transaction(engine, {"immediate": True}) as connection:
        yield connection


@contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads, on one snapshot. Raises Busy when the database is away."""
    options = (
        {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        if engine.dialect.name == "postgresql"  # its default shows each statement another state
        else {}
    )
    with _transaction(engine, options) as connection:
        yield connection


@contextmanager
def _transaction(engine: Engine, options: dict[str, Any]) -> Iterator[Connection]:
    try:
        with (
            engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            yield connection
    except DBAPIError as error:
        if not (isinstance(error, OperationalError) or error.connection_invalidated):
            raise
        raise Busy(f"the database is busy or away: {_reason(error)}") from error
    except PoolTimeout as error:
        raise Busy("all connections to the database are in use") from error


def insert_rows(connection: Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Inserts many rows of the same columns whose values the driver takes as they are.

    SQLAlchemy's own way of many rows costs as much again as the insertion itself.
    """
    text, order = _insertion(connection.dialect, table, tuple(rows[0]))
    if order is None:
        connection.exec_driver_sql(text, rows)
    else:
        connection.exec_driver_sql(text, [tuple(map(row.__getitem__, order)) for row in rows])


@lru_cache
def _insertion(
    dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...]
) -> tuple[str, tuple[str, ...] | None]:
    """An INSERT's text, and the order of its parameters where they have no names."""
    compiled: Any = table.insert().compile(dialect=dialect, column_keys=columns)
    return str(compiled), tuple(compiled.positiontup) if compiled.positional else None


def inserted_id(result: CursorResult[Any]) -> int:
    """The key that the database gave to the one row inserted."""
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def _reason(error: DBAPIError) -> str:
    return str(error.orig).splitlines()[0] if error.orig else type(error).__name__


def _tune_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say, see _begin_sqlite
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # a promise survives a power cut, not only a kill
        f"busy_timeout={_BUSY_MS}",
        "foreign_keys=ON",
        "cache_size=-131072",
        "wal_autocheckpoint=4000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
