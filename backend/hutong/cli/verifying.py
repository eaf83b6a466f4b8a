"""Verifies many invoices, batch by batch, each against what the contract says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

import requests

from hutong.errors import HutongError, Unavailable
from hutong.invoices.bundle import Bundle, parse_bundle
from hutong.ledger.client import Node
from hutong.verifier import BatchVerifier

_WAIT_SECONDS = 300.0
_PAUSE = 0.5


class Outcome(NamedTuple):
    """How many held, their total in yuan, and number and reason of those that did not."""

    held: int
    total: Decimal
    failed: list[tuple[str, str]]


def verify_many(
    numbers: Iterable[str], url: str, key: str, rpc: str, contract: str, done: Callable[[], object]
) -> Outcome:
    """Fetches the invoices' bundles, waiting until they are on chain, and verifies each. `done` after each.

    Raises Unavailable when the gateway stays away or an invoice does not land in time.
    """
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {key}"
    verifier = BatchVerifier(Node(rpc), contract)
    waiting = dict.fromkeys(sorted(numbers))
    held, total, failed = 0, 0, []
    while waiting:
        number = next(iter(waiting))
        for octets in _batch_of(session, f"{url.rstrip('/')}/v1", number):
            bundle, why = _verified(verifier, octets)
            found = number if bundle is None else f"{bundle.summary.number:020d}"
            if found not in waiting:
                continue
            del waiting[found]
            done()
            if bundle is None or why is not None:
                failed.append((found, why or "unreadable"))
            else:
                held, total = held + 1, total + bundle.summary.gross
        if number in waiting:  # its batch does not contain it
            del waiting[number]
            done()
            failed.append((number, "the gateway has no bundle of it"))
    return Outcome(held, Decimal(total) / 100, failed)


def _verified(verifier: BatchVerifier, octets: bytes) -> tuple[Bundle | None, str | None]:
    """The bundle, and why it does not hold."""
    try:
        bundle = parse_bundle(octets)
        report = verifier.verify(bundle)
    except HutongError as error:
        return None, f"{error.code}: {error.detail}"
    if report.holds:
        return bundle, None
    wrong = [
        statement.sentence_en
        for statement in report.statements
        if statement.verdict in ("fails", "not-proven")
    ]
    return bundle, "; ".join(wrong)


def _batch_of(session: requests.Session, api: str, number: str) -> Iterator[bytes]:
    """The bundles of the number's batch, once it has landed."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            found = session.get(f"{api}/invoices/{number}", timeout=30)
            if found.status_code == 200 and (chain := found.json()["chain"]) is not None:
                lines = session.get(f"{api}/batches/{chain['batch']}/bundles", timeout=120)
                if lines.status_code == 200:
                    yield from lines.content.splitlines()
                    return
            elif found.status_code not in (200, 429, 503):
                raise Unavailable(f"no bundle of {number}: the gateway answers {found.status_code}")
        except requests.RequestException:
            pass  # a gateway that restarts
        if time.monotonic() > deadline:
            raise Unavailable(f"{number} is not on the chain after {_WAIT_SECONDS:.0f} s")
        time.sleep(_PAUSE)
