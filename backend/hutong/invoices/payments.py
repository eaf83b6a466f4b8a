"""Files of payments: CSV, or columns separated by blanks; read line by line, each line judged by itself."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from hutong.errors import FieldInvalid, FieldMissing, HutongError
from hutong.invoices.standing import BEIJING

#: Names under which a column is found, first match wins; a heading is compared in small letters.
_COLUMNS = {
    "reference": ("reference", "transaction_id", "trade_no", "流水号", "交易单号"),
    "amount": ("amount", "dollar_value", "gross", "total", "金额", "交易金额"),
    "date": ("paid_at", "date", "time", "paid", "日期", "交易时间"),
    "quantity": ("quantity", "number_of_cds", "count", "数量"),
    "customer": ("customer", "customer_id", "payer", "客户"),
    "description": ("description", "item", "项目", "商品"),
}
_FORMS = (
    "%Y%m%d",
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
)
_MAX_LINE = 10_000
_MOST = 10**15


class PaymentLine(NamedTuple):
    """A payment of a file. `amount` in major units as written, `paid_at` seconds UTC, `line` counts from 1."""

    line: int
    reference: str
    amount: Decimal
    paid_at: int
    quantity: str | None
    customer: str | None
    description: str | None


class BadLine(NamedTuple):
    """A line that is no payment, and why."""

    line: int
    error: HutongError


def read_payments(lines: Iterable[str], label: str) -> Iterator[PaymentLine | BadLine]:
    """Payments of a file with a heading line, lazily.

    Without a column of references a payment is `label`-line: equal lines are separate payments. Raises FieldMissing
    when the heading has no column for amount or date.
    """
    numbered = enumerate(lines, 1)
    heading = next(((number, line) for number, line in numbered if line.strip()), None)
    if heading is None:
        return
    delimiter = next((mark for mark in ",;\t" if mark in heading[1]), None)
    columns = _find_columns(_split(heading[1], delimiter))
    for number, line in numbered:
        if not line.strip():
            continue
        try:
            if len(line) > _MAX_LINE:
                raise FieldInvalid(f"a line has at most {_MAX_LINE} characters", field="line")
            yield _payment(number, _split(line, delimiter), columns, label)
        except HutongError as error:
            yield BadLine(number, error)
        except csv.Error as error:
            yield BadLine(number, FieldInvalid(f"the line is no CSV: {error}", field="line"))


def _split(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _find_columns(heading: list[str]) -> dict[str, int]:
    names = [cell.strip().lstrip("\ufeff").lower() for cell in heading]
    columns = {
        column: names.index(alias)
        for column, aliases in _COLUMNS.items()
        if (alias := next((name for name in aliases if name in names), None))
    }
    for needed in ("amount", "date"):
        if needed not in columns:
            raise FieldMissing(
                f"the heading names no column for {needed}: one of {', '.join(_COLUMNS[needed])}",
                field=needed,
            )
    return columns


def _payment(number: int, cells: list[str], columns: dict[str, int], label: str) -> PaymentLine:
    def cell(column: str) -> str | None:
        index = columns.get(column)
        if index is None:
            return None
        if index >= len(cells):
            raise FieldMissing(
                f"the line has {len(cells)} columns, {column} is missing", field=column
            )
        return cells[index] or None

    return PaymentLine(
        line=number,
        reference=cell("reference") or f"{label}-{number}",
        amount=_amount(cell("amount")),
        paid_at=_time(cell("date")),
        quantity=_quantity(cell("quantity")),
        customer=cell("customer"),
        description=cell("description"),
    )


def _amount(text: str | None) -> Decimal:
    try:
        amount = Decimal(text or "")
    except InvalidOperation:
        raise FieldInvalid(f"amount {text!r} is not a decimal number", field="amount") from None
    if not amount.is_finite() or amount < 0:
        raise FieldInvalid(f"amount {text} is not zero or more", field="amount")
    if -int(amount.as_tuple().exponent) > 2:
        raise FieldInvalid(f"amount {text} has more than two decimals", field="amount")
    if amount >= _MOST:  # written as 1e99, it would fill memory when it is written out
        raise FieldInvalid(f"amount {text} is not below {_MOST}", field="amount")
    return amount


def _quantity(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        quantity = Decimal(text)
    except InvalidOperation:
        quantity = Decimal("NaN")
    if not quantity.is_finite() or quantity <= 0:
        raise FieldInvalid(f"quantity {text!r} is not a number above zero", field="quantity")
    return text


def _time(text: str | None) -> int:
    for form in _FORMS:
        if form == "%Y%m%d" and len(text or "") != 8:
            continue  # strptime would read 1997111 as the 11th of January
        try:
            return int(datetime.strptime(text or "", form).replace(tzinfo=BEIJING).timestamp())
        except ValueError:
            continue
    raise FieldInvalid(f"date {text!r} is not like 2026-11-24 or 20261124", field="date")
