"""Faults for real: worker, node and gateway killed under load; afterwards an auditor compares chain, database, answers."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from hutong.database import read, write
from hutong.ledger.embedded import EmbeddedGanache
from hutong.ledger.outbox import outbox, signatures
from tests.integration.audit import audit
from tests.integration.city import City, Installation, wait_until
from tests.integration.gateway import make_invoice
from tests.integration.processes import Program, Serving

_SETTLE = 40.0


@pytest.fixture(scope="module")
def frail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedGanache]:
    """A Ganache with its database in a folder, to be killed. Blocks come slowly enough that much waits in its pool."""
    chain = EmbeddedGanache(tmp_path_factory.mktemp("frail"), block_time=0.4).start()
    try:
        yield chain
    finally:
        chain.stop()


@pytest.fixture(scope="module")
def frail_city(frail: EmbeddedGanache, tmp_path_factory: pytest.TempPathFactory) -> City:
    return City(frail, tmp_path_factory.mktemp("frail-city"))


@pytest.fixture
def firm(frail_city: City, tmp_path: Path) -> Iterator[Installation]:
    installation = frail_city.install(tmp_path)
    yield installation
    installation.restart()


@pytest.fixture
def firm_anywhere(frail_city: City, tmp_path: Path, database_url: str) -> Iterator[Installation]:
    """As `firm`, on each kind of database."""
    installation = frail_city.install(tmp_path, database_url)
    yield installation
    installation.restart()


def working(installation: Installation) -> Program:
    return Program("work", installation.environ, installation.settings.home / "work.log")


def introduce(city: City, installation: Installation, merchants: int = 1) -> list[str]:
    """Merchants that the installation's indexer knows."""
    codes = [city.admit(installation) for _ in range(merchants)]
    with working(installation):
        for code in codes:
            installation.wait_until_known(code, 30)
    return codes


class Shop:
    """Issues invoices in a thread, and keeps what it was answered. `slowest` in seconds."""

    def __init__(self, installation: Installation, merchant: str, sizes: tuple[int, ...]) -> None:
        self.answered: list[tuple[str, bytes]] = []
        self.slowest = 0.0
        self.errors: list[Exception] = []
        self._installation, self._merchant, self._sizes = installation, merchant, sizes
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        chance = random.Random(self._merchant)
        while not self._closed.is_set():
            amounts = [f"{chance.randrange(1, 900)}.{chance.randrange(100):02}"
                       for _ in range(chance.choice(self._sizes))]  # fmt: skip
            begin = time.monotonic()
            try:
                accepted = self._installation.issue(self._merchant, *amounts)
            except Exception as error:
                self.errors.append(error)
                return
            self.slowest = max(self.slowest, time.monotonic() - begin)
            self.answered += [(one.number, one.leaf) for one in accepted]
            self._closed.wait(0.1)

    def __enter__(self) -> Shop:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join(30)
        assert not self.errors, self.errors


@contextmanager
def open_shops(
    installation: Installation, merchants: list[str], sizes: tuple[int, ...] = (1, 1, 2, 40)
) -> Iterator[list[Shop]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Shop(installation, code, sizes)) for code in merchants]


def settle(city: City, installation: Installation, shops: dict[str, Shop]) -> None:
    """Waits until all is on the chain, and audits it."""
    last = [shop.answered[-1][0] for shop in shops.values()]
    installation.wait_until_on_chain(last, _SETTLE)
    for merchant, shop in shops.items():
        assert audit(city, installation.parts.engine, merchant, shop.answered) == len(shop.answered)
    assert_one_signature_a_nonce(installation)


def assert_one_signature_a_nonce(installation: Installation) -> None:
    """A nonce was signed again only where the row says what it replaces."""
    with read(installation.parts.engine) as connection:
        rows = connection.execute(
            sa.select(outbox.c.nonce, signatures.c.hash, signatures.c.replaces)
            .join(signatures, signatures.c.outbox == outbox.c.id)
            .order_by(outbox.c.nonce, signatures.c.signed_at)
        ).all()
    first: dict[int, str] = {}
    for row in rows:
        assert (row.replaces is None) == (row.nonce not in first), rows
        first.setdefault(row.nonce, row.hash)


def let_the_lease_run_out(installation: Installation) -> None:
    """What ten seconds do: a killed worker's lease is free."""
    with write(installation.parts.engine) as connection:
        connection.execute(sa.text("UPDATE leases SET until = 0"))


