"""Calldata in another order than encoders write it: what the contract takes, and the decoder reads"""

import pytest

from hutong.ledger.issuing import decode_issue


def word(value: int) -> bytes:
    return (value % 2**256).to_bytes(32, "big")


def selector(invoices) -> bytes:
    return bytes.fromhex(invoices.issue.signature[2:])


def swapped(invoices, batch) -> bytes:
    """The same batch with its consent before its leaves, and something between them."""
    consent = word(int(batch.signer, 16)) + word(0) + word(batch.deadline) + word(128)
    consent += word(65) + batch.signature + b"\xff" * 50
    leaves = word(len(batch.leaves)) + b"".join(batch.leaves)
    offsets = word(160 + len(consent)) + word(160)
    head = word(batch.book) + word(batch.first) + word(batch.bound) + offsets
    return selector(invoices) + word(32) + head + consent + leaves


def backwards(invoices, batch) -> bytes:
    """The same batch with its leaves and signature before the struct, at offsets below zero."""
    leaves = word(len(batch.leaves)) + b"".join(batch.leaves)
    signature = word(65) + batch.signature + bytes(31)
    struct = 32 + len(leaves) + len(signature)
    consent = struct + 5 * 32
    head = [batch.book, batch.first, batch.bound, 32 - struct, consent - struct]
    tail = [int(batch.signer, 16), 0, batch.deadline, 32 + len(leaves) - consent]
    return selector(invoices) + word(struct) + leaves + signature + b"".join(map(word, head + tail))


@pytest.mark.parametrize("layout", [swapped, backwards])
def test_batch_laid_out_otherwise_is_issued(invoices, book, make_batch, relayer, layout):
    batch = make_batch(count=5, bound=7)
    relayer.transfer(invoices, data=layout(invoices, batch).hex())
    assert invoices.batchAt(book, 0)[5] == "0x" + batch.root.hex()


@pytest.mark.parametrize("layout", [swapped, backwards])
def test_batch_laid_out_otherwise_can_be_read(invoices, book, make_batch, layout):
    batch = make_batch(count=5, bound=7)
    (call,) = decode_issue(layout(invoices, batch))
    assert (call.book, call.first, call.bound) == (book, book, 7)
    assert [bytes(leaf) for leaf in call.leaves] == batch.leaves
    assert call.signature == batch.signature


@pytest.mark.parametrize("cut", [1, 32, 65])
def test_calldata_cut_short_is_refused(invoices, book, make_batch, relayer, cut):
    data = bytes.fromhex(invoices.issue.encode_input(make_batch().call)[2:])[:-32]
    with pytest.raises(Exception, match="revert"):
        relayer.transfer(invoices, data=data[:-cut].hex())
    assert invoices.batchCount(book) == 0
