"""A gateway's HTTP side over a real database, without a socket."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from hutong.config import Settings
from hutong.gateway.app import create_app
from hutong.gateway.services import Services
from hutong.invoices.links import HolderLinks
from hutong.participants.service import KeyService
from hutong.payments.service import PaymentService
from hutong.webhooks.address import Target
from hutong.webhooks.sending import Outcome
from hutong.webhooks.service import WebhookService
from tests.integration.gateway import Gateway
from tests.integration.registry import Registry

SECRET = bytes(range(32))
_serial = count(1)


@dataclass
class Mailbox:
    """Stands in for the network: keeps what was sent, and answers with the next of `outcomes`, else 204."""

    sent: list[tuple[Target, bytes, dict[str, str]]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def __call__(self, target: Target, body: bytes, headers: dict[str, str]) -> Outcome:
        self.sent.append((target, body, headers))
        return self.outcomes.pop(0) if self.outcomes else Outcome(204, None)


class Site:
    """The application with all its services, and a merchant who holds a key with all roles."""

    def __init__(self, engine: Engine, gateway: Gateway, registry: Registry, home: Path) -> None:
        self.engine, self.gateway, self.registry = engine, gateway, registry
        self.mailbox = Mailbox()
        self.merchant = registry.merchant(gateway.cashier)
        self.services = Services(
            engine=engine,
            invoices=gateway.invoices,
            keys=KeyService(engine, SECRET),
            payments=PaymentService(engine, gateway.invoices, SECRET),
            webhooks=WebhookService(engine, SECRET, loopback=True, send=self.mailbox),
            links=HolderLinks(SECRET),
        )
        settings = Settings.read({"HUTONG_HOME": str(home)})
        self.app: Flask = create_app(self.services, settings)
        self.key = self.new_key(self.merchant)

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def new_key(self, owner: str, *roles: str) -> str:
        return self.services.keys.create(owner, roles or ("issue", "read", "admin")).secret

    def get(self, path: str, *, key: str | None = None, **headers: str) -> TestResponse:
        return self.client.get(path, headers=self._headers(key) | headers)

    def post(
        self, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> TestResponse:
        """POST of JSON (or octets as they are), with an Idempotency-Key of its own unless one is given."""
        octets = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        every = {"Idempotency-Key": f"test-{next(_serial)}", "Content-Type": "application/json"}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, data=octets, headers=self._headers(key) | every | given)

    def delete(self, path: str, *, key: str | None = None) -> TestResponse:
        return self.client.delete(path, headers=self._headers(key))

    def _headers(self, key: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {key or self.key}"}
