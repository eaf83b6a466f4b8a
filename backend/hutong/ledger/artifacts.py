"""What compiling left of each contract: code, ABI, and where its immutables stand."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.errors import HutongError
from hutong.ledger.coding import encode_arguments


class ArtifactInvalid(HutongError):
    """The contracts are compiled, from the sources that are here."""


@dataclass(frozen=True)
class Artifact:
    """A compiled contract. `code` creates it, `runtime` is what then stands at its address.

    `immutables` are (start, length) of the places in `runtime` that the constructor fills in.
    """

    name: str
    abi: list[Mapping[str, Any]]
    code: bytes
    runtime: bytes
    immutables: tuple[tuple[int, int], ...]

    @classmethod
    def load(cls, folder: str | os.PathLike[str], name: str) -> Artifact:
        """Reads build/contracts-hutong/<name>.json. Raises ArtifactInvalid."""
        path = Path(folder) / f"{name}.json"
        try:
            content = json.loads(path.read_bytes())
            places = [p for group in content["immutableReferences"].values() for p in group]
            return cls(
                name=name,
                abi=content["abi"],
                code=bytes.fromhex(content["bytecode"][2:]),
                runtime=bytes.fromhex(content["deployedBytecode"][2:]),
                immutables=tuple(sorted((p["start"], p["length"]) for p in places)),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtifactInvalid(f"{path} is no compiled contract: `make compile`") from error

    def creation(self, *args: object) -> bytes:
        """Code that creates the contract, with the constructor's arguments."""
        found = [entry["inputs"] for entry in self.abi if entry["type"] == "constructor"]
        return self.code + encode_arguments(found[0] if found else [], args)

    def matches(self, code: bytes) -> bool:
        """Whether `code`, as found on a chain, is this contract's, whatever its immutables are."""
        return len(code) == len(self.runtime) and self._masked(code) == self._masked(self.runtime)

    @property
    def abi_hash(self) -> str:
        """SHA-256 of the ABI, in hex; white space does not count."""
        return abi_hash(self.abi)

    @property
    def code_hash(self) -> str:
        """SHA-256 of the creating code, in hex."""
        return hashlib.sha256(self.code).hexdigest()

    def _masked(self, code: bytes) -> bytes:
        masked = bytearray(code)
        for start, length in self.immutables:
            masked[start : start + length] = bytes(length)
        return bytes(masked)


def abi_hash(abi: object) -> str:
    """SHA-256, in hex, of an ABI without white space."""
    return hashlib.sha256(json.dumps(abi, separators=(",", ":")).encode()).hexdigest()
