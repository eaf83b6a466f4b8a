"""Deploying: once, from wherever an earlier run was killed, and never over something else."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest
from coincurve import PrivateKey

from hutong.errors import ContractRefusal, NodeUnavailable
from hutong.ledger.client import Node
from hutong.ledger.consents import address_of
from hutong.ledger.contracts import Contracts, call
from hutong.ledger.deployment import BuildDiffers, ChainReset, CodeMissing, deploy, plan
from hutong.ledger.embedded import EmbeddedGanache
from hutong.ledger.governance import ADMIN, RECOVERY, TAX_BUREAU, Agencies
from hutong.ledger.manifest import Manifest
from hutong.ledger.transact import fund, transact
from tests.integration.anvil import ROOT, Anvil
from tests.integration.commands import Commands

Chain = EmbeddedGanache | Anvil
ARTIFACTS = ROOT / "build" / "contracts-hutong"
USCC = "91110106MA7K3HW20W"
SOMEBODY = "0x" + "5B" * 20


def silent(_: str) -> None:
    pass


def make_deployer(chain: Chain) -> bytes:
    """A new account with money: each test's deployments have addresses of their own."""
    key = PrivateKey()
    fund(chain.node, chain.key, address_of(key), 10**19)
    return bytes(key.secret)


def has_role(node: Node, contracts: Contracts, role: int, address: str) -> bool:
    return bool(call(node, contracts, "Authority", "hasRole", role, address)["isMember"])


def test_contracts_stand_and_the_bureau_may_admit(chain: Chain, tmp_path: Path) -> None:
    key, node = make_deployer(chain), chain.node
    manifest = deploy(node, key, ARTIFACTS, tmp_path / "m.json", silent)
    assert Manifest.load(tmp_path / "m.json") == manifest
    assert manifest.chain_id == node.chain_id()
    assert manifest.genesis == "0x" + node.blocks([0])[0].hash.hex()  # type: ignore[union-attr]
    assert sorted(manifest.addresses) == ["Authority", "Invoices", "Participants"]
    assert sorted(manifest.abi) == sorted(manifest.code) == sorted(manifest.addresses)
    first = node.logs([manifest.addresses["Authority"]], 0, node.block_number())[0]
    assert int(first["blockNumber"], 16) == manifest.start_block
    contracts = Contracts(manifest)
    transact(node, contracts, key, "Participants", "admit", USCC, "停车", 1, SOMEBODY, False)
    assert call(node, contracts, "Participants", "participantOf", USCC).roles == 1
    events = [
        contracts.decode_log(log) for log in node.logs(contracts.addresses, 0, node.block_number())
    ]
    assert "Admitted" in [event.name for event in events if event]


