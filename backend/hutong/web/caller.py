"""Who is asking: the API key behind the request."""

from __future__ import annotations

from typing import NamedTuple

from flask import g

from hutong.errors import KeyUnknown


class Caller(NamedTuple):
    """An API key that was shown: its id, its participant, its roles."""

    key: str
    participant: str
    roles: frozenset[str]
    suspended: bool


def caller() -> Caller:
    """The caller of this request. Raises KeyUnknown where the operation asked for none."""
    found = g.get("caller")
    if not isinstance(found, Caller):
        raise KeyUnknown("this needs an API key: Authorization: Bearer hk_...")
    return found
