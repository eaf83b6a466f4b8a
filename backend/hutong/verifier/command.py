"""`hutong verify`: the statements about a bundle on a terminal, or as JSON."""

from __future__ import annotations

import json
import sys
from typing import IO, NoReturn

import click

from hutong.errors import BundleInvalid, HutongError
from hutong.invoices.bundle import parse_bundle
from hutong.invoices.strict import SIZE_LIMIT
from hutong.ledger.client import Node
from hutong.ledger.coding import checksum
from hutong.ledger.manifest import Manifest
from hutong.verifier.report import Report
from hutong.verifier.verification import verify

_MARKS = {"holds": ("✓", "green"), "fails": ("✗", "red"), "withheld": ("–", "yellow")}
_NOT_PROVEN = ("?", "yellow")


@click.command("verify")
@click.argument("file", type=click.File("rb"))
@click.option("--rpc", required=True, metavar="URL", help="The node to ask; use one you trust.")
@click.option("--contract", metavar="ADDRESS", help="The Invoices contract that you trust.")
@click.option(
    "--manifest",
    type=click.Path(exists=True, dir_okay=False),
    help="Deployment that you trust: names contract and genesis block.",
)
@click.option("--trust-bundle", is_flag=True, help="Trust the contract that the bundle names.")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
def verify_command(
    file: IO[bytes],
    rpc: str,
    contract: str | None,
    manifest: str | None,
    trust_bundle: bool,
    language: str,
    as_json: bool,
) -> None:
    """Verify the invoice in the bundle FILE (- for standard input) against the chain.

    Ends with 0 if everything holds or is withheld by the holder, 1 if a statement fails or is not
    proven, 2 if the bundle cannot be read or the node does not answer. Say which contract you trust
    by --contract or --manifest: anybody can deploy one that says yes.
    """
    if sum((contract is not None, manifest is not None, trust_bundle)) > 1:
        raise click.UsageError("say one of --contract, --manifest and --trust-bundle")
    genesis = None
    try:
        data = file.read(SIZE_LIMIT + 1)
        if manifest is not None:
            trusted = Manifest.load(manifest)
            genesis = trusted.genesis
            contract = trusted.addresses.get("Invoices")
            if contract is None:
                raise click.UsageError(f"{manifest} names no contract Invoices")
        bundle = parse_bundle(data)
        if contract is not None:
            contract = _address(contract)
        elif trust_bundle:
            contract = bundle.chain.invoices
        report = verify(bundle, Node(rpc), contract=contract, genesis=genesis)
    except HutongError as error:
        _refuse(error, as_json)
    if as_json:
        click.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
    else:
        _print(report, language)
    sys.exit(0 if report.holds else 1)


def _address(text: str) -> str:
    try:
        return checksum(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--contract") from error


def _refuse(error: HutongError, as_json: bool) -> NoReturn:
    """Says why there is no report, and ends with 2."""
    if as_json:
        problem = {"code": error.code, "detail": error.detail, "field": error.field}
        click.echo(json.dumps(problem, ensure_ascii=False, indent=2))
    else:
        where = f" ({error.field})" if isinstance(error, BundleInvalid) and error.field else ""
        click.echo(f"{error.code}{where}: {error.detail}", err=True)
    sys.exit(2)


def _print(report: Report, language: str) -> None:
    for statement in report.statements:
        mark, colour = _MARKS.get(statement.verdict, _NOT_PROVEN)
        sentence = statement.sentence_zh if language == "zh" else statement.sentence_en
        click.echo(f"{click.style(mark, fg=colour)} {statement.name:<12} {sentence}")
    if language == "zh":
        conclusion = "核验通过" if report.holds else "核验未通过"
        click.echo(f"发票 {report.number}：{conclusion}。")
    else:
        click.echo(f"Invoice {report.number} {'holds' if report.holds else 'does not hold'}.")
