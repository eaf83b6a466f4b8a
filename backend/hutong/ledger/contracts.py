"""The contracts by their ABIs: calls, results, events and errors in Python values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import orjson

from hutong.errors import ContractRefusal, NodeError
from hutong.ledger import coding, issuing
from hutong.ledger.client import Node
from hutong.ledger.coding import Struct
from hutong.ledger.issuing import IssueCall
from hutong.ledger.manifest import Manifest
from hutong.merkle import keccak

__all__ = ["Contracts", "Event", "IssueCall", "Manifest", "Struct", "call"]

Entry = Mapping[str, Any]  # one function, event or error of an ABI
PANIC = keccak(b"Panic(uint256)")[:4]
ERROR = keccak(b"Error(string)")[:4]
# https://docs.soliditylang.org/en/v0.8.30/control-structures.html#panic-via-assert-and-error-via-require
PANICS = {0x01: "assertion", 0x11: "overflow", 0x12: "division by zero", 0x32: "index out of range"}


class Event(NamedTuple):
    """A contract's event; `args` in Hutong's words: codes and currencies are text."""

    contract: str
    name: str
    args: dict[str, Any]
    block: int
    block_hash: bytes
    log_index: int
    tx_hash: str


class Contracts:
    """The contracts of a manifest. Codes and decodes; needs no node for it."""

    encode_issue = staticmethod(issuing.encode_issue)
    encode_issue_many = staticmethod(issuing.encode_issue_many)
    decode_issue = staticmethod(issuing.decode_issue)

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._addresses = {
            name: coding.checksum(value) for name, value in manifest.addresses.items()
        }
        self._names = {value.lower(): name for name, value in self._addresses.items()}

    def address(self, name: str) -> str:
        """Address of a contract, with EIP-55 capitals. Raises KeyError for an unknown name."""
        return self._addresses[name]

    @property
    def addresses(self) -> list[str]:
        return list(self._addresses.values())

    def encode(self, contract: str, function: str, *args: object) -> bytes:
        """Calldata. Structs are mappings or sequences, bytesN octets, 0x-hex, codes or currencies.

        An overloaded function is found by its number of arguments, or named by its signature.
        Raises ValueError where an argument does not fit, KeyError for an unknown function.
        """
        entry = _function(contract, function, len(args))
        return _selector(entry) + coding.encode_arguments(entry["inputs"], args)

    def selector(self, contract: str, function: str) -> bytes:
        """A function's four bytes. Raises KeyError for an unknown function."""
        return _selector(_function(contract, function, None))

    def decode_result(self, contract: str, function: str, data: bytes) -> Any:
        """What a function returned: a value, a Struct, or a Struct of several; None for nothing."""
        outputs = _function(contract, function, None)["outputs"]
        values = coding.decode_values(outputs, data)
        if len(values) > 1:
            names = [o["name"] or str(i) for i, o in enumerate(outputs)]
            return Struct(zip(names, values, strict=True))
        return values[0] if values else None

    def decode_log(self, log: Mapping[str, Any]) -> Event | None:
        """Event of a raw log; None when it is none of these contracts'. ValueError if broken."""
        contract = self._names.get(log["address"].lower())
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
        if contract is None or not topics:
            return None
        reader = _events(contract).get(topics[0])
        if reader is None:
            return None
        return Event(
            contract=contract,
            name=reader.name,
            args=reader.read(topics[1:], bytes.fromhex(log["data"][2:])),
            block=int(log["blockNumber"], 16),
            block_hash=bytes.fromhex(log["blockHash"][2:]),
            log_index=int(log["logIndex"], 16),
            tx_hash=log["transactionHash"],
        )

    def decode_error(self, data: bytes | None) -> ContractRefusal:
        """Solidity's error by name and JSON-able arguments; `Reverted` where no name is known."""
        if not data:
            return ContractRefusal("Reverted", detail="the contract reverted without a reason")
        try:
            if data[:4] == ERROR:
                reason = coding.decode_values([{"type": "string"}], data[4:])[0]
                return ContractRefusal("Reverted", {"reason": reason})
            if data[:4] == PANIC:
                code = int.from_bytes(data[4:], "big")
                return ContractRefusal("Panic", {"panic": code, "means": PANICS.get(code, "?")})
            entry = _errors().get(data[:4])
            if entry is not None:
                values = coding.decode_values(entry["inputs"], data[4:])
                named = zip(entry["inputs"], values, strict=True)
                return ContractRefusal(
                    entry["name"], {p["name"]: coding.plain(p, value) for p, value in named}
                )
        except ValueError:
            pass  # somebody else's contract may answer anything
        return ContractRefusal("Reverted", {"data": "0x" + data[:1024].hex()})

    def refusal(self, error: NodeError) -> ContractRefusal | None:
        """The contract's refusal in a node's answer; None when the node failed otherwise."""
        # -32000 with data may also be geth's "insufficient funds"; only a revert carries octets.
        if error.data or "revert" in error.detail.lower():
            return self.decode_error(error.data)
        return None


