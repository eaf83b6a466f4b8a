"""Files of payments: what is read, what is refused by line and reason."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from hutong.errors import FieldMissing
from hutong.invoices.payments import BadLine, PaymentLine, read_payments

CDNOW = Path(__file__).resolve().parents[2] / "data" / "cdnow_30.txt"


def read(text: str, label: str = "file") -> list[PaymentLine | BadLine]:
    return list(read_payments(text.splitlines(keepends=True), label))


def good(text: str) -> list[PaymentLine]:
    entries = read(text)
    assert all(isinstance(entry, PaymentLine) for entry in entries), entries
    return [entry for entry in entries if isinstance(entry, PaymentLine)]


def bad(text: str) -> list[tuple[int, str, str | None]]:
    return [
        (entry.line, entry.error.code, entry.error.field)
        for entry in read(text)
        if isinstance(entry, BadLine)
    ]


def one(cells: str, heading: str = "date,amount") -> PaymentLine | BadLine:
    return read(f"{heading}\n{cells}\n")[0]


def test_columns_separated_by_blanks_are_read_as_they_stand() -> None:
    entries = good(CDNOW.read_text())

    assert len(entries) == 30
    assert sum(entry.amount for entry in entries) == Decimal("749.79")
    first = entries[0]
    assert (first.customer, first.amount, first.quantity) == ("00001", Decimal("11.77"), "1")
    # The first of January 1997 in Beijing.
    assert datetime.fromtimestamp(first.paid_at, UTC) == datetime(1996, 12, 31, 16, tzinfo=UTC)
    assert [entry.line for entry in entries] == list(range(2, 32))


def test_equal_lines_are_separate_payments_and_a_free_one_is_one() -> None:
    entries = good(CDNOW.read_text())

    alike = [e for e in entries if (e.customer, e.amount) == ("00499", Decimal("11.49"))]
    assert len(alike) == 2
    assert len({entry.reference for entry in entries}) == 30
    assert alike[0].reference == f"file-{alike[0].line}"
    assert [entry.amount for entry in entries if entry.customer == "00455"] == [Decimal("0.00")]


@pytest.mark.parametrize(
    "text",
    [
        "date,amount,reference\n2026-11-24,12.50,T1\n",
        "reference;amount;date\nT1;12.50;2026-11-24\n",
        "date\tamount\treference\n2026-11-24\t12.50\tT1\n",
        "\ufeffdate,amount,reference\r\n2026-11-24,12.50,T1\r\n",
        "\n\nDATE, Amount ,Reference\n\n2026-11-24, 12.50 , T1\n\n",
        '"date","amount","reference"\n"2026-11-24","12.50","T1"\n',
        "交易时间,金额,流水号\n2026-11-24,12.50,T1\n",
        "paid_at,total,trade_no,更多\n20261124,12.50,T1,x\n",
    ],
)
def test_every_common_form_says_the_same(text: str) -> None:
    (payment,) = good(text)

    assert (payment.reference, payment.amount) == ("T1", Decimal("12.50"))
    assert datetime.fromtimestamp(payment.paid_at, UTC) == datetime(2026, 11, 23, 16, tzinfo=UTC)


def test_quoted_cells_may_hold_separators() -> None:
    (payment,) = good('date,amount,description\n2026-11-24,1.00,"茶, 水 ""小"""\n')

    assert payment.description == '茶, 水 "小"'


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2026-11-24 10:30:00", 2),
        ("2026-11-24T10:30:00", 2),
        ("2026/11/24 10:30:00", 2),
    ],
)
def test_times_are_beijings(written: str, hour: int) -> None:
    payment = one(f"{written},1.00")

    assert isinstance(payment, PaymentLine)
    assert datetime.fromtimestamp(payment.paid_at, UTC) == datetime(
        2026, 11, 24, hour, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "amount",
    ["", "x", "-1", "1.005", "NaN", "Infinity", "1,000", "¥3", "1e15", "1e999999999", "--1"],
)
def test_an_amount_that_is_none_is_refused(amount: str) -> None:
    assert bad(f'date,amount\n2026-11-24,"{amount}"\n') == [(2, "FieldInvalid", "amount")]


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "20261131",
        "2026112",
        "199711",
        "24.11.2026",
        "0",
    ],
)
def test_a_date_that_is_none_is_refused(date: str) -> None:
    assert bad(f"date,amount\n{date},1.00\n") == [(2, "FieldInvalid", "date")]


@pytest.mark.parametrize("quantity", ["0", "-1", "many", "NaN"])
def test_a_quantity_that_is_none_is_refused(quantity: str) -> None:
    assert bad(f"date,amount,quantity\n2026-11-24,1.00,{quantity}\n") == [
        (2, "FieldInvalid", "quantity")
    ]


def test_a_bad_line_is_named_by_its_number_and_stops_nothing() -> None:
    text = (
        "date,amount\n"
        "2026-11-24,1.00\n"
        "\n"
        "2026-11-24\n"
        "2026-11-24,abc\n"
        "2026-11-24," + "9" * 11_000 + "\n"
        "2026-11-24,2.00\n"
    )

    assert bad(text) == [
        (4, "FieldMissing", "amount"),
        (5, "FieldInvalid", "amount"),
        (6, "FieldInvalid", "line"),
    ]
    amounts = [entry.amount for entry in read(text) if isinstance(entry, PaymentLine)]
    assert amounts == [Decimal("1.00"), Decimal("2.00")]


def test_a_line_that_is_no_csv_is_one_bad_line() -> None:
    entries = list(read_payments(["date,amount\n", "2026-11-24,1.0\r2,3\n", "2026-11-24,1\n"], "x"))

    assert isinstance(entries[0], BadLine)
    assert entries[0].error.field == "line"
    assert isinstance(entries[1], PaymentLine)


@pytest.mark.parametrize(
    ("heading", "missing"),
    [("amount,reference", "date"), ("date,customer", "amount"), ("x", "amount")],
)
def test_a_heading_without_date_or_amount_is_refused(heading: str, missing: str) -> None:
    with pytest.raises(FieldMissing) as refused:
        read(f"{heading}\n1,2\n")

    assert refused.value.field == missing


@pytest.mark.parametrize("text", ["", "\n \n", "date,amount\n"])
def test_an_empty_file_has_no_payments(text: str) -> None:
    assert read(text) == []


def test_files_are_read_lazily() -> None:
    def endless() -> object:
        yield "date,amount\n"
        while True:
            yield "2026-11-24,1.00\n"

    payments = read_payments(endless(), "x")  # type: ignore[arg-type]

    assert [next(payments).line for _ in range(3)] == [2, 3, 4]
