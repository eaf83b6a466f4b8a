"""Invoices' requests and answers as the API's description shows them; requests are checked by the model itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Amount = Annotated[
    str,
    Field(pattern=r"^-?[0-9]{1,18}(\.[0-9]{1,18})?$", examples=["10.00"], description="Decimal"),
]
Time = Annotated[int, Field(ge=0, description="Seconds since 1970, UTC", examples=[1795415512])]
Number = Annotated[str, Field(pattern="^[0-9]{20}$", examples=["26112000000481200001"])]
Hash = Annotated[str, Field(pattern="^0x[0-9a-f]{64}$")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PartyRequest(_Request):
    """The buyer. With a USCC the chain keeps a commitment to it; without one it is a consumer."""

    uscc: Annotated[str | None, Field(description="18 characters, check digit verified")] = None
    name: Annotated[str, Field(max_length=150)]
    address: Annotated[str | None, Field(max_length=300)] = None
    phone: Annotated[str | None, Field(max_length=60)] = None
    bank: Annotated[str | None, Field(max_length=150)] = None
    account: Annotated[str | None, Field(max_length=60)] = None


class LineRequest(_Request):
    """A line: an amount, or quantity and unit price, or all three."""

    name: Annotated[str, Field(max_length=600, examples=["停车费"])]
    specification: Annotated[str | None, Field(max_length=150)] = None
    unit: Annotated[str | None, Field(max_length=300)] = None
    quantity: Annotated[str | None, Field(max_length=25, examples=["1"])] = None
    unit_price: Annotated[str | None, Field(max_length=25, examples=["10.00"])] = None
    amount: Amount | None = None
    tax: Annotated[Amount | None, Field(description="Checked against amount and rate")] = None
    rate: Annotated[
        int | Literal["exempt", "not-taxed", "zero"],
        Field(description="1/10000 (900 is 9 %), or a mark in its place", examples=[900]),
    ]
    tax_code: Annotated[str | None, Field(pattern="^[0-9]{19}$")] = None
    nature: Annotated[
        Literal["normal", "discounted", "discount"],
        Field(description="A discount is negative and follows the line that it reduces"),
    ] = "normal"


class TotalsRequest(_Request):
    """Checked to the minor unit where given."""

    net: Amount | None = None
    tax: Amount | None = None
    gross: Amount | None = None


class PaymentRequest(_Request):
    """The payment that is invoiced. An issuer invoices a payment once; the chain can prove a second time."""

    provider: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    reference: Annotated[str, Field(max_length=128)]
    paid_at: Time | None = None
    method: Annotated[str | None, Field(max_length=60)] = None


class InvoiceRequest(_Request):
    """An invoice to be issued."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "prices_include_tax": True,
                    "lines": [{"name": "停车费", "amount": "10.00", "rate": 900}],
                    "payment": {"provider": "wechat-pay", "reference": "4200002613202611237731"},
                }
            ]
        },
    )

    kind: Annotated[
        Literal["ordinary", "special"], Field(description="A special one names its buyer by USCC")
    ] = "ordinary"
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "CNY"
    buyer: PartyRequest | None = None
    lines: Annotated[list[LineRequest], Field(min_length=1, max_length=2000)]
    prices_include_tax: Annotated[
        bool, Field(description="Whether amounts and unit prices contain the tax")
    ]
    totals: TotalsRequest | None = None
    remarks: Annotated[str | None, Field(max_length=450)] = None
    drawer: Annotated[str | None, Field(max_length=300)] = None
    payment: PaymentRequest | None = None


class BulkLineRequest(InvoiceRequest):
    """One line of a bulk request: an invoice, with an idempotency key of its own if it wants one."""

    key: Annotated[
        str | None,
        Field(pattern="^[!-~]{1,128}$", description="Else Idempotency-Key and line number"),
    ] = None


class Links(BaseModel):
    """Paths on this gateway. `page` is for the holder: whoever has it sees the invoice."""

    self: str
    bundle: str
    page: str


