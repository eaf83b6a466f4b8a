"""Signatures after Standard Webhooks 1.0 (standardwebhooks.com): what we receive and what we send.

Signed is `<id>.<timestamp>.<body>` with HMAC-SHA-256; the header holds one or more `v1,<base64>` with spaces between.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import NamedTuple

from hutong.errors import FieldInvalid, FieldMissing, SignatureInvalid, SignatureStale

#: How far a sender's clock may be off, in seconds.
TOLERANCE = 300
PREFIX = "whsec_"
#: More signatures than this in one header is no rotation of secrets any more.
_MOST = 10
_ID = re.compile(r"[!-~]{1,128}", re.ASCII)
_TIME = re.compile(r"[0-9]{1,12}", re.ASCII)


class Signed(NamedTuple):
    """The headers of a signed message; `time` in seconds, UTC."""

    id: str
    time: int
    signatures: list[str]


def show_secret(secret: bytes) -> str:
    """A secret as people see it: whsec_ and base64."""
    return PREFIX + base64.b64encode(secret).decode()


def sign(secret: bytes, identity: str, time: int, body: bytes) -> str:
    """The webhook-signature header of a message."""
    return "v1," + base64.b64encode(_digest(secret, identity, str(time), body)).decode()


def signed_headers(header: Callable[[str], str | None]) -> Signed:
    """webhook-id, webhook-timestamp, webhook-signature, as `header` gives them. Raises FieldMissing, FieldInvalid."""
    values = []
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        value = header(name)
        if not value:
            raise FieldMissing("a signed notification carries this header", field=name)
        values.append(value)
    if not _ID.fullmatch(values[0]):
        raise FieldInvalid(
            "an id has 1 to 128 printable ASCII characters, no spaces", field="webhook-id"
        )
    if not _TIME.fullmatch(values[1]):
        raise FieldInvalid("a timestamp counts seconds since 1970", field="webhook-timestamp")
    return Signed(values[0], int(values[1]), values[2].split(" ")[:_MOST])


def verify(secret: bytes, signed: Signed, body: bytes, now: float) -> None:
    """Raises SignatureInvalid unless one signature fits, SignatureStale when the time is too far from `now`."""
    expected = _digest(secret, signed.id, str(signed.time), body)
    held = False
    for entry in signed.signatures:
        version, _, text = entry.partition(",")
        if version == "v1":
            held |= hmac.compare_digest(_decoded(text), expected)
    if not held:
        raise SignatureInvalid("no signature fits this id, timestamp and body under the secret")
    if abs(now - signed.time) > TOLERANCE:
        raise SignatureStale(
            f"the timestamp is more than {TOLERANCE} s away from our clock",
            field="webhook-timestamp",
            timestamp=signed.time,
            now=int(now),
        )


def _digest(secret: bytes, identity: str, time: str, body: bytes) -> bytes:
    return hmac.digest(secret, f"{identity}.{time}.".encode() + body, hashlib.sha256)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
