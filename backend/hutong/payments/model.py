"""What a charging point knows about its payments, and how a notification becomes an invoice: pure rules."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Profile:
    """How payments at a charging point are invoiced. `rate` in 1/10000, or a mark such as "exempt"."""

    item: str
    rate: int | str
    prices_include_tax: bool
    kind: str = "ordinary"
    currency: str = "CNY"
    tax_code: str | None = None
    unit: str | None = None
    drawer: str | None = None
    book: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As stored and shown."""
        return asdict(self)


@dataclass(frozen=True)
class Notification:
    """A payment as the charging system tells it. `amount` is a decimal string, `paid_at` seconds UTC."""

    provider: str
    reference: str
    amount: str
    paid_at: int | None = None
    description: str | None = None
    method: str | None = None
    item: str | None = None
    buyer: dict[str, Any] | None = None


def invoice_of(notification: Notification, profile: Profile) -> dict[str, object]:
    """The invoice request that a payment asks for: one line, named after the profile; the description is a remark.

    The result is still to be checked by hutong.invoices.model.draft_invoice.
    """
    line: dict[str, object] = {
        "name": notification.item or profile.item,
        "amount": notification.amount,
        "rate": profile.rate,
    }
    if profile.tax_code is not None:
        line["tax_code"] = profile.tax_code
    if profile.unit is not None:
        line["unit"] = profile.unit
    payment: dict[str, object] = {
        "provider": notification.provider,
        "reference": notification.reference,
    }
    if notification.paid_at is not None:
        payment["paid_at"] = notification.paid_at
    if notification.method is not None:
        payment["method"] = notification.method
    invoice: dict[str, object] = {
        "kind": profile.kind,
        "currency": profile.currency,
        "prices_include_tax": profile.prices_include_tax,
        "lines": [line],
        "payment": payment,
    }
    if notification.description:
        invoice["remarks"] = notification.description
    if profile.drawer is not None:
        invoice["drawer"] = profile.drawer
    if notification.buyer is not None:
        invoice["buyer"] = notification.buyer
    return invoice
