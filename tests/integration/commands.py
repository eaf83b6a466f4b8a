"""The agencies' commands as people run them: processes with options and exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from hutong.ledger.embedded import EmbeddedGanache
from tests.integration.anvil import ROOT, Anvil


class Result(NamedTuple):
    """What a command left; `text` is everything that it wrote."""

    code: int
    text: str


def environment(**values: str) -> dict[str, str]:
    """This process's environment without settings of ours, and with the values."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HUTONG_")}
    return {**clean, **values}


class Commands:
    """Commands on one chain with one manifest; `key` is the chain's rich account's if not given."""

    def __init__(
        self, chain: EmbeddedGanache | Anvil, manifest: Path, key: bytes | None = None
    ) -> None:
        self.manifest = manifest
        self._key = key or chain.key
        self._url = chain.url

    def command(self, name: str, *args: str) -> list[str]:
        script = str(ROOT / "scripts" / f"{name}.py")
        where = ["--network", self._url, "--manifest", str(self.manifest)]
        return [sys.executable, script, *where, *args]

    def environment(self, **values: str) -> dict[str, str]:
        return environment(**{"HUTONG_KEY": self._key.hex(), **values})

    def run(self, name: str, *args: str, **values: str) -> Result:
        done = subprocess.run(
            self.command(name, *args),
            env=self.environment(**values),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        text = done.stdout + done.stderr
        assert self._key.hex() not in text
        return Result(done.returncode, text)
