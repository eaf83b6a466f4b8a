"""What the holder's page shows of an invoice: prepared here, so that the template only lays it out."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import segno

from hutong.gateway.texts import provider_name, reason, texts
from hutong.invoices.standing import BEIJING
from hutong.invoices.view import InvoiceView

#: Lines shown at once; the rest is folded.
SHOWN_LINES = 10


class Step(NamedTuple):
    """One of the three facts. `state`: "word" (the gateway's), "chain", "now" or "late"."""

    name: str
    state: str
    time: str


class Line(NamedTuple):
    """A line of the invoice, ready to be read."""

    name: str
    detail: str
    net: str
    tax: str
    rate: str


class InvoicePage(NamedTuple):
    """Everything that the template lays out."""

    state: str
    title: str
    seller: dict[str, str]
    amount: str
    sign: str
    subtitle: str
    steps: list[Step]
    bold: str
    sentence: str
    tag: str
    number: str
    number_parts: list[str]
    buyer: dict[str, str] | None
    lines: list[Line]
    totals: dict[str, str]
    payment: str
    remarks: str
    drawer: str
    record: str
    leaf: str
    qr: str


def prepare(view: InvoiceView, url: str, now: float, which: str) -> InvoicePage:
    """The page of an invoice at `now` (seconds UTC) in a language; `url` is what the code leads to."""
    said = texts(which)
    document = orjson.loads(view.payload)
    claims, lines = _opened(view.disclosures)
    sign = "¥" if document["currency"] == "CNY" else f"{document['currency']} "
    gross = document["totals"]["gross"]
    state = _state(view, now)
    payment = claims.get("payment")
    title = document["kind"] + ("_credit" if view.summary.original else "")
    stamp = _day(document["time"], which)
    remarks = str(claims.get("remarks", ""))
    # A short remark says best what was paid for; a long one stays below.
    about = remarks if 0 < len(remarks) <= 30 and "\n" not in remarks else ""
    bold, sentence = _sentence(view, state, which)
    return InvoicePage(
        state=state,
        title=said[title],
        seller=document["seller"],
        amount=_grouped(gross.lstrip("-")),
        sign=("−" if gross.startswith("-") else "") + sign,
        subtitle=f"{about} · {stamp}" if about else stamp,
        steps=_steps(view, payment, state, now, which),
        bold=bold,
        sentence=sentence,
        tag=said[f"tag_{state}"],
        number=view.number,
        number_parts=[
            view.number[i:j] for i, j in ((0, 2), (2, 4), (4, 5), (5, 10), (10, 15), (15, 20))
        ],
        buyer=claims.get("buyer"),
        lines=[_line(line, sign, which) for line in lines],
        totals={name: sign + _grouped(text) for name, text in document["totals"].items()},
        payment=_payment(payment, which),
        remarks="" if about else remarks,
        drawer=str(claims.get("drawer", "")),
        record=_record(view, which),
        leaf="0x" + view.leaf.hex(),
        qr=segno.make(url, error="m", micro=False).svg_inline(
            scale=4, border=2, omitsize=True, svgclass="qr", lineclass=None
        ),
    )


def fingerprint(view: InvoiceView, now: float) -> str:
    """Changes whenever the page would say something new."""
    block = view.landing.block if view.landing is not None else ""
    return f"{_state(view, now)}:{block}:{(view.why or {}).get('code', '')}"


def _state(view: InvoiceView, now: float) -> str:
    """ "onchain", "failed" (with a reason), "late" or "promised"."""
    if view.status == "promised":
        return "late" if now >= view.before else "promised"
    return view.status


def _opened(disclosures: list[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Claims by name, and lines, of SD-JWT disclosures (RFC 9901)."""
    claims: dict[str, Any] = {}
    lines: list[dict[str, Any]] = []
    for text in disclosures:
        content = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if len(content) == 2:
            lines.append(content[1])
        else:
            claims[content[1]] = content[2]
    return claims, lines


def _sentence(view: InvoiceView, state: str, which: str) -> tuple[str, str]:
    said = texts(which)
    if state in ("onchain", "promised"):
        return "", said[f"say_{state}"]
    gap = " " if which == "en" else ""
    why = reason(view.why, which)
    bold = said["say_late" if state == "late" else "say_stalled"]
    return bold, f"{why}{gap if why else ''}{said['say_kept']}"


def _steps(
    view: InvoiceView, payment: dict[str, Any] | None, state: str, now: float, which: str
) -> list[Step]:
    said = texts(which)
    steps = []
    if payment is not None and "paid_at" in payment:
        steps.append(
            Step(said["paid"], "word", _clock(payment["paid_at"], view.accepted_at, which))
        )
    steps.append(Step(said["promised"], "word", _clock(view.accepted_at, view.accepted_at, which)))
    if view.landing is not None:
        time = _clock(view.landing.time, view.accepted_at, which)
        steps.append(Step(said["onchain"], "chain", time))
    elif state == "promised":
        time = f"{said['by']} {_clock(view.before, view.accepted_at, which)}"
        steps.append(Step(said["onchain_now"], "now", time))
    elif now < view.before:  # it stands still, but the promise is not broken yet
        time = f"{said['by']} {_clock(view.before, view.accepted_at, which)}"
        steps.append(Step(said["onchain_late"], "late", time))
    else:
        time = f"{said['late_by']} {_span(int(now - view.before), which)}"
        steps.append(Step(said["onchain_late"], "late", time))
    return steps


def _line(line: dict[str, Any], sign: str, which: str) -> Line:
    rate = line["rate"]
    mark = texts(which).get(str(rate), str(rate))
    shown = f"{rate / 100:g}%" if isinstance(rate, int) else mark
    detail = " ".join(
        part
        for part in (
            line.get("specification", ""),
            f"{line['quantity']} {line.get('unit', '')}".strip() if "quantity" in line else "",
            _short(line.get("unit_price", "")),
        )
        if part
    )
    return Line(
        line["name"], detail, sign + _grouped(line["amount"]), sign + _grouped(line["tax"]), shown
    )


def _short(price: str) -> str:
    """A unit price with its decimals, at least two; "" when it has so many that they only say how it was computed."""
    whole, _, part = price.partition(".")
    part = part.rstrip("0").ljust(2, "0")
    return f"× {_grouped(f'{whole}.{part}')}" if whole and len(part) <= 4 else ""


def _payment(payment: dict[str, Any] | None, which: str) -> str:
    if payment is None:
        return ""
    reference = str(payment["reference"])
    tail = f"… {reference[-4:]}" if len(reference) > 8 else reference
    name = payment.get("method") or provider_name(str(payment["provider"]), which)
    return f"{name} {tail}"


def _record(view: InvoiceView, which: str) -> str:
    said, found = texts(which), view.landing
    if found is None:
        return ""
    place = int(view.number) - int(found.first) + 1
    where = said["place"].format(place=f"{place:,}", count=f"{found.count:,}")
    comma = ", " if which == "en" else "，"
    return f"{said['block']} {found.block:,}{comma}{where}"


def _grouped(amount: str) -> str:
    whole, dot, part = amount.partition(".")
    return (
        f"{int(whole):,}{dot}{part}"
        if not whole.startswith("-")
        else f"-{int(whole[1:]):,}{dot}{part}"
    )


def _at(time: int) -> datetime:
    return datetime.fromtimestamp(time, BEIJING)


def _day(time: int, which: str) -> str:
    """Date and time to the minute, Beijing."""
    at = _at(time)
    if which == "en":
        return f"{at.day} {at:%b %Y, %H:%M}"
    return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}"


def _clock(time: int, reference: int, which: str) -> str:
    """Time of day to the second; with the date when it is another day than `reference`."""
    at = _at(time)
    if at.date() == _at(reference).date():
        return f"{at:%H:%M:%S}"
    return f"{at.day} {at:%b %Y %H:%M}" if which == "en" else f"{at:%Y-%m-%d %H:%M}"


def _span(seconds: int, which: str) -> str:
    """A duration in its two greatest units."""
    units = ((86_400, "d", "天"), (3_600, "h", "小时"), (60, "min", "分"), (1, "s", "秒"))
    parts: list[str] = []
    for size, english, chinese in units:
        count, seconds = divmod(seconds, size)
        if count or (size == 1 and not parts):
            parts.append(f"{count} {english if which == 'en' else chinese}")
    return " ".join(parts[:2])
