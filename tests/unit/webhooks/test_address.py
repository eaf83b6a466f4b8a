"""Where notices may go: never into the network that the gateway stands in."""

from __future__ import annotations

import socket

import pytest

from hutong.errors import WebhookUrlRefused
from hutong.webhooks.address import Target, read_url, resolve


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://shop.example/a?b=c", Target(True, "shop.example", 443, "/a?b=c")),
        ("https://Shop.Example.:8443", Target(True, "shop.example", 8443, "/")),
        ("https://1.1.1.1/", Target(True, "1.1.1.1", 443, "/")),
        ("https://[2606:4700:4700::1111]/x", Target(True, "2606:4700:4700::1111", 443, "/x")),
    ],
)
def test_public_https_is_allowed(url: str, target: Target) -> None:
    assert read_url(url, loopback=False) == target


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "ftp://shop.example/",
        "https://",
        "https:///path",
        "https://user:pass@shop.example/",
        "https://shop.example:99999/",
        "https://shop.example/a b",
        "https://商店.example/",
        "https://shop.example/" + "x" * 2_000,
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://10.1.2.3/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "javascript:alert(1)",
        "",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(WebhookUrlRefused):
        read_url(url, loopback=False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://localhost:9/", "https://[::1]:9/"])
def test_this_machine_is_allowed_where_the_installation_says_so(url: str) -> None:
    assert read_url(url, loopback=True).port == 9


def test_other_inner_addresses_stay_refused_even_then() -> None:
    for url in ("http://10.0.0.1/", "https://10.0.0.1/", "http://shop.example/"):
        with pytest.raises(WebhookUrlRefused):
            read_url(url, loopback=True)


def answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_a_name_is_judged_by_every_address_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target(True, "shop.example", 443, "/")
    answers(monkeypatch, "1.1.1.1", "2606:4700:4700::1111")
    assert resolve(target, loopback=False) == "1.1.1.1"
    answers(monkeypatch, "1.1.1.1", "10.0.0.1")
    with pytest.raises(WebhookUrlRefused):
        resolve(target, loopback=False)
    answers(monkeypatch, "127.0.0.1")
    with pytest.raises(WebhookUrlRefused):
        resolve(target, loopback=False)


@pytest.mark.parametrize("written", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1"])
def test_a_disguised_loopback_address_is_judged_by_what_it_resolves_to(written: str) -> None:
    try:
        target = read_url(f"https://{written}/", loopback=False)
        with pytest.raises(WebhookUrlRefused):
            resolve(target, loopback=False)
    except (WebhookUrlRefused, OSError):
        pass
