"""Worker and node killed under load; afterwards an auditor compares chain, database and answers."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

import pytest

from hutong.ledger.embedded import EmbeddedGanache
from tests.integration.city import City, Installation, wait_until
from tests.integration.shops import (
    in_flight,
    introduce,
    let_the_lease_run_out,
    open_shops,
    progress,
    settle,
    working,
)


def test_a_worker_killed_at_any_moment_loses_and_repeats_nothing(
    frail_city: City, firm_anywhere: Installation
) -> None:
    firm = firm_anywhere
    merchants = introduce(frail_city, firm, 2)
    chance = random.Random(7)
    with open_shops(firm, merchants) as shops:
        for _ in range(3):
            let_the_lease_run_out(firm)
            worker = working(firm)
            before = progress(firm)
            wait_until(lambda before=before: progress(firm) != before)  # it has begun to work
            time.sleep(chance.uniform(0, 1.0))
            worker.kill()
    let_the_lease_run_out(firm)
    with working(firm):
        settle(frail_city, firm, dict(zip(merchants, shops, strict=True)))


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
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
