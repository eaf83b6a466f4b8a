"""Invoices over HTTP: issue one or many, look up, prove, list; books and quota."""

from __future__ import annotations

import tempfile
from typing import Annotated, Literal

import orjson
from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field

from hutong import errors
from hutong.invoices import schemas
from hutong.invoices.acceptance import Item
from hutong.invoices.answers import (
    accepted_answer,
    batch_answer,
    book_answer,
    promise_answer,
    quota_answer,
    view_answer,
)
from hutong.invoices.bulk import LINE_LIMIT, LINES_LIMIT, REQUEST_LIMIT, BulkIssue
from hutong.invoices.links import HolderLinks
from hutong.invoices.service import MAX_PAGE, Filters, InvoiceService
from hutong.money import parse_minor
from hutong.web.answer import answer, page_answer
from hutong.web.caller import caller
from hutong.web.operation import JSON_LINES, operation
from hutong.web.request import idempotency_key, query, read_body, read_json

#: An invoice of 2,000 lines with long names fits.
INVOICE_LIMIT = 1024 * 1024
_SPOOL = 1024 * 1024
_READERS = ["read", "issue"]
_REFUSALS = (
    errors.BookUnknown,
    errors.BookExhausted,
    errors.QuotaExceeded,
    errors.SignerCapExceeded,
    errors.SignerMissing,
    errors.PaymentAlreadyInvoiced,
    errors.IdempotencyKeyReused,
    errors.ParticipantSuspended,
    errors.ParticipantUnknown,
    errors.ParticipantRoleMissing,
    errors.Busy,
)
_FAULTS = (
    errors.AmountInvalid,
    errors.LineInvalid,
    errors.RateInvalid,
    errors.TotalsMismatch,
    errors.UsccInvalid,
    errors.TimeInFuture,
)

_Number = Annotated[str, Field(pattern=r"^[0-9]{20}$")]


class IssueQuery(BaseModel):
    """Which book the numbers come from."""

    model_config = ConfigDict(extra="forbid")

    book: Annotated[
        _Number | None, Field(description="First number of the book; else the first that has room")
    ] = None


