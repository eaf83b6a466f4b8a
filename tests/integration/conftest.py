"""Real chains for the integration tests, one of each kind for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hutong.ledger.embedded import EmbeddedGanache
from tests.integration.anvil import Anvil

# Blocks often enough to be quick, seldom enough that transactions are seen waiting.
BLOCK_SECONDS = 0.25


@pytest.fixture(scope="session")
def anvil() -> Iterator[Anvil]:
    """A running anvil: `.url`, `.node`, `.key` (32 bytes) of a funded account."""
    with Anvil(block_time=BLOCK_SECONDS) as chain:
        yield chain


@pytest.fixture(scope="session")
def ganache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedGanache]:
    """A running Ganache: `.url`, `.node`, `.key` (32 bytes) of a funded account."""
    folder = tmp_path_factory.mktemp("ganache")
    with EmbeddedGanache(folder, block_time=BLOCK_SECONDS) as chain:
        yield chain


@pytest.fixture(params=["ganache", "anvil"])
def chain(request: pytest.FixtureRequest) -> EmbeddedGanache | Anvil:
    """Each of the two in turn."""
    return request.getfixturevalue(request.param)