class PromiseHead(BaseModel):
    """The gateway's signature (EIP-712): these leaves are on chain before `before`."""

    root: Hash
    count: int
    before: Time
    signer: Annotated[str, Field(pattern="^0x[0-9a-fA-F]{40}$")]
    signature: Annotated[str, Field(pattern="^0x[0-9a-f]{130}$")]


class PromiseAnswer(PromiseHead):
    """A promise, and the leaf's place under its root."""

    index: int
    siblings: list[Hash]


class AcceptedAnswer(BaseModel):
    """An invoice accepted: it has its number, and is on chain before `before`."""

    number: Number
    status: Literal["promised"]
    accepted_at: Time
    before: Time
    leaf: Hash
    promise: PromiseAnswer
    links: Links


class BulkAnswer(BaseModel):
    """One line of a bulk answer: for an invoice, for a group's promise, or (the last one) for the whole."""

    line: Annotated[int | None, Field(description="Line of the request, from 1")] = None
    status: Literal["promised"] | None = None
    number: Number | None = None
    leaf: Hash | None = None
    accepted_at: Time | None = None
    before: Time | None = None
    index: Annotated[int | None, Field(description="Place under the promise that follows")] = None
    page: str | None = None
    repeated: Annotated[
        bool | None,
        Field(description="Accepted earlier under this key; its promise was given then"),
    ] = None
    error: Annotated[dict[str, Any] | None, Field(description="A problem (RFC 9457)")] = None
    promise: PromiseHead | None = None
    done: Annotated[
        dict[str, int] | None, Field(description="Lines, accepted, repeated, refused")
    ] = None


class ChainAnswer(BaseModel):
    """Where it stands on the chain."""

    block: int
    block_hash: Hash
    time: Time
    transaction: Hash
    batch: Number


class Totals(BaseModel):
    """Sums of the lines."""

    net: Amount
    tax: Amount
    gross: Amount


class InvoiceSummary(BaseModel):
    """An invoice in a list. `failed` says why in `why`; its number is kept and it goes on by itself."""

    number: Number
    status: Literal["promised", "onchain", "failed"]
    why: dict[str, Any] | None
    accepted_at: Time
    before: Time
    leaf: Hash
    kind: Literal["ordinary", "special"]
    currency: str
    totals: Totals
    chain: ChainAnswer | None
    links: Links


class InvoiceAnswer(InvoiceSummary):
    """An invoice with its promise and document."""

    promise: PromiseAnswer
    document: Annotated[dict[str, Any], Field(description="Payload of the SD-JWT, decoded")]
    disclosures: Annotated[list[str], Field(description="SD-JWT disclosures, base64url")]


class InvoicePage(BaseModel):
    """Invoices by number, greatest first."""

    items: list[InvoiceSummary]
    next: str | None


class BundleAnswer(BaseModel):
    """hutong-bundle/1: see docs/bundle.md. Check it with `hutong verify`."""

    model_config = ConfigDict(extra="allow")


class BatchAnswer(BaseModel):
    """A batch and all its leaves. `bound` in minor units."""

    first: Number
    last: Number
    count: int
    issuer: str
    book: Number
    root: Hash
    bound: str
    status: Literal["promised", "onchain"]
    chain: ChainAnswer | None
    leaves: list[Hash]


class BookAnswer(BaseModel):
    """A block of consecutive numbers. `stalled` says why it stands still, null when it goes on."""

    first: Number
    last: Number
    currency: str
    closed: bool
    next: Annotated[Number, Field(description="Next number to be promised")]
    landed: Annotated[Number, Field(description="The chain's next number")]
    left: int
    stalled: dict[str, Any] | None


class BookList(BaseModel):
    """All books, by first number."""

    items: list[BookAnswer]
    next: None


class QuotaAnswer(BaseModel):
    """A month's quota (Beijing time). `pending` is promised and not on chain yet."""

    currency: str
    month: Annotated[str, Field(examples=["2026-11"])]
    amount: Amount
    spent: Amount
    pending: Amount
    left: Amount


class QuotaList(BaseModel):
    """Quotas, one a currency."""

    items: list[QuotaAnswer]
    next: None
