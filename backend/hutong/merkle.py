"""The tree of contracts/libraries/BatchTree.sol: ordered pairs, an odd last node rises."""

from collections.abc import Sequence

from sha3 import keccak_256


def keccak(data: bytes) -> bytes:
    """Keccak-256 of `data`, 32 bytes."""
    digest: bytes = keccak_256(data).digest()
    return digest


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All levels of the tree, the leaves (at least one, of 32 bytes) first, the root alone last."""
    if not leaves:
        raise ValueError("a tree has at least one leaf")
    tree = [list(leaves)]
    while len(tree[-1]) > 1:
        tree.append(_parents(tree[-1]))
    return tree


def path(tree: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """Siblings of the leaf at `index` in a tree made by `levels`, from the leaf up.

    A node that rises alone has none.
    """
    if not 0 <= index < len(tree[0]):
        raise IndexError("there is no such leaf")
    siblings: list[bytes] = []
    for level in tree[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            siblings.append(level[sibling])
        index >>= 1
    return siblings


def root(leaves: Sequence[bytes]) -> bytes:
    """Root of at least one leaf of 32 bytes; the only leaf itself when there is one."""
    return levels(leaves)[-1][0]


def proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Siblings of the leaf at `index`, from the leaf up."""
    return path(levels(leaves), index)


def fold(leaf: bytes, index: int, count: int, siblings: Sequence[bytes]) -> bytes | None:
    """The root to which `siblings` lead from `leaf` at `index` of `count`; None if they cannot."""
    if not 0 <= index < count:
        return None
    node, used = leaf, 0
    while count > 1:
        if index & 1 or index + 1 < count:
            if used == len(siblings):
                return None
            sibling = siblings[used]
            node = keccak_256(sibling + node if index & 1 else node + sibling).digest()
            used += 1
        index >>= 1
        count = (count + 1) >> 1
    return node if used == len(siblings) else None


def verify(root: bytes, leaf: bytes, index: int, count: int, proof: Sequence[bytes]) -> bool:
    """Whether `leaf` stands at `index` of the `count` leaves under `root`."""
    return fold(leaf, index, count, proof) == root


def _parents(level: list[bytes]) -> list[bytes]:
    pairs = zip(level[::2], level[1::2], strict=False)
    parents = [keccak_256(left + right).digest() for left, right in pairs]
    if len(level) & 1:
        parents.append(level[-1])
    return parents
