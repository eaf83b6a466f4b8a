"""Accepting: consecutive numbers, repeats answered alike, one invoice a payment, whoever asks at once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from hutong import merkle
from hutong.database import open_database, read
from hutong.errors import (
    FieldInvalid,
    HutongError,
    IdempotencyKeyReused,
    InvoiceUnknown,
    PaymentAlreadyInvoiced,
)
from hutong.invoices import acceptance
from hutong.invoices.acceptance import Accepted, Item
from hutong.invoices.store import allocations, invoices
from hutong.ledger.consents import promise_digest, recover
from tests.integration.gateway import CHAIN_ID, CONTRACT, Gateway, make_invoice
from tests.integration.registry import Registry


def numbers(engine: Engine, issuer: str) -> list[int]:
    with read(engine) as connection:
        found = sa.select(invoices.c.number).where(invoices.c.issuer == issuer)
        return sorted(int(number) for number in connection.execute(found).scalars())


def assert_gapless(engine: Engine, issuer: str, count: int) -> None:
    found = numbers(engine, issuer)
    assert len(found) == count
    assert found == list(range(found[0], found[0] + count))
    with read(engine) as connection:
        rows = connection.execute(
            sa.select(allocations.c.book, allocations.c.next, allocations.c.promised).where(
                allocations.c.issuer == issuer
            )
        ).all()
        total = connection.execute(
            sa.select(sa.func.sum(invoices.c.gross)).where(invoices.c.issuer == issuer)
        ).scalar_one()
    assert [(int(row.book), int(row.next)) for row in rows] == [(found[0], found[-1] + 1)]
    assert sum(int(row.promised) for row in rows) == int(total)


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """Results, or errors, of `work` in that many threads that begin together."""
    barrier = threading.Barrier(count)

    def run(index: int) -> object:
        barrier.wait()
        try:
            return work(index)
        except HutongError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


# --- numbers ----------------------------------------------------------------------------------------


def test_numbers_follow_one_another_from_the_books_first(gateway: Gateway, merchant: str) -> None:
    first = gateway.invoices.books(merchant)[0].first

    accepted = gateway.issue(merchant, "1.00", "2.00", "3.00")

    assert [int(one.number) - int(first) for one in accepted] == [0, 1, 2]
    assert [len(one.number) for one in accepted] == [20, 20, 20]
    assert_gapless(gateway.engine, merchant, 3)


def test_a_refused_item_takes_no_number(gateway: Gateway, registry: Registry) -> None:
    merchant = registry.merchant(gateway.cashier, quota=250)
    items = [gateway.item(make_invoice(amount=amount)) for amount in ("1.00", "9.00", "1.50")]

    answers = gateway.invoices.accept_many(merchant, items)

    assert [isinstance(answer, Accepted) for answer in answers] == [True, False, True]
    assert_gapless(gateway.engine, merchant, 2)


def test_a_document_that_cannot_be_made_takes_no_number(
    gateway: Gateway, merchant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = acceptance.make_document

    def make(draft: object, **known: object) -> object:
        if draft.remarks == "bad":  # type: ignore[attr-defined]
            raise FieldInvalid("no document", field="remarks")
        return real(draft, **known)  # type: ignore[arg-type]

    monkeypatch.setattr(acceptance, "make_document", make)
    items = [gateway.item(make_invoice(remarks=remarks)) for remarks in ("", "bad", "")]

    answers = gateway.invoices.accept_many(merchant, items)

    assert isinstance(answers[1], FieldInvalid)
    assert_gapless(gateway.engine, merchant, 2)
    assert gateway.invoices.quotas(merchant)[0].pending == 200


def test_numbers_have_no_gap_when_threads_of_several_gateways_accept_at_once(
    gateway: Gateway, merchant: str, database_url: str, tmp_path: Path
) -> None:
    others = [Gateway(open_database(database_url), tmp_path) for _ in range(2)]
    all_gateways = [gateway, *others]

    def issue(index: int) -> None:
        mine = all_gateways[index % 3]
        for _ in range(10):
            mine.issue(merchant)
        mine.invoices.accept_many(merchant, [mine.item() for _ in range(20)])

    results = at_once(12, issue)

    assert results == [None] * 12
    assert_gapless(gateway.engine, merchant, 12 * 30)
    for other in others:
        other.engine.dispose()


def test_gateways_that_serve_merchants_in_different_order_do_not_block_each_other(
    gateway: Gateway, registry: Registry, database_url: str, tmp_path: Path
) -> None:
    other = Gateway(open_database(database_url), tmp_path)
    merchants = [registry.merchant(gateway.cashier) for _ in range(6)]

    def issue(index: int) -> None:
        mine = (gateway, other)[index % 2]
        order = merchants if index % 4 < 2 else merchants[::-1]
        for _ in range(5):
            for merchant in order:
                mine.issue(merchant)

    results = at_once(8, issue)

    assert results == [None] * 8
    for merchant in merchants:
        assert_gapless(gateway.engine, merchant, 40)
    other.engine.dispose()


# --- promises ---------------------------------------------------------------------------------------


def assert_promised(gateway: Gateway, accepted: Accepted) -> None:
    promise = accepted.promise
    digest = promise_digest(CHAIN_ID, CONTRACT, promise.root, promise.count, promise.before)
    assert recover(digest, promise.signature) == gateway.promiser.signer == promise.signer
    assert merkle.verify(
        promise.root, accepted.leaf, promise.index, promise.count, promise.siblings
    )


def test_a_promise_is_signed_and_contains_the_leaf(gateway: Gateway, merchant: str) -> None:
    accepted = gateway.issue(merchant)[0]

    assert_promised(gateway, accepted)
    assert accepted.before == accepted.promise.before == accepted.accepted_at + 60


def test_items_of_one_request_share_one_promise(gateway: Gateway, merchant: str) -> None:
    items = [gateway.item() for _ in range(7)]

    answers = gateway.invoices.accept_many(merchant, items)

    promises = [answer.promise for answer in answers if isinstance(answer, Accepted)]
    assert {(promise.root, promise.count) for promise in promises} == {(promises[0].root, 7)}
    assert [promise.index for promise in promises] == list(range(7))
    for answer in answers:
        assert isinstance(answer, Accepted)
        assert_promised(gateway, answer)
        view = gateway.invoices.get(answer.number, merchant)
        assert gateway.invoices.promise(view) == answer.promise


def test_one_line_in_bulk_has_a_promise_of_its_own_while_others_issue(
    gateway: Gateway, merchant: str
) -> None:
    def issue(index: int) -> list[Accepted]:
        if index % 2:
            return gateway.issue(merchant)
        return gateway.invoices.accept_many(merchant, [gateway.item()])  # type: ignore[return-value]

    results = at_once(16, issue)

    for index, result in enumerate(results):
        (accepted,) = result  # type: ignore[misc]
        assert_promised(gateway, accepted)
        if index % 2 == 0:
            # A bulk answer gives no siblings: whoever sent the lines makes the root of their leaves alone.
            assert accepted.promise.count == 1


# --- repeats ----------------------------------------------------------------------------------------


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


# --- payments ---------------------------------------------------------------------------------------


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
