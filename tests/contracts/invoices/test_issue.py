"""Invoices.issue"""

import pytest
from brownie import Relay
from conftest import ANY, BOOK, CNY
from signing import FOREVER


def test_batch_is_issued_and_told(invoices, merchant, book, make_batch, relayer, carol, chain):
    batch = make_batch(count=3, bound=32_700)
    receipt = invoices.issue(batch.call, {"from": relayer})
    quota = invoices.quotaOf(merchant, CNY)
    assert dict(receipt.events["Issued"]) == {
        "issuer": merchant,
        "book": book,
        "first": book,
        "count": 3,
        "root": "0x" + batch.root.hex(),
        "bound": 32_700,
        "spent": 32_700,
        "period": quota[2],
        "signer": carol.address,
    }
    root = "0x" + batch.root.hex()
    stored = (book, 3, chain[-1].timestamp, receipt.block_number, 32_700, root)
    assert invoices.batchAt(book, 0) == stored
    assert invoices.bookOf(book)[4] == book + 3


def test_batches_follow_each_other_and_are_listed(invoices, book, issue):
    for first, count in ((book, 1), (book + 1, 7), (book + 8, 2)):
        issue(count=count, first=first)
    assert invoices.batchCount(book) == 3
    assert [invoices.batchAt(book, i)[:2] for i in range(3)] == [
        (book, 1),
        (book + 1, 7),
        (book + 8, 2),
    ]
    with pytest.raises(Exception, match="Index out of range"):
        invoices.batchAt(book, 3)


def test_consent_works_once(invoices, book, make_batch, relayer, stranger, reverts_with):
    batch = make_batch()
    invoices.issue(batch.call, {"from": relayer})
    with reverts_with("BookOutOfOrder", book, book + 3, book):
        invoices.issue(batch.call, {"from": stranger})


@pytest.mark.parametrize("first", [BOOK + 1, BOOK - 1, 0, BOOK + 9_999, 2**96 - 1])
def test_batch_out_of_order_is_refused(invoices, book, make_batch, relayer, reverts_with, first):
    batch = make_batch(count=1).but(first=first)
    with reverts_with("BookOutOfOrder", book, book, first):
        invoices.issue(batch.call, {"from": relayer})


def test_unknown_book_is_refused(invoices, book, issue, reverts_with):
    with reverts_with("BookUnknown", book + 1):
        issue(book=book + 1, first=book + 1)


def test_book_is_issued_to_its_last_number_and_no_further(
    invoices, merchant, book, issue, bureau, reverts_with
):
    small = book + 20_000
    invoices.openBook(merchant, small, 5, CNY, {"from": bureau})
    with reverts_with("BookExhausted", small, small + 4, small + 5):
        issue(count=6, first=small, book=small)
    issue(count=5, first=small, book=small)
    with reverts_with("BookExhausted", small, small + 4, small + 5):
        issue(count=1, first=small + 5, book=small)


def test_batch_without_leaves_or_with_too_many_is_refused(
    invoices, book, make_batch, carol, relayer, reverts_with
):
    for count in (0, 3001):
        batch = make_batch(count=1).but(leaves=[bytes(32)] * count)
        with reverts_with("BatchSizeInvalid", count, 3000):
            invoices.issue(batch.signed_by(carol, invoices).call, {"from": relayer})


def test_largest_batch_is_issued(invoices, book, make_batch, carol, relayer):
    leaves = [i.to_bytes(32, "big") for i in range(3000)]
    batch = make_batch(count=1).but(leaves=leaves).signed_by(carol, invoices)
    invoices.issue(batch.call, {"from": relayer})
    assert invoices.batchAt(book, 0)[5] == "0x" + batch.root.hex()


def test_expired_consent_is_refused(invoices, book, issue, now, reverts_with):
    past = now() - 1
    with reverts_with("ConsentExpired", past, ANY):
        issue(deadline=past)
    issue(deadline=now() + 1000)


def test_signers_that_may_not_issue_are_named(
    invoices, merchant, book, make_batch, appoint, relayer, alice, mallory, now, reverts_with
):
    def send(account, bound=100):
        batch = make_batch(bound=bound).signed_by(account, invoices)
        return invoices.issue(batch.call, {"from": relayer})

    with reverts_with("SignerUnknown", merchant, mallory.address):
        send(mallory)
    with reverts_with("SignerRoleMissing", merchant, alice.address, 2):
        send(alice)
    past = now() - 1
    appoint(merchant, mallory, expires=past)
    with reverts_with("SignerExpired", merchant, mallory.address, past):
        send(mallory)
    appoint(merchant, mallory, cap=99)
    with reverts_with("SignerCapExceeded", merchant, mallory.address, 99, 100):
        send(mallory)
    send(mallory, bound=99)


@pytest.mark.parametrize(
    "change",
    [
        {"bound": 101},
        {"deadline": FOREVER - 1},
        {"leaves": [b"\x01" * 32] * 3},
        {"leaves": [b"\x01" * 32] * 2},
        {"signature": b""},
        {"signature": b"\x1b" * 65},
    ],
)
def test_batch_other_than_signed_is_refused(
    invoices, book, make_batch, relayer, carol, reverts_with, change
):
    batch = make_batch(bound=100).but(**change)
    with reverts_with("ConsentInvalid", carol.address):
        invoices.issue(batch.call, {"from": relayer})


def test_signature_for_another_domain_is_refused(
    invoices, participants, book, make_batch, relayer, carol, reverts_with
):
    for batch in (
        make_batch().signed_by(carol, invoices, chain_id=1),
        make_batch().signed_by(carol, participants),
        make_batch().signed_by(carol, invoices, book=book + 1),
        make_batch().signed_by(carol, invoices, first=book + 1),
    ):
        with reverts_with("ConsentInvalid", carol.address):
            invoices.issue(batch.call, {"from": relayer})


def test_who_relays_makes_no_difference(invoices, book, make_batch, stranger, bureau):
    invoices.issue(make_batch(count=1).call, {"from": stranger})
    invoices.issue(make_batch(count=1, first=book + 1).call, {"from": bureau})
    assert invoices.batchCount(book) == 2


def test_batch_relayed_by_a_contract_is_refused(invoices, book, make_batch, relayer, reverts_with):
    forwarder = relayer.deploy(Relay)
    for data in (
        invoices.issue.encode_input(make_batch().call),
        invoices.issueMany.encode_input([make_batch().call]),
    ):
        with reverts_with("IndirectCall", forwarder):
            forwarder.forward(invoices, data, {"from": relayer})


def test_nonce_is_no_part_of_what_is_signed(invoices, book, make_batch, relayer):
    invoices.issue(make_batch().but(nonce=5).call, {"from": relayer})
    assert invoices.batchCount(book) == 1
