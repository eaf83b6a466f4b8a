"""The way of an invoice with a worker and a real chain: promised, cut, sent, indexed, proven; and back on its feet."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from hutong.cli.worker import Worker
from hutong.database import read
from hutong.errors import ChainMismatch, QuotaExceeded
from hutong.invoices import batcher
from hutong.invoices.store import allocations, batch_facts, batches
from hutong.ledger import transact
from hutong.ledger.outbox import outbox, signatures
from hutong.verifier import verify
from tests.integration.audit import audit
from tests.integration.city import City, Installation, wait_until


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher, "_PROBE", 0.3)


def test_many_invoices_of_several_merchants_land_and_verify(
    city: City, installation: Installation
) -> None:
    merchants = [city.admit(installation) for _ in range(3)]
    service = installation.parts.invoices
    answered: dict[str, list[tuple[str, bytes]]] = {merchant: [] for merchant in merchants}

    def shop(merchant: str) -> None:
        for size in (1, 400, 1, 1, 300):
            for one in installation.issue(merchant, *["1.23"] * size):
                answered[merchant].append((one.number, one.leaf))

    with installation.working():
        for merchant in merchants:
            installation.wait_until_known(merchant)
        threads = [threading.Thread(target=shop, args=(merchant,)) for merchant in merchants]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        installation.wait_until_on_chain([many[-1][0] for many in answered.values()])

    for merchant in merchants:
        assert audit(city, installation.parts.engine, merchant, answered[merchant]) == 703
    number = answered[merchants[0]][350][0]
    bundle = service.bundle(number, merchants[0])
    found = verify(bundle, city.node, contract=city.contracts.address("Invoices"))
    assert found.holds, found.to_json()
    bundle["summary"]["gross"] = "124"
    assert not verify(bundle, city.node, contract=city.contracts.address("Invoices")).holds


def test_every_nonce_is_signed_once(city: City, installation: Installation) -> None:
    merchant = city.admit(installation)
    with installation.working():
        installation.wait_until_known(merchant)
        for _ in range(6):
            installation.wait_until_on_chain([installation.issue(merchant)[0].number])

    with read(installation.parts.engine) as connection:
        rows = connection.execute(
            sa.select(outbox.c.nonce, outbox.c.state, sa.func.count(signatures.c.hash))
            .join(signatures, signatures.c.outbox == outbox.c.id)
            .group_by(outbox.c.nonce, outbox.c.state)
            .order_by(outbox.c.nonce)
        ).all()
    assert [row[0] for row in rows] == list(range(len(rows)))
    assert {row[2] for row in rows} == {1}
    sender = installation.parts.keystore.by_name("sender")
    assert city.node.transaction_count(sender) == len(rows)


def test_a_quota_lowered_after_the_promise_holds_the_book_until_it_is_raised(
    city: City, installation: Installation
) -> None:
    merchant = city.admit(installation)
    other = city.admit(installation)
    with installation.working():
        installation.wait_until_known(merchant)
        installation.wait_until_known(other)
    # Lowered while the gateway does not hear of it.
    city.transact("Invoices", "setQuota", merchant, "CNY", 150)
    numbers = [one.number for one in installation.issue(merchant, "1.00", "1.00")]
    neighbour = installation.issue(other)[0].number
    view = installation.parts.invoices.find
    with installation.working():
        wait_until(lambda: view(numbers[0]).status == "failed")
        why = view(numbers[0]).why
        assert why is not None
        assert why["code"] == "QuotaExceeded"
        assert (why["values"]["amount"], why["values"]["bound"]) == ("150", "200")
        installation.wait_until_on_chain([neighbour])
        with pytest.raises(QuotaExceeded):
            installation.issue(merchant)

        city.transact("Invoices", "setQuota", merchant, "CNY", 300)

        installation.wait_until_on_chain(numbers)
        wait_until(lambda: installation.parts.invoices.quotas(merchant)[0].left == 100)
        installation.wait_until_on_chain([installation.issue(merchant)[0].number])
    assert audit(city, installation.parts.engine, merchant) == 3


def test_a_suspended_merchants_book_stands_and_the_others_of_its_transaction_go_on(
    city: City, installation: Installation
) -> None:
    merchants = [city.admit(installation) for _ in range(4)]
    with installation.working():
        for merchant in merchants:
            installation.wait_until_known(merchant)
    # With no worker the promises gather, so that one transaction carries them all.
    numbers = [installation.issue(merchant)[0].number for merchant in merchants]
    city.transact("Participants", "suspend", merchants[1], "抽查")
    with installation.working():
        installation.wait_until_on_chain([numbers[0], numbers[2], numbers[3]])
        wait_until(lambda: installation.status(numbers[1]) == "failed")
        why = installation.parts.invoices.find(numbers[1]).why
        assert why is not None
        assert why["code"] == "ParticipantSuspended"

        city.transact("Participants", "reinstate", merchants[1])

        installation.wait_until_on_chain([numbers[1]])
    for merchant in merchants:
        assert audit(city, installation.parts.engine, merchant) == 1


def test_somebody_else_using_the_senders_account_costs_only_time(
    city: City, installation: Installation
) -> None:
    merchant = city.admit(installation)
    key = installation.parts.keystore.key(installation.parts.keystore.by_name("sender"))
    with installation.working():
        installation.wait_until_known(merchant)
        numbers = [installation.issue(merchant)[0].number]
        installation.wait_until_on_chain(numbers)
        for _ in range(3):
            # A transfer to itself takes the nonce that the outbox gives next.
            sender = installation.parts.keystore.by_name("sender")
            transact.send(city.node, None, key, transact.Call(sender, b""))
            numbers += [one.number for one in installation.issue(merchant, "1.00", "2.00")]
        installation.wait_until_on_chain(numbers, 40)

    assert audit(city, installation.parts.engine, merchant) == 7
    with read(installation.parts.engine) as connection:
        states = connection.execute(sa.select(outbox.c.state, outbox.c.why)).all()
    assert ("reverted", "NonceDisplaced") in [tuple(row) for row in states]


def test_a_worker_that_starts_anew_goes_on_where_the_last_one_was(
    city: City, installation: Installation
) -> None:
    merchant = city.admit(installation)
    with installation.working():
        installation.wait_until_known(merchant)
    first = installation.issue(merchant, *["1.00"] * 5)
    installation.restart()

    with installation.working():
        installation.wait_until_on_chain([one.number for one in first])

    assert audit(city, installation.parts.engine, merchant) == 5
    with read(installation.parts.engine) as connection:
        count = sa.select(sa.func.count())
        assert (
            connection.execute(count.select_from(batches)).scalar_one()
            == connection.execute(
                count.select_from(batch_facts).where(batch_facts.c.issuer == merchant)
            ).scalar_one()
        )
        stalled = connection.execute(sa.select(allocations.c.stalled)).scalars().all()
    assert stalled == [None]


def test_a_worker_refuses_another_chain(city: City, installation: Installation) -> None:
    changed = replace(city.manifest, genesis="0x" + "ab" * 32)
    changed.save(installation.settings.home / "other.json")
    elsewhere = Installation(
        installation.settings.home / "elsewhere",
        city.chain.url,
        installation.settings.home / "other.json",
    )

    with pytest.raises(ChainMismatch, match="genesis"):
        Worker(elsewhere.parts).run()
