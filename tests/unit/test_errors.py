"""The tree of errors: each has a code, a status and a rule."""

import json

import pytest

from hutong import errors
from hutong.errors import ContractRefusal, HutongError, NodeError, UsccInvalid


def all_errors() -> list[type[HutongError]]:
    found = [value for value in vars(errors).values() if isinstance(value, type)]
    return [value for value in found if issubclass(value, HutongError)]


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_every_error_states_its_rule_and_has_a_status(error: type[HutongError]) -> None:
    assert error.__doc__
    assert error.__doc__ != error.__mro__[1].__doc__
    assert 400 <= error.status <= 599


def test_an_error_carries_what_a_problem_document_needs() -> None:
    error = UsccInvalid("no such code", field="buyer.uscc", uscc="X")
    assert (error.code, error.status) == ("UsccInvalid", 422)
    assert (error.detail, error.field, error.values) == (
        "no such code",
        "buyer.uscc",
        {"uscc": "X"},
    )
    assert str(error) == "no such code"


def test_a_refusal_has_the_contracts_name_and_arguments() -> None:
    refusal = ContractRefusal("BookOutOfOrder", {"book": "1", "next": "2"})
    assert (refusal.code, refusal.status) == ("BookOutOfOrder", 409)
    assert refusal.values == {"book": "1", "next": "2"}
    assert "BookOutOfOrder: book 1, next 2" in refusal.detail


def test_a_nodes_error_carries_revert_data_as_octets_and_as_json() -> None:
    error = NodeError("execution reverted", rpc_code=3, data=b"\x12\x34")
    assert (error.rpc_code, error.data) == (3, b"\x12\x34")
    assert json.loads(json.dumps(error.values)) == {"rpc_code": 3, "data": "0x1234"}
