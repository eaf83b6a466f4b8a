"""Foundry's anvil as a chain for tests: started on a free port, stopped by its process id."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from hutong.errors import NodeUnavailable
from hutong.ledger.client import Node

ROOT = Path(__file__).resolve().parents[2]
CHAIN_ID = 20261
# The first of anvil's well-known accounts.
KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")


class Anvil:
    """An anvil with blocks every `block_time` seconds; `options` are its command line's."""

    key = KEY

    def __init__(self, *options: str, block_time: float = 0.25, port: int | None = None) -> None:
        self.port = port or free_port()
        self._options = ["--block-time", str(block_time), *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        binary = ROOT / "node_modules" / ".bin" / "anvil"
        fixed = (
            f"--host 127.0.0.1 --port {self.port} --chain-id {CHAIN_ID} --hardfork paris --silent"
        )
        self._process = subprocess.Popen(
            [str(binary), *fixed.split(), *self._options], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                self.node.block_number()
                return self
            except NodeUnavailable:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def node(self) -> Node:
        return Node(self.url)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
