"""No input makes a 500: whatever is sent, the answer says what is wrong or does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from hutong.database import open_database
from tests.integration.gateway import Gateway, make_invoice
from tests.integration.registry import Registry
from tests.integration.web.site import Site

_GIVEN = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

#: What people and programs get wrong, beside what hypothesis thinks of.
_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ["", "\x00", "\ud7ff\uffff", "１２.00", "1e3", "-0", "0.00", "9" * 30, "900", "x" * 700]
    ),
)
_JSON = st.recursive(
    _ODD,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """One SQLite database for all examples."""
    return open_database(f"sqlite:///{tmp_path_factory.mktemp('fuzz') / 'hutong.db'}")


@pytest.fixture(scope="module")
def site(database: Engine, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder: Path = tmp_path_factory.mktemp("fuzz-home")
    return Site(database, Gateway(database, folder), Registry(database), folder)


def check(answer: Any) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        problem = answer.get_json(force=True)
        assert problem["code"]
        assert problem["detail"]


def mutated(data: st.DataObject, value: Any) -> Any:
    """`value` with one part of it replaced, removed or added."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 3)):
        name = data.draw(st.sampled_from(sorted(value)))
        if data.draw(st.booleans()):
            return value | {name: mutated(data, value[name])}
        return {key: kept for key, kept in value.items() if key != name}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        return [mutated(data, value[0]), *value[1:]]
    return data.draw(_JSON)


@_GIVEN
@given(st.data())
def test_no_invoice_makes_a_500(site: Site, data: st.DataObject) -> None:
    body = make_invoice(
        amount="12.00",
        kind="ordinary",
        currency="CNY",
        buyer={"uscc": "91350000611528672E", "name": "福建恒安集团有限公司", "address": "a"},
        totals={"net": "11.01", "tax": "0.99", "gross": "12.00"},
        remarks="r",
    )
    body["lines"][0] |= {"quantity": "1", "unit_price": "12.00", "unit": "次", "nature": "normal"}
    for _ in range(data.draw(st.integers(1, 2))):
        body = mutated(data, body)
    octets = json.dumps(body).encode()
    check(site.post("/v1/invoices", octets))
    answer = site.post("/v1/invoices/bulk", octets, Content_Type="application/x-ndjson")
    codes = [json.loads(line).get("error", {}).get("code") for line in answer.data.splitlines()]
    assert answer.status_code == 200
    assert "Internal" not in codes


@_GIVEN
@given(
    path=st.sampled_from(
        ["/v1/invoices", "/v1/invoices/bulk", "/v1/keys", "/v1/webhooks", "/v1/charging-points"]
    ),
    octets=st.binary(max_size=200),
)
def test_no_octets_make_a_500(site: Site, path: str, octets: bytes) -> None:
    kind = "application/x-ndjson" if path.endswith("bulk") else "application/json"
    check(site.post(path, octets, Content_Type=kind))


@_GIVEN
@given(
    st.data(),
    st.sampled_from(
        [
            ("/v1/keys", {"label": "l", "roles": ["read"]}),
            ("/v1/webhooks", {"url": "https://a.example/", "events": ["book.stalled"]}),
            (
                "/v1/charging-points",
                {
                    "name": "n",
                    "item": "i",
                    "rate": 900,
                    "prices_include_tax": True,
                    "tax_code": "3040502020200000000",
                    "book": "26112000000000000001",
                },
            ),
        ]
    ),
)
def test_nothing_that_is_set_up_makes_a_500(
    site: Site, data: st.DataObject, what: tuple[str, dict[str, Any]]
) -> None:
    path, body = what
    check(site.post(path, json.dumps(mutated(data, body)).encode()))


@_GIVEN
@given(
    path=st.sampled_from(
        [
            "/v1/invoices/{}", "/v1/invoices/{}/bundle", "/v1/batches/{}", "/v1/webhooks/{}",
            "/v1/webhooks/{}/deliveries", "/v1/keys/{}", "/i/{}", "/i/{}/state", "/docs/{}",
            "/v1/invoices?cursor={}", "/v1/invoices?since={}", "/v1/invoices?min_gross={}",
            "/v1/invoices?content={}", "/v1/invoices?{}",
        ]
    ),
    part=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
)  # fmt: skip
def test_no_path_or_query_makes_a_500(site: Site, path: str, part: str) -> None:
    check(site.get(path.format(part), Accept="application/json"))


@_GIVEN
@given(
    name=st.sampled_from(
        ["Authorization", "Idempotency-Key", "Content-Type", "If-None-Match", "Accept", "Hutong-Charging-Point",
         "webhook-id", "webhook-timestamp", "webhook-signature", "Accept-Language", "Host"]
    ),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60),
)  # fmt: skip
def test_no_header_makes_a_500(site: Site, name: str, value: str) -> None:
    headers = {
        "Authorization": f"Bearer {site.key}",
        "Content-Type": "application/json",
        "Idempotency-Key": "k",
        "Hutong-Charging-Point": "cp_0000000000000000",
        "webhook-id": "i",
        "webhook-timestamp": "1",
        "webhook-signature": "v1,AA",
        "Accept": "application/json",
    } | {name: value}
    for answer in (
        site.client.post("/v1/payments", data=b"{}", headers=headers),
        site.client.post("/v1/keys", data=b"{}", headers=headers),
        site.client.get("/v1/books", headers=headers),
        site.client.get("/", headers=headers),
    ):
        assert answer.status_code < 500, answer.text
