"""The demonstration: participants, books, quotas, keys, and one parking fee at Hanwei International Plaza."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import requests
from standardwebhooks import Webhook

from hutong.cli.wiring import Parts
from hutong.errors import HutongError, Unavailable
from hutong.invoices.standing import BEIJING
from hutong.ledger.consents import participants_domain, set_signer_digest, sign
from hutong.ledger.contracts import call
from hutong.ledger.transact import transact
from hutong.participants.store import CASHIER, ISSUER, NO_CAP
from hutong.verifier import verify

Report = Callable[[str], None]

REIMBURSER = 2
_NEVER = 2**48 - 1
_PATIENCE = 60.0


class Merchant(NamedTuple):
    """A participant of the demonstration. `sequence` begins its book, `quota` in fen a month."""

    uscc: str
    name: str
    roles: int
    sequence: int = 0
    numbers: int = 0
    quota: int = 0


#: In 2020 the first invoice of Beijing's blockchain was issued at this car park. The code is made up.
CAR_PARK = Merchant(
    "91110106MA7K3HW20W", "北京汉威停车管理有限公司", ISSUER, 481_200_001, 50_000, 100_000_000
)
#: Sells what data/payments describes, so that whole files can be imported.
MUSIC_SHOP = Merchant(
    "91110105MADEM00019", "胡同唱片行（演示）", ISSUER, 482_000_001, 1_000_000, 10_000_000_000
)
EMPLOYER = Merchant("91110108MADEM0003T", "四合设计事务所（演示）", REIMBURSER)


class Demonstration:
    """Prepares what a newcomer needs; what is there already is left as it is."""

    def __init__(self, parts: Parts, key: bytes, report: Report) -> None:
        self._parts, self._key, self._report = parts, key, report
        self._file = parts.settings.home / "demonstration.json"
        self._secrets: dict[str, Any] = {}

    def prepare(self) -> None:
        """Admits the participants, appoints cashiers whose keys are here, opens books, sets quotas."""
        for merchant in (CAR_PARK, MUSIC_SHOP, EMPLOYER):
            self._admit(merchant)
            if merchant.roles & ISSUER:
                self._appoint_cashier(merchant)
                self._open_book(merchant)

    def secrets(self) -> None:
        """API keys and the car park's charging point; made once, kept in demonstration.json (mode 0600)."""
        if self._file.exists():
            self._secrets = json.loads(self._file.read_text())
        for merchant, name in ((CAR_PARK, "car_park"), (MUSIC_SHOP, "music_shop")):
            if name not in self._secrets:
                made = self._parts.keys.create(
                    merchant.uscc, ["issue", "read", "admin"], "demonstration", key=f"demo-{name}"
                )
                self._secrets[name] = made.secret
        if "charging_point" not in self._secrets:
            self._secrets["charging_point"] = self._create_charging_point()
        self._file.touch(mode=0o600)
        self._file.write_text(json.dumps(self._secrets, indent=2))

    @property
    def api_key(self) -> str:
        """The car park's API key."""
        return str(self._secrets["car_park"])

    @property
    def charging_point(self) -> dict[str, Any]:
        """`id` and `secret` of the car park's charging point."""
        return dict(self._secrets["charging_point"])

    @property
    def shop_key(self) -> str:
        """The music shop's API key."""
        return str(self._secrets["music_shop"])

    def addresses(self, url: str) -> list[str]:
        """What a newcomer wants to know, line by line."""
        return [
            f"API       {url}/v1",
            f"docs      {url}/docs",
            f"node      {self._parts.node.url}  chain {self._parts.contracts.manifest.chain_id}",
            f"contract  {self._parts.contracts.address('Invoices')}  (Invoices)",
            f"key       {self.api_key}  ({CAR_PARK.name})",
            f"key       {self.shop_key}  ({MUSIC_SHOP.name})",
            "",
            "Ctrl-C stops everything; the next start goes on with the same chain and data.",
        ]

    def _admit(self, merchant: Merchant) -> None:
        known = self._call("Participants", "participantOf", merchant.uscc)
        if known["roles"]:
            return
        admin = self._parts.keystore.ensure(f"admin-{merchant.uscc}")
        self._transact(
            "Participants", "admit", merchant.uscc, merchant.name, merchant.roles, admin, False
        )
        self._report(f"admitted  {merchant.uscc} {merchant.name}")

    def _appoint_cashier(self, merchant: Merchant) -> None:
        """By consent of the participant's administrator, as the merchant itself would."""
        cashier = self._parts.keystore.ensure(f"cashier-{merchant.uscc}")
        if self._call("Participants", "signerOf", merchant.uscc, cashier)["roles"]:
            return
        admin = self._parts.keystore.ensure(f"admin-{merchant.uscc}")
        contracts = self._parts.contracts
        domain = participants_domain(contracts.manifest.chain_id, contracts.address("Participants"))
        nonce = self._call("Participants", "nonces", admin)
        deadline = int(time.time()) + 3_600
        digest = set_signer_digest(
            domain, merchant.uscc, cashier, CASHIER, _NEVER, NO_CAP, nonce, deadline
        )
        signature = sign(digest, self._parts.keystore.private_key(admin))
        self._transact(
            "Participants",
            "setSigner",
            merchant.uscc,
            cashier,
            (CASHIER, _NEVER, NO_CAP),
            (admin, nonce, deadline, signature),
        )

    def _open_book(self, merchant: Merchant) -> None:
        if self._call("Invoices", "quotaOf", merchant.uscc, "CNY")["amount"] == 0:
            self._transact("Invoices", "setQuota", merchant.uscc, "CNY", merchant.quota)
        if self._call("Invoices", "bookCount", merchant.uscc):
            return
        # Year, Beijing, channel 2, sequence.
        year = datetime.now(BEIJING).year % 100
        first = int(f"{year:02d}112") * 10**15 + merchant.sequence
        self._transact("Invoices", "openBook", merchant.uscc, first, merchant.numbers, "CNY")
        self._report(f"book      {first} and on, {merchant.numbers} numbers, {merchant.name}")

    def _create_charging_point(self) -> dict[str, Any]:
        settings = self._parts.settings
        response = requests.post(
            f"http://{settings.host}:{settings.port}/v1/charging-points",
            json={
                "name": "汉威国际广场停车场",
                "item": "停车费",
                "rate": 900,
                "prices_include_tax": True,
            },
            headers={
                "Authorization": f"Bearer {self.api_key}",
                "Idempotency-Key": "demonstration-charging-point",
            },
            timeout=30,
        )
        if response.status_code != 201:
            raise Unavailable(f"the charging point could not be made: {response.text[:500]}")
        made = response.json()
        return {"id": made["id"], "secret": made["secret"]}

    def _call(self, contract: str, function: str, *args: object) -> Any:
        return call(self._parts.node, self._parts.contracts, contract, function, *args)

    def _transact(self, contract: str, function: str, *args: object) -> None:
        transact(self._parts.node, self._parts.contracts, self._key, contract, function, *args)


