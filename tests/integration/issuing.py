"""Invoices really issued: contracts deployed, a merchant admitted, batches signed and sent."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from coincurve import PrivateKey

from hutong import merkle
from hutong.invoices.bundle import ChainRef, make_bundle
from hutong.invoices.document import Document, Seller, make_document
from hutong.invoices.model import Draft
from hutong.ledger.agency import Agency
from hutong.ledger.appointment import set_signer
from hutong.ledger.client import Node
from hutong.ledger.consents import address_of, invoices_domain, issue_digest, sign
from hutong.ledger.contracts import Contracts, IssueCall
from hutong.ledger.deployment import deploy
from hutong.ledger.roles import PARTICIPANT_ROLES, SIGNER_ROLES
from hutong.ledger.steps import Step, carry_out
from hutong.ledger.transact import Call, send

ARTIFACTS = Path(__file__).resolve().parents[2] / "build" / "contracts-hutong"
SELLER = Seller("91350000611528672E", "福建恒安集团有限公司")
BOOK = 26_11_1_000_000_000_000_001
BOUND = 10**12


class Chain(Protocol):
    """A running chain of the fixtures `anvil` and `ganache`."""

    @property
    def node(self) -> Node: ...

    @property
    def key(self) -> bytes: ...


class Issuing:
    """A deployment of its own on `chain`, with one merchant and its book."""

    def __init__(self, chain: Chain, folder: Path) -> None:
        self.node, self._key = chain.node, chain.key
        self.manifest_path = folder / "manifest.json"
        self.manifest = deploy(self.node, self._key, ARTIFACTS, self.manifest_path, lambda _: None)
        self.contracts = Contracts(self.manifest)
        self.address = self.contracts.address("Invoices")
        self._cashier = PrivateKey(secrets.token_bytes(32))
        self._next = BOOK
        agency, owner = Agency(self.node, self.contracts), PrivateKey(self._key)
        self._carry_out(
            agency.admit(SELLER.uscc, SELLER.name, PARTICIPANT_ROLES["issuer"], address_of(owner)),
            agency.set_quota(SELLER.uscc, 10**15),
        )
        self._carry_out(agency.open_book(SELLER.uscc, BOOK, 100_000))
        cashier = address_of(self._cashier)
        role = SIGNER_ROLES["cashier"]
        self._carry_out(
            set_signer(self.node, self.contracts, self._key, SELLER.uscc, cashier, role)
        )

    def issue(self, drafts: Sequence[Draft]) -> list[dict[str, Any]]:
        """Issues a batch; returns the bundle of each of its invoices."""
        block = self.node.block("latest")
        assert block is not None
        documents = [
            make_document(draft, number=self._next + i, seller=SELLER, time=block.time)
            for i, draft in enumerate(drafts)
        ]
        return self.issue_documents(documents, deadline=block.time + 600)

    def issue_documents(
        self, documents: Sequence[Document], *, deadline: int
    ) -> list[dict[str, Any]]:
        """As `issue`, of documents made already, whatever they say."""
        leaves = [document.leaf for document in documents]
        first, count, root = self._next, len(leaves), merkle.root(leaves)
        domain = invoices_domain(self.manifest.chain_id, self.address)
        digest = issue_digest(domain, BOOK, first, count, root, BOUND, deadline)
        batch = IssueCall(
            BOOK,
            first,
            BOUND,
            leaves,
            address_of(self._cashier),
            deadline,
            sign(digest, self._cashier),
        )
        receipt = send(
            self.node,
            self.contracts,
            self._key,
            Call(self.address, self.contracts.encode_issue(batch)),
        )
        self._next += count
        block, transaction = int(receipt["blockNumber"], 16), receipt["transactionHash"]
        place = ChainRef(self.manifest.chain_id, self.address, block, transaction)
        return [
            make_bundle(
                document.payload,
                document.disclosures,
                document.summary,
                first=first,
                index=index,
                count=count,
                siblings=merkle.proof(leaves, index),
                chain=place,
            )
            for index, document in enumerate(documents)
        ]

    def _carry_out(self, *steps: Step) -> None:
        for outcome in carry_out(self.node, self.contracts, self._key, steps):
            if isinstance(outcome, Exception):
                raise outcome
