"""Batches on real chains: our calldata and consents are taken, and everything reads back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from coincurve import PrivateKey

from hutong import merkle
from hutong.errors import ContractRefusal
from hutong.ledger import consents
from hutong.ledger.appointment import set_signer
from hutong.ledger.client import Node
from hutong.ledger.consents import address_of
from hutong.ledger.contracts import Contracts, IssueCall, call
from hutong.ledger.deployment import deploy
from hutong.ledger.embedded import EmbeddedGanache
from hutong.ledger.roles import SIGNER_ROLES
from hutong.ledger.steps import Outcome, carry_out
from hutong.ledger.transact import Call, Receipt, fund, send, send_many, transact
from tests.integration.anvil import ROOT, Anvil

USCC = "91110106MA7K3HW20W"
BOOK = 26_112_000_000_481_200_001
FAR = 2**48 - 1


class Issuer(NamedTuple):
    """An issuer with a book of a million numbers, and its cashier."""

    node: Node
    contracts: Contracts
    bureau: bytes
    cashier: PrivateKey

    def batch(self, first: int, leaves: Sequence[bytes], bound: int = 0) -> IssueCall:
        domain = consents.invoices_domain(
            self.contracts.manifest.chain_id, self.contracts.address("Invoices")
        )
        root = merkle.root(leaves)
        digest = consents.issue_digest(domain, BOOK, first, len(leaves), root, bound, FAR)
        signature = consents.sign(digest, self.cashier)
        signer = address_of(self.cashier)
        return IssueCall(BOOK, first, bound, list(leaves), signer, FAR, signature)

    def issue(self, *batches: IssueCall) -> Receipt:
        encode = self.contracts.encode_issue_many
        data = self.contracts.encode_issue(batches[0]) if len(batches) == 1 else encode(batches)
        to = self.contracts.address("Invoices")
        return send(self.node, self.contracts, self.bureau, Call(to, data))

    def next(self) -> int:
        return int(call(self.node, self.contracts, "Invoices", "bookOf", BOOK).next)


@pytest.fixture(scope="module", params=["ganache", "anvil"])
def issuer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    chain: EmbeddedGanache | Anvil = request.getfixturevalue(request.param)
    node, key = chain.node, PrivateKey()
    bureau = bytes(key.secret)
    fund(node, chain.key, address_of(key), 10**19)
    folder: Path = tmp_path_factory.mktemp("deployed")
    artifacts = ROOT / "build" / "contracts-hutong"
    contracts = Contracts(deploy(node, bureau, artifacts, folder / "m.json", lambda _: None))
    admin, cashier = PrivateKey(), PrivateKey()
    for contract, function, args in (
        ("Participants", "admit", (USCC, "停车", 1, address_of(admin), False)),
        ("Invoices", "openBook", (USCC, BOOK, 10**6, "CNY")),
        ("Invoices", "setQuota", (USCC, "CNY", 10**12)),
    ):
        transact(node, contracts, bureau, contract, function, *args)
    role = SIGNER_ROLES["cashier"]
    secret = bytes(admin.secret)
    step = set_signer(node, contracts, secret, USCC, address_of(cashier), role, cap=10**9)
    assert isinstance(next(carry_out(node, contracts, bureau, [step])), Outcome)
    return Issuer(node, contracts, bureau, cashier)


def make_leaves(count: int) -> list[bytes]:
    return [os.urandom(32) for _ in range(count)]


def test_domains_are_the_contracts(issuer: Issuer) -> None:
    chain_id = issuer.contracts.manifest.chain_id
    for contract, domain in (
        ("Invoices", consents.invoices_domain),
        ("Participants", consents.participants_domain),
    ):
        address = issuer.contracts.address(contract)
        expected = call(issuer.node, issuer.contracts, contract, "domainSeparator")
        assert consents.separator(domain(chain_id, address)) == expected


@pytest.mark.parametrize("count", [1, 2, 1000, 3000])
def test_batch_lands_and_reads_back_from_the_chain(issuer: Issuer, count: int) -> None:
    first, leaves = issuer.next(), make_leaves(count)
    batch = issuer.batch(first, leaves, bound=12_345)
    receipt = issuer.issue(batch)
    events = [issuer.contracts.decode_log(log) for log in receipt["logs"]]
    issued = next(event for event in events if event and event.name == "Issued")
    assert (issued.args["issuer"], issued.args["first"], issued.args["count"]) == (
        USCC,
        first,
        count,
    )
    assert issued.args["root"] == merkle.root(leaves)
    assert issued.args["signer"] == address_of(issuer.cashier)
    transaction = issuer.node.transactions([issued.tx_hash])[0]
    assert transaction is not None
    data = bytes.fromhex(transaction["input"][2:])
    assert issuer.contracts.decode_issue(data) == [batch]
    header = call(issuer.node, issuer.contracts, "Invoices", "header", first + count - 1)
    assert (header.issuer, header.currency, header.batch.count) == (USCC, "CNY", count)


def test_several_batches_land_at_once(issuer: Issuer) -> None:
    first = issuer.next()
    batches = [issuer.batch(first, make_leaves(3)), issuer.batch(first + 3, make_leaves(5))]
    receipt = issuer.issue(*batches)
    transaction = issuer.node.transactions([receipt["transactionHash"]])[0]
    assert transaction is not None
    data = bytes.fromhex(transaction["input"][2:])
    assert issuer.contracts.decode_issue(data) == batches
    assert issuer.next() == first + 8


def test_refusals_carry_the_contracts_reason(issuer: Issuer) -> None:
    first, leaves = issuer.next(), make_leaves(2)
    for batch, code, values in (
        (
            issuer.batch(first + 1, leaves),
            "BookOutOfOrder",
            {"book": str(BOOK), "next": str(first), "first": str(first + 1)},
        ),
        (
            issuer.batch(first, leaves)._replace(leaves=make_leaves(2)),
            "ConsentInvalid",
            {"signer": address_of(issuer.cashier)},
        ),
        (
            issuer.batch(first, leaves, bound=10**9 + 1),
            "SignerCapExceeded",
            {
                "uscc": USCC,
                "account": address_of(issuer.cashier),
                "cap": str(10**9),
                "amount": str(10**9 + 1),
            },
        ),
        (
            issuer.batch(first, leaves)._replace(leaves=[]),
            "BatchSizeInvalid",
            {"count": "0", "max": "3000"},
        ),
    ):
        with pytest.raises(ContractRefusal) as caught:
            issuer.issue(batch)
        assert (caught.value.code, caught.value.values) == (code, values)
    assert issuer.next() == first


def test_refusal_in_a_block_is_explained_as_one_before_it(issuer: Issuer) -> None:
    """Two batches of the same numbers, sent together: both pass the rehearsal, one reverts."""
    first = issuer.next()
    to = issuer.contracts.address("Invoices")
    calls = [
        Call(to, issuer.contracts.encode_issue(issuer.batch(first, make_leaves(2))))
        for _ in range(2)
    ]
    landed, refused = send_many(issuer.node, issuer.contracts, issuer.bureau, calls)
    assert isinstance(landed, dict)
    assert isinstance(refused, ContractRefusal)
    assert refused.code == "BookOutOfOrder"
    assert issuer.next() == first + 2


def test_views_of_what_is_not_there_are_refusals(issuer: Issuer) -> None:
    with pytest.raises(ContractRefusal) as caught:
        call(issuer.node, issuer.contracts, "Invoices", "header", BOOK + 999_999)
    assert (caught.value.code, caught.value.values) == (
        "InvoiceUnknown",
        {"number": str(BOOK + 999_999)},
    )
