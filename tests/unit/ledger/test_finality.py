"""Finality: from what a chain says of itself, as its clients say it."""

from __future__ import annotations

from typing import Any

import pytest

from hutong.errors import NodeError, NodeUnavailable
from hutong.ledger.finality import BYZANTINE_MIX_HASH, Finality

ZERO = "0x" + "00" * 32


class Chain:
    """A chain of `head` + 1 blocks, as a node of `client` tells of it."""

    def __init__(self, client: str, head: int, **header: object) -> None:
        self.client, self.head = client, head
        self.header = {"mixHash": ZERO, "difficulty": "0x2", **header}
        self.finalized: int | NodeError | None = NodeError("finalized block not found")
        self.calls: list[str] = []

    def call(self, method: str, *params: object) -> Any:
        self.calls.append(method)
        if method == "web3_clientVersion":
            return self.client
        if method == "eth_blockNumber":
            return hex(self.head)
        if params[0] == "finalized":
            if isinstance(self.finalized, NodeError):
                raise self.finalized
            return None if self.finalized is None else {"number": hex(self.finalized)}
        return {"number": hex(self.head), **self.header}


@pytest.mark.parametrize("client", ["Ganache/v7.9.2/EthereumJS", "anvil/v1.7.1"])
def test_chain_of_one_process_is_final_at_its_head(client: str) -> None:
    chain = Chain(client, 100)
    chain.finalized = 36  # anvil's answer
    assert Finality(chain).height() == 100


@pytest.mark.parametrize("client", ["besu/v26.8.0/linux-x86_64", "Geth/v1.10/quorum-v24"])
def test_byzantine_chain_is_final_at_its_head(client: str) -> None:
    chain = Chain(client, 100, mixHash=BYZANTINE_MIX_HASH, difficulty="0x1")
    chain.finalized = NodeError("Unknown block", rpc_code=-39001)
    assert Finality(chain).height() == 100


def test_mix_hash_is_that_of_real_qbft_blocks() -> None:
    # Of a block of Besu 26, QBFT, recorded.
    real = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365"
    assert real == BYZANTINE_MIX_HASH


def test_proof_of_stake_is_final_where_it_says() -> None:
    chain = Chain("Geth/v1.16", 100, difficulty="0x0")
    finality = Finality(chain)
    assert finality.height() is None
    chain.finalized = 64
    assert finality.height() == 64
    chain.finalized, chain.head = 96, 130
    assert finality.height() == 96


def test_chain_without_finality_is_taken_twelve_blocks_deep() -> None:
    chain = Chain("Geth/v1.13.15-stable", 100)
    finality = Finality(chain)
    assert finality.height() == 88
    chain.head = 5
    assert finality.height() == 0


def test_other_chain_that_answers_the_tag_is_believed() -> None:
    chain = Chain("Nethermind/v1", 100)
    chain.finalized = 90
    assert Finality(chain).height() == 90


def test_kind_of_chain_is_found_once() -> None:
    chain = Chain("anvil/v1.7.1", 7)
    finality = Finality(chain)
    finality.height()
    chain.calls.clear()
    finality.height()
    assert chain.calls == ["eth_blockNumber"]


def test_node_that_is_away_at_first_is_asked_again() -> None:
    chain = Chain("anvil/v1.7.1", 7)
    call, chain.call = chain.call, _away
    finality = Finality(chain)
    with pytest.raises(NodeUnavailable):
        finality.height()
    chain.call = call
    assert finality.height() == 7


def _away(*_: object) -> Any:
    raise NodeUnavailable("away")
