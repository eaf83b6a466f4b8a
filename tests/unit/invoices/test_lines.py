"""Lines: rounding, tax within and beside an amount, discounts, tolerances at their edges."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.errors import BadInput, FieldMissing, LineInvalid, TotalsMismatch
from hutong.invoices.lines import ratio, tax_on
from hutong.money import format_minor
from tests.unit.invoices.builders import make_draft, make_line

RATES = [1300, 900, 600, 500, 300, 150, 100, 50]
amounts = st.integers(0, 10**15)
rates = st.sampled_from(RATES)


def refused(
    error: type[BadInput], field: str, *lines: dict[str, Any], inclusive: bool = False
) -> None:
    with pytest.raises(error) as caught:
        make_draft(lines=list(lines), prices_include_tax=inclusive)
    assert type(caught.value) is error
    assert caught.value.field == field


def line_of(*, inclusive: bool = False, **changes: Any) -> Any:
    return make_draft(lines=[make_line(**changes)], prices_include_tax=inclusive).lines[0]


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**6))
def test_a_ratio_is_rounded_half_away_from_zero(numerator: int, denominator: int) -> None:
    with_many_digits = Decimal(numerator) / Decimal(denominator)
    exact = Fraction(numerator, denominator)
    found = ratio(numerator, denominator)
    assert abs(exact - found) <= Fraction(1, 2)
    if abs(exact - found) == Fraction(1, 2):
        assert abs(found) > abs(exact)
    if abs(numerator) < 10**15:
        assert found == int(with_many_digits.to_integral_value(ROUND_HALF_UP))


@given(amounts, rates)
def test_tax_beside_an_amount_is_amount_times_rate(amount: int, rate: int) -> None:
    line = line_of(amount=format_minor(amount), rate=rate)
    assert line.amount == amount
    assert abs(Fraction(amount * rate, 10_000) - line.tax) <= Fraction(1, 2)


@given(amounts, rates)
def test_tax_within_an_amount_leaves_the_total_as_it_was(amount: int, rate: int) -> None:
    line = line_of(amount=format_minor(amount), rate=rate, inclusive=True)
    assert line.amount + line.tax == amount
    assert abs(Fraction(amount * rate, 10_000 + rate) - line.tax) <= Fraction(1, 2)


@given(st.lists(st.tuples(amounts, rates), min_size=1, max_size=8), st.booleans())
def test_totals_are_the_sums_of_the_lines(items: list[tuple[int, int]], inclusive: bool) -> None:
    lines = [make_line(amount=format_minor(amount), rate=rate) for amount, rate in items]
    draft = make_draft(lines=lines, prices_include_tax=inclusive)
    assert draft.net == sum(line.amount for line in draft.lines)
    assert draft.tax == sum(line.tax for line in draft.lines)
    assert draft.gross == draft.net + draft.tax
    if inclusive:
        assert draft.gross == sum(amount for amount, _ in items)


@pytest.mark.parametrize(
    ("amount", "rate", "inclusive", "tax"),
    [
        ("12.00", 600, True, 68),  # 0.6792
        ("100.00", 1300, False, 1300),
        ("0.50", 100, False, 1),  # 0.005 rounds up
        ("0.49", 100, False, 0),
        ("113.00", 1300, True, 1300),
    ],
)
def test_known_amounts_have_known_taxes(amount: str, rate: int, inclusive: bool, tax: int) -> None:
    assert line_of(amount=amount, rate=rate, inclusive=inclusive).tax == tax


@pytest.mark.parametrize("mark", ["zero", "exempt", "not-taxed"])
def test_a_mark_in_place_of_a_rate_means_no_tax(mark: str) -> None:
    line = line_of(amount="12.00", rate=mark, inclusive=True)
    assert (line.amount, line.tax, line.rate, line.mark) == (1200, 0, None, mark)
    refused(LineInvalid, "lines[0].tax", make_line(rate=mark, tax="0.01"))


# --- quantity and price ----------------------------------------------------------------------


def test_an_amount_may_be_left_to_quantity_and_price() -> None:
    line = line_of(amount=None, quantity="3", unit_price="3.335")
    assert line.amount == 1001  # 10.005
    assert (line.quantity, line.unit_price) == ("3", "3.335")


@pytest.mark.parametrize(("amount", "taken"), [("10.00", 1000), ("10.01", 1001), ("9.99", 999)])
def test_an_amount_within_a_fen_of_quantity_times_price_is_taken(amount: str, taken: int) -> None:
    assert line_of(amount=amount, quantity="4", unit_price="2.5").amount == taken


@pytest.mark.parametrize("amount", ["10.02", "9.98"])
def test_an_amount_further_from_quantity_times_price_is_refused(amount: str) -> None:
    refused(
        LineInvalid, "lines[0].amount", make_line(amount=amount, quantity="4", unit_price="2.5")
    )


def test_the_tolerance_is_exact_at_any_number_of_digits() -> None:
    # The product is 10^14 + 0.01 + 2.5 x 10^-19: a fen and a little more away from 10^14.
    number = "10000000.0000000005"
    line = make_line(amount="100000000000000.00", quantity=number, unit_price=number)
    refused(LineInvalid, "lines[0].amount", line)
    assert line_of(**{**line, "amount": "100000000000000.01"}).amount == 10**16 + 1


def test_a_price_in_tens_is_written_without_exponent() -> None:
    assert line_of(amount="200.00", quantity="2").unit_price == "100"


@pytest.mark.parametrize(
    ("field", "error", "changes"),
    [
        ("quantity", FieldMissing, {"unit_price": "2.5"}),
        ("quantity", LineInvalid, {"quantity": "0", "unit_price": "2.5"}),
        ("quantity", LineInvalid, {"quantity": "0.00"}),
        ("amount", FieldMissing, {"quantity": "2", "amount": None}),
        ("quantity", LineInvalid, {"amount": None, "quantity": "9" * 25, "unit_price": "9" * 25}),
        ("quantity", LineInvalid, {"amount": "1.00", "quantity": "9" * 25}),
        ("amount", LineInvalid, {"amount": "-1.00"}),
    ],
)
def test_a_line_that_does_not_agree_with_itself_is_refused(
    field: str, error: type[BadInput], changes: dict[str, Any]
) -> None:
    refused(error, f"lines[0].{field}", make_line(**changes))


# --- given tax -------------------------------------------------------------------------------


@given(st.integers(100, 10**12), rates, st.integers(-9, 9))
def test_a_given_tax_may_differ_by_six_fen(amount: int, rate: int, difference: int) -> None:
    tax = tax_on(amount, rate, inclusive=False) + difference
    line = make_line(amount=format_minor(amount), rate=rate, tax=format_minor(tax))
    if abs(difference) <= 6 and tax >= 0:
        assert line_of(**line).tax == tax
    else:
        refused(LineInvalid, "lines[0].tax", line)


def test_given_taxes_may_differ_by_127_fen_together() -> None:
    # 100.00 at 6% is 6.00; 21 lines of 6 fen are 126.
    six, one = make_line(amount="100.00", tax="6.06"), make_line(amount="100.00", tax="5.99")
    draft = make_draft(lines=[six] * 21 + [one], prices_include_tax=False)
    assert draft.tax == 22 * 600 + 126 - 1
    refused(TotalsMismatch, "lines", *[six] * 21, one, one)


@pytest.mark.parametrize("tax", ["-0.01", "0.02"])
def test_a_tax_is_a_part_of_the_amount(tax: str) -> None:
    refused(LineInvalid, "lines[0].tax", make_line(amount="0.01", tax=tax), inclusive=True)


def test_nothing_is_taxed_at_nothing() -> None:
    refused(LineInvalid, "lines[0].tax", make_line(amount="0.00", tax="0.01"))


# --- discounts -------------------------------------------------------------------------------


def discounted(amount: str = "100.00", **changes: Any) -> dict[str, Any]:
    return make_line(amount=amount, nature="discounted", **changes)


def discount(amount: str = "-10.00", **changes: Any) -> dict[str, Any]:
    return make_line(amount=amount, nature="discount", **changes)


def test_a_discount_follows_its_line_and_reduces_amount_and_tax() -> None:
    draft = make_draft(
        lines=[discounted(), discount(), discounted(), discount()], prices_include_tax=False
    )
    assert [line.nature for line in draft.lines] == ["discounted", "discount"] * 2
    assert (draft.net, draft.tax) == (2 * 9000, 2 * 540)


@given(amounts.filter(bool), st.data(), rates, st.booleans())
def test_a_discount_never_takes_more_than_there_is(
    amount: int, data: st.DataObject, rate: int, inclusive: bool
) -> None:
    off = data.draw(st.integers(1, amount))
    lines = [discounted(format_minor(amount), rate=rate), discount(format_minor(-off), rate=rate)]
    draft = make_draft(lines=lines, prices_include_tax=inclusive)
    assert draft.net >= 0
    assert draft.tax >= 0
    if inclusive:
        assert draft.gross == amount - off


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ([discount()], "lines[0].nature"),
        ([make_line(amount="100.00"), discount()], "lines[1].nature"),
        ([discounted()], "lines[0].nature"),
        ([discounted(), make_line()], "lines[1].nature"),
        ([discounted(), discounted(), discount()], "lines[1].nature"),
        ([discounted(), discount(), discount()], "lines[2].nature"),
        ([discounted(), discount(rate=300)], "lines[1].rate"),
        ([discounted(), discount(rate="exempt")], "lines[1].rate"),
        ([discounted(rate="zero"), discount(rate="exempt")], "lines[1].rate"),
        ([discounted(), discount("10.00")], "lines[1].amount"),
        ([discounted(), discount("0.00")], "lines[1].amount"),
        ([discounted(), discount("-100.01")], "lines[1].amount"),
        ([discounted(), discount(quantity="1")], "lines[1].quantity"),
        ([discounted(), discount(unit_price="1")], "lines[1].unit_price"),
        ([discounted(), discount(unit="个")], "lines[1].unit"),
    ],
)
def test_a_discount_in_the_wrong_place_or_size_is_refused(
    lines: list[dict[str, Any]], field: str
) -> None:
    refused(LineInvalid, field, *lines)
