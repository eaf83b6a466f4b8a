"""`hutong import-payments` through a real gateway: whole files, bad lines, and nothing twice whatever is killed."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hutong.database import read
from hutong.invoices.store import invoices
from tests.integration.anvil import ROOT, free_port
from tests.integration.audit import audit
from tests.integration.city import City, Installation, wait_until
from tests.integration.processes import Serving

CDNOW = ROOT / "tests" / "data" / "cdnow_30.txt"


class Office:
    """A merchant with an API key, and the command that imports its payments."""

    def __init__(self, installation: Installation, merchant: str) -> None:
        self.installation, self.merchant = installation, merchant
        self.key = installation.parts.keys.create(merchant, ["issue", "read"], "import").secret
        self.port = free_port()

    def serve(self) -> Serving:
        log = self.installation.settings.home / "serve.log"
        return Serving(self.installation.environ, log, port=self.port)

    def start(self, file: Path, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                sys.executable, "-m", "hutong", "import-payments", str(file),
                "--url", f"http://127.0.0.1:{self.port}", "--key", self.key, *options,
            ],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, file: Path, *options: str) -> tuple[int, str]:
        """Exit code, and all that was said."""
        process = self.start(file, *options)
        out, err = process.communicate(timeout=60)
        return process.returncode, out + err

    def stored(self) -> tuple[int, int]:
        """Number of the merchant's invoices and their sum in fen."""
        with read(self.installation.parts.engine) as connection:
            row = connection.execute(
                sa.select(
                    sa.func.count(), sa.func.coalesce(sa.func.sum(invoices.c.gross), 0)
                ).where(invoices.c.issuer == self.merchant)
            ).one()
        return int(row[0]), int(row[1])


@pytest.fixture
def office(city: City, tmp_path: Path) -> Iterator[Office]:
    installation = city.install(tmp_path)
    merchant = city.admit(installation)
    with installation.working():
        installation.wait_until_known(merchant)
    yield Office(installation, merchant)
    installation.restart()


def write_payments(file: Path, count: int) -> int:
    """A file of that many payments; their sum in fen."""
    chance = random.Random(3)
    amounts = [chance.randrange(0, 100_000) for _ in range(count)]
    lines = [
        f"2026-11-{1 + n % 20:02d},{fen // 100}.{fen % 100:02d}" for n, fen in enumerate(amounts)
    ]
    file.write_text("\n".join(["date,amount", *lines]) + "\n")
    return sum(amounts)


def test_a_file_is_imported_once_however_often_it_is_sent(city: City, office: Office) -> None:
    with office.serve(), office.installation.working():
        code, said = office.run(CDNOW)
        again, repeated = office.run(CDNOW)

        assert (code, again) == (0, 0), said + repeated
        assert "30 invoices (30 new, 0 there already), total 749.79; 0 lines refused" in said
        assert "30 invoices (0 new, 30 there already), total 749.79" in repeated
        wait_until(lambda: office.installation.parts.invoices.list(
            office.merchant, limit=1).items[0].landing is not None)  # fmt: skip
    assert office.stored() == (30, 74_979)
    assert audit(city, office.installation.parts.engine, office.merchant) == 30


def test_an_imported_file_is_verified_invoice_by_invoice(city: City, office: Office) -> None:
    contract = city.contracts.address("Invoices")
    with office.serve(), office.installation.working():
        options = ("--verify", "--rpc", city.node.url, "--contract", contract)
        code, said = office.run(CDNOW, *options)
        other = city.contracts.address("Participants")
        wrong, denied = office.run(CDNOW, *options[:-1], other)

    assert code == 0, said
    assert "30 of 30 verified against the contract, total 749.79" in said
    assert wrong == 1
    assert "0 of 30 verified" in denied


def test_bad_lines_are_told_by_number_and_reason(office: Office, tmp_path: Path) -> None:
    file, rejects = tmp_path / "mixed.csv", tmp_path / "rejects.jsonl"
    file.write_text(
        "date,amount,reference\n"
        "2026-11-01,1.00,A-1\n"
        "2026-11-01,abc,A-2\n"
        "2026-11-01,2.00,A-1\n"
        "2099-01-01,3.00,A-3\n"
        "2026-11-01,4.00,A-4\n"
    )
    with office.serve():
        code, said = office.run(file, "--rejects", str(rejects))

    told = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert code == 1
    assert "2 invoices (2 new" in said
    assert {(entry["line"], entry["code"]) for entry in told} == {
        (3, "FieldInvalid"), (4, "IdempotencyKeyReused"), (5, "TimeInFuture"),
    }  # fmt: skip
    assert office.stored() == (2, 500)


def test_an_import_that_was_killed_goes_on_where_it_was(
    city: City, office: Office, tmp_path: Path
) -> None:
    file = tmp_path / "many.csv"
    total = write_payments(file, 6_000)
    with office.serve(), office.installation.working():
        for stored in (1, 3_000):
            process = office.start(file)
            wait_until(lambda stored=stored: office.stored()[0] >= stored)
            process.kill()
            process.communicate()
        code, said = office.run(file)

        assert code == 0, said
        assert "6000 invoices" in said
        assert office.stored() == (6_000, total)
        last = office.installation.parts.invoices.list(office.merchant, limit=1).items[0].number
        office.installation.wait_until_on_chain([last])
    assert audit(city, office.installation.parts.engine, office.merchant) == 6_000


def test_a_gateway_that_is_killed_meanwhile_only_delays_an_import(
    city: City, office: Office, tmp_path: Path
) -> None:
    file = tmp_path / "many.csv"
    total = write_payments(file, 4_000)
    serving = office.serve()
    process = office.start(file)
    wait_until(lambda: office.stored()[0] >= 1_000)
    serving.kill()
    with office.serve():
        out, err = process.communicate(timeout=60)

    assert process.returncode == 0, out + err
    assert "4000 invoices" in out
    assert office.stored() == (4_000, total)
