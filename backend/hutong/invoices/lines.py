"""Lines of an invoice: amounts, tax, discounts, and how far figures may differ from each other.

Sizes, rounding and tolerances follow the fully digital e-invoice (数电票); the decision record on
amounts names the sources.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from hutong.errors import BadInput, FieldInvalid, FieldMissing, LineInvalid, TotalsMismatch
from hutong.invoices import fields
from hutong.invoices.rates import MARKS
from hutong.money import half_up

MAX_LINES = 2000
#: By how many minor units a given figure may differ from the computed one.
AMOUNT_TOLERANCE = 1  # quantity x unit price, a line
TAX_TOLERANCE = 6  # tax, a line
TAX_TOLERANCE_SUM = 127  # tax, all lines together
PRICE_DECIMALS = 13

_FIELDS = frozenset(
    [
        "name",
        "specification",
        "unit",
        "quantity",
        "unit_price",
        "amount",
        "tax",
        "rate",
        "tax_code",
        "nature",
    ]
)
_NATURES = ("normal", "discount", "discounted")
_TAX_CODE = re.compile(r"[0-9]{19}", re.ASCII)
_PRICE_STEP = Decimal(1).scaleb(-PRICE_DECIMALS)

CheckRate = Callable[[int, str], object]


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `amount` (without tax) and `tax` in minor units; `rate` in 1/10000.

    `rate` is None where a `mark` (see rates.MARKS) stands in its place. `quantity` and `unit_price`
    (without tax) are decimal strings, both there or both None. `nature` is "normal", "discounted"
    or "discount"; a discount is negative and follows the line that it reduces.
    """

    name: str
    specification: str
    unit: str
    quantity: str | None
    unit_price: str | None
    amount: int
    tax: int
    rate: int | None
    mark: str | None
    tax_code: str | None
    nature: str


def read_lines(
    value: object, *, inclusive: bool, exponent: int, check_rate: CheckRate
) -> tuple[Line, ...]:
    """Lines of a request; `inclusive`: its amounts and prices contain the tax.

    `check_rate(rate, field)` raises where a rate is not in force. Raises BadInput, the field named
    from `lines` on.
    """
    if type(value) is not list or not 1 <= len(value) <= MAX_LINES:
        if value is None:
            raise FieldMissing("an invoice has lines", field="lines")
        raise FieldInvalid(f"an invoice has a list of 1 to {MAX_LINES} lines", field="lines")
    lines: list[Line] = []
    difference = 0
    try:
        for item in value:
            line, error = _read_line(item, inclusive, exponent, check_rate)
            if line.nature != "normal" or (lines and lines[-1].nature == "discounted"):
                _check_discount(lines[-1] if lines else None, line)
            difference += error
            lines.append(line)
    except BadInput as error:
        raise fields.at(f"lines[{len(lines)}]", error) from None
    if lines[-1].nature == "discounted":
        raise LineInvalid(
            "a discounted line is followed by its discount", field=f"lines[{len(lines) - 1}].nature"
        )
    if difference > TAX_TOLERANCE_SUM:
        raise TotalsMismatch(
            f"the lines' taxes differ from amount x rate by {difference} minor units together; "
            f"{TAX_TOLERANCE_SUM} are allowed",
            field="lines",
            difference=difference,
        )
    return tuple(lines)


def ratio(numerator: int, denominator: int) -> int:
    """numerator / denominator (positive), rounded half away from zero, in integers throughout."""
    quotient = (2 * abs(numerator) + denominator) // (2 * denominator)
    return quotient if numerator >= 0 else -quotient


def tax_on(amount: int, rate: int, *, inclusive: bool) -> int:
    """Tax at `rate` (1/10000) on an amount without it, or (`inclusive`) within one that has it."""
    return ratio(amount * rate, 10_000 + rate if inclusive else 10_000)


def total(amounts: Iterable[int]) -> int:
    """Sum of amounts; TotalsMismatch beyond the greatest total."""
    found = sum(amounts)
    if found >= fields.AMOUNT_LIMIT:
        raise TotalsMismatch("a total has at most 18 digits", field="totals")
    return found


def _read_line(
    item: object, inclusive: bool, exponent: int, check_rate: CheckRate
) -> tuple[Line, int]:
    """The line, and by how much its tax differs from the computed one."""
    data = fields.fields_of(item, _FIELDS)
    rate, mark = _rate(data, check_rate)
    nature = fields.choice(data, "nature", _NATURES, "normal")
    quantity, price = fields.number(data, "quantity"), fields.number(data, "unit_price")
    if nature == "discount":
        for name in ("quantity", "unit_price", "unit"):
            if data.get(name) is not None:
                raise LineInvalid(f"a discount has no {name}", field=name)
    amount = _amount(data, quantity, price, exponent)
    if (amount >= 0) if nature == "discount" else (amount < 0):
        raise LineInvalid("a discount is negative, every other line is not", field="amount")
    tax, difference = _tax(data, amount, rate or 0, inclusive, exponent)
    net = amount - tax if inclusive else amount
    if quantity is not None and (price is None or inclusive):
        unit_price: str | None = _unit_price(net, quantity, exponent)
    else:
        unit_price = None if price is None else str(data["unit_price"])
    line = Line(
        fields.required_text(data, "name", 600),
        fields.text(data, "specification", 150) or "",
        fields.text(data, "unit", 300) or "",
        None if quantity is None else str(data["quantity"]),
        unit_price,
        net,
        tax,
        rate,
        mark,
        fields.matching(data, "tax_code", _TAX_CODE, "a tax code has 19 digits"),
        nature,
    )
    return line, difference


