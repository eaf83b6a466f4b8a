"""Bulk issue, HTTP to proof, beside the engine's own limit: the same batches sent to the node directly."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import orjson
import requests

from hutong import merkle
from hutong.cli.demonstration import MUSIC_SHOP
from hutong.invoices.batcher import gas_limit
from hutong.ledger import transact
from hutong.ledger.contracts import call
from hutong.ledger.issuing import IssueCall, encode_issue
from tests.benchmarks.site import Site

CHUNK = 10_000
STREAMS = 2


def measure_bulk(site: Site, count: int) -> dict[str, Any]:
    """Invoices a second from the first request until the last proof is readable."""
    bodies = [
        b"\n".join(_invoice(start + i) for i in range(min(CHUNK, count - start)))
        for start in range(0, count, CHUNK)
    ]
    last: list[str] = []
    begun = time.perf_counter()
    threads = [
        threading.Thread(target=_stream, args=(site, bodies[part::STREAMS], last))
        for part in range(STREAMS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    promised = time.perf_counter() - begun
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {site.api_key}"
    number = max(last)
    while session.get(f"{site.url}/v1/invoices/{number}/bundle").status_code != 200:
        time.sleep(0.05)
    proven = time.perf_counter() - begun
    return {
        "invoices": count,
        "promised_per_s": round(count / promised),
        "proven_per_s": round(count / proven),
    }


def measure_engine(site: Site, count: int, window: int = 12, size: int = 3_000) -> dict[str, Any]:
    """Leaves a second that the node itself takes in batches of `size` with at most `window` in flight."""
    parts = site.parts
    book = call(parts.node, parts.contracts, "Invoices", "bookAt", MUSIC_SHOP.uscc, 0)
    first = call(parts.node, parts.contracts, "Invoices", "bookOf", book)["next"]
    cashier = parts.keystore.by_name(f"cashier-{MUSIC_SHOP.uscc}")
    account = transact.Account(parts.node, parts.contracts, site.key)
    nonce = account.nonce()
    raws = []
    for batch in range(count // size):
        leaves = [os.urandom(32) for _ in range(size)]
        start, deadline = first + batch * size, int(time.time()) + 3_600
        signature = parts.cashiers.sign(
            cashier,
            book=book,
            first=start,
            count=size,
            root=merkle.root(leaves),
            bound=0,
            deadline=deadline,
        )
        data = encode_issue(IssueCall(book, start, 0, leaves, cashier, deadline, signature))
        call_ = transact.Call(parts.contracts.address("Invoices"), data)
        raws.append(account.sign(call_, nonce + batch, gas_limit(size, 1, len(data))))
    begun = time.perf_counter()
    sent = mined = 0
    while mined < len(raws):
        room = min(len(raws), mined + window)
        if sent < room:
            parts.node.send_raw([signed.raw for signed in raws[sent:room]])
            sent = room
        mined = parts.node.transaction_count(account.address) - nonce
        time.sleep(0.02)
    return {"leaves_per_s": round(len(raws) * size / (time.perf_counter() - begun))}


def _stream(site: Site, bodies: list[bytes], last: list[str]) -> None:
    session = requests.Session()
    for body in bodies:
        answer = session.post(
            f"{site.url}/v1/invoices/bulk",
            data=body,
            headers={
                "Authorization": f"Bearer {site.api_key}",
                "Content-Type": "application/x-ndjson",
                "Idempotency-Key": os.urandom(8).hex(),
            },
            timeout=300,
        )
        answer.raise_for_status()
        lines = [orjson.loads(line) for line in answer.content.splitlines()]
        refused = [line for line in lines if "error" in line]
        if refused:
            raise RuntimeError(f"{len(refused)} refused, first: {refused[0]}")
        last.append(max(line["number"] for line in lines if "number" in line))


def _invoice(index: int) -> bytes:
    return orjson.dumps(
        {
            "prices_include_tax": True,
            "lines": [{"name": "唱片", "amount": f"{index % 90 + 1}.77", "rate": 1300}],
            "payment": {"provider": "bench", "reference": f"{os.getpid()}-{index}"},
            "buyer": {"name": "个人"},
            "remarks": "订单",
        }
    )
