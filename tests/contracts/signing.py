"""What participants sign, written once more from the interfaces' words: EIP-712 by eth-account."""

from dataclasses import dataclass, field, replace
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data

from hutong import merkle

FOREVER = 2**48 - 1
UNCAPPED = 2**128 - 1

DOMAIN = [
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
]
ISSUE = [
    ("book", "uint96"),
    ("first", "uint96"),
    ("count", "uint16"),
    ("root", "bytes32"),
    ("bound", "uint64"),
    ("deadline", "uint48"),
]
SET_SIGNER = [
    ("uscc", "bytes18"),
    ("account", "address"),
    ("roles", "uint32"),
    ("expires", "uint48"),
    ("cap", "uint128"),
    ("nonce", "uint256"),
    ("deadline", "uint48"),
]
SUMMARY = [
    ("number", "uint96"),
    ("original", "uint96"),
    ("gross", "uint128"),
    ("tax", "uint128"),
    ("buyer", "bytes32"),
    ("payment", "bytes32"),
    ("document", "bytes32"),
]


def key_of(name: str) -> Any:
    """A signing account that follows from its name; the same in every run."""
    return Account.from_key(merkle.keccak(name.encode()))


def typed(name: str, verifier: str, chain_id: int, text: str, fields: Any, values: Any) -> Any:
    """The signable message of one typed text under the domain of a contract."""
    return encode_typed_data(
        full_message={
            "types": {
                "EIP712Domain": [{"name": n, "type": t} for n, t in DOMAIN],
                text: [{"name": n, "type": t} for n, t in fields],
            },
            "primaryType": text,
            "domain": {
                "name": name,
                "version": "1",
                "chainId": chain_id,
                "verifyingContract": str(verifier),
            },
            "message": dict(zip([n for n, _ in fields], values, strict=True)),
        }
    )


@dataclass(frozen=True)
class Summary:
    """An invoice as contracts see it; `leaf` and `proof` come from the tree's Python side."""

    number: int
    original: int = 0
    gross: int = 10_900
    tax: int = 900
    buyer: bytes = bytes(32)
    payment: bytes = b"\x11" * 32
    document: bytes = b"\x22" * 32

    @property
    def values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name, _ in SUMMARY)

    @property
    def leaf(self) -> bytes:
        message = typed("", "0x" + "00" * 20, 1, "Summary", SUMMARY, self.values)
        return bytes(message.body)


def summaries(first: int, count: int) -> list[Summary]:
    return [
        Summary(number, document=number.to_bytes(32, "big"))
        for number in range(first, first + count)
    ]


@dataclass(frozen=True)
class Batch:
    """An issue in the making: change it with `but`, have it `signed_by` somebody, pass `.call`."""

    book: int
    first: int
    leaves: list[bytes]
    bound: int = 0
    signer: str = ""
    nonce: int = 0
    deadline: int = FOREVER
    signature: bytes = field(default=b"", repr=False)

    def but(self, **changes: Any) -> "Batch":
        return replace(self, **changes)

    @property
    def root(self) -> bytes:
        return merkle.root(self.leaves)

    def signed_by(
        self, account: Any, contract: Any, chain_id: int = 31337, **changes: Any
    ) -> "Batch":
        """With `account`'s consent; `changes` are to what is signed, not to what is sent."""
        text = self.but(**changes)
        count = len(text.leaves)
        root = text.root if count else bytes(32)
        values = (text.book, text.first, count, root, text.bound, text.deadline)
        message = typed("Hutong Invoices", contract, chain_id, "Issue", ISSUE, values)
        signature = bytes(account.sign_message(message).signature)
        return self.but(signer=account.address, signature=signature)

    @property
    def call(self) -> tuple[Any, ...]:
        consent = (self.signer, self.nonce, self.deadline, self.signature)
        return (self.book, self.first, self.bound, self.leaves, consent)


def signer_consent(
    account: Any,
    contract: Any,
    uscc: str,
    who: str,
    signer: tuple[int, int, int],
    *,
    nonce: int | None = None,
    deadline: int = FOREVER,
    chain_id: int = 31337,
) -> tuple[Any, ...]:
    """A consent to set `who` as signer (roles, expires, cap) of `uscc`, signed by `account`."""
    if nonce is None:
        nonce = contract.nonces(account.address, 0)
    values = (uscc.encode(), who, *signer, nonce, deadline)
    message = typed("Hutong Participants", contract, chain_id, "SetSigner", SET_SIGNER, values)
    signature = bytes(account.sign_message(message).signature)
    return (account.address, nonce, deadline, signature)
