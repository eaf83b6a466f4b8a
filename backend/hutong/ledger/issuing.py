"""Calldata of `issue` and `issueMany`: three thousand leaves joined, not encoded one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hutong.ledger.coding import checksum
from hutong.merkle import keccak

_CONSENT = "(address,uint256,uint48,bytes)"
_ISSUE = f"(uint96,uint96,uint64,bytes32[],{_CONSENT})"
ISSUE_SELECTOR = keccak(f"issue({_ISSUE})".encode())[:4]
ISSUE_MANY_SELECTOR = keccak(f"issueMany({_ISSUE}[])".encode())[:4]
_ONE = (32).to_bytes(32, "big")


class IssueCall(NamedTuple):
    """A batch with its consent, see contracts/interfaces/IInvoices.sol; the consent's nonce is 0.

    `leaves` are 32 bytes each, `deadline` is in seconds, UTC, `bound` in minor units.
    """

    book: int
    first: int
    bound: int
    leaves: Sequence[bytes]
    signer: str
    deadline: int
    signature: bytes


def encode_issue(batch: IssueCall) -> bytes:
    """Calldata of `issue`. Raises ValueError for a leaf not of 32 bytes, or a value too large."""
    return b"".join((ISSUE_SELECTOR, _ONE, _encode(batch)))


def encode_issue_many(batches: Sequence[IssueCall]) -> bytes:
    """Calldata of `issueMany`. Raises as encode_issue."""
    bodies = [_encode(batch) for batch in batches]
    heads, offset = [], 32 * len(bodies)
    for body in bodies:
        heads.append(_word(offset))
        offset += len(body)
    return b"".join((ISSUE_MANY_SELECTOR, _ONE, _word(len(bodies)), *heads, *bodies))


def decode_issue(data: bytes) -> list[IssueCall]:
    """The batches in calldata of `issue` or `issueMany`.

    Follows offsets as the contract does, so it reads whatever the contract took. Raises ValueError
    for calldata of anything else or cut short.
    """
    selector, reader = data[:4], _Reader(memoryview(data)[4:])
    if selector == ISSUE_SELECTOR:
        return [_decode(reader, reader.number(0))]
    if selector != ISSUE_MANY_SELECTOR:
        raise ValueError("not calldata of issue or issueMany")
    start = reader.number(0)
    heads = start + 32
    count = reader.length(start, 32)
    return [_decode(reader, heads + reader.number(heads + 32 * i)) for i in range(count)]


def _encode(batch: IssueCall) -> bytes:
    leaves = b"".join(batch.leaves)
    count = len(batch.leaves)
    if len(leaves) != 32 * count or set(map(len, batch.leaves)) - {32}:
        raise ValueError("a leaf has 32 bytes")
    signature = batch.signature
    return b"".join(
        (
            _word(batch.book, 96),
            _word(batch.first, 96),
            _word(batch.bound, 64),
            _word(5 * 32),  # where the leaves begin
            _word((6 + count) * 32),  # where the consent begins
            _word(count),
            leaves,
            _word(int(batch.signer, 16), 160),
            _word(0),
            _word(batch.deadline, 48),
            _word(4 * 32),  # where the signature begins
            _word(len(signature)),
            signature,
            bytes(-len(signature) % 32),
        )
    )


def _word(value: int, bits: int = 256) -> bytes:
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{value} does not fit into uint{bits}")
    return value.to_bytes(32, "big")


def _decode(reader: _Reader, at: int) -> IssueCall:
    leaves_at = at + reader.number(at + 96)
    leaves = reader.slice(leaves_at + 32, 32 * reader.length(leaves_at, 32))
    consent = at + reader.number(at + 128)
    signature_at = consent + reader.number(consent + 96)
    return IssueCall(
        book=reader.number(at),
        first=reader.number(at + 32),
        bound=reader.number(at + 64),
        leaves=[leaves[i : i + 32] for i in range(0, len(leaves), 32)],
        signer=checksum("0x" + reader.slice(consent + 12, 20).hex()),
        deadline=reader.number(consent + 64),
        signature=reader.slice(signature_at + 32, reader.length(signature_at, 1)),
    )


class _Reader:
    """Words of calldata after its selector; never reads beyond the end."""

    def __init__(self, data: memoryview) -> None:
        self._data = data

    def slice(self, at: int, size: int) -> bytes:
        at %= 1 << 256  # offsets are words: one may point backwards, and the contract follows it
        if at + size > len(self._data):
            raise ValueError("the calldata is cut short")
        return bytes(self._data[at : at + size])

    def number(self, at: int) -> int:
        return int.from_bytes(self.slice(at, 32), "big")

    def length(self, at: int, size: int) -> int:
        """Length word of a list of items of `size` octets, which must all be there."""
        count = self.number(at)
        if count * size > len(self._data):
            raise ValueError("the calldata is cut short")
        return count
