"""Serves the gateway with gunicorn: threads in one process, or more processes on PostgreSQL."""

from __future__ import annotations

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from hutong.config import Settings
from hutong.gateway.app import create_app
from hutong.gateway.services import Services

#: Seconds that requests under way get to finish when the gateway is asked to stop.
_GRACE = 30
_KEEP_ALIVE = 15
_BACKLOG = 1_024


class _Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with options from here: its own command line and files are not asked."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings, self._services = settings, services
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        for name, value in {
            "bind": f"{settings.host}:{settings.port}",
            "worker_class": "gthread",
            "workers": settings.workers,
            "threads": settings.threads,
            "graceful_timeout": _GRACE,
            "timeout": 120,
            "keepalive": _KEEP_ALIVE,
            "backlog": _BACKLOG,
            "worker_connections": 1_000,
            "accesslog": None,  # paths of pages hold secrets
            "loglevel": "warning",
            "control_socket_disable": True,
            "proc_name": "hutong-gateway",
            "pre_fork": self._before_fork,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """In the worker process."""
        return create_app(self._services, self._settings)

    def _before_fork(self, _arbiter: Any, _worker: Any) -> None:
        # No connection to the database may be open in two processes.
        self._services.engine.dispose()


def serve(settings: Settings, services: Services) -> None:
    """Serves until SIGTERM or SIGINT; requests under way are finished."""
    _Server(settings, services).run()