def in_flight(installation: Installation) -> int:
    with read(installation.parts.engine) as connection:
        return connection.execute(
            sa.select(sa.func.count()).where(outbox.c.state.in_(("queued", "mined")))
        ).scalar_one()


def progress(installation: Installation) -> list[tuple[str, int]]:
    """How many outbox rows there are in each state."""
    with read(installation.parts.engine) as connection:
        count = sa.select(outbox.c.state, sa.func.count()).group_by(outbox.c.state)
        return sorted((row[0], row[1]) for row in connection.execute(count))


# --- the worker -------------------------------------------------------------------------------------


def test_a_worker_killed_at_any_moment_loses_and_repeats_nothing(
    frail_city: City, firm_anywhere: Installation
) -> None:
    firm = firm_anywhere
    merchants = introduce(frail_city, firm, 2)
    chance = random.Random(7)
    with open_shops(firm, merchants) as shops:
        for _ in range(4):
            let_the_lease_run_out(firm)
            worker = working(firm)
            before = progress(firm)
            wait_until(lambda before=before: progress(firm) != before)  # it has begun to work
            time.sleep(chance.uniform(0, 1.0))
            worker.kill()
    let_the_lease_run_out(firm)
    with working(firm):
        settle(frail_city, firm, dict(zip(merchants, shops, strict=True)))


def test_of_two_workers_one_works_and_the_other_takes_over(
    frail_city: City, firm_anywhere: Installation
) -> None:
    firm = firm_anywhere
    merchants = introduce(frail_city, firm)
    with open_shops(firm, merchants) as shops:
        workers = [working(firm) for _ in range(2)]
        try:
            wait_until(lambda: in_flight(firm) > 0)
            time.sleep(2)
            idle = [one for one in workers if "waiting to take over" in one.said]
            workers[0].kill()
            time.sleep(1)
        finally:
            workers[0].kill()
        assert idle
        begun = time.monotonic()
        firm.wait_until_on_chain([shops[0].answered[-1][0]], 25)
        assert time.monotonic() - begun < 25
    with workers[1]:
        settle(frail_city, firm, dict(zip(merchants, shops, strict=True)))


# --- the node ---------------------------------------------------------------------------------------


def test_a_node_killed_under_load_loses_and_repeats_nothing(
    frail: EmbeddedGanache, frail_city: City, firm: Installation
) -> None:
    merchants = introduce(frail_city, firm, 2)
    chance = random.Random(11)
    with working(firm), open_shops(firm, merchants, (1, 5, 200)) as shops:
        for _ in range(3):
            wait_until(lambda: in_flight(firm) > 0)
            time.sleep(chance.uniform(0.3, 1.5))
            assert frail.pid is not None
            os.kill(frail.pid, signal.SIGKILL)
            time.sleep(0.3)
            frail.stop()
            frail.start()
        for shop in shops:
            shop.__exit__()
        settle(frail_city, firm, dict(zip(merchants, shops, strict=True)))


@pytest.mark.parametrize("way", ["refuses", "hangs"])
def test_while_the_node_is_away_promises_go_on_and_land_later(
    frail: EmbeddedGanache, frail_city: City, firm: Installation, way: str
) -> None:
    merchants = introduce(frail_city, firm)

    def leave() -> Callable[[], object]:
        assert frail.pid is not None
        pid = frail.pid
        if way == "hangs":
            os.kill(pid, signal.SIGSTOP)
            return lambda: os.kill(pid, signal.SIGCONT)
        frail.stop()
        return frail.start

    with working(firm), open_shops(firm, merchants) as shops:
        wait_until(lambda: len(shops[0].answered) > 20)
        come_back = leave()
        try:
            shops[0].slowest = 0.0
            begun = len(shops[0].answered)
            time.sleep(8)
            promised = len(shops[0].answered) - begun
            slowest = shops[0].slowest
        finally:
            come_back()
        assert promised > 20
        assert slowest < 2.0
        shops[0].__exit__()
        settle(frail_city, firm, dict(zip(merchants, shops, strict=True)))


# --- the gateway ------------------------------------------------------------------------------------


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
        firm.wait_until_on_chain([last], _SETTLE)
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
            firm.wait_until_on_chain([last], _SETTLE)
    assert len(answers) == 240
    answered = [(one["number"], bytes.fromhex(one["leaf"][2:])) for one in answers.values()]
    assert audit(frail_city, firm.parts.engine, merchant, answered) == 240
