"""What a verification says: one statement after the other, each with a verdict and its reason."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

#: `withheld`: the holder did not show what it takes. `not-proven`: the verifier could not find out.
Verdict = Literal["holds", "fails", "withheld", "not-proven"]

_BEIJING = datetime.timezone(datetime.timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that was checked. Sentences in English and Chinese; `detail` is JSON-able."""

    name: str
    verdict: Verdict
    sentence_en: str
    sentence_zh: str
    detail: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "verdict": self.verdict,
            "sentence_en": self.sentence_en,
            "sentence_zh": self.sentence_zh,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The statements about one bundle, the document's first, then the chain's."""

    number: str
    statements: Sequence[Statement]

    @property
    def holds(self) -> bool:
        """Whether nothing fails and nothing is left unproven. What is withheld does not count."""
        return all(statement.verdict in ("holds", "withheld") for statement in self.statements)

    def __getitem__(self, name: str) -> Statement:
        """The statement of this name; KeyError when it was not made."""
        for statement in self.statements:
            if statement.name == name:
                return statement
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "holds": self.holds,
            "statements": [statement.to_json() for statement in self.statements],
        }


def beijing(seconds: int) -> str:
    """A time in seconds, UTC, as people in Beijing read it: 2026-11-23 14:31:54."""
    return datetime.datetime.fromtimestamp(seconds, _BEIJING).strftime("%Y-%m-%d %H:%M:%S")
