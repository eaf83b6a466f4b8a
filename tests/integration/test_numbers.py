"""Numbers follow one another and promises are signed, whoever asks at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from hutong.database import open_database, write
from hutong.errors import (
    FieldInvalid,
)
from hutong.invoices import acceptance
from hutong.invoices.acceptance import Accepted
from hutong.invoices.issuer import Desks
from tests.integration.checks import assert_gapless, assert_promised, at_once
from tests.integration.gateway import Gateway, make_invoice
from tests.integration.registry import Registry


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


def test_books_are_locked_in_the_order_of_their_numbers(
    gateway: Gateway, registry: Registry
) -> None:
    merchants = [registry.merchant(gateway.cashier, books=2) for _ in range(12)]
    firsts = sorted(book.first for who in merchants for book in gateway.invoices.books(who))
    locked: list[str] = []

    def hear(*call: object) -> None:
        statement, parameters = str(call[2]), call[3]
        if statement.startswith("SELECT allocations.next, allocations.batched"):
            values = parameters.values() if isinstance(parameters, dict) else parameters
            locked.extend(value for value in values if value not in locked)  # type: ignore[union-attr]

    with write(gateway.engine) as connection:
        sa.event.listen(connection, "before_cursor_execute", hear)
        Desks(connection, gateway.cashiers, 0).open(reversed(merchants))

    assert locked == firsts


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
