"""Holders' links: who has an invoice's link may see it. Nothing is stored for them."""

from __future__ import annotations

import base64
import hmac

from hutong.errors import InvoiceUnknown

_NUMBER = 9  # octets that 20 digits fit in
_MAC = 15  # 120 bits; 24 octets together are 32 characters


class HolderLinks:
    """Makes and reads tokens: the number and a MAC over it under a key derived from the server's secret."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"hutong holder link 1", "sha256")

    def token(self, number: str) -> str:
        """The token of a 20-digit number: 32 characters, base64url."""
        octets = int(number).to_bytes(_NUMBER, "big")
        return base64.urlsafe_b64encode(octets + self._mac(octets)).decode()

    def number(self, token: str) -> str:
        """The number of a token. Raises InvoiceUnknown for any other text, in constant time."""
        try:
            octets = base64.b64decode(token.encode("ascii"), b"-_", validate=True)
        except ValueError:
            octets = b""
        number, mac = octets[:_NUMBER], octets[_NUMBER:]
        if not hmac.compare_digest(mac, self._mac(number)):
            raise InvoiceUnknown("this link leads to no invoice; perhaps it is not complete")
        return f"{int.from_bytes(number, 'big'):020d}"

    def of(self, number: str) -> dict[str, str]:
        """Where an invoice is found: paths on this gateway."""
        return {
            "self": f"/v1/invoices/{number}",
            "bundle": f"/v1/invoices/{number}/bundle",
            "page": f"/i/{self.token(number)}",
        }

    def _mac(self, octets: bytes) -> bytes:
        return hmac.digest(self._key, octets, "sha256")[:_MAC]
