"""Invoices for tests: requests, drafts, documents and bundles, each with one thing to vary."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from hutong import merkle
from hutong.invoices.bundle import ChainRef, make_bundle
from hutong.invoices.document import Document, Seller, make_document
from hutong.invoices.model import Draft, draft_invoice
from hutong.invoices.rates import chinese_rates

# 2026-11-23 14:31:54 in Beijing.
NOW = 1_795_415_514
# Real companies, from public records (tests/unit/test_uscc.py names them).
SELLER = Seller("91350000611528672E", "福建恒安集团有限公司")
BUYER = {"uscc": "911301002360444643", "name": "石药控股集团有限公司", "phone": "0311-1"}
PAYMENT = {"provider": "cdnow", "reference": "00002-19970112-1", "paid_at": NOW - 5}
FIRST = 26_11_1_000_000_000_000_001
CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
CHAIN_ID = 20261
TRANSACTION = "0x" + "5a" * 32


def make_line(**changes: Any) -> dict[str, Any]:
    return {"name": "*餐饮服务*餐费", "amount": "12.00", "rate": 600} | changes


def make_request(**changes: Any) -> dict[str, Any]:
    """A request as its JSON is read; a change of None takes the field out."""
    request = {"lines": [make_line()], "prices_include_tax": True} | changes
    return {name: value for name, value in request.items() if value is not None}


def draft_of(
    request: dict[str, Any], *, now: int = NOW, admitted: Callable[[str], bool] = lambda _: False
) -> Draft:
    return draft_invoice(request, now=now, rates=chinese_rates(), admitted=admitted)


def make_draft(**changes: Any) -> Draft:
    return draft_of(make_request(**changes))


def full_draft() -> Draft:
    """Every disclosure there is: two lines, buyer, payment, remarks, drawer."""
    return make_draft(
        lines=[make_line(), make_line(name="停车费", amount="10.00", rate=900)],
        buyer=BUYER,
        payment=PAYMENT,
        remarks="桌号 12\n谢谢",
        drawer="张三",
    )


def counting(seed: str = "test") -> Callable[[int], bytes]:
    """Octets that are the same in every run, in place of os.urandom."""

    def octets(size: int) -> bytes:
        blocks = range(size // 32 + 1)
        return b"".join(hashlib.sha256(f"{seed}{i}".encode()).digest() for i in blocks)[:size]

    return octets


def document_of(draft: Draft, number: int = FIRST, seed: str = "test") -> Document:
    return make_document(draft, number=number, seller=SELLER, time=NOW, random=counting(seed))


def batch_of(count: int, draft: Draft | None = None) -> list[Document]:
    """Documents of `count` consecutive invoices, the first at FIRST."""
    draft = draft or full_draft()
    return [document_of(draft, FIRST + i, seed=f"test{i}") for i in range(count)]


def bundle_of(documents: list[Document], index: int, **chain: Any) -> dict[str, Any]:
    document = documents[index]
    return make_bundle(
        document.payload,
        document.disclosures,
        document.summary,
        first=documents[0].summary.number,
        index=index,
        count=len(documents),
        siblings=merkle.proof([d.leaf for d in documents], index),
        chain=ChainRef(
            **{
                "chain_id": CHAIN_ID,
                "invoices": CONTRACT,
                "block": 17,
                "transaction": TRANSACTION,
            }
            | chain
        ),
    )
