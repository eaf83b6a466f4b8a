"""Wrong keys: an address that shows too many waits until its period is over."""

from __future__ import annotations

import time

from hutong.gateway.attempts import Attempts


def test_an_address_waits_after_too_many_failures_and_others_do_not() -> None:
    attempts = Attempts(most=3, period=60)
    assert [attempts.note("a") for _ in range(3)] == [0, 0, 0]
    assert 0 < attempts.note("a") <= 60
    assert attempts.note("b") == 0


def test_it_may_try_again_when_the_period_is_over() -> None:
    attempts = Attempts(most=1, period=0.05)
    assert attempts.note("a") == 0
    assert attempts.note("a") > 0
    time.sleep(0.06)
    assert attempts.note("a") == 0
