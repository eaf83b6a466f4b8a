"""What an issuer may: quota to the fen, books, caps, keys, suspension."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hutong.database import open_database, write
from hutong.errors import (
    BookExhausted,
    BookUnknown,
    HutongError,
    ParticipantRoleMissing,
    ParticipantSuspended,
    ParticipantUnknown,
    QuotaExceeded,
    SignerCapExceeded,
    SignerMissing,
)
from hutong.invoices import acceptor, service
from hutong.invoices.acceptance import Accepted
from hutong.invoices.standing import BEIJING, quota_of
from tests.integration.batching import cutter
from tests.integration.gateway import Gateway, make_invoice
from tests.integration.registry import Registry, cut_firsts, new_uscc
from tests.integration.test_acceptance import at_once

# --- quota ------------------------------------------------------------------------------------------


def test_quota_is_exact_to_the_fen(gateway: Gateway, registry: Registry) -> None:
    merchant = registry.merchant(gateway.cashier, quota=300)
    gateway.issue(merchant, "1.00")

    with pytest.raises(QuotaExceeded) as refused:
        gateway.issue(merchant, "2.01")
    gateway.issue(merchant, "2.00")
    with pytest.raises(QuotaExceeded):
        gateway.issue(merchant, "0.01")
    gateway.issue(merchant, "0.00")

    assert refused.value.field == "totals.gross"
    assert refused.value.values == {"amount": 300, "left": 200, "gross": 201}
    quota = gateway.invoices.quotas(merchant)[0]
    assert (quota.amount, quota.spent, quota.pending, quota.left) == (300, 0, 300, 0)


def test_quota_counts_what_is_promised_and_what_has_landed_once(
    gateway: Gateway, registry: Registry
) -> None:
    merchant = registry.merchant(gateway.cashier, quota=1_000)
    gateway.issue(merchant, "3.00", "3.00")
    cutter(gateway).step(partial=True)
    gateway.issue(merchant, "1.00")

    registry.land(cut_firsts(gateway.engine, merchant)[0], spent=600)

    quota = gateway.invoices.quotas(merchant)[0]
    assert (quota.spent, quota.pending, quota.left) == (600, 100, 300)
    with pytest.raises(QuotaExceeded):
        gateway.issue(merchant, "3.01")
    gateway.issue(merchant, "3.00")


def test_what_the_issuer_spent_elsewhere_counts(gateway: Gateway, registry: Registry) -> None:
    merchant = registry.merchant(gateway.cashier, quota=1_000)
    gateway.issue(merchant, "1.00")
    cutter(gateway).step(partial=True)

    # The chain says 7.00: 6.00 of them were issued through another gateway, in another book.
    registry.land(cut_firsts(gateway.engine, merchant)[0], spent=700)

    assert gateway.invoices.quotas(merchant)[0].left == 300


def test_a_new_month_begins_with_the_whole_quota_but_for_what_is_pending(
    gateway: Gateway, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    merchant = registry.merchant(gateway.cashier, quota=1_000)
    gateway.issue(merchant, "6.00")
    cutter(gateway).step(partial=True)
    registry.land(cut_firsts(gateway.engine, merchant)[0], spent=600)
    gateway.issue(merchant, "4.00")  # promised this month, will land in the next
    now = datetime.fromtimestamp(time.time(), BEIJING)
    turn = (
        now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)
    ).replace(day=1)
    before, after = turn.timestamp() - 1, turn.timestamp()

    for moment, left in ((before, 0), (after, 600)):
        for module in (acceptor, service):
            monkeypatch.setattr(module.time, "time", lambda moment=moment: moment)
        assert gateway.invoices.quotas(merchant)[0].left == left
    gateway.issue(merchant, "6.00")
    with pytest.raises(QuotaExceeded):
        gateway.issue(merchant, "0.01")

    monkeypatch.undo()
    assert gateway.invoices.quotas(merchant)[0].month == f"{now:%Y-%m}"


def test_quota_is_never_exceeded_when_gateways_promise_at_once(
    gateway: Gateway, registry: Registry, database_url: str, tmp_path: Path
) -> None:
    merchant = registry.merchant(gateway.cashier, quota=5_000, books=2)
    other = Gateway(open_database(database_url), tmp_path)
    books = [book.first for book in gateway.invoices.books(merchant)]

    def promise(index: int) -> list[Accepted | HutongError]:
        mine = (gateway, other)[index % 2]
        items = [mine.item() for _ in range(10)]
        return mine.invoices.accept_many(merchant, items, books[index // 2 % 2])

    results = at_once(8, promise)

    answers = [answer for result in results for answer in result]  # type: ignore[attr-defined]
    assert sum(isinstance(answer, Accepted) for answer in answers) == 50
    assert sum(isinstance(answer, QuotaExceeded) for answer in answers) == 30
    assert gateway.invoices.quotas(merchant)[0].left == 0
    other.engine.dispose()


def test_a_batch_counts_as_pending_or_as_spent_at_every_moment(
    gateway: Gateway, registry: Registry
) -> None:
    merchant = registry.merchant(gateway.cashier)
    for _ in range(40):
        gateway.issue(merchant)
        cutter(gateway).step(partial=True)
    firsts = cut_firsts(gateway.engine, merchant)
    sums: set[int] = set()
    landing = threading.Thread(
        target=lambda: [registry.land(first, spent=100 * n) for n, first in enumerate(firsts, 1)]
    )

    landing.start()
    while landing.is_alive():
        with write(gateway.engine) as connection:
            quota = quota_of(connection, merchant, "CNY", time.time())
        sums.add(quota.spent + quota.pending)

    assert sums == {4_000}


def test_sums_beyond_64_bits_are_refused(gateway: Gateway, registry: Registry) -> None:
    merchant = registry.merchant(gateway.cashier, quota=2**96 - 1)
    large = make_invoice(amount="90000000000000000.00")
    answers = []
    try:
        answers = gateway.invoices.accept_many(merchant, [gateway.item(large) for _ in range(2)])
    except HutongError as error:  # the model's own limit on amounts
        assert error.status < 500

    assert [type(answer) for answer in answers] in ([], [Accepted, BookExhausted])
    gateway.issue(merchant)


# --- books ------------------------------------------------------------------------------------------


def test_an_exhausted_book_is_followed_by_the_next(gateway: Gateway, registry: Registry) -> None:
    merchant = registry.merchant(gateway.cashier, numbers=3, books=2)
    one, two = (int(book.first) for book in gateway.invoices.books(merchant))

    answers = gateway.invoices.accept_many(merchant, [gateway.item() for _ in range(8)])

    numbers = [int(answer.number) for answer in answers if isinstance(answer, Accepted)]
    assert numbers == [one, one + 1, one + 2, two, two + 1, two + 2]
    assert [type(answer) for answer in answers[6:]] == [BookExhausted] * 2
    with pytest.raises(BookExhausted):
        gateway.issue(merchant)
    third = registry.open_book(merchant)
    assert int(gateway.issue(merchant)[0].number) == third


def test_a_book_can_be_asked_for(gateway: Gateway, registry: Registry) -> None:
    merchant = registry.merchant(gateway.cashier, numbers=1, books=2)
    other = registry.merchant(gateway.cashier)
    one, two = (book.first for book in gateway.invoices.books(merchant))
    elsewhere = gateway.invoices.books(other)[0].first

    asked = gateway.invoices.accept(merchant, gateway.item(), two)

    assert asked.number == two
    with pytest.raises(BookExhausted):
        gateway.invoices.accept(merchant, gateway.item(), two)
    with pytest.raises(BookUnknown):
        gateway.invoices.accept(merchant, gateway.item(), elsewhere)
    assert gateway.invoices.accept(merchant, gateway.item(), one).number == one


def test_a_closed_book_takes_nothing_more_and_keeps_showing_what_it_promised(
    gateway: Gateway, registry: Registry
) -> None:
    merchant = registry.merchant(gateway.cashier)
    accepted = gateway.issue(merchant, "1.00", "1.00")
    book = int(gateway.invoices.books(merchant)[0].first)

    registry.close_book(merchant, book, following=book)  # closed before anything landed

    with pytest.raises(BookExhausted):
        gateway.issue(merchant)
    listed = gateway.invoices.list(merchant).items
    assert [view.number for view in listed] == [one.number for one in reversed(accepted)]


def test_books_of_two_currencies_number_apart_within_one_request(
    gateway: Gateway, registry: Registry
) -> None:
    merchant = registry.merchant(gateway.cashier)
    yuan = int(gateway.invoices.books(merchant)[0].first)
    dollar = registry.open_book(merchant, currency="USD")
    registry.set_quota(merchant, 1_000, "USD")
    bodies = [make_invoice(currency=code) for code in ("CNY", "USD", "CNY", "USD", "CNY")]

    answers = gateway.invoices.accept_many(merchant, [gateway.item(body) for body in bodies])

    numbers = [int(answer.number) for answer in answers if isinstance(answer, Accepted)]
    assert numbers == [yuan, dollar, yuan + 1, dollar + 1, yuan + 2]
    quotas = {quota.currency: quota.pending for quota in gateway.invoices.quotas(merchant)}
    assert quotas == {"CNY": 300, "USD": 200}


def test_numbers_that_the_issuer_used_elsewhere_are_passed_over(
    gateway: Gateway, registry: Registry
) -> None:
    merchant = registry.merchant(gateway.cashier)
    book = int(gateway.issue(merchant)[0].number)
    cutter(gateway).step(partial=True)
    registry.land(f"{book:020d}", spent=100)
    with write(gateway.engine) as connection:
        registry.foreign(connection, merchant, book, first=book + 1, count=4, spent=500)

    accepted = gateway.issue(merchant)[0]

    assert int(accepted.number) == book + 5
    cutter(gateway).step(partial=True)
    assert cut_firsts(gateway.engine, merchant)[-1] == accepted.number


# --- who --------------------------------------------------------------------------------------------


def test_a_suspended_issuer_promises_nothing_until_it_is_reinstated(
    gateway: Gateway, registry: Registry, merchant: str
) -> None:
    item = gateway.item()
    first = gateway.invoices.accept(merchant, item)
    registry.suspend(merchant, "抽查")

    with pytest.raises(ParticipantSuspended, match="抽查"):
        gateway.issue(merchant)
    repeated = gateway.invoices.accept(merchant, item)
    registry.reinstate(merchant)

    assert repeated.number == first.number
    assert int(gateway.issue(merchant)[0].number) == int(first.number) + 1


def test_who_is_no_issuer_promises_nothing(gateway: Gateway, registry: Registry) -> None:
    employer = new_uscc()
    with pytest.raises(ParticipantUnknown):
        gateway.issue(employer)
    registry.admit(employer, roles=2)

    with pytest.raises(ParticipantRoleMissing):
        gateway.issue(employer)


def test_without_a_cashiers_key_nothing_is_promised(gateway: Gateway, registry: Registry) -> None:
    elsewhere = "0x" + "22" * 20
    merchant = registry.merchant(elsewhere)
    with pytest.raises(SignerMissing):
        gateway.issue(merchant)
    # Its right ends within the ten minutes that a batch may need.
    registry.appoint(merchant, gateway.cashier, expires=int(time.time()) + 500)
    with pytest.raises(SignerMissing):
        gateway.issue(merchant)
    # An administrator is no cashier.
    registry.appoint(merchant, gateway.cashier, roles=1)
    with pytest.raises(SignerMissing):
        gateway.issue(merchant)

    registry.appoint(merchant, gateway.cashier)

    assert gateway.issue(merchant)


def test_the_cashiers_cap_bounds_one_invoice(gateway: Gateway, registry: Registry) -> None:
    merchant = registry.merchant(gateway.cashier, cap=500)

    with pytest.raises(SignerCapExceeded):
        gateway.issue(merchant, "5.01")

    assert gateway.issue(merchant, "5.00", "5.00")
