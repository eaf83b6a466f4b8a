"""Repeats are answered alike, and a payment is invoiced once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hutong.database import open_database
from hutong.errors import (
    HutongError,
    IdempotencyKeyReused,
    InvoiceUnknown,
    PaymentAlreadyInvoiced,
)
from hutong.invoices.acceptance import Accepted, Item
from tests.integration.checks import assert_gapless, assert_promised, at_once
from tests.integration.gateway import Gateway, make_invoice
from tests.integration.registry import Registry


def test_the_same_key_and_content_get_the_first_answer_also_after_a_restart(
    gateway: Gateway, merchant: str, database_url: str, tmp_path: Path
) -> None:
    item = gateway.item()
    first = gateway.invoices.accept(merchant, item)
    gateway.issue(merchant)

    again = gateway.invoices.accept(merchant, item)
    restarted = Gateway(open_database(database_url), tmp_path)
    later = restarted.invoices.accept(merchant, item)

    for answer in (again, later):
        assert answer.repeated
        assert_promised(gateway, answer)
        assert answer[:4] == first[:4]
        assert answer.promise == first.promise
    assert not first.repeated
    assert_gapless(gateway.engine, merchant, 2)
    restarted.engine.dispose()


def test_a_repeat_within_one_request_gets_the_first_answer(gateway: Gateway, merchant: str) -> None:
    item = gateway.item()

    one, two = gateway.invoices.accept_many(merchant, [item, item])

    assert isinstance(one, Accepted)
    assert isinstance(two, Accepted)
    assert (one.repeated, two.repeated) == (False, True)
    assert one[:5] == two[:5]
    assert_gapless(gateway.engine, merchant, 1)


def test_a_bulk_request_sent_again_gets_all_first_answers(gateway: Gateway, merchant: str) -> None:
    items = [gateway.item() for _ in range(600)]
    first = gateway.invoices.accept_many(merchant, items)

    again = gateway.invoices.accept_many(merchant, [*items, gateway.item()])

    assert [answer[:4] for answer in again[:-1]] == [answer[:4] for answer in first]  # type: ignore[index]
    assert all(isinstance(answer, Accepted) and answer.repeated for answer in again[:-1])
    assert isinstance(again[-1], Accepted)
    assert not again[-1].repeated
    assert_gapless(gateway.engine, merchant, 601)


def test_a_key_used_again_for_other_content_is_refused(gateway: Gateway, merchant: str) -> None:
    item = gateway.item(key="once")
    gateway.invoices.accept(merchant, item)
    altered = gateway.item(make_invoice(amount="2.00"), key="once")
    bulk = [gateway.item(key="twice"), gateway.item(key="twice")]

    with pytest.raises(IdempotencyKeyReused):
        gateway.invoices.accept(merchant, altered)
    answers = gateway.invoices.accept_many(merchant, bulk)

    assert isinstance(answers[1], IdempotencyKeyReused)
    assert_gapless(gateway.engine, merchant, 2)


def test_keys_of_two_merchants_are_apart(gateway: Gateway, registry: Registry) -> None:
    one, two = (registry.merchant(gateway.cashier) for _ in range(2))

    answers = [gateway.invoices.accept(who, gateway.item(key="mine")) for who in (one, two)]

    assert not answers[1].repeated
    with pytest.raises(InvoiceUnknown):
        gateway.invoices.get(answers[0].number, two)
    assert gateway.invoices.get(answers[0].number, one).number == answers[0].number


def test_one_key_sent_by_many_at_once_makes_one_invoice(
    gateway: Gateway, merchant: str, database_url: str, tmp_path: Path
) -> None:
    other = Gateway(open_database(database_url), tmp_path)
    items = [gateway.item() for _ in range(5)]

    def send(index: int) -> Sequence[object]:
        return (gateway, other)[index % 2].invoices.accept_many(merchant, items)

    results = at_once(8, send)

    answered = [[answer.number for answer in result] for result in results]  # type: ignore[attr-defined]
    assert answered == [answered[0]] * 8
    assert sum(not answer.repeated for result in results for answer in result) == 5  # type: ignore[attr-defined]
    assert_gapless(gateway.engine, merchant, 5)
    other.engine.dispose()


def test_content_is_found_by_its_hash(gateway: Gateway, registry: Registry, merchant: str) -> None:
    item = gateway.item()
    same_again = Item("another key", item.content, gateway.item(make_invoice()).draft)
    accepted = [gateway.invoices.accept(merchant, each) for each in (item, same_again)]
    digest = hashlib.sha256(item.content).digest()

    assert gateway.invoices.by_content(merchant, digest) == [one.number for one in accepted]
    assert gateway.invoices.by_content(registry.merchant(gateway.cashier), digest) == []
    assert gateway.invoices.by_content(merchant, bytes(32)) == []


def test_a_payment_is_invoiced_once(gateway: Gateway, registry: Registry, merchant: str) -> None:
    paid = make_invoice(reference="t-once")
    first = gateway.invoices.accept(merchant, gateway.item(paid))

    with pytest.raises(PaymentAlreadyInvoiced) as refused:
        gateway.invoices.accept(merchant, gateway.item(paid))
    one, two = gateway.invoices.accept_many(
        merchant, [gateway.item(make_invoice(reference="t-twice")) for _ in range(2)]
    )
    elsewhere = registry.merchant(gateway.cashier)

    assert refused.value.values["number"] == first.number
    assert isinstance(one, Accepted)
    assert isinstance(two, PaymentAlreadyInvoiced)
    assert two.values["number"] == one.number
    assert not gateway.invoices.accept(elsewhere, gateway.item(paid)).repeated
    assert_gapless(gateway.engine, merchant, 2)


def test_invoices_without_a_payment_are_never_the_same(gateway: Gateway, merchant: str) -> None:
    bare = make_invoice()
    del bare["payment"]

    answers = gateway.invoices.accept_many(merchant, [gateway.item(bare) for _ in range(3)])

    assert all(isinstance(answer, Accepted) for answer in answers)


def test_one_payment_sent_to_several_gateways_at_once_makes_one_invoice(
    gateway: Gateway, merchant: str, database_url: str, tmp_path: Path
) -> None:
    others = [Gateway(open_database(database_url), tmp_path) for _ in range(3)]
    bodies = [make_invoice(reference=f"t-race-{number}") for number in range(5)]

    def send(index: int) -> list[object]:
        mine = [gateway, *others][index % 4]
        return list(mine.invoices.accept_many(merchant, [mine.item(body) for body in bodies]))

    results = at_once(8, send)

    for place in range(5):
        answers = [result[place] for result in results]  # type: ignore[index]
        accepted = [answer for answer in answers if isinstance(answer, Accepted)]
        refused = [answer for answer in answers if isinstance(answer, PaymentAlreadyInvoiced)]
        assert (len(accepted), len(refused)) == (1, 7), answers
        assert {error.values["number"] for error in refused} == {accepted[0].number}
    assert_gapless(gateway.engine, merchant, 5)
    for other in others:
        other.engine.dispose()


def test_an_invoice_that_breaks_its_group_leaves_the_others_alone(
    gateway: Gateway, registry: Registry
) -> None:
    merchants = [registry.merchant(gateway.cashier, quota=2**96 - 1) for _ in range(2)]
    huge = gateway.item()
    huge = huge._replace(draft=replace(huge.draft, gross=2**63 - 1))

    def send(index: int) -> Accepted:
        if index < 4:
            return gateway.invoices.accept(merchants[0], huge._replace(key=f"huge-{index}"))
        return gateway.invoices.accept(merchants[1], gateway.item())

    results = at_once(12, send)

    assert all(isinstance(result, HutongError | Accepted) for result in results[:4])
    assert all(isinstance(result, Accepted) for result in results[4:])
    assert_gapless(gateway.engine, merchants[1], 8)
