"""Name, change and remove those who sign for a participant."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

import click
from agency_command import Setting, agency_command, carry_out_all, read_key

from hutong.ledger.appointment import NEVER, NO_CAP, set_signer
from hutong.ledger.roles import SIGNER_ROLES, parse_roles
from hutong.money import parse_minor

BEIJING = timezone(timedelta(hours=8))


@agency_command
@click.argument("uscc")
@click.argument("account")
@click.option("--roles", help=f"Some of {', '.join(SIGNER_ROLES)}.")
@click.option("--remove", is_flag=True, help="ACCOUNT signs no more.")
@click.option(
    "--expires", type=click.DateTime(["%Y-%m-%d"]), help="Last day, in Beijing. [default: none]"
)
@click.option("--cap", help="Greatest amount of one consent, such as 100000.00. [default: none]")
@click.option(
    "--admin-keystore",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Encrypted key of the administrator; else HUTONG_ADMIN_KEY (hex).",
)
@click.option(
    "--admin-password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Its password.",
)
def main(
    setting: Setting,
    uscc: str,
    account: str,
    roles: str | None,
    remove: bool,
    expires: datetime | None,
    cap: str | None,
    admin_keystore: Path | None,
    admin_password_file: Path | None,
) -> None:
    """Let the address ACCOUNT sign for the participant USCC.

    The participant's administrator consents; the key of --keystore only sends the consent, and may be
    anybody's.
    """
    if (roles is None) != remove:
        raise click.UsageError("give --roles, or --remove")
    step = set_signer(
        setting.node,
        setting.contracts,
        read_key(admin_keystore, admin_password_file, "HUTONG_ADMIN_KEY"),
        uscc,
        account,
        0 if roles is None else parse_roles(roles, SIGNER_ROLES),
        expires=NEVER if expires is None else _end_of(expires.date()),
        cap=NO_CAP if cap is None else parse_minor(cap, "cap"),
    )
    carry_out_all(setting, [step])


def _end_of(day: date) -> int:
    """The day's last second in Beijing."""
    return int(datetime.combine(day, time(23, 59, 59), BEIJING).timestamp())


if __name__ == "__main__":
    main()
