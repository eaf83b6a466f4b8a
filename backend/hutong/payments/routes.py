"""Payments over HTTP: charging points, and the notifications that they sign."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field

from hutong import errors
from hutong.invoices import schemas
from hutong.invoices.answers import accepted_answer
from hutong.invoices.links import HolderLinks
from hutong.payments.model import Notification, Profile
from hutong.payments.service import MOST, PaymentService
from hutong.payments.store import ChargingPoint
from hutong.web.answer import answer, page_answer
from hutong.web.caller import caller
from hutong.web.operation import operation
from hutong.web.request import body, idempotency_key, read_body, read_json, validate
from hutong.web.signature import TOLERANCE, show_secret, signed_headers

_HEADER = "Hutong-Charging-Point"
_ID = re.compile("cp_[0-9a-f]{16}", re.ASCII)

Text = Annotated[str, Field(min_length=1, max_length=300)]


class ChargingPointRequest(BaseModel):
    """A charging point (收款点) to be made: how its payments are invoiced."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=100, examples=["汉威国际广场停车场"])]
    item: Annotated[Text, Field(description="What is sold: the line's name", examples=["停车费"])]
    rate: Annotated[
        int | Literal["exempt", "not-taxed", "zero"],
        Field(description="1/10000 (900 is 9 %), or a mark in its place", examples=[900]),
    ]
    prices_include_tax: Annotated[bool, Field(description="Whether amounts contain the tax")]
    kind: Literal["ordinary", "special"] = "ordinary"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "CNY"
    tax_code: Annotated[str | None, Field(pattern=r"^[0-9]{19}$")] = None
    unit: Text | None = None
    drawer: Text | None = None
    book: Annotated[
        str | None,
        Field(pattern=r"^[0-9]{20}$", description="First number of the book to take numbers from"),
    ] = None


class ChargingPointAnswer(ChargingPointRequest):
    """A charging point."""

    id: Annotated[str, Field(examples=["cp_0123456789abcdef"])]
    created_at: schemas.Time


class NewChargingPointAnswer(ChargingPointAnswer):
    """A charging point just made: the only time that its secret is shown."""

    secret: Annotated[str, Field(description="whsec_ and base64, for Standard Webhooks libraries")]


class ChargingPointList(BaseModel):
    """Open charging points, newest first."""

    items: list[ChargingPointAnswer]
    next: None


class PaymentNotification(BaseModel):
    """A payment that has been made."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "provider": "wechat-pay",
                    "reference": "4200002613202611237731",
                    "amount": "10.00",
                    "paid_at": 1795415512,
                    "description": "停车 2 小时 10 分",
                }
            ]
        },
    )

    provider: Annotated[str, Field(description="Who carried the payment out")]
    reference: Annotated[str, Field(description="The provider's number of the payment")]
    amount: schemas.Amount
    paid_at: schemas.Time | None = None
    description: Annotated[str | None, Field(max_length=450, description="Becomes a remark")] = None
    method: Annotated[str | None, Field(max_length=60)] = None
    item: Annotated[str | None, Field(max_length=600, description="Instead of the point's")] = None
    buyer: schemas.PartyRequest | None = None


def payment_routes(payments: PaymentService, links: HolderLinks) -> Blueprint:
    """/v1/payments, /v1/charging-points."""
    routes = Blueprint("payments", __name__, url_prefix="/v1")

    @routes.post("/payments")
    @operation(
        tag="Payments",
        signed=True,
        status=201,
        body=PaymentNotification,
        answer=schemas.AcceptedAnswer,
        headers={_HEADER: "Id of the charging point"},
        description="A charging system's notification, signed after Standard Webhooks with the point's secret: "
        f"`webhook-id`, `webhook-timestamp` (at most {TOLERANCE} s off), `webhook-signature`. "
        "The webhook-id is the idempotency key: "
        "a notification sent again gets the first answer. A payment under another webhook-id is refused with "
        "PaymentAlreadyInvoiced, which names the invoice.",
        errors=(
            errors.SignatureInvalid,
            errors.SignatureStale,
            errors.PaymentAlreadyInvoiced,
            errors.IdempotencyKeyReused,
            errors.QuotaExceeded,
            errors.AmountInvalid,
            errors.ParticipantSuspended,
            errors.Busy,
        ),
    )
    def receive_payment() -> Response:
        """Turn a payment into an invoice"""
        identity = request.headers.get(_HEADER, "")
        if not identity:
            raise errors.FieldMissing("say which charging point signs", field=_HEADER)
        if not _ID.fullmatch(identity):
            identity = ""
        signed = signed_headers(request.headers.get)
        octets = read_body()
        found = payments.recognise(identity, signed, octets)
        said = validate(PaymentNotification, read_json(octets)).model_dump(exclude_none=True)
        accepted = payments.invoice(found, signed.id, octets, Notification(**said))
        headers = {"Location": f"/v1/invoices/{accepted.number}"}
        if accepted.repeated:
            headers["Idempotent-Replayed"] = "true"
        return answer(accepted_answer(accepted, links), 201, headers=headers)

    @routes.post("/charging-points")
    @operation(
        tag="Payments",
        access=["admin"],
        keyed=True,
        status=201,
        body=ChargingPointRequest,
        answer=NewChargingPointAnswer,
        errors=(errors.IdempotencyKeyReused, errors.TooMany, errors.RateInvalid),
        description=f"Its secret is shown once. A participant has at most {MOST} open ones.",
    )
    def create_charging_point() -> Response:
        """Make a charging point"""
        octets, wanted = body(ChargingPointRequest)
        said = wanted.model_dump()
        name = said.pop("name")
        made = payments.create(
            caller().participant, name, Profile(**said), key=idempotency_key(), content=octets
        )
        return answer(_shown(made) | {"secret": show_secret(payments.secret_of(made))}, 201)

    @routes.get("/charging-points")
    @operation(tag="Payments", access=["admin", "read"], answer=ChargingPointList)
    def list_charging_points() -> Response:
        """List open charging points, newest first"""
        return page_answer([_shown(found) for found in payments.of(caller().participant)], None)

    @routes.delete("/charging-points/<identity>")
    @operation(tag="Payments", access=["admin"], status=204, errors=(errors.ChargingPointUnknown,))
    def close_charging_point(identity: str) -> Response:
        """Close a charging point: its notifications are refused from now on"""
        payments.close(caller().participant, identity)
        return Response(status=204)

    return routes


def _shown(found: ChargingPoint) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        **found.profile.to_json(),
        "created_at": found.created_at,
    }
