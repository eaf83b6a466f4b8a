"""What the agencies' commands share: network, key, rehearsal, outcomes, exit codes."""

from __future__ import annotations

import csv
import functools
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import click
from coincurve import PrivateKey

from hutong.errors import BadInput, Conflict, FieldMissing, HutongError, Unavailable
from hutong.ledger.client import Node
from hutong.ledger.consents import address_of
from hutong.ledger.contracts import Contracts
from hutong.ledger.deployment import check_chain
from hutong.ledger.keystore import decrypt
from hutong.ledger.manifest import Manifest
from hutong.ledger.steps import Step, carry_out

ROOT = Path(__file__).resolve().parent.parent
NETWORKS = ROOT / "deploy" / "networks.json"
EXIT_REFUSED, EXIT_USAGE, EXIT_UNAVAILABLE = 1, 2, 3
EPILOG = (
    "Exit code: 0 done, or nothing to do; 1 refused (of a file: some rows); 2 unusable input;"
    " 3 the node does not answer, or has not mined yet: run again."
)


@dataclass
class Setting:
    """What the common options say; nothing is opened before it is used."""

    network: str
    manifest_option: Path | None
    keystore: Path | None
    password_file: Path | None
    dry_run: bool

    @cached_property
    def _entry(self) -> dict[str, str]:
        if "://" in self.network:
            return {"url": self.network}
        known: dict[str, dict[str, str]] = json.loads(NETWORKS.read_text("utf-8"))
        if self.network not in known:
            raise click.BadParameter(f"{self.network} is none of {', '.join(known)}, and no URL")
        return known[self.network]

    @cached_property
    def node(self) -> Node:
        return Node(os.environ.get("HUTONG_RPC_URL") or self._entry["url"])

    @cached_property
    def manifest_path(self) -> Path:
        """The option, else what the network's entry says, else a file named after the chain."""
        if self.manifest_option is not None:
            return self.manifest_option
        if "manifest" in self._entry and not os.environ.get("HUTONG_RPC_URL"):
            return ROOT / self._entry["manifest"]
        return ROOT / "deploy" / "manifests" / f"{self.node.chain_id()}.json"

    @cached_property
    def contracts(self) -> Contracts:
        manifest = Manifest.load(self.manifest_path)
        check_chain(self.node, manifest, str(self.manifest_path))
        return Contracts(manifest)

    @cached_property
    def key(self) -> bytes:
        return read_key(self.keystore, self.password_file, "HUTONG_KEY")

    @property
    def address(self) -> str:
        return address_of(PrivateKey(self.key))


def read_key(keystore: Path | None, password_file: Path | None, variable: str) -> bytes:
    """A private key: from an encrypted file, else from the environment. Never shown, never logged."""
    if keystore is not None:
        if password_file is not None:
            password = password_file.read_text("utf-8").strip()
        else:
            password = os.environ.get("HUTONG_KEYSTORE_PASSWORD") or click.prompt(
                f"Password of {keystore.name}", hide_input=True, err=True
            )
        return decrypt(keystore, password)
    text = os.environ.get(variable)
    if not text:
        raise click.UsageError(f"a key is needed: an encrypted file, or {variable}")
    try:
        key = bytes.fromhex(text.strip().removeprefix("0x"))
        if len(key) != 32:  # the library would fill it up with zeros
            raise ValueError
        PrivateKey(key)
    except ValueError:
        # Without the cause: its message might repeat the key.
        raise click.UsageError(f"{variable} is no private key of 64 hex digits") from None
    return key


def agency_command(function: Callable[..., None]) -> click.Command:
    """A command with the common options, whose errors become one line and an exit code."""

    @click.option(
        "--network",
        default="local",
        show_default=True,
        help="Name in deploy/networks.json, or a URL. HUTONG_RPC_URL overrides it.",
    )
    @click.option(
        "--manifest",
        type=click.Path(path_type=Path),
        envvar="HUTONG_MANIFEST",
        help="The deployment's manifest, if not the network's.",
    )
    @click.option(
        "--keystore",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Encrypted key that sends; else HUTONG_KEY (hex).",
    )
    @click.option(
        "--password-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Its password; else HUTONG_KEYSTORE_PASSWORD, else asked for.",
    )
    @click.option("--dry-run", is_flag=True, help="Say what would happen; send nothing.")
    @functools.wraps(function)
    def run(
        network: str,
        manifest: Path | None,
        keystore: Path | None,
        password_file: Path | None,
        dry_run: bool,
        **options: Any,
    ) -> None:
        try:
            function(Setting(network, manifest, keystore, password_file, dry_run), **options)
        except HutongError as error:
            fail(error)

    # Click's text is the docstring of the command itself.
    return click.command(epilog=EPILOG, context_settings={"max_content_width": 100})(run)


def carry_out_all(setting: Setting, steps: Sequence[Step | HutongError]) -> None:
    """Carries out the steps and says what became of each; exits if any was refused."""
    refused = 0
    outcomes = carry_out(
        setting.node, setting.contracts, setting.key, steps, dry_run=setting.dry_run
    )
    for outcome in outcomes:
        if isinstance(outcome, HutongError):
            refused += 1
            click.echo(f"refused  {said(outcome)}", err=True)
        else:
            sent = f"  [{outcome.transaction}]" if outcome.transaction else ""
            click.echo(f"ok       {outcome.subject}  {outcome.text}{sent}")
    if refused:
        if len(steps) > 1:
            click.echo(f"{refused} of {len(steps)} refused", err=True)
        sys.exit(EXIT_REFUSED)


def rows(path: Path, required: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and columns of each row of a CSV file (UTF-8, a heading). Raises FieldMissing."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        absent = [name for name in required if name not in (reader.fieldnames or ())]
        if absent:
            raise FieldMissing(f"{path} has no column {', '.join(absent)}", field=absent[0])
        for row in reader:
            yield reader.line_num, {k: (v or "").strip() for k, v in row.items() if k}


def steps_of(
    path: Path, required: Sequence[str], make: Callable[[dict[str, str]], Step]
) -> list[Step | HutongError]:
    """A step, or why there is none, for each row of a CSV file."""
    steps: list[Step | HutongError] = []
    for line, row in rows(path, required):
        try:
            steps.append(make(row))
        except Unavailable:
            raise
        except HutongError as error:
            error.detail = f"line {line}: {error.detail}"
            steps.append(error)
    return steps


def whole(text: str, field: str) -> int:
    """A whole number of a CSV column."""
    if not text.isascii() or not text.isdigit():
        raise BadInput(f"{field} {text!r} is no whole number", field=field)
    return int(text)


def said(error: HutongError) -> str:
    """An error in one line: its name, and what it says."""
    return error.detail if error.code in error.detail else f"{error.code}: {error.detail}"


def fail(error: HutongError) -> NoReturn:
    click.echo(said(error), err=True)
    if isinstance(error, Unavailable):
        sys.exit(EXIT_UNAVAILABLE)
    sys.exit(EXIT_REFUSED if isinstance(error, Conflict) else EXIT_USAGE)
