"""Holders' links: only this server makes them, and nobody guesses one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.errors import InvoiceUnknown
from hutong.invoices.links import HolderLinks

LINKS = HolderLinks(bytes(32))
NUMBER = "26112000000481200001"


@given(st.integers(0, 10**20 - 1))
def test_a_token_leads_back_to_its_number(number: int) -> None:
    text = f"{number:020d}"
    assert LINKS.number(LINKS.token(text)) == text
    assert len(LINKS.token(text)) == 32


@pytest.mark.parametrize("place", range(32))
def test_a_token_with_one_character_changed_leads_nowhere(place: int) -> None:
    token = LINKS.token(NUMBER)
    other = "A" if token[place] != "A" else "B"
    with pytest.raises(InvoiceUnknown):
        LINKS.number(token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize(
    "token", ["", "x", NUMBER, "A" * 32, "é" * 32, "A" * 4_000, "====", "\x00"]
)
def test_any_other_text_leads_nowhere(token: str) -> None:
    with pytest.raises(InvoiceUnknown):
        LINKS.number(token)


def test_another_server_makes_other_tokens() -> None:
    with pytest.raises(InvoiceUnknown):
        LINKS.number(HolderLinks(b"1" * 32).token(NUMBER))
