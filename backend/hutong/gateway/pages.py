"""Pages for people: the front page, and an invoice for whoever holds its link."""

from __future__ import annotations

import time

from flask import Blueprint, Response, render_template, request

from hutong.gateway.invoice_page import SHOWN_LINES, fingerprint, prepare
from hutong.gateway.texts import language, texts
from hutong.invoices.links import HolderLinks
from hutong.invoices.service import InvoiceService
from hutong.web.answer import answer


def page_routes(invoices: InvoiceService, links: HolderLinks, network: str) -> Blueprint:
    """/, /i/<token>. `network` names the network on every page; "" on the real one."""
    routes = Blueprint("pages", __name__)

    @routes.get("/")
    def home() -> str:
        said = texts(language(request))
        return render_template(
            "home.html",
            t=said,
            lang=said["lang"],
            network=network,
            url=request.url_root.rstrip("/"),
        )

    @routes.get("/i/<token>")
    def invoice(token: str) -> Response:
        view = invoices.find(links.number(token))
        which, now = language(request), time.time()
        said = texts(which)
        page = prepare(view, f"{request.url_root}i/{token}", now, which)
        text = render_template(
            "invoice.html",
            page=page,
            fingerprint=fingerprint(view, now),
            token=token,
            t=said,
            lang=said["lang"],
            network=network,
            shown=SHOWN_LINES,
        )
        return _private(Response(text, mimetype="text/html"))

    @routes.get("/i/<token>/state")
    def state(token: str) -> Response:
        view = invoices.find(links.number(token))
        return _private(answer({"state": fingerprint(view, time.time())}, cached=False))

    @routes.get("/i/<token>/bundle")
    def bundle(token: str) -> Response:
        number = links.number(token)
        found = invoices.bundle(number, None, holder=True)
        disposition = f'attachment; filename="{number}.hutong.json"'
        return _private(answer(found, headers={"Content-Disposition": disposition}))

    @routes.get("/favicon.ico")
    def icon() -> Response:
        return Response(status=302, headers={"Location": "/static/mark.svg"})

    @routes.get("/robots.txt")
    def robots() -> Response:
        return Response("User-agent: *\nDisallow: /i/\n", mimetype="text/plain")

    return routes


def _private(response: Response) -> Response:
    """Neither caches nor search engines keep what a link's holder sees."""
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