def _rate(data: dict[str, object], check_rate: CheckRate) -> tuple[int | None, str | None]:
    value = data.get("rate")
    if type(value) is int and value > 0:
        check_rate(value, "rate")
        return value, None
    if type(value) is str and value in MARKS:
        return None, value
    if value is None:
        raise FieldMissing("a line has a rate, or a mark in its place", field="rate")
    raise FieldInvalid(
        f"a rate is an integer of 1/10000 (1300 for 13%), or one of {', '.join(MARKS)}",
        field="rate",
    )


def _amount(
    data: dict[str, object], quantity: Decimal | None, price: Decimal | None, exponent: int
) -> int:
    """The amount as given, or quantity x price; both, if given, agree within the tolerance."""
    given = fields.amount(data, "amount", exponent)
    if quantity is None:
        if price is not None:
            raise FieldMissing("a unit price goes with a quantity", field="quantity")
        if given is None:
            raise FieldMissing("a line has an amount, or quantity and unit price", field="amount")
        return given
    if quantity == 0:
        raise LineInvalid("a quantity is more than 0", field="quantity")
    if price is None:
        if given is None:
            raise FieldMissing("a line has an amount, or quantity and unit price", field="amount")
        return given
    product = fields.EXACT.multiply(quantity, price).scaleb(exponent, fields.EXACT)
    if given is None:
        if product >= fields.AMOUNT_LIMIT:
            raise LineInvalid("quantity x unit price has more than 18 digits", field="quantity")
        return half_up(product)
    if abs(fields.EXACT.subtract(product, given)) > AMOUNT_TOLERANCE:
        raise LineInvalid(
            f"quantity x unit price is {product.scaleb(-exponent, fields.EXACT).normalize():f}, "
            "further from the amount than 0.01",
            field="amount",
        )
    return given


def _tax(
    data: dict[str, object], amount: int, rate: int, inclusive: bool, exponent: int
) -> tuple[int, int]:
    """The line's tax, given or computed, and by how much they differ."""
    computed = tax_on(amount, rate, inclusive=inclusive)
    given = fields.amount(data, "tax", exponent)
    if given is None or given == computed:
        return computed, 0
    difference = abs(given - computed)
    if difference > TAX_TOLERANCE or not rate:
        raise LineInvalid(
            f"the tax is {difference} minor units away from amount x rate; "
            f"{TAX_TOLERANCE if rate else 0} are allowed",
            field="tax",
        )
    # A tax of the other sign, or of more than the whole, is within the tolerance of tiny amounts.
    if given * amount < 0 or (inclusive and abs(given) > abs(amount)) or not amount:
        raise LineInvalid("the tax is a part of the amount", field="tax")
    return given, difference


def _unit_price(net: int, quantity: Decimal, exponent: int) -> str:
    """Price without tax of one unit, with at most 13 decimals."""
    amount = Decimal(net).scaleb(-exponent, fields.EXACT)
    price = fields.EXACT.divide(amount, quantity).quantize(_PRICE_STEP, context=fields.EXACT)
    # Half a step times a smaller quantity stays below the tolerance.
    if quantity > 10**10:
        error = fields.EXACT.subtract(fields.EXACT.multiply(price, quantity), amount)
        if abs(error.scaleb(exponent)) > AMOUNT_TOLERANCE:
            raise LineInvalid(
                "the unit price without tax would need more than 13 decimals", field="quantity"
            )
    return f"{price.normalize(fields.EXACT):f}"


def _check_discount(before: Line | None, line: Line) -> None:
    """A discount follows a discounted line of its rate and takes no more than that has."""
    if before is None or before.nature != "discounted":
        if line.nature == "discount":
            raise LineInvalid("a discount follows the line that it reduces", field="nature")
        return
    if line.nature != "discount":
        raise LineInvalid("a discounted line is followed by its discount", field="nature")
    if (line.rate, line.mark) != (before.rate, before.mark):
        raise LineInvalid("a discount has the rate of the line that it reduces", field="rate")
    if before.amount + line.amount < 0 or before.tax + line.tax < 0:
        raise LineInvalid("a discount is at most the line that it reduces", field="amount")
