"""Invoices.check, header and leafOf"""

import itertools
from dataclasses import replace

import pytest
from conftest import ANY, BOOK, CNY
from signing import summaries

from hutong import merkle


@pytest.fixture
def batch_of_seven(invoices, book, issue):
    """Seven invoices behind a batch of two."""
    issue(count=2)
    issue(count=7, first=book + 2)
    return summaries(book + 2, 7)


def proof_of(batch, index):
    return merkle.proof([summary.leaf for summary in batch], index)


def test_invoice_is_proven_at_its_number(invoices, merchant, book, batch_of_seven):
    for index, summary in enumerate(batch_of_seven):
        header = invoices.check(summary.values, proof_of(batch_of_seven, index))
        assert header == (merchant, CNY, book, invoices.batchAt(book, 1))
        assert header == invoices.header(summary.number)


@pytest.mark.parametrize(
    "change",
    [
        {"original": 1},
        {"gross": 10_901},
        {"tax": 0},
        {"buyer": b"\x01" * 32},
        {"payment": bytes(32)},
        {"document": bytes(32)},
    ],
)
def test_summary_with_another_field_is_refused(invoices, batch_of_seven, reverts_with, change):
    changed = replace(batch_of_seven[3], **change)
    with reverts_with("ProofInvalid", changed.number, "0x" + changed.leaf.hex()):
        invoices.check(changed.values, proof_of(batch_of_seven, 3))


def test_proof_of_another_number_is_refused(invoices, book, batch_of_seven, reverts_with):
    summary = batch_of_seven[3]
    with reverts_with("ProofInvalid", summary.number, ANY):
        invoices.check(summary.values, proof_of(batch_of_seven, 4))
    with reverts_with("ProofInvalid", summary.number, ANY):
        invoices.check(summary.values, [])
    moved = replace(summary, number=book)  # the same content at a number of the batch before
    with reverts_with("ProofInvalid", book, ANY):
        invoices.check(moved.values, proof_of(batch_of_seven, 3))


@pytest.mark.parametrize("number", [BOOK + 9, BOOK + 9_999, BOOK + 10_000, BOOK - 1, 0, 2**96 - 1])
def test_number_that_is_not_issued_is_unknown(invoices, batch_of_seven, reverts_with, number):
    with reverts_with("InvoiceUnknown", number):
        invoices.header(number)
    with reverts_with("InvoiceUnknown", number):
        invoices.check(replace(batch_of_seven[0], number=number).values, [])


def test_number_between_two_books_is_unknown(invoices, merchant, book, issue, bureau, reverts_with):
    second = book + 20_000
    invoices.openBook(merchant, second, 10, CNY, {"from": bureau})
    issue(count=3)
    issue(count=1, first=second, book=second)
    with reverts_with("InvoiceUnknown", second - 1):
        invoices.header(second - 1)
    assert invoices.header(second)[2] == second
    assert invoices.header(book + 2)[2] == book


def test_headers_over_many_batches_agree(invoices, book, issue):
    firsts = [book]
    for count in (1, 2, 3, 1, 5, 1):
        issue(count=count, first=firsts[-1])
        firsts.append(firsts[-1] + count)
    for index, (first, after) in enumerate(itertools.pairwise(firsts)):
        for number in range(first, after):
            assert invoices.header(number)[3] == invoices.batchAt(book, index)


def test_leaf_is_the_typed_text_s_struct_hash(invoices):
    for summary in summaries(BOOK, 3):
        odd = replace(summary, original=2**96 - 1, gross=2**128 - 1, tax=7, buyer=b"\xff" * 32)
        assert bytes(invoices.leafOf(summary.values)) == summary.leaf
        assert bytes(invoices.leafOf(odd.values)) == odd.leaf
