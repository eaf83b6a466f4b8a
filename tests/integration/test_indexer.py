"""The indexer: follows, rewinds, puts aside what it cannot understand, rebuilds, and knows its chain."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from hutong import merkle
from hutong.cli.wiring import Parts
from hutong.database import open_database, read
from hutong.errors import ChainMismatch, InvoiceUnknown, NodeError, NodeUnavailable
from hutong.invoices.facts import InvoiceFacts
from hutong.invoices.store import batches, foreign_leaves
from hutong.ledger import indexer as module
from hutong.ledger.client import Block, Node
from hutong.ledger.contracts import Contracts, Event
from hutong.ledger.indexer import Indexer, blocks, dead_letters
from hutong.ledger.lease import Lease
from hutong.participants.facts import ParticipantFacts
from hutong.participants.store import ISSUER, participant, participants
from hutong.verifier import verify
from tests.integration.anvil import Anvil
from tests.integration.audit import audit
from tests.integration.city import City, Installation
from tests.integration.registry import new_uscc

FACTS = (*ParticipantFacts.tables, *InvoiceFacts.tables, blocks)
ADMIN = "0x" + "66" * 20


@pytest.fixture(scope="module")
def own_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city on an anvil of its own, whose blocks come with transactions and can be taken back."""
    with Anvil(block_time=0.2) as chain:
        city = City(chain, tmp_path_factory.mktemp("own-city"))
        chain.node.call("evm_setIntervalMining", 0)
        chain.node.call("evm_setAutomine", True)
        yield city


class Desk:
    """An indexer over a database, held by its own lease."""

    def __init__(
        self, engine: Engine, city: City, node: Node | None = None, **options: Any
    ) -> None:
        self.engine, self.city = engine, city
        self.node = node or city.node
        self.heard: list[str] = []
        lease = Lease(engine, "worker")
        assert lease.take()
        self.indexer = Indexer(
            engine,
            self.node,
            Contracts(options.pop("manifest", city.manifest)),
            lease,
            options.pop("projections", None)
            or [ParticipantFacts(), InvoiceFacts(self.node, self.hear)],
            **options,
        )

    def hear(self, connection: Connection, fact: dict[str, Any]) -> None:
        self.heard.append(fact["first"])

    def catch_up(self) -> int:
        """Steps until nothing moves; how many it took."""
        steps = 1
        while self.indexer.step():
            steps += 1
        return steps

    def facts(self) -> dict[str, list[tuple[Any, ...]]]:
        with read(self.engine) as connection:
            return {
                table.name: [
                    tuple(row)
                    for row in connection.execute(sa.select(table).order_by(*table.primary_key))
                ]
                for table in FACTS
            }

    def count(self, table: sa.Table) -> int:
        with read(self.engine) as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()

    def name_of(self, code: str) -> str | None:
        with read(self.engine) as connection:
            found = participant(connection, code)
        return found.name if found else None


@pytest.fixture
def desk(database: Engine, own_city: City) -> Desk:
    return Desk(database, own_city)


def admit(city: City, name: str = "一家店") -> str:
    code = new_uscc()
    city.transact("Participants", "admit", code, name, ISSUER, ADMIN, False)
    return code


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


@pytest.mark.parametrize("method", ["anvil_reorg", "evm_revert"])
def test_a_reorganisation_rewinds_and_catches_up(desk: Desk, method: str) -> None:
    city, node = desk.city, desk.node
    kept = admit(city)
    desk.catch_up()
    snapshot = node.call("evm_snapshot")
    lost = [admit(city, "要消失") for _ in range(3)]
    desk.catch_up()
    assert desk.name_of(lost[-1]) == "要消失"

    if method == "anvil_reorg":
        node.call("anvil_reorg", 3, [])
    else:
        node.call("evm_revert", snapshot)
    other = admit(city, "另一条链")
    desk.catch_up()

    assert desk.name_of(kept) == "一家店"
    assert desk.name_of(other) == "另一条链"
    on_chain = {code: city.call("Participants", "participantOf", code).roles > 0 for code in lost}
    assert {code: desk.name_of(code) is not None for code in lost} == on_chain
    before = desk.facts()
    desk.indexer.rebuild()
    desk.catch_up()
    assert desk.facts()["participant_facts"] == before["participant_facts"]


def test_a_shorter_chain_rewinds_before_it_has_grown(desk: Desk) -> None:
    snapshot = desk.node.call("evm_snapshot")
    lost = admit(desk.city)
    desk.catch_up()

    desk.node.call("evm_revert", snapshot)
    desk.catch_up()

    assert desk.name_of(lost) is None


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


