"""Cutting, queueing and standing still, as the batcher decides it; the chain's word is played."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from hutong import merkle
from hutong.errors import ContractRefusal, LeaseLost, NodeError
from hutong.invoices import batcher
from hutong.ledger.consents import invoices_domain, issue_digest, recover
from hutong.ledger.issuing import IssueCall, decode_issue
from tests.integration.batching import cut, cutter, mark, queued, rows
from tests.integration.gateway import CHAIN_ID, CONTRACT, Gateway
from tests.integration.registry import Registry

DOMAIN = invoices_domain(CHAIN_ID, CONTRACT)


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Books that stand still are looked at in every round."""
    monkeypatch.setattr(batcher, "_PROBE", 0.0)


def fill(gateway: Gateway, merchant: str, count: int) -> int:
    """Accepts that many invoices of 1.00; returns the first number."""
    answers = gateway.invoices.accept_many(merchant, [gateway.item() for _ in range(count)])
    return int(answers[0].number)  # type: ignore[union-attr]


def assert_consent(call: IssueCall, cashier: str) -> None:
    digest = issue_digest(
        DOMAIN, call.book, call.first, len(call.leaves), merkle.root(call.leaves), call.bound,
        call.deadline,
    )  # fmt: skip
    assert recover(digest, call.signature) == cashier
    assert int(call.signer, 16) == int(cashier, 16)


# --- cutting ----------------------------------------------------------------------------------------


def test_at_rest_one_invoice_is_cut_at_once(gateway: Gateway, merchant: str) -> None:
    accepted = gateway.issue(merchant)[0]

    cutter(gateway).step(partial=False)

    (call,) = queued(gateway.engine)[0]
    assert (call.first, call.bound, list(call.leaves)) == (
        int(accepted.number),
        100,
        [accepted.leaf],
    )
    assert_consent(call, gateway.cashier)


def test_full_batches_are_cut_at_once_and_the_rest_waits_for_the_tick(
    gateway: Gateway, merchant: str
) -> None:
    first = fill(gateway, merchant, 25)
    cutting = cutter(gateway, full=10)

    while cutting.step(partial=False):
        pass
    assert cut(gateway.engine) == [(first, 10, 1000), (first + 10, 10, 1000)]
    cutting.step(partial=True)

    assert cut(gateway.engine)[2:] == [(first + 20, 5, 500)]
    sizes = [[len(call.leaves) for call in row] for row in queued(gateway.engine)]
    assert sum(sum(row) for row in sizes) == 25


def test_small_batches_grow_while_enough_is_in_flight(gateway: Gateway, merchant: str) -> None:
    cutting = cutter(gateway)
    for _ in range(4):
        gateway.issue(merchant)
        cutting.step(partial=True)
    assert len(rows(gateway.engine)) == 4

    gateway.issue(merchant, "1.00", "1.00", "1.00")
    cutting.step(partial=True)
    assert len(cut(gateway.engine)) == 4
    mark(gateway.engine, 0, "final")
    cutting.step(partial=True)

    assert [count for _, count, _ in cut(gateway.engine)] == [1, 1, 1, 1, 3]


def test_a_batch_adds_up_to_no_more_than_the_cashiers_cap(
    gateway: Gateway, registry: Registry
) -> None:
    merchant = registry.merchant(gateway.cashier, cap=500)
    amounts = ("2.00", "3.00", "0.01", "5.00", "4.99", "0.00")
    gateway.issue(merchant, *amounts)

    cutting = cutter(gateway)
    while cutting.step(partial=True):
        pass

    assert [(count, bound) for _, count, bound in cut(gateway.engine)] == [
        (2, 500), (1, 1), (1, 500), (2, 499),
    ]  # fmt: skip


def test_a_cap_lowered_after_the_promise_lets_the_chain_decide(
    gateway: Gateway, registry: Registry, merchant: str
) -> None:
    gateway.issue(merchant, "9.00", "1.00")
    registry.appoint(merchant, gateway.cashier, cap=500)

    cutting = cutter(gateway)
    while cutting.step(partial=True):
        pass

    assert [bound for _, _, bound in cut(gateway.engine)] == [900, 100]


# --- queueing ---------------------------------------------------------------------------------------


