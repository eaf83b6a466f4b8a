"""Verification: what holds, what fails and why, what is withheld, what could not be proven."""

import dataclasses
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong import merkle
from hutong.errors import BundleInvalid, NodeError, NodeUnavailable
from hutong.invoices.document import NONE, Document, leaf_of
from hutong.verifier import Report, verify
from hutong.verifier.chain import contracts_at
from tests.unit.invoices.builders import (
    BUYER,
    CHAIN_ID,
    CONTRACT,
    FIRST,
    NOW,
    batch_of,
    bundle_of,
    document_of,
    full_draft,
    make_draft,
)
from tests.unit.verifier.recorded_chain import GENESIS, RecordedChain, revert

DOCUMENTS = batch_of(5)
BUNDLE = bundle_of(DOCUMENTS, 3)
ELSEWHERE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
ALL = [
    "document",
    "disclosures",
    "summary",
    "totals",
    "buyer",
    "payment",
    "chain",
    "contract",
    "issued",
    "seller",
    "currency",
    "position",
    "time",
    "transaction",
]


def verified(bundle: Any = BUNDLE, chain: RecordedChain | None = None, **options: Any) -> Report:
    chain = chain or RecordedChain(DOCUMENTS)
    return verify(bundle, chain, **({"contract": CONTRACT} | options))


def changed(part: str, **changes: Any) -> dict[str, Any]:
    return {**BUNDLE, part: {**BUNDLE[part], **changes}}


def verdicts(report: Report) -> dict[str, str]:
    return {statement.name: statement.verdict for statement in report.statements}


def failing(report: Report) -> set[str]:
    assert not report.holds
    return {name for name, verdict in verdicts(report).items() if verdict == "fails"}


def forged(document: Document, **fields: Any) -> tuple[dict[str, Any], RecordedChain]:
    """An issuer's lie: a summary that differs from its document, properly issued on the chain."""
    summary = document.summary._replace(**fields)
    lie = Document(document.payload, document.disclosures, summary, leaf_of(summary))
    return bundle_of([lie], 0), RecordedChain([lie])


@pytest.mark.parametrize("index", range(5))
def test_every_statement_about_a_true_bundle_holds(index: int) -> None:
    report = verified(bundle_of(DOCUMENTS, index))
    assert [statement.name for statement in report.statements] == ALL
    assert set(verdicts(report).values()) == {"holds"}
    assert report.holds
    assert report.number == f"{FIRST + index:020d}"


def test_a_verification_is_one_request() -> None:
    chain = RecordedChain(DOCUMENTS)
    verified(chain=chain, genesis=GENESIS)
    assert chain.requests == 1


def test_an_invoice_without_buyer_and_payment_holds() -> None:
    documents = [document_of(make_draft())]
    report = verified(bundle_of(documents, 0), RecordedChain(documents))
    assert report.holds
    assert "no buyer" in report["buyer"].sentence_en


def test_a_report_is_json_with_sentences_in_both_languages() -> None:
    bundle = {**BUNDLE, "disclosures": []}
    for statement in json.loads(json.dumps(verified(bundle).to_json()))["statements"]:
        assert set(statement) == {"name", "verdict", "sentence_en", "sentence_zh", "detail"}
        assert statement["sentence_en"].endswith(".")
        assert statement["sentence_zh"].endswith("。")


# --- withheld --------------------------------------------------------------------------------


def test_what_the_holder_withholds_does_not_fail() -> None:
    report = verified({**BUNDLE, "disclosures": []})
    found = verdicts(report)
    assert {name for name in found if found[name] == "withheld"} == {
        "disclosures",
        "totals",
        "buyer",
        "payment",
    }
    assert report.holds
    assert report["disclosures"].detail == {"shown": 0, "withheld": 6, "withheld_lines": 2}


@pytest.mark.parametrize(
    ("hidden", "withheld"), [(0, "totals"), (1, "totals"), (2, "buyer"), (3, "payment")]
)
def test_hiding_one_part_withholds_its_statement_only(hidden: int, withheld: str) -> None:
    shown = [d for i, d in enumerate(BUNDLE["disclosures"]) if i != hidden]
    found = verdicts(verified({**BUNDLE, "disclosures": shown}))
    assert {name for name in found if found[name] != "holds"} == {"disclosures", withheld}


def test_a_buyer_that_the_document_lacks_is_not_merely_withheld() -> None:
    bundle, chain = forged(
        document_of(make_draft()), buyer=bytes(31) + b"1", payment=bytes(31) + b"1"
    )
    assert failing(verified(bundle, chain)) == {"buyer", "payment"}