class Odd(Node):
    """A node with a flaw."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.most = 10**9
        self.asked: list[int] = []
        self.before_logs: Any = None
        self.after_logs: Any = None

    def logs(self, addresses: Any, first: int, last: int) -> list[dict[str, Any]]:
        self.asked.append(last - first + 1)
        if last - first + 1 > self.most:
            raise NodeError("query returned more than 10000 results", rpc_code=-32005)
        if self.before_logs:
            happen, self.before_logs = self.before_logs, None
            happen()
        found = super().logs(addresses, first, last)
        if self.after_logs:
            happen, self.after_logs = self.after_logs, None
            happen()
        return found


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


@pytest.mark.parametrize("moment", ["before_logs", "after_logs"])
@pytest.mark.parametrize("there", ["before", "after"])
def test_a_reorganisation_between_two_questions_mixes_no_chains(
    database: Engine, own_city: City, moment: str, there: str
) -> None:
    node = Odd(own_city.chain.url)
    desk = Desk(database, own_city, node)
    desk.catch_up()
    node.call("anvil_mine", "0x2")
    desk.catch_up()
    snapshot = node.call("evm_snapshot")
    codes = [new_uscc() for _ in range(2)]

    def reorganise() -> None:
        node.call("evm_revert", snapshot)
        if there == "after":
            own_city.transact("Participants", "admit", codes[1], "乙", ISSUER, ADMIN, False)
        node.call("anvil_mine", "0x4")

    if there == "before":
        own_city.transact("Participants", "admit", codes[0], "甲", ISSUER, ADMIN, False)
    node.call("anvil_mine", "0x2")
    setattr(node, moment, reorganise)
    desk.catch_up()
    desk.catch_up()

    assert desk.name_of(codes[0]) is None
    assert (desk.name_of(codes[1]) is not None) == (there == "after")
    head = node.block("latest")
    with read(database) as connection:
        stored = connection.execute(sa.select(blocks.c.number, blocks.c.hash)).all()
    for row, block in zip(stored, node.blocks([row.number for row in stored]), strict=True):
        assert isinstance(block, Block)
        assert block.hash == bytes(row.hash)
    assert head is not None
    assert max(row.number for row in stored) == head.number


def test_another_chain_is_refused(desk: Desk) -> None:
    desk.catch_up()
    with Anvil(block_time=0.1) as another:
        lease = Lease(desk.engine, "another")
        assert lease.take()
        indexer = Indexer(
            desk.engine, another.node, Contracts(desk.city.manifest), lease, [ParticipantFacts()]
        )
        while another.node.block_number() < 1:
            pass
        with pytest.raises(ChainMismatch):
            while True:
                indexer.step()


def test_a_node_that_is_behind_is_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    admit(desk.city)
    desk.catch_up()
    before = desk.facts()
    genesis = desk.node.block(0)
    assert genesis is not None

    # It was set up anew and has only the first block so far.
    with monkeypatch.context() as patch:
        patch.setattr(desk.node, "block", lambda which: genesis if which in (0, "latest") else None)
        patch.setattr(
            desk.node, "blocks", lambda numbers: [genesis if n == 0 else None for n in numbers]
        )
        with pytest.raises(NodeUnavailable):
            desk.indexer.step()
    assert desk.facts() == before

    late = admit(desk.city)
    desk.catch_up()
    assert desk.name_of(late)


def test_an_invoice_comes_back_after_the_chain_went_back_behind_it(
    own_city: City, tmp_path: Path, database_url: str
) -> None:
    installation: Installation = own_city.install(tmp_path, database_url)
    merchant = own_city.admit(installation)
    node = own_city.node
    with installation.working():
        installation.wait_until_known(merchant)
        first = installation.issue(merchant)[0].number
        installation.wait_until_on_chain([first])
        snapshot = node.call("evm_snapshot")
        numbers = [one.number for one in installation.issue(merchant, *["1.00"] * 3)]
        installation.wait_until_on_chain(numbers)
        node.call("evm_revert", snapshot)
        node.call("evm_mine")
        more = installation.issue(merchant)[0].number
        installation.wait_until_on_chain([first, *numbers, more])

    assert audit(own_city, installation.parts.engine, merchant) == 5
    with read(installation.parts.engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(batches)).scalar_one() >= 2
    installation.restart()


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
