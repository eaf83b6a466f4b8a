"""The program's own processes, as an operator starts and kills them: by process id, never by name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from tests.integration.anvil import ROOT, free_port


class Program:
    """`python -m hutong COMMAND` in a session of its own."""

    def __init__(self, command: str, environ: dict[str, str], log: Path) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("HUTONG_")}
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hutong", command],
                cwd=ROOT,
                # On a leash: it stops by itself when the tests are killed.
                stdin=subprocess.PIPE,
                env=clean | environ | {"HUTONG_LEASH": "1"},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._log = log

    @property
    def said(self) -> str:
        return self._log.read_text()

    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """As kill -9 does, it and the children it forked."""
        if self.is_running():
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._let_go()

    def stop(self) -> int:
        """Asks it to stop; its exit code."""
        if self.is_running():
            self._process.terminate()
        try:
            return self._process.wait(40)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            self._let_go()

    def _let_go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is None:
            self.stop()
        else:
            self.kill()


class Serving(Program):
    """`hutong serve`, on a free port unless told which; ready when constructed."""

    def __init__(
        self,
        environ: dict[str, str],
        log: Path,
        *,
        port: int | None = None,
        seconds: float = 30.0,
    ) -> None:
        port = port or free_port()
        self.url = f"http://127.0.0.1:{port}"
        super().__init__("serve", {**environ, "HUTONG_PORT": str(port)}, log)
        deadline = time.monotonic() + seconds
        while True:
            try:
                if requests.get(f"{self.url}/healthz", timeout=5).ok:
                    return
            except requests.RequestException:
                pass
            if not self.is_running() or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the gateway does not answer:\n{self.said}")
            time.sleep(0.05)
