"""Statements that need no chain: the document agrees with itself and with its summary."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from hutong.errors import AmountInvalid, BundleInvalid
from hutong.invoices.bundle import Bundle
from hutong.invoices.claims import Claims, read_claims
from hutong.invoices.document import DOCUMENT_TYPE
from hutong.money import exponent_of, parse_minor
from hutong.verifier.report import Statement


def document_statement(bundle: Bundle) -> Statement:
    """The payload's octets are those of which the summary holds the fingerprint."""
    found = hashlib.sha256(bundle.payload).digest()
    detail = {"document": "0x" + bundle.summary.document.hex(), "computed": "0x" + found.hex()}
    if found == bundle.summary.document:
        return Statement(
            "document",
            "holds",
            "The document is the one whose fingerprint the summary holds.",
            "单据与摘要中的指纹一致。",
            detail,
        )
    return Statement(
        "document",
        "fails",
        "The document is not the one whose fingerprint the summary holds.",
        "单据与摘要中的指纹不一致。",
        detail,
    )


def disclosures_statement(bundle: Bundle) -> tuple[Statement, Claims | None]:
    """Everything shown belongs to the document; and the claims, when it does."""
    try:
        claims = read_claims(bundle.payload, bundle.disclosures)
    except BundleInvalid as error:
        statement = Statement(
            "disclosures",
            "fails",
            f"What is shown does not belong to the document: {error.detail}.",
            "出示的披露项不属于这份单据。",
            {"field": error.field, "reason": error.detail},
        )
        return statement, None
    shown, withheld = claims.shown, claims.withheld
    detail = {"shown": shown, "withheld": withheld, "withheld_lines": claims.withheld_lines}
    if withheld:
        en = f"The {shown} parts shown belong to the document; {withheld} are withheld."
        zh = f"出示的 {shown} 项属于这份单据，另有 {withheld} 项已隐去。"
        return Statement("disclosures", "withheld", en, zh, detail), claims
    en = f"All {shown} parts of the document are shown, and each belongs to it."
    zh = f"单据的 {shown} 项全部出示，都属于这份单据。"
    return Statement("disclosures", "holds", en, zh, detail), claims


def summary_statement(bundle: Bundle, claims: Claims) -> Statement:
    """What the document says openly is what the summary says."""
    summary = bundle.summary
    said = claims.claims
    differing: list[str] = []
    if said.get("vct") != DOCUMENT_TYPE:
        differing.append("vct")
    if said.get("number") != f"{summary.number:020d}":
        differing.append("number")
    if said.get("original") != (f"{summary.original:020d}" if summary.original else None):
        differing.append("original")
    for name, value in (("gross", summary.gross), ("tax", summary.tax)):
        if _total(said, name) != value:
            differing.append(name)
    if not differing:
        return Statement(
            "summary",
            "holds",
            "Number, total and tax in the document are those of the summary.",
            "单据上的发票号码、价税合计和税额与摘要一致。",
        )
    return Statement(
        "summary",
        "fails",
        f"The document and the summary differ in: {', '.join(differing)}.",
        f"单据与摘要不一致：{'、'.join(differing)}。",
        {"differing": differing},
    )


def totals_statement(claims: Claims) -> Statement:
    """Net and tax make the gross; the lines, when all are shown, make net and tax."""
    said = claims.claims
    net, tax, gross = (_total(said, name) for name in ("net", "tax", "gross"))
    if net is None or tax is None or net + tax != gross:
        return Statement(
            "totals",
            "fails",
            "Amount and tax do not add up to the total.",
            "金额与税额相加不等于价税合计。",
            {"net": net, "tax": tax, "gross": gross},
        )
    lines = said.get("lines")
    if claims.withheld_lines:
        return Statement(
            "totals",
            "withheld",
            f"Amount and tax add up to the total; {claims.withheld_lines} lines are withheld, so "
            "their sum was not checked.",
            f"金额与税额相加等于价税合计；有 {claims.withheld_lines} 行已隐去，未核对各行之和。",
            {"withheld_lines": claims.withheld_lines},
        )
    sums = _sums(lines, _exponent(said))
    if sums == (net, tax):
        return Statement(
            "totals",
            "holds",
            "The lines add up to amount and tax, and these to the total.",
            "各行相加等于金额和税额，二者相加等于价税合计。",
            {"net": net, "tax": tax, "gross": gross},
        )
    return Statement(
        "totals",
        "fails",
        "The lines do not add up to the amount and the tax.",
        "各行相加不等于金额和税额。",
        {"net": net, "tax": tax, "lines": sums},
    )


def _exponent(said: Mapping[str, Any]) -> int:
    return exponent_of(str(said.get("currency")))


def _total(said: Mapping[str, Any], name: str) -> int | None:
    """A total of the document in minor units; None when it is not there or no amount."""
    totals = said.get("totals")
    return _amount(totals, name, _exponent(said)) if isinstance(totals, dict) else None


def _amount(said: Mapping[str, Any], name: str, exponent: int) -> int | None:
    value = said.get(name)
    try:
        return parse_minor(value, name, exponent) if type(value) is str else None
    except AmountInvalid:
        return None


def _sums(lines: object, exponent: int) -> tuple[int, int] | None:
    """Sums of the lines' amounts and taxes; None when they are not lines."""
    if not isinstance(lines, list) or not lines:
        return None
    net = tax = 0
    for line in lines:
        if not isinstance(line, dict):
            return None
        amount, part = _amount(line, "amount", exponent), _amount(line, "tax", exponent)
        if amount is None or part is None:
            return None
        net += amount
        tax += part
    return net, tax
