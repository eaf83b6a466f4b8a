"""The description says what is enforced: the invoice models name exactly the fields that the rules read."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import BaseModel

from hutong.errors import ContractRefusal, FieldInvalid
from hutong.invoices import lines, model, schemas
from hutong.participants.routes import Role
from hutong.web.operation import ROLES, Operation, operation, operation_of
from hutong.web.problem import kinds, problem, rule
from hutong.webhooks.model import EVENTS
from hutong.webhooks.routes import Event


@pytest.mark.parametrize(
    ("described", "read"),
    [
        (schemas.InvoiceRequest, model._FIELDS),
        (schemas.PartyRequest, model._PARTY),
        (schemas.PaymentRequest, model._PAYMENT),
        (schemas.TotalsRequest, model._TOTALS),
        (schemas.LineRequest, lines._FIELDS),
    ],
)
def test_described_fields_are_those_that_are_read(
    described: type[BaseModel], read: frozenset[str]
) -> None:
    assert set(described.model_fields) == read


def test_a_bulk_line_is_an_invoice_and_a_key() -> None:
    assert set(schemas.BulkLineRequest.model_fields) == model._FIELDS | {"key"}


def test_described_roles_and_events_are_those_that_exist() -> None:
    assert set(get_args(Role)) == set(ROLES)
    assert set(get_args(Event)) == set(EVENTS)


def test_an_operation_that_creates_or_deletes_is_refused_to_suspended_participants() -> None:
    made = operation(tag="x", access=["admin"], keyed=True)(lambda: None)
    gone = operation(tag="x", access=["admin"], status=204)(lambda: None)
    seen = operation(tag="x", access=["read"])(lambda: None)
    assert [found.writes for found in map(_of, (made, gone, seen))] == [True, True, False]


def _of(view: object) -> Operation:
    found = operation_of(view)
    assert found is not None
    return found


def test_every_error_has_a_rule_and_a_status_that_is_an_error() -> None:
    for kind in kinds():
        assert rule(kind) != kind.__name__, kind
        assert 400 <= kind.status < 600, kind


def test_a_problem_says_code_field_and_values() -> None:
    said = problem(FieldInvalid("too long", field="lines[3].name", most=600))
    assert said == {
        "type": "/problems#FieldInvalid",
        "title": rule(FieldInvalid),
        "status": 422,
        "code": "FieldInvalid",
        "detail": "too long",
        "field": "lines[3].name",
        "values": {"most": 600},
    }


def test_a_contracts_refusal_keeps_its_own_name() -> None:
    assert problem(ContractRefusal("QuotaExceeded", {"left": 5}))["code"] == "QuotaExceeded"
