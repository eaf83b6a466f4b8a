"""The application factory: routes, guards, problems, pages, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from hutong.config import Settings
from hutong.gateway.attempts import Attempts
from hutong.gateway.auth import guard
from hutong.gateway.docs import docs_routes
from hutong.gateway.headers import Protected
from hutong.gateway.health import Health, health_routes
from hutong.gateway.metrics import Metrics, measure
from hutong.gateway.pages import page_routes
from hutong.gateway.problems import answer_problems
from hutong.gateway.services import Services
from hutong.invoices.routes import invoice_routes
from hutong.participants.routes import key_routes
from hutong.payments.routes import payment_routes
from hutong.webhooks.routes import webhook_routes

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: Seconds for which browsers keep scripts, styles and fonts; their addresses carry the version.
_STATIC_SECONDS = 86_400


def create_app(services: Services, settings: Settings) -> Flask:
    """The gateway over the given services. Opens nothing and starts nothing by itself."""
    app = Flask("hutong.gateway")
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = _STATIC_SECONDS
    app.url_map.strict_slashes = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    metrics, attempts = Metrics(services.engine), Attempts()
    measure(app, metrics)
    guard(app, services.keys)
    answer_problems(app, attempts)
    for routes in (
        invoice_routes(services.invoices, services.links),
        payment_routes(services.payments, services.links),
        key_routes(services.keys),
        webhook_routes(services.webhooks),
        health_routes(Health(services.engine), metrics),
        docs_routes(),
        page_routes(services.invoices, services.links, settings.network_label),
    ):
        app.register_blueprint(routes)
    stack: WSGIApplication = Protected(app.wsgi_app)
    if settings.proxies:
        count = settings.proxies
        stack = ProxyFix(stack, x_for=count, x_proto=count, x_host=count)
    app.wsgi_app = stack  # type: ignore[assignment, method-assign]
    return app
