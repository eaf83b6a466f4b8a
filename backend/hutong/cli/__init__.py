"""`hutong`: the command line, and the only place that wires the rooms together."""

from __future__ import annotations

import importlib
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from hutong.config import Settings
from hutong.errors import HutongError


class Lazy(click.Group):
    """A group whose further commands are imported when they are called: `hutong verify` needs no database."""

    _others = {  # noqa: RUF012 - constant
        "verify": ("hutong.verifier.command", "verify_command"),
        "import-payments": ("hutong.cli.importing", "import_command"),
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self._others])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self._others:
            module, name = self._others[cmd_name]
            command: click.Command = getattr(importlib.import_module(module), name)
            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=Lazy)
@click.version_option(package_name="hutong")
@click.option("--verbose", is_flag=True, help="Say more in the log.")
def group(verbose: bool) -> None:
    """Hutong: a city's invoices on one chain that nobody has to trust a gateway for."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("hutong").setLevel(logging.INFO)


@group.command()
@click.option("--chain-port", default=8545, show_default=True, help="Port of the embedded chain.")
@click.option(
    "--artifacts",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/contracts-hutong"),
    show_default=True,
    help="The compiled contracts (`make compile`).",
)
def up(chain_port: int, artifacts: Path) -> None:
    """Run everything on this machine: chain, contracts, worker, gateway, a first invoice."""
    from hutong.cli.up import Up  # noqa: PLC0415 - each command imports what it runs

    Up(Settings.read(), artifacts, click.echo, chain_port).run()


@group.command()
def work() -> None:
    """Run the worker: follow the chain, send batches, deliver notices."""
    from hutong.cli.leash import heed_leash  # noqa: PLC0415
    from hutong.cli.wiring import Parts  # noqa: PLC0415
    from hutong.cli.worker import Worker  # noqa: PLC0415

    worker = Worker(Parts(Settings.read()))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: worker.stop())
    heed_leash()
    worker.run()


@group.command()
def serve() -> None:
    """Run the gateway: the HTTP API and the pages."""
    from hutong.cli.leash import heed_leash  # noqa: PLC0415
    from hutong.cli.wiring import Parts  # noqa: PLC0415
    from hutong.gateway.serve import serve as serve_app  # noqa: PLC0415

    settings = Settings.read()
    heed_leash()
    serve_app(settings, Parts(settings).services)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command. An error of ours is one line, `code: detail`, and exit code 1."""
    try:
        group.main(args=list(arguments) if arguments is not None else None, standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except HutongError as error:
        click.echo(f"{error.code}: {error.detail}", err=True)
        sys.exit(1)
