"""The part of a gateway that promises, over any database: keystore, acceptor, service; and invoices to feed it."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine

from hutong.invoices.acceptance import Accepted, Item
from hutong.invoices.acceptor import Acceptor
from hutong.invoices.rates import chinese_rates
from hutong.invoices.service import InvoiceService
from hutong.invoices.signing import Cashiers, Promiser
from hutong.ledger.consents import gateway_domain, invoices_domain
from hutong.ledger.keystore import LIGHT_WORK, Keystore

CHAIN_ID = 20261
CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
_serial = count(1)


class Gateway:
    """One gateway process' worth of objects; several over one database are several gateways."""

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        *,
        chain_id: int = CHAIN_ID,
        contract: str = CONTRACT,
        promise_seconds: int = 60,
    ) -> None:
        self.engine = engine
        self.keystore = Keystore(folder / "keys", "test", work=LIGHT_WORK)
        self.cashiers = Cashiers(self.keystore, invoices_domain(chain_id, contract))
        self.promiser = Promiser(self.keystore, gateway_domain(chain_id, contract))
        acceptor = Acceptor(engine, self.cashiers, self.promiser, promise_seconds=promise_seconds)
        self.invoices = InvoiceService(engine, acceptor, chinese_rates(), chain_id, contract)

    @property
    def cashier(self) -> str:
        """Address of a cashier's key that this gateway keeps."""
        return self.keystore.ensure("cashier")

    def item(self, body: dict[str, Any] | None = None, *, key: str | None = None) -> Item:
        """An item as routes make it: of a request's octets and what they say."""
        body = make_invoice() if body is None else body
        content = json.dumps(body, ensure_ascii=False).encode()
        return Item(key or f"key-{next(_serial)}", content, self.invoices.draft(body))

    def issue(self, issuer: str, *amounts: str) -> list[Accepted]:
        """Accepts an invoice for each amount (of 1.00 when none is given), one request each."""
        bodies = [make_invoice(amount=amount) for amount in amounts or ("1.00",)]
        return [self.invoices.accept(issuer, self.item(body)) for body in bodies]


def make_invoice(
    *, amount: str = "1.00", reference: str | None = None, **changes: Any
) -> dict[str, Any]:
    """A request for an invoice over `amount`, tax included; with a payment of its own unless told which."""
    return {
        "prices_include_tax": True,
        "lines": [{"name": "停车费", "amount": amount, "rate": 900}],
        "payment": {"provider": "wechat-pay", "reference": reference or f"t-{next(_serial)}"},
        **changes,
    }
