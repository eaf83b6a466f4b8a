"""The examples of docs/api.md, run as they stand against a gateway that listens."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_pages import land
from tests.integration.web.site import Site

_PAGE = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture
def chain(site: Site) -> Iterator[None]:
    """Lets everything issued land a moment later, again and again."""
    stop = threading.Event()

    def follow() -> None:
        while not stop.wait(0.3):
            land(site)

    thread = threading.Thread(target=follow)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.mark.usefixtures("chain")
def test_every_example_runs(site: Site, url: str, tmp_path: Path) -> None:
    examples = re.findall(r"```sh\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) > 8
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(examples)],
        cwd=tmp_path,
        env={**os.environ, "HUTONG": url, "KEY": site.key},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"done":{"lines":3,"accepted":2,"repeated":0,"refused":1}' in done.stdout
    assert "AmountInvalid" in done.stdout
