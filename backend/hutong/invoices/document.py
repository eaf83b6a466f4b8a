"""An invoice as the payload of an SD-JWT (RFC 9901), and what the chain keeps of it: its leaf."""

from __future__ import annotations

import hashlib
import os
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import orjson
from sha3 import keccak_256

from hutong.invoices.model import Draft, Line, Party, Payment
from hutong.money import exponent_of, format_minor

#: Type of the credential (`vct`), and version of the claims in it.
DOCUMENT_TYPE = "urn:hutong:invoice:1"
#: A summary's `buyer` or `payment` where the document has none.
NONE = bytes(32)

SALT_SIZE = 16  # 128 bits, what RFC 9901 section 9.3 recommends
BUYER_SALT_SIZE = 32

_SUMMARY_TYPE = keccak_256(
    b"Summary(uint96 number,uint96 original,uint128 gross,uint128 tax,"
    b"bytes32 buyer,bytes32 payment,bytes32 document)"
).digest()
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Summary(NamedTuple):
    """The fields that contracts reason about, see contracts/interfaces/IInvoices.sol.

    `gross` and `tax` in minor units; `buyer`, `payment` and `document` 32 bytes.
    """

    number: int
    original: int
    gross: int
    tax: int
    buyer: bytes
    payment: bytes
    document: bytes


class Seller(NamedTuple):
    """The issuer as the bureau admitted it."""

    uscc: str
    name: str


@dataclass(slots=True)
class Document:
    """`payload`: octets, never to be made anew; `disclosures`: base64url; `leaf`: 32 bytes."""

    payload: bytes
    disclosures: list[str]
    summary: Summary
    leaf: bytes


def make_document(
    draft: Draft,
    *,
    number: int,
    seller: Seller,
    time: int,
    random: Callable[[int], bytes] = os.urandom,
) -> Document:
    """The document of a draft that got its number. `time` in seconds, UTC.

    Open: who sold how much in total, when, in which number. Disclosures, in this order: each line,
    then as far as there are any buyer, payment, remarks, drawer.
    """
    exponent = exponent_of(draft.currency)
    lines = draft.lines
    salts = random(BUYER_SALT_SIZE + SALT_SIZE * (len(lines) + 4))
    disclosures: list[str] = []
    places: list[dict[str, str]] = []
    at = BUYER_SALT_SIZE
    for line in lines:
        content = b'["%b",%b]' % (_salt(salts, at), orjson.dumps(_line_claim(line, exponent)))
        places.append({"...": _disclose(content, disclosures)})
        at += SALT_SIZE
    digests: list[str] = []
    buyer = payment = NONE
    for name, value in (
        (b"buyer", draft.buyer),
        (b"payment", draft.payment),
        (b"remarks", draft.remarks),
        (b"drawer", draft.drawer),
    ):
        if not value:
            continue
        claim: object = value
        if isinstance(value, Party):
            claim = _party_claim(value)
            if value.uscc is not None:
                salt = salts[:BUYER_SALT_SIZE]
                buyer = buyer_commitment(salt, value.uscc)
                claim["salt"] = "0x" + salt.hex()
        elif isinstance(value, Payment):
            claim = _payment_claim(value)
            payment = payment_commitment(value.provider, value.reference)
        content = b'["%b","%b",%b]' % (_salt(salts, at), name, orjson.dumps(claim))
        digests.append(_disclose(content, disclosures))
        at += SALT_SIZE
    # Sorted, so that their order says nothing about what they are.
    digests.sort()
    claims: dict[str, object] = {
        "vct": DOCUMENT_TYPE,
        "number": f"{number:020d}",
        "kind": draft.kind,
        "time": time,
        "seller": {"uscc": seller.uscc, "name": seller.name},
        "currency": draft.currency,
        "totals": {
            "net": format_minor(draft.net, exponent),
            "tax": format_minor(draft.tax, exponent),
            "gross": format_minor(draft.gross, exponent),
        },
        "lines": places,
        "_sd_alg": "sha-256",
    }
    if draft.original:
        claims["original"] = f"{draft.original:020d}"
    if digests:
        claims["_sd"] = digests
    payload = orjson.dumps(claims)
    summary = Summary(
        number,
        draft.original,
        draft.gross,
        draft.tax,
        buyer,
        payment,
        hashlib.sha256(payload).digest(),
    )
    return Document(payload, disclosures, summary, leaf_of(summary))


