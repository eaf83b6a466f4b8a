"""Gas an invoice at several batch sizes, and the time to verify a bundle."""

from __future__ import annotations

import os
import statistics
import time
from typing import Any

import requests

from hutong import merkle
from hutong.cli.demonstration import CAR_PARK
from hutong.invoices.batcher import gas_limit
from hutong.ledger import transact
from hutong.ledger.contracts import call
from hutong.ledger.issuing import IssueCall, encode_issue
from hutong.verifier import verify
from tests.benchmarks.site import Site


def measure_gas(
    site: Site, sizes: tuple[int, ...] = (1, 1, 10, 100, 1_000, 3_000)
) -> dict[str, Any]:
    """Whole transactions divided by leaves; the book's first batch, which opens storage, is left out."""
    parts = site.parts
    book = call(parts.node, parts.contracts, "Invoices", "bookAt", CAR_PARK.uscc, 0)
    cashier = parts.keystore.by_name(f"cashier-{CAR_PARK.uscc}")
    account = transact.Account(parts.node, parts.contracts, site.key)
    gas = {}
    for size in sizes:
        first = call(parts.node, parts.contracts, "Invoices", "bookOf", book)["next"]
        leaves = [os.urandom(32) for _ in range(size)]
        deadline = int(time.time()) + 3_600
        signature = parts.cashiers.sign(
            cashier,
            book=book,
            first=first,
            count=size,
            root=merkle.root(leaves),
            bound=size,
            deadline=deadline,
        )
        data = encode_issue(IssueCall(book, first, size, leaves, cashier, deadline, signature))
        call_ = transact.Call(parts.contracts.address("Invoices"), data)
        signed = account.sign(call_, account.nonce(), gas_limit(size, 1, len(data)))
        parts.node.send_raw([signed.raw])
        while (receipt := parts.node.receipts([signed.hash])[0]) is None:
            time.sleep(0.05)
        if int(receipt["status"], 16) != 1:
            raise RuntimeError(f"a batch of {size} was refused")
        gas[str(size)] = round(int(receipt["gasUsed"], 16) / size)
    return gas


def measure_verify(site: Site, times: int = 200) -> dict[str, Any]:
    """Milliseconds to verify the newest proven bundle of the shop against the contract."""
    headers = {"Authorization": f"Bearer {site.api_key}"}
    page = requests.get(f"{site.url}/v1/invoices?status=onchain&limit=1", headers=headers).json()
    number = page["items"][0]["number"]
    bundle = requests.get(f"{site.url}/v1/invoices/{number}/bundle", headers=headers).json()
    contract = site.parts.contracts.address("Invoices")
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        if not verify(bundle, site.parts.node, contract=contract).holds:
            raise RuntimeError("the bundle does not verify")
        taken.append(time.perf_counter() - begun)
    return {
        "median_ms": round(statistics.median(taken) * 1e3, 2),
        "p99_ms": round(sorted(taken)[int(times * 0.99)] * 1e3, 2),
    }
