"""A node as the program sees it: the same on Ganache and on anvil."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from coincurve import PrivateKey

from hutong.errors import NodeError
from hutong.ledger.client import Fees, Node
from hutong.ledger.consents import address_of
from hutong.ledger.embedded import EmbeddedGanache
from hutong.ledger.refusals import SendFailure, classify_send_error
from hutong.ledger.transact import fund, wait_for
from hutong.ledger.transaction import Signed, sign_transaction
from tests.integration.anvil import Anvil

Chain = EmbeddedGanache | Anvil
ETHER = 10**18


class Sender:
    """A new account with some money."""

    def __init__(self, chain: Chain, ether: int = 10) -> None:
        self.node = chain.node
        self.key = PrivateKey()
        self.address = address_of(self.key)
        if ether:
            fund(self.node, chain.key, self.address, ether * ETHER)

    def sign(self, nonce: int, **changes: Any) -> Signed:
        fields = {
            "chain_id": self.node.chain_id(),
            "fees": self.node.fees(),
            "gas": 60_000,
            "to": "0x" + "11" * 20,
            "data": b"",
        }
        return sign_transaction(self.key, nonce=nonce, **{**fields, **changes})


def refusal(node: Node, signed: Signed) -> SendFailure:
    answer = node.send_raw([signed.raw])[0]
    assert isinstance(answer, NodeError), answer
    return classify_send_error(answer)


def test_blocks_are_read(chain: Chain) -> None:
    node = chain.node
    head = node.block("latest")
    assert head is not None
    genesis, ahead, again = node.blocks([0, head.number + 1000, head.number])
    assert genesis is not None
    assert genesis.number == 0
    assert genesis.parent == bytes(32)
    assert ahead is None
    assert again == head
    assert len(head.hash) == 32
    assert head.gas_limit == 30_000_000
    assert head.base_fee is not None
    assert abs(head.time - time.time()) < 60
    assert node.block(head.number + 1000) is None


def test_instant_chain_is_final_at_its_head(chain: Chain) -> None:
    node = chain.node
    before = node.block_number()
    final = node.finality()
    assert final is not None
    assert before <= final <= node.block_number()


def test_fees_are_enough_and_never_nothing(chain: Chain) -> None:
    sender = Sender(chain)
    fees = sender.node.fees()
    assert fees.max_fee >= fees.priority_fee > 0
    signed = sender.sign(0, fees=fees)
    assert sender.node.send_raw([signed.raw]) == [signed.hash]
    assert wait_for(sender.node, [signed.hash])[0]["status"] == "0x1"


def test_sends_of_an_array_are_mined_in_order(chain: Chain) -> None:
    sender = Sender(chain)
    signed = [sender.sign(nonce) for nonce in range(20)]
    answers = sender.node.send_raw([s.raw for s in signed])
    assert answers == [s.hash for s in signed]
    receipts = wait_for(sender.node, [s.hash for s in signed])
    assert {receipt["status"] for receipt in receipts} == {"0x1"}
    assert sender.node.transaction_count(sender.address) == 20
    assert [t["nonce"] for t in sender.node.transactions([s.hash for s in signed]) if t] == [
        hex(nonce) for nonce in range(20)
    ]


@pytest.mark.parametrize("nonce", [0, 1])
def test_the_same_bytes_may_be_sent_again_and_work_once(chain: Chain, nonce: int) -> None:
    """Pending and mined; on Ganache the first nonce of an account is a trap of its own."""
    sender = Sender(chain)
    if nonce:
        first = sender.sign(0)
        sender.node.send_raw([first.raw])
        wait_for(sender.node, [first.hash])
    signed = sender.sign(nonce)
    for _ in range(3):
        assert sender.node.send_raw([signed.raw]) == [signed.hash]
    wait_for(sender.node, [signed.hash])
    time.sleep(0.6)
    assert sender.node.send_raw([signed.raw, signed.raw]) == [signed.hash] * 2
    time.sleep(0.6)
    assert sender.node.transaction_count(sender.address) == nonce + 1


def test_taken_nonces_are_told(chain: Chain) -> None:
    sender = Sender(chain)
    first, second = sender.sign(0), sender.sign(1)
    other = sender.sign(1, data=b"\x01")
    sender.node.send_raw([first.raw, second.raw])
    assert refusal(sender.node, other) in (
        SendFailure.REPLACEMENT_UNDERPRICED,
        SendFailure.NONCE_TOO_LOW,  # a block came in between
    )
    wait_for(sender.node, [second.hash])
    assert refusal(sender.node, other) is SendFailure.NONCE_TOO_LOW


def test_what_can_never_be_mined_is_told(chain: Chain) -> None:
    sender, poor = Sender(chain), Sender(chain, ether=0)
    too_much = sender.sign(0, gas=60_000_000)
    assert refusal(poor.node, poor.sign(0)) is SendFailure.INSUFFICIENT_FUNDS
    assert refusal(sender.node, too_much) is SendFailure.TRANSACTION_TOO_LARGE
    assert refusal(sender.node, sender.sign(0, chain_id=5)) is SendFailure.OTHER


def test_fee_below_the_base_fee_is_told(anvil: Anvil) -> None:
    sender = Sender(anvil)
    assert refusal(sender.node, sender.sign(0, fees=Fees(1, 1))) is SendFailure.UNDERPRICED


def test_one_bad_transaction_of_an_array_is_told_apart(chain: Chain) -> None:
    sender = Sender(chain)
    good, bad = sender.sign(0), sender.sign(1, gas=60_000_000)
    answers = sender.node.send_raw([good.raw, bad.raw])
    assert answers[0] == good.hash
    assert isinstance(answers[1], NodeError)
    assert sender.node.send_raw([]) == []


def test_batches_of_three_thousand_leaves_pass(chain: Chain) -> None:
    sender = Sender(chain)
    octets = os.urandom(96_500)
    signed = [sender.sign(nonce, data=octets, gas=2_000_000) for nonce in range(12)]
    assert sender.node.send_raw([s.raw for s in signed]) == [s.hash for s in signed]
    receipts = wait_for(sender.node, [s.hash for s in signed])
    assert {receipt["status"] for receipt in receipts} == {"0x1"}
    found = sender.node.transactions([signed[-1].hash])[0]
    assert found is not None
    assert found["input"] == "0x" + octets.hex()


def test_what_is_not_there_is_none_or_empty(chain: Chain) -> None:
    node = chain.node
    nowhere = "0x" + "99" * 20
    assert node.receipts(["0x" + "00" * 32]) == [None]
    assert node.transactions(["0x" + "00" * 32]) == [None]
    assert node.code(nowhere) == b""
    assert node.balance(nowhere) == 0
    assert node.eth_call(nowhere, b"") == b""
    assert node.logs([nowhere], 0, node.block_number()) == []


def test_unknown_method_is_an_error(chain: Chain) -> None:
    with pytest.raises(NodeError):
        chain.node.call("eth_nonsense")


def test_web3_sees_the_same_chain(chain: Chain) -> None:
    assert chain.node.w3.eth.chain_id == chain.node.chain_id()
    assert bytes(chain.node.w3.eth.get_block(0)["hash"]) == chain.node.blocks([0])[0].hash  # type: ignore[union-attr]


def test_gas_is_free_where_the_chain_says_so() -> None:
    # As Besu with zeroBaseFee and --min-gas-price=0 answers; anvil always wants a tip.
    class FreeNode(Node):
        def batch(self, calls: Any, *, chunk: int = 100) -> list[Any]:
            return [{"baseFeePerGas": "0x0"}, "0x0", "0x0"]

    assert FreeNode("http://127.0.0.1:1").fees() == Fees(0, 0)
