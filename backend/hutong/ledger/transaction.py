"""Transactions of the EIP-1559 kind, signed."""

from __future__ import annotations

from typing import NamedTuple

from coincurve import PrivateKey

from hutong.ledger.client import Fees
from hutong.merkle import keccak

TYPE = b"\x02"
_EMPTY_LIST = b"\xc0"


class Signed(NamedTuple):
    """A signed transaction: its octets, and its hash as 0x-hex."""

    raw: bytes
    hash: str


def sign_transaction(
    key: PrivateKey,
    *,
    chain_id: int,
    nonce: int,
    fees: Fees,
    gas: int,
    to: str | None,
    data: bytes = b"",
    value: int = 0,
) -> Signed:
    """Signs a transaction; `to` None creates a contract, `value` in wei. See EIP-1559, EIP-2718."""
    items = [
        _integer(chain_id),
        _integer(nonce),
        _integer(fees.priority_fee),
        _integer(fees.max_fee),
        _integer(gas),
        _string(b"" if to is None else bytes.fromhex(to[2:])),
        _integer(value),
        _string(data),
        _EMPTY_LIST,  # no access list
    ]
    body = b"".join(items)
    digest = keccak(TYPE + _header(0xC0, len(body)) + body)
    signature = key.sign_recoverable(digest, hasher=None)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    body += _integer(signature[64]) + _integer(r) + _integer(s)
    raw = TYPE + _header(0xC0, len(body)) + body
    return Signed(raw, "0x" + keccak(raw).hex())


def create_address(sender: str, nonce: int) -> str:
    """Address, in lower case, of the contract that `sender` creates with this nonce."""
    body = _string(bytes.fromhex(sender[2:])) + _integer(nonce)
    return "0x" + keccak(_header(0xC0, len(body)) + body)[12:].hex()


def _integer(value: int) -> bytes:
    return _string(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _string(octets: bytes) -> bytes:
    if len(octets) == 1 and octets[0] < 0x80:
        return octets
    return _header(0x80, len(octets)) + octets


def _header(kind: int, size: int) -> bytes:
    """RLP header of a string (0x80) or list (0xC0)."""
    if size < 56:
        return bytes((kind + size,))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((kind + 55 + len(length),)) + length
