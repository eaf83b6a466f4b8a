"""Invoices.openBook, and how books are listed"""

import pytest
from conftest import BOOK, CNY, MERCHANT, RIVAL, USD, as_hex

PREFIX = BOOK // 10**15 * 10**15


@pytest.fixture
def open_book(invoices, merchant, bureau):
    def act(first, count, uscc=merchant, currency=CNY):
        return invoices.openBook(uscc, first, count, currency, {"from": bureau})

    return act


def test_book_is_opened_and_told(invoices, merchant, open_book, now):
    receipt = open_book(BOOK, 500, currency=USD)
    assert dict(receipt.events["BookOpened"]) == {
        "issuer": merchant,
        "first": BOOK,
        "last": BOOK + 499,
        "currency": USD,
    }
    assert invoices.bookOf(BOOK) == (merchant, USD, now(), BOOK, BOOK, BOOK + 499)


def test_books_of_an_issuer_are_listed(invoices, participants, merchant, open_book, bureau, alice):
    rival = as_hex(RIVAL)
    participants.admit(rival, "x", 1, alice.address, False, {"from": bureau})
    open_book(BOOK, 10)
    open_book(BOOK + 10, 10, uscc=rival)
    open_book(BOOK + 30, 10)
    open_book(PREFIX + 10**15, 10)  # another channel
    assert invoices.bookCount(merchant) == 3
    firsts = [invoices.bookAt(merchant, i) for i in range(3)]
    assert firsts == [BOOK, BOOK + 30, PREFIX + 10**15]
    assert (invoices.bookCount(rival), invoices.bookAt(rival, 0)) == (1, BOOK + 10)
    with pytest.raises(Exception, match="Index out of range"):
        invoices.bookAt(rival, 1)


@pytest.mark.parametrize("first", [BOOK, BOOK + 99, BOOK - 1, PREFIX])
def test_book_that_does_not_come_after_the_last_is_refused(open_book, reverts_with, first):
    open_book(BOOK, 100)
    with reverts_with("BookOverlaps", first, BOOK + 99):
        open_book(first, 1)
    open_book(BOOK + 100, 1)


@pytest.mark.parametrize(
    ("first", "count", "last"),
    [
        (BOOK, 0, BOOK),
        (0, 1, 0),
        (10**20, 1, 10**20),
        (2**96 - 1, 1, 2**96 - 1),
        (BOOK, 10**20 + 1, BOOK),
        (BOOK, 2**96 - 1, BOOK),
        (PREFIX + 10**15 - 1, 2, PREFIX + 10**15),
        (PREFIX, 10**15 + 1, PREFIX + 10**15),
        (10**20 - 1, 2, 10**20),
        (BOOK, 10**20, BOOK + 10**20 - 1),
    ],
)
def test_range_that_is_none_is_refused(open_book, reverts_with, first, count, last):
    with reverts_with("BookRangeInvalid", first, last):
        open_book(first, count)


def test_whole_prefix_and_the_greatest_number_are_books(invoices, open_book):
    open_book(PREFIX, 10**15)
    open_book(10**20 - 1, 1)
    assert invoices.bookOf(10**20 - 1)[5] == 10**20 - 1


def test_only_issuers_get_books(participants, open_book, merchant, bureau, reverts_with):
    with reverts_with("ParticipantRoleMissing", as_hex(RIVAL), 1):
        open_book(BOOK, 10, uscc=as_hex(RIVAL))
    participants.setRoles(merchant, 2, {"from": bureau})
    with reverts_with("ParticipantRoleMissing", as_hex(MERCHANT), 1):
        open_book(BOOK, 10)


def test_book_that_nobody_opened_is_unknown(invoices, book, reverts_with):
    with reverts_with("BookUnknown", BOOK + 1):
        invoices.bookOf(BOOK + 1)
    assert invoices.batchCount(BOOK + 1) == 0
