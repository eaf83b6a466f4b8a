"""The indexer follows the chain, puts aside what it cannot understand, and rebuilds."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from hutong import merkle
from hutong.cli.wiring import Parts
from hutong.database import open_database, read
from hutong.errors import InvoiceUnknown
from hutong.invoices.facts import InvoiceFacts
from hutong.invoices.store import foreign_leaves
from hutong.ledger import indexer as module
from hutong.ledger.contracts import Event
from hutong.ledger.indexer import blocks, dead_letters
from hutong.participants.facts import ParticipantFacts
from hutong.participants.store import participants
from hutong.verifier import verify
from tests.integration.city import City
from tests.integration.indexing import Desk, Odd, admit


def test_facts_are_the_chains_and_the_cursor_is_its_head(desk: Desk) -> None:
    code = admit(desk.city)
    desk.city.transact("Invoices", "setQuota", code, "CNY", 2**96 - 1)
    desk.catch_up()

    assert desk.name_of(code) == "一家店"
    head = desk.node.block("latest")
    assert head is not None
    with read(desk.engine) as connection:
        cursor = connection.execute(
            sa.select(blocks).order_by(blocks.c.number.desc()).limit(1)
        ).one()
    assert (cursor.number, bytes(cursor.hash)) == (head.number, head.hash)
    assert desk.facts()["quota_facts"][-1][-1] in (2**96 - 1, str(2**96 - 1))
    assert not desk.indexer.step()


def test_rebuilding_makes_the_very_same_facts(
    own_city: City, tmp_path: Path, database_url: str
) -> None:
    installation = own_city.install(tmp_path, database_url)
    merchant = own_city.admit(installation)
    with installation.working():
        installation.wait_until_known(merchant)
        numbers = [one.number for one in installation.issue(merchant, *["1.00"] * 30)]
        numbers += [one.number for one in installation.issue(merchant)]
        installation.wait_until_on_chain(numbers)
    own_city.transact("Participants", "suspend", merchant, "抽查")
    own_city.transact("Participants", "reinstate", merchant)
    desk = Desk(installation.parts.engine, own_city)
    desk.catch_up()
    before = desk.facts()

    desk.indexer.rebuild()
    emptied = desk.facts()
    desk.catch_up()

    assert not any(emptied.values())
    after = desk.facts()
    # Which blocks are remembered depends on where ranges ended; those with events are among them.
    assert set(before.pop("blocks")) & set(after["blocks"])
    after.pop("blocks")
    assert after == before
    assert installation.status(numbers[0]) == "onchain"
    installation.restart()


def test_a_second_reader_of_the_chain_has_the_same_facts_and_proofs_from_calldata(
    own_city: City, database: Engine, tmp_path: Path
) -> None:
    installation = own_city.install(tmp_path / "one")
    merchants = [own_city.admit(installation) for _ in range(2)]
    with installation.working():
        for merchant in merchants:
            installation.wait_until_known(merchant)
    accepted = [
        one for merchant in merchants for one in installation.issue(merchant, *["1.00"] * 7)
    ]
    with installation.working():
        installation.wait_until_on_chain([one.number for one in accepted])

    reader = Desk(database, own_city)
    reader.catch_up()

    with read(database) as connection:
        known = {code for code, *_ in participants(connection)}
        kept = connection.execute(
            sa.select(foreign_leaves).where(
                foreign_leaves.c.first.in_([accepted[0].number, accepted[7].number])
            )
        ).all()
    assert set(merchants) <= known
    assert sorted(bytes(row.leaves) for row in kept) == sorted(
        b"".join(one.leaf for one in part) for part in (accepted[:7], accepted[7:])
    )
    assert reader.heard == []
    service = Parts(
        replace(
            installation.settings,
            home=tmp_path / "two",
            database_url=database.url.render_as_string(hide_password=False),
        )
    ).invoices
    view = service.batch(accepted[0].number)
    assert view.landing is not None
    assert merkle.root(view.leaves) == view.root
    with pytest.raises(InvoiceUnknown):
        service.get(accepted[0].number, merchants[0])
    bundle = installation.parts.invoices.bundle(accepted[3].number, merchants[0])
    siblings = [bytes.fromhex(word[2:]) for word in bundle["proof"]["siblings"]]
    assert siblings == merkle.proof(view.leaves, 3)
    assert verify(bundle, own_city.node, contract=own_city.contracts.address("Invoices")).holds
    installation.restart()


def test_a_listener_that_fails_loses_no_fact(
    own_city: City, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = own_city.install(tmp_path, database_url)
    merchant = own_city.admit(installation)
    with installation.working():
        installation.wait_until_known(merchant)
        number = installation.issue(merchant)[0].number
        installation.wait_until_on_chain([number])

    def fail(connection: Connection, fact: dict[str, Any]) -> None:
        raise KeyError("nobody listens")

    node = own_city.node
    desk = Desk(
        installation.parts.engine,
        own_city,
        projections=[ParticipantFacts(), InvoiceFacts(node, fail)],
    )
    desk.indexer.rebuild()
    desk.catch_up()

    assert installation.status(number) == "onchain"
    assert desk.count(dead_letters) == 0
    installation.restart()


class Stumbling(ParticipantFacts):
    """Cannot understand one participant."""

    def __init__(self, error: Exception) -> None:
        self.bad, self.error = "", error

    def apply(self, connection: Connection, event: Event, time: int) -> None:
        super().apply(connection, event, time)
        if event.args.get("uscc") == self.bad and event.name == "Admitted":
            raise self.error


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        OverflowError("x"),
        AttributeError("x"),
        ValueError("a\0b"),
        sa.exc.DataError("INSERT", {}, Exception("out of range")),
    ],
)
def test_a_bad_event_becomes_a_dead_letter_and_stops_nothing(
    database: Engine, own_city: City, error: Exception
) -> None:
    facts = Stumbling(error)
    desk = Desk(database, own_city, projections=[facts, InvoiceFacts(own_city.node)])
    good, facts.bad, later = (admit(own_city) for _ in range(3))

    desk.catch_up()

    assert [desk.name_of(code) is not None for code in (good, facts.bad, later)] == [
        True, False, True,
    ]  # fmt: skip
    with read(database) as connection:
        (letter,) = connection.execute(sa.select(dead_letters)).all()
    assert letter.why.startswith(type(error).__name__)
    assert facts.bad.encode().hex() in letter.log
    facts.bad = ""
    desk.indexer.rebuild()
    desk.catch_up()
    assert desk.count(dead_letters) == 0


def test_a_name_that_no_database_can_keep_is_kept_legibly(desk: Desk) -> None:
    code = admit(desk.city, "a\0b")

    desk.catch_up()

    assert desk.name_of(code) == "a\ufffdb"


def test_a_range_that_is_too_wide_is_halved(database: Engine, own_city: City) -> None:
    codes = [admit(own_city) for _ in range(4)]
    node = Odd(own_city.chain.url)
    node.most = 3
    desk = Desk(database, own_city, node)

    desk.catch_up()

    assert all(desk.name_of(code) for code in codes)
    assert max(node.asked) > 3
    assert desk.name_of(codes[-1])


def test_many_events_are_stored_in_parts(
    database: Engine, own_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_LOGS", 3)
    codes = [admit(own_city) for _ in range(5)]
    desk = Desk(database, own_city)

    steps = desk.catch_up()

    assert steps > 2
    assert all(desk.name_of(code) for code in codes)


def test_two_databases_that_open_at_once_both_work(database_url: str) -> None:
    engines: list[Engine] = []
    threads = [
        threading.Thread(target=lambda: engines.append(open_database(database_url)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(engines) == 4
    for engine in engines:
        engine.dispose()
