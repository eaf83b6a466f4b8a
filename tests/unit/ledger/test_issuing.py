"""Calldata of batches: the fast way is web3's encoding, octet by octet, and reads back."""

from __future__ import annotations

import json
import os
from importlib.resources import files

import pytest
from web3 import Web3

from hutong.ledger.issuing import IssueCall, decode_issue, encode_issue, encode_issue_many

SIGNER = Web3.to_checksum_address("0x" + "ab" * 20)
ABI = json.loads((files("hutong") / "abi" / "Invoices.json").read_text("utf-8"))
INVOICES = Web3().eth.contract(abi=ABI)


def make_call(leaves: int = 3, signature: int = 65) -> IssueCall:
    return IssueCall(
        book=26_112_000_000_481_200_001,
        first=26_112_000_000_481_200_777,
        bound=2**64 - 1,
        leaves=[os.urandom(32) for _ in range(leaves)],
        signer=SIGNER,
        deadline=2**48 - 1,
        signature=os.urandom(signature),
    )


def as_web3(call: IssueCall) -> tuple[object, ...]:
    consent = (Web3.to_checksum_address(call.signer), 0, call.deadline, call.signature)
    return (call.book, call.first, call.bound, list(call.leaves), consent)


@pytest.mark.parametrize("leaves", [1, 2, 1000, 3000])
@pytest.mark.parametrize("signature", [0, 64, 65, 200])
def test_issue_is_encoded_as_web3_does(leaves: int, signature: int) -> None:
    call = make_call(leaves, signature)
    assert "0x" + encode_issue(call).hex() == INVOICES.encode_abi("issue", [as_web3(call)])


@pytest.mark.parametrize("sizes", [[1], [3, 1, 500], []])
def test_issue_many_is_encoded_as_web3_does(sizes: list[int]) -> None:
    calls = [make_call(n) for n in sizes]
    expected = INVOICES.encode_abi("issueMany", [[as_web3(call) for call in calls]])
    assert "0x" + encode_issue_many(calls).hex() == expected


def test_calldata_reads_back() -> None:
    calls = [make_call(n, size) for n, size in ((1, 65), (7, 0), (3000, 130))]
    assert decode_issue(encode_issue_many(calls)) == calls
    assert decode_issue(encode_issue(calls[2])) == calls[2:]


def test_calldata_in_an_unusual_order_reads_as_the_contract_reads_it() -> None:
    """Offsets may point anywhere: here the consent stands before the leaves, with a gap between."""
    call = make_call(2)
    words = [
        32,  # where the batch begins
        call.book,
        call.first,
        call.bound,
        14 * 32,  # leaves
        5 * 32,  # consent
        int(SIGNER, 16),
        99,  # a nonce, which nobody reads
        call.deadline,
        4 * 32,
        65,
    ]
    data = b"".join(word.to_bytes(32, "big") for word in words)
    data += call.signature.ljust(96, b"\xff") + b"\xee" * 32
    data += (2).to_bytes(32, "big") + b"".join(call.leaves)
    selector = encode_issue(call)[:4]
    assert decode_issue(selector + data) == [call]


def test_calldata_cut_anywhere_is_refused() -> None:
    data = encode_issue_many([make_call(2), make_call(1)])
    unread = (-65) % 32  # what fills up the last signature
    for size in range(len(data) - unread):
        with pytest.raises(ValueError, match=r"cut short|not calldata"):
            decode_issue(data[:size])


@pytest.mark.parametrize("offset", [2**255, 2**32, 10**6])
def test_wild_offsets_are_refused_and_cost_nothing(offset: int) -> None:
    data = encode_issue(make_call(1))
    broken = data[:4] + offset.to_bytes(32, "big") + data[36:]
    with pytest.raises(ValueError, match="cut short"):
        decode_issue(broken)


def test_calldata_of_another_function_is_refused() -> None:
    with pytest.raises(ValueError, match="not calldata"):
        decode_issue(b"\x01\x02\x03\x04" + bytes(320))


@pytest.mark.parametrize(
    "changes",
    [
        {"leaves": [bytes(32), bytes(31), bytes(33)]},
        {"leaves": [bytes(31)]},
        {"bound": 2**64},
        {"bound": -1},
        {"book": 2**96},
        {"deadline": 2**48},
        {"signer": "0x" + "f" * 41},
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"32 bytes|does not fit"):
        encode_issue(make_call()._replace(**changes))
