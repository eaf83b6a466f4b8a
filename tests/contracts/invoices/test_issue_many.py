"""Invoices.issueMany: all or nothing"""

from conftest import BOOK, CNY

SECOND = BOOK + 20_000


def test_batches_of_one_book_and_of_another_are_issued_together(
    invoices, merchant, book, make_batch, relayer, bureau
):
    invoices.openBook(merchant, SECOND, 100, CNY, {"from": bureau})
    batches = [
        make_batch(count=2, bound=10),
        make_batch(count=3, first=book + 2, bound=20),
        make_batch(count=4, first=SECOND, book=SECOND, bound=30),
    ]
    receipt = invoices.issueMany([batch.call for batch in batches], {"from": relayer})
    issued = receipt.events["Issued"]
    assert [(e["first"], e["count"], e["spent"]) for e in issued] == [
        (book, 2, 10),
        (book + 2, 3, 30),
        (SECOND, 4, 60),
    ]
    assert (invoices.batchCount(book), invoices.batchCount(SECOND)) == (2, 1)
    assert invoices.quotaOf(merchant, CNY)[1] == 60


def test_one_bad_batch_undoes_the_others(
    invoices, merchant, book, make_batch, relayer, carol, reverts_with
):
    good = make_batch(count=2, bound=10)
    for bad, error in (
        (make_batch(count=1, first=book + 3), ("BookOutOfOrder", book, book + 2, book + 3)),
        (make_batch(count=1, first=book + 2).but(bound=1), ("ConsentInvalid", carol.address)),
        (good, ("BookOutOfOrder", book, book + 2, book)),
    ):
        with reverts_with(*error):
            invoices.issueMany([good.call, bad.call], {"from": relayer})
        assert invoices.batchCount(book) == 0
        assert invoices.bookOf(book)[4] == book
        assert invoices.quotaOf(merchant, CNY)[1] == 0


def test_quota_counts_over_all_of_them(
    invoices, merchant, book, make_batch, relayer, bureau, reverts_with
):
    invoices.setQuota(merchant, CNY, 15, {"from": bureau})
    batches = [make_batch(count=1, bound=10), make_batch(count=1, first=book + 1, bound=6)]
    with reverts_with("QuotaExceeded", merchant, 15, 10, 6):
        invoices.issueMany([batch.call for batch in batches], {"from": relayer})


def test_nothing_at_all_changes_nothing(invoices, book, relayer):
    receipt = invoices.issueMany([], {"from": relayer})
    assert not receipt.events
    assert invoices.bookOf(book)[4] == book
