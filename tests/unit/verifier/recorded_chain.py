"""A chain of one contract in memory: answers `check` as contracts/Invoices.sol does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_abi.abi import decode, encode

from hutong import merkle
from hutong.errors import NodeError
from hutong.invoices.document import Document, Summary, leaf_of
from tests.unit.invoices.builders import CHAIN_ID, CONTRACT, NOW, SELLER, TRANSACTION

SUMMARY = "(uint96,uint96,uint128,uint128,bytes32,bytes32,bytes32)"
BATCH = "(uint96,uint16,uint40,uint40,uint64,bytes32)"
HEADER = f"(bytes18,bytes3,uint96,{BATCH})"
ISSUED = "Issued(bytes18,uint96,uint96,uint16,bytes32,uint64,uint96,uint32,address)"
GENESIS = "0x" + "9e" * 32


def selector(signature: str) -> bytes:
    return merkle.keccak(signature.encode())[:4]


class RecordedChain:
    """One batch at CONTRACT, in block 17. What it says may be changed by its attributes."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.leaves = [document.leaf for document in documents]
        self.first = documents[0].summary.number
        self.chain_id = CHAIN_ID
        self.issuer = SELLER.uscc
        self.currency = "CNY"
        self.block = 17
        self.time = NOW + 4
        self.genesis = GENESIS
        self.requests = 0
        self.receipts = {TRANSACTION: {"logs": [self.issued_log()]}}
        self.answer: object = None

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        self.requests += 1
        answers = {
            "eth_chainId": lambda: hex(self.chain_id),
            "eth_call": lambda call, _block: self.call(call["to"], bytes.fromhex(call["data"][2:])),
            "eth_getTransactionReceipt": self.receipts.get,
            "eth_getBlockByNumber": lambda _number, _full: {"hash": self.genesis},
        }
        return [answers[method](*params) for method, params in calls]

    def call(self, to: str, data: bytes) -> object:
        if self.answer is not None:
            return self.answer
        if to != CONTRACT:
            return "0x"
        assert data[:4] == selector(f"check({SUMMARY},bytes32[])")
        fields, proof = decode([SUMMARY, "bytes32[]"], data[4:])
        summary = Summary(*fields)
        if not 0 <= summary.number - self.first < len(self.leaves):
            return revert("InvoiceUnknown(uint96)", ["uint96"], [summary.number])
        root, leaf, index = merkle.root(self.leaves), leaf_of(summary), summary.number - self.first
        if not merkle.verify(root, leaf, index, len(self.leaves), proof):
            return revert(
                "ProofInvalid(uint96,bytes32)", ["uint96", "bytes32"], [summary.number, leaf]
            )
        batch = (self.first, len(self.leaves), self.time, self.block, 10**6, root)
        header = (self.issuer.encode(), self.currency.encode(), self.first, batch)
        return "0x" + encode([HEADER], [header]).hex()

    def issued_log(self, *, first: int | None = None, address: str = CONTRACT) -> dict[str, Any]:
        root = merkle.root(self.leaves)
        words = ["uint16", "bytes32", "uint64", "uint96", "uint32", "address"]
        data = encode(words, [len(self.leaves), root, 10**6, 10**6, 24322, CONTRACT])
        topics = [merkle.keccak(ISSUED.encode()), self.issuer.encode().ljust(32, b"\0")]
        topics += [
            n.to_bytes(32, "big") for n in (self.first, self.first if first is None else first)
        ]
        return {
            "address": address,
            "topics": ["0x" + topic.hex() for topic in topics],
            "data": "0x" + data.hex(),
            "blockNumber": hex(self.block),
            "blockHash": "0x" + "b1" * 32,
            "logIndex": "0x0",
            "transactionHash": TRANSACTION,
        }


def revert(error: str, types: list[str], values: list[Any]) -> NodeError:
    data = selector(error) + encode(types, values)
    return NodeError("execution reverted", rpc_code=3, data=data)
