"""Settled requests: the idempotency of things that are created one by one."""

from __future__ import annotations

import hashlib
import hmac


def request_id(participant: str, noun: str, key: str) -> bytes:
    """16 bytes that stand for an idempotency key of a participant, for one noun."""
    return hashlib.sha256(f"{noun}\n{participant}\n{key}".encode()).digest()[:16]


def derive(secret: bytes, purpose: str, *parts: str) -> bytes:
    """32 secret bytes for a purpose: made again whenever needed, so that no table holds them."""
    return hmac.digest(secret, "\n".join((purpose, *parts)).encode(), "sha256")