def test_many_small_merchants_share_a_transaction(gateway: Gateway, registry: Registry) -> None:
    merchants = [registry.merchant(gateway.cashier) for _ in range(90)]
    for merchant in merchants:
        gateway.issue(merchant)

    cutter(gateway).step(partial=True)

    together = queued(gateway.engine)
    assert [len(row) for row in together] == [40, 40, 10]
    assert len({call.book for row in together for call in row}) == 90
    for row in together:
        for call in row:
            assert_consent(call, gateway.cashier)
    assert [row.nonce for row in rows(gateway.engine)] == [0, 1, 2]


def test_a_transaction_stays_below_128_kib(gateway: Gateway, registry: Registry) -> None:
    merchants = [registry.merchant(gateway.cashier) for _ in range(7)]
    for merchant in merchants:
        fill(gateway, merchant, 900)

    cutting = cutter(gateway)
    while cutting.step(partial=True):
        pass

    sizes = [len(row.data) for row in rows(gateway.engine)]
    assert max(sizes) < 128 * 1024 - 500
    assert [len(row) for row in queued(gateway.engine)] == [4, 3]


def test_a_book_without_a_cashier_stands_still_and_others_go_on(
    gateway: Gateway, registry: Registry
) -> None:
    told: list[tuple[str, Any]] = []

    def listen(connection: Connection, book: str, issuer: str, why: dict[str, Any] | None) -> None:
        told.append((issuer, why and why["code"]))

    gone, there = (registry.merchant(gateway.cashier) for _ in range(2))
    numbers = [gateway.issue(merchant)[0].number for merchant in (gone, there)]
    registry.appoint(gone, gateway.cashier, roles=0)
    cutting = cutter(gateway, listener=listen)

    for _ in range(3):
        cutting.step(partial=True)
    assert [call.first for row in queued(gateway.engine) for call in row] == [int(numbers[1])]
    view = gateway.invoices.get(numbers[0], gone)
    assert (view.status, view.why and view.why["code"]) == ("failed", "SignerMissing")
    registry.appoint(gone, gateway.cashier)
    cutting.step(partial=True)

    assert [call.first for row in queued(gateway.engine) for call in row][1:] == [int(numbers[0])]
    assert told == [(gone, "SignerMissing"), (gone, None)]


def test_a_batch_keeps_its_invoices_when_more_are_promised(gateway: Gateway, merchant: str) -> None:
    fill(gateway, merchant, 3)
    cutting = cutter(gateway)
    cutting.step(partial=True)
    fill(gateway, merchant, 3)
    mark(gateway.engine, 0, "reverted", "Reverted")

    cutting.step(partial=True)

    together = queued(gateway.engine)
    assert [call.leaves for call in together[1]] == [call.leaves for call in together[0]]


def test_without_the_lease_nothing_is_cut(gateway: Gateway, merchant: str) -> None:
    gateway.issue(merchant)
    late = cutter(gateway)
    cutter(gateway)  # another worker takes over

    with pytest.raises(LeaseLost):
        late.step(partial=True)

    assert cut(gateway.engine) == []


# --- standing still ---------------------------------------------------------------------------------


