"""Real chains and databases for the integration tests, one of each kind for the whole run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from hutong.database import open_database
from hutong.ledger.embedded import EmbeddedGanache
from tests.integration.anvil import Anvil
from tests.integration.city import City, Installation
from tests.integration.gateway import Gateway
from tests.integration.indexing import Desk
from tests.integration.postgres import Postgres
from tests.integration.registry import Registry
from tests.integration.sending import REFUSING, Post, Watched

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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL; fails where none is installed."""
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'hutong.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """An open database with empty tables, of each kind in turn."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def gateway(database: Engine, tmp_path: Path) -> Gateway:
    """A gateway over the database, with no chain behind it."""
    return Gateway(database, tmp_path)


@pytest.fixture
def registry(database: Engine) -> Registry:
    """Says what the chain would say."""
    return Registry(database)


@pytest.fixture
def merchant(gateway: Gateway, registry: Registry) -> str:
    """USCC of an issuer with a cashier at the gateway, one book and plenty of quota."""
    return registry.merchant(gateway.cashier)


@pytest.fixture(scope="session")
def city(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> City:
    """The contracts on anvil. Tests admit merchants of their own."""
    return City(anvil, tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="session")
def ganache_city(ganache: EmbeddedGanache, tmp_path_factory: pytest.TempPathFactory) -> City:
    """The contracts on Ganache."""
    return City(ganache, tmp_path_factory.mktemp("ganache-city"))


@pytest.fixture
def installation(city: City, tmp_path: Path, database_url: str) -> Iterator[Installation]:
    """An installation of the city on anvil, on each kind of database."""
    installation = city.install(tmp_path, database_url)
    yield installation
    installation.restart()


@pytest.fixture(scope="session")
def own_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city on an anvil of its own, whose blocks come with transactions and can be taken back."""
    with Anvil(block_time=0.2) as chain:
        city = City(chain, tmp_path_factory.mktemp("own-city"))
        chain.node.call("evm_setIntervalMining", 0)
        chain.node.call("evm_setAutomine", True)
        yield city


@pytest.fixture
def desk(database: Engine, own_city: City) -> Desk:
    return Desk(database, own_city)


@pytest.fixture(scope="session")
def still() -> Iterator[Anvil]:
    """An anvil that mines only when told."""
    with Anvil() as chain:
        chain.node.call("evm_setIntervalMining", 0)
        chain.node.call("anvil_setCode", REFUSING, "0x60006000fd")
        yield chain


@pytest.fixture
def still_node(still: Anvil) -> Iterator[Watched]:
    node = Watched(still.url)
    snapshot = node.call("evm_snapshot")
    yield node
    node.call("anvil_dropAllTransactions")
    node.call("evm_revert", snapshot)


@pytest.fixture
def post(database: Engine, still_node: Watched, tmp_path: Path) -> Post:
    return Post(database, still_node, tmp_path, resend=0.0)


@pytest.fixture(scope="session")
def frail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedGanache]:
    """A Ganache with its database in a folder, to be killed. Blocks come slowly enough that much waits in its pool."""
    chain = EmbeddedGanache(tmp_path_factory.mktemp("frail"), block_time=0.4).start()
    try:
        yield chain
    finally:
        chain.stop()


@pytest.fixture(scope="session")
def frail_city(frail: EmbeddedGanache, tmp_path_factory: pytest.TempPathFactory) -> City:
    return City(frail, tmp_path_factory.mktemp("frail-city"))


@pytest.fixture
def firm(frail_city: City, tmp_path: Path) -> Iterator[Installation]:
    installation = frail_city.install(tmp_path)
    yield installation
    installation.restart()


@pytest.fixture
def firm_anywhere(frail_city: City, tmp_path: Path, database_url: str) -> Iterator[Installation]:
    """As `firm`, on each kind of database."""
    installation = frail_city.install(tmp_path, database_url)
    yield installation
    installation.restart()
