"""Who may do what: keys, roles, suspension, wrong keys, and what leaves the house with every answer."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import sqlalchemy as sa

from hutong.config import Settings
from hutong.database import read
from hutong.gateway.app import create_app
from hutong.gateway.attempts import MOST
from hutong.participants import service
from hutong.participants.keys import api_keys
from tests.integration.gateway import make_invoice
from tests.integration.web.site import Site


def test_a_key_is_shown_once_and_stored_nowhere(site: Site) -> None:
    made = site.post("/v1/keys", {"roles": ["read"], "label": "till"}).get_json()
    secret = made["secret"]
    assert secret.startswith("hk_")
    assert len(secret) == 46
    with read(site.engine) as connection:
        rows = connection.execute(sa.select(api_keys)).all()
    assert all(secret not in str(row) and secret[3:] not in str(row) for row in rows)
    listed = site.get("/v1/keys").get_json()["items"]
    assert made["id"] in {key["id"] for key in listed}
    assert all("secret" not in key for key in listed)
    assert secret.startswith(made["prefix"])
    assert len(made["prefix"]) < 12


def test_the_same_request_shows_the_same_key_again(site: Site) -> None:
    body = {"roles": ["read"]}
    first = site.post("/v1/keys", body, Idempotency_Key="once").get_json()
    again = site.post("/v1/keys", body, Idempotency_Key="once").get_json()
    other = site.post("/v1/keys", {"roles": ["issue"]}, Idempotency_Key="once")
    assert first == again
    assert other.get_json(force=True)["code"] == "IdempotencyKeyReused"
    assert site.get("/v1/invoices", key=first["secret"]).status_code == 200


def test_a_revoked_key_stops_at_once(site: Site) -> None:
    made = site.post("/v1/keys", {"roles": ["read"]}).get_json()
    assert site.get("/v1/books", key=made["secret"]).status_code == 200
    assert site.delete(f"/v1/keys/{made['id']}").status_code == 204
    answer = site.get("/v1/books", key=made["secret"])
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (
        401,
        'Bearer realm="hutong"',
    )
    assert site.delete(f"/v1/keys/{made['id']}").status_code == 204
    assert site.delete("/v1/keys/key_0000000000000000").status_code == 404


def test_a_key_of_one_participant_cannot_revoke_anothers(site: Site) -> None:
    other = site.new_key(site.registry.merchant(site.gateway.cashier))
    mine = site.get("/v1/keys").get_json()["items"][0]["id"]
    assert site.delete(f"/v1/keys/{mine}", key=other).status_code == 404
    assert site.get("/v1/keys").status_code == 200


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("issue", {"issue", "look", "books"}),
        ("read", {"look", "books", "points", "hooks"}),
        ("admin", {"keys", "points", "hooks", "new key"}),
    ],
)
def test_a_role_opens_what_it_says_and_nothing_else(
    site: Site, role: str, allowed: set[str]
) -> None:
    key = site.new_key(site.merchant, role)
    answers = {
        "issue": site.post("/v1/invoices", make_invoice(), key=key),
        "look": site.get("/v1/invoices", key=key),
        "books": site.get("/v1/books", key=key),
        "points": site.get("/v1/charging-points", key=key),
        "hooks": site.get("/v1/webhooks", key=key),
        "keys": site.get("/v1/keys", key=key),
        "new key": site.post("/v1/keys", {"roles": ["read"]}, key=key),
    }
    assert {name for name, answer in answers.items() if answer.status_code < 300} == allowed
    refused = [answer for name, answer in answers.items() if name not in allowed]
    assert {answer.get_json(force=True)["code"] for answer in refused} == {"ScopeMissing"}


def test_a_suspended_participant_reads_but_changes_nothing(site: Site) -> None:
    site.registry.suspend(site.merchant)
    key = site.new_key(site.merchant)
    assert site.get("/v1/invoices", key=key).status_code == 200
    for path, body in (
        ("/v1/invoices", make_invoice()),
        ("/v1/keys", {"roles": ["read"]}),
        ("/v1/webhooks", {"url": "https://a.example", "events": ["book.stalled"]}),
    ):
        answer = site.post(path, body, key=key)
        assert (answer.status_code, answer.get_json(force=True)["code"]) == (
            403,
            "ParticipantSuspended",
        )


@pytest.mark.parametrize("shown", ["", "hk_x", "Basic aGs6", "Bearer", "Bearer ", "Bearer hk_\xff"])
def test_who_shows_no_right_key_is_told_how(site: Site, shown: str) -> None:
    headers = {"Authorization": shown} if shown else {}
    answer = site.client.get("/v1/books", headers=headers)
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (401, "KeyUnknown")


def test_too_many_wrong_keys_wait_and_right_ones_pass(site: Site) -> None:
    codes = [site.get("/v1/books", key="hk_wrong").status_code for _ in range(MOST + 1)]
    assert codes == [401] * MOST + [429]
    waiting = site.get("/v1/books", key="hk_wrong")
    assert 0 < int(waiting.headers["Retry-After"]) <= 60
    assert site.get("/v1/books").status_code == 200


def test_when_a_key_was_used_is_written_beside_the_requests(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.get("/v1/books")
    assert site.get("/v1/keys").get_json()["items"][0]["used_at"] is None
    site.services.keys.note_uses()
    assert site.get("/v1/keys").get_json()["items"][0]["used_at"] > 0
    assert service._USE_SECONDS >= 60


def test_every_answer_carries_the_headers_that_protect(site: Site) -> None:
    for path in ("/", "/v1/books", "/nowhere", "/static/house.css", "/healthz", "/docs"):
        headers = site.client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Strict-Transport-Security" not in headers


def test_a_fault_of_ours_says_a_reference_and_nothing_of_the_inside(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(site.services.invoices, "books", fail)
    with caplog.at_level(logging.ERROR):
        answer = site.get("/v1/books")
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["code"]) == (500, "Internal")
    assert "secret" not in answer.text
    reference = problem["detail"].split()[-1]
    assert any(reference in record.getMessage() for record in caplog.records)
    assert site.key not in caplog.text


def test_what_no_database_could_be_asked_for_is_no_path(site: Site) -> None:
    for path in ("/v1/nothing", "/v1/webhooks/%00", "/v1/batches/%0a", "/v1/keys/%e5%8f%b7"):
        for answer in (site.get(path), site.delete(path)):
            assert answer.status_code in (404, 405), path


def test_unknown_paths_methods_and_media_types_are_problems(site: Site) -> None:
    found = {
        "PathUnknown": site.get("/v1/invoices/%00"),
        "MethodUnknown": site.client.put("/v1/invoices"),
        "MediaTypeUnsupported": site.post("/v1/invoices", b"{}", Content_Type="text/plain"),
        "IdempotencyKeyMissing": site.client.post(
            "/v1/invoices",
            data=b"{}",
            headers={"Authorization": f"Bearer {site.key}", "Content-Type": "application/json"},
        ),
    }
    for name, answer in found.items():
        assert answer.get_json(force=True)["code"] == name
        assert answer.content_type == "application/problem+json"
    assert "POST" in found["MethodUnknown"].headers["Allow"]


def test_behind_a_proxy_its_word_counts_and_only_as_often_as_there_are_proxies(
    site: Site, tmp_path: Path
) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "hutong.example"}
    settings = Settings.read({"HUTONG_HOME": str(tmp_path), "HUTONG_PROXIES": "1"})
    behind = create_app(site.services, settings).test_client().get("/", headers=forwarded)
    alone = site.client.get("/", headers=forwarded)
    assert "curl https://hutong.example/v1/invoices" in behind.text
    assert behind.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "hutong.example" not in alone.text
