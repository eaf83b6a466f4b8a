"""`hutong up` as a newcomer runs it: from an empty folder, stopped by Ctrl-C, started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.integration.anvil import ROOT, free_port


class Running:
    """A `hutong up` in `home`, and what it has printed so far."""

    def __init__(self, home: Path, **environ: str) -> None:
        self.port = free_port()
        self._log = home.parent / f"up-{self.port}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hutong", "up", "--chain-port", str(free_port())],
                cwd=ROOT,
                env={
                    **{k: v for k, v in os.environ.items() if not k.startswith("HUTONG_")},
                    "HUTONG_HOME": str(home),
                    "HUTONG_PORT": str(self.port),
                    **environ,
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self._log.read_text()

    def wait_for(self, text: str, seconds: float = 90.0) -> str:
        """The line that contains `text`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = re.search(f".*{text}.*", self.said)
            if found:
                return found.group()
            assert self._process.poll() is None, self.said
            time.sleep(0.1)
        raise AssertionError(f"{text!r} was not said:\n{self.said}")

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(60)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def invoice(self) -> str:
        return self.wait_for("invoice ").split()[1].rstrip(",")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_up_verifies_an_invoice_and_goes_on_with_the_same_chain_after_ctrl_c(home: Path) -> None:
    first = Running(home)
    first.wait_for("everything holds")
    key = first.wait_for("key .*hk_").split()[1]
    contract = first.wait_for("contract .*0x").split()[1]
    assert requests.get(f"http://127.0.0.1:{first.port}/healthz", timeout=5).ok
    number = first.invoice()
    assert first.interrupt() == 0, first.said
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{first.port}/healthz", timeout=5)

    second = Running(home)
    second.wait_for("everything holds")
    assert second.wait_for("contract .*0x").split()[1] == contract
    assert int(second.invoice()) == int(number) + 1
    old = requests.get(
        f"http://127.0.0.1:{second.port}/v1/invoices/{number}",
        headers={"Authorization": f"Bearer {key}"},
        timeout=5,
    )
    assert old.json()["status"] == "onchain"
    assert second.interrupt() == 0, second.said


def test_up_starts_again_after_it_was_killed_in_the_middle_of_its_start(home: Path) -> None:
    interrupted = Running(home)
    interrupted.wait_for("deploy ")
    interrupted.kill()
    again = Running(home)
    again.wait_for("everything holds")
    assert again.interrupt() == 0, again.said


def test_a_second_up_in_the_same_folder_is_refused_and_harms_nothing(home: Path) -> None:
    first = Running(home)
    first.wait_for("everything holds")
    second = Running(home)
    second.wait_for("AlreadyUp: another `hutong up` works in", 30)
    assert requests.get(f"http://127.0.0.1:{first.port}/readyz", timeout=5).ok
    assert first.interrupt() == 0


def test_up_uses_another_node_by_its_address_alone(home: Path, anvil: object) -> None:
    running = Running(home, HUTONG_RPC_URL=anvil.url)  # type: ignore[attr-defined]
    running.wait_for("everything holds")
    assert not (home / "chain").exists()
    assert running.interrupt() == 0, running.said
