"""Unified Social Credit Codes, with real ones from public records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong import uscc
from hutong.errors import UsccInvalid

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"

# Published codes: companies from their stock exchange filings, others from registers of their kind.
REAL = [
    "91350000611528672E",  # 福建恒安集团有限公司
    "911301002360444643",  # 石药控股集团有限公司
    "91320500628396530U",  # 科沃斯机器人股份有限公司
    "911302006010646915",  # 紫光国芯微电子股份有限公司
    "92141127MA0KD1Y64A",  # jaywcjlove/regexp-example issue 23: stricter patterns refuse it
]
# Published by Fujian's register before 2016; their check digits are wrong.
IRREGULAR = [
    "91350203M0001QKT19",
    "91350211M0000XUF46",
    "91350100M0001TGQXM",
    "91350628M0000K0H44",
]
bodies = st.text(ALPHABET, min_size=17, max_size=17)


@pytest.mark.parametrize("code", REAL)
def test_a_real_code_is_valid(code: str) -> None:
    assert uscc.is_valid(code)
    assert uscc.check(code, "uscc") == code


@pytest.mark.parametrize("code", IRREGULAR)
def test_a_code_with_a_wrong_check_digit_is_well_formed_but_not_valid(code: str) -> None:
    assert uscc.is_well_formed(code)
    assert not uscc.is_valid(code)
    with pytest.raises(UsccInvalid, match="check digit"):
        uscc.check(code, "buyer.uscc")


@given(bodies, st.integers(0, 16), st.sampled_from(ALPHABET))
def test_a_change_of_one_character_is_noticed(body: str, place: int, char: str) -> None:
    code = body + uscc.check_digit(body)
    changed = code[:place] + char + code[place + 1 :]
    assert uscc.is_valid(code)
    assert uscc.is_valid(changed) == (changed == code)


@given(bodies)
def test_octets_lead_back_to_the_code(body: str) -> None:
    code = body + uscc.check_digit(body)
    assert uscc.from_bytes(uscc.to_bytes(code)) == code
    assert len(uscc.to_bytes(code)) == 18


def test_check_reads_what_people_type() -> None:
    assert uscc.check(" ９１３５００００611528672e\n", "uscc") == "91350000611528672E"


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("", "18 characters, not 0"),
        ("9135000061152867", "18 characters, not 16"),
        ("91350000611528672EE", "18 characters, not 19"),
        ("91350000611528672I", "no character 'I'"),
        ("9135000061152867 E", "no character ' '"),
        ("91350000611528672一", "no character '一'"),
        ("91350000611528672F", "would be E, not F"),
    ],
)
def test_check_names_field_and_rule(code: str, rule: str) -> None:
    with pytest.raises(UsccInvalid, match=rule) as caught:
        uscc.check(code, "seller.uscc")
    assert caught.value.field == "seller.uscc"


def test_a_trailing_newline_is_not_part_of_a_code() -> None:
    assert not uscc.is_well_formed("91350000611528672E\n")


@pytest.mark.parametrize("octets", [b"", b"91350000611528672I", bytes(18), b"\xff" * 18])
def test_octets_that_are_no_code_are_refused(octets: bytes) -> None:
    with pytest.raises(UsccInvalid):
        uscc.from_bytes(octets)
    with pytest.raises(UsccInvalid):
        uscc.to_bytes(octets.decode("latin-1"))
