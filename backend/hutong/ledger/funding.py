"""Gas money for accounts of our own, on chains where gas costs something."""

from __future__ import annotations

import time

from hutong.errors import HutongError, NodeError
from hutong.ledger import transact
from hutong.ledger.client import Node

_PATIENCE = 120.0


class AccountUnfunded(HutongError):
    """An account that sends transactions can pay for them."""


def fund(node: Node, account: str, wei: int, *, source: bytes | None = None) -> int:
    """Sees to it that `account` owns at least half of `wei`; returns what was sent to it, in wei.

    Nothing is needed where gas is free. The money comes from the private key `source`, else from an account that the
    node itself keeps unlocked (development chains). Raises AccountUnfunded when there is neither, NodeUnavailable.
    """
    fees = node.fees()
    if fees.max_fee == 0 or node.balance(account) >= wei // 2:
        return 0
    if source is not None:
        return wei if transact.fund(node, source, account, wei) is not None else 0
    sent = _from_unlocked(node, account, wei)
    deadline = time.monotonic() + _PATIENCE
    while node.receipts([sent])[0] is None:
        if time.monotonic() > deadline:
            raise AccountUnfunded(f"the transfer {sent} to {account} is not mined")
        time.sleep(0.2)
    return wei


def _from_unlocked(node: Node, account: str, wei: int) -> str:
    for rich in node.call("eth_accounts"):
        if node.balance(rich) > wei:
            try:
                return str(
                    node.call(
                        "eth_sendTransaction", {"from": rich, "to": account, "value": hex(wei)}
                    )
                )
            except NodeError:
                continue  # known to the node, but locked
    raise AccountUnfunded(
        f"{account} has no money for gas on this chain; send it some, or use a chain where gas is free",
        account=account,
        wei=wei,
    )
