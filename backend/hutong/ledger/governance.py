"""Which agency may call what: the Authority's rules, brought to what they should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from hutong.ledger.client import Node
from hutong.ledger.coding import checksum
from hutong.ledger.contracts import Contracts, call
from hutong.ledger.transact import transact

Report = Callable[[str], None]

# As in contracts/Authority.sol; ADMIN is AccessManager's own.
ADMIN = 0
TAX_BUREAU = 1
RECOVERY = 2
NAMES = {ADMIN: "admin", TAX_BUREAU: "tax bureau", RECOVERY: "recovery"}
FUNCTIONS: dict[tuple[str, int], tuple[str, ...]] = {
    ("Participants", TAX_BUREAU): ("admit", "setRoles", "suspend", "reinstate"),
    ("Participants", RECOVERY): ("recover",),
    ("Invoices", TAX_BUREAU): ("openBook", "closeBook", "setQuota"),
}


class Agencies(NamedTuple):
    """Addresses of agencies. None given: the deployer itself, in a new deployment.

    `recovery_delay` in seconds lies between a recovery's announcement and its execution; None leaves
    what is set, nothing for a new address. With `hand_over` the deployer gives its own admin role
    away, once the `admin`s have theirs.
    """

    tax_bureau: tuple[str, ...] = ()
    recovery: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()
    recovery_delay: int | None = None
    hand_over: bool = False


DEPLOYER_ALONE = Agencies()


class Change(NamedTuple):
    """One call of the Authority that is still missing, and what it does in words."""

    text: str
    function: str
    args: tuple[object, ...]


def missing(
    node: Node, contracts: Contracts, agencies: Agencies, deployer: str, *, new: bool
) -> Iterator[Change]:
    """What the Authority still lacks. Reads only; roles are given before they are taken away.

    In a `new` deployment the deployer is every agency for which no address is given. Later on what is
    not given stays as it is.
    """
    alone = (deployer,) if new else ()
    for (contract, role), functions in FUNCTIONS.items():
        target = contracts.address(contract)
        selectors = [contracts.selector(contract, function) for function in functions]
        wrong = [
            (function, selector)
            for function, selector in zip(functions, selectors, strict=True)
            if call(node, contracts, "Authority", "getTargetFunctionRole", target, selector) != role
        ]
        if wrong:
            text = f"{contract}.{', '.join(name for name, _ in wrong)} for the {NAMES[role]}"
            args = (target, [selector for _, selector in wrong], role)
            yield Change(text, "setTargetFunctionRole", args)
    wanted = {
        TAX_BUREAU: agencies.tax_bureau or alone,
        RECOVERY: agencies.recovery or alone,
        ADMIN: agencies.admin,
    }
    for role, addresses in wanted.items():
        for address in map(checksum, addresses):
            delay = agencies.recovery_delay if role == RECOVERY else None
            member, current = _membership(node, contracts, role, address)
            if not member or (delay is not None and delay != current):
                text = f"{address} is {NAMES[role]}" + (f", {delay} s delayed" if delay else "")
                yield Change(text, "grantRole", (role, address, delay or 0))
    if agencies.hand_over and agencies.admin and deployer not in map(checksum, agencies.admin):
        member, _ = _membership(node, contracts, ADMIN, deployer)
        if member:
            text = f"{deployer} is admin no more"
            yield Change(text, "renounceRole", (ADMIN, deployer))


def govern(
    node: Node, contracts: Contracts, key: bytes, changes: Iterator[Change], report: Report
) -> int:
    """Makes the changes, as admin, and returns how many. Raises ContractRefusal."""
    made = 0
    for change in changes:
        transact(node, contracts, key, "Authority", change.function, *change.args)
        report(change.text)
        made += 1
    return made


def _membership(node: Node, contracts: Contracts, role: int, address: str) -> tuple[bool, int]:
    """Whether the address has the role, and its execution delay in seconds."""
    found = call(node, contracts, "Authority", "hasRole", role, address)
    return bool(found["isMember"]), int(found["executionDelay"])
