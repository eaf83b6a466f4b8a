"""Keys in encrypted files: made once, opened with the password only, readable by other tools."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest
from eth_account import Account

from hutong.ledger.consents import address_of, recover, sign
from hutong.ledger.keystore import KeyExists, KeyMissing, Keystore, KeystoreLocked, decrypt


def make_keystore(folder: Path, password: str = "correct horse") -> Keystore:
    return Keystore(folder / "keys", password, work=2)


def test_key_is_there_again_for_the_next_process(tmp_path: Path) -> None:
    first = make_keystore(tmp_path)
    address = first.create("cashier")
    again = make_keystore(tmp_path)
    assert again.by_name("cashier") == address
    assert again.addresses() == [address]
    assert again.key(address) == first.key(address)
    assert again.key(address.lower()) == first.key(address)
    key = again.private_key(address)
    assert recover(bytes(32), sign(bytes(32), key)) == address == address_of(key)


def test_other_tools_open_the_file(tmp_path: Path) -> None:
    keystore = make_keystore(tmp_path)
    address = keystore.create("bureau")
    content = json.loads((tmp_path / "keys" / "bureau.json").read_text())
    assert bytes(Account.decrypt(content, "correct horse")) == keystore.key(address)


def test_files_of_other_tools_are_opened(tmp_path: Path) -> None:
    account = Account.create()
    (tmp_path / "keys").mkdir()
    file = tmp_path / "keys" / "UTC--2026-01-01--x.json"
    file.write_text(
        json.dumps(Account.encrypt(account.key, "correct horse", kdf="pbkdf2", iterations=2))
    )
    assert make_keystore(tmp_path).key(account.address) == bytes(account.key)


def test_files_are_for_the_owner_only_and_show_no_key(tmp_path: Path) -> None:
    keystore = make_keystore(tmp_path)
    address = keystore.create("cashier")
    file = tmp_path / "keys" / "cashier.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert keystore.key(address).hex() not in file.read_text()
    assert [path.name for path in file.parent.iterdir()] == ["cashier.json"]


def test_wrong_password_opens_nothing_but_shows_addresses(tmp_path: Path) -> None:
    address = make_keystore(tmp_path).create("cashier")
    other = make_keystore(tmp_path, "wrong")
    assert other.addresses() == [address]
    with pytest.raises(KeystoreLocked) as caught:
        other.key(address)
    assert "wrong" not in caught.value.detail


def test_unknown_keys_are_missing(tmp_path: Path) -> None:
    keystore = make_keystore(tmp_path)
    assert keystore.addresses() == []
    with pytest.raises(KeyMissing):
        keystore.key("0x" + "11" * 20)
    with pytest.raises(KeyMissing):
        keystore.by_name("nobody")
    with pytest.raises(KeyMissing):
        decrypt(tmp_path / "nothing.json", "x")


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"address": "xyz"}', '{"crypto": {}, "version": 3}']
)
def test_other_files_are_no_keys(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(KeyMissing):
        decrypt(tmp_path / "other.json", "x")


def test_a_name_is_given_once(tmp_path: Path) -> None:
    keystore = make_keystore(tmp_path)
    address = keystore.create("cashier")
    with pytest.raises(KeyExists):
        make_keystore(tmp_path).create("cashier")
    assert keystore.ensure("cashier") == address
    assert keystore.names() == {"cashier": address}


def test_many_at_once_agree_on_one_key(tmp_path: Path) -> None:
    found: list[str] = []
    stores = [make_keystore(tmp_path) for _ in range(8)]
    threads = [
        threading.Thread(target=lambda k=keystore: found.append(k.ensure("sender")))
        for keystore in stores
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert {keystore.key(found[0]) for keystore in stores} == {
        make_keystore(tmp_path).key(found[0])
    }


@pytest.mark.parametrize("name", ["", "../escape", "a/b", ".hidden", "a" * 101, "名"])
def test_names_are_plain(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        make_keystore(tmp_path).create(name)


@pytest.mark.parametrize("key", [b"", b"\x01", bytes(32), b"\x01" * 33, b"\xff" * 32])
def test_keys_are_whole(tmp_path: Path, key: bytes) -> None:
    with pytest.raises(ValueError, match=r"32 bytes|[Ss]ecret"):
        make_keystore(tmp_path).add("cashier", key)
    assert make_keystore(tmp_path).addresses() == []
