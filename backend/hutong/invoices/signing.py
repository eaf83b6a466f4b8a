"""Which key signs: the cashiers of an issuer whose keys this gateway keeps, and the gateway's own for promises."""

from __future__ import annotations

from typing import NamedTuple

from coincurve import PrivateKey
from sqlalchemy.engine import Connection

from hutong.ledger.consents import Domain, issue_digest, promise_digest, sign
from hutong.ledger.keystore import Keystore
from hutong.participants.store import CASHIER, signers

#: A cashier whose right ends sooner than this is not chosen any more, in seconds.
_LEAD = 600


class Cashier(NamedTuple):
    """An address that may sign batches; `cap` in minor units."""

    account: str
    cap: int


class Cashiers:
    """Signs batches for issuers with keys of the keystore."""

    def __init__(self, keystore: Keystore, domain: Domain) -> None:
        self._keystore, self._domain = keystore, domain

    def of(self, connection: Connection, issuer: str, now: float) -> Cashier | None:
        """The issuer's cashier with the greatest cap among our keys; None when there is none."""
        ours = set(self._keystore.addresses())
        able = [
            Cashier(signer.account, signer.cap)
            for signer in signers(connection, issuer)
            if signer.roles & CASHIER and signer.account in ours and signer.expires > now + _LEAD
        ]
        return max(able, key=lambda cashier: cashier.cap, default=None)

    def sign(
        self,
        cashier: str,
        *,
        book: int,
        first: int,
        count: int,
        root: bytes,
        bound: int,
        deadline: int,
    ) -> bytes:
        """The cashier's consent to a batch, 65 bytes. Raises KeystoreLocked, KeyMissing."""
        digest = issue_digest(self._domain, book, first, count, root, bound, deadline)
        return sign(digest, self._keystore.private_key(cashier))


class Promiser:
    """Signs promises with the gateway's own key."""

    def __init__(self, keystore: Keystore, domain: Domain, name: str = "gateway") -> None:
        self.signer = keystore.ensure(name)
        self._key: PrivateKey = keystore.private_key(self.signer)
        self._domain = domain

    def sign(self, root: bytes, count: int, before: int) -> bytes:
        """Signature over: these `count` leaves under `root` are on chain before `before` (seconds, UTC)."""
        digest = promise_digest(self._domain.chain_id, self._domain.contract, root, count, before)
        return sign(digest, self._key)