# --- the document ----------------------------------------------------------------------------


def test_another_document_fails_by_its_fingerprint() -> None:
    other = bundle_of([document_of(full_draft(), FIRST + 3, seed="other")], 0)
    report = verified({**BUNDLE, "payload": other["payload"], "disclosures": other["disclosures"]})
    # Its buyer's salt is another one, too.
    assert failing(report) == {"document", "buyer"}


def test_a_foreign_disclosure_fails_and_leaves_the_rest_unread() -> None:
    foreign = document_of(full_draft(), seed="other").disclosures[2]
    report = verified({**BUNDLE, "disclosures": [foreign]})
    assert failing(report) == {"disclosures"}
    assert {n for n, v in verdicts(report).items() if v == "not-proven"} == {
        "summary",
        "totals",
        "buyer",
        "payment",
    }
    assert report["disclosures"].detail["field"] == "disclosures[0]"


@pytest.mark.parametrize(
    ("fields", "differing"),
    [
        ({"number": FIRST + 7}, ["number"]),
        ({"original": FIRST - 1}, ["original"]),
        ({"gross": 2201}, ["gross"]),
        ({"tax": 150}, ["tax"]),
        ({"gross": 1, "tax": 1}, ["gross", "tax"]),
    ],
)
def test_a_summary_that_differs_from_its_document_fails(
    fields: dict[str, Any], differing: list[str]
) -> None:
    bundle, chain = forged(document_of(full_draft()), **fields)
    report = verified(bundle, chain)
    assert failing(report) == {"summary"}
    assert report["summary"].detail == {"differing": differing}


def test_an_original_that_only_the_document_names_fails() -> None:
    credit = document_of(dataclasses.replace(full_draft(), original=FIRST - 1))
    bundle, chain = forged(credit, original=0)
    assert failing(verified(bundle, chain)) == {"summary"}
    assert verified(bundle_of([credit], 0), RecordedChain([credit])).holds


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"net":"20.49"', b'"net":"20.48"'),
        (b'"net":"20.49"', b'"net":20'),
        (b'"net":"20.49"', b'"nett":"20.49"'),
    ],
)
def test_totals_that_do_not_add_up_fail(old: bytes, new: bytes) -> None:
    bundle, chain = altered(old, new)
    assert failing(verified(bundle, chain)) == {"totals"}


@pytest.mark.parametrize(
    ("old", "new", "fails"),
    [
        (b"urn:hutong:invoice:1", b"urn:hutong:invoice:2", {"summary"}),
        (b'"gross":"22.00"', b'"gross":"22.OO"', {"summary", "totals"}),
        (b'"uscc":"91350000611528672E"', b'"uscc":"91320500628396530U"', {"seller"}),
        (b'"seller":{', b'"vendor":{', {"seller"}),
        (b'"currency":"CNY"', b'"currency":"USD"', {"currency"}),
        (b'"currency":"CNY"', b'"currency":null', {"currency"}),
        (b'"time":1795415514', b'"time":1795499999', {"time"}),
        (b'"time":1795415514', b'"time":"1795415"', {"time"}),
        (b'"totals":{', b'"totals":[],"x":{', {"summary", "totals"}),
    ],
)
def test_a_document_issued_with_a_false_open_field_fails(
    old: bytes, new: bytes, fails: set[str]
) -> None:
    bundle, chain = altered(old, new)
    assert failing(verified(bundle, chain)) == fails


def altered(old: bytes, new: bytes) -> tuple[dict[str, Any], RecordedChain]:
    """A document whose octets were changed before it was issued: everything else fits."""
    document = document_of(full_draft())
    assert old in document.payload
    payload = document.payload.replace(old, new)
    summary = document.summary._replace(document=hashlib.sha256(payload).digest())
    lie = Document(payload, document.disclosures, summary, leaf_of(summary))
    return bundle_of([lie], 0), RecordedChain([lie])


def test_lines_that_do_not_add_up_fail() -> None:
    draft = full_draft()
    cheaper = dataclasses.replace(draft, lines=draft.lines[:1])
    documents = [document_of(cheaper)]
    assert failing(verified(bundle_of(documents, 0), RecordedChain(documents))) == {"totals"}


@pytest.mark.parametrize("name", ["buyer", "payment"])
def test_a_commitment_to_something_else_fails(name: str) -> None:
    bundle, chain = forged(document_of(full_draft()), **{name: merkle.keccak(b"other")})
    assert failing(verified(bundle, chain)) == {name}


