"""Which rates of value added tax the law knows on which day."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from hutong.errors import RateInvalid

#: What may stand in a rate's place: taxed at zero (普通零税率), exempt (免税), not taxed (不征税).
MARKS: Final = ("zero", "exempt", "not-taxed")

_BEIJING = 8 * 3600
_EPOCH = datetime.date(1970, 1, 1).toordinal()
_LAST = datetime.date.max.toordinal() - _EPOCH


def beijing_day(seconds: int) -> int:
    """Days from 1970-01-01 to the calendar day in Beijing at `seconds`, UTC."""
    return (seconds + _BEIJING) // 86_400


class RateTable:
    """Rates in 1/10000 and the days on which each is in force, first and last included."""

    def __init__(self, periods: Iterable[tuple[int, int, int]]) -> None:
        """`periods` are (rate, first day, last day), days as `beijing_day` counts them."""
        self._periods: dict[int, list[tuple[int, int]]] = {}
        for rate, first, last in periods:
            self._periods.setdefault(rate, []).append((first, last))
        # The same few rates are asked for on the same few days, with every line.
        self._in_force = lru_cache(maxsize=4096)(self._is_in_force)

    @classmethod
    def read(cls, content: Mapping[str, object]) -> RateTable:
        """Table of a JSON document such as rates.json. Raises ValueError for anything else."""
        entries = content.get("rates")
        if not isinstance(entries, list):
            raise ValueError("a rate table has a list `rates`")
        return cls(
            (
                int(entry["rate"]),
                _day(entry["from"]),
                _LAST if entry["until"] is None else _day(entry["until"]),
            )
            for entry in entries
        )

    def in_force(self, rate: int, day: int) -> bool:
        """Whether `rate` (1/10000) is in force on `day`."""
        return self._in_force(rate, day)

    def _is_in_force(self, rate: int, day: int) -> bool:
        return any(first <= day <= last for first, last in self._periods.get(rate, ()))

    def on(self, day: int) -> list[int]:
        """The rates in force on `day`, greatest first."""
        return sorted((rate for rate in self._periods if self.in_force(rate, day)), reverse=True)

    def check(self, rate: int, day: int, field: str) -> int:
        """`rate`, if it is in force on `day`; RateInvalid, naming `field`, if not."""
        if self.in_force(rate, day):
            return rate
        date = datetime.date.fromordinal(_EPOCH + day)
        raise RateInvalid(
            f"{rate / 100:g}% is no rate of value added tax on {date}",
            field=field,
            rate=rate,
            day=str(date),
            rates=self.on(day),
        )


@cache
def chinese_rates() -> RateTable:
    """The table that comes with the program, rates.json; sources are named in it."""
    return RateTable.read(json.loads((files("hutong.invoices") / "rates.json").read_bytes()))


def _day(text: str) -> int:
    return datetime.date.fromisoformat(text).toordinal() - _EPOCH
