"""What befalls a transaction: outgrown fees, reverts, stolen nonces, reorganisations, no money."""

from __future__ import annotations

import threading
import time

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from hutong.database import write
from hutong.errors import LeaseLost
from hutong.ledger.client import Fees
from hutong.ledger.funding import fund
from hutong.ledger.lease import Lease
from hutong.ledger.outbox import reopen
from hutong.ledger.transact import Call as Transfer
from hutong.ledger.transact import send
from tests.integration.anvil import Anvil
from tests.integration.gateway import Gateway
from tests.integration.registry import Registry
from tests.integration.sending import ETHER, REFUSING, Post


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
        target=fund, args=(post.node, post.account, ETHER), kwargs={"source": still.key}
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