class Chain:
    """What the contract answers to trials."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.told: list[Any] = []

    def trial(self, data: bytes) -> None:
        if self.refusal is not None:
            raise self.refusal

    def listen(self, _: Connection, book: str, issuer: str, why: dict[str, Any] | None) -> None:
        self.told.append(why and (why["code"], why["values"]))


def test_a_refused_batch_holds_its_book_in_order_until_the_cause_is_gone(
    gateway: Gateway, merchant: str
) -> None:
    chain = Chain()
    cutting = cutter(gateway, full=2, trial=chain.trial, listener=chain.listen)
    first = fill(gateway, merchant, 6)
    while cutting.step(partial=True):
        pass
    chain.refusal = ContractRefusal("QuotaExceeded", {"amount": 1, "spent": 0, "bound": 2})

    mark(gateway.engine, 0, "reverted", "Reverted")
    cutting.step(partial=True)
    view = gateway.invoices.get(f"{first:020d}", merchant)
    assert (view.status, chain.told) == ("promised", [])  # two more are in flight: no verdict yet
    for nonce in range(1, len(rows(gateway.engine))):
        mark(gateway.engine, nonce, "reverted", "Reverted")
    cutting.step(partial=True)

    view = gateway.invoices.get(f"{first:020d}", merchant)
    assert view.status == "failed"
    assert view.why is not None
    assert view.why["code"] == "QuotaExceeded"
    assert view.why["values"] == {"amount": "1", "spent": "0", "bound": "2"}
    assert [page.number for page in gateway.invoices.list(merchant).items] == [
        f"{first + place:020d}" for place in reversed(range(6))
    ]
    sent = len(rows(gateway.engine))
    for _ in range(3):
        cutting.step(partial=True)
    assert len(rows(gateway.engine)) == sent
    assert len(chain.told) == 1

    chain.refusal = None
    cutting.step(partial=True)

    again = [call.first for row in queued(gateway.engine)[sent:] for call in row]
    assert again == [first, first + 2, first + 4]
    assert chain.told[-1] is None
    assert gateway.invoices.get(f"{first:020d}", merchant).status == "promised"


def test_one_bad_book_takes_its_neighbours_back_once_and_then_stands_alone(
    gateway: Gateway, registry: Registry
) -> None:
    merchants = [registry.merchant(gateway.cashier) for _ in range(3)]
    firsts = [int(gateway.issue(merchant)[0].number) for merchant in merchants]
    chain = Chain()

    def trial(data: bytes) -> None:
        if firsts[1] in [call.first for call in decode_issue(data)]:
            raise ContractRefusal("ParticipantSuspended", {"uscc": merchants[1]})

    cutting = cutter(gateway, trial=trial, listener=chain.listen)
    cutting.step(partial=True)
    assert [len(row) for row in queued(gateway.engine)] == [3]

    mark(gateway.engine, 0, "reverted", "Reverted")
    cutting.step(partial=True)

    assert [[call.first for call in row] for row in queued(gateway.engine)[1:]] == [
        [firsts[0]], [firsts[2]],
    ]  # fmt: skip
    statuses = [
        gateway.invoices.get(f"{first:020d}", merchant).status
        for first, merchant in zip(firsts, merchants, strict=True)
    ]
    assert statuses == ["promised", "failed", "promised"]
    assert chain.told == [("ParticipantSuspended", {"uscc": merchants[1]})]


def test_a_batch_that_somebody_else_relayed_is_not_sent_again(
    gateway: Gateway, registry: Registry, merchant: str
) -> None:
    first = fill(gateway, merchant, 4)
    chain = Chain()
    cutting = cutter(gateway, full=2, trial=chain.trial, listener=chain.listen)
    while cutting.step(partial=True):
        pass
    sent = len(rows(gateway.engine))

    # Ours fail, since the chain has the first batch already; the indexer is late to say so.
    for nonce in range(sent):
        mark(gateway.engine, nonce, "reverted", "Reverted")
    chain.refusal = ContractRefusal("BookOutOfOrder", {})
    cutting.step(partial=True)
    registry.land(f"{first:020d}", spent=200)
    chain.refusal = None
    cutting.step(partial=True)

    again = [call.first for row in queued(gateway.engine)[sent:] for call in row]
    assert again == [first + 2]
    assert gateway.invoices.get(f"{first:020d}", merchant).status == "onchain"


def test_a_trial_that_the_node_fails_stops_no_other_book(
    gateway: Gateway, registry: Registry
) -> None:
    one, two = (registry.merchant(gateway.cashier) for _ in range(2))
    chain = Chain()
    cutting = cutter(gateway, trial=chain.trial)
    gateway.issue(one)
    cutting.step(partial=True)
    mark(gateway.engine, 0, "reverted", "Reverted")
    chain.refusal = NodeError("internal error")
    number = gateway.issue(two)[0].number

    cutting.step(partial=True)

    assert [[call.first for call in row] for row in queued(gateway.engine)[1:]] == [[int(number)]]


def test_a_consent_is_signed_anew_for_a_batch_that_waited(
    gateway: Gateway, merchant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(gateway, merchant, 2)
    cutting = cutter(gateway)
    cutting.step(partial=True)
    mark(gateway.engine, 0, "reverted", "Reverted")
    later = time.time() + 7_200
    monkeypatch.setattr(batcher.time, "time", lambda: later)

    cutting.step(partial=True)

    old, new = (row[0] for row in queued(gateway.engine))
    assert new.deadline > old.deadline + 7_000
    assert_consent(new, gateway.cashier)


def test_gas_covers_the_calldata_floor() -> None:
    assert batcher.gas_limit(1, 1, 600) >= 21_000 + 110_000
    assert batcher.gas_limit(3_000, 1, 96_600) >= 21_000 + 40 * 96_600