@pytest.mark.parametrize("name", ["buyer", "payment"])
def test_a_name_that_the_summary_is_not_bound_to_fails(name: str) -> None:
    bundle, chain = forged(document_of(full_draft()), **{name: NONE})
    assert failing(verified(bundle, chain)) == {name}


def test_a_document_that_is_no_json_fails_without_raising() -> None:
    document = document_of(full_draft())
    summary = document.summary._replace(document=hashlib.sha256(b"not json").digest())
    lie = Document(b"not json", [], summary, leaf_of(summary))
    report = verified(bundle_of([lie], 0), RecordedChain([lie]))
    assert failing(report) == {"disclosures", "seller", "currency", "time"}


# --- the chain -------------------------------------------------------------------------------


def test_another_chain_fails() -> None:
    chain = RecordedChain(DOCUMENTS)
    chain.chain_id = 1
    assert failing(verified(chain=chain)) == {"chain"}
    assert failing(verified(changed("chain", chain_id=1))) == {"chain"}


def test_another_chain_of_the_same_id_fails_by_its_genesis() -> None:
    assert verified(genesis=GENESIS.upper().replace("X", "x")).holds
    assert failing(verified(genesis="0x" + "00" * 32)) == {"chain"}


def test_without_a_trusted_contract_nothing_is_proven() -> None:
    report = verified(contract=None)
    assert report["contract"].verdict == "not-proven"
    assert not report.holds
    assert failing(report) == set()


def test_a_bundle_that_names_another_contract_fails() -> None:
    report = verified(changed("chain", invoices=ELSEWHERE))
    assert failing(report) == {"contract"}


def test_the_trusted_contract_is_the_one_that_is_asked() -> None:
    report = verified(contract=ELSEWHERE.lower())
    assert failing(report) == {"contract", "issued"}
    assert "no invoice contract" in report["issued"].sentence_en.lower()


def test_a_contract_that_is_no_address_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="no address"):
        verified(contract="Invoices")


def test_an_unknown_number_fails_in_words() -> None:
    chain = RecordedChain(DOCUMENTS[:3])
    report = verified(chain=chain)
    assert failing(report) == {"issued"}
    assert report["issued"].detail["code"] == "InvoiceUnknown"
    assert report["issued"].sentence_en == "No invoice of this number is on the chain."
    assert {n for n, v in verdicts(report).items() if v == "not-proven"} == {
        "seller",
        "currency",
        "position",
        "time",
        "transaction",
    }


def test_another_leaf_at_the_number_fails_in_words() -> None:
    others = batch_of(5, make_draft())
    report = verified(chain=RecordedChain(others))
    assert failing(report) == {"issued"}
    assert report["issued"].detail["code"] == "ProofInvalid"


@pytest.mark.parametrize(
    "answer",
    [
        "0x",
        "0x00",
        "0x" + "ff" * 288,
        "none",
        NodeError("execution reverted", rpc_code=3, data=b"\x01"),
    ],
)
def test_another_kind_of_contract_fails_in_words(answer: object) -> None:
    chain = RecordedChain(DOCUMENTS)
    chain.answer = answer
    assert "issued" in failing(verified(chain=chain))


def test_a_contract_that_confirms_somebody_elses_place_fails() -> None:
    chain = RecordedChain(DOCUMENTS)
    answer = chain.call(CONTRACT, call_data(chain))
    assert isinstance(answer, str)
    chain.answer = answer.replace(merkle.root(chain.leaves).hex(), "11" * 32)
    assert failing(verified(chain=chain)) == {"position"}


def call_data(chain: RecordedChain) -> bytes:
    document = DOCUMENTS[3]
    proof = merkle.proof(chain.leaves, 3)
    return contracts_at(CONTRACT).encode("Invoices", "check", document.summary._asdict(), proof)


def test_the_issuer_on_the_chain_is_the_seller() -> None:
    chain = RecordedChain(DOCUMENTS)
    chain.issuer = "91320500628396530U"
    assert failing(verified(chain=chain)) == {"seller"}


@pytest.mark.parametrize(
    "changes", [{"first": f"{FIRST - 1:020d}"}, {"index": 2}, {"count": 6}, {"count": 4}]
)
def test_a_false_place_in_the_batch_fails(changes: dict[str, Any]) -> None:
    assert failing(verified(changed("proof", **changes))) == {"position"}


def test_a_false_place_fails_even_where_the_issuer_put_a_leaf_twice() -> None:
    twins = [DOCUMENTS[0], DOCUMENTS[0]]
    assert verified(bundle_of(twins, 0), RecordedChain(twins)).holds
    assert failing(verified(bundle_of(twins, 1), RecordedChain(twins))) == {"position"}


