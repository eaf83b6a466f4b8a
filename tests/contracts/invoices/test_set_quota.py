"""Invoices.setQuota and quotaOf: a month's limit, by the calendar in Beijing"""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from conftest import BOOK, CNY, RIVAL, USD, as_hex

BEIJING = timezone(timedelta(hours=8))


def month_of(time):
    day = datetime.fromtimestamp(time, BEIJING)
    return day.year * 12 + day.month - 1


@pytest.fixture
def next_month(chain, now):
    """Sleep until a minute into the next month."""

    def act():
        today = datetime.fromtimestamp(now(), BEIJING)
        first = datetime(today.year + today.month // 12, today.month % 12 + 1, 1, tzinfo=BEIJING)
        chain.sleep(int(first.astimezone(UTC).timestamp()) - now() + 60)
        chain.mine()

    return act


def test_quota_is_set_and_told(invoices, merchant, bureau, now):
    receipt = invoices.setQuota(merchant, USD, 5, {"from": bureau})
    told = {"issuer": merchant, "currency": USD, "amount": 5}
    assert dict(receipt.events["QuotaSet"]) == told
    assert invoices.quotaOf(merchant, USD) == (5, 0, month_of(now()))
    assert invoices.quotaOf(merchant, "0x455552")[0] == 0


def test_unknown_participant_is_refused(invoices, bureau, reverts_with):
    with reverts_with("ParticipantUnknown", as_hex(RIVAL)):
        invoices.setQuota(as_hex(RIVAL), CNY, 1, {"from": bureau})


def test_quota_is_spent_to_the_last_fen_and_no_further(
    invoices, merchant, book, issue, bureau, reverts_with, now
):
    invoices.setQuota(merchant, CNY, 1000, {"from": bureau})
    issue(count=1, first=book, bound=400)
    receipt = issue(count=1, first=book + 1, bound=600)
    assert receipt.events["Issued"]["spent"] == 1000
    assert invoices.quotaOf(merchant, CNY) == (1000, 1000, month_of(now()))
    with reverts_with("QuotaExceeded", merchant, 1000, 1000, 1):
        issue(count=1, first=book + 2, bound=1)
    issue(count=1, first=book + 2, bound=0)


def test_quota_begins_anew_with_the_month(invoices, merchant, book, issue, bureau, next_month, now):
    invoices.setQuota(merchant, CNY, 1000, {"from": bureau})
    issue(count=1, first=book, bound=900)
    before = month_of(now())
    next_month()
    assert invoices.quotaOf(merchant, CNY) == (1000, 0, before + 1)
    receipt = issue(count=1, first=book + 1, bound=1000)
    assert receipt.events["Issued"]["period"] == before + 1
    assert receipt.events["Issued"]["spent"] == 1000


def test_lowered_quota_counts_at_once(invoices, merchant, book, issue, bureau, reverts_with):
    issue(count=1, bound=900)
    invoices.setQuota(merchant, CNY, 500, {"from": bureau})
    with reverts_with("QuotaExceeded", merchant, 500, 900, 1):
        issue(count=1, first=book + 1, bound=1)


def test_quotas_of_two_currencies_are_apart(invoices, merchant, book, issue, bureau, reverts_with):
    dollars = BOOK + 20_000
    invoices.openBook(merchant, dollars, 10, USD, {"from": bureau})
    issue(count=1, bound=900)
    with reverts_with("QuotaExceeded", merchant, 0, 0, 1):
        issue(count=1, first=dollars, book=dollars, bound=1)
    invoices.setQuota(merchant, USD, 7, {"from": bureau})
    issue(count=1, first=dollars, book=dollars, bound=7)
    assert invoices.quotaOf(merchant, CNY)[1] == 900
    assert invoices.quotaOf(merchant, USD)[1] == 7


def test_greatest_bound_does_not_overflow(invoices, merchant, book, issue, bureau, reverts_with):
    most = 2**64 - 1
    with reverts_with("QuotaExceeded", merchant, 100_000_000, 0, most):
        issue(count=1, bound=most)
    invoices.setQuota(merchant, CNY, 2**96 - 1, {"from": bureau})
    issue(count=1, bound=most)
    issue(count=1, first=book + 1, bound=most)
    assert invoices.quotaOf(merchant, CNY)[1] == 2 * most
