"""Participants.admit"""

import pytest
from conftest import IRREGULAR, RIVAL, as_hex
from signing import FOREVER, UNCAPPED

ZERO = "0x" + "00" * 20


def test_admitting_names_roles_and_first_administrator(participants, bureau, alice, now):
    uscc = as_hex(RIVAL)
    receipt = participants.admit(uscc, "恒安", 1 | 2, alice.address, False, {"from": bureau})

    admitted = receipt.events["Admitted"]
    assert dict(admitted) == {"uscc": uscc, "name": "恒安", "roles": 3, "irregular": False}
    assert dict(receipt.events["SignerSet"]) == {
        "uscc": uscc,
        "account": alice.address,
        "epoch": 0,
        "roles": 1,
        "expires": FOREVER,
        "cap": UNCAPPED,
    }
    assert participants.participantOf(uscc) == (3, False, 0, now())
    assert participants.signerOf(uscc, alice.address) == (1, FOREVER, UNCAPPED)


def test_wrong_check_digit_is_refused_unless_irregular(participants, bureau, alice, reverts_with):
    uscc = as_hex(IRREGULAR)
    with reverts_with("UsccInvalid", uscc):
        participants.admit(uscc, "x", 1, alice.address, False, {"from": bureau})
    receipt = participants.admit(uscc, "x", 1, alice.address, True, {"from": bureau})
    assert receipt.events["Admitted"]["irregular"] is True


def test_right_code_is_not_irregular_even_when_allowed_to_be(participants, bureau, alice):
    receipt = participants.admit(as_hex(RIVAL), "x", 1, alice.address, True, {"from": bureau})
    assert receipt.events["Admitted"]["irregular"] is False


@pytest.mark.parametrize("irregular", [False, True])
@pytest.mark.parametrize("code", ["91350000611528672e", "9135000061152867IE", "91350000611528672 "])
def test_code_outside_the_alphabet_is_refused(
    participants, bureau, alice, reverts_with, code, irregular
):
    with reverts_with("UsccInvalid", as_hex(code)):
        participants.admit(as_hex(code), "x", 1, alice.address, irregular, {"from": bureau})


def test_second_admission_is_refused(participants, merchant, bureau, alice, reverts_with):
    with reverts_with("ParticipantExists", merchant):
        participants.admit(merchant, "x", 1, alice.address, False, {"from": bureau})


@pytest.mark.parametrize("roles", [0, 1 << 7, 0xFFFFFFFF])
def test_roles_without_meaning_are_refused(participants, bureau, alice, reverts_with, roles):
    with reverts_with("RolesInvalid", roles):
        participants.admit(as_hex(RIVAL), "x", roles, alice.address, False, {"from": bureau})


def test_nobody_as_administrator_is_refused(participants, bureau, reverts_with):
    with reverts_with("SignerInvalid", ZERO):
        participants.admit(as_hex(RIVAL), "x", 1, ZERO, False, {"from": bureau})
