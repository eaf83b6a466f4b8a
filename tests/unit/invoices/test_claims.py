"""Disclosures put back in place: the rules of RFC 9901, section 7.1, each broken in turn."""

import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.errors import BundleInvalid
from hutong.invoices.claims import digest, read_claims
from tests.unit.invoices.builders import document_of, full_draft


def disclosure(*parts: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).rstrip(b"=").decode()


def payload(**claims: Any) -> bytes:
    return orjson.dumps(claims)


def refused(octets: bytes, *disclosures: str, match: str, field: str) -> None:
    with pytest.raises(BundleInvalid, match=match) as caught:
        read_claims(octets, disclosures)
    assert caught.value.field == field


def test_a_digest_is_the_one_that_the_rfc_computes() -> None:
    # RFC 9901, section 4.2.3: the disclosure of family_name, and its digest.
    text = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert digest(text) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    claims = read_claims(payload(_sd=[digest(text)], _sd_alg="sha-256"), [text])
    assert claims.claims == {"family_name": "Möbius"}


@given(st.sets(st.integers(0, 5)))
def test_what_is_not_shown_is_counted_and_left_out(shown: set[int]) -> None:
    document = document_of(full_draft())
    claims = read_claims(document.payload, [document.disclosures[i] for i in sorted(shown)])
    names = ["buyer", "payment", "remarks", "drawer"]
    assert claims.shown == len(shown)
    assert claims.withheld_lines == 2 - len(shown & {0, 1})
    assert claims.withheld_claims == 4 - len(shown & {2, 3, 4, 5})
    assert len(claims.claims["lines"]) == len(shown & {0, 1})
    assert {name for name in names if name in claims.claims} == {
        name for place, name in enumerate(names, 2) if place in shown
    }


def test_the_order_of_disclosures_does_not_matter_but_that_of_lines_stays() -> None:
    document = document_of(full_draft())
    forward = read_claims(document.payload, document.disclosures)
    assert read_claims(document.payload, document.disclosures[::-1]) == forward


def test_disclosures_within_disclosures_are_put_in_place() -> None:
    inner = disclosure("s", "city", "北京")
    outer = disclosure("s", "address", {"_sd": [digest(inner)], "country": "CN"})
    octets = payload(_sd=[digest(outer)])
    assert read_claims(octets, [outer, inner]).claims == {
        "address": {"city": "北京", "country": "CN"}
    }
    assert read_claims(octets, [outer]).withheld == 1
    refused(octets, inner, match="does not stand", field="disclosures[0]")


def test_a_disclosure_given_twice_is_refused() -> None:
    one = disclosure("s", "a", 1)
    refused(payload(_sd=[digest(one)]), one, one, match="given twice", field="disclosures[1]")


def test_a_digest_that_stands_twice_is_refused_shown_or_not() -> None:
    one = disclosure("s", "a", 1)
    twice = payload(_sd=[digest(one), digest(one)])
    refused(twice, one, match="stands twice", field="payload")
    refused(twice, match="stands twice", field="payload")
    apart = payload(_sd=[digest(one)], lines=[{"...": digest(one)}])
    refused(apart, match="stands twice", field="payload")


def test_a_disclosure_that_belongs_nowhere_is_refused() -> None:
    refused(payload(a=1), disclosure("s", "b", 1), match="does not stand", field="disclosures[0]")


def test_a_claim_does_not_stand_in_for_an_element_nor_the_reverse() -> None:
    claim, element = disclosure("s", "a", 1), disclosure("s", 1)
    refused(payload(_sd=[digest(element)]), element, match="belong", field="disclosures[0]")
    refused(payload(x=[{"...": digest(claim)}]), claim, match="belong", field="disclosures[0]")


def test_a_claim_that_is_there_already_is_not_replaced() -> None:
    gross = disclosure("s", "totals", {"gross": "1.00"})
    open_too = payload(totals={"gross": "9.00"}, _sd=[digest(gross)])
    refused(open_too, gross, match="repeats", field="payload.totals")
    again = disclosure("t", "totals", {"gross": "2.00"})
    both = payload(_sd=[digest(gross), digest(again)])
    refused(both, gross, again, match="repeats", field="payload.totals")


@pytest.mark.parametrize("name", ["_sd", "..."])
def test_a_disclosure_cannot_bring_digests_of_its_own(name: str) -> None:
    one = disclosure("s", name, [])
    refused(payload(_sd=[digest(one)]), one, match="salt and a name", field="disclosures[0]")


@pytest.mark.parametrize(
    "parts", [[], ["s"], ["s", "a", 1, 2], {"s": 1}, "s", [1, "a", 1], ["s", 1, 1]]
)
def test_a_disclosure_of_another_shape_is_refused(parts: Any) -> None:
    one = base64.urlsafe_b64encode(orjson.dumps(parts)).rstrip(b"=").decode()
    with pytest.raises(BundleInvalid) as caught:
        read_claims(payload(_sd=[digest(one)]), [one])
    assert caught.value.field == "disclosures[0]"


@pytest.mark.parametrize("text", ["A", "????", "AAAA", "_____w"])
def test_a_disclosure_that_is_no_json_is_refused(text: str) -> None:
    refused(payload(_sd=[digest(text)]), text, match="not a disclosure", field="disclosures[0]")


@pytest.mark.parametrize(
    "claims",
    [
        {"_sd": "x"},
        {"_sd": [1]},
        {"x": [{"...": 1}]},
        {"x": [{"...": "d", "y": 1}]},
        {"x": {"...": "d"}},
        {"_sd_alg": "sha-512"},
        {"_sd_alg": None},
    ],
)
def test_digests_in_another_form_are_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(BundleInvalid):
        read_claims(payload(**claims), [])


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"a":1,"a":2}',
        b'{"a":1.0}',
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b'{"a":' * 100_000,
        b'{"a":' * 22 + b"1" + b"}" * 22,
        b'{"a":' + b"[" * 22 + b"]" * 22 + b"}",
    ],
    ids=[
        "nothing",
        "list",
        "no text",
        "name twice",
        "fraction",
        "nan",
        "half",
        "deep",
        "deepish",
        "lists",
    ],
)
def test_octets_that_readers_could_read_differently_are_refused(octets: bytes) -> None:
    with pytest.raises(BundleInvalid) as caught:
        read_claims(octets, [])
    assert caught.value.field == "payload"


def test_disclosures_do_not_nest_without_end() -> None:
    chain = [disclosure("s", "a", 1)]
    for _ in range(30):
        chain.append(disclosure("s", "a", {"_sd": [digest(chain[-1])]}))
    refused(payload(_sd=[digest(chain[-1])]), *chain, match="too deeply", field="payload")
