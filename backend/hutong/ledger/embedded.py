"""A chain of one's own: Ganache as a child process, its database in a folder, for one machine."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import select
import socket
import subprocess
import time
from pathlib import Path
from typing import IO, Any, Self

from hutong.errors import Unavailable
from hutong.ledger.client import Node
from hutong.ledger.nodejs import ChainFailed, find_ganache, find_node

__all__ = ["CHAIN_ID", "ChainFailed", "ChainInUse", "EmbeddedGanache"]

CHAIN_ID = 20260
# What the one account of the genesis owns, in wei; from it everybody else is funded.
WEALTH = 10**27
BLOCK_GAS = 30_000_000
CALL_GAS = 100_000_000
# Ganache reads its database before it listens; a long chain takes a while on a busy machine.
START_SECONDS = 60.0
STOP_SECONDS = 15.0
# After its parent was killed, a chain closes its database by itself.
ORPHAN_SECONDS = 20.0
OWNER_SECONDS = 1.0


class ChainInUse(Unavailable):
    """One process at a time runs the chain of a folder."""


class EmbeddedGanache:
    """Ganache with its database in `folder`; the same folder brings the same chain back.

    `block_time` in seconds, may be a fraction; 0: a block as soon as there is a transaction. Port 0
    chooses a free one. The chain listens on 127.0.0.1 only and ends with its parent, even one that
    is killed. Survives being killed itself.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        port: int = 0,
        block_time: float = 1.0,
        *,
        chain_id: int = CHAIN_ID,
    ) -> None:
        self._folder = Path(folder).resolve()
        self._block_time = block_time
        self._chain_id = chain_id
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self.port = port

    def start(self) -> Self:
        """Starts the chain and returns when it answers. Raises ChainInUse, ChainFailed."""
        if self._process is not None:
            return self
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _lock(self._folder / "lock")
        try:
            self.port = self.port or _free_port()
            self._process = self._spawn(self._lock)
            self._wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stops the chain; its database stays."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()  # loses nothing: what was acknowledged is on the disk
                process.wait()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

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

    @property
    def key(self) -> bytes:
        """Private key (32 bytes) of the account that owns all coins; made once a folder."""
        return bytes.fromhex(_secret(self._folder / "secret"))

    @property
    def pid(self) -> int | None:
        """Process id of the running chain."""
        return self._process.pid if self._process is not None else None

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _spawn(self, lock: IO[str]) -> subprocess.Popen[bytes]:
        node = find_node()
        module = find_ganache()
        with (self._folder / "ganache.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own script, no shell
                [str(node), str(Path(__file__).with_name("ganache.js"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # The lock is free when both processes are gone, whichever goes first.
                pass_fds=(lock.fileno(),),
                cwd=self._folder,
            )
        request = {"module": str(module), "port": self.port, "options": self._options()}
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it failed already: _wait_ready says how
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        return process

    def _options(self) -> dict[str, Any]:
        """See Ganache's documentation of its options."""
        account = {"secretKey": "0x" + self.key.hex(), "balance": hex(WEALTH)}
        return {
            "chain": {
                "chainId": self._chain_id,
                "networkId": self._chain_id,
                "hardfork": "shanghai",
            },
            "database": {"dbPath": str(self._folder / "chain")},
            "logging": {"quiet": True},
            "miner": {
                "blockTime": self._block_time,
                "blockGasLimit": hex(BLOCK_GAS),
                "callGasLimit": hex(CALL_GAS),
            },
            # Locked: the node signs nothing for whoever else is on this machine.
            "wallet": {"accounts": [account], "lock": True},
        }

    def _wait_ready(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        line = process.stdout.readline().decode().strip() if readable else "does not answer"
        if line != "ready":
            why = line or f"ended with code {process.wait()}: see {self._folder / 'ganache.log'}"
            raise ChainFailed(f"the embedded chain on port {self.port} {why}")
        found = self.node.chain_id()
        if found != self._chain_id:
            raise ChainFailed(f"the chain in {self._folder} has id {found}, not {self._chain_id}")


def _lock(path: Path) -> IO[str]:
    """The folder's lock, held until closed. Raises ChainInUse."""
    file = path.open("a+")
    began = time.monotonic()
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip()
            waited = time.monotonic() - began
            # A killed process is there for a moment longer.
            if waited > (OWNER_SECONDS if _is_alive(owner) else ORPHAN_SECONDS):
                file.close()
                raise ChainInUse(f"process {owner} runs the chain in {path.parent}") from None
            time.sleep(0.1)  # its owner is gone: the chain is just closing
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _is_alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # Killed, but not yet noticed by its parent: Linux says so by a Z behind the name in brackets.
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def _secret(path: Path) -> str:
    """A private key in hex, in a file of mode 0600 that is made once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first: its secret counts
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
