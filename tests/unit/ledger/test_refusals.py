"""Every client's words for a transaction it does not take, as they were heard or stand in its source."""

from __future__ import annotations

import pytest

from hutong.errors import NodeError
from hutong.ledger.refusals import SendFailure, classify_send_error

HEARD = {
    "ganache 7.9.2": [
        ("REPLACEMENT_UNDERPRICED", "transaction underpriced", -32003),
        (
            "NONCE_TOO_LOW",
            "the tx doesn't have the correct nonce. account has nonce of: 4 tx has nonce of: 3",
            -32000,
        ),
        (
            "NONCE_TOO_HIGH",
            "the tx doesn't have the correct nonce. account has nonce of: 4 tx has nonce of: 5",
            -32000,
        ),
        ("INSUFFICIENT_FUNDS", "insufficient funds for gas * price + value", -32003),
        ("TRANSACTION_TOO_LARGE", "exceeds block gas limit", -32000),
        (
            "TRANSACTION_TOO_LARGE",
            "Transaction's `data`/`input` field is greater than 49152 bytes, which isn't allowed",
            -32000,
        ),
        ("OTHER", "intrinsic gas too low", -32000),
        ("OTHER", "Invalid chain id (5) for chain with id 20260.", -32000),
    ],
    "anvil 1.7.1": [
        ("ALREADY_KNOWN", "transaction already imported", -32003),
        ("REPLACEMENT_UNDERPRICED", "replacement transaction underpriced", -32003),
        ("NONCE_TOO_LOW", "nonce too low", -32003),
        ("UNDERPRICED", "max fee per gas less than block base fee", -32003),
        ("UNDERPRICED", "max priority fee per gas higher than max fee per gas", -32003),
        ("INSUFFICIENT_FUNDS", "Insufficient funds for gas * price + value", -32003),
        (
            "TRANSACTION_TOO_LARGE",
            "intrinsic gas too high -- tx.gas_limit > env.block.gas_limit",
            -32000,
        ),
        ("OTHER", "invalid chain id for signer", -32003),
        ("OTHER", "Failed to decode transaction", -32602),
    ],
    # core/txpool/errors.go, core/txpool/validation.go, core/error.go
    "geth 1.13": [
        ("ALREADY_KNOWN", "already known", -32000),
        ("NONCE_TOO_LOW", "nonce too low: next nonce 7, tx nonce 6", -32000),
        ("NONCE_TOO_HIGH", "nonce too high: tx nonce 9, gapped nonce 7", -32000),
        ("NONCE_TOO_HIGH", "future transaction tries to replace pending", -32000),
        ("REPLACEMENT_UNDERPRICED", "replacement transaction underpriced", -32000),
        (
            "UNDERPRICED",
            "transaction underpriced: gas tip cap 0, minimum needed 1000000000",
            -32000,
        ),
        ("UNDERPRICED", "transaction underpriced", -32000),
        (
            "UNDERPRICED",
            "max fee per gas less than block base fee: address 0x, maxFeePerGas: 1, baseFee: 7",
            -32000,
        ),
        (
            "INSUFFICIENT_FUNDS",
            "insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1",
            -32000,
        ),
        (
            "TRANSACTION_TOO_LARGE",
            "oversized data: transaction size 131123, limit 131072",
            -32000,
        ),
        ("TRANSACTION_TOO_LARGE", "exceeds block gas limit", -32000),
        (
            "TRANSACTION_TOO_LARGE",
            "max initcode size exceeded: code size 49153 limit 49152",
            -32000,
        ),
        ("POOL_FULL", "txpool is full", -32000),
        ("POOL_FULL", "account limit exceeded: pooled 16 txs", -32000),
        ("OTHER", "invalid sender: invalid chain id for signer", -32000),
    ],
    # RpcErrorType.java
    "besu 26": [
        ("ALREADY_KNOWN", "Known transaction", -32000),
        ("NONCE_TOO_LOW", "Nonce too low", -32001),
        ("NONCE_TOO_HIGH", "Nonce too high", -32006),
        ("NONCE_TOO_HIGH", "Transaction nonce is too distant from current sender nonce", -32000),
        ("NONCE_TOO_HIGH", "An invalid transaction with a lower nonce exists", -32000),
        ("REPLACEMENT_UNDERPRICED", "Replacement transaction underpriced", -32000),
        ("UNDERPRICED", "Gas price below configured minimum gas price", -32009),
        ("UNDERPRICED", "Gas price below current base fee", -32009),
        ("UNDERPRICED", "Max priority fee per gas exceeds max fee per gas", -32000),
        ("INSUFFICIENT_FUNDS", "Upfront cost exceeds account balance", -32004),
        ("TRANSACTION_TOO_LARGE", "Transaction gas limit exceeds block gas limit", -32005),
        ("SENDER_FORBIDDEN", "Sender account not authorized to send transactions", -32007),
        ("OTHER", "Wrong chainId", -32000),
        ("OTHER", "Invalid signature", -32002),
    ],
}
CASES = [(client, *case) for client, cases in HEARD.items() for case in cases]


@pytest.mark.parametrize(("client", "kind", "text", "code"), CASES)
def test_words_are_understood(client: str, kind: str, text: str, code: int) -> None:
    assert classify_send_error(NodeError(text, rpc_code=code)) is SendFailure[kind], client
