"""Wrong keys and signatures, counted by address: whoever shows too many waits."""

from __future__ import annotations

import threading
import time

#: So many within the period are answered; right keys are answered always.
MOST = 30
PERIOD = 60.0
_ADDRESSES = 10_000


class Attempts:
    """Counts failures of an address within a running period. Kept in memory, by process."""

    def __init__(self, most: int = MOST, period: float = PERIOD) -> None:
        self._most, self._period = most, period
        self._lock = threading.Lock()
        self._failures: dict[str, tuple[float, int]] = {}

    def note(self, address: str) -> int:
        """Counts a failure; returns the seconds that the address is to wait, 0 when it need not."""
        now = time.monotonic()
        with self._lock:
            began, count = self._failures.get(address, (now, 0))
            if now - began > self._period:
                began, count = now, 0
            if len(self._failures) > _ADDRESSES:
                self._failures.clear()
            self._failures[address] = (began, count + 1)
        return 0 if count < self._most else max(1, int(began + self._period - now))
