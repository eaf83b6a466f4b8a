"""A PostgreSQL of the tests' own: made in a folder, heard on a socket there, stopped by its process id."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Self

import psycopg
from sqlalchemy.engine import make_url

_START_SECONDS = 60.0
#: What a crash of the machine would need is left out: the folder is thrown away.
_OPTIONS = "fsync=off full_page_writes=off shared_buffers=32MB max_connections=100"


class PostgresMissing(RuntimeError):
    """The tests need a PostgreSQL server."""


class Postgres:
    """A running server. `create` makes a database and returns its URL."""

    def __init__(self) -> None:
        self._programs = find_programs()
        self._folder = Path(tempfile.mkdtemp(prefix="hutong-postgres-"))
        # The server refuses to run as root.
        self._user = _unprivileged() if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None
        self._names = (f"test_{number}" for number in count(1))

    def __enter__(self) -> Self:
        try:
            self._run("initdb", "--pgdata", self._data, "--auth=trust", "--username=hutong",
                      "--encoding=UTF8", "--locale=C", "--no-sync")  # fmt: skip
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Starts the server on its folder and waits until it answers."""
        options = [part for option in _OPTIONS.split() for part in ("-c", option)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-k", self._folder,
                 "-c", "listen_addresses=", *options],
                stdout=log, stderr=log, cwd=self._folder, preexec_fn=_end_with_parent,
                **self._as_user(),
            )  # fmt: skip
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self._execute("SELECT 1")
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        """Stops the server at once; what was committed stays."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGINT)  # "fast": ends its clients
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait()

    def create(self) -> str:
        """A fresh database's SQLAlchemy URL."""
        name = next(self._names)
        self._execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://hutong@/{name}?host={self._folder}"

    def drop(self, url: str) -> None:
        """Drops a database whoever is still connected to it."""
        self._execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _as_user(self) -> dict[str, object]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [self._programs / program, *map(str, arguments)],
            cwd=self._folder, capture_output=True, text=True, check=False, **self._as_user(),
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(
            host=str(self._folder), user="hutong", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())


def _end_with_parent() -> None:
    """In the child: Linux stops it when the tests are killed."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG


def find_programs() -> Path:
    """Folder of initdb and postgres, newest version first. Raises PostgresMissing."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda path: float(path.parent.name),
        reverse=True,
    )
    on_path = shutil.which("initdb")
    for folder in [*folders, *([Path(on_path).resolve().parent] if on_path else [])]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PostgresMissing(
        "no PostgreSQL server here: `make setup-system` installs it (Debian: apt-get install postgresql)"
    )


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresMissing("PostgreSQL does not run as root, and there is no user `nobody` either")
