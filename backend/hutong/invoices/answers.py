"""What routes answer of invoices: times in seconds UTC, amounts as decimal strings, bytes as 0x-hex."""

from __future__ import annotations

from typing import Any

import orjson

from hutong.invoices.acceptance import Accepted
from hutong.invoices.links import HolderLinks
from hutong.invoices.promise import Promise
from hutong.invoices.standing import Book, Quota
from hutong.invoices.view import BatchView, InvoiceView, Landing
from hutong.money import exponent_of, format_minor


def accepted_answer(accepted: Accepted, links: HolderLinks) -> dict[str, Any]:
    """The gateway's word for an invoice just accepted."""
    return {
        "number": accepted.number,
        "status": "promised",
        "accepted_at": accepted.accepted_at,
        "before": accepted.before,
        "leaf": _hex(accepted.leaf),
        "promise": promise_answer(accepted.promise),
        "links": links.of(accepted.number),
    }


def promise_answer(promise: Promise) -> dict[str, Any]:
    """A promise with the way from the leaf to its root."""
    return promise_head(promise) | {
        "index": promise.index,
        "siblings": [_hex(sibling) for sibling in promise.siblings],
    }


def promise_head(promise: Promise) -> dict[str, Any]:
    """A promise over all its leaves."""
    return {
        "root": _hex(promise.root),
        "count": promise.count,
        "before": promise.before,
        "signer": promise.signer,
        "signature": _hex(promise.signature),
    }


def view_answer(view: InvoiceView, links: HolderLinks) -> dict[str, Any]:
    """An invoice as its issuer sees it in a list."""
    document = orjson.loads(view.payload)
    return {
        "number": view.number,
        "status": view.status,
        "why": view.why,
        "accepted_at": view.accepted_at,
        "before": view.before,
        "leaf": _hex(view.leaf),
        "kind": document["kind"],
        "currency": document["currency"],
        "totals": document["totals"],
        "chain": None if view.landing is None else landing_answer(view.landing),
        "links": links.of(view.number),
    }


def landing_answer(landing: Landing) -> dict[str, Any]:
    """Where a batch stands on the chain."""
    return {
        "block": landing.block,
        "block_hash": _hex(landing.block_hash),
        "time": landing.time,
        "transaction": landing.transaction,
        "batch": landing.first,
    }


def batch_answer(batch: BatchView) -> dict[str, Any]:
    """A batch with all its leaves, from which anybody computes the root."""
    return {
        "first": batch.first,
        "last": batch.last,
        "count": batch.count,
        "issuer": batch.issuer,
        "book": batch.book,
        "root": _hex(batch.root),
        "bound": str(batch.bound),
        "status": "promised" if batch.landing is None else "onchain",
        "chain": None if batch.landing is None else landing_answer(batch.landing),
        "leaves": [_hex(leaf) for leaf in batch.leaves],
    }


def book_answer(book: Book) -> dict[str, Any]:
    """A book: `next` is the next number to be promised, `landed` the chain's next."""
    return {
        "first": book.first,
        "last": book.last,
        "currency": book.currency,
        "closed": book.closed,
        "next": book.next,
        "landed": book.landed,
        "left": max(0, int(book.last) - int(book.next) + 1),
        "stalled": book.stalled,
    }


def quota_answer(quota: Quota) -> dict[str, Any]:
    """A month's quota; `left` is what may still be promised."""
    exponent = exponent_of(quota.currency)
    return {
        "currency": quota.currency,
        "month": quota.month,
        "amount": format_minor(quota.amount, exponent),
        "spent": format_minor(quota.spent, exponent),
        "pending": format_minor(quota.pending, exponent),
        "left": format_minor(quota.left, exponent),
    }


def _hex(octets: bytes) -> str:
    return "0x" + octets.hex()
