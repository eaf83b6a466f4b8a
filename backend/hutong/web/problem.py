"""Problems: an error as RFC 9457 says it, whether it answers a request or one line of it."""

from __future__ import annotations

import inspect
from typing import Any

from hutong.errors import HutongError

PROBLEM = "application/problem+json"


def problem(error: HutongError) -> dict[str, Any]:
    """`type` leads to the rule, `title` is the rule, `detail` what is wrong this time, `field` where."""
    body: dict[str, Any] = {
        "type": f"/problems#{error.code}",
        "title": rule(type(error)),
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
    }
    if error.field is not None:
        body["field"] = error.field
    if error.values:
        body["values"] = error.values
    return body


def rule(kind: type[HutongError]) -> str:
    """The first line of an error's docstring: the rule that it stands for."""
    return inspect.cleandoc(kind.__doc__ or kind.__name__).splitlines()[0]


def kinds() -> list[type[HutongError]]:
    """All errors of the tree that carry a rule of their own, by name."""
    found: dict[str, type[HutongError]] = {}
    waiting: list[type[HutongError]] = [HutongError]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            found[kind.__name__] = kind
            waiting.append(kind)
    return [found[name] for name in sorted(found)]
