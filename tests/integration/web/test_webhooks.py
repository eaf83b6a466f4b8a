"""Webhooks: told once a batch or an invoice, signed, told again until taken, never into our own network."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook

from hutong.database import read, write
from hutong.webhooks.model import RETRIES
from hutong.webhooks.notices import Notices
from hutong.webhooks.queue import CLAIM_SECONDS
from hutong.webhooks.sending import Outcome
from hutong.webhooks.store import enqueue, webhook_deliveries, webhook_events
from tests.integration.web.site import Site

BATCH: dict[str, Any] = {
    "first": "26112000000481200001",
    "last": "26112000000481200003",
    "count": 3,
    "book": "26112000000481200001",
    "block": 7,
    "time": 1_795_415_512,
    "transaction": "0x" + "22" * 32,
    "root": bytes(32),
    "block_hash": bytes(32),
}


def subscribe(site: Site, *events: str, url: str = "https://shop.example/hook") -> dict[str, Any]:
    answer = site.post("/v1/webhooks", {"url": url, "events": list(events)})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def land(site: Site, issuer: str | None = None) -> None:
    with write(site.engine) as connection:
        Notices.batch(connection, BATCH | {"issuer": issuer or site.merchant})


def deliver(site: Site, later: float = 0.0) -> int:
    return site.services.webhooks.deliver_due(time.time() + later, patiently=True)


def deliveries(site: Site, hook: dict[str, Any]) -> list[dict[str, Any]]:
    found = site.get(f"/v1/webhooks/{hook['id']}/deliveries").get_json()["items"]
    return list(found)


def test_a_batch_is_told_once_and_signed_so_that_the_library_accepts_it(site: Site) -> None:
    hook = subscribe(site, "batch.onchain")
    land(site)
    assert deliver(site) == 1
    ((target, body, headers),) = site.mailbox.sent
    assert (target.host, target.path) == ("shop.example", "/hook")
    said = Webhook(hook["secret"]).verify(body, headers)
    assert said["type"] == "batch.onchain"
    assert (said["data"]["count"], said["data"]["block"]) == (3, 7)
    assert deliver(site, 10**6) == 0
    assert [found["state"] for found in deliveries(site, hook)] == ["done"]


def test_an_invoice_is_told_by_number_from_the_one_event_of_its_batch(site: Site) -> None:
    subscribe(site, "invoice.onchain")
    land(site)
    with read(site.engine) as connection:
        rows = sa.select(sa.func.count()).select_from(webhook_deliveries)
        assert connection.execute(rows).scalar_one() == 1
    deliver(site)
    told = [json.loads(body)["data"]["number"] for _, body, _ in site.mailbox.sent]
    assert told == [f"2611200000048120000{n}" for n in (1, 2, 3)]
    ids = [headers["webhook-id"] for _, _, headers in site.mailbox.sent]
    assert len(set(ids)) == 3


def test_a_batch_goes_on_where_it_failed_with_the_same_ids(site: Site) -> None:
    hook = subscribe(site, "invoice.onchain")
    land(site)
    site.mailbox.outcomes = [Outcome(204, None), Outcome(500, "it answers 500")]
    deliver(site)
    failed = site.mailbox.sent[-1][2]["webhook-id"]
    (found,) = deliveries(site, hook)
    assert (found["state"], found["place"], found["status"]) == ("pending", 1, 500)
    assert deliver(site) == 0
    deliver(site, RETRIES[0] * 1.2)
    assert site.mailbox.sent[2][2]["webhook-id"] == failed
    assert len(site.mailbox.sent) == 4
    assert deliveries(site, hook)[0]["state"] == "done"


def test_what_is_never_taken_is_dead_in_the_end_and_can_be_sent_again(site: Site) -> None:
    hook = subscribe(site, "batch.onchain")
    land(site)
    site.mailbox.outcomes = [Outcome(None, "timed out")] * (len(RETRIES) + 1)
    while deliver(site, 10**9):
        with write(site.engine) as connection:
            connection.execute(sa.update(webhook_deliveries).values(next_at=0))
    (found,) = deliveries(site, hook)
    assert (found["state"], found["attempts"], found["why"]) == (
        "dead",
        len(RETRIES) + 1,
        "timed out",
    )
    assert len(site.mailbox.sent) == len(RETRIES) + 1
    again = site.post(f"/v1/webhooks/{hook['id']}/deliveries/{found['id']}/redeliver")
    assert (again.status_code, again.get_json()["state"]) == (202, "pending")
    deliver(site)
    assert deliveries(site, hook)[0]["state"] == "done"
    assert len({headers["webhook-id"] for _, _, headers in site.mailbox.sent}) == 1


def test_a_delivery_whose_worker_ended_is_due_again_after_its_claim(site: Site) -> None:
    hook = subscribe(site, "batch.onchain")
    land(site)

    def die(*_: object) -> Outcome:
        raise SystemError

    site.services.webhooks._deliverer._send = die
    deliver(site)
    assert deliveries(site, hook)[0]["state"] == "pending"
    site.services.webhooks._deliverer._send = site.mailbox
    assert deliver(site, CLAIM_SECONDS / 2) == 0
    assert deliver(site, CLAIM_SECONDS + 1) == 1
    assert len(site.mailbox.sent) == 1


def test_gone_ends_the_webhook(site: Site) -> None:
    hook = subscribe(site, "batch.onchain")
    land(site)
    site.mailbox.outcomes = [Outcome(410, "it answers 410")]
    deliver(site)
    seen = site.get(f"/v1/webhooks/{hook['id']}").get_json()
    assert seen["ended_why"] == "it answered 410 Gone"
    land(site)
    assert deliver(site, 10**6) == 0


def test_only_the_participants_own_events_that_it_asked_for_are_told(site: Site) -> None:
    subscribe(site, "book.stalled")
    land(site)
    land(site, site.registry.merchant(site.gateway.cashier))
    assert deliver(site) == 0
    with write(site.engine) as connection:
        Notices.book(connection, "26112000000481200001", site.merchant, {"code": "QuotaExceeded"})
        Notices.book(connection, "26112000000481200001", site.merchant, None)
    assert deliver(site) == 1
    assert json.loads(site.mailbox.sent[0][1])["data"]["why"] == {"code": "QuotaExceeded"}


def test_an_event_that_nobody_asked_for_leaves_no_row(site: Site) -> None:
    with write(site.engine) as connection:
        assert enqueue(connection, "batch.onchain", site.merchant, {}) is None
        rows = sa.select(sa.func.count()).select_from(webhook_events)
        assert connection.execute(rows).scalar_one() == 0


def test_an_event_is_told_only_if_what_it_tells_of_is_stored(site: Site) -> None:
    subscribe(site, "batch.onchain")
    with pytest.raises(ZeroDivisionError), write(site.engine) as connection:
        Notices.batch(connection, BATCH | {"issuer": site.merchant})
        raise ZeroDivisionError
    assert deliver(site) == 0


def test_a_test_notice_is_sent_once_a_key(site: Site) -> None:
    hook = subscribe(site, "batch.onchain")
    first = site.post(f"/v1/webhooks/{hook['id']}/test", Idempotency_Key="t")
    again = site.post(f"/v1/webhooks/{hook['id']}/test", Idempotency_Key="t")
    assert (first.status_code, first.get_json()) == (202, again.get_json())
    deliver(site)
    assert [json.loads(body)["type"] for _, body, _ in site.mailbox.sent] == ["webhook.test"]


def test_a_slow_address_holds_up_only_itself(site: Site) -> None:
    slow = subscribe(site, "batch.onchain", url="https://slow.example/")
    for _ in range(5):
        land(site)
    subscribe(site, "batch.onchain", url="https://quick.example/")
    land(site)
    deliver(site)
    hosts = [target.host for target, _, _ in site.mailbox.sent]
    assert hosts.count("slow.example") == 2
    assert hosts.count("quick.example") == 1
    assert len(deliveries(site, slow)) == 6


def test_a_deleted_webhook_is_told_nothing_and_shown_no_more(site: Site) -> None:
    hook = subscribe(site, "batch.onchain")
    land(site)
    assert site.delete(f"/v1/webhooks/{hook['id']}").status_code == 204
    assert deliver(site, 10**6) == 0
    assert site.get(f"/v1/webhooks/{hook['id']}").status_code == 404
    assert site.get("/v1/webhooks").get_json()["items"] == []
    assert site.delete(f"/v1/webhooks/{hook['id']}").status_code == 204


def test_anothers_webhook_is_unknown(site: Site) -> None:
    hook = subscribe(site, "batch.onchain")
    other = site.new_key(site.registry.merchant(site.gateway.cashier))
    path = f"/v1/webhooks/{hook['id']}"
    for answer in (
        site.get(path, key=other),
        site.delete(path, key=other),
        site.post(f"{path}/test", key=other),
        site.get(f"{path}/deliveries", key=other),
        site.post(f"{path}/deliveries/1/redeliver", key=other),
    ):
        assert answer.get_json(force=True)["code"] == "WebhookUnknown"


def test_an_inner_address_is_refused_when_it_is_given(site: Site) -> None:
    body = {"url": "https://169.254.169.254/", "events": ["batch.onchain"]}
    answer = site.post("/v1/webhooks", body)
    assert answer.get_json(force=True)["code"] == "WebhookUrlRefused"
