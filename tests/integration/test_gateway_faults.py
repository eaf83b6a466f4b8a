"""The gateway killed within requests: whoever asks again gets the same answer."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import requests

from tests.integration.audit import audit
from tests.integration.city import City, Installation, wait_until
from tests.integration.gateway import make_invoice
from tests.integration.processes import Serving
from tests.integration.shops import (
    SETTLE,
    introduce,
    working,
)


def bulk(
    url: str, key: str, body: bytes, idempotency: str, *, stop_after: int = 10**9
) -> dict[int, dict[str, Any]]:
    """Answers by line; ends early, without error, when the gateway dies or `stop_after` answers are there."""
    answers: dict[int, dict[str, Any]] = {}
    headers = {
        "Authorization": f"Bearer {key}",
        "Idempotency-Key": idempotency,
        "Content-Type": "application/x-ndjson",
    }
    try:
        with requests.post(
            f"{url}/v1/invoices/bulk", data=body, headers=headers, stream=True, timeout=60
        ) as response:
            assert response.status_code == 200, response.text
            for line in response.iter_lines():
                answer = json.loads(line)
                if "line" in answer:
                    answers[answer["line"]] = answer
                if len(answers) >= stop_after:
                    break
    except requests.RequestException:
        pass
    return answers


def test_a_gateway_killed_within_a_bulk_request_answers_the_same_request_alike(
    frail_city: City, firm: Installation
) -> None:
    (merchant,) = introduce(frail_city, firm)
    key = firm.parts.keys.create(merchant, ["issue", "read"], "test").secret
    lines = [json.dumps(make_invoice(amount="1.50")) for _ in range(6_000)]
    body = "\n".join(lines).encode()
    log = firm.settings.home / "serve.log"

    partial: list[dict[int, dict[str, Any]]] = []
    for stop_after in (1, 2_500):
        serving = Serving(firm.environ, log)
        partial.append(bulk(serving.url, key, body, "bulk-1", stop_after=stop_after))
        serving.kill()
    with Serving(firm.environ, log) as serving, working(firm):
        whole = bulk(serving.url, key, body, "bulk-1")
        again = bulk(serving.url, key, body, "bulk-1")

        assert len(whole) == len(again) == 6_000
        assert all("error" not in answer for answer in whole.values())
        assert all(answer["repeated"] for answer in again.values())
        assert sum(bool(answer.get("repeated")) for answer in whole.values()) >= 2_500
        for earlier in (*partial, again):
            assert earlier
            for line, answer in earlier.items():
                assert answer["number"] == whole[line]["number"]
                assert answer["leaf"] == whole[line]["leaf"]
        last = max(answer["number"] for answer in whole.values())
        firm.wait_until_on_chain([last], SETTLE)
    answered = [(one["number"], bytes.fromhex(one["leaf"][2:])) for one in whole.values()]
    assert audit(frail_city, firm.parts.engine, merchant, answered) == 6_000


def test_single_requests_through_a_gateway_killed_again_and_again_are_answered_once(
    frail_city: City, firm: Installation
) -> None:
    (merchant,) = introduce(frail_city, firm)
    key = firm.parts.keys.create(merchant, ["issue", "read"], "test").secret
    log = firm.settings.home / "serve.log"
    addresses = [""]
    answers: dict[int, dict[str, Any]] = {}
    finished = threading.Event()

    def customer(index: int) -> None:
        body = json.dumps(make_invoice(reference=f"single-{index}")).encode()
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"single-{index}"}
        while not finished.is_set():
            try:
                response = requests.post(
                    f"{addresses[0]}/v1/invoices", data=body, timeout=10,
                    headers=headers | {"Content-Type": "application/json"},
                )  # fmt: skip
            except requests.RequestException:
                time.sleep(0.05)
                continue
            assert response.status_code in (201, 503), response.text
            if response.status_code == 201:
                answers[index] = response.json()
                return

    def customers(first: int) -> None:
        for index in range(first, 240, 8):
            customer(index)

    threads = [threading.Thread(target=customers, args=(first,)) for first in range(8)]
    with working(firm):
        for round_ in range(3):
            serving = Serving(firm.environ, log)
            addresses[0] = serving.url
            if round_ == 0:
                for thread in threads:
                    thread.start()
            wait_until(lambda goal=60 * (round_ + 1): len(answers) >= goal)
            serving.kill()
        with Serving(firm.environ, log) as serving:
            addresses[0] = serving.url
            for thread in threads:
                thread.join(20)
            finished.set()
            last = max(answer["number"] for answer in answers.values())
            firm.wait_until_on_chain([last], SETTLE)
    assert len(answers) == 240
    answered = [(one["number"], bytes.fromhex(one["leaf"][2:])) for one in answers.values()]
    assert audit(frail_city, firm.parts.engine, merchant, answered) == 240
