"""Deploying the contracts: repeatable, and finished by the next run wherever one was cut off."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from coincurve import PrivateKey

from hutong.errors import HutongError
from hutong.ledger.artifacts import Artifact, abi_hash
from hutong.ledger.client import Node
from hutong.ledger.consents import address_of
from hutong.ledger.contracts import Contracts, abi, call
from hutong.ledger.creation import Creator, Journal
from hutong.ledger.governance import DEPLOYER_ALONE, Agencies, govern, missing
from hutong.ledger.manifest import Manifest
from hutong.ledger.transact import Account

Report = Callable[[str], None]
# In this order; each is made with the addresses of earlier ones (or of the deployer).
CONTRACTS: dict[str, tuple[str, ...]] = {
    "Authority": ("deployer",),
    "Participants": ("Authority",),
    "Invoices": ("Authority", "Participants"),
}
# Views that say which of the others a contract was made with.
WIRING = {
    ("Participants", "authority"): "Authority",
    ("Invoices", "authority"): "Authority",
    ("Invoices", "participants"): "Participants",
}


class ChainReset(HutongError):
    """A manifest is of the chain that the node follows."""


class CodeMissing(HutongError):
    """Contracts stand where the manifest says."""


class BuildDiffers(HutongError):
    """The contracts on the chain are of the build that is here."""


def deploy(
    node: Node,
    key: bytes,
    artifacts_dir: str | os.PathLike[str],
    manifest_path: str | os.PathLike[str],
    report: Report,
    *,
    agencies: Agencies = DEPLOYER_ALONE,
    predecessor: str | None = None,
) -> Manifest:
    """Brings a chain to a complete deployment and returns its manifest; changes only what is missing.

    `report` takes a line for each thing done. Progress is kept in `<manifest>.partial`; a run that
    finishes another's work and is given no agencies takes those of the first. Raises
    ChainReset, CodeMissing, BuildDiffers, ArtifactInvalid, ContractRefusal, NodeUnavailable.
    """
    path = Path(manifest_path)
    artifacts = load_artifacts(artifacts_dir)
    before = examine(node, artifacts, path)
    journal = Journal(_journal_path(path), genesis_of(node))
    agencies = journal.settle_agencies(agencies)
    account = Account(node, None, key)
    creator = Creator(node, account, journal, report)
    addresses, start = dict(before.addresses), before.start_block
    for name, made_with in CONTRACTS.items():
        if name not in addresses:
            known = {"deployer": account.address, **addresses}
            made = creator.create(artifacts[name], *[known[part] for part in made_with])
            addresses[name] = made.address
            start = min(start, made.block) if start else made.block
    manifest = replace(
        before,
        start_block=start,
        addresses=addresses,
        abi={name: artifact.abi_hash for name, artifact in artifacts.items()},
        code={name: artifact.code_hash for name, artifact in artifacts.items()},
        predecessor=predecessor or before.predecessor,
    )
    contracts = Contracts(manifest)
    _check_wiring(node, contracts)
    lacking = missing(node, contracts, agencies, account.address, new=not path.exists())
    changes = govern(node, contracts, key, lacking, report)
    if manifest != before:
        manifest.save(path)
        report(f"wrote {path}")
    elif not changes:
        report("nothing to do: all contracts stand as they should")
    journal.close()
    return manifest


def plan(
    node: Node,
    key: bytes,
    artifacts_dir: str | os.PathLike[str],
    manifest_path: str | os.PathLike[str],
    *,
    agencies: Agencies = DEPLOYER_ALONE,
) -> list[str]:
    """What `deploy` would do, in words; empty when nothing. Sends nothing. Raises as it does."""
    path = Path(manifest_path)
    artifacts = load_artifacts(artifacts_dir)
    before = examine(node, artifacts, path)
    journal = Journal(_journal_path(path), genesis_of(node))
    absent = [name for name in CONTRACTS if name not in before.addresses]
    lines = []
    for name in absent:
        noted = journal.get(name)
        where = f"finish at {noted.address}" if noted is not None else "create"
        lines.append(f"{where}: {name}, {len(artifacts[name].runtime):,} bytes of code")
    if absent:
        return [*lines, "then set which agency may call what"]
    deployer = address_of(PrivateKey(key))
    contracts = Contracts(before)
    return [c.text for c in missing(node, contracts, agencies, deployer, new=False)]


def load_artifacts(folder: str | os.PathLike[str]) -> dict[str, Artifact]:
    """The build's contracts by name. Raises ArtifactInvalid, BuildDiffers (other ABIs in the package)."""
    artifacts = {name: Artifact.load(folder, name) for name in CONTRACTS}
    for name, artifact in artifacts.items():
        if artifact.abi_hash != abi_hash(abi(name)):
            raise BuildDiffers(f"the package has another ABI of {name}: `make compile`")
    return artifacts


def genesis_of(node: Node) -> str:
    """Hash of block 0: what tells chains of the same id apart."""
    block = node.block(0)
    if block is None:
        raise ChainReset(f"{node.name} has no block 0")
    return "0x" + block.hash.hex()


def examine(node: Node, artifacts: dict[str, Artifact], path: Path) -> Manifest:
    """The manifest, if its contracts stand on this chain as built; an empty one if there is none.

    Raises ChainReset, CodeMissing, BuildDiffers, ManifestInvalid.
    """
    genesis, chain_id = genesis_of(node), node.chain_id()
    if not path.exists():
        return Manifest(chain_id=chain_id, genesis=genesis, start_block=0, addresses={})
    manifest = Manifest.load(path)
    check_chain(node, manifest, str(path))
    for name, address in manifest.addresses.items():
        code = node.code(address)
        if not code:
            raise CodeMissing(
                f"there is nothing at {address}, where {path} says {name} is: the node has lost"
                " blocks, or still reads them"
            )
        if name in artifacts and not artifacts[name].matches(code):
            raise BuildDiffers(
                f"{name} at {address} is not of this build; contracts are not changed in place:"
                f" deploy a successor with --manifest FILE --predecessor {path}"
            )
    return manifest


def check_chain(node: Node, manifest: Manifest, name: str) -> None:
    """Raises ChainReset unless the manifest (called `name`) is of the node's chain."""
    genesis, chain_id = genesis_of(node), node.chain_id()
    if manifest.chain_id != chain_id:
        raise ChainReset(
            f"{name} is of chain {manifest.chain_id}, {node.name} has chain {chain_id}"
        )
    if manifest.genesis != genesis:
        raise ChainReset(
            f"{name} is of a chain that began with {manifest.genesis}; {node.name} has chain"
            f" {chain_id}, too, but it began with {genesis}: it was reset, and the contracts are"
            " gone with it. Move the manifest away to deploy anew.",
            expected=manifest.genesis,
            found=genesis,
        )


def _check_wiring(node: Node, contracts: Contracts) -> None:
    for (contract, view), name in WIRING.items():
        found = call(node, contracts, contract, view)
        if found != contracts.address(name):
            raise BuildDiffers(f"{contract} works with another {name}: {found}")


def _journal_path(manifest: Path) -> Path:
    return manifest.with_name(manifest.name + ".partial")
