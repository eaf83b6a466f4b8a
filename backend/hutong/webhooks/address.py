"""Where a notice may go: to public addresses over HTTPS, never into the network that the gateway stands in."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from hutong.errors import WebhookUrlRefused

MAX_URL = 2_000
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}", re.ASCII)
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_PORTS = {"https": 443, "http": 80}

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Target(NamedTuple):
    """A webhook's address taken apart; `path` with its query."""

    secure: bool
    host: str
    port: int
    path: str


def read_url(url: str, *, loopback: bool) -> Target:
    """Checks what can be checked without asking anybody. `loopback`: this machine itself is allowed, by HTTP, too.

    Raises WebhookUrlRefused, naming the rule.
    """
    if len(url) > MAX_URL or not _PRINTABLE.fullmatch(url):
        raise _refused(f"a URL has at most {MAX_URL} printable ASCII characters")
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise _refused("this is no URL") from None
    host = _host(parts)
    own = host == "localhost" or ((literal := _literal(host)) is not None and literal.is_loopback)
    if parts.scheme != "https" and not (parts.scheme == "http" and own and loopback):
        raise _refused("it begins with https://")
    if own and not loopback:
        raise _refused("this installation tells nothing to its own machine")
    literal = _literal(host)
    if literal is not None and not own and not is_public(literal):
        raise _refused("its address is not public")
    path = parts.path or "/"
    return Target(
        parts.scheme == "https", host, port, f"{path}?{parts.query}" if parts.query else path
    )


def resolve(target: Target, *, loopback: bool) -> str:
    """The IP address to connect to: the name is resolved once, every address is judged, and one of them is used.

    Raises WebhookUrlRefused when any is not public (or, where allowed, loopback), OSError when the name is unknown.
    """
    found = {
        str(entry[4][0])
        for entry in socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    }
    for text in sorted(found):
        address = ipaddress.ip_address(text.split("%")[0])
        if not (is_public(address) or (loopback and _plain(address).is_loopback)):
            raise _refused(f"{target.host} resolves to an address that is not public")
    return min(found, key=lambda text: (":" in text, text))


def is_public(address: _Address) -> bool:
    """Whether the address is reachable for everybody, whatever it is wrapped in."""
    plain = _plain(address)
    return plain.is_global and not plain.is_multicast


def _plain(address: _Address) -> _Address:
    """An IPv4 address that is wrapped in an IPv6 one, taken out."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return inner
    return address


def _host(parts: SplitResult) -> str:
    if parts.username is not None or parts.password is not None:
        raise _refused("it carries no name or password")
    host = (parts.hostname or "").rstrip(".").lower()
    if not _HOST.fullmatch(host):
        raise _refused("it names a host")
    return host


def _literal(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _refused(rule: str) -> WebhookUrlRefused:
    return WebhookUrlRefused(f"this address cannot be told anything: {rule}", field="url")
