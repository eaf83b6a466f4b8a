"""A whole installation in a temporary folder, on a chain of a named kind, for measuring."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Self

import requests

from hutong.cli.demonstration import Demonstration
from hutong.cli.leash import leashed, let_go
from hutong.cli.wiring import Parts
from hutong.config import Settings
from hutong.ledger.deployment import deploy
from hutong.ledger.embedded import EmbeddedGanache
from hutong.ledger.funding import fund
from tests.integration.anvil import ROOT, Anvil, free_port

ARTIFACTS = ROOT / "build" / "contracts-hutong"
ETHER = 10**18


class Site:
    """Chain, contracts, demonstration's participants, worker and gateway; `block_time` in seconds."""

    def __init__(self, kind: str, block_time: float = 1.0) -> None:
        self.kind, self.block_time = kind, block_time
        self.home = Path(tempfile.mkdtemp(prefix="hutong-bench-"))
        self._children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            return self._start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            let_go(child, 20.0)
        self._chain.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _start(self) -> Self:
        self._chain: Anvil | EmbeddedGanache
        if self.kind == "anvil":
            self._chain = Anvil(block_time=self.block_time).start()
        else:
            self._chain = EmbeddedGanache(self.home / "chain", block_time=self.block_time).start()
        settings = replace(
            Settings.read({"HUTONG_HOME": str(self.home)}),
            rpc_url=self._chain.url,
            port=free_port(),
        )
        self.parts = Parts(settings)
        self.key = self._chain.key
        fund(self.parts.node, self.parts.keystore.ensure("sender"), 5_000 * ETHER, source=self.key)
        deploy(self.parts.node, self.key, ARTIFACTS, self.parts.manifest_path, lambda _: None)
        demonstration = Demonstration(self.parts, self.key, lambda _: None)
        demonstration.prepare()
        self.url = f"http://127.0.0.1:{settings.port}"
        environ = {
            **os.environ,
            "HUTONG_HOME": str(self.home),
            "HUTONG_RPC_URL": self._chain.url,
            "HUTONG_PORT": str(settings.port),
        }
        self._children = [leashed([name], environ) for name in ("work", "serve")]
        deadline = time.monotonic() + 60
        while True:
            try:
                if requests.get(f"{self.url}/readyz", timeout=2).ok:
                    break
            except requests.RequestException:
                pass
            if time.monotonic() > deadline:
                raise TimeoutError("the gateway does not get ready")
            time.sleep(0.2)
        demonstration.secrets()
        self.api_key = demonstration.shop_key
        return self
