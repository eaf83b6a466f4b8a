"""`hutong up`: everything on one machine, from an empty folder to a verified invoice, until Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO

import requests

from hutong.cli.demonstration import Demonstration, first_invoice
from hutong.cli.leash import leashed, let_go
from hutong.cli.wiring import Parts
from hutong.config import Settings
from hutong.errors import HutongError, NodeUnavailable, Unavailable
from hutong.ledger.deployment import deploy
from hutong.ledger.embedded import EmbeddedGanache
from hutong.ledger.funding import fund

Report = Callable[[str], None]

_ETHER = 10**18
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


class AlreadyUp(Unavailable):
    """One `hutong up` at a time works in a folder."""


class Up:
    """One installation on one machine. `run` returns after SIGINT or SIGTERM, with everything stopped."""

    def __init__(
        self, settings: Settings, artifacts: Path, report: Report, chain_port: int
    ) -> None:
        self._settings, self._artifacts, self._report = settings, artifacts, report
        self._chain_port = chain_port
        self._chain: EmbeddedGanache | None = None
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._stop = threading.Event()
        self._lock: IO[str] | None = None

    def run(self) -> None:
        """Raises AlreadyUp, ChainFailed, AccountUnfunded, ContractRefusal and what else keeps it from starting."""
        self._take_folder()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stop.set())
        try:
            self._start()
            while not self._stop.wait(1.0):
                self._tend()
            self._report("stopping ...")
        finally:
            for name in reversed(list(self._children)):
                let_go(self._children[name], _STOP_SECONDS)
            if self._chain is not None:
                self._chain.stop()
        self._report("stopped; everything is kept in " + str(self._settings.home))

    def _take_folder(self) -> None:
        self._settings.home.mkdir(parents=True, exist_ok=True)
        self._lock = (self._settings.home / "up.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyUp(f"another `hutong up` works in {self._settings.home}") from None

    def _start(self) -> None:
        settings = self._settings
        source: bytes | None = None
        if settings.rpc_url is None:
            self._report("chain     starting the embedded chain (Ganache)")
            # Blocks come with transactions: an idle chain does not grow.
            chain = EmbeddedGanache(settings.home / "chain", self._chain_port, block_time=0)
            self._chain = chain.start()
            settings = replace(settings, rpc_url=chain.url)
            source = chain.key
        parts = Parts(settings)
        self._wait_for_node(parts)
        bureau = parts.keystore.ensure("bureau")
        for account, wei in ((bureau, 10), (parts.keystore.ensure("sender"), 1_000)):
            if fund(parts.node, account, wei * _ETHER, source=source):
                self._report(f"chain     funded {account}")
        key = parts.keystore.key(bureau)
        deploy(
            parts.node,
            key,
            self._artifacts,
            parts.manifest_path,
            lambda line: self._report(f"deploy    {line}"),
        )
        demonstration = Demonstration(parts, key, self._report)
        demonstration.prepare()
        if self._stop.is_set():
            return
        self._environ = {
            **os.environ,
            "HUTONG_HOME": str(settings.home),
            "HUTONG_RPC_URL": settings.rpc_url or "",
            "HUTONG_MANIFEST": str(parts.manifest_path),
        }
        for name in ("work", "serve"):
            self._report(f"{name:9} starting")
            self._children[name] = leashed([name], self._environ)
        url = f"http://{settings.host}:{settings.port}"
        self._wait_for_gateway(url)
        if self._stop.is_set():
            return
        demonstration.secrets()
        first_invoice(parts, demonstration, url, self._report)
        self._report("")
        for line in demonstration.addresses(url):
            self._report(line)

    def _wait_for_node(self, parts: Parts) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._stop.is_set():
            try:
                parts.node.chain_id()
                return
            except NodeUnavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def _wait_for_gateway(self, url: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._stop.is_set():
            self._tend()
            try:
                if requests.get(f"{url}/readyz", timeout=2).status_code == 200:
                    return
            except requests.RequestException:
                pass
            if time.monotonic() > deadline:
                raise Unavailable(f"the gateway does not answer on {url}")
            time.sleep(0.2)

    def _tend(self) -> None:
        """Starts again what has ended by itself."""
        if self._chain is not None and not self._chain.is_running() and not self._stop.is_set():
            self._report("chain     has ended; starting it again")
            self._chain.stop()
            try:
                self._chain.start()
            except HutongError as error:
                self._report(f"chain     {error.detail}")
        for name, child in list(self._children.items()):
            if child.poll() is not None and not self._stop.is_set():
                self._report(f"{name:9} ended with code {child.returncode}; starting it again")
                time.sleep(1.0)
                self._children[name] = leashed([name], self._environ)
