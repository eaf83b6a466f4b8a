"""Numbers for Prometheus: requests by route as they happen, the rest read from the database when asked for."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy.engine import Engine

from hutong.database import read
from hutong.errors import HutongError
from hutong.gateway.gauges import gauges

log = logging.getLogger(__name__)

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """This process's requests, and the installation's gauges."""

    def __init__(self, engine: Engine) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "hutong_request_seconds",
            "Time from request to answer, by route.",
            ["method", "route", "status"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._children: dict[tuple[str, str, int], Any] = {}
        self._registry.register(_Gauges(engine))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts a request."""
        known = self._children.get((method, route, status))
        if known is None:
            known = self._seconds.labels(method, route, str(status))
            self._children[(method, route, status)] = known
        known.observe(seconds)

    def show(self) -> tuple[bytes, str]:
        """Text and content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST


class _Gauges(Collector):
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterable[Metric]:
        return []  # so that registering asks the database nothing

    def collect(self) -> Iterable[Metric]:
        try:
            with read(self._engine) as connection:
                found = gauges(connection, time.time())
        except HutongError as error:
            log.warning("no gauges: %s", error.detail)
            return
        for gauge in found:
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in gauge.values:
                family.add_metric(labels, value)
            yield family


def measure(app: Flask, metrics: Metrics) -> None:
    """Times every request."""

    @app.before_request
    def begin() -> None:
        g.begun = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        begun = g.get("begun")
        if begun is not None:
            route = request.url_rule.rule if request.url_rule is not None else "none"
            seconds = time.perf_counter() - begun
            metrics.observe(request.method, route, response.status_code, seconds)
        return response
