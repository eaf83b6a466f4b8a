"""Books, caps, keys and suspension: from where and by whom numbers are given."""

from __future__ import annotations

import time

import pytest

from hutong.database import write
from hutong.errors import (
    BookExhausted,
    BookUnknown,
    ParticipantRoleMissing,
    ParticipantSuspended,
    ParticipantUnknown,
    SignerCapExceeded,
    SignerMissing,
)
from hutong.invoices.acceptance import Accepted
from tests.integration.batching import cutter
from tests.integration.gateway import Gateway, make_invoice
from tests.integration.registry import Registry, cut_firsts, new_uscc

# --- quota ------------------------------------------------------------------------------------------


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