class ListQuery(BaseModel):
    """What the list is narrowed to."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["promised", "onchain", "failed"] | None = None
    since: Annotated[
        int | None, Field(ge=0, lt=1 << 40, description="Accepted at or after, seconds UTC")
    ] = None
    until: Annotated[int | None, Field(ge=0, lt=1 << 40, description="Accepted before")] = None
    min_gross: Annotated[str | None, Field(max_length=24, description="Decimal, 2 places")] = None
    max_gross: Annotated[str | None, Field(max_length=24, description="Decimal, 2 places")] = None
    content: Annotated[
        str | None,
        Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the octets sent, in hex"),
    ] = None
    cursor: Annotated[_Number | None, Field(description="`next` of the page before")] = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50


def invoice_routes(invoices: InvoiceService, links: HolderLinks) -> Blueprint:
    """/v1/invoices, /v1/batches, /v1/books, /v1/quota."""
    routes = Blueprint("invoices", __name__, url_prefix="/v1")

    @routes.post("/invoices")
    @operation(
        tag="Invoices",
        access=["issue"],
        keyed=True,
        status=201,
        body=schemas.InvoiceRequest,
        body_limit=INVOICE_LIMIT,
        query=IssueQuery,
        answer=schemas.AcceptedAnswer,
        errors=_FAULTS + _REFUSALS,
    )
    def issue_invoice() -> Response:
        """Issue an invoice

        Answers when the invoice is stored: with its number, a signed promise, and links. The same Idempotency-Key with
        the same octets gets the same answer, with `Idempotent-Replayed: true`; with other octets 409.
        """
        key = idempotency_key()
        book = query(IssueQuery).book if request.query_string else None
        octets = read_body()
        item = Item(key, octets, invoices.draft(read_json(octets)))
        accepted = invoices.accept(caller().participant, item, book)
        headers = {"Location": f"/v1/invoices/{accepted.number}"}
        if accepted.repeated:
            headers["Idempotent-Replayed"] = "true"
        return answer(accepted_answer(accepted, links), 201, headers=headers)

    @routes.post("/invoices/bulk")
    @operation(
        tag="Invoices",
        access=["issue"],
        keyed=True,
        body=schemas.BulkLineRequest,
        body_type=JSON_LINES,
        body_limit=REQUEST_LIMIT,
        query=IssueQuery,
        answer=schemas.BulkAnswer,
        answer_type=JSON_LINES,
        description="JSON Lines in, JSON Lines out. The request is taken in whole before the first line is accepted; "
        "answers stream as groups of at most 1,000 lines are stored. Every line is judged by itself: a bad one gets "
        "`error` and stops nothing. A line's idempotency key is its own `key`, else Idempotency-Key and line number: "
        "the same request again issues nothing twice. After each group comes its `promise`, over the leaves that were "
        "accepted in it in order; the last line is `done`: without it the answer is not complete. "
        f"At most {LINES_LIMIT:,} lines of {LINE_LIMIT // 1024} KiB and {REQUEST_LIMIT // 1024 // 1024} MiB in all.",
        errors=(errors.BodyTooLarge,),
    )
    def issue_many() -> Response:
        """Issue many invoices"""
        bulk = BulkIssue(
            invoices, links, caller().participant, idempotency_key(), query(IssueQuery).book
        )
        # Taken in whole first: a client that writes everything before it reads would otherwise wait for us for ever.
        lines = tempfile.SpooledTemporaryFile(_SPOOL)  # noqa: SIM115 - closed with the response
        try:
            while chunk := request.stream.read(64 * 1024):
                lines.write(chunk)
        except BaseException:
            lines.close()
            raise
        lines.seek(0)
        response = Response(bulk.answers(lines), mimetype=JSON_LINES)
        response.headers["Cache-Control"] = "no-store"
        response.call_on_close(lines.close)
        return response

    @routes.get("/invoices")
    @operation(tag="Invoices", access=_READERS, query=ListQuery, answer=schemas.InvoicePage)
    def list_invoices() -> Response:
        """List the participant's invoices, greatest number first"""
        wanted = query(ListQuery)
        filters = Filters(
            wanted.status,
            wanted.since,
            wanted.until,
            _gross(wanted.min_gross, "min_gross"),
            _gross(wanted.max_gross, "max_gross"),
            None if wanted.content is None else bytes.fromhex(wanted.content),
        )
        page = invoices.list(caller().participant, filters, after=wanted.cursor, limit=wanted.limit)
        return page_answer([view_answer(view, links) for view in page.items], page.next_cursor)

    @routes.get("/invoices/<number>")
    @operation(
        tag="Invoices",
        access=_READERS,
        answer=schemas.InvoiceAnswer,
        errors=(errors.InvoiceUnknown,),
    )
    def get_invoice(number: str) -> Response:
        """Look an invoice up"""
        view = invoices.get(number, caller().participant)
        return answer(
            view_answer(view, links)
            | {
                "promise": promise_answer(invoices.promise(view)),
                "document": orjson.loads(view.payload),
                "disclosures": view.disclosures,
            }
        )

    @routes.get("/invoices/<number>/bundle")
    @operation(
        tag="Invoices",
        access=_READERS,
        answer=schemas.BundleAnswer,
        errors=(errors.InvoiceUnknown, errors.NotYetOnChain),
    )
    def get_bundle(number: str) -> Response:
        """Fetch an invoice's bundle: all that a verifier needs

        409 NotYetOnChain until it has landed; `values.before` says by when that is promised.
        """
        bundle = invoices.bundle(number, caller().participant)
        disposition = f'attachment; filename="{number}.hutong.json"'
        return answer(bundle, headers={"Content-Disposition": disposition})

    @routes.get("/batches/<first>")
    @operation(
        tag="Invoices",
        access=_READERS,
        answer=schemas.BatchAnswer,
        errors=(errors.BatchUnknown,),
    )
    def get_batch(first: str) -> Response:
        """Look a batch up by its first number, with all its leaves"""
        return answer(batch_answer(invoices.batch(first)))

    @routes.get("/batches/<first>/bundles")
    @operation(
        tag="Invoices",
        access=_READERS,
        answer_type=JSON_LINES,
        errors=(errors.BatchUnknown, errors.NotYetOnChain),
    )
    def list_bundles(first: str) -> Response:
        """Fetch the bundles of a whole batch of yours, one a line

        In order of numbers; each line is what `/v1/invoices/{number}/bundle` answers.
        """
        found = invoices.bundles(first, caller().participant)
        return Response((orjson.dumps(bundle) + b"\n" for bundle in found), mimetype=JSON_LINES)

    @routes.get("/books")
    @operation(tag="Books and quota", access=_READERS, answer=schemas.BookList)
    def list_books() -> Response:
        """List the participant's books of numbers"""
        return page_answer(
            [book_answer(book) for book in invoices.books(caller().participant)], None
        )

    @routes.get("/quota")
    @operation(tag="Books and quota", access=_READERS, answer=schemas.QuotaList)
    def list_quotas() -> Response:
        """Say what is left of this month's quota"""
        quotas = invoices.quotas(caller().participant)
        return page_answer([quota_answer(quota) for quota in quotas], None)

    return routes


def _gross(text: str | None, field: str) -> int | None:
    """Fen of a filter; what is greater than any invoice finds what the greatest finds."""
    if text is None:
        return None
    return max(-(1 << 62), min(parse_minor(text, field), 1 << 62))
