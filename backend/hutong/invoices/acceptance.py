"""One group of invoices accepted in one transaction: repeats found, limits checked, numbers given, promises signed."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hutong import merkle
from hutong.database import insert_rows, inserted_id
from hutong.errors import HutongError, IdempotencyKeyReused, PaymentAlreadyInvoiced
from hutong.invoices.document import Document, Seller, make_document, payment_commitment
from hutong.invoices.issuer import Desks
from hutong.invoices.model import Draft
from hutong.invoices.promise import Promise, stored_promise
from hutong.invoices.register import Register
from hutong.invoices.signing import Cashiers, Promiser
from hutong.invoices.store import invoices, promises

NONE = bytes(32)


class Item(NamedTuple):
    """An invoice to be accepted: `key` is its idempotency key, `content` the octets received under it."""

    key: str
    content: bytes
    draft: Draft


class Accepted(NamedTuple):
    """The gateway's word for one invoice; `repeated` when an earlier request had the same key and content."""

    number: str
    leaf: bytes
    accepted_at: int
    before: int
    promise: Promise
    repeated: bool


class Submission(NamedTuple):
    """Items of one request, and where its answer goes. `apart`: they get a promise of their own."""

    issuer: str
    book: str | None
    items: list[Item]
    apart: bool
    result: Future[list[Accepted | HutongError]]


@dataclass(slots=True)
class _New:
    """An invoice accepted in this group, until its promise is signed."""

    submission: int
    row: dict[str, Any]


@dataclass(slots=True)
class _Seen:
    """Requests and payments accepted earlier in this group."""

    requests: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    payments: dict[tuple[str, bytes], str] = field(default_factory=dict)


def request_id(issuer: str, key: str) -> bytes:
    """16 bytes that stand for an idempotency key of an issuer."""
    return hashlib.sha256(f"{issuer}\n{key}".encode()).digest()[:16]


