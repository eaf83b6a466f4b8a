"""The contracts deployed on a fresh chain, the people around them, and how to say what reverts."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from brownie import Authority, Invoices, Participants, TreeHarness, accounts, chain
from brownie.exceptions import VirtualMachineError
from signing import FOREVER, UNCAPPED, Batch, key_of, signer_consent, summaries

# Real companies, from public records; the last one's check digit is wrong as published.
MERCHANT = "91350000611528672E"
RIVAL = "91320500628396530U"
IRREGULAR = "91350203M0001QKT19"
# Year 26, region 11, channel 1.
BOOK = 26_11_1_000_000_000_000_001
CNY = "0x" + b"CNY".hex()
USD = "0x" + b"USD".hex()
ANY = object()


def as_hex(uscc: str) -> str:
    """A USCC as bytes18, the way the ABI takes it."""
    return "0x" + uscc.encode().hex()


def shown(value: Any) -> str:
    """How Brownie prints an argument of a custom error."""
    if isinstance(value, str) and value.startswith("0x") and len(value) in (38, 66):
        return str(bytes.fromhex(value[2:]))
    if isinstance(value, str) and value.startswith("0x"):
        return value.lower()
    return str(value.address).lower() if hasattr(value, "address") else str(value)


@contextmanager
def _reverts_with(error: str, *args: Any) -> Iterator[None]:
    try:
        yield
    except (VirtualMachineError, ValueError) as failure:
        said = getattr(failure, "revert_msg", None) or str(failure).removeprefix("Call reverted: ")
    else:
        pytest.fail(f"nothing reverted; expected {error}{args}")
    name, _, rest = said.partition(": ")
    found = rest.split(", ") if rest else []
    expected = [value if value is ANY else shown(value) for value in args]
    assert name == error, said
    assert len(found) == len(expected), said
    assert all(e is ANY or e == f for e, f in zip(expected, found, strict=True)), said


@pytest.fixture(scope="session")
def reverts_with() -> Callable[..., AbstractContextManager[None]]:
    """`with reverts_with("Name", arg, ANY, ...):` the block reverts with exactly this error."""
    return _reverts_with


@pytest.fixture(autouse=True)
def isolation(fn_isolation: None) -> None:
    """Every test begins with the chain as the module's fixtures left it."""


@pytest.fixture(scope="session")
def governor() -> Any:
    return accounts[0]


@pytest.fixture(scope="session")
def bureau() -> Any:
    """The tax bureau."""
    return accounts[1]


@pytest.fixture(scope="session")
def court() -> Any:
    """Who may recover a participant."""
    return accounts[2]


@pytest.fixture(scope="session")
def relayer() -> Any:
    """Anybody who brings others' consents to the chain."""
    return accounts[3]


@pytest.fixture(scope="session")
def stranger() -> Any:
    return accounts[4]


@pytest.fixture(scope="session")
def alice() -> Any:
    """The merchant's administrator; an account without ether that only signs."""
    return key_of("alice")


@pytest.fixture(scope="session")
def carol() -> Any:
    """The merchant's cashier."""
    return key_of("carol")


@pytest.fixture(scope="session")
def mallory() -> Any:
    """Signs for nobody."""
    return key_of("mallory")


@pytest.fixture(scope="module")
def authority(module_isolation: None, governor: Any, bureau: Any, court: Any) -> Any:
    deployed = governor.deploy(Authority, governor)
    deployed.grantRole(deployed.TAX_BUREAU(), bureau, 0, {"from": governor})
    deployed.grantRole(deployed.RECOVERY(), court, 0, {"from": governor})
    return deployed


def permit(authority: Any, governor: Any, contract: Any, role: int, *functions: str) -> None:
    selectors = [getattr(contract, name).signature for name in functions]
    authority.setTargetFunctionRole(contract, selectors, role, {"from": governor})


@pytest.fixture(scope="module")
def participants(authority: Any, governor: Any) -> Any:
    deployed = governor.deploy(Participants, authority)
    bureau_calls = ("admit", "setRoles", "suspend", "reinstate")
    permit(authority, governor, deployed, authority.TAX_BUREAU(), *bureau_calls)
    permit(authority, governor, deployed, authority.RECOVERY(), "recover")
    return deployed


@pytest.fixture(scope="module")
def invoices(authority: Any, participants: Any, governor: Any) -> Any:
    deployed = governor.deploy(Invoices, authority, participants)
    bureau_calls = ("openBook", "closeBook", "setQuota")
    permit(authority, governor, deployed, authority.TAX_BUREAU(), *bureau_calls)
    return deployed


@pytest.fixture(scope="module")
def tree(module_isolation: None, governor: Any) -> Any:
    return governor.deploy(TreeHarness)


@pytest.fixture(scope="module")
def merchant(participants: Any, bureau: Any, alice: Any) -> str:
    """An issuer whose administrator is alice. Nobody may issue for it yet."""
    uscc = as_hex(MERCHANT)
    participants.admit(uscc, "恒安", 1, alice.address, False, {"from": bureau})
    return uscc


@pytest.fixture(scope="module")
def appoint(participants: Any, relayer: Any, alice: Any) -> Callable[..., Any]:
    """Make `account` a signer of a participant by alice's consent; a cashier unless told else."""

    def act(
        uscc: str, account: Any, roles: int = 2, expires: int = FOREVER, cap: int = UNCAPPED
    ) -> Any:
        who = getattr(account, "address", account)
        signer = (roles, expires, cap)
        consent = signer_consent(alice, participants, bytes.fromhex(uscc[2:]).decode(), who, signer)
        return participants.setSigner(uscc, who, signer, consent, {"from": relayer})

    return act


@pytest.fixture(scope="module")
def book(invoices: Any, merchant: str, appoint: Any, bureau: Any, carol: Any) -> int:
    """The merchant's open book of 10,000 numbers; carol may issue, within 1,000,000.00 a month."""
    appoint(merchant, carol)
    invoices.setQuota(merchant, CNY, 100_000_000, {"from": bureau})
    invoices.openBook(merchant, BOOK, 10_000, CNY, {"from": bureau})
    return BOOK


@pytest.fixture
def make_batch(invoices: Any, carol: Any) -> Callable[..., Batch]:
    """A batch of `count` from `first` on (by default the book's first), signed by carol."""

    def make(count: int = 3, first: int = BOOK, book: int = BOOK, **changes: Any) -> Batch:
        leaves = [summary.leaf for summary in summaries(first, count)]
        batch = Batch(book=book, first=first, leaves=leaves).but(**changes)
        return batch.signed_by(carol, invoices)

    return make


@pytest.fixture
def issue(invoices: Any, relayer: Any, make_batch: Any) -> Callable[..., Any]:
    """Make a batch and bring it to the chain."""

    def act(count: int = 3, first: int = BOOK, **changes: Any) -> Any:
        return invoices.issue(make_batch(count, first, **changes).call, {"from": relayer})

    return act


@pytest.fixture(scope="session")
def now() -> Callable[[], int]:
    """Time of the latest block, in seconds."""
    return lambda: int(chain[-1].timestamp)
