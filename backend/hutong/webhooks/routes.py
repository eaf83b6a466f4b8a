"""Webhooks over HTTP: made, listed, ended; tested, looked into, sent again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field

from hutong.errors import IdempotencyKeyReused, TooMany, WebhookUnknown, WebhookUrlRefused
from hutong.web.answer import answer, page_answer
from hutong.web.caller import caller
from hutong.web.operation import operation
from hutong.web.request import body, idempotency_key, query
from hutong.web.signature import show_secret
from hutong.webhooks.address import MAX_URL
from hutong.webhooks.model import EVENTS
from hutong.webhooks.service import MOST, WebhookService
from hutong.webhooks.store import Delivery, Webhook

Event = Literal["invoice.onchain", "batch.onchain", "book.stalled", "book.resumed"]
_READERS = ["read", "admin"]


class WebhookRequest(BaseModel):
    """A webhook to be made."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Annotated[
        str, Field(min_length=1, max_length=MAX_URL, examples=["https://shop.example/hutong"])
    ]
    events: Annotated[
        list[Event],
        Field(
            min_length=1,
            max_length=len(EVENTS),
            description="`invoice.onchain` comes once an invoice, `batch.onchain` once a batch",
        ),
    ]


class WebhookAnswer(BaseModel):
    """A webhook. `ended_why` says why it is told nothing any more, when it was not deleted."""

    id: Annotated[str, Field(examples=["wh_0123456789abcdef"])]
    url: str
    events: list[Event]
    created_at: int
    ended_at: int | None
    ended_why: str | None


class NewWebhookAnswer(WebhookAnswer):
    """A webhook just made: the only time that its secret is shown."""

    secret: Annotated[str, Field(description="whsec_ and base64, for Standard Webhooks libraries")]


class WebhookList(BaseModel):
    """All webhooks, newest first."""

    items: list[WebhookAnswer]
    next: None


class TestAnswer(BaseModel):
    """A test notice on its way."""

    event: str


class DeliveryAnswer(BaseModel):
    """An event on its way to a webhook. `status` is the last HTTP status, `why` what went wrong last.

    `place` is how many notices of the event were taken: up to the batch's size for invoice.onchain, else one.
    """

    id: str
    event: str
    type: str
    state: Literal["pending", "done", "dead"]
    place: int
    attempts: int
    next_at: int | None
    status: int | None
    why: str | None
    created_at: int


class DeliveryList(BaseModel):
    """Deliveries of the last month, newest first."""

    items: list[DeliveryAnswer]
    next: str | None


class DeliveryQuery(BaseModel):
    """Which part of the list."""

    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[str | None, Field(pattern=r"^[0-9]{1,18}$")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


def webhook_routes(service: WebhookService) -> Blueprint:
    """/v1/webhooks."""
    routes = Blueprint("webhooks", __name__, url_prefix="/v1/webhooks")

    @routes.post("")
    @operation(
        tag="Webhooks",
        access=["admin"],
        keyed=True,
        status=201,
        body=WebhookRequest,
        answer=NewWebhookAnswer,
        errors=(WebhookUrlRefused, IdempotencyKeyReused, TooMany),
        description="Its secret is shown once. Notices are signed after Standard Webhooks; answer any 2xx within 10 s. "
        "What fails is sent again with the same webhook-id for about three days; "
        "a notice may come twice and out of order. 410 ends the webhook. "
        f"A participant has at most {MOST}.",
    )
    def create_webhook() -> Response:
        """Make a webhook"""
        octets, wanted = body(WebhookRequest)
        made = service.create(
            caller().participant,
            wanted.url,
            wanted.events,
            key=idempotency_key(),
            content=octets,
        )
        return answer(_shown(made) | {"secret": show_secret(service.secret_of(made))}, 201)

    @routes.get("")
    @operation(tag="Webhooks", access=_READERS, answer=WebhookList)
    def list_webhooks() -> Response:
        """List the participant's webhooks"""
        return page_answer([_shown(found) for found in service.of(caller().participant)], None)

    @routes.get("/<identity>")
    @operation(tag="Webhooks", access=_READERS, answer=WebhookAnswer, errors=(WebhookUnknown,))
    def get_webhook(identity: str) -> Response:
        """Look a webhook up"""
        return answer(_shown(service.get(caller().participant, identity)))

    @routes.delete("/<identity>")
    @operation(tag="Webhooks", access=["admin"], status=204, errors=(WebhookUnknown,))
    def end_webhook(identity: str) -> Response:
        """Delete a webhook: what is on its way to it is dropped"""
        service.end(caller().participant, identity)
        return Response(status=204)

    @routes.post("/<identity>/test")
    @operation(
        tag="Webhooks",
        access=["admin"],
        keyed=True,
        status=202,
        answer=TestAnswer,
        errors=(WebhookUnknown,),
    )
    def test_webhook(identity: str) -> Response:
        """Have a webhook.test delivered"""
        event = service.test(caller().participant, identity, idempotency_key())
        return answer({"event": event}, 202)

    @routes.get("/<identity>/deliveries")
    @operation(
        tag="Webhooks",
        access=_READERS,
        query=DeliveryQuery,
        answer=DeliveryList,
        errors=(WebhookUnknown,),
    )
    def list_deliveries(identity: str) -> Response:
        """List a webhook's deliveries"""
        wanted = query(DeliveryQuery)
        page = service.deliveries(
            caller().participant, identity, after=wanted.cursor, limit=wanted.limit
        )
        return page_answer([_delivery(found) for found in page.items], page.next_cursor)

    @routes.post("/<identity>/deliveries/<number>/redeliver")
    @operation(
        tag="Webhooks",
        access=["admin"],
        keyed=True,
        status=202,
        answer=DeliveryAnswer,
        errors=(WebhookUnknown,),
    )
    def redeliver(identity: str, number: str) -> Response:
        """Have a delivery carried out once more

        Its notices carry the same webhook-ids as before.
        """
        idempotency_key()
        return answer(_delivery(service.redeliver(caller().participant, identity, number)), 202)

    return routes


def _shown(found: Webhook) -> dict[str, Any]:
    return {
        "id": found.id,
        "url": found.url,
        "events": found.events,
        "created_at": found.created_at,
        "ended_at": found.ended_at,
        "ended_why": found.ended_why,
    }


def _delivery(found: Delivery) -> dict[str, Any]:
    return {
        "id": str(found.id),
        "event": found.event,
        "type": found.type,
        "state": found.state,
        "place": found.place,
        "attempts": found.attempts,
        "next_at": int(found.next_at) if found.state == "pending" else None,
        "status": found.status,
        "why": found.why,
        "created_at": found.created_at,
    }
