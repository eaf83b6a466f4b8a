"""The batch tree: a proof holds for exactly one leaf in one place of one count."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong import merkle

counts = st.integers(1, 70)


def leaves_of(count: int) -> list[bytes]:
    return [sha256(str(i).encode()).digest() for i in range(count)]


def pair(left: bytes, right: bytes) -> bytes:
    return merkle.keccak(left + right)


def test_keccak_is_ethereums_and_not_sha3() -> None:
    empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert merkle.keccak(b"").hex() == empty


def test_the_tree_of_one_leaf_is_the_leaf() -> None:
    (leaf,) = leaves_of(1)
    assert merkle.root([leaf]) == leaf
    assert merkle.proof([leaf], 0) == []


def test_an_odd_last_node_rises_unchanged() -> None:
    a, b, c, d, e = leaves_of(5)
    assert merkle.root([a, b, c]) == pair(pair(a, b), c)
    assert merkle.root([a, b, c, d, e]) == pair(pair(pair(a, b), pair(c, d)), e)
    assert merkle.proof([a, b, c, d, e], 4) == [pair(pair(a, b), pair(c, d))]
    assert merkle.proof([a, b, c, d, e], 2) == [d, pair(a, b), e]


@given(counts, st.data())
def test_a_proof_holds_at_its_index_and_no_other(count: int, data: st.DataObject) -> None:
    leaves = leaves_of(count)
    index = data.draw(st.integers(0, count - 1))
    root, proof = merkle.root(leaves), merkle.proof(leaves, index)
    holding = [i for i in range(count + 2) if merkle.verify(root, leaves[index], i, count, proof)]
    assert holding == [index]


@given(counts, counts, st.data())
def test_a_proof_for_another_count_has_another_shape_or_place(
    count: int, other: int, data: st.DataObject
) -> None:
    leaves = leaves_of(count)
    index = data.draw(st.integers(0, count - 1))
    root, proof = merkle.root(leaves), merkle.proof(leaves, index)
    # With another count a proof may fold to the same root only where the path is the same path.
    if merkle.verify(root, leaves[index], index, other, proof):
        assert shape(index, other) == shape(index, count)


def shape(index: int, count: int) -> list[str]:
    """Side of each sibling on the way up."""
    sides = []
    while count > 1:
        if index & 1 or index + 1 < count:
            sides.append("left" if index & 1 else "right")
        index, count = index >> 1, (count + 1) >> 1
    return sides


@given(counts, st.data())
def test_a_changed_leaf_or_proof_does_not_hold(count: int, data: st.DataObject) -> None:
    leaves = leaves_of(count)
    index = data.draw(st.integers(0, count - 1))
    root, proof = merkle.root(leaves), merkle.proof(leaves, index)
    assert not merkle.verify(root, sha256(b"other").digest(), index, count, proof)
    assert not merkle.verify(root, leaves[index], index, count, [*proof, bytes(32)])
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof[:place], bytes(32), *proof[place + 1 :]]
        assert not merkle.verify(root, leaves[index], index, count, changed)
        assert not merkle.verify(root, leaves[index], index, count, proof[:-1])


def test_a_full_batch_gives_twelve_siblings_at_most() -> None:
    leaves = leaves_of(3000)
    tree = merkle.levels(leaves)
    assert max(len(merkle.path(tree, index)) for index in range(3000)) == 12
    assert tree[-1] == [merkle.root(leaves)]


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(IndexError):
        merkle.proof(leaves_of(3), index)


def test_there_is_no_tree_without_leaves() -> None:
    with pytest.raises(ValueError, match="at least one"):
        merkle.root([])
