"""Single issue, HTTP to promise, from several clients at once; and one invoice at rest, HTTP to proof."""

from __future__ import annotations

import http.client
import multiprocessing
import os
import statistics
import time
from typing import Any

import orjson
import requests

from tests.benchmarks.site import Site


def measure_single(site: Site, seconds: float = 8.0, clients: int = 24) -> dict[str, Any]:
    """Requests a second and their latency in ms, each with a payment of its own."""
    address = site.url.removeprefix("http://")
    context = multiprocessing.get_context("fork")
    results: Any = context.Queue()
    workers = [
        context.Process(
            target=_clients, args=(address, site.api_key, seconds, clients // 2, results)
        )
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    latencies = [value for _ in workers for value in results.get()]
    for worker in workers:
        worker.join()
    latencies.sort()
    return {
        "per_s": round(len(latencies) / seconds),
        "p50_ms": round(statistics.median(latencies) * 1e3, 1),
        "p99_ms": round(latencies[int(len(latencies) * 0.99)] * 1e3, 1),
    }


def measure_rest(site: Site, tries: int = 5) -> dict[str, Any]:
    """One invoice while nothing else happens: seconds until its proof is readable, in block times, too."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {site.api_key}"
    times = []
    for index in range(tries):
        time.sleep(1.3)
        begun = time.perf_counter()
        answer = session.post(
            f"{site.url}/v1/invoices",
            data=_body(f"rest-{os.getpid()}-{index}"),
            headers={"Idempotency-Key": os.urandom(8).hex(), "Content-Type": "application/json"},
        )
        answer.raise_for_status()
        bundle = f"{site.url}/v1/invoices/{answer.json()['number']}/bundle"
        while session.get(bundle).status_code != 200:
            time.sleep(0.01)
        times.append(time.perf_counter() - begun)
    worst = max(times)
    return {"worst_s": round(worst, 2), "block_times": round(worst / (site.block_time or 1), 2)}


def _clients(address: str, key: str, seconds: float, clients: int, results: Any) -> None:
    """Several connections from one process, a thread each."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(clients) as pool:
        runs = [pool.submit(_client, address, key, seconds) for _ in range(clients)]
        results.put([latency for run in runs for latency in run.result()])


def _client(address: str, key: str, seconds: float) -> list[float]:
    connection = http.client.HTTPConnection(address, timeout=30)
    latencies = []
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        identity = os.urandom(8).hex()
        connection.request(
            "POST",
            "/v1/invoices",
            _body(identity),
            {
                "Authorization": f"Bearer {key}",
                "Content-Type": "application/json",
                "Idempotency-Key": identity,
            },
        )
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 201:
            raise RuntimeError(content[:300])
        latencies.append(time.perf_counter() - begun)
    return latencies


def _body(reference: str) -> bytes:
    return orjson.dumps(
        {
            "prices_include_tax": True,
            "lines": [{"name": "停车费", "amount": "10.00", "rate": 900}],
            "payment": {"provider": "bench", "reference": reference},
        }
    )
