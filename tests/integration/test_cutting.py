"""Cutting and queueing, as the batcher decides it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.engine import Connection

from hutong.errors import LeaseLost
from hutong.invoices import batcher
from tests.integration.batching import assert_consent, cut, cutter, fill, mark, queued, rows
from tests.integration.gateway import Gateway
from tests.integration.registry import Registry


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Books that stand still are looked at in every round."""
    monkeypatch.setattr(batcher, "_PROBE", 0.0)


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


def test_gas_covers_the_calldata_floor() -> None:
    assert batcher.gas_limit(1, 1, 600) >= 21_000 + 110_000
    assert batcher.gas_limit(3_000, 1, 96_600) >= 21_000 + 40 * 96_600
