"""Participants.setRoles"""

import pytest
from conftest import RIVAL, as_hex


def test_roles_are_replaced(participants, merchant, bureau):
    receipt = participants.setRoles(merchant, 0b1000010, {"from": bureau})
    assert dict(receipt.events["RolesSet"]) == {"uscc": merchant, "roles": 0b1000010}
    assert participants.participantOf(merchant)[0] == 0b1000010


@pytest.mark.parametrize("roles", [0, 1 << 7])
def test_roles_without_meaning_are_refused(participants, merchant, bureau, reverts_with, roles):
    with reverts_with("RolesInvalid", roles):
        participants.setRoles(merchant, roles, {"from": bureau})


def test_unknown_participant_is_refused(participants, bureau, reverts_with):
    with reverts_with("ParticipantUnknown", as_hex(RIVAL)):
        participants.setRoles(as_hex(RIVAL), 1, {"from": bureau})


def test_issuer_that_is_none_any_more_cannot_issue(
    participants, invoices, merchant, book, issue, bureau, reverts_with
):
    participants.setRoles(merchant, 2, {"from": bureau})
    with reverts_with("ParticipantRoleMissing", merchant, 1):
        issue()
    participants.setRoles(merchant, 3, {"from": bureau})
    issue()
