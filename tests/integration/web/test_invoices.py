"""Issuing, looking up, proving and listing over HTTP."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.integration.batching import cutter
from tests.integration.gateway import make_invoice
from tests.integration.web.site import Site


def code(answer: object) -> str:
    return str(answer.get_json(force=True)["code"])  # type: ignore[attr-defined]


def test_an_invoice_gets_number_promise_and_links(site: Site) -> None:
    answer = site.post("/v1/invoices", make_invoice(amount="12.00"))

    made = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == made["links"]["self"] == f"/v1/invoices/{made['number']}"
    assert made["status"] == "promised"
    assert made["promise"]["count"] == 1
    assert made["promise"]["root"] == made["leaf"]
    assert made["before"] == made["promise"]["before"] > made["accepted_at"]
    seen = site.get(made["links"]["self"]).get_json()
    assert seen["totals"]["gross"] == seen["document"]["totals"]["gross"] == "12.00"
    assert seen["promise"] == made["promise"]
    assert seen["chain"] is None


def test_the_same_key_and_content_get_the_same_answer(site: Site) -> None:
    body = make_invoice()
    first = site.post("/v1/invoices", body, Idempotency_Key="k")
    again = site.post("/v1/invoices", body, Idempotency_Key="k")
    other = site.post("/v1/invoices", make_invoice(), Idempotency_Key="k")

    assert (again.status_code, again.data) == (201, first.data)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, code(other)) == (409, "IdempotencyKeyReused")


def test_a_payment_is_invoiced_once(site: Site) -> None:
    body = make_invoice()
    number = site.post("/v1/invoices", body).get_json()["number"]
    again = site.post("/v1/invoices", body)
    problem = again.get_json(force=True)
    assert (again.status_code, problem["code"]) == (409, "PaymentAlreadyInvoiced")
    assert problem["values"] == {"number": number}


def test_a_fault_names_field_rule_and_where_it_is_explained(site: Site) -> None:
    body = make_invoice(lines=[{"name": "a", "amount": "1.00", "rate": 1234}])
    answer = site.post("/v1/invoices", body)
    problem = answer.get_json(force=True)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert (problem["code"], problem["field"]) == ("RateInvalid", "lines[0].rate")
    assert f'id="{problem["code"]}"' in site.client.get("/problems").text


def test_the_bundle_is_there_once_the_batch_has_landed(site: Site) -> None:
    links = site.post("/v1/invoices", make_invoice(amount="12.00")).get_json()
    early = site.get(links["links"]["bundle"])
    cutter(site.gateway).step(partial=True)
    block = site.registry.land(links["number"], spent=1200)

    bundle = site.get(links["links"]["bundle"])
    seen = site.get(links["links"]["self"]).get_json()

    assert (early.status_code, code(early)) == (409, "NotYetOnChain")
    assert bundle.status_code == 200
    assert bundle.get_json()["chain"]["block"] == block
    assert (seen["status"], seen["chain"]["block"]) == ("onchain", block)
    batch = site.get(f"/v1/batches/{seen['chain']['batch']}").get_json()
    assert batch["leaves"] == [links["leaf"]]


def test_what_did_not_change_is_not_sent_again(site: Site) -> None:
    path = site.post("/v1/invoices", make_invoice()).get_json()["links"]["self"]
    first = site.get(path)
    again = site.get(path, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    cutter(site.gateway).step(partial=True)
    site.registry.land(path[-20:], spent=100)
    assert site.get(path, **{"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_others_see_nothing(site: Site) -> None:
    made = site.post("/v1/invoices", make_invoice()).get_json()
    other = site.new_key(site.registry.merchant(site.gateway.cashier))
    for path in (made["links"]["self"], made["links"]["bundle"]):
        assert code(site.get(path, key=other)) == "InvoiceUnknown"
    assert site.get("/v1/invoices", key=other).get_json()["items"] == []


def test_a_list_is_paged_and_filtered(site: Site) -> None:
    made = [
        site.post("/v1/invoices", make_invoice(amount=f"{n}.00")).get_json()["number"]
        for n in range(1, 6)
    ]
    first = site.get("/v1/invoices?limit=2&min_gross=2.00")
    page = first.get_json()
    assert [item["number"] for item in page["items"]] == [made[4], made[3]]
    assert f"cursor={page['next']}" in first.headers["Link"]
    rest = site.get(f"/v1/invoices?limit=2&min_gross=2.00&cursor={page['next']}").get_json()
    assert [item["number"] for item in rest["items"]] == [made[2], made[1]]
    assert rest["next"] is None


def test_an_invoice_is_found_by_the_hash_of_what_was_sent(site: Site) -> None:
    body = json.dumps(make_invoice()).encode()
    number = site.post("/v1/invoices", body).get_json()["number"]
    found = site.get(f"/v1/invoices?content={hashlib.sha256(body).hexdigest()}").get_json()
    assert [item["number"] for item in found["items"]] == [number]
    assert site.get(f"/v1/invoices?content={'0' * 64}").get_json()["items"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=lost", "status"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("since=-1", "since"),
        ("since=99999999999999999999", "since"),
        ("cursor=1", "cursor"),
        ("content=xyz", "content"),
        ("min_gross=1.234", "min_gross"),
        ("colour=red", "colour"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_a_bad_filter_is_named(site: Site, query: str, field: str) -> None:
    answer = site.get(f"/v1/invoices?{query}")
    assert (answer.status_code, answer.get_json(force=True)["field"]) == (422, field)


def test_the_greatest_amount_is_no_overflow(site: Site) -> None:
    assert site.get(f"/v1/invoices?max_gross={'9' * 18}.99").status_code == 200


def test_books_and_quota_say_what_is_left(site: Site) -> None:
    site.post("/v1/invoices", make_invoice(amount="12.00"))
    book = site.get("/v1/books").get_json()["items"][0]
    quota = site.get("/v1/quota").get_json()["items"][0]
    assert int(book["next"]) == int(book["landed"]) + 1
    assert book["left"] == 99_999
    assert quota == {
        "currency": "CNY",
        "month": quota["month"],
        "amount": "10000000000.00",
        "spent": "0.00",
        "pending": "12.00",
        "left": "9999999988.00",
    }


def test_bulk_answers_line_by_line_and_repeats(site: Site) -> None:
    lines = [json.dumps(make_invoice(amount=f"{n}.00")) for n in range(1, 4)]
    lines.insert(1, "{oops")
    body = "\n".join(lines).encode()
    headers = {"Idempotency_Key": "bulk-1", "Content_Type": "application/x-ndjson"}
    answer = site.post("/v1/invoices/bulk", body, **headers)
    again = site.post("/v1/invoices/bulk", body, **headers)

    said = [json.loads(line) for line in answer.data.splitlines()]
    assert answer.content_type == "application/x-ndjson"
    assert [entry.get("index") for entry in said[:4]] == [0, None, 1, 2]
    assert said[1]["error"]["code"] == "BodyMalformed"
    assert said[4]["promise"]["count"] == 3
    assert said[5]["done"] == {"lines": 4, "accepted": 3, "repeated": 0, "refused": 1}
    repeated = [json.loads(line) for line in again.data.splitlines()]
    assert [entry.get("number") for entry in repeated[:4]] == [
        entry.get("number") for entry in said[:4]
    ]
    assert repeated[-1]["done"]["repeated"] == 3


def test_a_body_that_is_too_large_is_refused_before_anything_is_accepted(site: Site) -> None:
    answer = site.post("/v1/invoices", b" " * (1024 * 1024 + 1))
    assert (answer.status_code, code(answer)) == (413, "BodyTooLarge")
