"""Suspend and reinstate participants."""

from __future__ import annotations

import click
from agency_command import Setting, agency_command, carry_out_all

from hutong.ledger.agency import Agency


@agency_command
@click.argument("uscc")
@click.option("--reason", help="Stands on the chain, for everybody to read.")
@click.option("--reinstate", is_flag=True, help="End the suspension instead.")
def main(setting: Setting, uscc: str, reason: str | None, reinstate: bool) -> None:
    """Suspend the participant USCC: from now on none of its consents counts."""
    agency = Agency(setting.node, setting.contracts)
    if reinstate:
        carry_out_all(setting, [agency.reinstate(uscc)])
    elif reason:
        carry_out_all(setting, [agency.suspend(uscc, reason)])
    else:
        raise click.UsageError("a suspension needs --reason")


if __name__ == "__main__":
    main()
