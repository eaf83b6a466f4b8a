"""Errors become answers: problem+json for programs, a page for people; nothing of the inside leaves."""

from __future__ import annotations

import logging
import secrets

import orjson
from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from hutong.errors import (
    AttemptsExceeded,
    BodyMalformed,
    BodyTooLarge,
    HutongError,
    Internal,
    Limited,
    MediaTypeUnsupported,
    MethodUnknown,
    PathUnknown,
    Unauthorized,
    Unavailable,
)
from hutong.gateway.attempts import Attempts
from hutong.gateway.texts import language, texts
from hutong.web.problem import PROBLEM, problem

log = logging.getLogger(__name__)

_RETRY_SECONDS = 1
_HTTP: dict[int, tuple[type[HutongError], str]] = {
    404: (PathUnknown, "there is nothing at this path; see /openapi.json"),
    405: (MethodUnknown, "this path does not take this method"),
    413: (BodyTooLarge, "the body is larger than this path takes"),
    415: (MediaTypeUnsupported, "this media type is not taken here"),
}


def answer_problems(app: Flask, attempts: Attempts) -> None:
    """Registers the handlers."""

    @app.errorhandler(HutongError)
    def refuse(error: HutongError) -> Response:
        if isinstance(error, Unauthorized):
            seconds = attempts.note(request.remote_addr or "")
            if seconds:
                error = AttemptsExceeded("too many wrong keys or signatures from your address")
                return _answer(error, {"Retry-After": str(seconds)})
            return _answer(error, {"WWW-Authenticate": 'Bearer realm="hutong"'})
        if error.status >= 500 and not isinstance(error, Unavailable):
            return _internal(error)
        return _answer(error, {})

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400:  # a redirect is no problem
            return Response(error.get_body(), status, headers=error.get_headers())
        if status >= 500:
            return _internal(error)
        kind, detail = _HTTP.get(status, (BodyMalformed, error.description or "this is malformed"))
        headers = {}
        if status == 405:
            headers["Allow"] = dict(error.get_headers()).get("Allow", "")
        return _answer(kind(detail), headers)

    @app.errorhandler(Exception)
    def admit(error: Exception) -> Response:
        return _internal(error)


def _internal(error: Exception) -> Response:
    """Logged with a reference, which is all that the answer says of it."""
    reference = secrets.token_hex(6)
    log.error("%s %s failed, reference %s", request.method, _endpoint(), reference, exc_info=error)
    return _answer(Internal(f"this is our fault; it is logged as {reference}"), {})


def _endpoint() -> str:
    """The route, not the path: paths of pages hold secrets."""
    return str(request.url_rule) if request.url_rule is not None else "(no route)"


def _answer(error: HutongError, headers: dict[str, str]) -> Response:
    if isinstance(error, (Unavailable, Limited)):
        headers.setdefault("Retry-After", str(_RETRY_SECONDS))
    body = problem(error)
    if _wants_page():
        said = texts(language(request))
        page = render_template(
            "problem.html", problem=body, t=said, lang=said["lang"], network=None
        )
        response = Response(page, error.status, mimetype="text/html")
    else:
        response = Response(orjson.dumps(body, default=str), error.status, mimetype=PROBLEM)
    response.headers.update(headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def _wants_page() -> bool:
    """Whether a person with a browser asks, and not for a thing of the API."""
    if request.path.startswith("/v1"):
        return False
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