def call(
    node: Node,
    contracts: Contracts,
    contract: str,
    function: str,
    *args: object,
    block: int | str = "latest",
) -> Any:
    """Result of a view function. Raises ContractRefusal (reverted), NodeError, NodeUnavailable."""
    data = contracts.encode(contract, function, *args)
    try:
        answer = node.eth_call(contracts.address(contract), data, block)
    except NodeError as error:
        raise contracts.refusal(error) or error from error
    if not answer and _function(contract, function, len(args))["outputs"]:
        raise NodeError(f"there is no contract {contract} at {contracts.address(contract)}")
    return contracts.decode_result(contract, function, answer)


class _EventReader:
    """Arguments of one kind of event. Words are read directly: logs come by the million."""

    def __init__(self, entry: Entry) -> None:
        self.name: str = entry["name"]
        self._indexed = [i for i in entry["inputs"] if i["indexed"]]
        self._others = [i for i in entry["inputs"] if not i["indexed"]]
        self._order = [i["name"] for i in entry["inputs"]]
        self._words = all(coding.is_word(i["type"]) for i in self._others)

    def read(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        if len(topics) != len(self._indexed):
            raise ValueError(f"{self.name} has {len(self._indexed)} topics, not {len(topics)}")
        # A string or list that is indexed is its hash only.
        found = {
            p["name"]: coding.word_value(p["type"], topic) if coding.is_word(p["type"]) else topic
            for p, topic in zip(self._indexed, topics, strict=True)
        }
        if not self._words:
            values = coding.decode_values(self._others, data)
            found.update((p["name"], v) for p, v in zip(self._others, values, strict=True))
        elif len(data) != 32 * len(self._others):
            raise ValueError(f"{self.name} has {len(self._others)} words, not {len(data)} octets")
        else:
            for i, p in enumerate(self._others):
                found[p["name"]] = coding.word_value(p["type"], data[32 * i : 32 * i + 32])
        return {name: found[name] for name in self._order}


@cache
def abi(contract: str) -> list[Entry]:
    """ABI of a contract, from the package. Raises KeyError for an unknown name."""
    path = files("hutong") / "abi" / f"{contract}.json"
    if not path.is_file():
        raise KeyError(contract)
    entries: list[Entry] = orjson.loads(path.read_bytes())
    return entries


@cache
def _function(contract: str, function: str, arguments: int | None) -> Entry:
    found = [
        entry
        for entry in abi(contract)
        if entry["type"] == "function"
        and function in (entry["name"], coding.signature(entry))
        and arguments in (None, len(entry["inputs"]))
    ]
    # Decoding does not say how many arguments there were: our overloads return the same.
    if not found or (len(found) > 1 and arguments is not None):
        raise KeyError(f"{contract}.{function}")
    return found[0]


def _selector(entry: Entry) -> bytes:
    return _signature_hash(coding.signature(entry))[:4]


@cache
def _signature_hash(signature: str) -> bytes:
    return keccak(signature.encode())


@cache
def _events(contract: str) -> dict[bytes, _EventReader]:
    entries = [entry for entry in abi(contract) if entry["type"] == "event"]
    return {_signature_hash(coding.signature(entry)): _EventReader(entry) for entry in entries}


@cache
def _errors() -> dict[bytes, Entry]:
    """Errors of all contracts, whatever the manifest names: they call one another."""
    folder = files("hutong") / "abi"
    names = [path.name[:-5] for path in folder.iterdir() if path.name.endswith(".json")]
    entries = [e for name in sorted(names) for e in abi(name) if e["type"] == "error"]
    return {_selector(entry): entry for entry in entries}
