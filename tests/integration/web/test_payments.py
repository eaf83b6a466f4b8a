"""Charging points: a signed notification becomes an invoice once, a forged one never."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook
from werkzeug.test import TestResponse

from tests.integration.web.site import Site

POINT = {
    "name": "汉威国际广场停车场",
    "item": "停车费",
    "rate": 900,
    "prices_include_tax": True,
    "tax_code": "3040502020200000000",
    "drawer": "李四",
}


class Till:
    """A charging system that signs with the Standard Webhooks library."""

    def __init__(self, site: Site, **changes: Any) -> None:
        self._site = site
        made = site.post("/v1/charging-points", POINT | changes)
        assert made.status_code == 201, made.text
        self.id, self.secret = made.get_json()["id"], made.get_json()["secret"]

    def notify(
        self, identity: str = "evt-1", *, at: float | None = None, **payment: Any
    ) -> TestResponse:
        body = {
            "provider": "wechat-pay",
            "reference": "4200002613",
            "amount": "10.00",
            "paid_at": int(time.time()),
            "description": "停车 2 小时 10 分",
        } | payment
        return self.send(json.dumps(body).encode(), identity, at=at)

    def send(
        self, body: bytes, identity: str = "evt-1", *, at: float | None = None, secret: str = ""
    ) -> TestResponse:
        when = datetime.fromtimestamp(int(at or time.time()), UTC)
        signature = Webhook(secret or self.secret).sign(identity, when, body.decode())
        return self._site.client.post(
            "/v1/payments",
            data=body,
            headers={
                "Content-Type": "application/json",
                "Hutong-Charging-Point": self.id,
                "webhook-id": identity,
                "webhook-timestamp": str(int(when.timestamp())),
                "webhook-signature": signature,
            },
        )


def code(answer: TestResponse) -> str:
    return str(answer.get_json(force=True)["code"])


def test_a_payment_becomes_an_invoice_as_the_point_says(site: Site) -> None:
    made = Till(site).notify()
    assert made.status_code == 201
    seen = site.get(made.get_json()["links"]["self"]).get_json()
    assert seen["totals"] == {"net": "9.17", "tax": "0.83", "gross": "10.00"}
    assert seen["kind"] == "ordinary"
    page = site.client.get(made.get_json()["links"]["page"] + "?lang=zh").text
    for text in ("停车费", "停车 2 小时 10 分", "李四", "微信支付", "¥9.17", "9%"):
        assert text in page


def test_a_notification_sent_again_gets_the_first_answer(site: Site) -> None:
    till = Till(site)
    body = {"paid_at": int(time.time()) - 100}
    first, again = till.notify(**body), till.notify(**body, at=time.time() - 60)
    assert again.data == first.data
    assert again.headers["Idempotent-Replayed"] == "true"
    assert code(till.notify(**body, amount="11.00")) == "IdempotencyKeyReused"


def test_a_payment_under_another_id_is_not_invoiced_twice(site: Site) -> None:
    till = Till(site)
    number = till.notify().get_json()["number"]
    again = till.notify("evt-2")
    assert (again.status_code, code(again)) == (409, "PaymentAlreadyInvoiced")
    assert again.get_json(force=True)["values"]["number"] == number


def test_two_points_may_use_the_same_ids(site: Site) -> None:
    first, second = Till(site), Till(site, name="other")
    one = first.notify("evt-1", reference="a")
    two = second.notify("evt-1", reference="b")
    assert one.get_json()["number"] != two.get_json()["number"]


def test_a_forged_or_stale_notification_is_refused(site: Site) -> None:
    till, other = Till(site), Till(site, name="other")
    body = b'{"provider":"x","reference":"y","amount":"1.00"}'
    assert code(till.send(body, secret=other.secret)) == "SignatureInvalid"
    assert code(till.send(body, at=time.time() - 301)) == "SignatureStale"
    assert code(till.send(body, at=time.time() + 302)) == "SignatureStale"
    assert site.get("/v1/invoices").get_json()["items"] == []


@pytest.mark.parametrize("identity", ["cp_0000000000000000", "cp_", "x", "cp_' OR 1=1", ""])
def test_a_point_that_does_not_exist_answers_like_a_forgery(site: Site, identity: str) -> None:
    till = Till(site)
    till.id = identity
    answer = till.notify()
    assert code(answer) == ("SignatureInvalid" if identity else "FieldMissing")


def test_a_signed_body_that_is_no_payment_names_the_field(site: Site) -> None:
    till = Till(site)
    cases: list[tuple[bytes, str, str | None]] = [
        (b"{", "BodyMalformed", None),
        (b"[]", "BodyMalformed", None),
        (b'{"provider":"x","reference":"y"}', "FieldMissing", "amount"),
        (b'{"provider":"x","reference":"y","amount":1}', "FieldInvalid", "amount"),
        (b'{"provider":"x","reference":"y","amount":"1","tip":"1"}', "FieldUnknown", "tip"),
    ]
    for body, name, field in cases:
        problem = till.send(body).get_json(force=True)
        assert (problem["code"], problem.get("field")) == (name, field)


def test_a_closed_point_is_refused_at_once(site: Site) -> None:
    till = Till(site)
    assert till.notify().status_code == 201
    assert site.delete(f"/v1/charging-points/{till.id}").status_code == 204
    assert code(till.notify("evt-2", reference="z")) == "SignatureInvalid"
    assert site.get("/v1/charging-points").get_json()["items"] == []


def test_a_profile_that_no_payment_could_use_is_refused_at_once(site: Site) -> None:
    answer = site.post("/v1/charging-points", POINT | {"rate": 1234})
    assert (answer.status_code, code(answer)) == (422, "RateInvalid")


def test_the_same_request_shows_the_same_secret_again(site: Site) -> None:
    first = site.post("/v1/charging-points", POINT, Idempotency_Key="p").get_json()
    again = site.post("/v1/charging-points", POINT, Idempotency_Key="p").get_json()
    assert first == again
    listed = site.get("/v1/charging-points").get_json()["items"]
    assert [point["id"] for point in listed] == [first["id"]]
    assert "secret" not in listed[0]


def test_anothers_point_cannot_be_closed(site: Site) -> None:
    till = Till(site)
    other = site.new_key(site.registry.merchant(site.gateway.cashier))
    assert code(site.delete(f"/v1/charging-points/{till.id}", key=other)) == "ChargingPointUnknown"
    assert till.notify().status_code == 201
