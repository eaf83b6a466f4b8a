"""Participants.suspend and reinstate"""

from conftest import RIVAL, as_hex


def test_suspending_and_reinstating_are_told(participants, merchant, bureau):
    receipt = participants.suspend(merchant, "欠税", {"from": bureau})
    assert dict(receipt.events["Suspended"]) == {"uscc": merchant, "reason": "欠税"}
    assert participants.participantOf(merchant)[1] is True

    receipt = participants.reinstate(merchant, {"from": bureau})
    assert dict(receipt.events["Reinstated"]) == {"uscc": merchant}
    assert participants.participantOf(merchant)[1] is False


def test_suspended_issuer_cannot_issue_until_it_is_reinstated(
    participants, merchant, book, issue, bureau, reverts_with
):
    participants.suspend(merchant, "x", {"from": bureau})
    with reverts_with("ParticipantSuspended", merchant):
        issue()
    participants.reinstate(merchant, {"from": bureau})
    issue()


def test_suspended_participant_cannot_change_its_signers(
    participants, merchant, appoint, mallory, bureau, reverts_with
):
    participants.suspend(merchant, "x", {"from": bureau})
    with reverts_with("ParticipantSuspended", merchant):
        appoint(merchant, mallory)


def test_suspending_twice_is_refused(participants, merchant, bureau, reverts_with):
    participants.suspend(merchant, "x", {"from": bureau})
    with reverts_with("ParticipantSuspended", merchant):
        participants.suspend(merchant, "y", {"from": bureau})


def test_reinstating_whom_nobody_suspended_is_refused(participants, merchant, bureau, reverts_with):
    with reverts_with("ParticipantNotSuspended", merchant):
        participants.reinstate(merchant, {"from": bureau})


def test_unknown_participant_is_refused(participants, bureau, reverts_with):
    with reverts_with("ParticipantUnknown", as_hex(RIVAL)):
        participants.suspend(as_hex(RIVAL), "x", {"from": bureau})
    with reverts_with("ParticipantUnknown", as_hex(RIVAL)):
        participants.reinstate(as_hex(RIVAL), {"from": bureau})
