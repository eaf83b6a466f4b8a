"""Which functions an agency may call, and that nobody else may"""

import pytest
from brownie import Invoices, Participants
from conftest import BOOK, CNY, MERCHANT, RIVAL, as_hex

OTHER = "0x" + "77" * 20
BY_AGENCY = {
    "participants": {
        "admit": (as_hex(RIVAL), "x", 1, OTHER, False),
        "setRoles": (as_hex(MERCHANT), 3),
        "suspend": (as_hex(MERCHANT), "x"),
        "reinstate": (as_hex(MERCHANT),),
        "recover": (as_hex(MERCHANT), OTHER, "x"),
    },
    "invoices": {
        "openBook": (as_hex(MERCHANT), BOOK + 10_000, 1, CNY),
        "closeBook": (BOOK,),
        "setQuota": (as_hex(MERCHANT), CNY, 1),
    },
}
BY_CONSENT = {"participants": {"setSigner"}, "invoices": {"issue", "issueMany"}}
BY_AUTHORITY = {"setAuthority"}
CALLS = [(name, call) for name, calls in BY_AGENCY.items() for call in calls]


@pytest.fixture
def contract_of(participants, invoices):
    return {"participants": participants, "invoices": invoices}


@pytest.mark.parametrize(
    ("name", "container"), [("participants", Participants), ("invoices", Invoices)]
)
def test_every_function_that_changes_state_is_one_of_these(name, container):
    changing = {
        entry["name"]
        for entry in container.abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }
    assert changing == set(BY_AGENCY[name]) | BY_CONSENT[name] | BY_AUTHORITY


@pytest.mark.parametrize(("name", "call"), CALLS)
def test_stranger_is_refused(contract_of, book, stranger, reverts_with, name, call):
    with reverts_with("AccessManagedUnauthorized", stranger):
        getattr(contract_of[name], call)(*BY_AGENCY[name][call], {"from": stranger})


@pytest.mark.parametrize(("name", "call"), CALLS)
def test_governor_is_refused_what_is_given_to_an_agency(
    contract_of, book, governor, reverts_with, name, call
):
    with reverts_with("AccessManagedUnauthorized", governor):
        getattr(contract_of[name], call)(*BY_AGENCY[name][call], {"from": governor})


def test_agency_that_lost_its_role_is_refused(
    authority, participants, merchant, bureau, governor, reverts_with
):
    authority.revokeRole(authority.TAX_BUREAU(), bureau, {"from": governor})
    with reverts_with("AccessManagedUnauthorized", bureau):
        participants.suspend(merchant, "x", {"from": bureau})


def test_another_authority_is_set_by_the_authority_alone(
    authority, invoices, participants, stranger, governor, reverts_with
):
    for contract in (invoices, participants):
        for caller in (stranger, governor):
            with reverts_with("AccessManagedUnauthorized", caller):
                contract.setAuthority(authority, {"from": caller})


def test_recovery_with_a_delay_must_be_scheduled_and_waits(
    authority, participants, merchant, governor, court, reverts_with, chain
):
    day = 24 * 3600
    role = authority.RECOVERY()
    authority.revokeRole(role, court, {"from": governor})
    authority.grantRole(role, court, day, {"from": governor})
    arguments = BY_AGENCY["participants"]["recover"]
    data = participants.recover.encode_input(*arguments)
    operation = "0x" + bytes(authority.hashOperation(court, participants, data)).hex()

    with reverts_with("AccessManagerNotScheduled", operation):
        participants.recover(*arguments, {"from": court})
    authority.schedule(participants, data, 0, {"from": court})
    with reverts_with("AccessManagerNotReady", operation):
        participants.recover(*arguments, {"from": court})
    chain.sleep(day)
    participants.recover(*arguments, {"from": court})
    assert participants.participantOf(merchant)[2] == 1


def test_roles_are_labelled_at_deployment(authority):
    labels = [(e["roleId"], e["label"]) for e in authority.tx.events["RoleLabel"]]
    assert labels == [(1, "tax bureau"), (2, "recovery")]
    assert (authority.TAX_BUREAU(), authority.RECOVERY()) == (1, 2)