def test_second_run_changes_nothing_and_says_so(chain: Chain, tmp_path: Path) -> None:
    key, node = make_deployer(chain), chain.node
    deploy(node, key, ARTIFACTS, tmp_path / "m.json", silent)
    before = (tmp_path / "m.json").read_bytes()
    count = node.transaction_count(address_of(PrivateKey(key)))
    said: list[str] = []
    deploy(node, key, ARTIFACTS, tmp_path / "m.json", said.append)
    assert said == ["nothing to do: all contracts stand as they should"]
    assert plan(node, key, ARTIFACTS, tmp_path / "m.json") == []
    assert node.transaction_count(address_of(PrivateKey(key))) == count
    assert (tmp_path / "m.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["m.json"]


@pytest.mark.slow
def test_run_that_is_killed_at_any_line_is_finished_by_the_next(
    chain: Chain, tmp_path: Path
) -> None:
    """Kills the command after each line that it writes, then lets one run to the end."""
    key, node = make_deployer(chain), chain.node
    commands = Commands(chain, tmp_path / "m.json", key)
    seen: set[str] = set()
    for number in range(30):
        with subprocess.Popen(
            commands.command("deploy"),
            env=commands.environment(),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            line = next((text for text in process.stdout if text not in seen), None)
            if line is None:
                break
            seen.add(line)
            process.kill()
        # Half of the runs follow at once, before what the killed one sent is mined.
        time.sleep(0.4 * (number % 2))
    assert process.returncode == 0
    manifest = Manifest.load(tmp_path / "m.json")
    # Each contract was created once: an address for each that was ever named.
    named = {line.split()[-1] for line in seen if "is being created" in line}
    assert named == set(manifest.addresses.values())
    assert plan(node, key, ARTIFACTS, tmp_path / "m.json") == []
    assert [path.name for path in tmp_path.iterdir()] == ["m.json"]


@pytest.mark.slow
def test_run_that_is_killed_at_any_moment_is_finished_by_the_next(
    anvil: Anvil, tmp_path: Path
) -> None:
    key, node = make_deployer(anvil), anvil.node
    commands = Commands(anvil, tmp_path / "m.json", key)
    for tenths in range(3, 21):
        with subprocess.Popen(commands.command("deploy"), env=commands.environment()) as process:
            time.sleep(tenths / 10)
            process.kill()
    deploy(node, key, ARTIFACTS, tmp_path / "m.json", silent)
    assert plan(node, key, ARTIFACTS, tmp_path / "m.json") == []
    # Three creations and five settings; a setting that was cut off may have been made twice.
    assert 8 <= node.transaction_count(address_of(PrivateKey(key))) <= 13


def test_nonce_that_somebody_else_used_meanwhile_is_no_dead_end(
    anvil: Anvil, tmp_path: Path
) -> None:
    key, node = make_deployer(anvil), anvil.node

    class Killed(Exception):
        pass

    def die(line: str) -> None:
        raise Killed(line)

    with pytest.raises(Killed, match="being created"):
        deploy(node, key, ARTIFACTS, tmp_path / "m.json", die)
    fund(node, key, SOMEBODY, node.balance(SOMEBODY) + 1)  # with the nonce that is noted
    manifest = deploy(node, key, ARTIFACTS, tmp_path / "m.json", silent)
    assert all(node.code(address) for address in manifest.addresses.values())


def test_journal_of_a_chain_that_is_no_more_is_begun_anew(anvil: Anvil, tmp_path: Path) -> None:
    key = make_deployer(anvil)
    journal = tmp_path / "m.json.partial"
    noted = {"sender": SOMEBODY, "nonce": 0, "raw": "0x02", "hash": "0x" + "00" * 32}
    journal.write_text(json.dumps({"genesis": "0x00", "contracts": {"Authority": noted}}))
    manifest = deploy(anvil.node, key, ARTIFACTS, tmp_path / "m.json", silent)
    assert anvil.node.code(manifest.addresses["Authority"])
    assert not journal.exists()


def test_chain_that_was_reset_is_told(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    with Anvil("--timestamp", "1700000000", block_time=0.1) as chain:
        deploy(chain.node, chain.key, ARTIFACTS, path, silent)
    before = path.read_bytes()
    with Anvil("--timestamp", "1700000001", block_time=0.1) as chain:
        with pytest.raises(ChainReset, match="was reset"):
            deploy(chain.node, chain.key, ARTIFACTS, path, silent)
        result = Commands(chain, path).run("deploy")
        assert result.code == 2
        assert "ChainReset" in result.text
        result = Commands(chain, path).run("suspend", USCC, "--reason", "x")
        assert "ChainReset" in result.text
        assert chain.node.block_number() >= 0
    assert path.read_bytes() == before


def test_lost_contracts_are_told(tmp_path: Path) -> None:
    """The same genesis, but no contracts: a chain whose data were lost."""
    path = tmp_path / "m.json"
    for expected in (None, CodeMissing):
        with Anvil("--timestamp", "1700000000", block_time=0.1) as chain:
            if expected is None:
                deploy(chain.node, chain.key, ARTIFACTS, path, silent)
            else:
                with pytest.raises(expected, match="nothing at"):
                    deploy(chain.node, chain.key, ARTIFACTS, path, silent)


def test_other_code_is_told_and_a_successor_names_it(anvil: Anvil, tmp_path: Path) -> None:
    key, node = make_deployer(anvil), anvil.node
    deploy(node, key, ARTIFACTS, tmp_path / "old.json", silent)
    build = tmp_path / "build"
    build.mkdir()
    for file in ARTIFACTS.glob("*.json"):
        content = json.loads(file.read_text())
        if file.stem == "Invoices":  # one octet of the code, not of an immutable
            content["deployedBytecode"] = "0x61" + content["deployedBytecode"][4:]
        (build / file.name).write_text(json.dumps(content))
    with pytest.raises(BuildDiffers, match="--predecessor"):
        deploy(node, key, build, tmp_path / "old.json", silent)
    result = Commands(anvil, tmp_path / "new" / "m.json", key).run(
        "deploy", "--predecessor", str(tmp_path / "old.json")
    )
    assert result.code == 0, result.text
    assert Manifest.load(tmp_path / "new" / "m.json").predecessor == "../old.json"


def test_agencies_get_their_roles_and_the_deployer_goes(anvil: Anvil, tmp_path: Path) -> None:
    deployer, node = make_deployer(anvil), anvil.node
    bureau, court, council = (PrivateKey() for _ in range(3))
    names = [address_of(key) for key in (bureau, court, council)]
    agencies = Agencies((names[0],), (names[1],), (names[2],), recovery_delay=7, hand_over=True)
    for _ in range(2):  # the second run has no power any more, and needs none
        manifest = deploy(node, deployer, ARTIFACTS, tmp_path / "m.json", silent, agencies=agencies)
    contracts = Contracts(manifest)
    me = address_of(PrivateKey(deployer))
    assert has_role(node, contracts, TAX_BUREAU, names[0])
    assert has_role(node, contracts, RECOVERY, names[1])
    assert has_role(node, contracts, ADMIN, names[2])
    assert not any(has_role(node, contracts, role, me) for role in (ADMIN, TAX_BUREAU, RECOVERY))
    with pytest.raises(ContractRefusal, match="AccessManagedUnauthorized"):
        transact(node, contracts, deployer, "Participants", "suspend", USCC, "x")


def test_roles_given_once_stay_when_nothing_is_said_later(anvil: Anvil, tmp_path: Path) -> None:
    key, node = make_deployer(anvil), anvil.node
    agencies = Agencies(tax_bureau=(SOMEBODY,))

    class Killed(Exception):
        pass

    def die(line: str) -> None:
        if "Invoices stands" in line:
            raise Killed

    with pytest.raises(Killed):
        deploy(node, key, ARTIFACTS, tmp_path / "m.json", die, agencies=agencies)
    for _ in range(2):  # finished, then repeated, without a word about agencies
        contracts = Contracts(deploy(node, key, ARTIFACTS, tmp_path / "m.json", silent))
    me = address_of(PrivateKey(key))
    assert has_role(node, contracts, TAX_BUREAU, SOMEBODY)
    assert not has_role(node, contracts, TAX_BUREAU, me)
    assert has_role(node, contracts, RECOVERY, me)
    assert has_role(node, contracts, ADMIN, me)


def test_deployment_by_a_stranger_is_refused(anvil: Anvil, tmp_path: Path) -> None:
    deploy(anvil.node, make_deployer(anvil), ARTIFACTS, tmp_path / "m.json", silent)
    stranger, mine = make_deployer(anvil), Agencies(tax_bureau=(SOMEBODY,))
    with pytest.raises(ContractRefusal, match="AccessManagerUnauthorizedAccount"):
        deploy(anvil.node, stranger, ARTIFACTS, tmp_path / "m.json", silent, agencies=mine)


def test_node_that_is_away_is_told_at_once(anvil: Anvil, tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(NodeUnavailable):
        deploy(Node("http://127.0.0.1:1"), anvil.key, ARTIFACTS, tmp_path / "m.json", silent)
    assert time.monotonic() - began < 1
    assert list(tmp_path.iterdir()) == []


def test_account_without_money_is_told(anvil: Anvil, tmp_path: Path) -> None:
    result = Commands(anvil, tmp_path / "m.json", bytes(PrivateKey().secret)).run("deploy")
    assert result.code == 2
    assert "nsufficient funds" in result.text


def test_dry_run_says_all_and_does_nothing(chain: Chain, tmp_path: Path) -> None:
    key = make_deployer(chain)
    result = Commands(chain, tmp_path / "m.json", key).run("deploy", "--dry-run")
    assert result.code == 0
    for name in ("Authority", "Participants", "Invoices"):
        assert f"create: {name}" in result.text
    assert chain.node.transaction_count(address_of(PrivateKey(key))) == 0
    assert list(tmp_path.iterdir()) == []
