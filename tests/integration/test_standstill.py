"""Books that stand still and go on; the chain's word is played."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from hutong.errors import ContractRefusal, NodeError
from hutong.invoices import batcher
from hutong.invoices.service import Filters
from hutong.ledger.issuing import decode_issue
from tests.integration.batching import assert_consent, cutter, fill, mark, queued, rows
from tests.integration.gateway import Gateway
from tests.integration.registry import Registry


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Books that stand still are looked at in every round."""
    monkeypatch.setattr(batcher, "_PROBE", 0.0)


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
    assert gateway.invoices.books(merchant)[0].stalled is None
    assert gateway.invoices.list(merchant, Filters(status="failed")).items == []
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

    def trial(data: bytes) -> None:
        (call,) = decode_issue(data)
        if call.first != first + 2:  # the chain has the first batch already
            raise ContractRefusal("BookOutOfOrder", {})

    cutting = cutter(gateway, full=2, trial=trial)
    while cutting.step(partial=True):
        pass
    sent = len(rows(gateway.engine))

    # Ours fail; the indexer is late to say why.
    for nonce in range(sent):
        mark(gateway.engine, nonce, "reverted", "Reverted")
    cutting.step(partial=True)
    registry.land(f"{first:020d}", spent=200)
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
