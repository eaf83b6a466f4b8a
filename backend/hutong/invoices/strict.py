"""JSON as a verifier reads it: each thing has one spelling, and nothing is left over."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from hutong.errors import BundleInvalid

SIZE_LIMIT = 4 * 1024 * 1024


def read_json(data: bytes | str) -> Any:
    """The JSON value in `data`, at most SIZE_LIMIT octets. Raises BundleInvalid.

    No name twice, no fractions, no half characters: readers differ in what they make of them.
    """
    if len(data) > SIZE_LIMIT:
        raise BundleInvalid(f"at most {SIZE_LIMIT} octets are read", size=len(data))
    try:
        # orjson refuses what must not reach the next line: half characters, and nesting so deep that
        # Python's own reader overflows the stack where the recursion limit was raised, as py_ecc does
        # when web3 or eth-account imports it.
        orjson.loads(data)
        return json.loads(
            data, object_pairs_hook=_unique, parse_float=_fraction, parse_constant=_fraction
        )
    except (ValueError, RecursionError) as error:
        raise BundleInvalid(f"this is not JSON (UTF-8): {error}") from error


class Record:
    """Fields of one object of a bundle."""

    def __init__(self, data: object, path: str, names: Sequence[str]) -> None:
        self._path = path
        if not isinstance(data, Mapping):
            raise BundleInvalid("this is a JSON object", field=path or None)
        self._data = data
        for name in data:
            if name not in names:
                raise BundleInvalid("a bundle has no such field", field=self._at(str(name)[:60]))
        for name in names:
            if name not in data:
                raise BundleInvalid("this is required", field=self._at(name))

    def value(self, name: str) -> object:
        return self._data[name]

    def inner(self, name: str, names: Sequence[str]) -> Record:
        return Record(self._data[name], self._at(name), names)

    def text(self, name: str, form: re.Pattern[str]) -> str:
        return self._matching(self._data[name], form, self._at(name))

    def texts(self, name: str, form: re.Pattern[str], limit: int) -> list[str]:
        value = self._data[name]
        if not isinstance(value, list) or len(value) > limit:
            raise BundleInvalid(f"this is a list of at most {limit}", field=self._at(name))
        return [
            self._matching(item, form, f"{self._at(name)}[{index}]")
            for index, item in enumerate(value)
        ]

    def integer(self, name: str, least: int, most: int) -> int:
        value = self._data[name]
        if type(value) is not int or not least <= value <= most:
            raise BundleInvalid(f"this is an integer from {least} to {most}", field=self._at(name))
        return value

    def integer_text(self, name: str, form: re.Pattern[str], limit: int) -> int:
        value = int(self.text(name, form))
        if value >= limit:
            raise BundleInvalid("this is more than the contract can hold", field=self._at(name))
        return value

    def checked(self, name: str, form: re.Pattern[str], holds: Callable[[str], bool]) -> str:
        value = self.text(name, form)
        if not holds(value):
            raise BundleInvalid("this is not how it is written", field=self._at(name))
        return value

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    @staticmethod
    def _matching(value: object, form: re.Pattern[str], path: str) -> str:
        if type(value) is not str or form.fullmatch(value) is None:
            raise BundleInvalid(f"this does not match {form.pattern}", field=path)
        return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _fraction(text: str) -> Any:
    raise ValueError(f"{text[:40]} is not an integer")
