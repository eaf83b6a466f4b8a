"""Reading requests: every fault becomes an error that names the field."""

from __future__ import annotations

from typing import Annotated

import pytest
from flask import Flask
from pydantic import BaseModel, ConfigDict, Field

from hutong.errors import (
    BodyMalformed,
    FieldInvalid,
    FieldMissing,
    FieldUnknown,
    HutongError,
    IdempotencyKeyMissing,
)
from hutong.web.request import idempotency_key, query, read_json, validate


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    size: int


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: Annotated[str, Field(max_length=3)]
    parts: list[Inner] = []


@pytest.mark.parametrize(
    ("data", "kind", "field"),
    [
        ({}, FieldMissing, "name"),
        ({"name": "abcd"}, FieldInvalid, "name"),
        ({"name": "a", "colour": 1}, FieldUnknown, "colour"),
        ({"name": "a", "parts": [{"size": 1}, {"size": "1"}]}, FieldInvalid, "parts[1].size"),
        ({"name": "a", "parts": [{}]}, FieldMissing, "parts[0].size"),
        ([], BodyMalformed, None),
        (None, BodyMalformed, None),
    ],
)
def test_a_fault_names_its_field(data: object, kind: type[HutongError], field: str | None) -> None:
    with pytest.raises(kind) as caught:
        validate(Outer, data)
    assert type(caught.value) is kind
    assert caught.value.field == field


@pytest.mark.parametrize(
    "octets", [b"", b"{", b"\xff", b"NaN", b"[" * 100_000, b'{"a":' * 50_000, b'"\\ud800"', b"1 2"]
)
def test_what_is_no_json_is_malformed(octets: bytes) -> None:
    with pytest.raises(BodyMalformed):
        read_json(octets)


@pytest.mark.parametrize(
    ("header", "key"),
    [("order-1", "order-1"), ('"order-1"', "order-1"), ("x" * 128, "x" * 128), ('"', '"')],
)
def test_a_key_is_printable_ascii_quoted_or_not(header: str, key: str) -> None:
    with Flask("t").test_request_context(headers={"Idempotency-Key": header}):
        assert idempotency_key() == key


@pytest.mark.parametrize("header", ["a b", "é", "x" * 129])
def test_any_other_key_is_refused(header: str) -> None:
    with (
        Flask("t").test_request_context(headers={"Idempotency-Key": header}),
        pytest.raises(FieldInvalid),
    ):
        idempotency_key()


def test_no_key_is_told_how_to_send_one() -> None:
    with Flask("t").test_request_context(), pytest.raises(IdempotencyKeyMissing):
        idempotency_key()


def test_a_parameter_may_be_given_once() -> None:
    with (
        Flask("t").test_request_context("/?name=a&name=b"),
        pytest.raises(FieldInvalid) as caught,
    ):
        query(Outer)
    assert caught.value.field == "name"
