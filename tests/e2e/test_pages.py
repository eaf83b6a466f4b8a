"""Pages in a real browser: what is shown, that it follows the chain by itself, that everybody can use it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from hutong.database import read, write
from hutong.invoices.store import batch_facts, promises
from hutong.ledger.outbox import outbox
from tests.integration.batching import cutter
from tests.integration.gateway import make_invoice
from tests.integration.registry import cut_firsts
from tests.integration.web.site import Site

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def opened(
    browser: Browser, address: str, *, width: int = 390, dark: bool = False, script: bool = True
) -> Iterator[Page]:
    """The page in a fresh profile; fails when the browser had anything to complain about."""
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        locale="zh-CN",
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address, wait_until="networkidle")
    yield page
    context.close()
    assert complaints == []


def issue(site: Site, **changes: object) -> str:
    made = site.post("/v1/invoices", make_invoice(amount="10.00", **changes)).get_json()
    return str(made["links"]["page"])


def land(site: Site) -> None:
    """Everything issued so far lands."""
    cutter(site.gateway).step(partial=True)
    with read(site.engine) as connection:
        landed = set(connection.execute(sa.select(batch_facts.c.first)).scalars())
    for first in cut_firsts(site.engine, site.merchant):
        if first not in landed:
            site.registry.land(first, spent=1000)
    with write(site.engine) as connection:  # no sender is here to say that nothing is under way
        connection.execute(sa.update(outbox).values(state="final"))


def late(site: Site) -> str:
    path = issue(site, remarks="停车 2 小时 10 分")
    with write(site.engine) as connection:
        newest = sa.select(sa.func.max(promises.c.id)).scalar_subquery()
        connection.execute(
            sa.update(promises).where(promises.c.id == newest).values(before=int(time.time()) - 250)
        )
    return path


def test_the_page_follows_the_invoice_onto_the_chain_by_itself(
    browser: Browser, site: Site, url: str
) -> None:
    path = issue(site)
    with opened(browser, f"{url}{path}?lang=zh") as page:
        expect(page.locator(".tag")).to_have_text("已承诺")
        expect(page.locator(".dock")).to_contain_text("上链后可下载")
        page.locator("summary").first.click()
        page.evaluate("window.unbroken = true")
        land(site)
        expect(page.locator(".tag")).to_have_text("已上链", timeout=10_000)
        expect(page.get_by_role("status")).to_contain_text("谁都可以核对")
        assert page.evaluate("window.unbroken") is True
        expect(page.locator("details").first).to_have_attribute("open", "")
        with page.expect_download() as download:
            page.get_by_role("link", name="下载凭证包").click()
        assert download.value.suggested_filename.endswith(".hutong.json")


def test_without_script_the_page_says_the_same(browser: Browser, site: Site, url: str) -> None:
    path = issue(site)
    with opened(browser, f"{url}{path}?lang=en", script=False) as page:
        expect(page.locator(".tag")).to_have_text("Promised")
        land(site)
        expect(page.locator(".tag")).to_have_text("On chain", timeout=15_000)


def test_the_number_is_copied_as_twenty_digits(browser: Browser, site: Site, url: str) -> None:
    path = issue(site)
    with opened(browser, f"{url}{path}") as page:
        shown = page.locator(".number").evaluate("each => each.textContent")
    assert shown == site.services.links.number(path.removeprefix("/i/"))


def test_verify_opens_how_to(browser: Browser, site: Site, url: str) -> None:
    with opened(browser, f"{url}{issue(site)}?lang=en") as page:
        page.get_by_role("link", name="Verify").click()
        expect(page.get_by_text("hutong verify")).to_be_visible()


def test_the_language_is_switched_on_the_same_page(browser: Browser, site: Site, url: str) -> None:
    path = issue(site)
    with opened(browser, f"{url}{path}") as page:
        expect(page.locator("h1")).to_have_text("电子发票（普通发票）")
        page.get_by_role("link", name="EN").click()
        expect(page.locator("h1")).to_have_text("Electronic invoice (ordinary)")


def test_the_description_can_be_tried_out(browser: Browser, site: Site, url: str) -> None:
    with opened(browser, f"{url}/docs?lang=en", width=1280) as page:
        expect(page.locator(".opblock")).to_have_count(
            sum(len(each) for each in site.client.get("/openapi.json").get_json()["paths"].values())
        )
        page.get_by_role("button", name="Authorize").click()
        page.locator("#http-bearer-value, .auth-container input").first.fill(site.key)
        page.locator(".auth-btn-wrapper .authorize").first.click()
        page.locator(".btn-done").first.click()
        row = page.locator("#operations-Books_and_quota-list_quotas, [id$=list_quotas]").first
        row.locator(".opblock-summary-control").click()
        row.get_by_role("button", name="Try it out").click()
        row.get_by_role("button", name="Execute").click()
        expect(row.locator(".live-responses-table .response-col_status").last).to_contain_text(
            "200"
        )


def every_page(site: Site) -> list[str]:
    """An invoice with all that one can have, one late, one promised, and the pages that are always there."""
    full = issue(
        site,
        buyer={"uscc": "91350000611528672E", "name": "福建恒安集团有限公司"},
        lines=[
            {"name": f"办公用品 {n}", "amount": "1234567.00", "rate": 1300, "quantity": "3"}
            for n in range(12)
        ],
        remarks="第一行\n第二行",
        drawer="李四",
    )
    land(site)
    return [full, late(site), issue(site), "/", "/problems", "/i/nothing"]


@pytest.mark.parametrize(
    ("width", "dark", "lang"),
    [(390, False, "zh"), (390, True, "en"), (1280, False, "en"), (1280, True, "zh")],
)
def test_everybody_can_use_the_pages(
    browser: Browser, site: Site, url: str, width: int, dark: bool, lang: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    for path in every_page(site):
        page.goto(f"{url}{path}?lang={lang}")
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": _TAGS}})
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
    context.close()


def test_no_page_scrolls_sideways_on_the_narrowest_phone(
    browser: Browser, site: Site, url: str
) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    for path in every_page(site):
        for lang in ("zh", "en"):
            page.goto(f"{url}{path}?lang={lang}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, (path, lang)
    context.close()
