"""The tree in Solidity and the tree in Python are one tree."""

from random import Random

import pytest

from hutong import merkle

POWERS = [2**n + d for n in range(8, 13) for d in (-1, 0, 1)]
SPREAD = sorted(
    {*POWERS, 150, 199, 300, 777, 1000, 1500, 1999, 2500, 2999, 3000, 3001, 4500, 4999, 5000}
)


def leaves_of(count: int) -> list[bytes]:
    random = Random(count)
    return [random.randbytes(32) for _ in range(count)]


@pytest.mark.parametrize("start", range(1, 131, 26))
def test_small_counts_have_the_same_root(tree, start):
    for count in range(start, start + 26):
        leaves = leaves_of(count)
        assert bytes(tree.rootOf(leaves)) == merkle.root(leaves), count


@pytest.mark.parametrize("count", SPREAD)
def test_large_counts_have_the_same_root(tree, count):
    leaves = leaves_of(count)
    assert bytes(tree.rootOf(leaves)) == merkle.root(leaves)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 7, 11, 100, 3000])
def test_proofs_made_in_python_hold_in_solidity(tree, count):
    leaves = leaves_of(count)
    root = merkle.root(leaves)
    for index in {0, 1, count // 2, count - 2, count - 1} & set(range(count)):
        proof = merkle.proof(leaves, index)
        assert merkle.verify(root, leaves[index], index, count, proof)
        assert tree.includes(root, leaves[index], index, count, proof)
        assert not tree.includes(root, leaves[index], index ^ 1, count, proof)
        assert not tree.includes(root, leaves[index], index, count, [*proof, bytes(32)])
