"""What an invoice is, and which requests are one: pure rules, no clock, database or node."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from hutong import uscc
from hutong.errors import (
    BadInput,
    FieldInvalid,
    FieldMissing,
    TimeInFuture,
    TotalsMismatch,
    UsccInvalid,
)
from hutong.invoices import fields
from hutong.invoices.lines import Line, read_lines, total
from hutong.invoices.rates import RateTable, beijing_day
from hutong.money import exponent_of

__all__ = ["Draft", "Line", "Party", "Payment", "draft_invoice"]

#: By how many seconds the clock of whoever reports a payment may be ahead.
CLOCK_SKEW = 300

_FIELDS = frozenset(
    [
        "kind",
        "currency",
        "buyer",
        "lines",
        "prices_include_tax",
        "totals",
        "remarks",
        "drawer",
        "payment",
    ]
)
_PARTY = frozenset(["uscc", "name", "address", "phone", "bank", "account"])
_PAYMENT = frozenset(["provider", "reference", "paid_at", "method"])
_TOTALS = frozenset(["net", "tax", "gross"])
_CURRENCY = re.compile("[A-Z]{3}", re.ASCII)
# The chain compares payments by hash: one payment must have one spelling.
_PROVIDER = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_REFERENCE = re.compile("[!-~](?:[ -~]{0,126}[!-~])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Party:
    """Buyer. `uscc` is None for a person or a firm that did not give it."""

    uscc: str | None
    name: str
    address: str | None = None
    phone: str | None = None
    bank: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """The payment that is invoiced; `provider` in lower case, `paid_at` in seconds, UTC."""

    provider: str
    reference: str
    paid_at: int | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice that keeps all rules and has no number yet. Amounts in minor units of `currency`.

    `kind` is "ordinary" (普通发票) or "special" (专用发票). `original` is 0, or the number that
    this credit note takes back.
    """

    kind: str
    currency: str
    buyer: Party | None
    lines: tuple[Line, ...]
    net: int
    tax: int
    gross: int
    remarks: str
    drawer: str
    payment: Payment | None
    original: int = 0


def draft_invoice(
    data: object, *, now: int, rates: RateTable, admitted: Callable[[str], bool]
) -> Draft:
    """The invoice that `data`, a JSON object as in the API's description, asks for.

    `now` in seconds, UTC. `admitted(uscc)` says whether the bureau admitted a participant whose
    check digit is wrong. Raises BadInput with the field at fault.
    """
    request = fields.fields_of(data, _FIELDS)
    kind = fields.choice(request, "kind", ("ordinary", "special"), "ordinary")
    currency = fields.matching(request, "currency", _CURRENCY, "a currency has three letters")
    currency = currency or "CNY"
    exponent = exponent_of(currency)
    inclusive = request.get("prices_include_tax")
    if inclusive is not True and inclusive is not False:
        raise (FieldMissing if inclusive is None else FieldInvalid)(
            "say true or false: whether amounts and unit prices contain the tax",
            field="prices_include_tax",
        )
    payment = request.get("payment")
    paid = None if payment is None else _payment(payment, now)
    today = beijing_day(now)
    # The rate of the day on which the tax arose stays right after it has changed.
    earlier = beijing_day(paid.paid_at) if paid is not None and paid.paid_at is not None else today

    def check_rate(rate: int, field: str) -> None:
        if earlier == today or not rates.in_force(rate, earlier):
            rates.check(rate, today, field)

    lines = read_lines(
        request.get("lines"), inclusive=inclusive, exponent=exponent, check_rate=check_rate
    )
    net, tax = total([line.amount for line in lines]), total([line.tax for line in lines])
    gross = total((net, tax))
    if request.get("totals") is not None:
        _check_totals(request["totals"], {"net": net, "tax": tax, "gross": gross}, exponent)
    buyer = request.get("buyer")
    party = None if buyer is None else _buyer(buyer, admitted)
    if kind == "special" and (party is None or party.uscc is None):
        raise FieldMissing("a special invoice names its buyer by USCC", field="buyer.uscc")
    return Draft(
        kind,
        currency,
        party,
        lines,
        net,
        tax,
        gross,
        fields.paragraph(request, "remarks", 450),
        fields.text(request, "drawer", 300) or "",
        paid,
    )


def _buyer(value: object, admitted: Callable[[str], bool]) -> Party:
    try:
        data = fields.fields_of(value, _PARTY)
        code = fields.text(data, "uscc", 60)
        return Party(
            None if code is None else _uscc(code, admitted),
            fields.required_text(data, "name", 150),
            fields.text(data, "address", 300),
            fields.text(data, "phone", 60),
            fields.text(data, "bank", 150),
            fields.text(data, "account", 60),
        )
    except BadInput as error:
        raise fields.at("buyer", error) from None


def _uscc(code: str, admitted: Callable[[str], bool]) -> str:
    """The code, if its check digit is right or the bureau admitted it all the same."""
    if uscc.is_valid(code):
        return code
    try:
        return uscc.check(code, "uscc")
    except UsccInvalid:
        irregular = uscc.normalise(code)
        if uscc.is_well_formed(irregular) and admitted(irregular):
            return irregular
        raise


def _payment(value: object, now: int) -> Payment:
    try:
        data = fields.fields_of(value, _PAYMENT)
        provider = fields.matching(
            data, "provider", _PROVIDER, "letters, digits, dot, dash and underscore; at most 64"
        )
        reference = fields.matching(
            data,
            "reference",
            _REFERENCE,
            "1 to 128 printable ASCII characters, no blank at the ends",
        )
        if provider is None or reference is None:
            missing = "provider" if provider is None else "reference"
            raise FieldMissing("this is required", field=missing)
        paid_at = data.get("paid_at")
        if paid_at is not None and (type(paid_at) is not int or not 0 <= paid_at < 1 << 40):
            raise FieldInvalid("this is a time in seconds since 1970, UTC", field="paid_at")
        if paid_at is not None and paid_at > now + CLOCK_SKEW:
            raise TimeInFuture(
                f"the payment would be {paid_at - now} seconds from now", field="paid_at", now=now
            )
        return Payment(provider.lower(), reference, paid_at, fields.text(data, "method", 60))
    except BadInput as error:
        raise fields.at("payment", error) from None


def _check_totals(value: object, computed: dict[str, int], exponent: int) -> None:
    """Totals, where given, are the computed ones to the minor unit."""
    try:
        data = fields.fields_of(value, _TOTALS)
        for name, expected in computed.items():
            given = fields.amount(data, name, exponent)
            if given is not None and given != expected:
                raise TotalsMismatch(
                    f"the lines add up to {expected} minor units, not {given}",
                    field=name,
                    given=given,
                    computed=expected,
                )
    except BadInput as error:
        raise fields.at("totals", error) from None
