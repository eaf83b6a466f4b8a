"""The document of an invoice: what stands open, what is sealed, and its leaf."""

import base64
import hashlib
import re
from typing import Any

import orjson
import pytest
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from hutong.invoices.claims import read_claims
from hutong.invoices.document import (
    NONE,
    Summary,
    buyer_commitment,
    leaf_of,
    make_document,
    payment_commitment,
)
from hutong.merkle import keccak
from tests.unit.invoices.builders import (
    BUYER,
    FIRST,
    NOW,
    PAYMENT,
    SELLER,
    document_of,
    full_draft,
    make_draft,
    make_line,
)

SUMMARY_TYPES = {
    "EIP712Domain": [{"name": "name", "type": "string"}],
    "Summary": [
        {"name": "number", "type": "uint96"},
        {"name": "original", "type": "uint96"},
        {"name": "gross", "type": "uint128"},
        {"name": "tax", "type": "uint128"},
        {"name": "buyer", "type": "bytes32"},
        {"name": "payment", "type": "bytes32"},
        {"name": "document", "type": "bytes32"},
    ],
}
octets32 = st.binary(min_size=32, max_size=32)


def test_the_payload_says_openly_who_sold_how_much_when() -> None:
    document = document_of(full_draft())
    open_part = orjson.loads(document.payload)
    assert len(open_part.pop("_sd")) == 4
    assert [list(line) for line in open_part.pop("lines")] == [["..."], ["..."]]
    assert open_part == {
        "vct": "urn:hutong:invoice:1",
        "number": "26111000000000000001",
        "kind": "ordinary",
        "time": NOW,
        "seller": {"uscc": SELLER.uscc, "name": SELLER.name},
        "currency": "CNY",
        "totals": {"net": "20.49", "tax": "1.51", "gross": "22.00"},
        "_sd_alg": "sha-256",
    }


def test_the_payload_says_nothing_of_buyer_lines_payment_or_remarks() -> None:
    payload = document_of(full_draft()).payload.decode()
    for secret in (
        BUYER["uscc"],
        BUYER["name"],
        "餐费",
        "cdnow",
        PAYMENT["reference"],
        "桌号",
        "张三",
    ):
        assert secret not in payload


def test_the_disclosures_give_back_everything() -> None:
    document = document_of(full_draft())
    claims = read_claims(document.payload, document.disclosures)
    assert claims.withheld == 0
    said = claims.claims
    assert said["buyer"].pop("salt").startswith("0x")
    assert said["buyer"] == BUYER
    assert said["payment"] == PAYMENT
    assert (said["remarks"], said["drawer"]) == ("桌号 12\n谢谢", "张三")
    assert said["lines"] == [
        {"name": "*餐饮服务*餐费", "amount": "11.32", "rate": 600, "tax": "0.68"},
        {"name": "停车费", "amount": "9.17", "rate": 900, "tax": "0.83"},
    ]


def test_a_line_is_told_with_all_it_has() -> None:
    lines = [
        make_line(
            name="苹果",
            specification="红",
            unit="千克",
            quantity="2.5",
            amount="10.00",
            rate="exempt",
            tax_code="1010115010100000000",
            nature="discounted",
        ),
        make_line(name="苹果", amount="-1.00", rate="exempt", nature="discount"),
    ]
    document = document_of(make_draft(lines=lines))
    assert read_claims(document.payload, document.disclosures).claims["lines"] == [
        {
            "name": "苹果",
            "amount": "10.00",
            "rate": "exempt",
            "tax": "0.00",
            "specification": "红",
            "unit": "千克",
            "quantity": "2.5",
            "unit_price": "4",
            "tax_code": "1010115010100000000",
            "nature": "discounted",
        },
        {"name": "苹果", "amount": "-1.00", "rate": "exempt", "tax": "0.00", "nature": "discount"},
    ]


def test_the_summary_says_the_same_as_the_document() -> None:
    document = document_of(full_draft())
    summary = document.summary
    assert (summary.number, summary.original) == (FIRST, 0)
    assert (summary.gross, summary.tax) == (2200, 151)
    assert summary.document == hashlib.sha256(document.payload).digest()
    assert document.leaf == leaf_of(summary)
    said = read_claims(document.payload, document.disclosures).claims
    salt = bytes.fromhex(said["buyer"]["salt"][2:])
    assert summary.buyer == keccak(salt + BUYER["uscc"].encode())
    assert summary.payment == keccak(keccak(b"cdnow") + keccak(PAYMENT["reference"].encode()))


