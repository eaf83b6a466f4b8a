"""A program for test_serve: serves a site over a database in a folder. Arguments: folder, port, workers."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from hutong.config import Settings
from hutong.database import open_database
from hutong.gateway.serve import serve
from tests.integration.gateway import Gateway
from tests.integration.registry import Registry
from tests.integration.web.site import Site


def main(folder: Path, port: int, workers: int) -> None:
    """Prints the merchant's key, then serves."""
    engine = open_database(f"sqlite:///{folder / 'hutong.db'}")
    site = Site(engine, Gateway(engine, folder), Registry(engine), folder)
    print(site.key, flush=True)
    settings = Settings.read({"HUTONG_HOME": str(folder), "HUTONG_PORT": str(port)})
    serve(replace(settings, workers=workers), site.services)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
