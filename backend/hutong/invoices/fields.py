"""Fields of a JSON object: there or not, of the right type, length and form, and none too many.

Readers raise with the field's own name; whoever reads an object within another one puts its path
before it (see `within`). They are on the way of every invoice, so the good case comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Context, Decimal

from hutong.errors import AmountInvalid, BadInput, FieldInvalid, FieldMissing, FieldUnknown
from hutong.money import parse_minor

#: Totals are DECIMAL(18,2) on the platform: less than 10^18 minor units, which a signed 64-bit
#: integer holds.
AMOUNT_LIMIT = 10**18
NUMBER_LENGTH = 25

# Twice as many digits as a quantity or price has: products are exact.
EXACT = Context(prec=64)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
# What XML cannot carry, or what nobody can see. Blanks, also wide ones, are no harm.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_UNSEEN_BUT_LINES = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)


@contextmanager
def within(path: str) -> Iterator[None]:
    """Puts `path` before the field of any BadInput raised within."""
    try:
        yield
    except BadInput as error:
        raise at(path, error) from None


def at(path: str, error: BadInput) -> BadInput:
    """`error`, its field now below `path`."""
    error.field = f"{path}.{error.field}" if error.field else path
    return error


def fields_of(value: object, allowed: frozenset[str]) -> dict[str, object]:
    """`value`, if it is an object with none but the allowed fields."""
    if type(value) is not dict:
        if not isinstance(value, Mapping):
            raise FieldInvalid("this is a JSON object with named fields")
        value = dict(value)
    if not allowed.issuperset(value):
        name = min(str(key) for key in value.keys() - allowed)
        raise FieldUnknown(f"there is no field {name[:60]!r} here", field=name[:60])
    return value


def text(data: dict[str, object], name: str, limit: int) -> str | None:
    """Text of 1 to `limit` visible characters, not all blank; None when absent, null or empty."""
    value = data.get(name)
    if value is None or value == "":
        return None
    if type(value) is not str:
        raise FieldInvalid("this is a string", field=name)
    if len(value) > limit:
        raise FieldInvalid(f"this has {len(value)} characters; {limit} fit", field=name)
    if not value.isprintable() and _UNSEEN.search(value):
        raise FieldInvalid("this has a character that cannot be printed", field=name)
    if value.isspace():
        raise FieldInvalid("this is blank", field=name)
    return value


def required_text(data: dict[str, object], name: str, limit: int) -> str:
    """As `text`, but it must be there."""
    value = text(data, name, limit)
    if value is None:
        raise FieldMissing("this is required", field=name)
    return value


def paragraph(data: dict[str, object], name: str, limit: int) -> str:
    """Text that may have several lines; "" when absent."""
    value = data.get(name)
    if value is None:
        return ""
    if type(value) is str and "\n" in value:
        if len(value) > limit or _UNSEEN_BUT_LINES.search(value):
            raise FieldInvalid(f"this is text of at most {limit} characters", field=name)
        return value
    return text(data, name, limit) or ""


def choice(data: dict[str, object], name: str, choices: tuple[str, ...], default: str) -> str:
    """One of `choices`; `default` when absent."""
    value = data.get(name)
    if value is None:
        return default
    if type(value) is not str or value not in choices:
        raise FieldInvalid(f"this is one of {', '.join(choices)}", field=name)
    return value


def matching(data: dict[str, object], name: str, form: re.Pattern[str], rule: str) -> str | None:
    """Text that `form` matches as a whole; None when absent. `rule` says in words what it asks."""
    value = data.get(name)
    if value is None:
        return None
    if type(value) is not str or form.fullmatch(value) is None:
        raise FieldInvalid(rule, field=name)
    return value


def amount(data: dict[str, object], name: str, exponent: int) -> int | None:
    """Minor units of an amount given as a decimal string; None when absent."""
    value = data.get(name)
    if value is None:
        return None
    if type(value) is not str:
        raise AmountInvalid('an amount is a decimal string such as "12.00"', field=name)
    minor = parse_minor(value, name, exponent)
    if not -AMOUNT_LIMIT < minor < AMOUNT_LIMIT:
        raise AmountInvalid("an amount has at most 18 digits", field=name, amount=value)
    return minor


def number(data: dict[str, object], name: str) -> Decimal | None:
    """A quantity or price, 0 or more, of at most 25 characters, exactly; None when absent."""
    value = data.get(name)
    if value is None:
        return None
    if type(value) is not str or len(value) > NUMBER_LENGTH or _NUMBER.fullmatch(value) is None:
        raise FieldInvalid(
            'this is a decimal string such as "1.5", of at most 25 characters', field=name
        )
    return Decimal(value)
