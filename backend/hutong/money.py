"""Money: integers of a currency's minor unit inside, decimal strings outside, never a float."""

import re
from decimal import ROUND_HALF_UP, Decimal

from hutong.errors import AmountInvalid

# Currencies whose minor unit is not a hundredth (ISO 4217).
_EXPONENTS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}

# 18 digits before the point, so that even the cents of it fit a Solidity uint128 and Python's
# default Decimal context never rounds. ASCII digits only: "１２" is for people, not for machines.
_AMOUNT = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{1,18}))?", re.ASCII)


def exponent_of(currency: str) -> int:
    """Number of decimals of a currency by its ISO 4217 letters: 2 for CNY, 0 for JPY."""
    return _EXPONENTS.get(currency, 2)


def parse_minor(text: str | int | Decimal, field: str, exponent: int = 2) -> int:
    """Minor units of an amount in major ones, exactly: "12.3" with exponent 2 is 1230.

    `exponent` is the currency's number of decimals (ISO 4217; CNY 2). An integer counts major
    units. AmountInvalid, naming `field`, for anything that is no such amount.
    """
    if type(text) is not str:
        if isinstance(text, bool) or not isinstance(text, (int, Decimal, str)):
            raise AmountInvalid('an amount is a decimal string such as "12.00"', field=field)
        text = f"{text:f}" if isinstance(text, Decimal) else str(text)
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise AmountInvalid(
            'an amount is a decimal string such as "12.00"', field=field, amount=text[:40]
        )
    sign, whole, part = match.groups()
    # Zeros beyond the last decimal say nothing; other digits would be lost.
    part = (part or "").rstrip("0")
    if len(part) > exponent:
        raise AmountInvalid(
            f"an amount has at most {exponent} decimals here", field=field, amount=text
        )
    minor = int(whole + part.ljust(exponent, "0"))
    return -minor if sign else minor


def format_minor(minor: int, exponent: int = 2) -> str:
    """The amount in major units with all its decimals: 1200 with exponent 2 is "12.00"."""
    sign = "-" if minor < 0 else ""
    if exponent == 0:
        return f"{sign}{abs(minor)}"
    digits = str(abs(minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"


def half_up(value: Decimal) -> int:
    """`value` rounded to the nearest integer, a half away from zero (四舍五入)."""
    return int(value.to_integral_value(rounding=ROUND_HALF_UP))
