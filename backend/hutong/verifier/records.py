"""Statements about what the chain has recorded: where, by whom, when, in which place."""

from __future__ import annotations

from typing import Any

from hutong.errors import BundleInvalid
from hutong.invoices.bundle import Bundle
from hutong.invoices.claims import read_payload
from hutong.verifier.chain import CONTRACT, Answer, contracts_at
from hutong.verifier.report import Statement, beijing

#: By how many seconds the gateway's clock may be ahead of the validators'.
CLOCK_SKEW = 300


def open_claims(bundle: Bundle) -> dict[str, Any]:
    """What the document says openly; nothing where it cannot be read."""
    try:
        return read_payload(bundle.payload)
    except BundleInvalid:
        return {}


def chain_statement(bundle: Bundle, answer: Answer, genesis: str | None) -> Statement:
    """The node carries the chain that the bundle names, and the one that the verifier trusts."""
    detail = {"bundle": bundle.chain.chain_id, "node": answer.chain_id}
    if bundle.chain.chain_id != answer.chain_id:
        return Statement(
            "chain",
            "fails",
            f"The bundle is of chain {bundle.chain.chain_id}, the node of {answer.chain_id}.",
            f"凭证包属于链 {bundle.chain.chain_id}，节点属于链 {answer.chain_id}。",
            detail,
        )
    if genesis is not None and (answer.genesis or "").lower() != genesis.lower():
        return Statement(
            "chain",
            "fails",
            "The node's chain has the right id, but did not begin with the block you trust.",
            "节点的链编号相同，创世区块却不是你信任的那一个。",
            {**detail, "genesis": answer.genesis, "trusted": genesis},
        )
    return Statement(
        "chain",
        "holds",
        f"The node carries the chain {answer.chain_id}, which the bundle names.",
        f"节点所在的链是凭证包写明的链 {answer.chain_id}。",
        detail,
    )


def contract_statement(bundle: Bundle, asked: str, trusted: bool) -> Statement:
    """The bundle names the contract that the verifier trusts."""
    detail = {"bundle": bundle.chain.invoices, "asked": asked}
    if not trusted:
        return Statement(
            "contract",
            "not-proven",
            "Which contract to trust was not said; the bundle itself named the one that was asked.",
            "没有说明信任哪个合约，询问的是凭证包自己写明的合约。",
            detail,
        )
    if bundle.chain.invoices != asked:
        return Statement(
            "contract",
            "fails",
            "The bundle names another contract than the one you trust.",
            "凭证包写明的合约不是你信任的合约。",
            detail,
        )
    return Statement(
        "contract",
        "holds",
        "The bundle names the contract that you trust.",
        "凭证包写明的合约就是你信任的合约。",
        detail,
    )


def issued_statement(answer: Answer) -> Statement:
    """The contract confirms the summary at its number."""
    refusal = answer.refusal
    if refusal is None:
        return Statement(
            "issued",
            "holds",
            "The chain holds the fingerprint of exactly this summary under this number.",
            "链上这个发票号码的指纹与摘要完全一致。",
        )
    sentences = {
        "InvoiceUnknown": ("No invoice of this number is on the chain.", "链上没有这个发票号码。"),
        "ProofInvalid": (
            "The chain holds another fingerprint under this number: something was altered.",
            "链上这个发票号码的指纹不一致：内容有改动。",
        ),
        "NoContract": (
            "No invoice contract answers at this address on this chain.",
            "这条链的这个地址没有发票合约。",
        ),
    }
    en, zh = sentences.get(
        refusal.code, ("The contract refused to confirm the invoice.", "合约没有确认这张发票。")
    )
    return Statement("issued", "fails", en, zh, {"code": refusal.code, "reason": refusal.detail})


def seller_statement(said: dict[str, Any], header: Any) -> Statement:
    """The seller in the document is the issuer of the number's book."""
    seller = said.get("seller")
    code = seller.get("uscc") if isinstance(seller, dict) else None
    detail = {"document": code, "chain": header.issuer}
    if code == header.issuer:
        return Statement(
            "seller",
            "holds",
            f"The seller {code} is the issuer to whom the tax bureau gave this number.",
            f"销售方 {code} 就是税务机关发放这个号码的开票方。",
            detail,
        )
    return Statement(
        "seller",
        "fails",
        f"The number belongs to {header.issuer}, not to the seller in the document.",
        f"这个号码属于 {header.issuer}，不属于单据上的销售方。",
        detail,
    )


