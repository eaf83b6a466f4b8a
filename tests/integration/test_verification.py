"""Verification against real nodes: what the contract itself answers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hutong.invoices.document import Summary, leaf_of
from hutong.ledger.contracts import call
from hutong.verifier import Report, verify
from tests.integration.issuing import Chain, Issuing
from tests.unit.invoices.builders import BUYER, make_draft, make_line

ROOT = Path(__file__).resolve().parents[2]
DRAFTS = [
    make_draft(),
    make_draft(buyer=BUYER, payment={"provider": "cdnow", "reference": "1"}, remarks="r"),
    make_draft(lines=[make_line(), make_line(amount="1.00", rate="exempt")], drawer="张三"),
]


@pytest.fixture(scope="module", params=["ganache", "anvil"])
def issuing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Issuing:
    chain: Chain = request.getfixturevalue(request.param)
    return Issuing(chain, tmp_path_factory.mktemp("deployment"))


@pytest.fixture(scope="module")
def bundles(issuing: Issuing) -> list[dict[str, Any]]:
    """A batch of seven."""
    return issuing.issue([DRAFTS[i % 3] for i in range(7)])


def verified(issuing: Issuing, bundle: dict[str, Any], **options: Any) -> Report:
    trusted = {"contract": issuing.address, "genesis": issuing.manifest.genesis}
    return verify(bundle, issuing.node, **(trusted | options))


def failing(report: Report) -> set[str]:
    return {statement.name for statement in report.statements if statement.verdict == "fails"}


def test_every_invoice_of_a_batch_holds(issuing: Issuing, bundles: list[dict[str, Any]]) -> None:
    for bundle in bundles:
        report = verified(issuing, bundle)
        assert report.holds, report.to_json()
        assert {statement.verdict for statement in report.statements} == {"holds"}


@pytest.mark.parametrize("count", [1, 2, 33])
def test_batches_of_any_size_hold_at_both_ends(issuing: Issuing, count: int) -> None:
    made = issuing.issue([DRAFTS[0]] * count)
    assert verified(issuing, made[0]).holds
    assert verified(issuing, made[-1]).holds


def test_the_contract_computes_the_same_leaf(
    issuing: Issuing, bundles: list[dict[str, Any]]
) -> None:
    fields = bundles[1]["summary"]
    octets = {name: bytes.fromhex(fields[name][2:]) for name in ("buyer", "payment", "document")}
    numbers = {name: int(fields[name]) for name in ("number", "original", "gross", "tax")}
    summary = Summary(**numbers, **octets)
    leaf = call(issuing.node, issuing.contracts, "Invoices", "leafOf", summary._asdict())
    assert leaf == leaf_of(summary)


@pytest.mark.parametrize(
    "name", ["number", "original", "gross", "tax", "buyer", "payment", "document"]
)
def test_the_chain_knows_no_summary_with_another_field(
    issuing: Issuing, bundles: list[dict[str, Any]], name: str
) -> None:
    old = bundles[1]["summary"][name]
    new = old.replace(old[-1], "1" if old[-1] != "1" else "2") if old != "0" else "9" * 20
    report = verified(issuing, {**bundles[1], "summary": {**bundles[1]["summary"], name: new}})
    assert "issued" in failing(report)
    assert report["issued"].detail["code"] in ("ProofInvalid", "InvoiceUnknown")


def test_another_sibling_fails_by_the_contracts_word(
    issuing: Issuing, bundles: list[dict[str, Any]]
) -> None:
    proof = bundles[1]["proof"]
    other = {**proof, "siblings": [*proof["siblings"][:-1], "0x" + "11" * 32]}
    report = verified(issuing, {**bundles[1], "proof": other})
    assert report["issued"].detail["code"] == "ProofInvalid"


def test_a_number_never_issued_is_unknown(issuing: Issuing, bundles: list[dict[str, Any]]) -> None:
    unknown = {**bundles[1]["summary"], "number": "26119000000000000000"}
    report = verified(issuing, {**bundles[1], "summary": unknown})
    assert report["issued"].detail["code"] == "InvoiceUnknown"


def test_an_address_without_code_is_no_contract(
    issuing: Issuing, bundles: list[dict[str, Any]]
) -> None:
    report = verified(issuing, bundles[1], contract="0x" + "12" * 20)
    assert failing(report) == {"contract", "issued"}
    assert report["issued"].detail["code"] == "NoContract"


def test_another_contract_of_the_system_does_not_confirm(
    issuing: Issuing, bundles: list[dict[str, Any]]
) -> None:
    participants = issuing.contracts.address("Participants")
    assert failing(verified(issuing, bundles[1], contract=participants)) == {"contract", "issued"}


def test_another_genesis_fails(issuing: Issuing, bundles: list[dict[str, Any]]) -> None:
    assert failing(verified(issuing, bundles[1], genesis="0x" + "00" * 32)) == {"chain"}


def test_another_batches_transaction_fails(issuing: Issuing, bundles: list[dict[str, Any]]) -> None:
    (other,) = issuing.issue([DRAFTS[0]])
    chain = {**bundles[1]["chain"], "transaction": other["chain"]["transaction"]}
    assert failing(verified(issuing, {**bundles[1], "chain": chain})) == {"transaction"}


# --- the command -----------------------------------------------------------------------------


def run(
    issuing: Issuing, bundle: object, folder: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    file = folder / "bundle.json"
    file.write_text(bundle if isinstance(bundle, str) else json.dumps(bundle), encoding="utf-8")
    program = "from hutong.verifier.command import verify_command; verify_command()"
    return subprocess.run(
        [sys.executable, "-c", program, str(file), "--rpc", issuing.node.url, *options],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_ends_with_zero_when_all_holds(
    issuing: Issuing, bundles: list[dict[str, Any]], tmp_path: Path
) -> None:
    for trust in (
        ("--contract", issuing.address),
        ("--manifest", str(issuing.manifest_path)),
        ("--trust-bundle",),
    ):
        done = run(issuing, bundles[1], tmp_path, *trust)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("holds.\n")
    hidden = {**bundles[1], "disclosures": []}
    done = run(issuing, hidden, tmp_path, "--contract", issuing.address, "--language", "zh")
    assert done.returncode == 0
    assert "已隐去" in done.stdout
    assert "核验通过" in done.stdout


def test_the_command_ends_with_one_when_no_contract_is_trusted(
    issuing: Issuing, bundles: list[dict[str, Any]], tmp_path: Path
) -> None:
    done = run(issuing, bundles[1], tmp_path)
    assert done.returncode == 1
    assert "? contract" in done.stdout
    assert "does not hold" in done.stdout


def test_the_command_writes_the_report_as_json(
    issuing: Issuing, bundles: list[dict[str, Any]], tmp_path: Path
) -> None:
    wrong = {**bundles[1], "summary": {**bundles[1]["summary"], "gross": "1"}}
    done = run(issuing, wrong, tmp_path, "--contract", issuing.address, "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["holds"] is False
    verdicts = {statement["name"]: statement["verdict"] for statement in report["statements"]}
    assert (verdicts["summary"], verdicts["issued"]) == ("fails", "fails")


def test_the_command_ends_with_two_when_there_is_nothing_to_verify(
    issuing: Issuing, bundles: list[dict[str, Any]], tmp_path: Path
) -> None:
    unreadable = run(issuing, '{"schema":1', tmp_path, "--trust-bundle")
    assert unreadable.returncode == 2
    assert "BundleInvalid" in unreadable.stderr
    missing = run(issuing, {**bundles[1], "proof": {}}, tmp_path, "--trust-bundle", "--json")
    assert missing.returncode == 2
    assert json.loads(missing.stdout)["field"] == "proof.first"
    away = run(issuing, bundles[1], tmp_path, "--trust-bundle", "--rpc", "http://127.0.0.1:1")
    assert away.returncode == 2
    assert "NodeUnavailable" in away.stderr
    both = run(issuing, bundles[1], tmp_path, "--trust-bundle", "--contract", issuing.address)
    assert both.returncode == 2
    no_address = run(issuing, bundles[1], tmp_path, "--contract", "0x12")
    assert no_address.returncode == 2
    no_manifest = run(issuing, bundles[1], tmp_path, "--manifest", str(tmp_path / "bundle.json"))
    assert no_manifest.returncode == 2


def test_a_verification_imports_neither_flask_nor_database_nor_keys() -> None:
    program = (
        "import sys, hutong.verifier.command; "
        "print([m for m in ('flask', 'sqlalchemy', 'web3', 'hutong.database', 'hutong.config', "
        "'hutong.ledger.keystore', 'hutong.ledger.sender') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_ten_lines_of_web3_in_the_docs_do_what_they_say(
    issuing: Issuing, bundles: list[dict[str, Any]], tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "verify.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "bundle.json"

    def script_on(bundle: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        file.write_text(json.dumps(bundle), encoding="utf-8")
        arguments = [str(file), issuing.node.url, issuing.address]
        return subprocess.run(
            [sys.executable, "-c", script, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    done = script_on(bundles[1])
    assert done.returncode == 0, done.stderr
    assert "'gross': '12.00'" in done.stdout
    done = script_on({**bundles[1], "summary": {**bundles[1]["summary"], "gross": "1"}})
    assert done.returncode == 1
    assert "ContractCustomError" in done.stderr
