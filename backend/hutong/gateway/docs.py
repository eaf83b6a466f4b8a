"""The API's description, and a page to try it on."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import flask_swagger_ui
import orjson
from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    render_template,
    request,
    send_from_directory,
)

from hutong.gateway.openapi import describe
from hutong.gateway.texts import language, texts
from hutong.web.operation import JSON
from hutong.web.problem import kinds, rule

_DIST = Path(flask_swagger_ui.__file__).parent / "dist"
_FILES = ("swagger-ui.css", "swagger-ui-bundle.js")


@lru_cache(maxsize=4)
def _description(app: Flask) -> bytes:
    return orjson.dumps(describe(app))


def docs_routes() -> Blueprint:
    """/openapi.json, /docs, /problems."""
    routes = Blueprint("docs", __name__)

    @routes.get("/openapi.json")
    def openapi() -> Response:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        response = Response(_description(app), mimetype=JSON)
        response.add_etag()
        response.make_conditional(request)
        return response

    @routes.get("/docs")
    def docs() -> str:
        said = texts(language(request))
        return render_template("docs.html", t=said, lang=said["lang"], network=None)

    @routes.get("/docs/<file>")
    def docs_file(file: str) -> Response:
        return send_from_directory(_DIST, file if file in _FILES else "none", max_age=86_400)

    @routes.get("/problems")
    def problems() -> str:
        said = texts(language(request))
        rules = [(kind.__name__, kind.status, rule(kind)) for kind in kinds()]
        return render_template(
            "problems.html", t=said, lang=said["lang"], network=None, rules=rules
        )

    return routes
