"""Pages and machines' pages: the holder's link, health, metrics, the description."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from openapi_spec_validator import OpenAPIV31SpecValidator

import hutong.gateway
from hutong.database import write
from hutong.invoices.store import promises
from hutong.ledger.lease import Lease
from hutong.ledger.pulse import beat
from hutong.web.operation import operation_of
from tests.integration.batching import cutter
from tests.integration.gateway import make_invoice
from tests.integration.web.site import Site


def link(site: Site, **changes: object) -> str:
    made = site.post("/v1/invoices", make_invoice(amount="12.00", **changes)).get_json()
    return str(made["links"]["page"])


def test_who_holds_the_link_sees_the_invoice_in_both_languages(site: Site) -> None:
    page = link(site)
    chinese, english = site.client.get(f"{page}?lang=zh"), site.client.get(f"{page}?lang=en")
    assert 'lang="zh-CN"' in chinese.text
    assert "胡同口小卖部" in chinese.text
    assert "发票已经归你" in chinese.text
    assert 'lang="en"' in english.text
    assert "12.00" in english.text
    assert "by " in english.text
    assert chinese.headers["Cache-Control"] == "private, no-store"
    assert "noindex" in chinese.headers["X-Robots-Tag"]


def test_the_page_follows_the_invoice_onto_the_chain(site: Site) -> None:
    page = link(site)
    before = site.client.get(f"{page}/state").get_json()
    assert site.client.get(f"{page}/bundle").status_code == 409
    cutter(site.gateway).step(partial=True)
    number = site.services.links.number(page.removeprefix("/i/"))
    site.registry.land(number, spent=1200)
    after = site.client.get(f"{page}/state").get_json()
    assert before != after
    text = site.client.get(f"{page}?lang=en").text
    assert "This invoice is recorded on the chain" in text
    assert f'data-state="{after["state"]}"' in text
    bundle = site.client.get(f"{page}/bundle")
    assert bundle.get_json()["summary"]["number"] == number
    assert number in bundle.headers["Content-Disposition"]


def test_a_broken_promise_is_said(site: Site) -> None:
    page = link(site)
    with write(site.engine) as connection:
        connection.execute(sa.update(promises).values(before=int(time.time()) - 250))
    text = site.client.get(f"{page}?lang=zh").text
    assert "比承诺晚了" in text
    assert "已晚 4 分" in text


def test_what_an_invoice_says_is_text_and_never_markup(site: Site) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x>"
    page = link(
        site,
        lines=[{"name": evil, "amount": "1.00", "rate": 900}],
        remarks=evil,
        buyer={"name": evil},
        drawer=evil,
    )
    text = site.client.get(page).text
    assert "<script>alert" not in text
    assert "<img" not in text
    assert text.count("&lt;script&gt;") == 4


@pytest.mark.parametrize(
    "token", ["x", "A" * 32, "%00", "../../etc/passwd", "26112000000481200001"]
)
def test_a_link_that_is_wrong_leads_to_a_page_that_says_so(site: Site, token: str) -> None:
    answer = site.client.get(f"/i/{token}?lang=en", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
    assert answer.content_type.startswith("text/html")


def test_pages_need_nothing_inline_and_nothing_from_elsewhere(site: Site) -> None:
    for path in (link(site), "/", "/docs", "/problems"):
        text = site.client.get(path).text
        assert not re.search(r"<script(?![^>]*src=)", text), path
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style", text), path
        assert not re.search(r"""(src|href)=["'](https?:)?//""", text), path
        for source in re.findall(r"""(?:src|href)=["'](/(?:static|docs/)[^"']+)""", text):
            assert site.client.get(source).status_code == 200, source


def test_every_file_that_the_styles_name_is_there() -> None:
    static = Path(hutong.gateway.__file__).parent / "static"
    for sheet in static.glob("*.css"):
        for name in re.findall(r'url\("([^"]+)"\)', sheet.read_text()):
            assert (static / name).is_file(), name


def test_ready_says_which_part_is_not(site: Site) -> None:
    def parts() -> dict[str, bool]:
        found = site.client.get("/readyz").get_json()
        return {name: found[name]["ready"] for name in ("database", "worker", "node")}

    assert parts() == {"database": True, "worker": False, "node": False}
    assert Lease(site.engine, "worker").take()
    beat(site.engine, "indexer", well=True)
    time.sleep(1.1)
    assert parts() == {"database": True, "worker": True, "node": True}
    beat(site.engine, "indexer", well=False, detail="NodeUnavailable: no answer")
    time.sleep(1.1)
    assert parts() == {"database": True, "worker": True, "node": False}
    assert "no answer" in site.client.get("/readyz").get_json()["node"]["detail"]
    assert site.client.get("/healthz").get_json() == {"alive": True}


def test_metrics_count_requests_and_what_is_waiting(site: Site) -> None:
    page = link(site)
    site.client.get(page)
    with write(site.engine) as connection:
        connection.execute(sa.update(promises).values(before=1))
    text = site.client.get("/metrics").text
    assert 'method="POST",route="/v1/invoices",status="201"' in text
    assert 'route="/i/<token>"' in text
    assert page not in text
    for line in (
        "hutong_invoices_numbered 1.0",
        "hutong_invoices_promised 1.0",
        "hutong_promises_late 1.0",
        'hutong_batches{state="cut"} 0.0',
        "hutong_webhooks_pending 0.0",
    ):
        assert line in text
    cutter(site.gateway).step(partial=True)
    site.registry.land(site.services.links.number(page.removeprefix("/i/")), spent=1200)
    assert "hutong_invoices_promised 0.0" in site.client.get("/metrics").text


def test_the_description_is_valid_and_complete(site: Site) -> None:
    answer = site.client.get("/openapi.json")
    described = answer.get_json()
    OpenAPIV31SpecValidator(described).validate()
    routes = [
        rule
        for rule in site.app.url_map.iter_rules()
        if operation_of(site.app.view_functions[rule.endpoint]) is not None
    ]
    assert len(routes) == sum(len(methods) for methods in described["paths"].values())
    assert all(rule.rule.startswith("/v1/") for rule in routes)
    again = site.client.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_everything_below_v1_is_described_and_guarded(site: Site) -> None:
    for rule in site.app.url_map.iter_rules():
        if rule.rule.startswith("/v1"):
            operation = operation_of(site.app.view_functions[rule.endpoint])
            assert operation is not None, rule.rule
            assert operation.access or operation.signed, rule.rule
