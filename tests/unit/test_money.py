"""Amounts: exact both ways, and nothing else is an amount."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.errors import AmountInvalid
from hutong.money import exponent_of, format_minor, half_up, parse_minor

minors = st.integers(-(10**18) + 1, 10**18 - 1)


@given(minors, st.integers(0, 4))
def test_what_is_written_reads_back_the_same(minor: int, exponent: int) -> None:
    assert parse_minor(format_minor(minor, exponent), "amount", exponent) == minor


@given(minors)
def test_all_decimals_are_written(minor: int) -> None:
    text = format_minor(minor)
    assert Decimal(text) == Decimal(minor).scaleb(-2)
    assert len(text.split(".")[1]) == 2


@pytest.mark.parametrize(
    ("text", "exponent", "minor"),
    [
        ("12.00", 2, 1200),
        ("12", 2, 1200),
        ("12.3", 2, 1230),
        ("0.01", 2, 1),
        ("-0.01", 2, -1),
        ("12.3400", 2, 1234),
        ("0012", 2, 1200),
        ("12", 0, 12),
        ("12.0", 0, 12),
        ("1.234", 3, 1234),
        (12, 2, 1200),
        (Decimal("12.30"), 2, 1230),
        (Decimal("1E+3"), 2, 100_000),
    ],
)
def test_amounts_are_read_exactly(text: str | int | Decimal, exponent: int, minor: int) -> None:
    assert parse_minor(text, "amount", exponent) == minor


@pytest.mark.parametrize(
    "text",
    # The last but one has full-width digits, which int() would take.
    ["", " 1", "1 ", "1.", ".5", "1,000", "1e3", "+1", "0x10", "NaN", "--1", "1_0", "１２", "1\n"],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(AmountInvalid) as caught:
        parse_minor(text, "lines[0].amount")
    assert caught.value.field == "lines[0].amount"


@pytest.mark.parametrize("value", [1.5, True, None, [], Decimal("NaN"), Decimal("Infinity")])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(AmountInvalid):
        parse_minor(value, "amount")  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "exponent"), [("0.001", 2), ("1.5", 0), ("0.0001", 3)])
def test_more_decimals_than_the_currency_has_are_refused(text: str, exponent: int) -> None:
    with pytest.raises(AmountInvalid, match=f"at most {exponent} decimals"):
        parse_minor(text, "amount", exponent)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("0.5", 1), ("1.5", 2), ("2.5", 3), ("-0.5", -1), ("0.4999999999", 0), ("-2.5", -3)],
)
def test_a_half_is_rounded_away_from_zero(value: str, rounded: int) -> None:
    assert half_up(Decimal(value)) == rounded


def test_rounding_keeps_every_digit_of_a_large_amount() -> None:
    assert half_up(Decimal("123456789012345678901234567890.5")) == 123456789012345678901234567891


@pytest.mark.parametrize(("currency", "exponent"), [("CNY", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_a_currency_has_its_own_decimals(currency: str, exponent: int) -> None:
    assert exponent_of(currency) == exponent
