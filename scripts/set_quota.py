"""Set what issuers may issue a month."""

from __future__ import annotations

from pathlib import Path

import click
from agency_command import Setting, agency_command, carry_out_all, steps_of

from hutong.ledger.agency import Agency
from hutong.ledger.steps import Step
from hutong.money import exponent_of, parse_minor


@agency_command
@click.argument("issuer", required=False)
@click.argument("amount", required=False)
@click.option("--currency", default="CNY", show_default=True, help="ISO 4217.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with columns issuer, amount [, currency].",
)
def main(
    setting: Setting, issuer: str | None, amount: str | None, currency: str, file: Path | None
) -> None:
    """Let ISSUER (USCC) issue up to AMOUNT (such as 50000.00) in each calendar month, from the
    running one on; or all issuers of a file."""
    agency = Agency(setting.node, setting.contracts)

    def step(row: dict[str, str]) -> Step:
        unit = row.get("currency") or currency
        minor = parse_minor(row["amount"], "amount", exponent_of(unit.upper()))
        return agency.set_quota(row["issuer"], minor, unit)

    if file is not None and issuer is None:
        carry_out_all(setting, steps_of(file, ("issuer", "amount"), step))
    elif issuer is not None and amount is not None and file is None:
        carry_out_all(setting, [step({"issuer": issuer, "amount": amount})])
    else:
        raise click.UsageError("give ISSUER and AMOUNT, or --file")


if __name__ == "__main__":
    main()
