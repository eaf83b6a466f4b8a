"""When a notice is told again, and what it says."""

from __future__ import annotations

import orjson

from hutong.webhooks.model import JITTER, RETRIES, invoices_of, notice, wait_after


def test_waits_grow_to_three_days_and_end() -> None:
    waits = [wait_after(attempt, 0.5) for attempt in range(1, len(RETRIES) + 1)]
    assert waits == list(RETRIES)
    assert waits == sorted(waits, key=float)
    assert 3 * 86_400 < sum(RETRIES) < 4 * 86_400
    assert wait_after(len(RETRIES) + 1, 0.5) is None


def test_chance_moves_a_wait_a_little() -> None:
    assert wait_after(2, 0.0) == 60 * (1 - JITTER / 2)
    assert wait_after(2, 1.0) == 60 * (1 + JITTER / 2)


def test_a_batch_is_told_invoice_by_invoice_with_ids_that_stay() -> None:
    batch = {
        "first": "26112000000481200009",
        "count": 3,
        "block": 7,
        "time": 5,
        "transaction": "0x1",
    }
    whole = list(invoices_of("evt_a", batch, 0))
    assert [data["number"][-2:] for _, data in whole] == ["09", "10", "11"]
    assert [identity for identity, _ in whole] == ["evt_a_0", "evt_a_1", "evt_a_2"]
    assert list(invoices_of("evt_a", batch, 2)) == whole[2:]
    assert whole[0][1]["block"] == 7


def test_a_notice_says_type_time_and_data() -> None:
    assert orjson.loads(notice("book.stalled", 5, {"book": "1"})) == {
        "type": "book.stalled",
        "timestamp": 5,
        "data": {"book": "1"},
    }
