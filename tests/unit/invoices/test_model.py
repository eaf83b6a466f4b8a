"""Which requests are an invoice, and what each field must be."""

from typing import Any

import pytest

from hutong.errors import (
    AmountInvalid,
    BadInput,
    FieldInvalid,
    FieldMissing,
    FieldUnknown,
    RateInvalid,
    TimeInFuture,
    TotalsMismatch,
    UsccInvalid,
)
from tests.unit.invoices.builders import (
    BUYER,
    NOW,
    PAYMENT,
    draft_of,
    make_draft,
    make_line,
    make_request,
)


def refused(error: type[BadInput], field: str, **changes: Any) -> BadInput:
    with pytest.raises(error) as caught:
        make_draft(**changes)
    assert type(caught.value) is error
    assert caught.value.field == field
    return caught.value


def test_a_request_becomes_a_draft_with_its_totals() -> None:
    draft = make_draft(buyer=BUYER, payment=PAYMENT, remarks="桌号 12\n谢谢", drawer="张三")
    assert (draft.net, draft.tax, draft.gross) == (1132, 68, 1200)
    assert (draft.kind, draft.currency, draft.original) == ("ordinary", "CNY", 0)
    assert draft.buyer is not None
    assert draft.buyer.uscc == BUYER["uscc"]
    assert draft.payment is not None
    assert draft.payment.reference == PAYMENT["reference"]
    assert (draft.remarks, draft.drawer) == ("桌号 12\n谢谢", "张三")


def test_null_and_empty_are_as_good_as_absent() -> None:
    draft = draft_of(
        {
            **make_request(),
            "buyer": None,
            "payment": None,
            "totals": None,
            "remarks": "",
            "kind": None,
        }
    )
    assert draft == make_draft()


@pytest.mark.parametrize("data", [None, [], "{}", 1])
def test_a_request_is_an_object(data: Any) -> None:
    with pytest.raises(FieldInvalid):
        draft_of(data)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": "1"}, "number"),
        ({"buyer": {**BUYER, "salt": "1"}}, "buyer.salt"),
        ({"payment": {**PAYMENT, "amount": "1.00"}}, "payment.amount"),
        ({"totals": {"sum": "1.00"}}, "totals.sum"),
        ({"lines": [make_line(), make_line(price="1.00")]}, "lines[1].price"),
    ],
)
def test_an_unknown_field_is_named(changes: dict[str, Any], field: str) -> None:
    refused(FieldUnknown, field, **changes)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lines": None}, "lines"),
        ({"prices_include_tax": None}, "prices_include_tax"),
        ({"lines": [{"amount": "1.00", "rate": 600}]}, "lines[0].name"),
        ({"lines": [{"name": "x", "amount": "1.00"}]}, "lines[0].rate"),
        ({"lines": [{"name": "x", "rate": 600}]}, "lines[0].amount"),
        ({"buyer": {"uscc": BUYER["uscc"]}}, "buyer.name"),
        ({"payment": {"provider": "cdnow"}}, "payment.reference"),
        ({"payment": {"reference": "1"}}, "payment.provider"),
        ({"kind": "special"}, "buyer.uscc"),
        ({"kind": "special", "buyer": {"name": "李四"}}, "buyer.uscc"),
    ],
)
def test_a_missing_field_is_named(changes: dict[str, Any], field: str) -> None:
    refused(FieldMissing, field, **changes)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "paper"}, "kind"),
        ({"currency": "cny"}, "currency"),
        ({"prices_include_tax": "yes"}, "prices_include_tax"),
        ({"prices_include_tax": 1}, "prices_include_tax"),
        ({"lines": []}, "lines"),
        ({"lines": {"0": make_line()}}, "lines"),
        ({"lines": ["x"]}, "lines[0]"),
        ({"lines": [make_line(name="x" * 601)]}, "lines[0].name"),
        ({"lines": [make_line(specification="x" * 151)]}, "lines[0].specification"),
        ({"lines": [make_line(unit="x" * 301)]}, "lines[0].unit"),
        ({"lines": [make_line(tax_code="1" * 18)]}, "lines[0].tax_code"),
        ({"lines": [make_line(nature="gift")]}, "lines[0].nature"),
        ({"lines": [make_line(rate=0)]}, "lines[0].rate"),
        ({"lines": [make_line(rate=-600)]}, "lines[0].rate"),
        ({"lines": [make_line(rate=0.06)]}, "lines[0].rate"),
        ({"lines": [make_line(rate=True)]}, "lines[0].rate"),
        ({"lines": [make_line(rate="6%")]}, "lines[0].rate"),
        ({"lines": [make_line(quantity=1)]}, "lines[0].quantity"),
        ({"lines": [make_line(quantity="-1")]}, "lines[0].quantity"),
        ({"lines": [make_line(quantity="1" * 26)]}, "lines[0].quantity"),
        ({"buyer": "李四"}, "buyer"),
        ({"buyer": {"name": "  "}}, "buyer.name"),
        ({"buyer": {"name": 7}}, "buyer.name"),
        ({"buyer": {"name": "x" * 151}}, "buyer.name"),
        ({"buyer": {"name": "x", "address": "x" * 301}}, "buyer.address"),
        ({"remarks": "x" * 451}, "remarks"),
        ({"remarks": "a\nb" + "x" * 450}, "remarks"),
        ({"remarks": "\n\x00"}, "remarks"),
        ({"drawer": "x" * 301}, "drawer"),
        ({"drawer": "a\nb"}, "drawer"),
        ({"payment": {**PAYMENT, "provider": "微信"}}, "payment.provider"),
        ({"payment": {**PAYMENT, "reference": " 1"}}, "payment.reference"),
        ({"payment": {**PAYMENT, "reference": "x" * 129}}, "payment.reference"),
        ({"payment": {**PAYMENT, "paid_at": "now"}}, "payment.paid_at"),
        ({"payment": {**PAYMENT, "paid_at": -1}}, "payment.paid_at"),
        ({"payment": {**PAYMENT, "paid_at": True}}, "payment.paid_at"),
    ],
)
def test_a_field_of_another_form_is_named(changes: dict[str, Any], field: str) -> None:
    refused(FieldInvalid, field, **changes)


