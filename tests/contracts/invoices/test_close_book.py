"""Invoices.closeBook"""

import pytest
from conftest import BOOK, CNY


def test_closed_book_ends_where_it_stands(invoices, merchant, book, issue, bureau, reverts_with):
    issue(count=4)
    receipt = invoices.closeBook(book, {"from": bureau})
    told = {"issuer": merchant, "first": book, "next": book + 4}
    assert dict(receipt.events["BookClosed"]) == told
    assert invoices.bookOf(book)[4:] == (book + 4, book + 3)
    with reverts_with("BookExhausted", book, book + 3, book + 5):
        issue(count=2, first=book + 4)


def test_what_a_closed_book_issued_stays(invoices, book, issue, bureau):
    issue(count=4)
    invoices.closeBook(book, {"from": bureau})
    assert invoices.header(book + 3)[2] == book


@pytest.mark.parametrize("issued", [0, 4])
def test_numbers_of_a_closed_book_are_never_opened_again(
    invoices, merchant, book, issue, bureau, reverts_with, issued
):
    if issued:
        issue(count=issued)
    invoices.closeBook(book, {"from": bureau})
    for first in (book, book + issued, book + 9_999):
        with reverts_with("BookOverlaps", first, book + 9_999):
            invoices.openBook(merchant, first, 10, CNY, {"from": bureau})
    invoices.openBook(merchant, book + 10_000, 10, CNY, {"from": bureau})
    assert invoices.bookCount(merchant) == 2


def test_unknown_book_is_refused(invoices, bureau, reverts_with):
    with reverts_with("BookUnknown", BOOK + 5):
        invoices.closeBook(BOOK + 5, {"from": bureau})
