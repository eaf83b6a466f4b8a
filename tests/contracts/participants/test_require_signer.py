"""Participants.requireSigner: one error for each reason, and none without"""

import pytest
from conftest import RIVAL, as_hex


@pytest.fixture(scope="module")
def cashier(merchant, appoint, carol):
    appoint(merchant, carol, roles=0b00010, cap=1000)
    return carol.address


def test_cashier_may_up_to_its_cap(participants, merchant, cashier, reverts_with):
    participants.requireSigner(merchant, 1, cashier, 2, 1000)
    participants.requireSigner(merchant, 0, cashier, 0, 0)
    with reverts_with("SignerCapExceeded", merchant, cashier, 1000, 1001):
        participants.requireSigner(merchant, 1, cashier, 2, 1001)


def test_all_roles_asked_for_are_needed(participants, merchant, cashier, reverts_with):
    with reverts_with("ParticipantRoleMissing", merchant, 3):
        participants.requireSigner(merchant, 3, cashier, 2, 0)
    with reverts_with("SignerRoleMissing", merchant, cashier, 6):
        participants.requireSigner(merchant, 1, cashier, 6, 0)


def test_stranger_and_unknown_participant_are_named(
    participants, merchant, cashier, mallory, reverts_with
):
    with reverts_with("SignerUnknown", merchant, mallory.address):
        participants.requireSigner(merchant, 1, mallory.address, 2, 0)
    with reverts_with("ParticipantUnknown", as_hex(RIVAL)):
        participants.requireSigner(as_hex(RIVAL), 1, cashier, 2, 0)


def test_signer_is_refused_after_its_expiry(
    participants, merchant, appoint, carol, now, reverts_with, chain
):
    expires = now() + 3600
    appoint(merchant, carol, expires=expires)
    chain.sleep(3500)
    chain.mine()
    participants.requireSigner(merchant, 1, carol.address, 2, 0)
    chain.sleep(200)
    chain.mine()
    with reverts_with("SignerExpired", merchant, carol.address, expires):
        participants.requireSigner(merchant, 1, carol.address, 2, 0)


def test_unknown_participant_and_signer_are_all_zero(participants, merchant, mallory):
    assert participants.participantOf(as_hex(RIVAL)) == (0, False, 0, 0)
    assert participants.signerOf(merchant, mallory.address) == (0, 0, 0)
    assert participants.signerOf(as_hex(RIVAL), mallory.address) == (0, 0, 0)
