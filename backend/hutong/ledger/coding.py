"""Python values to Solidity's ABI encoding and back; codes and currencies are text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode

from hutong.merkle import keccak

Parameter = Mapping[str, Any]  # an entry of `inputs` or `outputs` of a contract's ABI
# From here on integers are text in JSON: JavaScript and some databases lose digits beyond 2^53.
PLAIN_BITS = 53


class Struct(dict[str, Any]):
    """A Solidity struct, or several outputs: a dictionary whose items are attributes, too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def type_of(parameter: Parameter) -> str:
    """Canonical type of a parameter: tuples are spelled out, as signatures want them."""
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(type_of, parameter['components']))}){kind[5:]}"


def signature(entry: Mapping[str, Any]) -> str:
    """Signature of a function, event or error: its name and its canonical types."""
    return f"{entry['name']}({','.join(map(type_of, entry['inputs']))})"


def encode_arguments(parameters: Sequence[Parameter], values: Sequence[object]) -> bytes:
    """ABI encoding of values given as text, octets, integers, lists, or mappings for structs.

    Raises ValueError, naming the parameter, where a value does not fit.
    """
    if len(parameters) != len(values):
        raise ValueError(f"{len(parameters)} arguments are due, {len(values)} were given")
    prepared = []
    for parameter, value in zip(parameters, values, strict=True):
        try:
            prepared.append(_to_abi(parameter, value))
            abi_encode([type_of(parameter)], prepared[-1:])
        except Exception as error:  # eth_abi has a tree of its own
            raise ValueError(f"{parameter['name'] or parameter['type']}: {error}") from error
    return abi_encode([type_of(parameter) for parameter in parameters], prepared)


def decode_values(parameters: Sequence[Parameter], data: bytes) -> list[Any]:
    """Values of `parameters` in `data`. Raises ValueError when the data is not their encoding."""
    try:
        values = abi_decode([type_of(parameter) for parameter in parameters], data)
    except Exception as error:
        raise ValueError(f"not an encoding of {len(parameters)} values: {error}") from error
    return [from_abi(p, value) for p, value in zip(parameters, values, strict=True)]


def from_abi(parameter: Parameter, value: Any) -> Any:
    """A decoded value in Hutong's words."""
    kind = str(parameter["type"])
    if kind.endswith("]"):
        element = {**parameter, "type": kind[: kind.rindex("[")]}
        return [from_abi(element, item) for item in value]
    if kind == "tuple":
        parts = zip(parameter["components"], value, strict=True)
        return Struct((part["name"], from_abi(part, item)) for part, item in parts)
    if kind in ("bytes18", "bytes3"):
        return text_of(value)
    if kind == "address":
        return checksum(value)
    return value


def word_value(kind: str, word: bytes) -> Any:
    """Value of a static elementary type in its 32-byte word; far faster than the general way."""
    if kind.startswith("uint"):
        return int.from_bytes(word, "big")
    if kind == "address":
        return checksum("0x" + word[12:].hex())
    if kind in ("bytes18", "bytes3"):
        return text_of(word[: int(kind[5:])])
    if kind == "bool":
        return word[31] == 1
    if kind.startswith("bytes"):
        return word[: int(kind[5:])]
    return from_abi({"type": kind}, abi_decode([kind], word)[0])


def is_word(kind: str) -> bool:
    """Whether a type is elementary and static: one word."""
    return kind not in ("string", "bytes") and kind[-1] not in ")]"


def plain(parameter: Parameter, value: Any) -> Any:
    """A value as JSON can carry it: octets as 0x-hex, integers of more than 53 bits as text."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    kind = str(parameter["type"])
    if isinstance(value, list):
        element = {**parameter, "type": kind[: kind.rindex("[")]}
        return [plain(element, item) for item in value]
    if isinstance(value, Struct):
        return {part["name"]: plain(part, value[part["name"]]) for part in parameter["components"]}
    if isinstance(value, int) and not isinstance(value, bool):
        # By the type, not by the value, so that a field does not change its kind as it grows.
        bits = int(kind.lstrip("uint") or 256)
        return value if bits <= PLAIN_BITS else str(value)
    return value


def text_of(code: bytes) -> str:
    """ASCII of a bytes18 or bytes3; empty when all zero; \\xNN for what is not ASCII."""
    return code.rstrip(b"\0").decode("ascii", "backslashreplace")


@lru_cache(maxsize=65_536)
def checksum(address: str) -> str:
    """The address in EIP-55 capitals. Raises ValueError when it is none."""
    digits = address.removeprefix("0x").lower()
    if len(digits) != 40 or len(bytes.fromhex(digits)) != 20:
        raise ValueError(f"{address!r} is no address")
    marks = keccak(digits.encode()).hex()
    return "0x" + "".join(
        char.upper() if mark >= "8" else char for char, mark in zip(digits, marks, strict=False)
    )


def _to_abi(parameter: Parameter, value: Any) -> Any:
    kind = str(parameter["type"])
    if kind.endswith("]"):
        element = {**parameter, "type": kind[: kind.rindex("[")]}
        return [_to_abi(element, item) for item in value]
    if kind == "tuple":
        parts = parameter["components"]
        if isinstance(value, Mapping):
            value = [value[part["name"]] for part in parts]
        return tuple(_to_abi(p, item) for p, item in zip(parts, value, strict=True))
    if kind.startswith("bytes") and isinstance(value, str):
        return _octets(kind, value)
    if kind == "address":
        return checksum(value)
    return value


def _octets(kind: str, text: str) -> bytes:
    """Text of a bytesN: 0x-hex, or the ASCII of a code or currency, which must fill it."""
    octets = bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode("ascii")
    size = kind[5:]
    if size and len(octets) != int(size):
        raise ValueError(f"{text!r} has {len(octets)} octets, not {size}")
    return octets
