"""Open and close books of invoice numbers."""

from __future__ import annotations

from pathlib import Path

import click
from agency_command import Setting, agency_command, carry_out_all, steps_of, whole

from hutong.ledger.agency import Agency
from hutong.ledger.steps import Step


@agency_command
@click.argument("issuer", required=False)
@click.option(
    "--first", type=int, help="First number: year 2, region 2, channel 1, sequence 15 digits."
)
@click.option("--count", type=click.IntRange(1), help="How many numbers.")
@click.option("--currency", default="CNY", show_default=True, help="ISO 4217.")
@click.option(
    "--close", type=int, metavar="FIRST", help="End the book that begins at FIRST where it stands."
)
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with columns issuer, first, count [, currency].",
)
def main(
    setting: Setting,
    issuer: str | None,
    first: int | None,
    count: int | None,
    currency: str,
    close: int | None,
    file: Path | None,
) -> None:
    """Open a book for ISSUER (USCC), or all of a file. A book that is open already is left as it is.

    Books of one prefix (year, region, channel) are opened in ascending order.
    """
    agency = Agency(setting.node, setting.contracts)

    def step(row: dict[str, str]) -> Step:
        return agency.open_book(
            row["issuer"],
            whole(row["first"], "first"),
            whole(row["count"], "count"),
            row.get("currency") or currency,
        )

    given = [issuer is not None, close is not None, file is not None]
    if sum(given) != 1:
        raise click.UsageError("give one of ISSUER, --close and --file")
    if close is not None:
        carry_out_all(setting, [agency.close_book(close)])
    elif file is not None:
        carry_out_all(setting, steps_of(file, ("issuer", "first", "count"), step))
    elif issuer is not None and first is not None and count is not None:
        carry_out_all(setting, [agency.open_book(issuer, first, count, currency)])
    else:
        raise click.UsageError("ISSUER needs --first and --count")


if __name__ == "__main__":
    main()
