"""Contracts by their ABIs: calls, results, events, and every error by name and arguments."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import orjson
import pytest
from eth_abi.abi import encode
from web3 import Web3

from hutong.errors import NodeError
from hutong.ledger.coding import checksum, signature
from hutong.ledger.contracts import Contracts, Manifest, Struct
from hutong.merkle import keccak

NAMES = ("Authority", "Participants", "Invoices")
ADDRESSES = {name: "0x" + f"{i:02x}" * 20 for i, name in enumerate(NAMES, start=0xA1)}
CONTRACTS = Contracts(Manifest(1, "0x00", 0, ADDRESSES))
ABIS = {name: json.loads((files("hutong") / "abi" / f"{name}.json").read_text()) for name in NAMES}
ERRORS = {
    signature(entry): entry for abi in ABIS.values() for entry in abi if entry["type"] == "error"
}
USCC = "91110106MA7K3HW20W"
ACCOUNT = checksum("0x" + "3c" * 20)
# A value of each type as the ABI takes it, and as people see it in an error.
SAMPLES: dict[str, tuple[Any, Any]] = {
    "address": (ACCOUNT, ACCOUNT),
    "bytes18": (USCC.encode(), USCC),
    "bytes32": (b"\x07" * 32, "0x" + "07" * 32),
    "bytes4": (b"\x01\x02\x03\x04", "0x01020304"),
    "string": ("发票", "发票"),
    "uint8": (200, 200),
    "uint32": (2**32 - 1, 2**32 - 1),
    "uint48": (2**48 - 1, 2**48 - 1),
    "uint64": (2**64 - 1, str(2**64 - 1)),
    "uint96": (26112000000481200001, "26112000000481200001"),
    "uint128": (2**128 - 1, str(2**128 - 1)),
    "uint256": (5, "5"),
}


@pytest.mark.parametrize("text", sorted(ERRORS))
def test_error_is_named_with_its_arguments(text: str) -> None:
    inputs = ERRORS[text]["inputs"]
    types = [i["type"] for i in inputs]
    data = keccak(text.encode())[:4] + encode(types, [SAMPLES[t][0] for t in types])
    refusal = CONTRACTS.decode_error(data)
    assert refusal.code == text.partition("(")[0]
    assert refusal.values == {i["name"]: SAMPLES[i["type"]][1] for i in inputs}
    orjson.dumps(refusal.values)


def test_errors_of_ours_and_of_openzeppelin_are_known() -> None:
    ours = {"BookOutOfOrder", "QuotaExceeded", "SignerCapExceeded", "ConsentInvalid"}
    openzeppelin = {"AccessManagedUnauthorized", "InvalidAccountNonce", "AccessManagerNotReady"}
    assert ours | openzeppelin <= {text.partition("(")[0] for text in ERRORS}


@pytest.mark.parametrize(
    ("data", "code", "values"),
    [
        (None, "Reverted", {}),
        (b"", "Reverted", {}),
        (bytes.fromhex("08c379a0") + encode(["string"], ["why"]), "Reverted", {"reason": "why"}),
        (
            bytes.fromhex("4e487b71") + encode(["uint256"], [0x11]),
            "Panic",
            {"panic": 0x11, "means": "overflow"},
        ),
        (b"\xde\xad\xbe\xef", "Reverted", {"data": "0xdeadbeef"}),
        # An error that we know, cut short: still an answer, not an exception.
        (keccak(b"BookUnknown(uint96)")[:4] + b"\x01", "Reverted", {"data": "0xf4ba9a0b01"}),
    ],
)
def test_revert_without_a_known_error_is_told(
    data: bytes | None, code: str, values: dict[str, object]
) -> None:
    if data and data[:4] == keccak(b"BookUnknown(uint96)")[:4]:
        values = {"data": "0x" + data.hex()}
    refusal = CONTRACTS.decode_error(data)
    assert (refusal.code, refusal.values) == (code, values)


def test_only_a_revert_is_a_refusal() -> None:
    assert CONTRACTS.refusal(NodeError("header not found")) is None
    assert CONTRACTS.refusal(NodeError("insufficient funds for gas", data=b"")) is None
    refusal = CONTRACTS.refusal(NodeError("execution reverted"))
    assert refusal is not None
    assert refusal.code == "Reverted"


def test_call_takes_codes_currencies_and_mappings() -> None:
    web3 = Web3().eth.contract(abi=ABIS["Participants"])
    signer = {"roles": 2, "expires": 2**48 - 1, "cap": 2**128 - 1}
    consent = {"signer": ACCOUNT, "nonce": 0, "deadline": 9, "signature": b"\x01" * 65}
    expected = web3.encode_abi(
        "setSigner", [USCC.encode(), ACCOUNT, tuple(signer.values()), tuple(consent.values())]
    )
    for first, second in ((signer, consent), (tuple(signer.values()), tuple(consent.values()))):
        data = CONTRACTS.encode("Participants", "setSigner", USCC, ACCOUNT.lower(), first, second)
        assert "0x" + data.hex() == expected
    web3 = Web3().eth.contract(abi=ABIS["Invoices"])
    expected = web3.encode_abi("openBook", [USCC.encode(), 10**19, 5, b"CNY"])
    assert "0x" + CONTRACTS.encode("Invoices", "openBook", USCC, 10**19, 5, "CNY").hex() == expected


def test_overloads_are_told_apart_by_their_arguments() -> None:
    one = CONTRACTS.encode("Participants", "nonces", ACCOUNT)
    two = CONTRACTS.encode("Participants", "nonces", ACCOUNT, 7)
    assert one[:4] == keccak(b"nonces(address)")[:4]
    assert two[:4] == keccak(b"nonces(address,uint192)")[:4]
    assert CONTRACTS.encode("Participants", "nonces(address)", ACCOUNT) == one


@pytest.mark.parametrize(
    ("args", "named"),
    [
        ((USCC[:17], 1, 1, "CNY"), "issuer"),
        ((USCC, -1, 1, "CNY"), "first"),
        ((USCC, 1, 2**96, "CNY"), "count"),
        ((USCC, 1, 1, "CN"), "currency"),
        ((USCC, 1, 1), "4 arguments"),
    ],
)
def test_argument_that_does_not_fit_is_named(args: tuple[object, ...], named: str) -> None:
    if len(args) == 3:
        with pytest.raises(KeyError):
            CONTRACTS.encode("Invoices", "openBook", *args)
        return
    with pytest.raises(ValueError, match=named):
        CONTRACTS.encode("Invoices", "openBook", *args)


def test_struct_result_is_read_by_name() -> None:
    inner = (10**19, 3000, 1_800_000_000, 77, 500, b"\x09" * 32)
    data = encode(
        ["(bytes18,bytes3,uint96,(uint96,uint16,uint40,uint40,uint64,bytes32))"],
        [(USCC.encode(), b"CNY", 10**19, inner)],
    )
    header = CONTRACTS.decode_result("Invoices", "header", data)
    assert isinstance(header, Struct)
    assert (header.issuer, header.currency, header["batch"].count) == (USCC, "CNY", 3000)
    assert header.batch.blockNumber == 77
    assert header.batch.root == b"\x09" * 32


def make_log(contract: str, text: str, topics: list[Any], data: bytes) -> dict[str, Any]:
    return {
        "address": ADDRESSES[contract].upper().replace("0X", "0x"),
        "topics": ["0x" + topic.hex() for topic in [keccak(text.encode()), *topics]],
        "data": "0x" + data.hex(),
        "blockNumber": "0x10",
        "blockHash": "0x" + "bb" * 32,
        "logIndex": "0x2",
        "transactionHash": "0x" + "cc" * 32,
    }


ISSUED = "Issued(bytes18,uint96,uint96,uint16,bytes32,uint64,uint96,uint32,address)"


def test_event_of_words_is_read() -> None:
    types = ["uint16", "bytes32", "uint64", "uint96", "uint32", "address"]
    body = encode(types, [3000, b"\x05" * 32, 2**64 - 1, 2**80, 24322, ACCOUNT])
    topics = [
        USCC.encode().ljust(32, b"\0"),
        (10**19).to_bytes(32, "big"),
        (10**19 + 5).to_bytes(32, "big"),
    ]
    event = CONTRACTS.decode_log(make_log("Invoices", ISSUED, topics, body))
    assert event is not None
    assert (event.contract, event.name, event.block, event.log_index) == (
        "Invoices",
        "Issued",
        16,
        2,
    )
    assert event.block_hash == b"\xbb" * 32
    assert event.tx_hash == "0x" + "cc" * 32
    assert event.args == {
        "issuer": USCC,
        "book": 10**19,
        "first": 10**19 + 5,
        "count": 3000,
        "root": b"\x05" * 32,
        "bound": 2**64 - 1,
        "spent": 2**80,
        "period": 24322,
        "signer": ACCOUNT,
    }


def test_event_with_a_string_is_read() -> None:
    body = encode(["string", "uint32", "bool"], ["北京停车", 1, True])
    log = make_log(
        "Participants",
        "Admitted(bytes18,string,uint32,bool)",
        [USCC.encode().ljust(32, b"\0")],
        body,
    )
    event = CONTRACTS.decode_log(log)
    assert event is not None
    assert event.args == {"uscc": USCC, "name": "北京停车", "roles": 1, "irregular": True}


def test_currency_that_is_no_text_stops_nothing() -> None:
    log = make_log(
        "Invoices",
        "QuotaSet(bytes18,bytes3,uint96)",
        [USCC.encode().ljust(32, b"\0")],
        b"\xff\x00\x01".ljust(32, b"\0") + bytes(32),
    )
    event = CONTRACTS.decode_log(log)
    assert event is not None
    assert event.args["currency"] == "\\xff\x00\x01"


def test_logs_of_others_are_none_and_broken_ones_are_errors() -> None:
    topics = [bytes(32)] * 3
    assert (
        CONTRACTS.decode_log({**make_log("Invoices", ISSUED, topics, b""), "address": ACCOUNT})
        is None
    )
    assert CONTRACTS.decode_log(make_log("Invoices", "Else()", [], b"")) is None
    assert CONTRACTS.decode_log({**make_log("Invoices", ISSUED, topics, b""), "topics": []}) is None
    for broken in (
        make_log("Invoices", ISSUED, topics, bytes(31)),
        make_log("Invoices", ISSUED, topics[:2], bytes(192)),
        make_log("Participants", "Suspended(bytes18,string)", topics[:1], bytes(31)),
    ):
        with pytest.raises(ValueError, match=r"words|topics|encoding"):
            CONTRACTS.decode_log(broken)


def test_addresses_are_given_with_capitals() -> None:
    assert CONTRACTS.address("Invoices") == Web3.to_checksum_address(ADDRESSES["Invoices"])
    assert len(CONTRACTS.addresses) == 3
    with pytest.raises(KeyError):
        CONTRACTS.address("Nothing")
