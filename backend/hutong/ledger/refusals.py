"""Why a node did not take a signed transaction: one answer for every client's words."""

from __future__ import annotations

import enum
import re

from hutong.errors import NodeError


class SendFailure(enum.Enum):
    """What a refusal means for the sender."""

    ALREADY_KNOWN = "the very same bytes are in the node's pool or chain: success"
    NONCE_TOO_LOW = "a transaction with this nonce is mined: these bytes, or others"
    NONCE_TOO_HIGH = "earlier nonces are missing: send those first"
    REPLACEMENT_UNDERPRICED = "another transaction holds this nonce and does not pay less"
    UNDERPRICED = "the fee is below what the node or the next block asks"
    INSUFFICIENT_FUNDS = "the account cannot pay"
    TRANSACTION_TOO_LARGE = "more octets or gas than the node or a block takes"
    POOL_FULL = "the node's pool, or the account's share of it, is full: later"
    SENDER_FORBIDDEN = "the network does not let this account send"
    OTHER = "anything else: see the detail"


# Texts as of Ganache 7.9.2, anvil 1.7.1 (reth's words), geth 1.13 (core/txpool/errors.go,
# core/error.go) and Besu 26 (RpcErrorType.java), in lower case. The first that is found counts:
# "replacement transaction underpriced" contains "transaction underpriced".
_TEXTS: tuple[tuple[SendFailure, str], ...] = (
    (
        SendFailure.ALREADY_KNOWN,
        r"already known|already imported|^known transaction|transaction already exists",
    ),
    (
        SendFailure.NONCE_TOO_HIGH,
        r"nonce too high|gapped.nonce|nonce gap|nonce is too distant"
        r"|invalid transaction with a lower nonce|future transaction tries to replace",
    ),
    (SendFailure.NONCE_TOO_LOW, r"nonce too low"),
    (SendFailure.REPLACEMENT_UNDERPRICED, r"replacement transaction underpriced"),
    (
        SendFailure.UNDERPRICED,
        r"underpriced|gas price below|less than (the )?block'?s? base ?fee|fee ?cap less than block"
        r"|tip (above|higher)|max priority fee per gas (exceeds|higher)|gas price too low",
    ),
    (
        SendFailure.INSUFFICIENT_FUNDS,
        r"insufficient funds|doesn't have enough funds|upfront cost exceeds|insufficient balance",
    ),
    (
        SendFailure.TRANSACTION_TOO_LARGE,
        r"oversized data|exceeds (the )?(block|transaction|configured) gas|gas limit too high"
        r"|length limit exceeded|too large|initcode|greater than \d+ bytes|intrinsic gas too high",
    ),
    (SendFailure.POOL_FULL, r"pool is full|pool full|account limit exceeded|queue is full"),
    (SendFailure.SENDER_FORBIDDEN, r"not authorized to send|not permitted"),
)
_GANACHE_NONCE = re.compile(r"account has nonce of: (\d+) tx has nonce of: (\d+)")
GANACHE_REJECTED = -32003
_RULES = [(failure, re.compile(text)) for failure, text in _TEXTS]


def classify_send_error(error: NodeError) -> SendFailure:
    """Kind of an error that `eth_sendRawTransaction` answered."""
    text = error.detail.lower()
    # Ganache's word, with its code, for a nonce that another waiting transaction holds.
    if text == "transaction underpriced" and error.rpc_code == GANACHE_REJECTED:
        return SendFailure.REPLACEMENT_UNDERPRICED
    if found := _GANACHE_NONCE.search(text):
        low = int(found[2]) < int(found[1])
        return SendFailure.NONCE_TOO_LOW if low else SendFailure.NONCE_TOO_HIGH
    return next((failure for failure, rule in _RULES if rule.search(text)), SendFailure.OTHER)
