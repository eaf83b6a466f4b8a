"""`hutong import-payments`: a file of payments becomes invoices, through the HTTP API like anybody's."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import requests
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hutong.errors import HutongError, Unavailable
from hutong.invoices.payments import BadLine, PaymentLine, read_payments

_CHUNK = 1_000
_TRIES = 60
_PAUSE = 2.0


class ImportTally:
    """What became of the lines of a file; sums in major units."""

    def __init__(self) -> None:
        self.accepted = 0
        self.repeated = 0
        self.total = Decimal(0)
        self.numbers: list[str] = []
        self.rejected: list[dict[str, Any]] = []

    def reject(self, line: int, code: str, detail: str) -> None:
        self.rejected.append({"line": line, "code": code, "detail": detail})


def invoice_of(payment: PaymentLine, provider: str, item: str, rate: int | str) -> dict[str, Any]:
    """A payment as the invoice request of docs/api.md; the amount includes tax."""
    line: dict[str, Any] = {
        "name": payment.description or item,
        "amount": f"{payment.amount:.2f}",
        "rate": rate,
    }
    if payment.quantity is not None:
        line["quantity"] = payment.quantity
    body: dict[str, Any] = {
        "key": _key(provider, payment.reference),
        "prices_include_tax": True,
        "lines": [line],
        "payment": {
            "provider": provider,
            "reference": payment.reference,
            "paid_at": payment.paid_at,
        },
    }
    if payment.customer:
        body["remarks"] = f"customer {payment.customer}"
    return body


class Importer:
    """Sends payments in chunks. A file sent again issues nothing twice: keys follow from the payments."""

    def __init__(self, url: str, key: str, provider: str, item: str, rate: int | str) -> None:
        self._url = url.rstrip("/")
        self._provider, self._item, self._rate = provider, item, rate
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"
        self.tally = ImportTally()

    def run(self, file: Path, label: str, report: Progress | None = None) -> None:
        """Imports a whole file. Raises Unavailable when the gateway stays away; what was accepted stays accepted."""
        size = file.stat().st_size
        task = report.add_task("import", total=size, count=0) if report else None
        with file.open(encoding="utf-8-sig", errors="replace") as lines:
            read = _Counted(lines)
            for chunk in _chunks(read_payments(read, label), _CHUNK):
                self._send([entry for entry in chunk if isinstance(entry, PaymentLine)])
                for entry in chunk:
                    if isinstance(entry, BadLine):
                        self.tally.reject(entry.line, entry.error.code, entry.error.detail)
                if report is not None and task is not None:
                    done = self.tally.accepted + self.tally.repeated
                    report.update(task, completed=min(read.size, size), count=done)
        if report is not None and task is not None:
            report.update(task, completed=size)

    def _send(self, payments: list[PaymentLine]) -> None:
        pending = payments
        for _ in range(_TRIES):
            if not pending:
                return
            answers = self._post(pending)
            again: list[PaymentLine] = []
            for place, payment in enumerate(pending):
                answer = answers.get(place + 1)
                if answer is None or _passes(answer):
                    again.append(payment)
                else:
                    self._count(payment, answer)
            pending = again
            if pending:
                time.sleep(_PAUSE)
        if pending:
            raise Unavailable(
                "the gateway did not take the payments; run the same command again later"
            )

    def _post(self, payments: list[PaymentLine]) -> dict[int, dict[str, Any]]:
        """Answers by line of the request; none for lines that the gateway did not come to."""
        body = b"\n".join(
            json.dumps(invoice_of(p, self._provider, self._item, self._rate)).encode()
            for p in payments
        )
        first, last = payments[0].reference, payments[-1].reference
        answers: dict[int, dict[str, Any]] = {}
        try:
            with self._session.post(
                f"{self._url}/v1/invoices/bulk",
                data=body,
                headers={
                    "Content-Type": "application/x-ndjson",
                    "Idempotency-Key": _key(self._provider, first, last),
                },
                stream=True,
                timeout=120,
            ) as response:
                if response.status_code in (429, 502, 503, 504):
                    return {}
                if response.status_code != 200:
                    raise click.ClickException(_problem(response))
                for line in response.iter_lines():
                    answer = json.loads(line) if line else {}
                    if "line" in answer:
                        answers[int(answer["line"])] = answer
        except requests.RequestException:
            pass  # a gateway that restarts: what it answered counts, the rest is sent again
        return answers

    def _count(self, payment: PaymentLine, answer: dict[str, Any]) -> None:
        problem = answer.get("error")
        if problem is not None:
            self.tally.reject(payment.line, problem["code"], problem["detail"])
            return
        if answer.get("repeated"):
            self.tally.repeated += 1
        else:
            self.tally.accepted += 1
        self.tally.total += payment.amount
        self.tally.numbers.append(answer["number"])


class _Counted:
    """Lines of a text file, counted in characters, for the progress bar."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.size += len(line)
            yield line


