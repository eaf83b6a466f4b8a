"""Whether the gateway lives, whether it can do its work, and how much of it: for machines that watch it."""

from __future__ import annotations

import threading
import time
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response
from sqlalchemy.engine import Engine

from hutong.database import read, write
from hutong.errors import HutongError
from hutong.gateway.metrics import Metrics
from hutong.ledger.lease import leases
from hutong.ledger.pulse import felt
from hutong.web.answer import answer

#: A loop of the worker that gave no sign of life for so long stands still; in seconds.
_SILENCE = 20.0
#: Answers are kept for so long: whoever asks often must not take the write lock often.
_KEEP = 1.0
_NODE = ("indexer", "sender")


class Health:
    """Looks at the database, the worker's lease, and what the worker last saw of the node."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._kept: tuple[float, dict[str, Any]] | None = None

    def parts(self) -> dict[str, Any]:
        """{"database" | "worker" | "node": {"ready": bool, "detail": str}}."""
        with self._lock:
            now = time.monotonic()
            if self._kept is None or self._kept[0] < now:
                self._kept = (now + _KEEP, self._look())
            return self._kept[1]

    def _look(self) -> dict[str, Any]:
        try:
            with write(self._engine) as connection:
                connection.execute(sa.select(1))
            with read(self._engine) as connection:
                now = time.time()
                until = connection.execute(
                    sa.select(leases.c.until).where(leases.c.name == "worker")
                ).scalar()
                pulses = {pulse.name: pulse for pulse in felt(connection)}
        except HutongError as error:
            away = _part(False, "unknown while the database is away")
            return {"database": _part(False, error.detail), "worker": away, "node": away}
        alive = until is not None and until > now
        troubles = [
            f"{name}: {pulses[name].detail}"
            for name in _NODE
            if name in pulses and not pulses[name].well
        ]
        seen = pulses.get("indexer")
        if seen is None or seen.at < now - _SILENCE:
            troubles.append("the worker has not reached the node lately")
        return {
            "database": _part(True, "writable"),
            "worker": _part(alive, "at work" if alive else "no worker holds the lease"),
            "node": _part(not troubles, "; ".join(troubles) or "reached by the worker"),
        }


def _part(ready: bool, detail: str) -> dict[str, Any]:
    return {"ready": ready, "detail": detail}


def health_routes(health: Health, metrics: Metrics) -> Blueprint:
    """/healthz, /readyz, /metrics."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def live() -> Response:
        return answer({"alive": True}, cached=False)

    @routes.get("/readyz")
    def ready() -> Response:
        parts = health.parts()
        well = all(part["ready"] for part in parts.values())
        headers = {} if well else {"Retry-After": "2"}
        return answer({"ready": well, **parts}, 200 if well else 503, headers=headers, cached=False)

    @routes.get("/metrics")
    def show_metrics() -> Response:
        octets, kind = metrics.show()
        return Response(octets, content_type=kind, headers={"Cache-Control": "no-store"})

    return routes
