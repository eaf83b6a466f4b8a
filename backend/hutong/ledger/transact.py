"""Calling contracts as an account: simulate, sign, send, wait for the receipt, or say why not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from coincurve import PrivateKey

from hutong.errors import ContractRefusal, HutongError, NodeError, Unavailable
from hutong.ledger.client import Node, octets
from hutong.ledger.consents import address_of
from hutong.ledger.contracts import Contracts
from hutong.ledger.refusals import SendFailure, classify_send_error
from hutong.ledger.transaction import Signed, sign_transaction

Receipt = dict[str, Any]
WAIT_SECONDS = 120.0
# Estimates are of the state now; another transaction of the same block may change it.
GAS_MARGIN = 1.25
# Fewer than any client's limit a sending account.
WINDOW = 16
# The nonce is taken by a transaction that is still waiting: mostly one of our own, of a killed run.
_TAKEN = (
    SendFailure.NONCE_TOO_LOW,
    SendFailure.REPLACEMENT_UNDERPRICED,
    SendFailure.UNDERPRICED,
    SendFailure.POOL_FULL,
    SendFailure.NONCE_TOO_HIGH,
)


class NotMined(Unavailable):
    """A transaction is mined within the time that is waited for."""


class Call(NamedTuple):
    """One call of a contract; `to` None creates one. Octets are encoded already."""

    to: str | None
    data: bytes
    value: int = 0


def transact(
    node: Node, contracts: Contracts, key: bytes, contract: str, function: str, *args: object
) -> Receipt:
    """Receipt of a call that succeeded, mined. Raises ContractRefusal with the contract's reason.

    A call that would be refused is not sent. Raises NodeUnavailable, NodeError, NotMined, too.
    """
    call = Call(contracts.address(contract), contracts.encode(contract, function, *args))
    return send(node, contracts, key, call)


def send(node: Node, contracts: Contracts | None, key: bytes, call: Call) -> Receipt:
    """As `transact`, of an encoded call."""
    outcome = next(send_many(node, contracts, key, [call]))
    if isinstance(outcome, HutongError):
        raise outcome
    return outcome


def simulate(node: Node, contracts: Contracts, sender: str, call: Call) -> None:
    """Raises ContractRefusal if the call would be refused now."""
    assert call.to is not None
    try:
        node.eth_call(call.to, call.data, sender=sender)
    except NodeError as error:
        raise contracts.refusal(error) or error from error


def send_many(
    node: Node, contracts: Contracts | None, key: bytes, calls: Sequence[Call]
) -> Iterator[Receipt | ContractRefusal | NodeError]:
    """Outcome of each call in order, several under way at once; a refused one stops no others."""
    account = Account(node, contracts, key)
    todo = list(calls)
    while todo:
        outcomes = account.send_window(todo[:WINDOW])
        todo = todo[len(outcomes) :]
        yield from outcomes


def fund(node: Node, key: bytes, address: str, least: int) -> Receipt | None:
    """Tops the address up to `least` wei; None when it has that much, or gas is free here."""
    missing = least - node.balance(address)
    if missing <= 0 or node.fees().max_fee == 0:
        return None
    return send(node, None, key, Call(address, b"", missing))


class Account:
    """An account that sends a few transactions, one process at a time (agencies', deployment's)."""

    def __init__(self, node: Node, contracts: Contracts | None, key: bytes) -> None:
        self._node = node
        self._contracts = contracts
        self._key = PrivateKey(key)
        self._chain_id = node.chain_id()
        self.address = address_of(self._key)

    def nonce(self) -> int:
        """The next nonce, transactions in the node's pool counted where it counts them."""
        counts = [self._node.transaction_count(self.address, tag) for tag in ("latest", "pending")]
        return max(counts)

    def sign(self, call: Call, nonce: int, gas: int | None = None) -> Signed:
        """Signs a call at today's fees. Raises ContractRefusal when it would revert."""
        limit = gas or self._gas([call])[0]
        if isinstance(limit, HutongError):
            raise limit
        return sign_transaction(
            self._key,
            chain_id=self._chain_id,
            nonce=nonce,
            fees=self._node.fees(),
            gas=limit,
            to=call.to,
            data=call.data,
            value=call.value,
        )

    def send_window(self, calls: Sequence[Call]) -> list[Receipt | ContractRefusal | NodeError]:
        """Sends the calls with consecutive nonces; outcomes of the first ones, of at least one.

        Where the node takes only some, the outcomes are theirs: the caller comes back for the rest.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        gas = self._gas(calls)
        # A refused call gets no nonce. It ends the window: later ones may depend on its absence.
        if isinstance(gas[0], (ContractRefusal, NodeError)):
            return [gas[0]]
        limits = list(_until_error(gas))
        while True:
            nonce = self.nonce()
            signed = [
                self.sign(call, nonce + i, limit)
                for i, (call, limit) in enumerate(zip(calls, limits, strict=False))
            ]
            answers = self._node.send_raw([transaction.raw for transaction in signed])
            taken = next(
                (i for i, a in enumerate(answers) if isinstance(a, NodeError)), len(answers)
            )
            if taken:
                receipts = wait_for(self._node, [s.hash for s in signed[:taken]], deadline)
                return [self._outcome(c, r) for c, r in zip(calls, receipts, strict=False)]
            error = answers[0]
            assert isinstance(error, NodeError)
            if classify_send_error(error) not in _TAKEN or time.monotonic() > deadline:
                return [error]
            time.sleep(0.3)

    def _gas(self, calls: Sequence[Call]) -> list[int | ContractRefusal | NodeError]:
        """Gas limit of each call by the node's estimate, or why there is none."""
        answers = self._node.batch([("eth_estimateGas", (self._request(call),)) for call in calls])
        block = self._node.block("latest")
        most = block.gas_limit if block is not None else 0
        return [
            self._refusal(answer)
            if isinstance(answer, NodeError)
            else min(most, int(int(answer, 16) * GAS_MARGIN))
            for answer in answers
        ]

    def _request(self, call: Call) -> dict[str, str]:
        request = {"from": self.address, "data": "0x" + call.data.hex(), "value": hex(call.value)}
        return request if call.to is None else {**request, "to": call.to}

    def _refusal(self, error: NodeError) -> ContractRefusal | NodeError:
        refusal = self._contracts.refusal(error) if self._contracts is not None else None
        return refusal or error

    def _outcome(self, call: Call, receipt: Receipt) -> Receipt | ContractRefusal | NodeError:
        if int(receipt["status"], 16) == 1:
            return receipt
        # Somebody was faster: the state has changed since the simulation. Ask for the reason now.
        try:
            octets(self._node.call("eth_call", self._request(call), receipt["blockNumber"]))
        except NodeError as error:
            return self._refusal(error)
        return ContractRefusal("Reverted", {"transaction": receipt["transactionHash"]})


def wait_for(node: Node, hashes: Sequence[str], deadline: float | None = None) -> list[Receipt]:
    """Receipts of transactions, all mined. Raises NotMined at the deadline (time.monotonic())."""
    until = time.monotonic() + WAIT_SECONDS if deadline is None else deadline
    found: dict[str, Receipt] = {}
    while True:
        missing = [h for h in hashes if h not in found]
        for tx_hash, receipt in zip(missing, node.receipts(missing), strict=True):
            if receipt is not None:
                found[tx_hash] = receipt
        if len(found) == len(set(hashes)):
            return [found[h] for h in hashes]
        if time.monotonic() > until:
            waiting = next(h for h in hashes if h not in found)
            raise NotMined(f"transaction {waiting} is not mined yet; it may still be")
        time.sleep(0.1)


def _until_error(limits: Sequence[int | ContractRefusal | NodeError]) -> Iterator[int]:
    for limit in limits:
        if not isinstance(limit, int):
            return
        yield limit
