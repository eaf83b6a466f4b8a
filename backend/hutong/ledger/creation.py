"""Creating contracts so that a killed run is finished by the next one, without a second copy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from hutong.errors import HutongError, NodeError
from hutong.ledger.artifacts import Artifact
from hutong.ledger.client import Node
from hutong.ledger.coding import checksum
from hutong.ledger.governance import DEPLOYER_ALONE, Agencies
from hutong.ledger.manifest import write_json
from hutong.ledger.refusals import SendFailure, classify_send_error
from hutong.ledger.transact import Account, Call, wait_for
from hutong.ledger.transaction import create_address

Report = Callable[[str], None]
ATTEMPTS = 5


class CreationFailed(HutongError):
    """A contract's code stands at the address where it was created."""


class Created(NamedTuple):
    """A contract: its address, and the block that it was created in."""

    address: str
    block: int


class Noted(NamedTuple):
    """A creation as the journal keeps it: signed, perhaps sent, perhaps mined."""

    sender: str
    nonce: int
    raw: str
    hash: str

    @property
    def address(self) -> str:
        return checksum(create_address(self.sender, self.nonce))


class Journal:
    """Signed creations, noted on the disk before they are sent. Of one chain, by its genesis."""

    def __init__(self, path: Path, genesis: str) -> None:
        self._path = path
        self._content: dict[str, Any] = {"genesis": genesis, "contracts": {}}
        if path.exists():
            content = json.loads(path.read_bytes())
            if content.get("genesis") == genesis:  # else of a chain that is no more
                self._content = content

    def get(self, name: str) -> Noted | None:
        noted = self._content["contracts"].get(name)
        return None if noted is None else Noted(**noted)

    def put(self, name: str, noted: Noted | None) -> None:
        """Notes a creation, or forgets it."""
        if noted is None:
            self._content["contracts"].pop(name, None)
        else:
            self._content["contracts"][name] = noted._asdict()
        write_json(self._path, self._content)

    def settle_agencies(self, given: Agencies) -> Agencies:
        """Those given; where none are, those of the run that was cut off."""
        noted = self._content.get("agencies")
        if given == DEPLOYER_ALONE and noted is not None:
            return Agencies(
                tuple(noted["tax_bureau"]),
                tuple(noted["recovery"]),
                tuple(noted["admin"]),
                noted["recovery_delay"],
                noted["hand_over"],
            )
        self._content["agencies"] = given._asdict()
        return given

    def close(self) -> None:
        """Everything in it has become part of a manifest."""
        self._path.unlink(missing_ok=True)


class Creator:
    """Creates contracts from one account, through a journal."""

    def __init__(self, node: Node, account: Account, journal: Journal, report: Report) -> None:
        self._node, self._account, self._journal, self._report = node, account, journal, report

    def create(self, artifact: Artifact, *args: object) -> Created:
        """The contract, created by this run or by an earlier one that was cut off.

        Raises CreationFailed, ContractRefusal (the constructor's), NodeError, NodeUnavailable.
        """
        for _ in range(ATTEMPTS):
            noted = self._journal.get(artifact.name) or self._sign(artifact, args)
            receipt = self._receipt(noted)
            if receipt is not None and int(receipt["status"], 16) == 1:
                if not artifact.matches(self._node.code(noted.address)):
                    raise CreationFailed(
                        f"{artifact.name} at {noted.address} is not of this build; remove the"
                        " journal of the unfinished deployment to begin anew"
                    )
                created = Created(noted.address, int(receipt["blockNumber"], 16))
                self._report(f"{artifact.name} stands at {created.address}")
                return created
            # Something else has used its nonce, or its fee has become too low: sign it anew.
            self._journal.put(artifact.name, None)
        raise CreationFailed(f"{artifact.name} could not be created in {ATTEMPTS} attempts")

    def _sign(self, artifact: Artifact, args: tuple[object, ...]) -> Noted:
        nonce = self._account.nonce()
        signed = self._account.sign(Call(None, artifact.creation(*args)), nonce)
        noted = Noted(self._account.address, nonce, "0x" + signed.raw.hex(), signed.hash)
        self._journal.put(artifact.name, noted)
        self._report(f"{artifact.name} is being created at {noted.address}")
        return noted

    def _receipt(self, noted: Noted) -> dict[str, Any] | None:
        """Receipt of the creation, sent if need be; None when it can never be mined."""
        receipt = self._node.receipts([noted.hash])[0]
        if receipt is not None:
            return receipt
        answer = self._node.send_raw([bytes.fromhex(noted.raw[2:])])[0]
        if isinstance(answer, NodeError):
            if classify_send_error(answer) in (
                SendFailure.NONCE_TOO_LOW,
                SendFailure.REPLACEMENT_UNDERPRICED,
                SendFailure.UNDERPRICED,
            ):
                return None
            raise answer
        return wait_for(self._node, [noted.hash])[0]
