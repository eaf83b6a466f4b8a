"""The gateway behind a real socket: clients that only write, uploads in chunks, stopping in order, two processes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.integration.anvil import ROOT, free_port
from tests.integration.gateway import make_invoice


class Served:
    """A running gateway: its address, a merchant's key, its process."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.web.serving", str(folder), str(self.port), str(workers)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'backend'}"},
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.key = self.process.stdout.readline().strip()
        self.url = f"http://127.0.0.1:{self.port}"
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if requests.get(f"{self.url}/healthz", timeout=2).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.05)
        raise TimeoutError("the gateway does not answer")

    def headers(self, key: str, kind: str = "application/json") -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.key}",
            "Idempotency-Key": key,
            "Content-Type": kind,
        }


@contextmanager
def served(folder: Path, workers: int = 1) -> Iterator[Served]:
    running = Served(folder, workers)
    try:
        yield running
    finally:
        running.process.terminate()
        running.process.wait(40)


def lines(count: int, label: str) -> bytes:
    return b"\n".join(
        json.dumps(make_invoice(reference=f"{label}-{n}")).encode() for n in range(count)
    )


def answers(octets: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in octets.splitlines()]


def test_a_client_that_writes_everything_before_it_reads_is_answered(tmp_path: Path) -> None:
    count = 6_000  # megabytes each way: more than sockets hold
    with served(tmp_path) as gateway:
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=120)
        kind = "application/x-ndjson"
        connection.request(
            "POST", "/v1/invoices/bulk", lines(count, "a"), gateway.headers("a", kind)
        )
        said = answers(connection.getresponse().read())
    assert said[-1]["done"] == {"lines": count, "accepted": count, "repeated": 0, "refused": 0}
    assert len({entry["number"] for entry in said if "number" in entry}) == count


def test_an_upload_in_chunks_is_taken_and_its_limit_holds(tmp_path: Path) -> None:
    with served(tmp_path) as gateway:
        url = f"{gateway.url}/v1/invoices"
        body = json.dumps(make_invoice()).encode()
        good = requests.post(
            url, data=iter([body[:10], body[10:]]), headers=gateway.headers("a"), timeout=20
        )
        large = requests.post(
            url, data=(b" " * 65_536 for _ in range(20)), headers=gateway.headers("b"), timeout=20
        )
    assert good.status_code == 201
    assert (large.status_code, large.json()["code"]) == (413, "BodyTooLarge")


def test_requests_under_way_are_finished_when_it_is_asked_to_stop(tmp_path: Path) -> None:
    with served(tmp_path) as gateway, ThreadPoolExecutor() as pool:
        bulk = pool.submit(
            requests.post,
            f"{gateway.url}/v1/invoices/bulk",
            data=lines(4_000, "a"),
            headers=gateway.headers("a", "application/x-ndjson"),
            timeout=60,
        )
        time.sleep(0.3)
        gateway.process.send_signal(signal.SIGTERM)
        said = answers(bulk.result().content)
        assert gateway.process.wait(40) == 0
    assert said[-1]["done"] == {"lines": 4_000, "accepted": 4_000, "repeated": 0, "refused": 0}


def test_two_processes_give_every_number_once(tmp_path: Path) -> None:
    with served(tmp_path, workers=2) as gateway, ThreadPoolExecutor(16) as pool:

        def issue(place: int) -> str:
            answer = requests.post(
                f"{gateway.url}/v1/invoices",
                json=make_invoice(reference=f"w-{place}"),
                headers=gateway.headers(f"w-{place}"),
                timeout=60,
            )
            assert answer.status_code == 201, answer.text
            return str(answer.json()["number"])

        numbers = sorted(int(number) for number in pool.map(issue, range(200)))
    assert numbers == list(range(numbers[0], numbers[0] + 200))
