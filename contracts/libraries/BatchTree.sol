// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title BatchTree: an ordered Merkle tree over a list of leaves of any length
/// @notice Neighbours are hashed in order, keccak256(left ++ right); an odd last node rises unchanged. A proof is the
/// list of siblings from the leaf up; together with (index, count) it verifies for exactly one position, so it proves
/// where a leaf stands, too.
/// @dev A leaf must never be the hash of 64 bytes that somebody can choose; EIP-712 struct hashes of three or more
/// words are safe.
library BatchTree {
    /// @notice Root of `leaves` (32 bytes each, at least one). The scratch memory is left allocated.
    /// @return root the only leaf itself when there is one
    function rootOf(bytes32[] calldata leaves) internal pure returns (bytes32 root) {
        assembly ("memory-safe") {
            let base := mload(0x40)
            let count := leaves.length
            mstore(0x40, add(base, shl(5, count)))
            // The first level is hashed straight from a copy of the calldata, the others in place.
            calldatacopy(base, leaves.offset, shl(5, count))
            for {} gt(count, 1) {} {
                let read := base
                let write := base
                for { let end := add(base, shl(6, shr(1, count))) } lt(read, end) {} {
                    mstore(write, keccak256(read, 0x40))
                    read := add(read, 0x40)
                    write := add(write, 0x20)
                }
                if and(count, 1) { mstore(write, mload(read)) }
                count := shr(1, add(count, 1))
            }
            root := mload(base)
        }
    }

    /// @notice Whether `leaf` stands at `index` of the `count` leaves under `root`.
    /// @param proof siblings from the leaf up, none for levels where the node rises alone
    function includes(bytes32 root, bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata proof)
        internal
        pure
        returns (bool)
    {
        if (index >= count) return false;
        bytes32 node = leaf;
        uint256 used = 0;
        for (; count > 1; count = (count + 1) >> 1) {
            if (index & 1 == 1 || index + 1 < count) {
                if (used == proof.length) return false;
                bytes32 sibling = proof[used++];
                node = index & 1 == 1 ? _pair(sibling, node) : _pair(node, sibling);
            }
            index >>= 1;
        }
        return used == proof.length && node == root;
    }

    function _pair(bytes32 left, bytes32 right) private pure returns (bytes32 parent) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            parent := keccak256(0x00, 0x40)
        }
    }
}
