"""The chain of one machine: it comes back whole, whoever was killed, and is there once."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from coincurve import PrivateKey

from hutong.errors import NodeError, NodeUnavailable
from hutong.ledger.client import Node
from hutong.ledger.consents import address_of
from hutong.ledger.embedded import CHAIN_ID, ChainFailed, ChainInUse, EmbeddedGanache
from hutong.ledger.transact import Call, send

PERSON = "0x" + "7a" * 20
# Another process that runs the chain of a folder, says where, and waits.
OWNER = """
import sys, time
from hutong.ledger.embedded import EmbeddedGanache
chain = EmbeddedGanache(sys.argv[1], block_time=0).start()
print(chain.url, chain.pid, flush=True)
time.sleep(600)
"""


def pay(chain: EmbeddedGanache, wei: int) -> None:
    send(chain.node, None, chain.key, Call(PERSON, b"", wei))


@pytest.mark.parametrize("block_time", [0, 0.2])
def test_chain_comes_back_with_its_blocks(tmp_path: Path, block_time: float) -> None:
    with EmbeddedGanache(tmp_path / "chain", block_time=block_time) as chain:
        assert chain.node.chain_id() == CHAIN_ID
        pay(chain, 5)
        genesis, key = chain.node.block(0), chain.key
    assert not chain.is_running()
    with EmbeddedGanache(tmp_path / "chain", block_time=block_time) as chain:
        assert chain.node.block(0) == genesis
        assert chain.key == key
        assert chain.node.balance(PERSON) == 5
        pay(chain, 6)
        assert chain.node.balance(PERSON) == 11


def test_nothing_acknowledged_is_lost_when_ganache_is_killed(tmp_path: Path) -> None:
    chain = EmbeddedGanache(tmp_path / "chain", block_time=0).start()
    try:
        for _ in range(3):
            pay(chain, 1)
        assert chain.pid is not None
        os.kill(chain.pid, signal.SIGKILL)
        while chain.is_running():
            time.sleep(0.05)
        with pytest.raises(NodeUnavailable):
            chain.node.block_number()
    finally:
        chain.stop()
    chain.start()
    try:
        assert chain.node.balance(PERSON) == 3
        pay(chain, 1)
        assert chain.node.balance(PERSON) == 4
    finally:
        chain.stop()


def test_chain_ends_with_its_owner_and_the_next_one_takes_over(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "chain")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert owner.stdout is not None
        url, _ = owner.stdout.readline().split()
        began = time.monotonic()
        with pytest.raises(ChainInUse, match=str(owner.pid)):
            EmbeddedGanache(tmp_path / "chain").start()
        assert time.monotonic() - began < 2
        assert Node(url).chain_id() == CHAIN_ID
    finally:
        owner.kill()  # not waited for yet: the chain must go by itself
    with EmbeddedGanache(tmp_path / "chain", block_time=0) as chain:
        assert chain.node.block_number() == 0
        if chain.url != url:
            with pytest.raises(NodeUnavailable):
                Node(url).chain_id()
    owner.wait()


def test_chain_that_is_slow_to_end_is_waited_for(tmp_path: Path) -> None:
    """The owner is gone, its Ganache still has the database: two on one would spoil it."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "chain")], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    ganache = int(owner.stdout.readline().split()[1])
    os.kill(ganache, signal.SIGSTOP)
    owner.kill()
    owner.wait()
    threading.Timer(2, os.kill, (ganache, signal.SIGCONT)).start()
    began = time.monotonic()
    with EmbeddedGanache(tmp_path / "chain", block_time=0) as chain:
        assert time.monotonic() - began > 1.5
        assert chain.node.block_number() == 0


def test_port_in_use_is_told_and_leaves_nothing_behind(
    tmp_path: Path, ganache: EmbeddedGanache
) -> None:
    second = EmbeddedGanache(tmp_path / "chain", ganache.port)
    with pytest.raises(ChainFailed, match=str(ganache.port)):
        second.start()
    assert not second.is_running()
    with EmbeddedGanache(tmp_path / "chain", block_time=0):
        pass


def test_secret_is_seen_by_nobody_else(tmp_path: Path) -> None:
    with EmbeddedGanache(tmp_path / "chain", block_time=0) as chain:
        secret = tmp_path / "chain" / "secret"
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700
        assert chain.pid is not None
        for file in (Path(f"/proc/{chain.pid}/cmdline"), Path(f"/proc/{chain.pid}/environ")):
            if file.exists():
                assert chain.key.hex().encode() not in file.read_bytes()
        assert chain.key.hex() not in (tmp_path / "chain" / "ganache.log").read_text()
        account = address_of(PrivateKey(chain.key))
        with pytest.raises(NodeError, match="authentication needed"):
            chain.node.call("eth_sendTransaction", {"from": account, "to": PERSON, "value": "0x1"})


def test_idle_chain_does_not_grow_without_block_time(tmp_path: Path) -> None:
    with EmbeddedGanache(tmp_path / "chain", block_time=0) as chain:
        pay(chain, 1)
        before = chain.node.block_number()
        time.sleep(1)
        assert chain.node.block_number() == before == 1


def test_starting_twice_is_starting_once(ganache: EmbeddedGanache) -> None:
    pid = ganache.pid
    assert ganache.start().pid == pid
