"""API keys as rows: what a key may do, and the SHA-256 of it; the key itself is stored nowhere."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hutong.database import Uscc, metadata

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("participant", Uscc, nullable=False, index=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("roles", sa.Text, nullable=False),  # names with spaces between
    sa.Column("prefix", sa.String(16), nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("salt", sa.String(64), nullable=False),
    sa.Column("request", sa.LargeBinary(16), nullable=False, unique=True),
    sa.Column("content", sa.LargeBinary(32), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("used_at", sa.BigInteger),
    sa.Column("revoked_at", sa.BigInteger),
)


class ApiKey(NamedTuple):
    """A key without its secret. `prefix` is what people recognise it by; times in seconds, UTC."""

    id: str
    participant: str
    label: str
    roles: frozenset[str]
    prefix: str
    digest: bytes
    created_at: int
    used_at: int | None
    revoked_at: int | None


def _key(row: sa.Row[tuple[object, ...]]) -> ApiKey:
    return ApiKey(
        row.id,
        row.participant,
        row.label,
        frozenset(row.roles.split()),
        row.prefix,
        bytes(row.digest),
        row.created_at,
        row.used_at,
        row.revoked_at,
    )


def key_by_digest(connection: Connection, digest: bytes) -> ApiKey | None:
    """The key whose SHA-256 this is, revoked or not."""
    row = connection.execute(sa.select(api_keys).where(api_keys.c.digest == digest)).first()
    return _key(row) if row else None


def keys_of(connection: Connection, participant: str) -> list[ApiKey]:
    """The participant's keys, newest first, revoked ones included."""
    rows = connection.execute(
        sa.select(api_keys)
        .where(api_keys.c.participant == participant)
        .order_by(api_keys.c.created_at.desc(), api_keys.c.id)
    )
    return [_key(row) for row in rows]


def revoke_key(connection: Connection, participant: str, identity: str, now: int) -> bytes | None:
    """Ends a key; returns its digest, None when the participant has no such key."""
    mine = (api_keys.c.id == identity, api_keys.c.participant == participant)
    digest = connection.execute(sa.select(api_keys.c.digest).where(*mine)).scalar()
    if digest is None:
        return None
    connection.execute(
        sa.update(api_keys).where(*mine, api_keys.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    return bytes(digest)


def note_use(connection: Connection, used: dict[str, int]) -> None:
    """Writes when keys were last used, by id."""
    for identity, time in used.items():
        connection.execute(
            sa.update(api_keys).where(api_keys.c.id == identity).values(used_at=time)
        )
