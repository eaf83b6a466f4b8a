"""The API's description (OpenAPI 3.1), made from the operations that are enforced."""

from __future__ import annotations

import re
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from hutong import errors
from hutong.web.operation import JSON, Operation, operation_of
from hutong.web.problem import PROBLEM, rule

_INTRODUCTION = """Invoices on a chain, as easily as from any web API. A payment becomes an invoice with a number and a
signed promise at once; a few seconds later it is on the chain, and its bundle
proves it to anybody, without this gateway.

Amounts are decimal strings, times are seconds since 1970 (UTC), octets are 0x-hex. Every POST but payments carries an
`Idempotency-Key`. Lists give `next`, the cursor of the following page. GETs carry an `ETag`. Errors are
`application/problem+json` (RFC 9457); `code` is the rule's name, `field` where it was broken:
see [all rules](/problems).
"""
_TAGS = {
    "Invoices": "Issue, look up, prove.",
    "Payments": "A charging system's notifications become invoices.",
    "Books and quota": "What the tax bureau has given the issuer.",
    "Webhooks": "Notices to your own system.",
    "API keys": "Who may do what in a participant's name.",
}
_SCHEMA = "#/components/schemas/{model}"
_PATH_PART = re.compile("<([a-z_]+)>")


def describe(app: Flask) -> dict[str, Any]:
    """The whole description."""
    found = [
        (route, operation)
        for route in app.url_map.iter_rules()
        if (operation := operation_of(app.view_functions[route.endpoint])) is not None
    ]
    found.sort(key=lambda pair: list(_TAGS).index(pair[1].tag))
    models = {
        model: None
        for _, operation in found
        for model in (operation.body, operation.answer)
        if model is not None
    }
    _, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template=_SCHEMA
    )
    paths: dict[str, dict[str, Any]] = {}
    for route, operation in found:
        path = _PATH_PART.sub(r"{\1}", route.rule)
        method = next(iter(route.methods & {"GET", "POST", "DELETE"} if route.methods else {"GET"}))
        paths.setdefault(path, {})[method.lower()] = _operation(route, operation, method)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hutong",
            "version": version("hutong"),
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "hk_..."},
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "webhook-signature",
                    "description": "v1,<base64> of HMAC-SHA-256 (Standard Webhooks)",
                },
            },
        },
    }


_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "description": "Where the rule is explained"},
        "title": {"type": "string", "description": "The rule"},
        "status": {"type": "integer"},
        "code": {"type": "string", "examples": ["AmountInvalid"]},
        "detail": {"type": "string", "description": "What is wrong this time"},
        "field": {"type": "string", "examples": ["lines[3].rate"]},
        "values": {"type": "object", "description": "The offending values"},
    },
}


def _operation(route: Rule, operation: Operation, method: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": route.endpoint.rsplit(".", 1)[-1],
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": _parameters(route, operation, method),
        "responses": _responses(operation, method),
    }
    if operation.description:
        said["description"] = operation.description
    if operation.access:
        said["security"] = [{"key": []}]
        roles = " or ".join(f"`{role}`" for role in sorted(operation.access))
        said["description"] = (
            f"{said.get('description', '')}\n\nNeeds a key with the role {roles}.".strip()
        )
    elif operation.signed:
        said["security"] = [{"signature": []}]
    if operation.body is not None:
        said["requestBody"] = {
            "required": True,
            "description": f"At most {operation.body_limit // 1024:,} KiB.",
            "content": {operation.body_type: {"schema": _reference(operation.body)}},
        }
    return said


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _SCHEMA.format(model=model.__name__)}


def _parameters(route: Rule, operation: Operation, method: str) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PART.findall(route.rule)
    ]
    if operation.query is not None:
        schema = operation.query.model_json_schema()
        for name, field in schema["properties"].items():
            text = field.pop("description", "")
            found.append(
                {"name": name, "in": "query", "description": text, "schema": _present(field)}
            )
    headers = dict(operation.headers)
    if operation.keyed:
        headers["Idempotency-Key"] = "1 to 128 printable ASCII characters, such as a UUID"
    if operation.signed:
        headers["webhook-id"] = "The notification's id: its idempotency key"
        headers["webhook-timestamp"] = "Seconds since 1970, UTC"
    found += [
        {
            "name": name,
            "in": "header",
            "required": True,
            "description": text,
            "schema": {"type": "string"},
        }
        for name, text in headers.items()
    ]
    if method == "GET":
        found.append({"name": "If-None-Match", "in": "header", "schema": {"type": "string"}})
    return found


def _present(field: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that is there: one left out is no null."""
    kept = {key: value for key, value in field.items() if key not in ("title", "anyOf")}
    if kept.get("default", 0) is None:
        del kept["default"]
    for choice in field.get("anyOf", ()):
        if choice.get("type") != "null":
            kept |= choice
    return kept


def _responses(operation: Operation, method: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        str(operation.status): {"description": HTTPStatus(operation.status).phrase}
    }
    if operation.answer is not None:
        content = {operation.answer_type: {"schema": _reference(operation.answer)}}
        said[str(operation.status)]["content"] = content
    if method == "GET" and operation.answer_type == JSON:
        said["304"] = {"description": "What If-None-Match names is still so"}
    kinds = dict.fromkeys(operation.errors + _general(operation, method))
    by_status: dict[int, list[type[errors.HutongError]]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind)
    for status, together in sorted(by_status.items()):
        text = "\n".join(f"- `{kind.__name__}`: {rule(kind)}" for kind in together)
        reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
        said[str(status)] = {"description": text, "content": {PROBLEM: reference}}
    return said


def _general(operation: Operation, method: str) -> tuple[type[errors.HutongError], ...]:
    """What any operation of this form may be refused with."""
    found: tuple[type[errors.HutongError], ...] = (
        errors.AttemptsExceeded,
        errors.Busy,
        errors.Internal,
    )
    if operation.access:
        found += (errors.KeyUnknown, errors.ScopeMissing)
    if operation.writes:
        found += (errors.ParticipantSuspended,)
    if operation.keyed:
        found += (errors.IdempotencyKeyMissing,)
    if method == "POST" or operation.query is not None:
        found += (errors.FieldInvalid, errors.FieldUnknown)
    if operation.body is not None:
        found += (
            errors.BodyMalformed,
            errors.BodyTooLarge,
            errors.MediaTypeUnsupported,
            errors.FieldMissing,
        )
    return found
