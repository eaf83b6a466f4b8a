"""How far back a chain can still change its mind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from hutong.errors import NodeError
from hutong.ledger.rpc import Rpc

# mixHash of QBFT and IBFT blocks, in Besu and GoQuorum alike.
BYZANTINE_MIX_HASH = "0x" + b"ctical byzantine fault tolerance".hex()
# Without any statement of the chain: proof of authority without votes, proof of work.
DEPTH = 12


class Finality:
    """Finds once what kind of chain a node follows, then answers with one call each time."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._rule: Callable[[], int | None] | None = None
        self._lock = threading.Lock()

    def height(self) -> int | None:
        """Number of the highest final block; None when no block is final yet."""
        rule = self._rule
        if rule is None:
            with self._lock:
                rule = self._rule = self._rule or self._find_rule()
        return rule()

    def _find_rule(self) -> Callable[[], int | None]:
        client = str(self._rpc.call("web3_clientVersion")).lower()
        head = self._rpc.call("eth_getBlockByNumber", "latest", False)
        # One process makes the chain. (anvil answers `finalized` with head - 64: mere delay.)
        if client.startswith(("ganache", "anvil", "hardhatnetwork")):
            return self._head
        if head.get("mixHash") == BYZANTINE_MIX_HASH:
            return self._head
        # Difficulty 0: proof of stake; before its first checkpoint nothing is final.
        if int(head.get("difficulty") or "0x0", 16) == 0:
            return self._finalized
        # A chain of another kind whose node nevertheless answers the tag knows what it says.
        return self._finalized if self._finalized() is not None else self._deep

    def _head(self) -> int:
        return int(self._rpc.call("eth_blockNumber"), 16)

    def _finalized(self) -> int | None:
        try:
            block: dict[str, Any] | None = self._rpc.call(
                "eth_getBlockByNumber", "finalized", False
            )
        except NodeError:  # "finalized block not found", "unknown block": each client's own words
            return None
        return None if block is None else int(block["number"], 16)

    def _deep(self) -> int:
        return max(0, self._head() - DEPTH)
