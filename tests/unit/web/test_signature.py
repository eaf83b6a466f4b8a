"""Signatures: the Standard Webhooks library is the other side, in both directions."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from hutong.errors import FieldInvalid, FieldMissing, SignatureInvalid, SignatureStale
from hutong.web.signature import show_secret, sign, signed_headers, verify

SECRET = bytes(range(32))
NOW = 1_795_415_512
BODY = '{"amount":"10.00","说明":"停车"}'.encode()


def headers(signature: str, *, identity: str = "msg_1", time: int = NOW) -> dict[str, str]:
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(time),
        "webhook-signature": signature,
    }


def check(given: dict[str, str], body: bytes = BODY, now: float = NOW) -> None:
    verify(SECRET, signed_headers(given.get), body, now)


def theirs(identity: str, time: int, body: bytes) -> str:
    return Webhook(show_secret(SECRET)).sign(
        identity, datetime.fromtimestamp(time, UTC), body.decode()
    )


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60), st.text()
)
def test_what_the_library_signs_is_accepted(identity: str, text: str) -> None:
    body = text.encode()
    check(headers(theirs(identity, NOW, body), identity=identity), body)


def test_what_we_sign_the_library_accepts() -> None:
    now = int(datetime.now(UTC).timestamp())
    given = headers(sign(SECRET, "evt_1", now, b'{"a":1}'), identity="evt_1", time=now)
    assert Webhook(show_secret(SECRET)).verify(b'{"a":1}', given) == {"a": 1}


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(NOW + 1)},
        {"webhook-signature": "v1," + base64.b64encode(bytes(32)).decode()},
        {"webhook-signature": "v1a," + sign(SECRET, "msg_1", NOW, BODY)[3:]},
        {"webhook-signature": "v1,%%%"},
        {"webhook-signature": "签名"},
    ],
)
def test_any_change_makes_it_invalid(changed: dict[str, str]) -> None:
    with pytest.raises(SignatureInvalid):
        check(headers(sign(SECRET, "msg_1", NOW, BODY)) | changed)


def test_another_body_or_secret_makes_it_invalid() -> None:
    good = headers(sign(SECRET, "msg_1", NOW, BODY))
    with pytest.raises(SignatureInvalid):
        check(good, BODY + b" ")
    with pytest.raises(SignatureInvalid):
        check(headers(sign(bytes(32), "msg_1", NOW, BODY)))


def test_one_of_several_signatures_suffices_so_that_secrets_can_be_rotated() -> None:
    both = f"{sign(bytes(32), 'msg_1', NOW, BODY)} {sign(SECRET, 'msg_1', NOW, BODY)}"
    check(headers(both))


@pytest.mark.parametrize(("off", "stale"), [(300, False), (-300, False), (301, True), (-301, True)])
def test_a_clock_may_be_off_by_the_tolerance(off: int, stale: bool) -> None:
    given = headers(sign(SECRET, "msg_1", NOW, BODY))
    if stale:
        with pytest.raises(SignatureStale):
            check(given, now=NOW + off)
    else:
        check(given, now=NOW + off)


def test_a_stale_forgery_is_told_nothing_about_its_time() -> None:
    with pytest.raises(SignatureInvalid):
        check(headers("v1,AAAA"), now=NOW + 10_000)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_named(name: str) -> None:
    given = headers("v1,AAAA")
    del given[name]
    with pytest.raises(FieldMissing) as caught:
        check(given)
    assert caught.value.field == name


@pytest.mark.parametrize("text", ["-1", "1e9", "12.5", "9" * 13, "１２３", "now"])
def test_a_timestamp_is_digits(text: str) -> None:
    with pytest.raises(FieldInvalid):
        check(headers("v1,AAAA") | {"webhook-timestamp": text})
