"""What the chain answers about a bundle: one array of calls, one of them to the contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from hutong.errors import ContractRefusal, NodeError
from hutong.invoices.bundle import Bundle
from hutong.ledger.contracts import Contracts, Manifest

CONTRACT = "Invoices"


class Asks(Protocol):
    """A node to ask, such as hutong.ledger.client.Node."""

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any | NodeError]:
        """Results of JSON-RPC calls in their order; an item's error is an item."""
        ...


class Answer(NamedTuple):
    """What the node says.

    `header` is IInvoices.Header, or None when `refusal` says why there is none: a contract's error,
    or `NoContract` where no Invoices contract answers. `receipt` of the bundle's transaction, None
    when it names none or the node knows it not. `genesis` is the hash of block 0, when asked for.
    """

    chain_id: int
    header: Any | None
    refusal: ContractRefusal | None
    receipt: dict[str, Any] | None
    genesis: str | None


def ask(bundle: Bundle, node: Asks, contract: str, *, genesis: bool) -> Answer:
    """Asks the contract at `contract` about the bundle. Raises NodeUnavailable, NodeError."""
    contracts = contracts_at(contract)
    data = contracts.encode(CONTRACT, "check", bundle.summary._asdict(), list(bundle.siblings))
    calls: list[tuple[str, Sequence[object]]] = [
        ("eth_chainId", ()),
        ("eth_call", ({"to": contract, "data": "0x" + data.hex()}, "latest")),
    ]
    if bundle.chain.transaction is not None:
        calls.append(("eth_getTransactionReceipt", (bundle.chain.transaction,)))
    if genesis:
        calls.append(("eth_getBlockByNumber", ("0x0", False)))
    chain_id, checked, *rest = node.batch(calls)
    header, refusal = _header(contracts, checked)
    if isinstance(chain_id, NodeError):
        raise chain_id
    receipt = rest.pop(0) if bundle.chain.transaction is not None else None
    block = rest.pop(0) if genesis else None
    for found in (receipt, block):
        if isinstance(found, NodeError):
            raise found
    return Answer(
        chain_id=_quantity(chain_id),
        header=header,
        refusal=refusal,
        receipt=receipt if isinstance(receipt, dict) else None,
        genesis=block.get("hash") if isinstance(block, dict) else None,
    )


def contracts_at(address: str) -> Contracts:
    """Coding for an Invoices contract at `address`; of which chain makes no difference to it."""
    return Contracts(Manifest(chain_id=0, genesis="", start_block=0, addresses={CONTRACT: address}))


def _header(contracts: Contracts, answer: object) -> tuple[Any | None, ContractRefusal | None]:
    if isinstance(answer, NodeError):
        refusal = contracts.refusal(answer)
        if refusal is None:
            raise answer
        return None, refusal
    try:
        octets = bytes.fromhex(str(answer).removeprefix("0x"))
        if octets:
            return contracts.decode_result(CONTRACT, "check", octets), None
    except ValueError:
        pass  # another contract, with an answer of its own
    return None, ContractRefusal("NoContract", detail="no Invoices contract answers there")


def _quantity(value: object) -> int:
    try:
        return int(str(value), 16)
    except ValueError:
        raise NodeError(f"the node gave {value!r} where a quantity is due") from None
