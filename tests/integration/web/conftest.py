"""The gateway's HTTP side as a fixture."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from tests.integration.gateway import Gateway
from tests.integration.registry import Registry
from tests.integration.web.site import Site


@pytest.fixture
def site(database: Engine, gateway: Gateway, registry: Registry, tmp_path: Path) -> Site:
    """A gateway over each kind of database in turn."""
    return Site(database, gateway, registry, tmp_path)
