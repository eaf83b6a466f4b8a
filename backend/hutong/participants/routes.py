"""API keys over HTTP: a participant's administrator makes and revokes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field

from hutong.errors import ApiKeyUnknown, IdempotencyKeyReused, TooMany
from hutong.participants.keys import ApiKey
from hutong.participants.service import MOST, KeyService
from hutong.web.answer import answer, page_answer
from hutong.web.caller import caller
from hutong.web.operation import operation
from hutong.web.request import body, idempotency_key

Role = Literal["issue", "read", "admin"]


class KeyRequest(BaseModel):
    """An API key to be made."""

    model_config = ConfigDict(extra="forbid", strict=True)

    label: Annotated[str, Field(max_length=100, description="What people call it")] = ""
    roles: Annotated[
        list[Role],
        Field(
            min_length=1,
            max_length=3,
            description="`issue` issues invoices and reads them, `read` reads, `admin` sets up keys, "
            "charging points and webhooks. None contains another, save that `issue` reads invoices.",
        ),
    ]


class KeyAnswer(BaseModel):
    """An API key. Times in seconds, UTC; `used_at` is exact to a minute."""

    id: str
    label: str
    roles: list[Role]
    prefix: Annotated[str, Field(description="The secret's first characters, to recognise it by")]
    created_at: int
    used_at: int | None
    revoked_at: int | None


class NewKeyAnswer(KeyAnswer):
    """An API key just made: the only time that its secret is shown."""

    secret: Annotated[str, Field(description="hk_ and 43 characters; send it as a Bearer token")]


class KeyPage(BaseModel):
    """All of the participant's API keys, newest first."""

    items: list[KeyAnswer]
    next: None


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "label": key.label,
        "roles": sorted(key.roles),
        "prefix": key.prefix,
        "created_at": key.created_at,
        "used_at": key.used_at,
        "revoked_at": key.revoked_at,
    }


def key_routes(keys: KeyService) -> Blueprint:
    """/v1/keys."""
    routes = Blueprint("keys", __name__, url_prefix="/v1/keys")

    @routes.post("")
    @operation(
        tag="API keys",
        access=["admin"],
        keyed=True,
        status=201,
        body=KeyRequest,
        answer=NewKeyAnswer,
        errors=(IdempotencyKeyReused, TooMany),
        description=f"A participant has at most {MOST} keys. The same request again answers the same secret.",
    )
    def create_key() -> Response:
        """Make an API key"""
        octets, wanted = body(KeyRequest)
        made = keys.create(
            caller().participant,
            wanted.roles,
            wanted.label,
            key=idempotency_key(),
            content=octets,
        )
        return answer(_shown(made.key) | {"secret": made.secret}, 201)

    @routes.get("")
    @operation(tag="API keys", access=["admin"], answer=KeyPage)
    def list_keys() -> Response:
        """List the participant's API keys"""
        return page_answer([_shown(key) for key in keys.of(caller().participant)], None)

    @routes.delete("/<identity>")
    @operation(tag="API keys", access=["admin"], status=204, errors=(ApiKeyUnknown,))
    def revoke_key(identity: str) -> Response:
        """Revoke an API key

        It stops working at once, in other gateway processes within two seconds.
        """
        keys.revoke(caller().participant, identity)
        return Response(status=204)

    return routes
