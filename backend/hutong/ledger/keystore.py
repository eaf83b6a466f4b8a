"""Private keys in a folder, each in an encrypted file that any Ethereum tool reads."""

from __future__ import annotations

import json
import os
import re
import secrets
import threading
from pathlib import Path
from typing import Any

from coincurve import PrivateKey
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from hutong.errors import HutongError
from hutong.ledger.coding import checksum
from hutong.ledger.consents import address_of

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# scrypt's N, with r = 8 and p = 1: geth's standard (a second a key), and one for demonstrations.
STANDARD_WORK = 262_144
LIGHT_WORK = 4_096


class KeystoreLocked(HutongError):
    """The password opens the keystore's files."""


class KeyMissing(HutongError):
    """The keystore has the key."""


class KeyExists(HutongError):
    """A name in the keystore stands for one key."""


class Keystore:
    """Keys by name and by address. Made for few writers and many readers; threads may share it."""

    def __init__(
        self, folder: str | os.PathLike[str], password: str, *, work: int = STANDARD_WORK
    ) -> None:
        self._folder = Path(folder)
        self._password = password.encode()
        self._work = work
        self._names: dict[str, str] = {}  # name -> address, of the files seen so far
        self._keys: dict[str, bytes] = {}
        self._lock = threading.RLock()

    def create(self, name: str) -> str:
        """Makes a key and returns its address. Raises KeyExists for a name in use."""
        return self.add(name, _random_key())

    def ensure(self, name: str) -> str:
        """Address of the name's key, made first if there is none."""
        try:
            return self.by_name(name)
        except KeyMissing:
            pass
        try:
            return self.create(name)
        except KeyExists:  # another process was first
            return self.by_name(name)

    def add(self, name: str, key: bytes) -> str:
        """Keeps a key of 32 bytes under a name and returns its address. Raises KeyExists."""
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name: letters, digits, '.', '_', '-', at most 100")
        if len(key) != 32:  # the library would fill it up with zeros
            raise ValueError("a private key has 32 bytes")
        address = address_of(PrivateKey(key))
        content = create_keyfile_json(key, self._password, kdf="scrypt", iterations=self._work)
        self._write(self._folder / f"{name}.json", json.dumps(content).encode())
        with self._lock:
            self._names[name] = address
            self._keys[address] = key
        return address

    def addresses(self) -> list[str]:
        """Addresses of all keys, in the order of their names. Needs no password."""
        self._read_folder()
        return [self._names[name] for name in sorted(self._names)]

    def names(self) -> dict[str, str]:
        """Address of each name."""
        self._read_folder()
        return dict(self._names)

    def by_name(self, name: str) -> str:
        """Address of the name's key. Raises KeyMissing."""
        if name not in self._names:
            self._read_folder()
        try:
            return self._names[name]
        except KeyError:
            raise KeyMissing(f"the keystore has no key {name!r}", name=name) from None

    def key(self, address: str) -> bytes:
        """The private key, 32 bytes; kept once decrypted. Raises KeyMissing, KeystoreLocked."""
        address = checksum(address)
        with self._lock:
            key = self._keys.get(address)
            if key is None:
                key = self._keys[address] = self._decrypt(address)
            return key

    def private_key(self, address: str) -> PrivateKey:
        """The private key, ready to sign. Raises as `key`."""
        return PrivateKey(self.key(address))

    def _decrypt(self, address: str) -> bytes:
        name = self._name_of(address)
        if name is None:
            self._read_folder()
            name = self._name_of(address)
        if name is None:
            raise KeyMissing(f"the keystore has no key of {address}", address=address)
        return decrypt(self._folder / f"{name}.json", self._password.decode())

    def _name_of(self, address: str) -> str | None:
        return next((n for n, a in list(self._names.items()) if a == address), None)

    def _read_folder(self) -> None:
        with self._lock:
            for path in sorted(self._folder.glob("*.json")):
                if path.stem not in self._names:
                    address = _read(path).get("address")
                    if isinstance(address, str):
                        self._names[path.stem] = checksum(address)

    def _write(self, path: Path, content: bytes) -> None:
        """A file of mode 0600 that is there whole or not at all, and never replaces another."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            raise KeyExists(f"the keystore has a key {path.stem!r} already") from None
        finally:
            draft.unlink()


def decrypt(path: Path, password: str) -> bytes:
    """The private key in one encrypted file. Raises KeystoreLocked, KeyMissing (no such file)."""
    content = _read(path)
    try:
        return bytes(decode_keyfile_json(content, password.encode()))
    except ValueError as error:  # "MAC mismatch"
        raise KeystoreLocked(f"the password does not open {path.name}") from error
    except (KeyError, TypeError, NotImplementedError) as error:
        raise KeyMissing(f"{path.name} is no encrypted key") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise KeyMissing(f"{path} cannot be read as an encrypted key") from error
    return content if isinstance(content, dict) else {}


def _random_key() -> bytes:
    return bytes(PrivateKey().secret)
