"""Shops that issue while everything around them is killed, and the settling of accounts afterwards."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import sqlalchemy as sa

from hutong.database import read, write
from hutong.ledger.outbox import outbox, signatures
from tests.integration.audit import audit
from tests.integration.city import City, Installation
from tests.integration.processes import Program

SETTLE = 40.0


def working(installation: Installation) -> Program:
    return Program("work", installation.environ, installation.settings.home / "work.log")


def introduce(city: City, installation: Installation, merchants: int = 1) -> list[str]:
    """Merchants that the installation's indexer knows."""
    codes = [city.admit(installation) for _ in range(merchants)]
    with working(installation):
        for code in codes:
            installation.wait_until_known(code, 30)
    return codes


class Shop:
    """Issues invoices in a thread, and keeps what it was answered. `slowest` in seconds."""

    def __init__(self, installation: Installation, merchant: str, sizes: tuple[int, ...]) -> None:
        self.answered: list[tuple[str, bytes]] = []
        self.slowest = 0.0
        self.errors: list[Exception] = []
        self._installation, self._merchant, self._sizes = installation, merchant, sizes
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        chance = random.Random(self._merchant)
        while not self._closed.is_set():
            amounts = [f"{chance.randrange(1, 900)}.{chance.randrange(100):02}"
                       for _ in range(chance.choice(self._sizes))]  # fmt: skip
            begin = time.monotonic()
            try:
                accepted = self._installation.issue(self._merchant, *amounts)
            except Exception as error:
                self.errors.append(error)
                return
            self.slowest = max(self.slowest, time.monotonic() - begin)
            self.answered += [(one.number, one.leaf) for one in accepted]
            self._closed.wait(0.1)

    def __enter__(self) -> Shop:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join(30)
        assert not self.errors, self.errors


@contextmanager
def open_shops(
    installation: Installation, merchants: list[str], sizes: tuple[int, ...] = (1, 1, 2, 40)
) -> Iterator[list[Shop]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Shop(installation, code, sizes)) for code in merchants]


def settle(city: City, installation: Installation, shops: dict[str, Shop]) -> None:
    """Waits until all is on the chain, and audits it."""
    last = [shop.answered[-1][0] for shop in shops.values()]
    installation.wait_until_on_chain(last, SETTLE)
    for merchant, shop in shops.items():
        assert audit(city, installation.parts.engine, merchant, shop.answered) == len(shop.answered)
    assert_one_signature_a_nonce(installation)


def assert_one_signature_a_nonce(installation: Installation) -> None:
    """A nonce was signed again only where the row says what it replaces."""
    with read(installation.parts.engine) as connection:
        rows = connection.execute(
            sa.select(outbox.c.nonce, signatures.c.hash, signatures.c.replaces)
            .join(signatures, signatures.c.outbox == outbox.c.id)
            .order_by(outbox.c.nonce, signatures.c.signed_at)
        ).all()
    first: dict[int, str] = {}
    for row in rows:
        assert (row.replaces is None) == (row.nonce not in first), rows
        first.setdefault(row.nonce, row.hash)


def let_the_lease_run_out(installation: Installation) -> None:
    """What ten seconds do: a killed worker's lease is free."""
    with write(installation.parts.engine) as connection:
        connection.execute(sa.text("UPDATE leases SET until = 0"))


def in_flight(installation: Installation) -> int:
    with read(installation.parts.engine) as connection:
        return connection.execute(
            sa.select(sa.func.count()).where(outbox.c.state.in_(("queued", "mined")))
        ).scalar_one()


def progress(installation: Installation) -> list[tuple[str, int]]:
    """How many outbox rows there are in each state."""
    with read(installation.parts.engine) as connection:
        count = sa.select(outbox.c.state, sa.func.count()).group_by(outbox.c.state)
        return sorted((row[0], row[1]) for row in connection.execute(count))
