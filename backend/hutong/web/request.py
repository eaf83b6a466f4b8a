"""Reading a request: its JSON, its key, its query; each fault names the field."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import orjson
from flask import request
from pydantic import BaseModel, ValidationError

from hutong.errors import (
    BadInput,
    BodyMalformed,
    BodyTooLarge,
    FieldInvalid,
    FieldMissing,
    FieldUnknown,
    IdempotencyKeyMissing,
)

Model = TypeVar("Model", bound=BaseModel)

#: Printable ASCII without spaces: nothing that a log or a header could break on.
_KEY = re.compile(r"[!-~]{1,128}", re.ASCII)


def read_json(octets: bytes) -> Any:
    """JSON in UTF-8. Raises BodyMalformed with the place; nesting beyond orjson's limit is malformed, too."""
    try:
        return orjson.loads(octets)
    except orjson.JSONDecodeError as error:
        raise BodyMalformed(
            f"the body is no JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from None


def read_body() -> bytes:
    """The body's octets. Raises BodyTooLarge, also when sent in chunks: Werkzeug would cut it off."""
    octets = request.get_data(cache=False)
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(octets) >= limit:
        raise BodyTooLarge(f"the body is larger than the {limit} octets that this path takes")
    return octets


def idempotency_key() -> str:
    """The Idempotency-Key of this request: 1 to 128 printable ASCII characters."""
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > 1 and key[0] == key[-1] == '"':  # a structured-field string is the same key
        key = key[1:-1]
    if not key:
        raise IdempotencyKeyMissing(
            "send an Idempotency-Key, such as a UUID: the same key and content get the same answer",
            field="Idempotency-Key",
        )
    return check_key(key, "Idempotency-Key")


def check_key(key: object, field: str) -> str:
    """An idempotency key, wherever it was given. Raises FieldInvalid."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise FieldInvalid("a key has 1 to 128 printable ASCII characters, no spaces", field=field)
    return key


def body(model: type[Model]) -> tuple[bytes, Model]:
    """The body's octets and what they say. Raises BodyMalformed, FieldMissing, FieldUnknown, FieldInvalid."""
    octets = read_body()
    return octets, validate(model, read_json(octets))


def query(model: type[Model]) -> Model:
    """The query's parameters; each may be given once."""
    given: dict[str, object] = {}
    for name, values in request.args.lists():
        if len(values) > 1:
            raise FieldInvalid("give this parameter once", field=name)
        given[name] = values[0]
    return validate(model, given)


def validate(model: type[Model], data: object) -> Model:
    """A model's instance. The first fault becomes the error."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _first_fault(error) from None


def _first_fault(error: ValidationError) -> BadInput:
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = ""
    for part in fault["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    if fault["type"] == "missing":
        return FieldMissing("this field is needed", field=path)
    if fault["type"] == "extra_forbidden":
        return FieldUnknown("there is no such field here", field=path)
    if not path:
        return BodyMalformed("the body is a JSON object")
    return FieldInvalid(fault["msg"], field=path)
