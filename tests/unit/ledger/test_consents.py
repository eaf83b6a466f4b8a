"""Consents: what we hash by hand is what every EIP-712 library hashes."""

from __future__ import annotations

import os
from typing import Any

import pytest
from coincurve import PrivateKey
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data

from hutong.errors import SignatureInvalid
from hutong.ledger import consents

CHAIN = 20260
CONTRACT = "0x" + "5e" * 20
ACCOUNT = "0x" + "9a" * 20
USCC = "91110106MA7K3HW20W"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def by_library(name: str, primary: str, fields: str, message: dict[str, Any]) -> bytes:
    """Digest by eth_account, of fields given as in the typed text."""
    types = [dict(zip(("type", "name"), field.split(), strict=True)) for field in fields.split(",")]
    domain = {"name": name, "version": "1", "chainId": CHAIN, "verifyingContract": CONTRACT}
    return _hash_eip191_message(encode_typed_data(domain, {primary: types}, message))


@pytest.mark.parametrize(
    "numbers", [(1, 1, 1, 0, 0), (10**19, 10**20 - 1, 3000, 2**64 - 1, 2**48 - 1)]
)
def test_issue_digest_is_the_librarys(numbers: tuple[int, ...]) -> None:
    book, first, count, bound, deadline = numbers
    root = os.urandom(32)
    domain = consents.invoices_domain(CHAIN, CONTRACT)
    assert consents.issue_digest(domain, book, first, count, root, bound, deadline) == by_library(
        "Hutong Invoices",
        "Issue",
        "uint96 book,uint96 first,uint16 count,bytes32 root,uint64 bound,uint48 deadline",
        {
            "book": book,
            "first": first,
            "count": count,
            "root": root,
            "bound": bound,
            "deadline": deadline,
        },
    )


def test_set_signer_digest_is_the_librarys() -> None:
    domain = consents.participants_domain(CHAIN, CONTRACT)
    values = (3, 2**48 - 1, 2**128 - 1, 2**64 + 7, 1_800_000_000)
    roles, expires, cap, nonce, deadline = values
    assert consents.set_signer_digest(domain, USCC, ACCOUNT, *values) == by_library(
        "Hutong Participants",
        "SetSigner",
        "bytes18 uscc,address account,uint32 roles,uint48 expires,uint128 cap,uint256 nonce,uint48 deadline",
        {
            "uscc": USCC.encode(),
            "account": ACCOUNT,
            "roles": roles,
            "expires": expires,
            "cap": cap,
            "nonce": nonce,
            "deadline": deadline,
        },
    )


def test_promise_digest_is_the_librarys() -> None:
    root = os.urandom(32)
    assert consents.promise_digest(CHAIN, CONTRACT, root, 500, 1_800_000_000) == by_library(
        "Hutong Gateway",
        "Promise",
        "bytes32 root,uint32 count,uint48 before",
        {"root": root, "count": 500, "before": 1_800_000_000},
    )


def test_digest_changes_with_chain_and_contract() -> None:
    def digest(chain: int, contract: str) -> bytes:
        return consents.promise_digest(chain, contract, bytes(32), 1, 1)

    assert len({digest(1, CONTRACT), digest(2, CONTRACT), digest(1, ACCOUNT)}) == 3


@pytest.mark.parametrize("place", range(5))
def test_numbers_that_do_not_fit_are_refused(place: int) -> None:
    values: list[Any] = [1, 1, 1, bytes(32), 1, 1]
    values[place if place < 3 else place + 1] = 2**96
    with pytest.raises(ValueError, match="does not fit"):
        consents.issue_digest(consents.invoices_domain(CHAIN, CONTRACT), *values)


def test_signature_is_recovered_by_us_and_by_the_library() -> None:
    key = PrivateKey()
    account = Account.from_key(key.secret).address
    for _ in range(20):
        digest = os.urandom(32)
        signature = consents.sign(digest, key)
        assert len(signature) == 65
        assert signature[64] in (27, 28)
        assert int.from_bytes(signature[32:64], "big") <= ORDER // 2
        assert consents.recover(digest, signature) == account == consents.address_of(key)
        assert Account._recover_hash(digest, signature=signature) == account


def test_a_signature_of_another_text_is_anothers() -> None:
    key = PrivateKey()
    signature = consents.sign(bytes(32), key)
    assert consents.recover(b"\x01" + bytes(31), signature) != consents.address_of(key)


def test_high_s_is_refused_as_the_contracts_do() -> None:
    signature = consents.sign(bytes(32), PrivateKey())
    s = ORDER - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + s.to_bytes(32, "big") + bytes((55 - signature[64],))
    with pytest.raises(SignatureInvalid, match="upper half"):
        consents.recover(bytes(32), twin)


@pytest.mark.parametrize(
    "signature",
    [b"", bytes(64), bytes(65), bytes(64) + b"\x1b", b"\xff" * 32 + bytes(32) + b"\x1b"],
)
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        consents.recover(bytes(32), signature)