def test_a_false_block_fails_and_an_unknown_one_does_not() -> None:
    assert failing(verified(changed("chain", block=18))) == {"position"}
    assert verified(changed("chain", block=None)).holds


def test_a_document_may_be_a_little_ahead_of_its_block() -> None:
    chain = RecordedChain(DOCUMENTS)
    chain.time = NOW - 300
    assert verified(chain=chain).holds
    chain.time = NOW - 301
    assert failing(verified(chain=chain)) == {"time"}


def test_a_transaction_that_the_node_does_not_know_is_not_proven() -> None:
    report = verified(changed("chain", transaction="0x" + "5b" * 32))
    assert report["transaction"].verdict == "not-proven"
    assert not report.holds
    without = verified(changed("chain", transaction=None))
    assert without.holds
    assert "transaction" not in verdicts(without)


@pytest.mark.parametrize("log", [{"first": FIRST + 5}, {"address": ELSEWHERE}, None])
def test_a_transaction_that_did_something_else_fails(log: dict[str, Any] | None) -> None:
    chain = RecordedChain(DOCUMENTS)
    logs = [] if log is None else [chain.issued_log(**log)]
    chain.receipts = {name: {"logs": logs} for name in chain.receipts}
    assert failing(verified(chain=chain)) == {"transaction"}


def test_a_transaction_that_only_opened_the_book_fails() -> None:
    chain = RecordedChain(DOCUMENTS)
    opened = chain.issued_log()
    signature = merkle.keccak(b"BookOpened(bytes18,uint96,uint96,bytes3)")
    opened["topics"] = ["0x" + signature.hex(), *opened["topics"][1:3]]
    last, currency = (FIRST + 9).to_bytes(32, "big"), b"CNY".ljust(32, b"\0")
    opened["data"] = "0x" + (last + currency).hex()
    chain.receipts = {name: {"logs": [opened]} for name in chain.receipts}
    assert failing(verified(chain=chain)) == {"transaction"}


def test_a_node_that_fails_is_not_taken_for_an_answer() -> None:
    class Away(RecordedChain):
        def batch(self, calls: Any) -> list[Any]:
            raise NodeUnavailable("away")

    class Broken(RecordedChain):
        def batch(self, calls: Any) -> list[Any]:
            return [NodeError("rate limit", rpc_code=-32005) for _ in calls]

    with pytest.raises(NodeUnavailable):
        verified(chain=Away(DOCUMENTS))
    with pytest.raises(NodeError):
        verified(chain=Broken(DOCUMENTS))


def test_a_refusal_by_an_unexpected_error_is_told_with_its_name() -> None:
    chain = RecordedChain(DOCUMENTS)
    chain.answer = revert("BookUnknown(uint96)", ["uint96"], [1])
    report = verified(chain=chain)
    assert report["issued"].detail["code"] == "BookUnknown"


# --- any change at all -----------------------------------------------------------------------

LEAVES: list[tuple[tuple[str | int, ...], object]] = []


def _collect(value: Any, path: tuple[str | int, ...]) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _collect(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _collect(inner, (*path, index))
    else:
        LEAVES.append((path, value))


_collect(BUNDLE, ())


def breaks(bundle: Any) -> bool:
    try:
        return not verified(bundle).holds
    except BundleInvalid:
        return True


@given(st.data())
def test_any_changed_character_of_any_part_is_noticed(data: st.DataObject) -> None:
    path, value = data.draw(st.sampled_from(LEAVES))
    copy: Any = json.loads(json.dumps(BUNDLE))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    if isinstance(value, str):
        place = data.draw(st.integers(0, len(value) - 1))
        char = data.draw(
            st.characters(min_codepoint=32, max_codepoint=126).filter(lambda c: c != value[place])
        )
        inner[path[-1]] = value[:place] + char + value[place + 1 :]
    else:
        inner[path[-1]] = data.draw(st.integers(-1, 2**60).filter(lambda n: n != value))
    assert breaks(copy)


@given(st.data())
def test_any_changed_octet_of_the_file_is_noticed(data: st.DataObject) -> None:
    octets = json.dumps(BUNDLE, separators=(",", ":")).encode()
    place = data.draw(st.integers(0, len(octets) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda n: n != octets[place]))
    assert breaks(octets[:place] + bytes([other]) + octets[place + 1 :])


def test_the_example_of_these_tests_is_bound_to_all_it_shows() -> None:
    report = verified()
    assert report["buyer"].detail == {"uscc": BUYER["uscc"]}
    assert report["chain"].detail == {"bundle": CHAIN_ID, "node": CHAIN_ID}
