"""Settings: read once from the environment by the command line and the gateway, then handed to whoever needs them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hutong.errors import SettingInvalid


@dataclass(frozen=True)
class Settings:
    """All settings. Times in seconds. Secrets never show in `repr`."""

    home: Path
    database_url: str = field(repr=False)
    rpc_url: str | None
    manifest: Path | None
    host: str
    port: int
    batch_seconds: float
    promise_seconds: int
    threads: int
    network_label: str
    workers: int
    proxies: int
    webhook_loopback: bool

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Settings of this process. Raises SettingInvalid naming the variable and the rule."""
        home = Path(environ.get("HUTONG_HOME", "var")).resolve()
        manifest = environ.get("HUTONG_MANIFEST")
        return cls(
            home=home,
            database_url=environ.get("HUTONG_DATABASE_URL") or f"sqlite:///{home / 'hutong.db'}",
            rpc_url=environ.get("HUTONG_RPC_URL") or None,
            manifest=Path(manifest).resolve() if manifest else None,
            host=environ.get("HUTONG_HOST", "127.0.0.1"),
            port=int(_number(environ, "HUTONG_PORT", 8000, 1, 65535)),
            batch_seconds=_number(environ, "HUTONG_BATCH_SECONDS", 1.0, 0.05, 60.0),
            promise_seconds=int(_number(environ, "HUTONG_PROMISE_SECONDS", 60, 1, 86_400)),
            threads=int(_number(environ, "HUTONG_THREADS", 32, 1, 512)),
            network_label=environ.get("HUTONG_NETWORK_LABEL", "demonstration"),
            # One process: on SQLite a second one would only wait for the first one's lock.
            workers=int(_number(environ, "HUTONG_WORKERS", 1, 1, 64)),
            # How many reverse proxies stand before the gateway: that many X-Forwarded headers are believed.
            proxies=int(_number(environ, "HUTONG_PROXIES", 0, 0, 8)),
            # Whether webhooks may tell this machine's own addresses, by HTTP, too.
            webhook_loopback=bool(_number(environ, "HUTONG_WEBHOOK_LOOPBACK", 0, 0, 1)),
        )

    @property
    def keys(self) -> Path:
        """Folder of the encrypted keystore."""
        return self.home / "keys"

    def keystore_password(self, environ: Mapping[str, str] = os.environ) -> str:
        """HUTONG_KEYSTORE_PASSWORD, else the content of `keys/password`, made at random (mode 0600) if missing."""
        given = environ.get("HUTONG_KEYSTORE_PASSWORD")
        return given if given else _secret_file(self.keys / "password")

    def server_secret(self) -> bytes:
        """32 bytes that holder links are derived from; made at random (mode 0600) on first use."""
        return bytes.fromhex(_secret_file(self.home / "server-secret"))


def _secret_file(path: Path) -> str:
    """Content of a secret file, created with 32 random bytes in hex; safe against two starting at once."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(draft, path)  # fails when another process was first: its secret counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def _number(
    environ: Mapping[str, str], name: str, default: float, least: float, most: float
) -> float:
    text = environ.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise SettingInvalid(f"{name} must be a number from {least:g} to {most:g}", field=name)
    return value