@pytest.mark.parametrize("char", ["\x00", "\x1f", "\x7f", "\x85", "\u2028", "\ud800", "\ufeff"])
def test_text_that_xml_or_eyes_cannot_take_is_refused(char: str) -> None:
    refused(FieldInvalid, "drawer", drawer=f"张{char}三")


@pytest.mark.parametrize("text", ["张\u3000三", "Ünïcødé", "𠮷野家", "a\u00a0b"])
def test_text_of_any_script_is_taken_as_it_is(text: str) -> None:
    assert make_draft(drawer=text).drawer == text


@pytest.mark.parametrize("amount", [12, 12.0, "12.001", "1e3", "", "1" * 17 + ".00"])
def test_an_amount_is_a_decimal_string(amount: object) -> None:
    refused(AmountInvalid, "lines[0].amount", lines=[make_line(amount=amount)])


def test_a_buyers_code_is_read_as_people_type_it() -> None:
    draft = make_draft(buyer={"uscc": " 91320500628396530u", "name": "科沃斯"})
    assert draft.buyer is not None
    assert draft.buyer.uscc == "91320500628396530U"


def test_a_buyers_wrong_check_digit_is_refused_unless_the_bureau_admitted_it() -> None:
    # A real code, published by Fujian's register with a wrong check digit.
    irregular = "91350203M0001QKT19"
    request = make_request(buyer={"uscc": irregular.lower(), "name": "x"})
    with pytest.raises(UsccInvalid) as caught:
        draft_of(request)
    assert caught.value.field == "buyer.uscc"
    asked: list[str] = []
    draft = draft_of(request, admitted=lambda code: asked.append(code) is None)
    assert draft.buyer is not None
    assert draft.buyer.uscc == irregular
    assert asked == [irregular]


def test_the_bureau_is_not_asked_about_what_cannot_be_a_code() -> None:
    request = make_request(buyer={"uscc": "91350203", "name": "x"})
    with pytest.raises(UsccInvalid):
        draft_of(request, admitted=lambda _: pytest.fail("asked"))


def test_a_provider_has_one_spelling() -> None:
    draft = make_draft(payment={"provider": "WeChat", "reference": "4200A"})
    assert draft.payment is not None
    assert (draft.payment.provider, draft.payment.reference) == ("wechat", "4200A")


def test_a_payment_may_be_a_little_ahead_of_our_clock() -> None:
    make_draft(payment={**PAYMENT, "paid_at": NOW + 300})
    refused(TimeInFuture, "payment.paid_at", payment={**PAYMENT, "paid_at": NOW + 301})


def test_a_rate_of_the_day_of_payment_stays_right() -> None:
    in_2018 = 1_530_000_000
    lines = [make_line(rate=1600)]
    refused(RateInvalid, "lines[0].rate", lines=lines)
    assert make_draft(lines=lines, payment={**PAYMENT, "paid_at": in_2018}).lines[0].rate == 1600
    # So does today's: the payment may be older than what it pays for.
    make_draft(payment={**PAYMENT, "paid_at": in_2018}, lines=[make_line(rate=1300)])


@pytest.mark.parametrize("name", ["net", "tax", "gross"])
def test_given_totals_agree_to_the_fen(name: str) -> None:
    right = {"net": "11.32", "tax": "0.68", "gross": "12.00"}
    assert make_draft(totals=right) == make_draft()
    assert make_draft(totals={name: right[name]}) == make_draft()
    wrong = {**right, name: right[name][:-1] + "9"}
    error = refused(TotalsMismatch, f"totals.{name}", totals=wrong)
    assert error.values["given"] != error.values["computed"]


def test_amounts_have_the_currencys_decimals() -> None:
    lines = [make_line(amount="1200", rate=600)]
    assert make_draft(currency="JPY", lines=lines).gross == 1200
    refused(AmountInvalid, "lines[0].amount", currency="JPY", lines=[make_line(amount="1.50")])


def test_a_payment_of_nothing_is_invoiced() -> None:
    assert make_draft(lines=[make_line(amount="0.00")]).gross == 0


def test_two_thousand_lines_fit_and_one_more_does_not() -> None:
    assert len(make_draft(lines=[make_line()] * 2000).lines) == 2000
    refused(FieldInvalid, "lines", lines=[make_line()] * 2001)


def test_a_total_beyond_eighteen_digits_is_refused() -> None:
    large = make_line(amount="9" * 16 + ".00", rate="exempt")
    refused(TotalsMismatch, "totals", lines=[large, large])
