"""An operation: what a path takes and answers, said once, so that what is documented is what is enforced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from hutong.errors import HutongError

JSON = "application/json"
JSON_LINES = "application/x-ndjson"

#: Roles of an API key.
ROLES = ("issue", "read", "admin")

#: Most octets of a body where an operation says nothing else.
BODY_LIMIT = 16 * 1024

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A documented path and method. `access`: an API key with any one of these roles is needed; empty: none is.

    `writes`: a suspended participant is refused. `keyed`: an Idempotency-Key is needed.
    """

    summary: str
    tag: str
    access: frozenset[str] = frozenset()
    signed: bool = False
    writes: bool = False
    keyed: bool = False
    body: type[BaseModel] | None = None
    body_type: str = JSON
    body_limit: int = BODY_LIMIT
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    answer_type: str = JSON
    status: int = 200
    errors: tuple[type[HutongError], ...] = ()
    description: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def operation(**said: Any) -> Callable[[View], View]:
    """Decorator: attaches an Operation to a view. The docstring's later lines become its description."""
    access = frozenset(said.pop("access", ()))
    said.setdefault(
        "writes", bool(access) and (bool(said.get("keyed")) or said.get("status") == 204)
    )

    def attach(view: View) -> View:
        lines = (view.__doc__ or "").strip().splitlines()
        said.setdefault("summary", lines[0].rstrip(".") if lines else view.__name__)
        said.setdefault("description", "\n".join(line.strip() for line in lines[1:]).strip())
        view.operation = Operation(access=access, **said)  # type: ignore[attr-defined]
        return view

    return attach


def operation_of(view: object) -> Operation | None:
    """The operation attached to a view; None for pages and files."""
    found = getattr(view, "operation", None)
    return found if isinstance(found, Operation) else None