def _chunks(
    entries: Iterator[PaymentLine | BadLine], size: int
) -> Iterator[list[PaymentLine | BadLine]]:
    while chunk := list(itertools.islice(entries, size)):
        yield chunk


def _key(*parts: str) -> str:
    """An idempotency key that stands for these texts, whatever characters are in them."""
    return "import-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]


def _passes(answer: dict[str, Any]) -> bool:
    """Whether a refusal passes by itself."""
    return answer.get("error", {}).get("status") in (429, 502, 503)


def _problem(response: requests.Response) -> str:
    try:
        problem = response.json()
        return f"{problem['code']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"the gateway answers {response.status_code}"


@click.command("import-payments")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The gateway.")
@click.option(
    "--key", envvar="HUTONG_API_KEY", required=True, help="API key; HUTONG_API_KEY is read, too."
)
@click.option("--provider", default="import", show_default=True, help="Who took the payments.")
@click.option(
    "--label", help="Stands before the line number where the file has no references [file's name]."
)
@click.option(
    "--item", default="商品", show_default=True, help="What was sold, where the file does not say."
)
@click.option(
    "--rate", default="1300", show_default=True, help="1/10000, or exempt, not-taxed, zero."
)
@click.option(
    "--rejects", type=click.Path(path_type=Path), help="Writes refused lines as JSON Lines."
)
@click.option(
    "--verify", is_flag=True, help="Then waits for the chain and verifies every invoice against it."
)
@click.option(
    "--rpc",
    envvar="HUTONG_RPC_URL",
    default="http://127.0.0.1:8545",
    show_default=True,
    help="The node to verify against.",
)
@click.option("--contract", help="Address of Invoices to trust; needed with --verify.")
def import_command(
    file: Path,
    url: str,
    key: str,
    provider: str,
    label: str | None,
    item: str,
    rate: str,
    rejects: Path | None,
    verify: bool,
    rpc: str,
    contract: str | None,
) -> None:
    """Turns a FILE of payments into invoices.

    The file has a heading line and columns separated by commas, semicolons, tabs or blanks; those for date and amount
    are needed. Interrupted? Run the same command again: nothing is issued twice.
    """
    if verify and contract is None:
        raise click.UsageError("--verify needs --contract: the address that you trust")
    importer = Importer(url, key, provider, item, int(rate) if rate.isdigit() else rate)
    columns = (
        TextColumn("{task.description:8}"),
        BarColumn(),
        TextColumn("{task.fields[count]} invoices"),
        TimeRemainingColumn(),
    )
    try:
        with Progress(*columns) as progress:
            importer.run(file, label or file.stem, progress)
    except HutongError as error:
        raise click.ClickException(f"{error.code}: {error.detail}") from error
    tally = importer.tally
    click.echo(
        f"{tally.accepted + tally.repeated} invoices ({tally.accepted} new, {tally.repeated} there already), "
        f"total {tally.total:.2f}; {len(tally.rejected)} lines refused"
    )
    for entry in tally.rejected[:20]:
        click.echo(f"  line {entry['line']}: {entry['code']}: {entry['detail']}", err=True)
    if rejects is not None:
        rejects.write_text(
            "".join(json.dumps(e, ensure_ascii=False) + "\n" for e in tally.rejected)
        )
    failed = verify and not _verify(importer, url, key, rpc, contract or "")
    if tally.rejected or failed:
        raise SystemExit(1)


def _verify(importer: Importer, url: str, key: str, rpc: str, contract: str) -> bool:
    from hutong.cli.verifying import verify_many  # noqa: PLC0415 - needs the verifier only here

    columns = (TextColumn("verify  "), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("verify", total=len(importer.tally.numbers))
        result = verify_many(
            importer.tally.numbers, url, key, rpc, contract, lambda: progress.advance(task)
        )
    click.echo(
        f"{result.held} of {len(importer.tally.numbers)} verified against the contract, total {result.total:.2f}"
    )
    for number, why in result.failed[:20]:
        click.echo(f"  {number}: {why}", err=True)
    return not result.failed
