"""Many invoices in one request: line by line in, line by line out, in memory for a group at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import orjson

from hutong.errors import BodyTooLarge, HutongError, Internal
from hutong.invoices.acceptance import Accepted, Item
from hutong.invoices.answers import promise_head
from hutong.invoices.links import HolderLinks
from hutong.invoices.service import MAX_ITEMS, InvoiceService
from hutong.web.problem import problem
from hutong.web.request import check_key, read_json

log = logging.getLogger(__name__)

#: Limits of one request; octets but for the count of lines.
REQUEST_LIMIT = 128 * 1024 * 1024
LINE_LIMIT = 1024 * 1024
LINES_LIMIT = 100_000
#: A group is committed when it has so many lines (MAX_ITEMS) or octets.
_GROUP_OCTETS = 4 * 1024 * 1024


@dataclass
class _Tally:
    lines: int = 0
    accepted: int = 0
    repeated: int = 0
    refused: int = 0


@dataclass
class _Group:
    """Lines read and not answered yet: an item each, or why there is none."""

    octets: int = 0
    lines: list[tuple[int, Item | HutongError]] = field(default_factory=list)


class BulkIssue:
    """One bulk request of an issuer. Lines without a key of their own get `key` and the line's number."""

    def __init__(
        self,
        invoices: InvoiceService,
        links: HolderLinks,
        issuer: str,
        key: str,
        book: str | None,
    ) -> None:
        self._invoices, self._links = invoices, links
        self._issuer, self._key, self._book = issuer, key, book
        self._tally = _Tally()

    def answers(self, lines: IO[bytes]) -> Iterator[bytes]:
        """Answers as JSON Lines, a chunk a group; each line of the request gets one, whatever it holds."""
        group = _Group()
        for number, line in _numbered(lines):
            group.octets += len(line) if isinstance(line, bytes) else 0
            group.lines.append((number, self._item(number, line)))
            if len(group.lines) >= MAX_ITEMS or group.octets >= _GROUP_OCTETS:
                yield self._commit(group)
                group = _Group()
        if group.lines:
            yield self._commit(group)
        yield _line({"done": vars(self._tally)})

    def _item(self, number: int, line: bytes | HutongError) -> Item | HutongError:
        if isinstance(line, HutongError):
            return line
        try:
            data = read_json(line)
            key = f"{self._key}\n{number}"
            if isinstance(data, dict) and "key" in data:
                given = data.pop("key")
                key = key if given is None else check_key(given, "key")
            return Item(key, line, self._invoices.draft(data))
        except HutongError as error:
            return error
        except Exception:
            log.exception("a line of a bulk request could not be read")
            return Internal("this line could not be read; it is logged")

    def _commit(self, group: _Group) -> bytes:
        items = [item for _, item in group.lines if isinstance(item, Item)]
        try:
            given = iter(self._invoices.accept_many(self._issuer, items, self._book))
        except HutongError as error:
            given = iter([error] * len(items))
        except Exception:
            log.exception("a group of a bulk request could not be accepted")
            given = iter([Internal("this line was not accepted; send it again")] * len(items))
        made: list[bytes] = []
        promised: Accepted | None = None
        for number, item in group.lines:
            outcome = next(given) if isinstance(item, Item) else item
            self._tally.lines += 1
            if isinstance(outcome, HutongError):
                self._tally.refused += 1
                made.append(_line({"line": number, "error": problem(outcome)}))
                continue
            if outcome.repeated:
                self._tally.repeated += 1
            else:
                self._tally.accepted += 1
                promised = outcome
            made.append(_line(self._accepted(number, outcome)))
        if promised is not None:
            made.append(_line({"promise": promise_head(promised.promise)}))
        return b"".join(made)

    def _accepted(self, number: int, accepted: Accepted) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "line": number,
            "status": "promised",
            "number": accepted.number,
            "leaf": "0x" + accepted.leaf.hex(),
            "accepted_at": accepted.accepted_at,
            "before": accepted.before,
            "page": f"/i/{self._links.token(accepted.number)}",
        }
        if accepted.repeated:
            return answer | {"repeated": True}
        return answer | {"index": accepted.promise.index}


def _numbered(lines: IO[bytes]) -> Iterator[tuple[int, bytes | HutongError]]:
    """Lines with their numbers from 1, blank ones left out; one too long or too many is an error."""
    number = 0
    while line := lines.readline(LINE_LIMIT + 1):
        number += 1
        if number > LINES_LIMIT:
            yield (
                number,
                BodyTooLarge(f"a request has at most {LINES_LIMIT} lines; send the rest apart"),
            )
            return
        if len(line) > LINE_LIMIT:
            while line and not line.endswith(b"\n"):
                line = lines.readline(LINE_LIMIT)
            yield number, BodyTooLarge(f"a line has at most {LINE_LIMIT} octets")
            continue
        text = line.strip()
        if text:
            yield number, text


def _line(answer: dict[str, Any]) -> bytes:
    return orjson.dumps(answer) + b"\n"