def leaf_of(summary: Summary) -> bytes:
    """EIP-712 hashStruct(Summary), as `leafOf` of the contract. OverflowError beyond 256 bits."""
    number, original, gross, tax, buyer, payment, document = summary
    leaf: bytes = keccak_256(
        b"".join(
            (
                _SUMMARY_TYPE,
                number.to_bytes(32, "big"),
                original.to_bytes(32, "big"),
                gross.to_bytes(32, "big"),
                tax.to_bytes(32, "big"),
                buyer,
                payment,
                document,
            )
        )
    ).digest()
    return leaf


def buyer_commitment(salt: bytes, buyer_id: str) -> bytes:
    """keccak256(salt, id): 32 bytes of salt, then the buyer's id in ASCII."""
    commitment: bytes = keccak_256(salt + buyer_id.encode("ascii")).digest()
    return commitment


@lru_cache(maxsize=8192)
def payment_commitment(provider: str, reference: str) -> bytes:
    """keccak256(keccak256(provider), keccak256(reference)), both in UTF-8."""
    reference_hash = keccak_256(reference.encode()).digest()
    commitment: bytes = keccak_256(_provider_hash(provider) + reference_hash).digest()
    return commitment


@lru_cache(maxsize=1024)
def _provider_hash(provider: str) -> bytes:
    digest: bytes = keccak_256(provider.encode()).digest()
    return digest


def _disclose(content: bytes, disclosures: list[str]) -> str:
    """Adds a disclosure, JSON encoded in base64url, and returns its digest, so encoded, too."""
    disclosure = b2a_base64(content, newline=False).translate(_URL_SAFE).rstrip(b"=")
    disclosures.append(disclosure.decode("ascii"))
    digest = b2a_base64(hashlib.sha256(disclosure).digest(), newline=False)
    return digest.translate(_URL_SAFE)[:43].decode("ascii")


def _salt(salts: bytes, at: int) -> bytes:
    salt = b2a_base64(salts[at : at + SALT_SIZE], newline=False)
    return salt.translate(_URL_SAFE)[:22]


def _line_claim(line: Line, exponent: int) -> dict[str, object]:
    claim: dict[str, object] = {
        "name": line.name,
        "amount": format_minor(line.amount, exponent),
        "rate": line.mark if line.rate is None else line.rate,
        "tax": format_minor(line.tax, exponent),
    }
    if line.specification:
        claim["specification"] = line.specification
    if line.unit:
        claim["unit"] = line.unit
    if line.quantity is not None:
        claim["quantity"] = line.quantity
        claim["unit_price"] = line.unit_price
    if line.tax_code is not None:
        claim["tax_code"] = line.tax_code
    if line.nature != "normal":
        claim["nature"] = line.nature
    return claim


def _party_claim(party: Party) -> dict[str, str]:
    claim = {"name": party.name}
    for name, value in (
        ("uscc", party.uscc),
        ("address", party.address),
        ("phone", party.phone),
        ("bank", party.bank),
        ("account", party.account),
    ):
        if value is not None:
            claim[name] = value
    return claim


def _payment_claim(payment: Payment) -> dict[str, object]:
    claim: dict[str, object] = {"provider": payment.provider, "reference": payment.reference}
    if payment.paid_at is not None:
        claim["paid_at"] = payment.paid_at
    if payment.method is not None:
        claim["method"] = payment.method
    return claim
