"""The chain goes back, changes its mind, or is another one."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from hutong.database import read
from hutong.errors import ChainMismatch, NodeUnavailable
from hutong.invoices.store import batches
from hutong.ledger.client import Block
from hutong.ledger.contracts import Contracts
from hutong.ledger.indexer import Indexer, blocks
from hutong.ledger.lease import Lease
from hutong.participants.facts import ParticipantFacts
from hutong.participants.store import ISSUER
from tests.integration.anvil import Anvil
from tests.integration.audit import audit
from tests.integration.city import City, Installation
from tests.integration.indexing import ADMIN, Desk, Odd, admit
from tests.integration.registry import new_uscc


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


def test_a_fork_below_the_cursor_is_noticed_while_catching_up(
    database: Engine, own_city: City
) -> None:
    node = Odd(own_city.chain.url)
    desk = Desk(database, own_city, node, span=2)
    snapshot = node.call("evm_snapshot")
    lost = admit(own_city, "要消失")
    desk.catch_up()
    assert desk.name_of(lost)
    node.call("anvil_mine", "0x1")
    desk.catch_up()
    node.call("anvil_mine", "0x6")

    def reorganise() -> None:
        node.call("evm_revert", snapshot)
        node.call("anvil_mine", "0x14")

    # After the cursor was looked at, and before the range's end is.
    seen: list[Block | None] = []
    real = desk.indexer._holds

    def holds(cursor: Block, head: Block) -> bool:
        answer = real(cursor, head)
        if not seen:
            seen.append(head)
            node.before_end = reorganise
        return answer

    desk.indexer._holds = holds  # type: ignore[method-assign]
    desk.catch_up()

    assert seen
    assert desk.name_of(lost) is None


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
