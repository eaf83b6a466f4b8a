"""What the holder's page says of an invoice, in each of its states and both languages."""

from __future__ import annotations

from typing import Any

import pytest

from hutong.gateway.invoice_page import fingerprint, prepare
from hutong.gateway.texts import _EN, _ZH
from hutong.invoices.document import Seller, make_document
from hutong.invoices.model import draft_invoice
from hutong.invoices.rates import chinese_rates
from hutong.invoices.view import InvoiceView, Landing

ACCEPTED = 1_795_415_512  # 2026-11-23 14:31:52 in Beijing
BEFORE = ACCEPTED + 30
NUMBER = 26112000000481203577
URL = "https://hutong.example/i/token"


def make_view(
    *, status: str = "promised", why: dict[str, Any] | None = None, **request: Any
) -> InvoiceView:
    body: dict[str, Any] = {
        "prices_include_tax": True,
        "lines": [{"name": "停车费", "amount": "10.00", "rate": 900}],
        "payment": {
            "provider": "wechat-pay",
            "reference": "4200002613202611237731",
            "paid_at": ACCEPTED - 1,
        },
        "remarks": "停车 2 小时 10 分",
    } | request
    draft = draft_invoice(
        {name: value for name, value in body.items() if value is not None},
        now=ACCEPTED,
        rates=chinese_rates(),
        admitted=lambda _: False,
    )
    seller = Seller("91110106MA7K3HW20W", "北京汉威停车管理有限公司")
    document = make_document(draft, number=NUMBER, seller=seller, time=ACCEPTED)
    number = f"{NUMBER:020d}"
    landing = Landing(
        f"{NUMBER - 1:020d}", f"{NUMBER + 1:020d}", 3, bytes(32), seller.uscc, number, 0, "0x", 1284077,
        bytes(32), ACCEPTED + 2, "0x",
    )  # fmt: skip
    return InvoiceView(
        number, seller.uscc, number, status, why, ACCEPTED, BEFORE,
        landing if status == "onchain" else None, document.summary, document.leaf,
        document.payload, document.disclosures, 1, 0,
    )  # fmt: skip


def test_an_invoice_on_chain_shows_three_facts_with_their_times() -> None:
    page = prepare(make_view(status="onchain"), URL, ACCEPTED + 5, "zh")
    assert [tuple(step) for step in page.steps] == [
        ("已付款", "word", "14:31:51"),
        ("已承诺", "word", "14:31:52"),
        ("已上链", "chain", "14:31:54"),
    ]
    assert (page.state, page.sign, page.amount) == ("onchain", "¥", "10.00")
    assert page.subtitle == "停车 2 小时 10 分 · 2026年11月23日 14:31"
    assert page.record == "区块 1,284,077，批次第 2 / 3 张"
    assert page.payment == "微信支付 … 7731"
    assert "".join(page.number_parts) == str(NUMBER)
    line = page.lines[0]
    assert (line.name, line.net, line.tax, line.rate) == ("停车费", "¥9.17", "¥0.83", "9%")


def test_a_promise_says_by_when() -> None:
    page = prepare(make_view(), URL, ACCEPTED + 1, "en")
    assert tuple(page.steps[-1]) == ("Going on chain", "now", "by 14:32:22")
    assert page.state == "promised"
    assert page.bold == ""


@pytest.mark.parametrize(
    ("after", "said"),
    [(0, "已晚 0 秒"), (250, "已晚 4 分 10 秒"), (90_061, "已晚 1 天 1 小时")],
)
def test_a_broken_promise_says_how_late_it_is(after: int, said: str) -> None:
    page = prepare(make_view(), URL, BEFORE + after, "zh")
    assert (page.state, page.steps[-1].state, page.steps[-1].time) == ("late", "late", said)
    assert page.bold == "比承诺晚了。"


def test_a_book_that_stands_still_says_why_in_words_for_people() -> None:
    view = make_view(status="failed", why={"code": "QuotaExceeded", "detail": "0x1234"})
    page = prepare(view, URL, ACCEPTED + 1, "zh")
    assert page.sentence.startswith("商户本月额度用尽")
    assert "0x" not in page.sentence
    assert page.steps[-1].time == "最迟 14:32:22"


def test_an_invoice_without_a_payment_begins_with_the_promise() -> None:
    page = prepare(make_view(payment=None, remarks=None), URL, ACCEPTED, "en")
    assert [step.name for step in page.steps] == ["Promised", "Going on chain"]
    assert (page.payment, page.subtitle) == ("", "23 Nov 2026, 14:31")


def test_long_remarks_stay_below() -> None:
    page = prepare(make_view(remarks="备" * 31), URL, ACCEPTED, "zh")
    assert page.remarks == "备" * 31
    assert page.subtitle == "2026年11月23日 14:31"


def test_large_amounts_are_grouped_and_zero_has_two_decimals() -> None:
    lines = [
        {"name": "a", "amount": "1234567.8", "rate": 900},
        {"name": "b", "amount": "0", "rate": "exempt"},
    ]
    page = prepare(make_view(lines=lines), URL, ACCEPTED, "zh")
    assert page.amount == "1,234,567.80"
    assert (page.lines[1].net, page.lines[1].rate) == ("¥0.00", "免税")


@pytest.mark.parametrize(
    ("price", "inclusive", "detail"),
    [
        ("1090", False, "3 次 × 1,090.00"),
        ("10.5000", False, "3 次 × 10.50"),
        ("10.00", True, "3 次"),  # 9.1743119266055 without the tax
    ],
)
def test_unit_prices_show_no_needless_digits(price: str, inclusive: bool, detail: str) -> None:
    lines = [{"name": "a", "quantity": "3", "unit": "次", "unit_price": price, "rate": 900}]
    view = make_view(lines=lines, prices_include_tax=inclusive)
    assert prepare(view, URL, ACCEPTED, "zh").lines[0].detail == detail


def test_the_fingerprint_changes_when_there_is_something_new_to_say() -> None:
    states = [
        fingerprint(make_view(), ACCEPTED),
        fingerprint(make_view(), BEFORE),
        fingerprint(make_view(status="failed", why={"code": "QuotaExceeded"}), ACCEPTED),
        fingerprint(make_view(status="onchain"), ACCEPTED),
    ]
    assert len(set(states)) == 4
    assert fingerprint(make_view(), ACCEPTED) == fingerprint(make_view(), BEFORE - 1)


def test_both_languages_say_the_same_things() -> None:
    assert _ZH.keys() == _EN.keys()
