"""A bundle: document, summary, proof and where the chain is, in one JSON file (docs/bundle.md)."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from hutong.errors import BundleInvalid
from hutong.invoices.document import Summary
from hutong.invoices.strict import Record, read_json
from hutong.ledger.coding import checksum

SCHEMA = "hutong-bundle/1"
UINT96, UINT128 = 1 << 96, 1 << 128

_BASE64URL = re.compile(r"[A-Za-z0-9_-]{2,}", re.ASCII)
_BYTES32 = re.compile(r"0x[0-9a-f]{64}", re.ASCII)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{20}", re.ASCII)
_ORIGINAL = re.compile(r"0|[0-9]{20}", re.ASCII)
_AMOUNT = re.compile(r"0|[1-9][0-9]{0,38}", re.ASCII)


class ChainRef(NamedTuple):
    """Where a bundle's batch is: `invoices` is the contract's address, `transaction` 0x-hex."""

    chain_id: int
    invoices: str
    block: int | None
    transaction: str | None


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that follows the schema; whether it tells the truth is another matter.

    `payload` are octets, `disclosures` base64url, `first` the number of the batch's first invoice,
    `siblings` 32 bytes each, from the leaf up.
    """

    payload: bytes
    disclosures: tuple[str, ...]
    summary: Summary
    first: int
    index: int
    count: int
    siblings: tuple[bytes, ...]
    chain: ChainRef

    def to_json(self) -> dict[str, Any]:
        """The bundle as `make_bundle` gives it."""
        return make_bundle(
            self.payload,
            self.disclosures,
            self.summary,
            first=self.first,
            index=self.index,
            count=self.count,
            siblings=self.siblings,
            chain=self.chain,
        )


def make_bundle(
    payload: bytes,
    disclosures: Sequence[str],
    summary: Summary,
    *,
    first: int,
    index: int,
    count: int,
    siblings: Sequence[bytes],
    chain: ChainRef,
) -> dict[str, Any]:
    """The bundle as a JSON object, see Bundle for the arguments."""
    return {
        "schema": SCHEMA,
        "payload": urlsafe_b64encode(payload).rstrip(b"=").decode("ascii"),
        "disclosures": list(disclosures),
        "summary": {
            "number": f"{summary.number:020d}",
            "original": f"{summary.original:020d}" if summary.original else "0",
            "gross": str(summary.gross),
            "tax": str(summary.tax),
            "buyer": "0x" + summary.buyer.hex(),
            "payment": "0x" + summary.payment.hex(),
            "document": "0x" + summary.document.hex(),
        },
        "proof": {
            "first": f"{first:020d}",
            "index": index,
            "count": count,
            "siblings": ["0x" + sibling.hex() for sibling in siblings],
        },
        "chain": {
            "chain_id": chain.chain_id,
            "invoices": checksum(chain.invoices),
            "block": chain.block,
            "transaction": chain.transaction,
        },
    }


def parse_bundle(data: bytes | str | Mapping[str, Any]) -> Bundle:
    """The bundle in a JSON text or object. Raises BundleInvalid with the field at fault.

    Strict: each value has one spelling, so that two bundles that read the same are the same.
    """
    if isinstance(data, (bytes, str)):
        data = read_json(data)
    top = Record(data, "", ("schema", "payload", "disclosures", "summary", "proof", "chain"))
    if top.value("schema") != SCHEMA:
        raise BundleInvalid(f"the schema of this bundle is not {SCHEMA}", field="schema")
    summary = top.inner(
        "summary", ("number", "original", "gross", "tax", "buyer", "payment", "document")
    )
    proof = top.inner("proof", ("first", "index", "count", "siblings"))
    chain = top.inner("chain", ("chain_id", "invoices", "block", "transaction"))
    return Bundle(
        payload=_octets(top.text("payload", _BASE64URL), "payload"),
        disclosures=tuple(top.texts("disclosures", _BASE64URL, 2004)),
        summary=Summary(
            number=summary.integer_text("number", _NUMBER, UINT96),
            original=_original(summary),
            gross=summary.integer_text("gross", _AMOUNT, UINT128),
            tax=summary.integer_text("tax", _AMOUNT, UINT128),
            buyer=_bytes32(summary.text("buyer", _BYTES32)),
            payment=_bytes32(summary.text("payment", _BYTES32)),
            document=_bytes32(summary.text("document", _BYTES32)),
        ),
        first=proof.integer_text("first", _NUMBER, UINT96),
        index=proof.integer("index", 0, 2999),
        count=proof.integer("count", 1, 3000),
        siblings=tuple(map(_bytes32, proof.texts("siblings", _BYTES32, 12))),
        chain=ChainRef(
            chain.integer("chain_id", 1, 2**53 - 1),
            _address(chain),
            None if chain.value("block") is None else chain.integer("block", 0, 2**40 - 1),
            None if chain.value("transaction") is None else chain.text("transaction", _BYTES32),
        ),
    )


@cache
def bundle_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of bundles. What it cannot say, parse_bundle checks besides."""
    schema: dict[str, Any] = json.loads(
        (files("hutong.invoices") / "bundle.schema.json").read_bytes()
    )
    return schema


def _octets(text: str, field: str) -> bytes:
    """Octets of base64url without padding, in its only spelling."""
    try:
        octets = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise BundleInvalid("this is not base64url", field=field) from error
    if urlsafe_b64encode(octets).rstrip(b"=").decode("ascii") != text:
        raise BundleInvalid("this base64url has stray bits", field=field)
    return octets


def _original(summary: Record) -> int:
    # Twenty zeros would be a second spelling of none.
    return int(summary.checked("original", _ORIGINAL, lambda text: text == "0" or int(text) > 0))


def _address(chain: Record) -> str:
    return chain.checked("invoices", _ADDRESS, lambda text: checksum(text) == text)


def _bytes32(text: str) -> bytes:
    return bytes.fromhex(text[2:])
