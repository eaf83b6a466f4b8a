"""A chain with the contracts on it, merchants that it admits, and installations of the program that serve them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from hutong.cli.wiring import Parts
from hutong.cli.worker import Worker
from hutong.config import Settings
from hutong.errors import HutongError
from hutong.invoices.acceptance import Accepted, Item
from hutong.ledger import transact
from hutong.ledger.appointment import set_signer
from hutong.ledger.client import Node
from hutong.ledger.contracts import Contracts, call
from hutong.ledger.deployment import deploy
from hutong.ledger.funding import fund
from hutong.participants.store import CASHIER, ISSUER, NO_CAP
from tests.integration.anvil import ROOT
from tests.integration.gateway import make_invoice
from tests.integration.registry import new_uscc

ARTIFACTS = ROOT / "build" / "contracts-hutong"
_ETHER = 10**18
_books = count(1)


class Chain(Protocol):
    """Anvil or EmbeddedGanache."""

    @property
    def url(self) -> str: ...
    @property
    def node(self) -> Node: ...
    @property
    def key(self) -> bytes: ...


class City:
    """The contracts on a chain, deployed anew; its governor is the chain's rich account."""

    def __init__(self, chain: Chain, folder: Path) -> None:
        self.chain = chain
        self.node = chain.node
        self.manifest_path = folder / "manifest.json"
        self.manifest = deploy(chain.node, chain.key, ARTIFACTS, self.manifest_path, lambda _: None)
        self.contracts = Contracts(self.manifest)

    def admit(
        self,
        installation: Installation,
        *,
        quota: int = 10**12,
        cap: int = NO_CAP,
        numbers: int = 1_000_000,
    ) -> str:
        """A new issuer whose keys the installation keeps, with a book and a quota; returns its USCC."""
        code = new_uscc()
        keystore = installation.parts.keystore
        admin, cashier = keystore.ensure(f"admin-{code}"), keystore.ensure(f"cashier-{code}")
        self.transact("Participants", "admit", code, "胡同口小卖部", ISSUER, admin, False)
        step = set_signer(
            self.node, self.contracts, keystore.key(admin), code, cashier, CASHIER, cap=cap
        )
        calls = [
            (step.contract, step.function, *step.args),
            ("Invoices", "openBook", code, self.new_book(), numbers, "CNY"),
            ("Invoices", "setQuota", code, "CNY", quota),
        ]
        encoded = [
            transact.Call(
                self.contracts.address(contract), self.contracts.encode(contract, function, *args)
            )
            for contract, function, *args in calls
        ]
        outcomes = transact.send_many(self.node, self.contracts, self.chain.key, encoded)
        for outcome in outcomes:
            if isinstance(outcome, HutongError):
                raise outcome
        return code

    @staticmethod
    def new_book() -> int:
        """First number of a book that overlaps none opened before."""
        return 26_112 * 10**15 + next(_books) * 10_000_000 + 1

    def transact(self, contract: str, function: str, *args: object) -> dict[str, Any]:
        return transact.transact(
            self.node, self.contracts, self.chain.key, contract, function, *args
        )

    def call(self, contract: str, function: str, *args: object) -> Any:
        return call(self.node, self.contracts, contract, function, *args)

    def install(self, home: Path, database_url: str | None = None) -> Installation:
        """An installation in a folder, its sender funded."""
        installation = Installation(home, self.chain.url, self.manifest_path, database_url)
        sender = installation.parts.keystore.ensure("sender")
        fund(self.node, sender, 100 * _ETHER, source=self.chain.key)
        return installation


class Installation:
    """Database, keystore and what is wired over them. `environ` starts processes of the same installation."""

    def __init__(
        self, home: Path, rpc_url: str, manifest: Path, database_url: str | None = None
    ) -> None:
        self.environ = {
            "HUTONG_HOME": str(home),
            "HUTONG_RPC_URL": rpc_url,
            "HUTONG_MANIFEST": str(manifest),
            "HUTONG_DATABASE_URL": database_url or f"sqlite:///{home / 'hutong.db'}",
            "HUTONG_BATCH_SECONDS": "0.2",
        }
        self.settings = Settings.read(self.environ)

    @cached_property
    def parts(self) -> Parts:
        return Parts(self.settings)

    def restart(self) -> None:
        """Forgets all objects, as a process that ends does."""
        if "parts" in self.__dict__:
            self.parts.engine.dispose()
            del self.parts

    @contextmanager
    def working(self) -> Iterator[Worker]:
        """A worker in a thread."""
        worker = Worker(self.parts)
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        try:
            yield worker
        finally:
            worker.stop()
            thread.join(30)
            assert not thread.is_alive()

    def issue(self, issuer: str, *amounts: str) -> list[Accepted]:
        """Accepts an invoice for each amount (of 1.00 when none is given) in one request."""
        items = []
        for amount in amounts or ("1.00",):
            body = make_invoice(amount=amount)
            payment = body["payment"]["reference"]
            items.append(Item(payment, payment.encode(), self.parts.invoices.draft(body)))
        answers = self.parts.invoices.accept_many(issuer, items)
        for answer in answers:
            if isinstance(answer, HutongError):
                raise answer
        return [answer for answer in answers if isinstance(answer, Accepted)]

    def status(self, number: str) -> str:
        return self.parts.invoices.find(number).status

    def wait_until_on_chain(self, numbers: Sequence[str], seconds: float = 30.0) -> None:
        wait_until(lambda: all(self.status(number) == "onchain" for number in numbers), seconds)

    def wait_until_known(self, issuer: str, seconds: float = 20.0) -> None:
        """Until the indexer has told of the issuer's quota, the last thing that City.admit sets."""
        wait_until(
            lambda: any(quota.amount for quota in self.parts.invoices.quotas(issuer)), seconds
        )


def wait_until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    """Looks again and again. Raises AssertionError when it does not hold in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)
