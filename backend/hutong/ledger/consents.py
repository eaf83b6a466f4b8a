"""Consents: EIP-712 texts of contracts and gateway, hashed by hand; signing and recovering."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from coincurve import PrivateKey, PublicKey

from hutong.errors import SignatureInvalid
from hutong.ledger.coding import checksum
from hutong.merkle import keccak

_DOMAIN = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_VERSION = keccak(b"1")
_ISSUE = keccak(
    b"Issue(uint96 book,uint96 first,uint16 count,bytes32 root,uint64 bound,uint48 deadline)"
)
_SET_SIGNER = keccak(
    b"SetSigner(bytes18 uscc,address account,uint32 roles,uint48 expires,uint128 cap,"
    b"uint256 nonce,uint48 deadline)"
)
_PROMISE = keccak(b"Promise(bytes32 root,uint32 count,uint48 before)")
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


class Domain(NamedTuple):
    """What an EIP-712 text is bound to: contract by name and address, on one chain; version 1."""

    name: str
    chain_id: int
    contract: str


def invoices_domain(chain_id: int, contract: str) -> Domain:
    return Domain("Hutong Invoices", chain_id, contract)


def participants_domain(chain_id: int, contract: str) -> Domain:
    return Domain("Hutong Participants", chain_id, contract)


def gateway_domain(chain_id: int, invoices: str) -> Domain:
    """Domain of promises: about one Invoices contract's numbers, though no contract reads them."""
    return Domain("Hutong Gateway", chain_id, invoices)


@lru_cache(maxsize=256)
def separator(domain: Domain) -> bytes:
    """EIP-712 domain separator, 32 bytes; the same as the contract's `domainSeparator()`."""
    return keccak(
        _DOMAIN
        + keccak(domain.name.encode())
        + _VERSION
        + _word(domain.chain_id)
        + _word(int(domain.contract, 16), 160)
    )


def issue_digest(
    domain: Domain, book: int, first: int, count: int, root: bytes, bound: int, deadline: int
) -> bytes:
    """What a cashier signs for a batch: 32 bytes.

    `bound` in minor units, `deadline` in seconds, UTC. Raises ValueError for what does not fit.
    """
    return _digest(
        domain,
        _ISSUE,
        _word(book, 96),
        _word(first, 96),
        _word(count, 16),
        _octets(root, 32),
        _word(bound, 64),
        _word(deadline, 48),
    )


def set_signer_digest(
    domain: Domain,
    uscc: str,
    account: str,
    roles: int,
    expires: int,
    cap: int,
    nonce: int,
    deadline: int,
) -> bytes:
    """What an administrator signs to appoint, change or (roles 0) remove a signer: 32 bytes."""
    return _digest(
        domain,
        _SET_SIGNER,
        _octets(uscc.encode("ascii"), 18) + bytes(14),
        _word(int(account, 16), 160),
        _word(roles, 32),
        _word(expires, 48),
        _word(cap, 128),
        _word(nonce),
        _word(deadline, 48),
    )


def promise_digest(
    chain_id: int, invoices_address: str, root: bytes, count: int, before: int
) -> bytes:
    """What the gateway signs: `count` leaves under `root` are on chain before `before` (s, UTC)."""
    return _digest(
        gateway_domain(chain_id, invoices_address),
        _PROMISE,
        _octets(root, 32),
        _word(count, 32),
        _word(before, 48),
    )


def sign(digest: bytes, key: PrivateKey) -> bytes:
    """Signature over 32 bytes: r, s (low) and v (27 or 28), 65 bytes, as contracts take it."""
    signature = key.sign_recoverable(_octets(digest, 32), hasher=None)
    return signature[:64] + bytes((27 + signature[64],))


def recover(digest: bytes, signature: bytes) -> str:
    """Address that signed. Raises SignatureInvalid, also for a high s, which contracts refuse."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise SignatureInvalid("a signature has 65 bytes, the last 27 or 28")
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        raise SignatureInvalid("the signature's s is in the upper half of the curve's order")
    try:
        recoverable = signature[:64] + bytes((signature[64] - 27,))
        return _address(PublicKey.from_signature_and_message(recoverable, digest, hasher=None))
    except Exception as error:  # coincurve raises bare Exceptions
        raise SignatureInvalid("the signature is not one of secp256k1") from error


def address_of(key: PrivateKey) -> str:
    """The account of a private key, with EIP-55 capitals."""
    return _address(key.public_key)


def _address(public: PublicKey) -> str:
    return checksum("0x" + keccak(public.format(compressed=False)[1:])[12:].hex())


def _digest(domain: Domain, *words: bytes) -> bytes:
    return keccak(b"\x19\x01" + separator(domain) + keccak(b"".join(words)))


def _word(value: int, bits: int = 256) -> bytes:
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{value} does not fit into uint{bits}")
    return value.to_bytes(32, "big")


def _octets(value: bytes, size: int) -> bytes:
    if len(value) != size:
        raise ValueError(f"{size} bytes are due, not {len(value)}")
    return value
