"""The agencies' commands: what they change, what they leave, what they refuse, and how they say it."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey

from hutong import uscc
from hutong.ledger.appointment import NEVER, NO_CAP
from hutong.ledger.consents import address_of
from hutong.ledger.contracts import Contracts, call
from hutong.ledger.deployment import deploy
from hutong.ledger.embedded import EmbeddedGanache
from hutong.ledger.governance import Agencies
from hutong.ledger.keystore import Keystore
from hutong.ledger.transact import fund
from tests.integration.anvil import ROOT, Anvil
from tests.integration.commands import Commands, environment

ARTIFACTS = ROOT / "build" / "contracts-hutong"
SOMEBODY = "0x" + "5B" * 20
_codes = (f"91110106MA{i:07d}" for i in itertools.count(1))


def new_code() -> str:
    """A valid USCC that no other test uses."""
    body = next(_codes)
    return body + uscc.check_digit(body)


class Bureau(Commands):
    """A deployment whose every agency is one account, with its commands."""

    def __init__(self, chain: EmbeddedGanache | Anvil, folder: Path, agencies: Agencies) -> None:
        key = PrivateKey()
        fund(chain.node, chain.key, address_of(key), 10**19)
        self.node, self.key = chain.node, bytes(key.secret)
        manifest = deploy(
            self.node, self.key, ARTIFACTS, folder / "m.json", lambda _: None, agencies=agencies
        )
        self.contracts = Contracts(manifest)
        super().__init__(chain, folder / "m.json", self.key)

    def ask(self, contract: str, function: str, *args: object) -> Any:
        return call(self.node, self.contracts, contract, function, *args)

    def sent(self) -> int:
        return self.node.transaction_count(address_of(PrivateKey(self.key)))

    def admit(self, *, roles: str = "issuer", admin: str = SOMEBODY) -> str:
        code = new_code()
        options = ("--name", "商户", "--roles", roles, "--admin", admin)
        result = self.run("admit", code, *options)
        assert result.code == 0, result.text
        return code


@pytest.fixture(scope="module", params=["ganache", "anvil"])
def bureau(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bureau:
    chain = request.getfixturevalue(request.param)
    return Bureau(chain, tmp_path_factory.mktemp("deployed"), Agencies())


@pytest.fixture(scope="module")
def one_bureau(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Bureau:
    """On anvil alone, for what does not depend on the client."""
    return Bureau(anvil, tmp_path_factory.mktemp("deployed"), Agencies())


def test_organisation_is_admitted_once(bureau: Bureau) -> None:
    code = bureau.admit(roles="issuer,reimburser")
    assert bureau.ask("Participants", "participantOf", code).roles == 3
    assert bureau.ask("Participants", "signerOf", code, SOMEBODY).roles == 1
    sent = bureau.sent()
    same = ("--name", "商户", "--roles", "issuer,reimburser", "--admin", SOMEBODY)
    again = bureau.run("admit", code, *same)
    assert (again.code, "admitted before as issuer, reimburser" in again.text) == (0, True)
    assert bureau.sent() == sent


def test_other_roles_are_set_when_asked_for_only(one_bureau: Bureau) -> None:
    code = one_bureau.admit()
    other = (code, "--name", "商户", "--roles", "debtor", "--admin", SOMEBODY)
    refused = one_bureau.run("admit", *other)
    assert (refused.code, "ParticipantExists" in refused.text) == (1, True)
    assert one_bureau.run("admit", *other, "--replace-roles").code == 0
    assert one_bureau.ask("Participants", "participantOf", code).roles == 8


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (
            ("91110106MA7K3HW20X", "--name", "x", "--admin", SOMEBODY),
            "UsccInvalid: the check digit",
        ),
        (("9111", "--name", "x", "--admin", SOMEBODY), "UsccInvalid"),
        (("91110106MA7K3HW20W", "--name", "x", "--admin", "0x12"), "FieldInvalid"),
        (("91110106MA7K3HW20W", "--name", "x", "--roles", "king", "--admin", SOMEBODY), "'king'"),
        (("91110106MA7K3HW20W", "--name", "x"), "--admin"),
        ((), "Usage"),
    ],
)
def test_unusable_input_is_named(one_bureau: Bureau, args: tuple[str, ...], told: str) -> None:
    sent = one_bureau.sent()
    result = one_bureau.run("admit", *args)
    assert (result.code, told in result.text) == (2, True), result.text
    assert one_bureau.sent() == sent


def test_wrong_check_digit_is_admitted_as_irregular_only(one_bureau: Bureau) -> None:
    code = new_code()
    wrong = code[:17] + ("1" if code[17] != "1" else "2")
    args = (wrong, "--name", "老字号", "--admin", SOMEBODY)
    assert one_bureau.run("admit", *args).code == 2
    assert one_bureau.run("admit", *args, "--irregular").code == 0
    assert one_bureau.ask("Participants", "participantOf", wrong).roles == 1


def test_file_is_admitted_row_by_row(bureau: Bureau, tmp_path: Path) -> None:
    codes = [new_code() for _ in range(40)]
    known = bureau.admit()
    rows = [f"{code},商户{i},issuer|supplier,{SOMEBODY}" for i, code in enumerate(codes)]
    rows[3:3] = [f"9111,坏,issuer,{SOMEBODY}", f"{known},商户,issuer,{SOMEBODY}"]
    rows.append(f"{codes[0]},又一次,issuer|supplier,{SOMEBODY}")  # the same one twice
    file = tmp_path / "admit.csv"
    file.write_text("\ufeffuscc,name,roles,admin\n" + "\n".join(rows) + "\n", "utf-8")
    result = bureau.run("admit", "--file", str(file))
    assert result.code == 1
    assert "line 5: " in result.text
    assert "2 of 43 refused" in result.text
    assert result.text.count("ParticipantExists") == 1
    assert [bureau.ask("Participants", "participantOf", c).roles for c in codes] == [5] * 40
    again = bureau.run("admit", "--file", str(file))
    assert "1 of 43 refused" in again.text
    assert again.text.count("admitted before") == 42


def test_file_without_a_column_is_told(one_bureau: Bureau, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("uscc,name\n")
    result = one_bureau.run("admit", "--file", str(file))
    assert (result.code, "no column roles, admin" in result.text) == (2, True)


def test_book_is_opened_once_and_closed_once(one_bureau: Bureau) -> None:
    code = one_bureau.admit()
    first = int("26111" + f"{one_bureau.sent():015d}") + 10**6
    args = ("open_book", code, "--first", str(first), "--count", "1000")
    opened = one_bureau.run(*args)
    assert opened.code == 0, opened.text
    book = one_bureau.ask("Invoices", "bookOf", first)
    assert (book.issuer, book.currency, book.last) == (code, "CNY", first + 999)
    assert "opened before" in one_bureau.run(*args).text
    overlap = one_bureau.run("open_book", code, "--first", str(first + 5), "--count", "1")
    assert (overlap.code, f"last {first + 999}" in overlap.text) == (1, True)
    assert one_bureau.run("open_book", "--close", str(first)).code == 0
    assert "ended before" in one_bureau.run("open_book", "--close", str(first)).text
    assert one_bureau.ask("Invoices", "bookOf", first).last == first - 1


def test_books_are_opened_from_a_file_in_its_order(one_bureau: Bureau, tmp_path: Path) -> None:
    code = one_bureau.admit()
    firsts = [26_21 * 10**16 + i * 1000 + 1 for i in range(20)]
    file = tmp_path / "books.csv"
    file.write_text("issuer,first,count\n" + "".join(f"{code},{f},1000\n" for f in firsts))
    result = one_bureau.run("open_book", "--file", str(file))
    assert result.code == 0, result.text
    assert one_bureau.ask("Invoices", "bookCount", code) == 20
    assert [one_bureau.ask("Invoices", "bookAt", code, i) for i in range(20)] == firsts


def test_book_for_somebody_who_issues_nothing_is_refused(one_bureau: Bureau) -> None:
    code = one_bureau.admit(roles="reimburser")
    result = one_bureau.run("open_book", code, "--first", str(27 * 10**18), "--count", "1")
    assert (result.code, "ParticipantRoleMissing" in result.text) == (1, True)


def test_quota_is_set_in_the_currencys_unit(one_bureau: Bureau, tmp_path: Path) -> None:
    code = one_bureau.admit()
    assert one_bureau.run("set_quota", code, "50000.01").code == 0
    assert one_bureau.ask("Invoices", "quotaOf", code, "CNY").amount == 5_000_001
    assert "was 50000.01 CNY" in one_bureau.run("set_quota", code, "50000.01").text
    file = tmp_path / "quotas.csv"
    file.write_text(f"issuer,amount,currency\n{code},700,JPY\n{code},0.001,CNY\n{new_code()},1,\n")
    result = one_bureau.run("set_quota", "--file", str(file))
    assert result.code == 1
    assert ("line 3: " in result.text, "ParticipantUnknown" in result.text) == (True, True)
    assert one_bureau.ask("Invoices", "quotaOf", code, "JPY").amount == 700


def test_suspension_begins_and_ends(one_bureau: Bureau) -> None:
    code = one_bureau.admit()
    args = ("suspend", code)
    assert one_bureau.run(*args, "--reason", "欠税").code == 0
    assert one_bureau.ask("Participants", "participantOf", code).suspended
    assert "suspended before" in one_bureau.run(*args, "--reason", "欠税").text
    assert one_bureau.run(*args, "--reinstate").code == 0
    assert not one_bureau.ask("Participants", "participantOf", code).suspended
    assert "not suspended" in one_bureau.run(*args, "--reinstate").text
    unknown = one_bureau.run("suspend", new_code(), "--reinstate")
    assert (unknown.code, "ParticipantUnknown" in unknown.text) == (1, True)
    assert one_bureau.run(*args).code == 2


def test_signer_is_named_by_the_administrators_consent(bureau: Bureau, tmp_path: Path) -> None:
    keys = Keystore(tmp_path / "keys", "open sesame", work=2)
    admin, cashier = keys.create("admin"), keys.create("cashier")
    (tmp_path / "password").write_text("open sesame\n")
    code = bureau.admit(admin=admin)
    consent = (
        "--admin-keystore", str(tmp_path / "keys" / "admin.json"),
        "--admin-password-file", str(tmp_path / "password"),
    )  # fmt: skip
    args = ("set_signer", code, cashier, "--roles", "cashier", *consent)
    limits = ("--cap", "1000.00", "--expires", "2030-12-31")
    result = bureau.run(*args, *limits)
    assert result.code == 0, result.text
    signer = bureau.ask("Participants", "signerOf", code, cashier)
    # The end of the day in Beijing, and 1,000 yuan in fen.
    assert dict(signer) == {"roles": 2, "expires": 1_924_963_199, "cap": 100_000}
    assert "already" in bureau.run(*args, *limits).text
    assert bureau.run(*args).code == 0
    signer = bureau.ask("Participants", "signerOf", code, cashier)
    assert (signer.expires, signer.cap) == (NEVER, NO_CAP)
    assert bureau.run("set_signer", code, cashier, "--remove", *consent).code == 0
    assert bureau.ask("Participants", "signerOf", code, cashier).roles == 0
    stranger = bureau.run(
        "set_signer", code, SOMEBODY, "--roles", "admin", HUTONG_ADMIN_KEY=bureau.key.hex()
    )
    assert (stranger.code, "SignerUnknown" in stranger.text) == (1, True)


def test_recovery_voids_all_others_once(one_bureau: Bureau) -> None:
    code = one_bureau.admit()
    new = address_of(PrivateKey())
    args = ("recover", code, new, "--reason", "lost")
    assert one_bureau.run(*args).code == 0
    assert one_bureau.ask("Participants", "signerOf", code, SOMEBODY).roles == 0
    assert one_bureau.ask("Participants", "signerOf", code, new).roles == 1
    assert "recovered before" in one_bureau.run(*args).text
    assert one_bureau.ask("Participants", "participantOf", code).epoch == 1
    assert one_bureau.run(*args, "--again").code == 0
    assert one_bureau.ask("Participants", "participantOf", code).epoch == 2


def test_delayed_recovery_is_announced_then_carried_out(tmp_path: Path) -> None:
    with Anvil(block_time=0.2) as chain:
        bureau = Bureau(chain, tmp_path, Agencies(recovery_delay=3600))
        code = bureau.admit()
        args = ("recover", code, address_of(PrivateKey()), "--reason", "lost")
        assert "would be announced" in bureau.run(*args, "--dry-run").text
        assert "announced; run again from" in bureau.run(*args).text
        early = bureau.run(*args)
        assert (early.code, "announced; run again from" in early.text) == (0, True)
        assert bureau.ask("Participants", "participantOf", code).epoch == 0
        chain.node.call("evm_increaseTime", 3601)
        chain.node.call("evm_mine")
        done = bureau.run(*args)
        assert (done.code, "recovered: only" in done.text) == (0, True), done.text
        assert bureau.ask("Participants", "participantOf", code).epoch == 1


def test_rehearsal_tells_the_outcome_and_sends_nothing(one_bureau: Bureau) -> None:
    sent = one_bureau.sent()
    code = new_code()
    args = (code, "--name", "商户", "--admin", SOMEBODY, "--dry-run")
    result = one_bureau.run("admit", *args)
    assert (result.code, "would be: admitted" in result.text) == (0, True)
    refused = one_bureau.run("set_quota", code, "1.00", "--dry-run")
    assert (refused.code, "ParticipantUnknown" in refused.text) == (1, True)
    assert one_bureau.sent() == sent


def test_stranger_is_refused_with_the_contracts_word(one_bureau: Bureau) -> None:
    stranger = PrivateKey()
    result = one_bureau.run(
        "suspend", new_code(), "--reason", "x", HUTONG_KEY=bytes(stranger.secret).hex()
    )
    assert result.code == 1
    assert f"AccessManagedUnauthorized: caller {address_of(stranger)}" in result.text


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"HUTONG_KEY": ""}, "a key is needed"),
        ({"HUTONG_KEY": "0x1234deadbeef"}, "no private key"),
        ({"HUTONG_KEY": "00" * 32}, "no private key"),
    ],
)
def test_unusable_key_is_told_but_never_shown(
    one_bureau: Bureau, values: dict[str, str], told: str
) -> None:
    result = one_bureau.run("suspend", new_code(), "--reason", "x", **values)
    assert (result.code, told in result.text) == (2, True), result.text
    assert "deadbeef" not in result.text


def test_key_comes_from_an_encrypted_file(one_bureau: Bureau, tmp_path: Path) -> None:
    keys = Keystore(tmp_path, "open sesame", work=2)
    keys.add("bureau", one_bureau.key)
    args = ("admit", new_code(), "--name", "商户", "--admin", SOMEBODY)
    file = ("--keystore", str(tmp_path / "bureau.json"))
    right = one_bureau.run(*args, *file, HUTONG_KEY="", HUTONG_KEYSTORE_PASSWORD="open sesame")
    assert right.code == 0, right.text
    wrong = one_bureau.run(*args, *file, HUTONG_KEYSTORE_PASSWORD="wrong")
    assert (wrong.code, "KeystoreLocked" in wrong.text) == (2, True)


def test_node_that_is_away_is_told(one_bureau: Bureau) -> None:
    result = one_bureau.run(
        "suspend", new_code(), "--reason", "x", HUTONG_RPC_URL="http://127.0.0.1:1"
    )
    assert (result.code, "NodeUnavailable" in result.text) == (3, True)


def test_missing_manifest_is_told(one_bureau: Bureau, tmp_path: Path) -> None:
    result = one_bureau.run(
        "suspend", new_code(), "--reason", "x", "--manifest", str(tmp_path / "none.json")
    )
    assert (result.code, "deploy first" in result.text) == (2, True)


@pytest.mark.parametrize(
    "name", ["deploy", "admit", "open_book", "set_quota", "suspend", "set_signer", "recover"]
)
def test_every_command_explains_itself(name: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / f"{name}.py"), "--help"],
        env=environment(),
        cwd=os.sep,
        capture_output=True,
        text=True,
        check=True,
    )
    for text in ("--network", "--manifest", "--keystore", "--dry-run", "Exit code"):
        assert text in done.stdout
