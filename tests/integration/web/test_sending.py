"""One attempt over a real socket: statuses, redirects, slowness, addresses that change their mind."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from hutong.webhooks import sending
from hutong.webhooks.address import read_url
from hutong.webhooks.sending import Sender


class Receiver(BaseHTTPRequestHandler):
    """Answers by path, and keeps what came."""

    got: ClassVar[list[tuple[str, dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, dict(self.headers), body))
        if self.path == "/drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            with contextlib.suppress(OSError):
                for _ in range(100):
                    self.wfile.write(b"X: y\r\n")
                    time.sleep(0.1)
            return
        self.send_response(int(self.path.strip("/")))
        self.send_header("Location", "/200")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Receiver.got.clear()
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def send(url: str, *, loopback: bool = True) -> sending.Outcome:
    target = read_url(url, loopback=True)
    return Sender(loopback=loopback)(target, b'{"a":1}', {"Content-Type": "application/json"})


@pytest.mark.parametrize(
    ("status", "taken"), [(200, True), (204, True), (302, False), (500, False)]
)
def test_any_2xx_takes_and_a_redirect_is_not_followed(url: str, status: int, taken: bool) -> None:
    outcome = send(f"{url}/{status}")
    assert (outcome.status, outcome.taken) == (status, taken)
    ((path, headers, body),) = Receiver.got
    assert (path, body) == (f"/{status}", b'{"a":1}')
    assert headers["Host"] == url.removeprefix("http://")


def test_an_answer_that_drips_without_end_is_cut_off(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TOTAL_SECONDS", 0.4)
    begun = time.monotonic()
    outcome = send(f"{url}/drip")
    assert not outcome.taken
    assert time.monotonic() - begun < 3


def test_nobody_there_is_an_outcome_not_an_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outcome = send(f"http://127.0.0.1:{port}/")
    assert outcome.status is None
    assert outcome.why is not None
    assert "refused" in outcome.why


def test_a_name_that_leads_inside_when_it_is_used_is_not_connected_to(url: str) -> None:
    outcome = send(f"{url}/200", loopback=False)
    assert outcome.status is None
    assert "not public" in str(outcome.why)
    assert Receiver.got == []


def test_a_certificate_is_verified(url: str) -> None:
    outcome = send(url.replace("http://", "https://") + "/200")
    assert outcome.status is None
    assert "SSL" in str(outcome.why)
