"""Roles by name: the bits of contracts/Participants.sol."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hutong.errors import FieldInvalid

PARTICIPANT_ROLES: Mapping[str, int] = {
    "issuer": 1 << 0,
    "reimburser": 1 << 1,
    "supplier": 1 << 2,
    "debtor": 1 << 3,
    "financier": 1 << 4,
    "guarantor": 1 << 5,
    "department": 1 << 6,
}
SIGNER_ROLES: Mapping[str, int] = {
    "admin": 1 << 0,
    "cashier": 1 << 1,
    "accountant": 1 << 2,
    "treasurer": 1 << 3,
    "steward": 1 << 4,
}


def parse_roles(text: str, table: Mapping[str, int], field: str = "roles") -> int:
    """Bits of names, separated by commas, bars or blanks. Raises FieldInvalid for an unknown name."""
    bits = 0
    for name in re.split(r"[\s,|]+", text.strip().lower()):
        if name not in table:
            raise FieldInvalid(f"{name!r} is none of {', '.join(table)}", field=field)
        bits |= table[name]
    return bits


def role_names(bits: int, table: Mapping[str, int]) -> str:
    """Names of the bits, in the table's order; "none" for no bit."""
    return ", ".join(name for name, bit in table.items() if bits & bit) or "none"
