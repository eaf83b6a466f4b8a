"""Steps: what somebody wants changed on the chain, looked at first, then carried out or rehearsed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from coincurve import PrivateKey

from hutong.errors import ContractRefusal, HutongError
from hutong.ledger.client import Node
from hutong.ledger.consents import address_of
from hutong.ledger.contracts import Contracts, call
from hutong.ledger.transact import Call, send_many, simulate, transact


class Step(NamedTuple):
    """One change: a contract's function with its arguments, or none when the chain has it already.

    `text` says in words what is done, or what is so already.
    """

    subject: str
    text: str
    contract: str = ""
    function: str = ""
    args: tuple[object, ...] = ()

    @property
    def needed(self) -> bool:
        return bool(self.function)


class Outcome(NamedTuple):
    """What became of a step. `transaction` is None when nothing was sent."""

    subject: str
    text: str
    transaction: str | None


def carry_out(
    node: Node,
    contracts: Contracts,
    key: bytes,
    steps: Sequence[Step | HutongError],
    *,
    dry_run: bool = False,
) -> Iterator[Outcome | HutongError]:
    """Outcome of each step, in order, or why it was refused; one refusal stops no others.

    A call that the Authority delays is announced by the first run and carried out by a later one.
    `dry_run` asks the node what would happen, and sends nothing. Raises NodeUnavailable, NotMined.
    """
    needed = [step for step in steps if isinstance(step, Step) and step.needed]
    calls = [_encode(contracts, step) for step in needed]
    sent = _rehearse(node, contracts, key, calls) if dry_run else _send(node, contracts, key, calls)
    for step in steps:
        if isinstance(step, HutongError):
            yield step
        elif not step.needed:
            yield Outcome(step.subject, step.text, None)
        else:
            result = next(sent)
            if isinstance(result, ContractRefusal):
                yield _announce(node, contracts, key, step, result, dry_run=dry_run)
            elif isinstance(result, HutongError):
                yield result
            else:
                text = f"would be: {step.text}" if dry_run else step.text
                yield Outcome(step.subject, text, result or None)


def _encode(contracts: Contracts, step: Step) -> Call:
    return Call(
        contracts.address(step.contract),
        contracts.encode(step.contract, step.function, *step.args),
    )


def _send(
    node: Node, contracts: Contracts, key: bytes, calls: Sequence[Call]
) -> Iterator[str | HutongError]:
    for outcome in send_many(node, contracts, key, calls):
        yield outcome if isinstance(outcome, HutongError) else str(outcome["transactionHash"])


def _rehearse(
    node: Node, contracts: Contracts, key: bytes, calls: Sequence[Call]
) -> Iterator[str | HutongError]:
    sender = address_of(PrivateKey(key))
    for one in calls:
        try:
            simulate(node, contracts, sender, one)
            yield ""
        except HutongError as error:
            yield error


def _announce(
    node: Node,
    contracts: Contracts,
    key: bytes,
    step: Step,
    refusal: ContractRefusal,
    *,
    dry_run: bool,
) -> Outcome | HutongError:
    """Schedules a call that the Authority delays for this agency; the refusal if that is not it."""
    operation = refusal.values.get("operationId")
    if refusal.code == "AccessManagerNotReady":
        when = _due(node, contracts, operation)
        return Outcome(step.subject, f"announced; run again from {when}: {step.text}", None)
    if refusal.code not in ("AccessManagerNotScheduled", "AccessManagerExpired"):
        return refusal
    if dry_run:
        return Outcome(step.subject, f"would be announced first: {step.text}", None)
    one = _encode(contracts, step)
    try:
        receipt = transact(node, contracts, key, "Authority", "schedule", one.to, one.data, 0)
    except HutongError as error:
        return error
    when = _due(node, contracts, operation)
    text = f"announced; run again from {when}: {step.text}"
    return Outcome(step.subject, text, str(receipt["transactionHash"]))


def _due(node: Node, contracts: Contracts, operation: object) -> str:
    seconds = call(node, contracts, "Authority", "getSchedule", operation)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
