"""Answers: JSON with an ETag, and 304 for whoever has it already."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Response, request

from hutong.web.operation import JSON


def answer(
    data: Any, status: int = 200, *, headers: dict[str, str] | None = None, cached: bool = True
) -> Response:
    """`data` as JSON. On a GET with status 200 it carries an ETag; If-None-Match is honoured."""
    octets = orjson.dumps(data)
    response = Response(octets, status, mimetype=JSON)
    if headers:
        response.headers.update(headers)
    if status == 200 and cached and request.method in ("GET", "HEAD"):
        response.set_etag(hashlib.sha256(octets).hexdigest()[:32])
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
    else:
        response.headers["Cache-Control"] = "no-store"
    return response


def page_answer(items: list[Any], following: str | None, **more: Any) -> Response:
    """A page of a list. `next` is the cursor of the following page, null at the end; a Link header says it, too."""
    headers = {}
    if following is not None:
        arguments = request.args.to_dict() | {"cursor": following}
        headers["Link"] = f'<{request.path}?{urlencode(arguments)}>; rel="next"'
    return answer({"items": items, "next": following, **more}, headers=headers)
