"""Before a view: who asks, whether they may, and whether the request has the form that the operation says."""

from __future__ import annotations

from flask import Flask, g, request

from hutong.errors import (
    KeyUnknown,
    MediaTypeUnsupported,
    ParticipantSuspended,
    PathUnknown,
    ScopeMissing,
)
from hutong.participants.service import KeyService
from hutong.web.caller import Caller
from hutong.web.operation import Operation, operation_of

_SCHEME = "bearer "


def guard(app: Flask, keys: KeyService) -> None:
    """Enforces on every request what its Operation says; pages and files have none."""

    @app.before_request
    def check() -> None:
        # Whatever is in a path is an id of ours: printable ASCII, which every database can be asked for.
        for part in (request.view_args or {}).values():
            if not (isinstance(part, str) and part.isascii() and part.isprintable()):
                raise PathUnknown("there is nothing at this path")
        operation = operation_of(app.view_functions.get(request.endpoint or ""))
        if operation is None:
            return
        request.max_content_length = operation.body_limit
        if operation.access:
            _admit(operation, keys)
        if operation.body is not None and request.mimetype != operation.body_type:
            raise MediaTypeUnsupported(
                f"send Content-Type: {operation.body_type}", field="Content-Type"
            )


def _admit(operation: Operation, keys: KeyService) -> None:
    """Sets the caller. Raises KeyUnknown, ScopeMissing, ParticipantSuspended."""
    shown = request.headers.get("Authorization", "")
    if not shown:
        raise KeyUnknown("this needs an API key: Authorization: Bearer hk_...")
    if shown[: len(_SCHEME)].lower() != _SCHEME:
        raise KeyUnknown("an API key is shown as: Authorization: Bearer hk_...")
    caller: Caller = keys.recognise(shown[len(_SCHEME) :].strip())
    if not caller.roles & operation.access:
        raise ScopeMissing(
            f"this needs a key with the role {' or '.join(sorted(operation.access))}",
            roles=sorted(caller.roles),
        )
    if caller.suspended and operation.writes:
        raise ParticipantSuspended(f"{caller.participant} is suspended", uscc=caller.participant)
    g.caller = caller
