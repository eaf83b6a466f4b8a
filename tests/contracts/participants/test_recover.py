"""Participants.recover"""

import pytest
from conftest import RIVAL, as_hex
from signing import FOREVER, UNCAPPED, key_of, signer_consent

ZERO = "0x" + "00" * 20
NONE = (0, 0, 0)


@pytest.fixture(scope="module")
def dora():
    """The administrator after the keys were lost."""
    return key_of("dora")


def test_recovery_voids_every_earlier_signer(
    participants, merchant, book, issue, court, alice, carol, dora, reverts_with
):
    receipt = participants.recover(merchant, dora.address, "钥匙遗失", {"from": court})

    assert dict(receipt.events["Recovered"]) == {
        "uscc": merchant,
        "epoch": 1,
        "account": dora.address,
        "reason": "钥匙遗失",
    }
    assert dict(receipt.events["SignerSet"]) == {
        "uscc": merchant,
        "account": dora.address,
        "epoch": 1,
        "roles": 1,
        "expires": FOREVER,
        "cap": UNCAPPED,
    }
    assert participants.participantOf(merchant)[2] == 1
    assert participants.signerOf(merchant, alice.address) == NONE
    assert participants.signerOf(merchant, carol.address) == NONE
    with reverts_with("SignerUnknown", merchant, carol.address):
        issue()


def test_new_administrator_appoints_and_the_old_one_does_not(
    participants, merchant, appoint, relayer, court, alice, carol, dora, reverts_with
):
    participants.recover(merchant, dora.address, "x", {"from": court})
    with reverts_with("SignerUnknown", merchant, alice.address):
        appoint(merchant, carol)
    uscc = bytes.fromhex(merchant[2:]).decode()
    consent = signer_consent(dora, participants, uscc, carol.address, (2, FOREVER, 5))
    participants.setSigner(merchant, carol.address, (2, FOREVER, 5), consent, {"from": relayer})
    assert participants.signerOf(merchant, carol.address) == (2, FOREVER, 5)


def test_suspended_participant_can_be_recovered(participants, merchant, bureau, court, dora):
    participants.suspend(merchant, "x", {"from": bureau})
    participants.recover(merchant, dora.address, "x", {"from": court})
    assert participants.participantOf(merchant)[1:3] == (True, 1)


def test_epochs_count_up(participants, merchant, court, alice, dora):
    for epoch, admin in enumerate((dora, alice, dora), start=1):
        receipt = participants.recover(merchant, admin.address, "x", {"from": court})
        assert receipt.events["Recovered"]["epoch"] == epoch


def test_unknown_participant_and_nobody_are_refused(
    participants, merchant, court, dora, reverts_with
):
    with reverts_with("ParticipantUnknown", as_hex(RIVAL)):
        participants.recover(as_hex(RIVAL), dora.address, "x", {"from": court})
    with reverts_with("SignerInvalid", ZERO):
        participants.recover(merchant, ZERO, "x", {"from": court})


def test_bureau_alone_cannot_recover(participants, merchant, bureau, dora, reverts_with):
    with reverts_with("AccessManagedUnauthorized", bureau):
        participants.recover(merchant, dora.address, "x", {"from": bureau})