def first_invoice(parts: Parts, demonstration: Demonstration, url: str, report: Report) -> None:
    """One parking payment becomes an invoice, which is verified against the contract alone."""
    point = demonstration.charging_point
    now = datetime.now(UTC)
    reference = f"demo-{now.astimezone(BEIJING):%Y%m%d%H%M%S}"
    body = json.dumps(
        {
            "provider": "wechat-pay",
            "reference": reference,
            "amount": "10.00",
            "paid_at": int(now.timestamp()),
            "description": "停车 2 小时 10 分",
        },
        ensure_ascii=False,
    )
    # The library takes the clock's digits for UTC, whatever the zone.
    signature = Webhook(point["secret"]).sign(reference, now.astimezone(UTC), body)
    response = requests.post(
        f"{url}/v1/payments",
        data=body.encode(),
        headers={
            "Content-Type": "application/json",
            "webhook-id": reference,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
            "Hutong-Charging-Point": point["id"],
        },
        timeout=30,
    )
    if response.status_code not in (200, 201):
        raise Unavailable(f"the payment was refused: {response.text[:500]}")
    made = response.json()
    number = made["number"]
    report(f"payment   ¥10.00 parking, {reference}")
    report(f"invoice   {number}, promised at once")
    headers = {"Authorization": f"Bearer {demonstration.api_key}"}
    bundle = _wait_for_bundle(f"{url}/v1/invoices/{number}", headers)
    found = verify(bundle, parts.node, contract=parts.contracts.address("Invoices"))
    block = bundle["chain"]["block"]
    if not found.holds:
        raise HutongError(f"the invoice {number} does not verify: {found.to_json()}")
    report(f"verified  against the contract in block {block}: everything holds")
    page = made.get("links", {}).get("page")
    if page:
        report(f"page      {url}{page}")


def _wait_for_bundle(url: str, headers: dict[str, str]) -> dict[str, Any]:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        response = requests.get(f"{url}/bundle", headers=headers, timeout=30)
        if response.status_code == 200:
            bundle: dict[str, Any] = response.json()
            return bundle
        time.sleep(0.2)
    raise Unavailable(f"{url} is not on the chain after {_PATIENCE:.0f} s")
