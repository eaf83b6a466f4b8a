"""Many invoices of one batch: one question to the chain, and nothing let through for it."""

from __future__ import annotations

import pytest

from hutong.invoices.bundle import parse_bundle
from hutong.verifier import BatchVerifier
from tests.unit.invoices.builders import CONTRACT, batch_of, bundle_of
from tests.unit.verifier.recorded_chain import RecordedChain

DOCUMENTS = batch_of(5)


def test_a_batch_is_asked_about_once() -> None:
    chain = RecordedChain(DOCUMENTS)
    verifier = BatchVerifier(chain, CONTRACT)
    for index in range(5):
        report = verifier.verify(parse_bundle(bundle_of(DOCUMENTS, index)))
        assert report.holds
        assert int(report.number) == DOCUMENTS[index].summary.number
    assert chain.requests == 1


@pytest.mark.parametrize("field", ["gross", "tax"])
def test_an_altered_invoice_of_a_known_batch_fails(field: str) -> None:
    verifier = BatchVerifier(RecordedChain(DOCUMENTS), CONTRACT)
    assert verifier.verify(parse_bundle(bundle_of(DOCUMENTS, 0))).holds
    bundle = bundle_of(DOCUMENTS, 1)
    bundle["summary"] = {**bundle["summary"], field: str(int(bundle["summary"][field]) + 1)}
    report = verifier.verify(parse_bundle(bundle))
    assert not report.holds
    assert report["issued"].verdict == "fails"


def test_a_proof_of_another_place_in_a_known_batch_fails() -> None:
    verifier = BatchVerifier(RecordedChain(DOCUMENTS), CONTRACT)
    assert verifier.verify(parse_bundle(bundle_of(DOCUMENTS, 0))).holds
    bundle = bundle_of(DOCUMENTS, 1)
    bundle["proof"] = bundle_of(DOCUMENTS, 2)["proof"]
    assert not verifier.verify(parse_bundle(bundle)).holds


def test_a_batch_of_which_nothing_held_is_asked_about_again() -> None:
    chain = RecordedChain(DOCUMENTS[:2])
    verifier = BatchVerifier(chain, CONTRACT)
    for index in (3, 4):
        assert not verifier.verify(parse_bundle(bundle_of(DOCUMENTS, index))).holds
    assert chain.requests == 2
