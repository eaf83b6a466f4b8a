"""One signed POST to one address that was judged: no redirects, no waiting without end, no reading without end."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable
from typing import NamedTuple

from hutong.errors import HutongError
from hutong.webhooks.address import Target, resolve

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 10.0
#: Whatever the other side does, an attempt is over after this.
TOTAL_SECONDS = 20.0
_READ = 4_096


class Outcome(NamedTuple):
    """How an attempt went: the HTTP status, or why there is none."""

    status: int | None
    why: str | None

    @property
    def taken(self) -> bool:
        """Whether the other side has taken the notice: any 2xx."""
        return self.status is not None and 200 <= self.status < 300


#: Sends a body with headers to a target.
Send = Callable[[Target, bytes, dict[str, str]], Outcome]


class Sender:
    """Sends notices. `loopback`: this machine's own addresses are allowed."""

    def __init__(self, *, loopback: bool) -> None:
        self._loopback = loopback
        self._tls = ssl.create_default_context()

    def __call__(self, target: Target, body: bytes, headers: dict[str, str]) -> Outcome:
        """One attempt; never raises."""
        try:
            return self._post(target, body, headers)
        except HutongError as error:
            return Outcome(None, error.detail)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Outcome(None, f"{type(error).__name__}: {error}"[:300])

    def _post(self, target: Target, body: bytes, headers: dict[str, str]) -> Outcome:
        address = resolve(target, loopback=self._loopback)
        # The address that was judged is the one that is connected to; the name only goes into TLS and Host.
        line: socket.socket = socket.create_connection((address, target.port), _CONNECT_SECONDS)
        line.settimeout(_ANSWER_SECONDS)
        ended = threading.Event()

        def hang_up() -> None:
            ended.set()
            with contextlib.suppress(OSError):
                line.shutdown(
                    socket.SHUT_RDWR
                )  # the socket of the moment: TLS takes the first one's place

        watch = threading.Timer(TOTAL_SECONDS, hang_up)
        watch.daemon = True
        watch.start()
        try:
            if target.secure:
                line = self._tls.wrap_socket(line, server_hostname=target.host)
            connection = http.client.HTTPConnection(target.host, target.port)
            connection.sock = line
            default = 443 if target.secure else 80
            host = f"[{target.host}]" if ":" in target.host else target.host
            headers = {
                "Host": host if target.port == default else f"{host}:{target.port}",
                **headers,
            }
            connection.request("POST", target.path, body, headers)
            response = connection.getresponse()
            response.read(_READ)
            if ended.is_set():  # an answer that was cut off may look like a short one
                return Outcome(None, f"no whole answer within {TOTAL_SECONDS:.0f} s")
            why = None if 200 <= response.status < 300 else f"it answers {response.status}"
            return Outcome(response.status, why)
        finally:
            watch.cancel()
            line.close()
