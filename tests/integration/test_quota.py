"""Quota: to the fen, by the month, whoever promises at once."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hutong.database import open_database, write
from hutong.errors import (
    BookExhausted,
    HutongError,
    QuotaExceeded,
)
from hutong.invoices import acceptor, service
from hutong.invoices.acceptance import Accepted
from hutong.invoices.standing import BEIJING, quota_of
from tests.integration.batching import cutter
from tests.integration.checks import at_once
from tests.integration.gateway import Gateway
from tests.integration.registry import Registry, cut_firsts

# --- quota ------------------------------------------------------------------------------------------


def test_quota_is_exact_to_the_fen(gateway: Gateway, registry: Registry) -> None:
    merchant = registry.merchant(gateway.cashier, quota=300)
    gateway.issue(merchant, "1.00")

    with pytest.raises(QuotaExceeded) as refused:
        gateway.issue(merchant, "2.01")
    gateway.issue(merchant, "2.00")
    with pytest.raises(QuotaExceeded):
        gateway.issue(merchant, "0.01")
    gateway.issue(merchant, "0.00")

    assert refused.value.field == "totals.gross"
    assert refused.value.values == {"amount": 300, "left": 200, "gross": 201}
    quota = gateway.invoices.quotas(merchant)[0]
    assert (quota.amount, quota.spent, quota.pending, quota.left) == (300, 0, 300, 0)


def test_quota_counts_what_is_promised_and_what_has_landed_once(
    gateway: Gateway, registry: Registry
) -> None:
    merchant = registry.merchant(gateway.cashier, quota=1_000)
    gateway.issue(merchant, "3.00", "3.00")
    cutter(gateway).step(partial=True)
    gateway.issue(merchant, "1.00")

    registry.land(cut_firsts(gateway.engine, merchant)[0], spent=600)

    quota = gateway.invoices.quotas(merchant)[0]
    assert (quota.spent, quota.pending, quota.left) == (600, 100, 300)
    with pytest.raises(QuotaExceeded):
        gateway.issue(merchant, "3.01")
    gateway.issue(merchant, "3.00")


def test_what_the_issuer_spent_elsewhere_counts(gateway: Gateway, registry: Registry) -> None:
    merchant = registry.merchant(gateway.cashier, quota=1_000)
    gateway.issue(merchant, "1.00")
    cutter(gateway).step(partial=True)

    # The chain says 7.00: 6.00 of them were issued through another gateway, in another book.
    registry.land(cut_firsts(gateway.engine, merchant)[0], spent=700)

    assert gateway.invoices.quotas(merchant)[0].left == 300


def test_a_new_month_begins_with_the_whole_quota_but_for_what_is_pending(
    gateway: Gateway, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    merchant = registry.merchant(gateway.cashier, quota=1_000)
    gateway.issue(merchant, "6.00")
    cutter(gateway).step(partial=True)
    registry.land(cut_firsts(gateway.engine, merchant)[0], spent=600)
    gateway.issue(merchant, "4.00")  # promised this month, will land in the next
    now = datetime.fromtimestamp(time.time(), BEIJING)
    turn = (
        now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)
    ).replace(day=1)
    before, after = turn.timestamp() - 1, turn.timestamp()

    for moment, left in ((before, 0), (after, 600)):
        for module in (acceptor, service):
            monkeypatch.setattr(module.time, "time", lambda moment=moment: moment)
        assert gateway.invoices.quotas(merchant)[0].left == left
    gateway.issue(merchant, "6.00")
    with pytest.raises(QuotaExceeded):
        gateway.issue(merchant, "0.01")

    monkeypatch.undo()
    assert gateway.invoices.quotas(merchant)[0].month == f"{now:%Y-%m}"


def test_quota_is_never_exceeded_when_gateways_promise_at_once(
    gateway: Gateway, registry: Registry, database_url: str, tmp_path: Path
) -> None:
    merchant = registry.merchant(gateway.cashier, quota=5_000, books=2)
    other = Gateway(open_database(database_url), tmp_path)
    books = [book.first for book in gateway.invoices.books(merchant)]

    def promise(index: int) -> list[Accepted | HutongError]:
        mine = (gateway, other)[index % 2]
        items = [mine.item() for _ in range(10)]
        return mine.invoices.accept_many(merchant, items, books[index // 2 % 2])

    results = at_once(8, promise)

    answers = [answer for result in results for answer in result]  # type: ignore[attr-defined]
    assert sum(isinstance(answer, Accepted) for answer in answers) == 50
    assert sum(isinstance(answer, QuotaExceeded) for answer in answers) == 30
    assert gateway.invoices.quotas(merchant)[0].left == 0
    other.engine.dispose()


def test_a_batch_counts_as_pending_or_as_spent_at_every_moment(
    gateway: Gateway, registry: Registry
) -> None:
    merchant = registry.merchant(gateway.cashier)
    for _ in range(40):
        gateway.issue(merchant)
        cutter(gateway).step(partial=True)
    firsts = cut_firsts(gateway.engine, merchant)
    sums: set[int] = set()
    landing = threading.Thread(
        target=lambda: [registry.land(first, spent=100 * n) for n, first in enumerate(firsts, 1)]
    )

    landing.start()
    while landing.is_alive():
        with write(gateway.engine) as connection:
            quota = quota_of(connection, merchant, "CNY", time.time())
        sums.add(quota.spent + quota.pending)

    assert sums == {4_000}


def test_sums_beyond_64_bits_are_refused(gateway: Gateway, registry: Registry) -> None:
    merchant = registry.merchant(gateway.cashier, quota=2**96 - 1)
    items = [gateway.item() for _ in range(3)]
    sums = (2**62, 2**62, 2**62 - 1)

    answers = gateway.invoices.accept_many(
        merchant,
        [
            item._replace(draft=replace(item.draft, gross=gross))
            for item, gross in zip(items, sums, strict=True)
        ],
    )

    assert [type(answer) for answer in answers] == [Accepted, BookExhausted, Accepted]
