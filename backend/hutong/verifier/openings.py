"""Statements about what the summary holds sealed: the buyer and the payment."""

from __future__ import annotations

import re

from hutong.invoices.bundle import Bundle
from hutong.invoices.claims import Claims
from hutong.invoices.document import NONE, buyer_commitment, payment_commitment
from hutong.verifier.report import Statement

_SALT = re.compile("0x[0-9a-f]{64}", re.ASCII)


def buyer_statement(bundle: Bundle, claims: Claims) -> Statement:
    """The buyer shown is the one that the summary is bound to."""
    bound = bundle.summary.buyer
    buyer = claims.claims.get("buyer")
    said = buyer if isinstance(buyer, dict) else {}
    code, salt = said.get("uscc"), said.get("salt")
    if bound == NONE and code is None:
        return Statement(
            "buyer",
            "holds",
            "The invoice is bound to no buyer's code.",
            "发票未绑定购买方代码。",
        )
    if bound == NONE:
        return Statement(
            "buyer",
            "fails",
            "The document names a buyer's code, but the summary is bound to none.",
            "单据写有购买方代码，摘要却未绑定购买方。",
        )
    if buyer is None:
        return _unseen(
            "buyer",
            claims,
            ("The buyer is withheld.", "购买方已隐去。"),
            (
                "The summary is bound to a buyer, but the document has none.",
                "摘要绑定了购买方，单据却没有购买方。",
            ),
        )
    if (
        type(code) is str
        and code.isascii()
        and type(salt) is str
        and _SALT.fullmatch(salt)
        and buyer_commitment(bytes.fromhex(salt[2:]), code) == bound
    ):
        return Statement(
            "buyer",
            "holds",
            f"The buyer is {code}, the one that the summary is bound to.",
            f"购买方是 {code}，与摘要绑定的一致。",
            {"uscc": code},
        )
    return Statement(
        "buyer",
        "fails",
        "The buyer shown is not the one that the summary is bound to.",
        "出示的购买方不是摘要绑定的购买方。",
    )


def payment_statement(bundle: Bundle, claims: Claims) -> Statement:
    """The payment shown is the one that the summary is bound to."""
    bound = bundle.summary.payment
    payment = claims.claims.get("payment")
    said = payment if isinstance(payment, dict) else {}
    provider, reference = said.get("provider"), said.get("reference")
    if bound == NONE and payment is None:
        return Statement(
            "payment", "holds", "The invoice is bound to no payment.", "发票未绑定付款。"
        )
    if bound == NONE:
        return Statement(
            "payment",
            "fails",
            "The document names a payment, but the summary is bound to none.",
            "单据写有付款，摘要却未绑定付款。",
        )
    if payment is None:
        return _unseen(
            "payment",
            claims,
            ("The payment is withheld.", "付款已隐去。"),
            (
                "The summary is bound to a payment, but the document has none.",
                "摘要绑定了付款，单据却没有付款。",
            ),
        )
    if (
        type(provider) is str
        and type(reference) is str
        and payment_commitment(provider, reference) == bound
    ):
        return Statement(
            "payment",
            "holds",
            f"The payment is {reference} by {provider}, the one that the summary is bound to.",
            f"付款是 {provider} 的 {reference}，与摘要绑定的一致。",
            {"provider": provider, "reference": reference},
        )
    return Statement(
        "payment",
        "fails",
        "The payment shown is not the one that the summary is bound to.",
        "出示的付款不是摘要绑定的付款。",
    )


def _unseen(
    name: str, claims: Claims, withheld: tuple[str, str], absent: tuple[str, str]
) -> Statement:
    """Withheld, if anything is; else the document has no such thing."""
    if claims.withheld_claims:
        return Statement(name, "withheld", *withheld)
    return Statement(name, "fails", *absent)
