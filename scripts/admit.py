"""Admit organisations."""

from __future__ import annotations

from pathlib import Path

import click
from agency_command import Setting, agency_command, carry_out_all, steps_of

from hutong.ledger.agency import Agency
from hutong.ledger.roles import PARTICIPANT_ROLES, parse_roles
from hutong.ledger.steps import Step

COLUMNS = ("uscc", "name", "roles", "admin")


@agency_command
@click.argument("uscc", required=False)
@click.option("--name", help="The organisation's name.")
@click.option(
    "--roles", default="issuer", show_default=True, help=f"Some of {', '.join(PARTICIPANT_ROLES)}."
)
@click.option("--admin", metavar="ADDRESS", help="Its administrator: names its signers.")
@click.option("--irregular", is_flag=True, help="Admit although the check digit is wrong.")
@click.option(
    "--replace-roles", is_flag=True, help="Of organisations admitted before, set the roles."
)
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with columns uscc, name, roles, admin [, irregular = yes].",
)
def main(
    setting: Setting,
    uscc: str | None,
    name: str | None,
    roles: str,
    admin: str | None,
    irregular: bool,
    replace_roles: bool,
    file: Path | None,
) -> None:
    """Admit the organisation USCC, or all of a file. Those admitted before, in the same roles, are
    left as they are."""
    agency = Agency(setting.node, setting.contracts)

    def step(row: dict[str, str]) -> Step:
        return agency.admit(
            row["uscc"],
            row["name"],
            parse_roles(row["roles"], PARTICIPANT_ROLES),
            row["admin"],
            irregular=irregular or row.get("irregular", "").lower() in ("yes", "true", "1"),
            replace_roles=replace_roles,
        )

    if file is not None and uscc is None:
        carry_out_all(setting, steps_of(file, COLUMNS, step))
    elif uscc and name and admin and file is None:
        row = {"uscc": uscc, "name": name, "roles": roles, "admin": admin}
        carry_out_all(setting, [step(row)])
    else:
        raise click.UsageError("give USCC, --name and --admin, or --file")


if __name__ == "__main__":
    main()
