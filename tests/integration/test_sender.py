"""The sender on a chain that mines when told: windows, repeats, replacements, reverts, reorganisations."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from hutong.database import read, write
from hutong.errors import LeaseLost, NodeError
from hutong.ledger.client import Fees, Node
from hutong.ledger.funding import fund
from hutong.ledger.keystore import LIGHT_WORK, Keystore
from hutong.ledger.lease import Lease
from hutong.ledger.outbox import Call, enqueue, outbox, reopen, signatures
from hutong.ledger.sender import Sender
from hutong.ledger.transact import Call as Transfer
from hutong.ledger.transact import send
from tests.integration.anvil import Anvil
from tests.integration.gateway import Gateway
from tests.integration.registry import Registry

TARGET = "0x" + "44" * 20
REFUSING = "0x" + "55" * 20
_ETHER = 10**18


class Watched(Node):
    """Remembers what was sent. `lag` blocks are not final; `sent` holds the raws of each call."""

    lag = 0

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.sent: list[list[bytes]] = []

    def send_raw(self, raws: Any) -> list[str | NodeError]:
        self.sent.append(list(raws))
        return super().send_raw(raws)

    def finality(self) -> int | None:
        return self.block_number() - self.lag

    def mine(self, count: int = 1) -> None:
        for _ in range(count):
            self.call("evm_mine")


@pytest.fixture(scope="module")
def still() -> Iterator[Anvil]:
    """An anvil that mines only when told."""
    with Anvil() as chain:
        chain.node.call("evm_setIntervalMining", 0)
        chain.node.call("anvil_setCode", REFUSING, "0x60006000fd")
        yield chain


@pytest.fixture
def node(still: Anvil) -> Iterator[Watched]:
    node = Watched(still.url)
    snapshot = node.call("evm_snapshot")
    yield node
    node.call("anvil_dropAllTransactions")
    node.call("evm_revert", snapshot)


class Post:
    """A sender of a new, rich account, and what it does."""

    def __init__(self, engine: Engine, node: Watched, folder: Path, **options: Any) -> None:
        self.engine, self.node = engine, node
        keystore = Keystore(folder / "keys", "test", work=LIGHT_WORK)
        self.account = keystore.ensure("sender")
        self.key = keystore.key(self.account)
        node.call("anvil_setBalance", self.account, hex(_ETHER))
        with write(engine) as connection:  # a worker that was killed before holds it no more
            connection.execute(sa.text("UPDATE leases SET until = 0"))
        self.lease = Lease(engine, "worker")
        assert self.lease.take()
        self.sender = Sender(engine, node, self.lease, self.key, **options)
        self.sender.open()

    def queue(self, count: int = 1, *, gas: int = 100_000, to: str = TARGET) -> None:
        with write(self.engine) as connection:
            for _ in range(count):
                enqueue(connection, self.account, Call(to, b"", gas))

    def rows(self) -> list[Any]:
        with read(self.engine) as connection:
            return list(connection.execute(sa.select(outbox).order_by(outbox.c.nonce)).all())

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]

    def signed(self) -> list[Any]:
        with read(self.engine) as connection:
            return list(
                connection.execute(sa.select(signatures).order_by(signatures.c.signed_at)).all()
            )

    def settle(self) -> None:
        for _ in range(20):
            if not self.sender.step():
                return


@pytest.fixture
def post(database: Engine, node: Watched, tmp_path: Path) -> Post:
    return Post(database, node, tmp_path, resend=0.0)


def test_nonces_are_given_with_the_row_and_follow_the_chains(
    database: Engine, node: Watched, tmp_path: Path
) -> None:
    key = Keystore(tmp_path / "keys", "test", work=LIGHT_WORK)
    account = key.ensure("sender")
    node.call("anvil_setBalance", account, hex(_ETHER))
    node.call("anvil_setNonce", account, hex(7))

    post = Post(database, node, tmp_path)
    post.queue(3)

    assert [row.nonce for row in post.rows()] == [7, 8, 9]


def test_what_was_sent_is_followed_until_it_is_final(post: Post) -> None:
    post.node.lag = 1
    post.queue(2)
    assert post.sender.step()
    assert post.states() == ["queued", "queued"]

    post.node.mine()
    post.settle()
    assert post.states() == ["mined", "mined"]
    post.node.mine()
    post.settle()

    assert post.states() == ["final", "final"]
    assert len(post.signed()) == 2
    assert not post.sender.step()


def test_the_window_is_bounded_by_count(database: Engine, node: Watched, tmp_path: Path) -> None:
    post = Post(database, node, tmp_path, count=4)
    post.queue(10)

    post.settle()
    assert [len(raws) for raws in node.sent] == [4]
    node.mine()
    post.settle()
    node.mine()
    post.settle()

    assert [len(raws) for raws in node.sent] == [4, 4, 2]


def test_the_window_is_bounded_by_gas_but_never_empty(
    database: Engine, node: Watched, tmp_path: Path
) -> None:
    limit = node.block("latest").gas_limit  # type: ignore[union-attr]
    post = Post(database, node, tmp_path, blocks=1.0)
    post.queue(5, gas=limit * 2 // 5)
    post.settle()
    assert [len(raws) for raws in node.sent] == [2]

    impatient = Post(database, node, tmp_path, blocks=0.1)
    for _ in range(4):
        node.mine()
        impatient.settle()

    assert [len(raws) for raws in node.sent] == [2, 1, 1, 1]
    assert post.states() == ["final"] * 5


def test_the_very_same_bytes_are_sent_again(post: Post) -> None:
    post.queue(3)
    for _ in range(4):
        post.sender.step()

    assert len(post.node.sent) == 4
    assert len({tuple(raws) for raws in post.node.sent}) == 1
    assert len(post.signed()) == 3
    assert post.rows()[0].why is None  # known already is success


def test_it_waits_before_it_sends_again(database: Engine, node: Watched, tmp_path: Path) -> None:
    post = Post(database, node, tmp_path, resend=60.0)
    post.queue()

    for _ in range(5):
        post.sender.step()

    assert len(node.sent) == 1


def test_a_node_that_lost_its_pool_gets_all_again(post: Post) -> None:
    post.queue(3)
    post.sender.step()
    post.node.call("anvil_dropAllTransactions")

    post.sender.step()
    post.node.mine()
    post.settle()

    assert post.states() == ["final"] * 3
    assert len(post.signed()) == 3


def test_bytes_signed_but_never_sent_are_sent_by_the_next_worker(
    database: Engine, node: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = Post(database, node, tmp_path)
    post.queue(2)

    def fail(raws: Any) -> list[str | NodeError]:
        raise ConnectionResetError  # the process dies between signing and sending

    with monkeypatch.context() as patch:
        patch.setattr(node, "send_raw", fail)
        with pytest.raises(ConnectionResetError):
            post.sender.step()
    before = [bytes(row.raw) for row in post.signed()]
    again = Post(database, node, tmp_path)
    again.sender.step()

    assert len(before) == 2
    assert node.sent == [before]


@pytest.mark.parametrize("survivor", ["the first", "the replacement"])
def test_a_fee_that_the_chain_outgrew_is_replaced_by_one_that_says_so(
    post: Post, survivor: str
) -> None:
    post.queue()
    post.sender.step()
    node = post.node
    node.call("anvil_setNextBlockBaseFeePerGas", hex(50 * 10**9))
    node.mine()
    assert post.states() == ["queued"]
    post.sender.step()

    first, second = post.signed()
    assert (first.replaces, second.replaces) == (None, first.hash)
    assert int(second.max_fee) >= 50 * 10**9 > int(first.max_fee)
    if survivor == "the first":
        # Another validator never saw the replacement, and its base fee was lower.
        node.call("anvil_dropAllTransactions")
        node.call("anvil_setNextBlockBaseFeePerGas", "0x1")
        node.call("eth_sendRawTransaction", "0x" + bytes(first.raw).hex())
    node.mine()
    post.settle()

    assert post.states() == ["final"]
    mined = first if survivor == "the first" else second
    assert node.receipts([mined.hash])[0] is not None
    assert len(post.signed()) == 2


def test_what_reverts_is_noted_and_the_next_goes_on(post: Post) -> None:
    post.queue(to=REFUSING)
    post.queue()

    post.sender.step()
    post.node.mine()
    post.settle()

    assert [(row.state, row.why) for row in post.rows()] == [
        ("reverted", "Reverted"), ("final", None),
    ]  # fmt: skip


def test_a_nonce_that_somebody_else_used_is_given_up(post: Post) -> None:
    post.queue(2)
    thief = threading.Thread(
        target=send, args=(post.node, None, post.key, Transfer(post.account, b""))
    )
    thief.start()
    while post.node.call("txpool_status")["pending"] == "0x0":
        time.sleep(0.02)
    post.node.mine()
    thief.join()

    for _ in range(3):
        post.sender.step()
        post.node.mine()
    post.settle()

    assert [(row.state, row.why) for row in post.rows()] == [
        ("reverted", "NonceDisplaced"), ("final", None),
    ]  # fmt: skip


def test_what_a_reorganisation_took_out_is_sent_again(post: Post) -> None:
    node = post.node
    node.lag = 2
    post.queue(2)
    post.sender.step()
    fork = node.call("evm_snapshot")
    node.mine()
    post.settle()
    assert post.states() == ["mined", "mined"]

    node.call("evm_revert", fork)
    node.call("anvil_dropAllTransactions")
    node.mine()
    post.settle()
    node.mine(3)
    post.settle()

    assert post.states() == ["final", "final"]
    assert len(post.signed()) == 2


def test_what_was_thought_final_is_sent_again_when_the_chain_went_back(post: Post) -> None:
    node = post.node
    post.queue(3)
    fork = node.call("evm_snapshot")
    post.sender.step()
    node.mine()
    post.settle()
    assert post.states() == ["final"] * 3
    block = node.block_number()
    node.call("evm_revert", fork)
    node.call("anvil_dropAllTransactions")

    with write(post.engine) as connection:
        reopen(connection, block - 1)
    post.settle()
    node.mine()
    post.settle()

    assert post.states() == ["final"] * 3
    assert len(post.signed()) == 3
    assert node.transaction_count(post.account) == 3


def test_an_account_without_money_waits_until_it_has_some(post: Post, still: Anvil) -> None:
    post.node.call("anvil_setBalance", post.account, "0x0")
    post.queue()
    post.sender.step()
    assert post.rows()[0].why.startswith("INSUFFICIENT_FUNDS")

    thread = threading.Thread(
        target=fund, args=(post.node, post.account, _ETHER), kwargs={"source": still.key}
    )
    thread.start()
    while post.node.call("txpool_status")["pending"] == "0x0":
        time.sleep(0.02)
    post.node.mine()
    thread.join()
    post.sender.step()
    post.node.mine()
    post.settle()

    assert [(row.state, row.why) for row in post.rows()] == [("final", None)]


def test_without_the_lease_nothing_is_signed(post: Post, database: Engine) -> None:
    post.queue()
    with write(database) as connection:
        connection.execute(sa.text("UPDATE leases SET until = 0"))
    assert Lease(database, "worker").take()

    with pytest.raises(LeaseLost):
        post.sender.step()

    assert post.signed() == []
    assert post.node.sent == []


def test_a_node_that_hangs_keeps_no_gateway_from_promising(
    post: Post, gateway: Gateway, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    merchant = registry.merchant(gateway.cashier)
    gateway.issue(merchant)
    asked, answer = threading.Event(), threading.Event()

    def hang() -> Fees:
        asked.set()
        answer.wait(20)
        return Fees(10**10, 10**9)

    monkeypatch.setattr(post.node, "fees", hang)
    post.queue()
    working = threading.Thread(target=post.sender.step)
    working.start()
    try:
        assert asked.wait(10)
        begin = time.monotonic()
        gateway.issue(merchant)
        assert time.monotonic() - begin < 2
    finally:
        answer.set()
        working.join()
    post.node.mine()
    post.settle()
    assert post.states() == ["final"]