class Group:
    """The work of one transaction. The connection holds the write lock (SQLite) or locks the books (PostgreSQL)."""

    def __init__(
        self,
        connection: Connection,
        cashiers: Cashiers,
        promiser: Promiser,
        *,
        now: float,
        promise_seconds: int,
        register: Register | None = None,
    ) -> None:
        self._connection, self._promiser = connection, promiser
        self._now = int(now)
        self._before = self._now + promise_seconds
        self._desks = Desks(connection, cashiers, self._now, register)
        self._new: list[_New] = []
        self._seen = _Seen()
        self._given: dict[int, Promise] = {}

    def accept(self, submissions: list[Submission]) -> list[list[Accepted | HutongError]]:
        """An answer for each item of each submission, in order; everything accepted is written on return."""
        answers: list[list[Accepted | HutongError | int]] = []
        requests = [
            [request_id(submission.issuer, item.key) for item in submission.items]
            for submission in submissions
        ]
        self._desks.open(submission.issuer for submission in submissions)
        repeats = self._stored("request", [request for many in requests for request in many])
        paid = self._paid(submissions)
        for index, submission in enumerate(submissions):
            answers.append([])
            for item, request in zip(submission.items, requests[index], strict=True):
                answer: Accepted | HutongError | int | None
                content = hashlib.sha256(item.content).digest()
                try:
                    answer = self._repeat(item, request, content, repeats)
                    if answer is None:
                        answer = self._take(index, submission, item, request, content, paid)
                except HutongError as error:
                    answer = error
                answers[-1].append(answer)
        accepted = self._write(submissions)

        given: set[int] = set()

        def answered(answer: Accepted | HutongError | int) -> Accepted | HutongError:
            if not isinstance(answer, int):
                return answer
            if answer in given:  # asked for twice within the group
                return accepted[answer]._replace(repeated=True)
            given.add(answer)
            return accepted[answer]

        return [[answered(answer) for answer in many] for many in answers]

    # --- what is there already ------------------------------------------------------------------------

    def _stored(self, column: str, values: list[bytes]) -> dict[bytes, Any]:
        """Stored invoices by a column's value."""
        found: dict[bytes, Any] = {}
        wanted = invoices.c[column]
        for begin in range(0, len(values), 500):
            rows = self._connection.execute(
                sa.select(
                    wanted.label("value"),
                    invoices.c.issuer,
                    invoices.c.number,
                    invoices.c.content,
                    invoices.c.leaf,
                    invoices.c.accepted_at,
                    invoices.c.promise,
                    invoices.c.position,
                ).where(wanted.in_(values[begin : begin + 500]))
            )
            for row in rows:
                found[bytes(row.value)] = row
        return found

    def _paid(self, submissions: list[Submission]) -> dict[tuple[str, bytes], str]:
        """Numbers by (issuer, payment) of payments that are invoiced already."""
        wanted = [
            payment_commitment(item.draft.payment.provider, item.draft.payment.reference)
            for submission in submissions
            for item in submission.items
            if item.draft.payment is not None
        ]
        paid: dict[tuple[str, bytes], str] = {}
        for begin in range(0, len(wanted), 500):
            rows = self._connection.execute(
                sa.select(invoices.c.payment, invoices.c.issuer, invoices.c.number).where(
                    invoices.c.payment.in_(wanted[begin : begin + 500])
                )
            )
            for payment, issuer, number in rows:
                paid[(issuer, bytes(payment))] = number
        return paid

    def _repeat(
        self, item: Item, request: bytes, content: bytes, repeats: dict[bytes, Any]
    ) -> Accepted | int | None:
        """The first answer, when the key was used before. Raises IdempotencyKeyReused for other content."""
        earlier = self._seen.requests.get(request)
        if earlier is not None:
            if earlier[0] != content:
                raise _reused(item.key)
            return earlier[1]
        row = repeats.get(request)
        if row is None:
            return None
        if bytes(row.content) != content:
            raise _reused(item.key)
        if row.promise not in self._given:
            self._given[row.promise] = stored_promise(self._connection, row.promise, row.position)
        promise = replace(self._given[row.promise], index=row.position)
        return Accepted(row.number, bytes(row.leaf), row.accepted_at, promise.before, promise, True)

    # --- what is new ----------------------------------------------------------------------------------

    def _take(
        self,
        index: int,
        submission: Submission,
        item: Item,
        request: bytes,
        content: bytes,
        paid: dict[tuple[str, bytes], str],
    ) -> int:
        """Gives the item its number; returns its place among the group's new ones."""
        draft = item.draft
        payment = None
        if draft.payment is not None:
            payment = payment_commitment(draft.payment.provider, draft.payment.reference)
            known = (submission.issuer, payment)
            number = paid.get(known) or self._seen.payments.get(known)
            if number is not None:
                raise PaymentAlreadyInvoiced(
                    f"this payment is invoiced already, as {number}",
                    field="payment.reference",
                    number=number,
                )
        desk, who = self._desks.find(
            submission.issuer, submission.book, draft.currency, draft.gross
        )
        seller = Seller(submission.issuer, who.name)
        document = make_document(draft, number=desk.next, seller=seller, time=self._now)
        row = _row(document, desk.next, submission.issuer, desk.book.first, request, content)
        # Last, so that whatever is refused takes no number.
        self._desks.take(desk, who, draft.gross)
        row["accepted_at"] = self._now
        self._new.append(_New(index, row))
        if payment is not None:
            self._seen.payments[(submission.issuer, payment)] = row["number"]
        self._seen.requests[request] = (content, len(self._new) - 1)
        return len(self._new) - 1

    # --- writing --------------------------------------------------------------------------------------

    def _write(self, submissions: list[Submission]) -> list[Accepted]:
        """Signs promises and writes the group. Items of one bulk request share a promise, single requests another."""
        shared: dict[int, list[_New]] = {}
        for new in self._new:
            apart = submissions[new.submission].apart
            shared.setdefault(new.submission if apart else -1, []).append(new)
        made: dict[int, Promise] = {}
        for members in shared.values():
            for new, promise in zip(members, self._promise(members), strict=True):
                made[id(new)] = promise
        if self._new:
            insert_rows(self._connection, invoices, [new.row for new in self._new])
        self._desks.save()
        return [
            Accepted(
                new.row["number"], new.row["leaf"], self._now, self._before, made[id(new)], False
            )
            for new in self._new
        ]

    def _promise(self, members: list[_New]) -> list[Promise]:
        tree = merkle.levels([new.row["leaf"] for new in members])
        root, count = tree[-1][0], len(members)
        signature = self._promiser.sign(root, count, self._before)
        inserted = self._connection.execute(
            promises.insert().values(
                root=root,
                count=count,
                before=self._before,
                signer=self._promiser.signer,
                signature=signature,
            )
        )
        identity = inserted_id(inserted)
        for position, new in enumerate(members):
            new.row["promise"], new.row["position"] = identity, position
        return [
            Promise(root, count, position, self._before, self._promiser.signer, signature, tree)
            for position in range(count)
        ]


def _reused(key: str) -> IdempotencyKeyReused:
    return IdempotencyKeyReused(f"the key {key!r} was used with other content", field=None, key=key)


def _row(
    document: Document, number: int, issuer: str, book: str, request: bytes, content: bytes
) -> dict[str, Any]:
    summary = document.summary
    return {
        "number": f"{number:020d}",
        "issuer": issuer,
        "book": book,
        "request": request,
        "content": content,
        "original": f"{summary.original:020d}" if summary.original else None,
        "gross": summary.gross,
        "tax": summary.tax,
        "buyer": summary.buyer if summary.buyer != NONE else None,
        "payment": summary.payment if summary.payment != NONE else None,
        "document": summary.document,
        "leaf": document.leaf,
        "payload": document.payload,
        "disclosures": orjson.dumps(document.disclosures),
    }
