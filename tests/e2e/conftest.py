"""A gateway that listens on a socket, and a real browser."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from hutong.database import open_database
from tests.integration.gateway import Gateway
from tests.integration.registry import Registry
from tests.integration.web.site import Site

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium where there is one, else the one that Playwright has fetched."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A gateway over SQLite; the tests say what its chain says."""
    folder: Path = tmp_path_factory.mktemp("e2e")
    engine = open_database(f"sqlite:///{folder / 'hutong.db'}")
    return Site(engine, Gateway(engine, folder), Registry(engine), folder)


@pytest.fixture(scope="session")
def url(site: Site) -> Iterator[str]:
    """Where the gateway listens."""
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
