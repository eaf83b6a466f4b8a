"""Builds the parts of a process from its settings. Nothing else knows how they fit together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy.engine import Engine

from hutong.config import Settings
from hutong.database import open_database
from hutong.errors import SettingInvalid
from hutong.gateway.services import Services
from hutong.invoices.acceptor import Acceptor
from hutong.invoices.links import HolderLinks
from hutong.invoices.rates import chinese_rates
from hutong.invoices.service import InvoiceService
from hutong.invoices.signing import Cashiers, Promiser
from hutong.ledger.client import Node
from hutong.ledger.consents import gateway_domain, invoices_domain
from hutong.ledger.contracts import Contracts
from hutong.ledger.keystore import LIGHT_WORK, Keystore
from hutong.ledger.manifest import Manifest
from hutong.participants.service import KeyService
from hutong.payments.service import PaymentService
from hutong.webhooks.service import WebhookService


@dataclass(frozen=True)
class Parts:
    """What a process of this installation works with; each part is made when it is first asked for."""

    settings: Settings

    @cached_property
    def engine(self) -> Engine:
        return open_database(self.settings.database_url)

    @cached_property
    def node(self) -> Node:
        if self.settings.rpc_url is None:
            raise SettingInvalid(
                "HUTONG_RPC_URL must name an Ethereum node (`hutong up` starts one of its own)",
                field="HUTONG_RPC_URL",
            )
        return Node(self.settings.rpc_url)

    @cached_property
    def contracts(self) -> Contracts:
        return Contracts(Manifest.load(self.manifest_path))

    @property
    def manifest_path(self) -> Path:
        """HUTONG_MANIFEST, else the manifest that `hutong up` or the deployment wrote."""
        return self.settings.manifest or self.settings.home / "manifest.json"

    @cached_property
    def keystore(self) -> Keystore:
        return Keystore(self.settings.keys, self.settings.keystore_password(), work=LIGHT_WORK)

    @cached_property
    def cashiers(self) -> Cashiers:
        manifest = self.contracts.manifest
        domain = invoices_domain(manifest.chain_id, self.contracts.address("Invoices"))
        return Cashiers(self.keystore, domain)

    @cached_property
    def invoices(self) -> InvoiceService:
        manifest = self.contracts.manifest
        address = self.contracts.address("Invoices")
        promiser = Promiser(self.keystore, gateway_domain(manifest.chain_id, address))
        acceptor = Acceptor(
            self.engine,
            self.cashiers,
            promiser,
            promise_seconds=self.settings.promise_seconds,
        )
        return InvoiceService(self.engine, acceptor, chinese_rates(), manifest.chain_id, address)

    @cached_property
    def keys(self) -> KeyService:
        return KeyService(self.engine, self.settings.server_secret())

    @cached_property
    def webhooks(self) -> WebhookService:
        return WebhookService(
            self.engine,
            self.settings.server_secret(),
            loopback=self.settings.webhook_loopback,
        )

    @cached_property
    def services(self) -> Services:
        """All that the gateway serves."""
        secret = self.settings.server_secret()
        return Services(
            engine=self.engine,
            invoices=self.invoices,
            keys=self.keys,
            payments=PaymentService(self.engine, self.invoices, secret),
            webhooks=self.webhooks,
            links=HolderLinks(secret),
        )
