"""Signed transactions: octet by octet those of eth_account."""

from __future__ import annotations

import pytest
from coincurve import PrivateKey
from eth_account import Account
from hypothesis import example, given
from hypothesis import strategies as st

from hutong.ledger.client import Fees, nonce_is_zero
from hutong.ledger.coding import checksum
from hutong.ledger.transaction import create_address, sign_transaction

KEY = PrivateKey(b"\x01" * 32)
TO = checksum("0x" + "a1" * 20)


@example(chain_id=127, nonce=127, priority=0, more=128, gas=21_000, value=127, data=b"\x7f", to=TO)
@example(chain_id=128, nonce=128, priority=1, more=0, gas=21_000, value=128, data=b"\x80", to=None)
@given(
    chain_id=st.integers(1, 2**53),
    nonce=st.integers(0, 2**64 - 1),
    priority=st.integers(0, 2**80),
    more=st.integers(0, 2**80),
    gas=st.integers(21_000, 2**40),
    value=st.integers(0, 2**100),
    data=st.one_of(st.binary(max_size=300), st.just(b"\x07" * 70_000)),
    to=st.sampled_from([TO, None]),
)
def test_transaction_is_the_librarys(
    chain_id: int,
    nonce: int,
    priority: int,
    more: int,
    gas: int,
    value: int,
    data: bytes,
    to: str | None,
) -> None:
    fees = Fees(priority + more, priority)
    ours = sign_transaction(
        KEY, chain_id=chain_id, nonce=nonce, fees=fees, gas=gas, to=to, data=data, value=value
    )
    theirs = Account.sign_transaction(
        {
            "type": 2,
            "chainId": chain_id,
            "nonce": nonce,
            "maxFeePerGas": fees.max_fee,
            "maxPriorityFeePerGas": fees.priority_fee,
            "gas": gas,
            "to": to or "",
            "data": data,
            "value": value,
        },
        KEY.secret,
    )
    assert ours.raw == bytes(theirs.raw_transaction)
    assert ours.hash == "0x" + bytes(theirs.hash).hex()
    assert nonce_is_zero(ours.raw) == (nonce == 0)


@pytest.mark.parametrize("nonce", [0, 1, 127, 128, 2**40])
def test_first_nonce_is_seen_in_old_transactions_too(nonce: int) -> None:
    fields = {"nonce": nonce, "gas": 21_000, "to": TO, "value": 0, "data": b"", "chainId": 7}
    old = Account.sign_transaction({**fields, "gasPrice": 1}, KEY.secret)
    long = Account.sign_transaction({**fields, "gasPrice": 1, "data": b"\x01" * 500}, KEY.secret)
    listed = Account.sign_transaction(
        {**fields, "gasPrice": 1, "type": 1, "accessList": []}, KEY.secret
    )
    for signed in (old, long, listed):
        assert nonce_is_zero(bytes(signed.raw_transaction)) == (nonce == 0)


@pytest.mark.parametrize("raw", [b"", b"\x02", b"\x02\xf9", b"\x02\xc0", b"\xc0", b"\xff"])
def test_what_is_no_transaction_has_no_nonce(raw: bytes) -> None:
    assert not nonce_is_zero(raw)


def test_address_of_a_new_contract_is_known_before() -> None:
    # https://ethereum.stackexchange.com/a/761
    sender = "0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"
    assert create_address(sender, 0) == "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"
    assert create_address(sender, 1) == "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8"