def test_a_consumers_invoice_without_payment_is_bound_to_neither() -> None:
    document = document_of(make_draft())
    assert (document.summary.buyer, document.summary.payment) == (NONE, NONE)
    assert b'_sd":' not in document.payload
    assert len(document.disclosures) == 1


def test_a_buyer_without_a_code_is_told_but_not_bound() -> None:
    document = document_of(make_draft(buyer={"name": "李四"}))
    assert document.summary.buyer == NONE
    assert read_claims(document.payload, document.disclosures).claims["buyer"] == {"name": "李四"}


def test_amounts_are_written_in_the_currencys_decimals() -> None:
    lines = [make_line(amount="1200")]
    payload = orjson.loads(document_of(make_draft(currency="JPY", lines=lines)).payload)
    assert (payload["currency"], payload["totals"]["gross"]) == ("JPY", "1200")


def test_salts_are_128_bits_each_and_come_from_one_draw() -> None:
    drawn: list[int] = []

    def random(size: int) -> bytes:
        drawn.append(size)
        return bytes(range(size % 256)) + bytes(256)

    make_document(full_draft(), number=FIRST, seller=SELLER, time=NOW, random=random)
    assert drawn == [32 + 16 * 6]


def test_no_two_salts_are_the_same_octets() -> None:
    document = document_of(full_draft())
    salts = {orjson.loads(_decoded(d))[0] for d in document.disclosures}
    assert len(salts) == 6
    buyer = read_claims(document.payload, document.disclosures).claims["buyer"]
    assert len(bytes.fromhex(buyer["salt"][2:])) == 32


@given(st.text(max_size=4))
def test_salts_are_base64url_of_sixteen_octets(seed: str) -> None:
    for text in document_of(full_draft(), seed=seed).disclosures:
        salt = orjson.loads(_decoded(text))[0]
        assert re.fullmatch("[A-Za-z0-9_-]{22}", salt)
        assert len(_decoded(salt)) == 16


def test_two_documents_of_one_draft_share_no_digest() -> None:
    draft = full_draft()
    one, other = (
        make_document(draft, number=FIRST, seller=SELLER, time=NOW).payload for _ in range(2)
    )
    digests = [
        {*p["_sd"], *(line["..."] for line in p["lines"])} for p in map(orjson.loads, (one, other))
    ]
    assert not digests[0] & digests[1]


def test_the_order_of_sealed_claims_says_nothing_about_them() -> None:
    digests = orjson.loads(document_of(full_draft()).payload)["_sd"]
    assert digests == sorted(digests)


@given(
    number=st.integers(0, 2**96 - 1),
    original=st.integers(0, 2**96 - 1),
    gross=st.integers(0, 2**128 - 1),
    tax=st.integers(0, 2**128 - 1),
    buyer=octets32,
    payment=octets32,
    document=octets32,
)
def test_a_leaf_is_the_eip_712_struct_hash(**fields: Any) -> None:
    message = encode_typed_data(
        full_message={
            "types": SUMMARY_TYPES,
            "primaryType": "Summary",
            "domain": {"name": "any"},
            "message": fields,
        }
    )
    assert leaf_of(Summary(**fields)) == message.body


def test_commitments_are_those_that_the_contract_describes() -> None:
    salt = bytes(range(32))
    assert buyer_commitment(salt, "91350000611528672E") == keccak(salt + b"91350000611528672E")
    assert payment_commitment("银联", "1") == keccak(keccak("银联".encode()) + keccak(b"1"))
    # Hashing each alone keeps ("ab", "c") and ("a", "bc") apart.
    assert payment_commitment("ab", "c") != payment_commitment("a", "bc")


def test_a_number_beyond_its_word_is_refused() -> None:
    summary = document_of(make_draft()).summary
    with pytest.raises(OverflowError):
        leaf_of(summary._replace(gross=2**256))


def _decoded(disclosure: str) -> bytes:
    return base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4))
