"""Who signs for a participant: appointed, changed and removed by its own administrator's consent."""

from __future__ import annotations

from coincurve import PrivateKey

from hutong import uscc
from hutong.errors import FieldInvalid
from hutong.ledger.client import Node
from hutong.ledger.coding import checksum
from hutong.ledger.consents import address_of, participants_domain, set_signer_digest, sign
from hutong.ledger.contracts import Contracts, call
from hutong.ledger.roles import SIGNER_ROLES, role_names
from hutong.ledger.steps import Step

NEVER = 2**48 - 1  # expires: without end
NO_CAP = 2**128 - 1
CONSENT_SECONDS = 600


def set_signer(
    node: Node,
    contracts: Contracts,
    admin_key: bytes,
    code: str,
    account: str,
    roles: int,
    *,
    expires: int = NEVER,
    cap: int = NO_CAP,
) -> Step:
    """A step that anyone may carry out: it holds the administrator's consent, good for ten minutes.

    `roles` 0 removes the signer; `expires` in seconds, UTC; `cap` in minor units.
    """
    code = uscc.normalise(code)
    uscc.to_bytes(code)
    try:
        account = checksum(account)
    except ValueError as error:
        raise FieldInvalid(str(error), field="account") from error
    if roles == 0:
        expires = cap = 0
    now = call(node, contracts, "Participants", "signerOf", code, account)
    subject = f"{code} {account}"
    text = "signs no more" if roles == 0 else f"signs as {role_names(roles, SIGNER_ROLES)}"
    if (now.roles, now.expires, now.cap) == (roles, expires, cap):
        return Step(subject, f"{text} already")
    admin = PrivateKey(admin_key)
    signer = address_of(admin)
    nonce = call(node, contracts, "Participants", "nonces", signer)
    # By the chain's clock, which the contract goes by.
    block = node.block("latest")
    assert block is not None
    deadline = block.time + CONSENT_SECONDS
    manifest = contracts.manifest
    domain = participants_domain(manifest.chain_id, contracts.address("Participants"))
    digest = set_signer_digest(domain, code, account, roles, expires, cap, nonce, deadline)
    consent = (signer, nonce, deadline, sign(digest, admin))
    args = (code, account, (roles, expires, cap), consent)
    return Step(subject, text, "Participants", "setSigner", args)
