"""API keys: made, shown once, recognised by their SHA-256, revoked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from hutong import uscc
from hutong.database import read, write
from hutong.errors import (
    ApiKeyUnknown,
    Busy,
    FieldInvalid,
    IdempotencyKeyReused,
    KeyUnknown,
    TooMany,
)
from hutong.participants.keys import ApiKey, api_keys, key_by_digest, keys_of, note_use, revoke_key
from hutong.participants.store import participant
from hutong.web.caller import Caller
from hutong.web.operation import ROLES
from hutong.web.settled import derive, request_id

PREFIX = "hk_"
#: A revoked key stops working in other processes after at most this many seconds, in its own at once.
CACHE_SECONDS = 2.0
MOST = 100
_USE_SECONDS = 60.0


class NewKey(NamedTuple):
    """A key and its secret, which is shown this once."""

    key: ApiKey
    secret: str


class KeyService:
    """Keys of all participants. `secret` is the server's; keys are derived with it, so that a repeat answers alike."""

    def __init__(self, engine: Engine, secret: bytes) -> None:
        self._engine, self._secret = engine, secret
        self._known: dict[bytes, tuple[float, Caller]] = {}
        self._used: dict[str, int] = {}
        self._noting = threading.Lock()
        self._noted_at = time.monotonic()

    def create(
        self,
        owner: str,
        roles: Iterable[str],
        label: str = "",
        *,
        key: str | None = None,
        content: bytes = b"",
    ) -> NewKey:
        """A new key of a participant. `key` and `content` are those of an idempotent request.

        Raises UsccInvalid, FieldInvalid (roles), TooMany, IdempotencyKeyReused.
        """
        if not uscc.is_well_formed(owner):
            uscc.check(owner, "participant")
        wanted = frozenset(roles)
        if not wanted or not wanted <= set(ROLES):
            raise FieldInvalid(f"roles are some of {', '.join(ROLES)}", field="roles")
        idempotency_key = key or secrets.token_hex(16)
        request = request_id(owner, "api key", idempotency_key)
        digest = hashlib.sha256(content).digest()
        with write(self._engine) as connection:
            salt = self._earlier(connection, request, digest)
            fresh = salt is None
            salt = salt or secrets.token_hex(32)
            token = PREFIX + _text(derive(self._secret, "api key", salt, idempotency_key))
            if fresh:
                self._insert(connection, owner, wanted, label, salt, token, request, digest)
            made = key_by_digest(connection, _digest(token))
        if made is None:
            raise IdempotencyKeyReused("this key was made under another server secret", field="key")
        return NewKey(made, token)

    def of(self, owner: str) -> list[ApiKey]:
        """The participant's keys, newest first."""
        with read(self._engine) as connection:
            return keys_of(connection, owner)

    def revoke(self, owner: str, identity: str) -> None:
        """Ends a key, for good. Raises ApiKeyUnknown. Once more is no error."""
        with write(self._engine) as connection:
            digest = revoke_key(connection, owner, identity, int(time.time()))
        if digest is None:
            raise ApiKeyUnknown("you have no such API key", field="id")
        self._known.pop(digest, None)

    def recognise(self, token: str) -> Caller:
        """Who shows this key. Raises KeyUnknown. Answers from memory for CACHE_SECONDS."""
        digest = _digest(token)
        now = time.monotonic()
        known = self._known.get(digest)
        if known is None or known[0] < now:
            known = (now + CACHE_SECONDS, self._look_up(digest))
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[digest] = known
        self._used[known[1].key] = int(time.time())
        if now - self._noted_at > _USE_SECONDS:
            self._noted_at = now
            threading.Thread(target=self.note_uses, name="key-uses", daemon=True).start()
        return known[1]

    def note_uses(self) -> None:
        """Writes when keys were last used: at most once a minute, beside the requests."""
        with self._noting:
            used, self._used = self._used, {}
            try:
                with write(self._engine) as connection:
                    note_use(connection, used)
            except Busy:
                self._used = used | self._used

    def _look_up(self, digest: bytes) -> Caller:
        with read(self._engine) as connection:
            found = key_by_digest(connection, digest)
            if (
                found is None
                or found.revoked_at is not None
                or not hmac.compare_digest(found.digest, digest)
            ):
                raise KeyUnknown("there is no such API key, or it was revoked")
            who = participant(connection, found.participant)
        suspended = who is not None and who.suspended
        return Caller(found.id, found.participant, found.roles, suspended)

    @staticmethod
    def _earlier(connection: Connection, request: bytes, content: bytes) -> str | None:
        """The salt of the key that an earlier request with the same idempotency key made."""
        row = connection.execute(
            sa.select(api_keys.c.salt, api_keys.c.content).where(api_keys.c.request == request)
        ).first()
        if row is not None and bytes(row.content) != content:
            raise IdempotencyKeyReused(
                "this Idempotency-Key was used with other content", field="Idempotency-Key"
            )
        return row.salt if row else None

    @staticmethod
    def _insert(
        connection: Connection,
        owner: str,
        roles: frozenset[str],
        label: str,
        salt: str,
        token: str,
        request: bytes,
        content: bytes,
    ) -> None:
        alive = sum(key.revoked_at is None for key in keys_of(connection, owner))
        if alive >= MOST:
            raise TooMany(f"a participant has at most {MOST} API keys; revoke one first", most=MOST)
        connection.execute(
            api_keys.insert().values(
                id="key_" + secrets.token_hex(8),
                participant=owner,
                label=label,
                roles=" ".join(sorted(roles)),
                prefix=token[: len(PREFIX) + 6],
                digest=_digest(token),
                salt=salt,
                request=request,
                content=content,
                created_at=int(time.time()),
            )
        )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
