"""A node as the rest of the program sees it: blocks, logs, receipts, fees, calls, raw sends."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from hutong.errors import NodeError
from hutong.ledger.finality import Finality
from hutong.ledger.rpc import Rpc
from hutong.merkle import keccak

if TYPE_CHECKING:
    from web3 import Web3

__all__ = ["Block", "Fees", "Node"]

GWEI = 10**9
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")


class Block(NamedTuple):
    """What of a block's header the program uses; `time` in seconds, UTC, `base_fee` in wei."""

    number: int
    hash: bytes
    parent: bytes
    time: int
    gas_limit: int
    base_fee: int | None


class Fees(NamedTuple):
    """EIP-1559 fees of a transaction, in wei a unit of gas."""

    max_fee: int
    priority_fee: int


class Node(Rpc):
    """A node of any client (Ganache, anvil, Besu, geth), by its URL alone; connects when asked."""

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        super().__init__(url, timeout=timeout)
        self._finality = Finality(self)

    def chain_id(self) -> int:
        return number(self.call("eth_chainId"))

    def block_number(self) -> int:
        return number(self.call("eth_blockNumber"))

    def block(self, which: int | str) -> Block | None:
        """Block by number or tag; None when the node has none such."""
        found = self.call("eth_getBlockByNumber", quantity(which), False)
        return None if found is None else _block(found)

    def blocks(self, numbers: Iterable[int]) -> list[Block | None]:
        """Blocks in the order of `numbers`, asked for in one go; None for those not there (yet)."""
        found = self._all([("eth_getBlockByNumber", (hex(n), False)) for n in numbers])
        return [None if item is None else _block(item) for item in found]

    def finality(self) -> int | None:
        """Number of the highest block that stays, as far as this chain says; None when none does.

        Instant on Ganache, anvil, QBFT and IBFT; the `finalized` tag where the chain has one; else
        twelve blocks behind the head. See docs/decisions.
        """
        return self._finality.height()

    def fees(self) -> Fees:
        """What to pay now: twice the base fee and the node's own tip; 0 where gas is free."""
        block, price, tip = self.batch(
            [
                ("eth_getBlockByNumber", ("latest", False)),
                ("eth_gasPrice", ()),
                ("eth_maxPriorityFeePerGas", ()),
            ]
        )
        if isinstance(block, NodeError):
            raise block
        if isinstance(price, NodeError):
            raise price
        base, least = number(block.get("baseFeePerGas") or "0x0"), number(price)
        if base == 0 and least == 0:
            return Fees(0, 0)
        priority = GWEI if isinstance(tip, NodeError) else number(tip)
        ceiling = max(2 * base + priority, least)
        return Fees(ceiling, min(priority, ceiling))

    def transaction_count(self, address: str, tag: str = "latest") -> int:
        """Transactions that `address` has sent: its next nonce."""
        return number(self.call("eth_getTransactionCount", address, tag))

    def balance(self, address: str) -> int:
        """Balance in wei."""
        return number(self.call("eth_getBalance", address, "latest"))

    def logs(self, addresses: Sequence[str], first: int, last: int) -> list[dict[str, Any]]:
        """Logs of the contracts in the blocks first .. last, as the node gives them."""
        query = {"address": list(addresses), "fromBlock": hex(first), "toBlock": hex(last)}
        found: list[dict[str, Any]] = self.call("eth_getLogs", query)
        return found

    def receipts(self, hashes: Sequence[str]) -> list[dict[str, Any] | None]:
        """Receipts in the order of `hashes`; None for what is not mined."""
        return self._all([("eth_getTransactionReceipt", (h,)) for h in hashes])

    def transactions(self, hashes: Sequence[str]) -> list[dict[str, Any] | None]:
        """Transactions in the order of `hashes`; None for what the node does not know."""
        return self._all([("eth_getTransactionByHash", (h,)) for h in hashes])

    def eth_call(
        self, to: str, data: bytes, block: int | str = "latest", *, sender: str | None = None
    ) -> bytes:
        """What the call returns. Raises NodeError, with the revert's `.data`, when it reverts."""
        request = {"to": to, "data": "0x" + data.hex()}
        if sender is not None:
            request["from"] = sender
        return octets(self.call("eth_call", request, quantity(block)))

    def code(self, address: str) -> bytes:
        """Code at the address; empty when there is none."""
        return octets(self.call("eth_getCode", address, "latest"))

    def send_raw(self, raws: Sequence[bytes]) -> list[str | NodeError]:
        """Sends signed transactions, in order; a transaction's hash or the node's error for each.

        Sending what the node already has is success, whatever the node calls it: of those refused,
        the ones that it knows by their hash answer that hash. For the others' errors see
        `refusals.classify_send_error`.
        """
        # Ganache takes nonce 0 for "no nonce given" and carries the same bytes out again and again.
        known = self._known([raw for raw in raws if nonce_is_zero(raw)])
        fresh = [raw for raw in raws if raw not in known]
        answers = self.batch([("eth_sendRawTransaction", ("0x" + raw.hex(),)) for raw in fresh])
        outcomes = dict(zip(fresh, answers, strict=True))
        refused = [raw for raw, answer in outcomes.items() if isinstance(answer, NodeError)]
        outcomes |= known | self._known(refused)
        return [outcomes[raw] for raw in raws]

    def _known(self, raws: Sequence[bytes]) -> dict[bytes, str | NodeError]:
        """Those of the transactions that the node has, in its pool or chain, with their hashes."""
        hashes = ["0x" + keccak(raw).hex() for raw in raws]
        found = self.batch([("eth_getTransactionByHash", (h,)) for h in hashes])
        return {
            raw: tx_hash
            for raw, tx_hash, transaction in zip(raws, hashes, found, strict=True)
            if isinstance(transaction, dict)
        }

    @cached_property
    def w3(self) -> Web3:
        """The node as web3.py sees it, for scripts. Importing web3 takes long: only on demand."""
        from web3 import HTTPProvider, Web3  # noqa: PLC0415
        from web3.middleware import ExtraDataToPOAMiddleware  # noqa: PLC0415

        w3 = Web3(HTTPProvider(self.url, request_kwargs={"timeout": self.timeout}))
        # Without it web3.py refuses blocks of QBFT, whose extra data is long; harmless elsewhere.
        w3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
        return w3

    def _all(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        """Results of a batch in which every item must succeed."""
        results = self.batch(calls)
        for result in results:
            if isinstance(result, NodeError):
                raise result
        return results


def number(value: Any) -> int:
    """Integer of a JSON-RPC quantity ("0x1f")."""
    if isinstance(value, str) and _QUANTITY.fullmatch(value):
        return int(value, 16)
    raise NodeError(f"the node gave {value!r} where a quantity is due")


def octets(value: Any) -> bytes:
    """Octets of JSON-RPC data ("0x...")."""
    if isinstance(value, str) and value.startswith("0x"):
        with contextlib.suppress(ValueError):
            return bytes.fromhex(value[2:])
    raise NodeError(f"the node gave {str(value)[:80]!r} where data is due")


def quantity(which: int | str) -> str:
    """A block's number or tag as JSON-RPC wants it."""
    return hex(which) if isinstance(which, int) else which


def nonce_is_zero(raw: bytes) -> bool:
    """Whether a signed transaction, of any kind, has nonce 0. False for what is no transaction."""
    typed = bool(raw) and raw[0] < 0x80  # EIP-2718: a type, then the list
    raw = raw[1:] if typed else raw
    if not raw:
        return False
    position = 1 + max(0, raw[0] - 0xF7)  # behind the list's RLP header
    if typed and position < len(raw):
        position += 1 + max(0, raw[position] - 0x80)  # behind the chain id
    return raw[position : position + 1] == b"\x80"


def _block(raw: dict[str, Any]) -> Block:
    base = raw.get("baseFeePerGas")
    return Block(
        number=number(raw["number"]),
        hash=octets(raw["hash"]),
        parent=octets(raw["parentHash"]),
        time=number(raw["timestamp"]),
        gas_limit=number(raw["gasLimit"]),
        base_fee=None if base is None else number(base),
    )
