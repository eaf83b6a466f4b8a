"""Deploy the contracts and set which agency may call what."""

from __future__ import annotations

import os
from pathlib import Path

import click
from agency_command import ROOT, Setting, agency_command

from hutong.ledger import deployment
from hutong.ledger.governance import Agencies
from hutong.ledger.manifest import Manifest

ARTIFACTS = ROOT / "build" / "contracts-hutong"


@agency_command
@click.option(
    "--tax-bureau",
    multiple=True,
    metavar="ADDRESS",
    help="May admit, suspend, open books, set quotas. [default, at first: the deployer]",
)
@click.option(
    "--recovery",
    multiple=True,
    metavar="ADDRESS",
    help="May replace a participant's signers. [default, at first: the deployer]",
)
@click.option(
    "--recovery-delay",
    type=click.IntRange(0),
    metavar="SECONDS",
    help="Time between announcing a recovery and carrying it out.",
)
@click.option(
    "--admin",
    multiple=True,
    metavar="ADDRESS",
    help="Governs: gives and takes these roles, beside the deployer.",
)
@click.option("--hand-over", is_flag=True, help="With --admin: the deployer governs no more.")
@click.option(
    "--predecessor",
    type=click.Path(exists=True, path_type=Path),
    help="Manifest that this deployment replaces.",
)
@click.option(
    "--artifacts",
    type=click.Path(path_type=Path),
    default=ARTIFACTS,
    help="Folder of compiled contracts.",
)
def main(
    setting: Setting,
    tax_bureau: tuple[str, ...],
    recovery: tuple[str, ...],
    recovery_delay: int | None,
    admin: tuple[str, ...],
    hand_over: bool,
    predecessor: Path | None,
    artifacts: Path,
) -> None:
    """Deploy Authority, Participants and Invoices, set which agency may call what, and write the
    manifest by which everything else finds them.

    A second run changes nothing; one that was cut off is finished by the next. Run it again with
    more addresses to give them roles.
    """
    if hand_over and not admin:
        raise click.UsageError("--hand-over needs --admin")
    agencies = Agencies(tax_bureau, recovery, admin, recovery_delay, hand_over)
    path = setting.manifest_path
    if setting.dry_run:
        lines = deployment.plan(setting.node, setting.key, artifacts, path, agencies=agencies)
        click.echo(f"on {setting.node.name}, as {setting.address}, with {path}:")
        for line in lines or ["nothing to do"]:
            click.echo(f"  {line}")
        return
    before = None
    if predecessor is not None:
        Manifest.load(predecessor)
        before = os.path.relpath(predecessor, path.parent)
    deployment.deploy(
        setting.node,
        setting.key,
        artifacts,
        path,
        click.echo,
        agencies=agencies,
        predecessor=before,
    )


if __name__ == "__main__":
    main()
