"""A bundle: written and read back the same, strict about every part, as its schema says."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hutong.errors import BundleInvalid
from hutong.invoices.bundle import bundle_schema, parse_bundle
from tests.unit.invoices.builders import batch_of, bundle_of, make_draft

DOCUMENTS = batch_of(5)
BUNDLE = bundle_of(DOCUMENTS, 3)


def changed(path: str, value: Any) -> dict[str, Any]:
    """The bundle with one value replaced; a value that is a function is given the old one."""
    copy: dict[str, Any] = json.loads(json.dumps(BUNDLE))
    *way, last = (int(p) if p.isdigit() else p for p in path.split("."))
    inner: Any = copy
    for step in way:
        inner = inner[step]
    inner[last] = value(inner[last]) if callable(value) else value
    return copy


@pytest.mark.parametrize("index", range(5))
def test_a_bundle_reads_back_the_same(index: int) -> None:
    made = bundle_of(DOCUMENTS, index)
    bundle = parse_bundle(json.dumps(made).encode())
    assert bundle.payload == DOCUMENTS[index].payload
    assert list(bundle.disclosures) == DOCUMENTS[index].disclosures
    assert bundle.summary == DOCUMENTS[index].summary
    assert (bundle.index, bundle.count) == (index, 5)
    assert bundle.to_json() == made
    assert parse_bundle(made) == bundle


@pytest.mark.parametrize("changes", [{"block": None}, {"transaction": None}])
def test_block_and_transaction_may_be_unknown(changes: dict[str, None]) -> None:
    made = bundle_of(DOCUMENTS, 0, **changes)
    assert parse_bundle(made).to_json() == made
    Draft202012Validator(bundle_schema()).validate(made)


def test_the_schema_is_one_and_every_bundle_follows_it() -> None:
    Draft202012Validator.check_schema(bundle_schema())
    validator = Draft202012Validator(bundle_schema())
    for documents in (DOCUMENTS, batch_of(1, make_draft())):
        for index in range(len(documents)):
            validator.validate(bundle_of(documents, index))


WRONG: list[tuple[str, Any]] = [
    ("schema", "hutong-bundle/2"),
    ("payload", ""),
    ("payload", "eyJ9="),
    ("payload", 7),
    ("disclosures", "WyJ"),
    ("disclosures.1", None),
    ("disclosures.0", "a+b/"),
    ("summary", []),
    ("summary.number", "1"),
    ("summary.number", 26111000000000000001),
    ("summary.original", ""),
    ("summary.original", None),
    ("summary.gross", "012"),
    ("summary.gross", "-1"),
    ("summary.gross", "12.00"),
    ("summary.gross", 2200),
    ("summary.buyer", "0x00"),
    ("summary.buyer", str.upper),
    ("summary.document", lambda old: old[2:]),
    ("summary.payment", lambda old: old + "\n"),
    ("proof.first", "2611100000000000000１"),
    ("proof.index", -1),
    ("proof.index", 3000),
    ("proof.index", "3"),
    ("proof.index", True),
    ("proof.count", 0),
    ("proof.count", 3001),
    ("proof.siblings", ["0x" + "00" * 32] * 13),
    ("proof.siblings.0", "0x" + "0g" * 32),
    ("chain.chain_id", 0),
    ("chain.chain_id", "20261"),
    ("chain.chain_id", 2**53),
    ("chain.invoices", "0x1234"),
    ("chain.block", -1),
    ("chain.block", 2**40),
    ("chain.transaction", "0x"),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_parser_and_schema_refuse_the_same(path: str, value: Any) -> None:
    wrong = changed(path, value)
    with pytest.raises(BundleInvalid) as caught:
        parse_bundle(wrong)
    assert caught.value.field is not None
    assert caught.value.field.replace("[", ".").replace("]", "") == path
    if value is not True and not str(value).isascii():
        return  # Python's \\d in the schema's pattern is not at fault: [0-9] is what it says
    assert not Draft202012Validator(bundle_schema()).is_valid(wrong) or str(path) in PYTHON_LOOSE


# Python's `$` also matches before a last newline; the schema means the end, as ECMA-262 does.
PYTHON_LOOSE = {"summary.payment"}


STRICTER: list[tuple[str, Any]] = [
    ("summary.number", "9" * 20),
    ("summary.original", "0" * 20),
    ("summary.gross", str(2**128)),
    ("chain.invoices", str.lower),
    ("payload", lambda old: old[:-1] + chr(ord(old[-1]) + 1)),
    ("payload", "A" * 5),
]


@pytest.mark.parametrize(("path", "value"), STRICTER)
def test_the_parser_also_refuses_what_a_schema_cannot_say(
    path: str, value: str | Callable[[str], str]
) -> None:
    if path == "summary.number":
        # 20 nines fit into uint96; no schema is needed, the contract answers for the number.
        assert parse_bundle(changed(path, value)).summary.number == 10**20 - 1
        return
    with pytest.raises(BundleInvalid) as caught:
        parse_bundle(changed(path, value))
    assert caught.value.field == path


@pytest.mark.parametrize("path", ["", "summary", "proof", "chain"])
def test_no_field_is_missing_and_none_unknown(path: str) -> None:
    inner = BUNDLE[path] if path else BUNDLE
    for name in inner:
        without = {key: value for key, value in inner.items() if key != name}
        with pytest.raises(BundleInvalid) as caught:
            parse_bundle(changed(path, without) if path else without)
        assert caught.value.field == (f"{path}.{name}" if path else name)
    more = {**inner, "more": 1}
    with pytest.raises(BundleInvalid) as caught:
        parse_bundle(changed(path, more) if path else more)
    assert caught.value.field == (f"{path}.more" if path else "more")


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"[]", b"null", b"{", b'{"schema":1,"schema":1}', b"[" * 100_000, "{}"],
)
def test_what_is_no_json_object_is_refused(data: bytes | str) -> None:
    with pytest.raises(BundleInvalid):
        parse_bundle(data)


def test_a_bundle_beyond_four_mebibytes_is_refused_unread() -> None:
    with pytest.raises(BundleInvalid, match="octets"):
        parse_bundle(b" " * (4 * 1024 * 1024 + 1))


def test_the_largest_invoice_fits() -> None:
    lines = [{"name": "x" * 40, "amount": "1.00", "rate": 600}] * 2000
    documents = batch_of(1, make_draft(lines=lines))
    octets = json.dumps(bundle_of(documents, 0)).encode()
    assert len(parse_bundle(octets).disclosures) == 2000


@given(st.binary(max_size=40))
def test_arbitrary_octets_are_refused_politely(octets: bytes) -> None:
    with pytest.raises(BundleInvalid):
        parse_bundle(octets)
