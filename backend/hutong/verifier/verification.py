"""Verification of a bundle: all statements, in order."""

from __future__ import annotations

from hutong import merkle
from hutong.invoices.bundle import Bundle, parse_bundle
from hutong.invoices.document import leaf_of
from hutong.ledger.coding import checksum
from hutong.verifier import records
from hutong.verifier.chain import Answer, Asks, ask
from hutong.verifier.documents import (
    disclosures_statement,
    document_statement,
    summary_statement,
    totals_statement,
)
from hutong.verifier.openings import buyer_statement, payment_statement
from hutong.verifier.report import Report, Statement


def verify(
    bundle: Bundle | bytes | dict[str, object],
    node: Asks,
    *,
    contract: str | None,
    genesis: str | None = None,
) -> Report:
    """Whether the bundle tells the truth, as far as `node` knows it. One request to the node.

    `contract` is the address of the Invoices contract that the caller trusts, `genesis` the hash of
    block 0 of the chain it trusts. Without `contract` the one that the bundle names is asked, and
    the statement about it is not proven: anybody can deploy a contract that says yes.

    Raises BundleInvalid (it cannot be read), ValueError (`contract` is no address), NodeUnavailable
    and NodeError (the node gives no answer); whatever is wrong with the invoice is in the report.
    """
    if not isinstance(bundle, Bundle):
        bundle = parse_bundle(bundle)
    asked = bundle.chain.invoices if contract is None else checksum(contract)
    answer = ask(bundle, node, asked, genesis=genesis is not None)
    return judge(bundle, answer, asked, trusted=contract is not None, genesis=genesis)


def judge(
    bundle: Bundle, answer: Answer, asked: str, *, trusted: bool, genesis: str | None = None
) -> Report:
    """All statements, given what the contract at `asked` answered."""
    return Report(
        f"{bundle.summary.number:020d}",
        [*_of_document(bundle), *_of_chain(bundle, answer, asked, trusted, genesis)],
    )


class BatchVerifier:
    """Verifies many invoices, asking the node once a batch.

    What the contract answers of one invoice, its batch's root above all, holds for the others; each one's own proof is
    folded to that root here. Whatever does not hold so is asked for by itself.
    """

    def __init__(self, node: Asks, contract: str) -> None:
        self._node, self._contract = node, checksum(contract)
        self._answers: dict[tuple[object, ...], Answer] = {}

    def verify(self, bundle: Bundle) -> Report:
        """As `verify`. Raises NodeUnavailable, NodeError."""
        batch = (bundle.chain, bundle.first, bundle.count)
        known = self._answers.get(batch)
        if known is not None:
            report = judge(bundle, known, self._contract, trusted=True)
            if report.holds:
                return report
        answer = ask(bundle, self._node, self._contract, genesis=False)
        report = judge(bundle, answer, self._contract, trusted=True)
        if report.holds:
            self._answers[batch] = answer
        return report


def _of_document(bundle: Bundle) -> list[Statement]:
    document = document_statement(bundle)
    disclosures, claims = disclosures_statement(bundle)
    if claims is None:
        unread = [_unread(name) for name in ("summary", "totals", "buyer", "payment")]
        return [document, disclosures, *unread]
    return [
        document,
        disclosures,
        summary_statement(bundle, claims),
        totals_statement(claims),
        buyer_statement(bundle, claims),
        payment_statement(bundle, claims),
    ]


def _of_chain(
    bundle: Bundle, answer: Answer, asked: str, trusted: bool, genesis: str | None
) -> list[Statement]:
    statements = [
        records.chain_statement(bundle, answer, genesis),
        records.contract_statement(bundle, asked, trusted),
        records.issued_statement(answer),
    ]
    if answer.header is None:
        names = ["seller", "currency", "position", "time"]
        if bundle.chain.transaction is not None:
            names.append("transaction")
        return [*statements, *(_unanswered(name) for name in names)]
    said = records.open_claims(bundle)
    root = merkle.fold(leaf_of(bundle.summary), bundle.index, bundle.count, bundle.siblings)
    statements += [
        records.seller_statement(said, answer.header),
        records.currency_statement(said, answer.header),
        records.position_statement(bundle, answer.header, root),
        records.time_statement(said, answer.header),
    ]
    if bundle.chain.transaction is not None:
        statements.append(records.transaction_statement(bundle, answer, asked))
    return statements


def _unread(name: str) -> Statement:
    return Statement(
        name,
        "not-proven",
        "Not checked: the document could not be read.",
        "未核验：单据无法读取。",
    )


def _unanswered(name: str) -> Statement:
    return Statement(
        name,
        "not-proven",
        "Not checked: the chain does not confirm the invoice.",
        "未核验：链上没有确认这张发票。",
    )