def currency_statement(said: dict[str, Any], header: Any) -> Statement:
    """The document's currency is that of the number's book."""
    currency = said.get("currency")
    detail = {"document": currency, "chain": header.currency}
    if currency == header.currency:
        return Statement(
            "currency",
            "holds",
            f"The amounts are in {currency}, as the book of this number.",
            f"币种是 {currency}，与号段一致。",
            detail,
        )
    return Statement(
        "currency",
        "fails",
        f"The book of this number is in {header.currency}, not in the document's currency.",
        f"号段的币种是 {header.currency}，与单据不一致。",
        detail,
    )


def position_statement(bundle: Bundle, header: Any, root: bytes | None) -> Statement:
    """Place, batch and block are those that the bundle says; the verifier's own root agrees."""
    batch = header.batch
    chain = {"first": batch.first, "count": batch.count, "block": batch.blockNumber}
    said = {"first": bundle.first, "count": bundle.count, "block": bundle.chain.block}
    agrees = (
        root == batch.root
        and bundle.index == bundle.summary.number - batch.first
        and (said["first"], said["count"]) == (chain["first"], chain["count"])
        and said["block"] in (None, chain["block"])
    )
    detail = {
        "first": f"{batch.first:020d}",
        "count": batch.count,
        "block": batch.blockNumber,
        "root": "0x" + batch.root.hex(),
        "computed": None if root is None else "0x" + root.hex(),
    }
    if agrees:
        return Statement(
            "position",
            "holds",
            f"It is number {bundle.index + 1} of {batch.count} in its batch, in block "
            f"{batch.blockNumber}.",
            f"它是批次中 {batch.count} 张的第 {bundle.index + 1} 张，在区块 {batch.blockNumber}。",
            detail,
        )
    return Statement(
        "position",
        "fails",
        "Batch, place or block differ from what the bundle says.",
        "批次、位置或区块与凭证包写明的不一致。",
        detail,
    )


def time_statement(said: dict[str, Any], header: Any) -> Statement:
    """The document is not of a later time than its block."""
    made, recorded = said.get("time"), header.batch.time
    detail = {"document": made, "chain": recorded}
    if type(made) is int and 0 <= made <= recorded + CLOCK_SKEW:
        return Statement(
            "time",
            "holds",
            f"The chain recorded it at {beijing(recorded)} (Beijing); the document says "
            f"{beijing(made)}.",
            f"上链时间 {beijing(recorded)}，单据写明 {beijing(made)}（北京时间）。",
            detail,
        )
    return Statement(
        "time",
        "fails",
        f"The chain recorded it at {beijing(recorded)} (Beijing), before the document's time.",
        f"上链时间 {beijing(recorded)}（北京时间），早于单据写明的时间。",
        detail,
    )


def transaction_statement(bundle: Bundle, answer: Answer, asked: str) -> Statement:
    """The transaction that the bundle names issued the batch."""
    named = bundle.chain.transaction
    receipt, header = answer.receipt, answer.header
    if receipt is None or header is None:
        return Statement(
            "transaction",
            "not-proven",
            "The node does not know the transaction that the bundle names.",
            "节点没有凭证包写明的交易。",
            {"transaction": named},
        )
    if header.batch.first in _issued_in(receipt, asked):
        return Statement(
            "transaction",
            "holds",
            "The transaction that the bundle names issued the batch.",
            "凭证包写明的交易开出了这个批次。",
            {"transaction": named},
        )
    return Statement(
        "transaction",
        "fails",
        "The transaction that the bundle names did not issue the batch.",
        "凭证包写明的交易没有开出这个批次。",
        {"transaction": named},
    )


def _issued_in(receipt: dict[str, Any], contract: str) -> list[int]:
    """First numbers of the batches that a transaction issued."""
    contracts = contracts_at(contract)
    try:
        events = [contracts.decode_log(log) for log in receipt["logs"]]
    except (KeyError, TypeError, ValueError):
        return []
    return [
        int(event.args["first"])
        for event in events
        if event is not None and event.contract == CONTRACT and event.name == "Issued"
    ]
