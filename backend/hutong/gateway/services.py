"""What the gateway is made of: the services that its routes call."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import Engine

from hutong.invoices.links import HolderLinks
from hutong.invoices.service import InvoiceService
from hutong.participants.service import KeyService
from hutong.payments.service import PaymentService
from hutong.webhooks.service import WebhookService


@dataclass(frozen=True)
class Services:
    """Handed over by whoever wires the process; threads share them."""

    engine: Engine
    invoices: InvoiceService
    keys: KeyService
    payments: PaymentService
    webhooks: WebhookService
    links: HolderLinks
