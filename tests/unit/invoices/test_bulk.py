"""Bulk lines: each answered by itself, whatever it holds, in bounded groups."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from hutong.errors import Busy, FieldMissing, HutongError
from hutong.invoices import bulk
from hutong.invoices.acceptance import Accepted, Item
from hutong.invoices.bulk import BulkIssue
from hutong.invoices.links import HolderLinks
from hutong.invoices.promise import Promise


class Fake:
    """Numbers items from 1; refuses drafts without `lines`; remembers keys and group sizes."""

    def __init__(self, *, busy: bool = False) -> None:
        self.groups: list[list[str]] = []
        self.seen: dict[str, Accepted] = {}
        self.busy = busy

    def draft(self, data: Any) -> Any:
        if data == "crash":
            raise ZeroDivisionError
        if "lines" not in data:
            raise FieldMissing("an invoice has lines", field="lines")
        return data

    def accept_many(
        self, issuer: str, items: Sequence[Item], book: str | None
    ) -> list[Accepted | HutongError]:
        self.groups.append([item.key for item in items])
        if self.busy:
            raise Busy("busy")
        made: list[Accepted | HutongError] = []
        for index, item in enumerate(items):
            if item.key in self.seen:
                made.append(self.seen[item.key]._replace(repeated=True))
                continue
            promise = Promise(b"r" * 32, len(items), index, 60, "0x" + "1" * 40, b"s" * 65, [])
            number = f"{len(self.seen) + 1:020d}"
            self.seen[item.key] = Accepted(number, b"l" * 32, 1, 60, promise, False)
            made.append(self.seen[item.key])
        return made


def run(fake: Fake, body: bytes) -> list[dict[str, Any]]:
    issue = BulkIssue(fake, HolderLinks(bytes(32)), "issuer", "req", None)  # type: ignore[arg-type]
    octets = b"".join(issue.answers(io.BytesIO(body)))
    return [orjson.loads(line) for line in octets.splitlines()]


GOOD = b'{"lines":[1]}'


def test_a_bad_line_is_named_and_stops_nothing() -> None:
    body = b"\n".join([GOOD, b"{", b"{}", b'"crash"', b"\xff\xfe", GOOD])
    answers = run(Fake(), body)
    assert [(a.get("line"), a.get("error", {}).get("code")) for a in answers[:6]] == [
        (1, None),
        (2, "BodyMalformed"),
        (3, "FieldMissing"),
        (4, "Internal"),
        (5, "BodyMalformed"),
        (6, None),
    ]
    assert "promise" in answers[6]
    assert answers[7] == {"done": {"lines": 6, "accepted": 2, "repeated": 0, "refused": 4}}


def test_blank_lines_and_carriage_returns_count_but_are_not_answered() -> None:
    answers = run(Fake(), b"\r\n" + GOOD + b"\r\n\n  \n" + GOOD)
    assert [a["line"] for a in answers if "line" in a] == [2, 5]


def test_an_empty_request_is_done_at_once() -> None:
    assert run(Fake(), b"") == [{"done": {"lines": 0, "accepted": 0, "repeated": 0, "refused": 0}}]


def test_a_line_has_its_own_key_or_one_from_the_request_and_its_place() -> None:
    fake = Fake()
    run(fake, b'{"lines":[],"key":"k-1"}\n{"lines":[]}\n{"lines":[],"key":null}')
    assert fake.groups == [["k-1", "req\n2", "req\n3"]]


@pytest.mark.parametrize("key", [b'""', b'"a b"', b"1", b'"a\\nb"', b'"' + b"x" * 129 + b'"'])
def test_a_key_that_could_be_mistaken_is_refused(key: bytes) -> None:
    answer = run(Fake(), b'{"lines":[],"key":' + key + b"}")[0]
    assert (answer["error"]["code"], answer["error"]["field"]) == ("FieldInvalid", "key")


def test_the_same_request_again_repeats_its_numbers() -> None:
    fake = Fake()
    first, again = run(fake, GOOD + b"\n" + GOOD), run(fake, GOOD + b"\n" + GOOD)
    assert [a["number"] for a in first[:2]] == [a["number"] for a in again[:2]]
    assert [a.get("repeated") for a in again[:2]] == [True, True]
    assert again[2] == {"done": {"lines": 2, "accepted": 0, "repeated": 2, "refused": 0}}


def test_groups_hold_at_most_a_thousand_and_each_has_its_promise() -> None:
    fake = Fake()
    answers = run(fake, b"\n".join([GOOD] * 2_500))
    assert [len(group) for group in fake.groups] == [1_000, 1_000, 500]
    assert sum("promise" in answer for answer in answers) == 3
    assert [a["line"] for a in answers if "line" in a] == list(range(1, 2_501))


def test_a_group_ends_by_its_octets_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_GROUP_OCTETS", 30)
    fake = Fake()
    run(fake, b"\n".join([GOOD] * 5))
    assert [len(group) for group in fake.groups] == [3, 2]


def test_a_line_that_is_too_long_is_skipped_and_the_next_one_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bulk, "LINE_LIMIT", 100)
    answers = run(Fake(), b"x" * 1_234 + b"\n" + GOOD)
    assert answers[0]["error"]["code"] == "BodyTooLarge"
    assert answers[1]["line"] == 2
    assert "number" in answers[1]


def test_lines_beyond_the_limit_are_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "LINES_LIMIT", 2)
    answers = run(Fake(), b"\n".join([GOOD] * 5))
    assert [a.get("error", {}).get("code") for a in answers if "line" in a] == [
        None,
        None,
        "BodyTooLarge",
    ]


def test_a_busy_gateway_says_so_line_by_line() -> None:
    answers = run(Fake(busy=True), GOOD + b"\n{}")
    assert [a["error"]["status"] for a in answers[:2]] == [503, 422]
