"""What is told, when it is told again, and what a notice looks like: pure rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

#: What can be told. `invoice.onchain` is told invoice by invoice, `batch.onchain` once a batch.
EVENTS = ("invoice.onchain", "batch.onchain", "book.stalled", "book.resumed")
TEST = "webhook.test"

#: Seconds until the next attempt, after each failed one; after the last it is dead (in all about 3.3 days).
RETRIES = (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 100_800)
#: A share of each wait that is left to chance, so that what failed together does not come back together.
JITTER = 0.2


def wait_after(attempts: int, chance: float) -> float | None:
    """Seconds from the failed attempt number `attempts` (from 1) to the next; None: never again. `chance` in [0, 1)."""
    if attempts > len(RETRIES):
        return None
    return RETRIES[attempts - 1] * (1 + JITTER * (chance - 0.5))


def notice(kind: str, created_at: int, data: Mapping[str, Any]) -> bytes:
    """The body of a notice; `timestamp` in seconds UTC says when it happened, not when it is told."""
    return orjson.dumps({"type": kind, "timestamp": created_at, "data": data})


def invoices_of(event: str, batch: Mapping[str, Any], start: int) -> Iterator[tuple[str, Any]]:
    """Id and data of `invoice.onchain` for each invoice of a batch, from the place `start`; ids are stable."""
    first = int(batch["first"])
    where = {name: batch[name] for name in ("block", "time", "transaction")}
    for place in range(start, batch["count"]):
        number = f"{first + place:020d}"
        yield (
            f"{event}_{place}",
            {"number": number, "status": "onchain", "batch": batch["first"], **where},
        )
