"""A document read back: its payload with the disclosures that are shown put in their places.

The rules are those of RFC 9901, section 7.1, steps 3 and 4; they are applied strictly.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hutong.errors import BundleInvalid
from hutong.invoices.strict import read_json

_RESERVED = ("_sd", "...")
# Deep enough for any invoice; disclosures within disclosures could otherwise nest without end.
_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Claims:
    """What a document says, as far as it is shown.

    `claims` are the payload's claims with the shown ones in place; a line that is withheld is not
    in `claims["lines"]`. `withheld_lines` and `withheld_claims` count what stands as a bare digest.
    """

    claims: dict[str, Any]
    shown: int
    withheld_lines: int
    withheld_claims: int

    @property
    def withheld(self) -> int:
        return self.withheld_lines + self.withheld_claims


def read_claims(payload: bytes, disclosures: Sequence[str]) -> Claims:
    """Claims of a payload with some of its disclosures. Raises BundleInvalid where a rule is broken.

    Broken are: a digest that stands twice, a disclosure that is given twice, whose digest stands
    nowhere, that stands in the wrong kind of place or names a claim that is there already.
    """
    claims = read_payload(payload)
    if claims.pop("_sd_alg", "sha-256") != "sha-256":
        raise BundleInvalid("digests are made by sha-256", field="payload._sd_alg")
    rebuilt = _Rebuilding(disclosures)
    found = rebuilt.of_object(claims, ())
    unused = [i for i in range(len(disclosures)) if i not in rebuilt.used]
    if unused:
        raise BundleInvalid(
            "this disclosure's digest does not stand in the document",
            field=f"disclosures[{unused[0]}]",
        )
    lines = sum(count for path, count in rebuilt.withheld.items() if path == ("lines",))
    return Claims(found, len(disclosures), lines, sum(rebuilt.withheld.values()) - lines)


def read_payload(payload: bytes) -> dict[str, Any]:
    """The payload as it stands, digests and all. Raises BundleInvalid."""
    try:
        claims = read_json(payload)
    except BundleInvalid as error:
        raise BundleInvalid(error.detail, field="payload") from error
    if not isinstance(claims, dict):
        raise BundleInvalid("a payload is a JSON object", field="payload")
    return claims


def digest(disclosure: str) -> str:
    """Digest of a disclosure, as it stands in a payload: SHA-256 of its ASCII, in base64url."""
    octets = hashlib.sha256(disclosure.encode("ascii")).digest()
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


class _Rebuilding:
    """Puts disclosures in place; remembers what was used, seen and left out."""

    def __init__(self, disclosures: Sequence[str]) -> None:
        self._by_digest: dict[str, tuple[int, list[Any]]] = {}
        for index, text in enumerate(disclosures):
            key = digest(text)
            if key in self._by_digest:
                raise BundleInvalid("this disclosure is given twice", field=f"disclosures[{index}]")
            self._by_digest[key] = (index, _content(text, f"disclosures[{index}]"))
        self._seen: set[str] = set()
        self.used: set[int] = set()
        self.withheld: dict[tuple[str, ...], int] = {}

    def of_value(self, value: Any, path: tuple[str, ...]) -> Any:
        if len(path) > _DEPTH:
            raise BundleInvalid("this is nested too deeply", field="payload")
        if isinstance(value, dict):
            return self.of_object(value, path)
        if isinstance(value, list):
            return self.of_array(value, path)
        return value

    def of_object(self, value: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        digests = value.get("_sd", [])
        if not isinstance(digests, list) or "..." in value:
            raise BundleInvalid("digests stand in a list `_sd`", field=_field(path))
        found = {k: self.of_value(v, (*path, k)) for k, v in value.items() if k != "_sd"}
        for item in digests:
            content = self._taken(item, path, 3)
            if content is None:
                continue
            _, name, inner = content
            if name in value or name in found:
                raise BundleInvalid(
                    "a disclosure repeats a claim", field=_field((*path, str(name)))
                )
            found[name] = self.of_value(inner, (*path, name))
        return found

    def of_array(self, value: list[Any], path: tuple[str, ...]) -> list[Any]:
        found = []
        for item in value:
            if not (isinstance(item, dict) and "..." in item):
                found.append(self.of_value(item, (*path, "[]")))
                continue
            if len(item) != 1:
                raise BundleInvalid("a digest stands alone in its place", field=_field(path))
            content = self._taken(item["..."], path, 2)
            if content is not None:
                found.append(self.of_value(content[1], (*path, "[]")))
        return found

    def _taken(self, key: object, path: tuple[str, ...], size: int) -> list[Any] | None:
        """Content of the disclosure with this digest; None, and counted, when it is withheld."""
        if type(key) is not str:
            raise BundleInvalid("a digest is a string", field=_field(path))
        if key in self._seen:
            raise BundleInvalid("a digest stands twice in the document", field=_field(path))
        self._seen.add(key)
        if key not in self._by_digest:
            self.withheld[path] = self.withheld.get(path, 0) + 1
            return None
        index, content = self._by_digest[key]
        if len(content) != size:
            raise BundleInvalid(
                "this disclosure does not belong where its digest stands",
                field=f"disclosures[{index}]",
            )
        self.used.add(index)
        return content


def _content(text: str, field: str) -> list[Any]:
    """[salt, value] or [salt, name, value] of a disclosure."""
    try:
        octets = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        content = read_json(octets)
    except (ValueError, BundleInvalid) as error:
        raise BundleInvalid("this is not a disclosure (RFC 9901)", field=field) from error
    if not isinstance(content, list) or len(content) not in (2, 3):
        raise BundleInvalid("a disclosure has two or three parts", field=field)
    if type(content[0]) is not str or (
        len(content) == 3 and (type(content[1]) is not str or content[1] in _RESERVED)
    ):
        raise BundleInvalid("a disclosure has a salt and a name, both text", field=field)
    return content


def _field(path: tuple[str, ...]) -> str:
    return ".".join(("payload", *path))
