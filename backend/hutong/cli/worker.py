"""The worker: follows the chain, cuts batches, sends them, delivers notices; of several, one works."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.engine import Engine

from hutong.cli.wiring import Parts
from hutong.errors import ChainMismatch, ContractRefusal, HutongError, LeaseLost, NodeError
from hutong.invoices.batcher import Batcher
from hutong.invoices.facts import InvoiceFacts
from hutong.ledger.client import Node
from hutong.ledger.contracts import Contracts
from hutong.ledger.indexer import Indexer
from hutong.ledger.lease import Lease
from hutong.ledger.outbox import reopen
from hutong.ledger.pulse import beat
from hutong.ledger.sender import Sender
from hutong.participants.facts import ParticipantFacts
from hutong.webhooks.notices import Notices

log = logging.getLogger(__name__)

_IDLE = 0.1
_TROUBLE = 1.0
_PULSE = 2.0
_LEASE = 10.0

#: One round of a loop; True when there is more to do at once.
Step = Callable[[], bool]


@dataclass
class Loop:
    """A named loop with its own thread: steps while the lease is held, waits when idle or in trouble."""

    name: str
    step: Step
    engine: Engine
    lease: Lease
    stop: threading.Event
    idle: float = _IDLE
    fatal: list[BaseException] = field(default_factory=list)
    _pulse: tuple[float, bool] = (0.0, True)

    def run(self) -> None:
        """Until `stop`; trouble that passes is told once and waited out."""
        while not self.stop.is_set():
            pause = self.idle
            if self.lease.held:
                try:
                    pause = 0.0 if self.step() else self.idle
                    self._beat(None)
                except LeaseLost as error:
                    log.warning("%s: %s", self.name, error.detail)
                except ChainMismatch as error:
                    self.fatal.append(error)
                    self.stop.set()
                except HutongError as error:
                    self._beat(f"{error.code}: {error.detail}")
                    pause = _TROUBLE
                except Exception as error:
                    log.exception("%s failed; it is tried again", self.name)
                    self._beat(f"{type(error).__name__}: {error}")
                    pause = _TROUBLE
            self.stop.wait(pause)

    def _beat(self, trouble: str | None) -> None:
        last, well = self._pulse
        now = time.time()
        if well != (trouble is None):
            log.warning("%s: %s", self.name, trouble or "goes on")
        elif now - last < _PULSE:
            return
        self._pulse = (now, trouble is None)
        try:
            beat(self.engine, self.name, well=trouble is None, detail=trouble or "")
        except HutongError as error:
            log.warning("%s: no sign of life could be written: %s", self.name, error.detail)


class Worker:
    """All loops of one process over one lease."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stop = threading.Event()
        engine, node, contracts = parts.engine, parts.node, parts.contracts
        self._lease = Lease(engine, "worker", seconds=_LEASE)
        account = parts.keystore.ensure("sender")
        self._sender = Sender(engine, node, self._lease, parts.keystore.key(account))
        invoices = contracts.address("Invoices")
        batcher = Batcher(
            engine,
            self._lease,
            parts.cashiers,
            account=account,
            to=invoices,
            trial=_trial(node, contracts, invoices, account),
            listener=Notices.book,
        )
        indexer = Indexer(
            engine,
            node,
            contracts,
            self._lease,
            [ParticipantFacts(), InvoiceFacts(node, Notices.batch)],
            rewound=reopen,
        )
        self._opened = False
        tick = _Tick(parts.settings.batch_seconds)
        steps: dict[str, Step] = {
            "indexer": indexer.step,
            "batcher": lambda: self._ready() and batcher.step(partial=tick.due()),
            "sender": lambda: self._ready() and self._sender.step(),
            "webhooks": lambda: parts.webhooks.deliver_due(time.time()) > 0,
        }
        self._loops = [
            Loop(name, step, engine, self._lease, self._stop) for name, step in steps.items()
        ]

    def run(self) -> None:
        """Works until `stop`. Raises what cannot be waited out: ChainMismatch."""
        check_chain(self._parts.node, self._parts.contracts)
        threads = [
            threading.Thread(target=loop.run, name=loop.name, daemon=True) for loop in self._loops
        ]
        for thread in threads:
            thread.start()
        waiting = False
        while not self._stop.is_set():
            try:
                held = self._lease.take()
                if held == waiting:
                    waiting = not held
                    log.info("working" if held else "another worker works; waiting to take over")
            except HutongError as error:
                log.warning("the lease could not be renewed: %s", error.detail)
            self._stop.wait(_LEASE / 4)
        for thread in threads:
            thread.join(timeout=15)
        self._lease.release()
        for loop in self._loops:
            for fault in loop.fatal:
                raise fault

    def stop(self) -> None:
        """Ends `run` after the steps under way."""
        self._stop.set()

    def _ready(self) -> bool:
        """Whether the sender's account is known: it needs the node once."""
        if not self._opened:
            self._sender.open()
            self._opened = True
        return True


class _Tick:
    """Due once every so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._next = seconds, 0.0

    def due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


def check_chain(node: Node, contracts: Contracts) -> None:
    """Raises ChainMismatch when the node carries another chain than the manifest's; a node away is waited for."""
    manifest = contracts.manifest
    try:
        chain_id = node.chain_id()
        code = node.code(contracts.address("Invoices"))
        genesis = node.block(0)
    except HutongError as error:
        log.warning("the node does not answer yet: %s", error.detail)
        return
    known = genesis is None or "0x" + genesis.hash.hex() == manifest.genesis.lower()
    if chain_id != manifest.chain_id or not known:
        raise ChainMismatch(
            f"the node {node.name} carries another chain (its id is {chain_id}) than the manifest's"
            f" {manifest.chain_id} with genesis {manifest.genesis}"
        )
    if not code:
        raise ChainMismatch(f"the node {node.name} has no contracts where the manifest says")


def _trial(
    node: Node, contracts: Contracts, invoices: str, account: str
) -> Callable[[bytes], None]:
    def trial(data: bytes) -> None:
        try:
            node.eth_call(invoices, data, sender=account)
        except NodeError as error:
            refusal: ContractRefusal | None = contracts.refusal(error)
            if refusal is None:
                raise
            raise refusal from error

    return trial
