"""Give a participant that has lost its keys a new administrator."""

from __future__ import annotations

import click
from agency_command import Setting, agency_command, carry_out_all

from hutong.ledger.agency import Agency


@agency_command
@click.argument("uscc")
@click.argument("admin")
@click.option("--reason", required=True, help="Stands on the chain, for everybody to read.")
@click.option("--again", is_flag=True, help="Even if the last recovery named the same address.")
def main(setting: Setting, uscc: str, admin: str, reason: str, again: bool) -> None:
    """Void all signers of the participant USCC and make the address ADMIN its only administrator.

    Where the Authority delays recoveries, the first run announces, and a later one carries out.
    """
    agency = Agency(setting.node, setting.contracts)
    carry_out_all(setting, [agency.recover(uscc, admin, reason, again=again)])


if __name__ == "__main__":
    main()
