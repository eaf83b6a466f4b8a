"""Where the contracts of one chain stand: written by deployment, read by everybody else."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hutong.errors import HutongError


class ManifestInvalid(HutongError):
    """A manifest names a chain, its genesis and the contracts' addresses."""


@dataclass(frozen=True)
class Manifest:
    """One deployment.

    `genesis` is the hash of block 0 (0x-hex): another hash means another chain, even with the same
    id. `abi` and `code` are the SHA-256 (hex) of each contract's ABI, as in the package, and of its
    creation code. `predecessor` is the file name of the manifest that this deployment replaces.
    """

    chain_id: int
    genesis: str
    start_block: int
    addresses: dict[str, str]
    abi: dict[str, str] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    predecessor: str | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Manifest:
        """Reads a manifest. Raises ManifestInvalid, naming the file, for anything else."""
        path = Path(path)
        try:
            content: dict[str, Any] = json.loads(path.read_bytes())
            return cls(
                chain_id=int(content["chain_id"]),
                genesis=str(content["genesis"]),
                start_block=int(content["start_block"]),
                addresses={str(k): str(v) for k, v in content["addresses"].items()},
                abi=dict(content.get("abi") or {}),
                code=dict(content.get("code") or {}),
                predecessor=content.get("predecessor"),
            )
        except FileNotFoundError as error:
            raise ManifestInvalid(f"there is no manifest {path}: deploy first") from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ManifestInvalid(f"{path} is no manifest: {error!r}") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the manifest; nobody ever sees half of it."""
        write_json(Path(path), asdict(self))


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replaces a JSON file in one step, and on the disk before this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # One name for all: what a killed writer left is overwritten by the next.
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
