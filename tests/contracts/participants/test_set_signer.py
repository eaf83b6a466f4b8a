"""Participants.setSigner"""

import pytest
from conftest import ANY, MERCHANT, RIVAL, as_hex
from signing import FOREVER, UNCAPPED, key_of, signer_consent

ZERO = "0x" + "00" * 20
CASHIER = (2, FOREVER, UNCAPPED)
ADMIN = (1, FOREVER, UNCAPPED)


@pytest.fixture
def send(participants, merchant, relayer):
    """Bring a consent to set `who` to the chain; `sent` may differ from what was signed."""

    def act(who, signer, consent, sent=None):
        return participants.setSigner(merchant, who, sent or signer, consent, {"from": relayer})

    return act


@pytest.fixture
def consent(participants):
    def make(account, who, signer, **changes):
        return signer_consent(account, participants, MERCHANT, who, signer, **changes)

    return make


def test_signer_is_appointed_and_dismissed(participants, merchant, appoint, carol):
    receipt = appoint(merchant, carol, roles=0b11110, expires=FOREVER - 1, cap=7)
    told = {"uscc": merchant, "account": carol.address, "epoch": 0}
    assert dict(receipt.events["SignerSet"]) == {
        **told, "roles": 0b11110, "expires": FOREVER - 1, "cap": 7
    }  # fmt: skip
    assert participants.signerOf(merchant, carol.address) == (0b11110, FOREVER - 1, 7)

    receipt = appoint(merchant, carol, roles=0, expires=0, cap=0)
    assert dict(receipt.events["SignerSet"]) == {**told, "roles": 0, "expires": 0, "cap": 0}
    assert participants.signerOf(merchant, carol.address) == (0, 0, 0)


def test_consent_works_once(participants, send, consent, alice, carol, reverts_with):
    given = consent(alice, carol.address, CASHIER)
    send(carol.address, CASHIER, given)
    with reverts_with("InvalidAccountNonce", alice.address, given[1] + 1):
        send(carol.address, CASHIER, given)


def test_consents_of_different_keys_need_no_order(send, consent, alice, carol, mallory):
    for key, who in ((9, carol), (3, mallory), (2**191, carol)):
        send(who.address, CASHIER, consent(alice, who.address, CASHIER, nonce=key << 64))


def test_nonce_ahead_of_its_turn_is_refused(
    participants, send, consent, alice, carol, reverts_with
):
    next_one = participants.nonces(alice.address, 0)
    with reverts_with("InvalidAccountNonce", alice.address, next_one):
        send(carol.address, CASHIER, consent(alice, carol.address, CASHIER, nonce=next_one + 1))


def test_expired_consent_is_refused(send, consent, alice, carol, now, reverts_with):
    past = now() - 1
    with reverts_with("ConsentExpired", past, ANY):
        send(carol.address, CASHIER, consent(alice, carol.address, CASHIER, deadline=past))


def test_consent_for_something_else_is_refused(
    participants, invoices, send, consent, alice, carol, mallory, reverts_with
):
    who = carol.address
    wrong = [
        (consent(alice, who, CASHIER), (3, FOREVER, UNCAPPED)),
        (consent(alice, who, CASHIER), (2, FOREVER, UNCAPPED - 1)),
        (consent(alice, who, CASHIER), (2, FOREVER - 1, UNCAPPED)),
        (consent(alice, mallory.address, CASHIER), CASHIER),
        (consent(alice, who, CASHIER, chain_id=1), CASHIER),
        (signer_consent(alice, participants, RIVAL, who, CASHIER), CASHIER),
        (signer_consent(alice, invoices, MERCHANT, who, CASHIER, nonce=0), CASHIER),
        (
            (*consent(alice, who, CASHIER)[:2], FOREVER - 1, consent(alice, who, CASHIER)[3]),
            CASHIER,
        ),
        ((alice.address, 0, FOREVER, consent(mallory, who, CASHIER, nonce=0)[3]), CASHIER),
        ((alice.address, 0, FOREVER, b""), CASHIER),
    ]
    for given, sent in wrong:
        with reverts_with("ConsentInvalid", alice.address):
            send(who, CASHIER, given, sent)


def test_only_administrators_consent(
    send, consent, appoint, merchant, carol, mallory, reverts_with
):
    appoint(merchant, carol, roles=0b11110)
    with reverts_with("SignerRoleMissing", merchant, carol.address, 1):
        send(mallory.address, ADMIN, consent(carol, mallory.address, ADMIN))
    with reverts_with("SignerUnknown", merchant, mallory.address):
        send(mallory.address, ADMIN, consent(mallory, mallory.address, ADMIN))


def test_administrator_of_another_participant_is_refused(
    participants, send, consent, bureau, merchant, mallory, reverts_with
):
    participants.admit(as_hex(RIVAL), "x", 1, mallory.address, False, {"from": bureau})
    with reverts_with("SignerUnknown", merchant, mallory.address):
        send(mallory.address, ADMIN, consent(mallory, mallory.address, ADMIN))


def test_unknown_participant_is_refused(participants, relayer, alice, carol, reverts_with):
    given = signer_consent(alice, participants, RIVAL, carol.address, CASHIER)
    with reverts_with("ParticipantUnknown", as_hex(RIVAL)):
        participants.setSigner(as_hex(RIVAL), carol.address, CASHIER, given, {"from": relayer})


def test_roles_without_meaning_and_nobody_are_refused(send, consent, alice, carol, reverts_with):
    for roles in (1 << 5, 0xFFFFFFFF):
        signer = (roles, FOREVER, UNCAPPED)
        with reverts_with("RolesInvalid", roles):
            send(carol.address, signer, consent(alice, carol.address, signer))
    with reverts_with("SignerInvalid", ZERO):
        send(ZERO, CASHIER, consent(alice, ZERO, CASHIER))


@pytest.mark.parametrize("signer", [(0, 0, 0), CASHIER, (1, FOREVER - 1, UNCAPPED), (1, 0, 0)])
def test_administrator_cannot_end_itself(send, consent, merchant, alice, reverts_with, signer):
    with reverts_with("SignerSelfDemotion", merchant, alice.address):
        send(alice.address, signer, consent(alice, alice.address, signer))


def test_administrator_may_add_to_itself(participants, send, consent, merchant, alice):
    signer = (3, FOREVER, 5)
    send(alice.address, signer, consent(alice, alice.address, signer))
    assert participants.signerOf(merchant, alice.address) == signer


def test_another_administrator_ends_it(participants, send, consent, appoint, merchant, alice):
    bob = key_of("bob")
    appoint(merchant, bob, roles=1)
    send(alice.address, (0, 0, 0), consent(bob, alice.address, (0, 0, 0)))
    assert participants.signerOf(merchant, alice.address) == (0, 0, 0)


def test_expired_administrator_is_refused(
    send, consent, appoint, merchant, carol, now, reverts_with
):
    bob = key_of("bob")
    past = now() - 1
    appoint(merchant, bob, roles=1, expires=past)
    with reverts_with("SignerExpired", merchant, bob.address, past):
        send(carol.address, CASHIER, consent(bob, carol.address, CASHIER))
