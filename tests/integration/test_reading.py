"""Looking up: views, bundles, batches, lists with cursors and filters."""

from __future__ import annotations

import hashlib

import pytest

from hutong import merkle
from hutong.errors import BatchUnknown, FieldInvalid, InvoiceUnknown, NotYetOnChain
from hutong.invoices.service import Filters
from tests.integration.batching import cutter
from tests.integration.gateway import Gateway, make_invoice
from tests.integration.registry import Registry, cut_firsts


def test_an_invoice_is_promised_then_on_the_chain(
    gateway: Gateway, registry: Registry, merchant: str
) -> None:
    accepted = gateway.issue(merchant, "12.00")[0]
    promised = gateway.invoices.get(accepted.number, merchant)
    with pytest.raises(NotYetOnChain):
        gateway.invoices.bundle(accepted.number, merchant)
    cutter(gateway).step(partial=True)

    block = registry.land(accepted.number, spent=1200)

    view = gateway.invoices.get(accepted.number, merchant)
    assert (promised.status, promised.landing) == ("promised", None)
    assert view.status == "onchain"
    assert view.landing is not None
    assert (view.landing.block, view.landing.first) == (block, accepted.number)
    assert (view.summary.gross, view.leaf) == (1200, accepted.leaf)
    assert hashlib.sha256(view.payload).digest() == view.summary.document


def test_a_rewind_takes_the_proof_away_and_the_promise_stays(
    gateway: Gateway, registry: Registry, merchant: str
) -> None:
    accepted = gateway.issue(merchant)[0]
    cutter(gateway).step(partial=True)
    block = registry.land(accepted.number, spent=100)
    gateway.invoices.bundle(accepted.number, merchant)

    registry.rewind(block - 1)

    assert gateway.invoices.get(accepted.number, merchant).status == "promised"
    with pytest.raises(NotYetOnChain):
        gateway.invoices.bundle(accepted.number, merchant)
    assert gateway.invoices.quotas(merchant)[0].pending == 100


def test_every_place_of_a_batch_has_a_proof(
    gateway: Gateway, registry: Registry, merchant: str
) -> None:
    accepted = gateway.issue(merchant, *["1.00"] * 7)
    cutter(gateway).step(partial=True)
    registry.land(accepted[0].number, spent=700)
    view = gateway.invoices.batch(accepted[0].number)

    assert (view.count, view.bound, view.leaves) == (7, 700, [one.leaf for one in accepted])
    for index, one in enumerate(accepted):
        bundle = gateway.invoices.bundle(one.number, merchant)
        siblings = [bytes.fromhex(word[2:]) for word in bundle["proof"]["siblings"]]
        assert merkle.verify(view.root, one.leaf, index, 7, siblings)


def test_others_see_nothing(gateway: Gateway, registry: Registry, merchant: str) -> None:
    number = gateway.issue(merchant)[0].number
    other = registry.merchant(gateway.cashier)

    for viewer in (other, None):
        with pytest.raises(InvoiceUnknown):
            gateway.invoices.get(number, viewer)
    with pytest.raises(InvoiceUnknown):
        gateway.invoices.get("9" * 20, merchant)
    assert gateway.invoices.find(number).number == number
    assert gateway.invoices.list(other).items == []


def test_another_invoice_under_the_number_is_told_apart(
    gateway: Gateway, registry: Registry, merchant: str
) -> None:
    number = gateway.issue(merchant)[0].number
    with gateway.engine.begin() as connection:
        registry.foreign(connection, merchant, int(number), first=int(number), count=1, spent=1)

    view = gateway.invoices.get(number, merchant)

    assert view.status == "failed"
    assert view.why is not None
    assert view.why["code"] == "NumberTaken"


def test_a_batch_is_shown_before_and_after_it_lands(
    gateway: Gateway, registry: Registry, merchant: str
) -> None:
    first = gateway.issue(merchant, "1.00", "1.00")[0].number
    with pytest.raises(BatchUnknown):
        gateway.invoices.batch(first)
    cutter(gateway).step(partial=True)
    before = gateway.invoices.batch(first)
    registry.land(first, spent=200)
    after = gateway.invoices.batch(first)

    assert before.landing is None
    assert after.landing is not None
    assert (before.root, before.leaves, before.last) == (after.root, after.leaves, after.last)


def test_a_list_pages_through_all_books_newest_first(gateway: Gateway, registry: Registry) -> None:
    merchant = registry.merchant(gateway.cashier, numbers=4, books=3)
    numbers = [one.number for one in gateway.issue(merchant, *["1.00"] * 11)]

    pages: list[list[str]] = []
    after = None
    while True:
        page = gateway.invoices.list(merchant, after=after, limit=3)
        pages.append([view.number for view in page.items])
        after = page.next_cursor
        if after is None:
            break

    assert [len(page) for page in pages] == [3, 3, 3, 2]
    assert [number for page in pages for number in page] == numbers[::-1]
    whole = gateway.invoices.list(merchant, limit=11)
    assert whole.next_cursor is None


def test_a_list_is_narrowed_by_status_amount_time_and_content(
    gateway: Gateway, registry: Registry, merchant: str
) -> None:
    item = gateway.item(make_invoice(amount="3.00"))
    landed = [*gateway.issue(merchant, "1.00", "2.00"), gateway.invoices.accept(merchant, item)]
    cutter(gateway).step(partial=True)
    registry.land(cut_firsts(gateway.engine, merchant)[0], spent=600)
    waiting = gateway.issue(merchant, "2.00")

    def listed(**filters: object) -> list[str]:
        page = gateway.invoices.list(merchant, Filters(**filters))  # type: ignore[arg-type]
        return [view.number for view in page.items][::-1]

    every = [one.number for one in [*landed, *waiting]]
    now = landed[0].accepted_at
    assert listed() == every
    assert listed(status="onchain") == every[:3]
    assert listed(status="promised") == every[3:]
    assert listed(status="failed") == []
    assert listed(min_gross=200) == every[1:]
    assert listed(min_gross=200, max_gross=200) == [every[1], every[3]]
    assert listed(content=hashlib.sha256(item.content).digest()) == [every[2]]
    assert listed(since=now, until=now + 3600) == every
    assert listed(until=now) == []
    with pytest.raises(FieldInvalid):
        listed(status="lost")
