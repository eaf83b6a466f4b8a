"""Verifies many invoices, one by one, each against the contract."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, NamedTuple

import requests

from hutong.errors import HutongError, NodeError
from hutong.invoices.bundle import parse_bundle
from hutong.ledger.client import Node
from hutong.verifier import verify

_THREADS = 4
_WAIT_SECONDS = 300.0


class Outcome(NamedTuple):
    """How many held, their total in yuan, and number and reason of those that did not."""

    held: int
    total: Decimal
    failed: list[tuple[str, str]]


class _RememberingNode:
    """A node whose answers that cannot change, chain id and receipts, are asked for once."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._known: dict[tuple[str, tuple[object, ...]], Any] = {}

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any | NodeError]:
        keys = [
            None if method == "eth_call" else (method, tuple(params)) for method, params in calls
        ]
        asked = [i for i, key in enumerate(keys) if key is None or key not in self._known]
        answers = dict(zip(asked, self._node.batch([calls[i] for i in asked]), strict=True))
        for index, answer in answers.items():
            key = keys[index]
            if key is not None and answer is not None and not isinstance(answer, NodeError):
                self._known[key] = answer
        return [
            answers[i] if key is None or i in answers else self._known[key]
            for i, key in enumerate(keys)
        ]


def verify_many(
    numbers: Iterable[str], url: str, key: str, rpc: str, contract: str, done: Callable[[], object]
) -> Outcome:
    """Fetches each invoice's bundle, waiting until it is on chain, and verifies it. `done` after each."""
    node = _RememberingNode(Node(rpc))
    local = threading.local()

    def one(number: str) -> tuple[str, int, str | None]:
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.headers["Authorization"] = f"Bearer {key}"
        try:
            bundle = parse_bundle(_bundle(local.session, f"{url.rstrip('/')}/v1/invoices/{number}"))
            report = verify(bundle, node, contract=contract)
        except HutongError as error:
            return number, 0, f"{error.code}: {error.detail}"
        except requests.RequestException as error:
            return number, 0, f"the gateway does not answer: {type(error).__name__}"
        finally:
            done()
        failed = [
            statement.sentence_en for statement in report.statements if statement.verdict == "fails"
        ]
        return (
            number,
            bundle.summary.gross,
            None if report.holds else "; ".join(failed) or "not proven",
        )

    held, total, failed = 0, 0, []
    with ThreadPoolExecutor(_THREADS) as pool:
        for number, gross, why in pool.map(one, numbers):
            if why is None:
                held, total = held + 1, total + gross
            else:
                failed.append((number, why))
    return Outcome(held, Decimal(total) / 100, failed)


def _bundle(session: requests.Session, url: str) -> bytes:
    stop = threading.Event()
    waited = 0.0
    while True:
        response = session.get(f"{url}/bundle", timeout=30)
        if response.status_code == 200:
            return response.content
        if response.status_code not in (409, 429, 503) or waited > _WAIT_SECONDS:
            raise HutongError(f"no bundle: the gateway answers {response.status_code}")
        stop.wait(0.5)
        waited += 0.5
