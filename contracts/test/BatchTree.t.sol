// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {BatchTree} from "../libraries/BatchTree.sol";
import {SlowTree} from "./SlowTree.sol";
import {Test} from "./Test.sol";
import {TreeHarness} from "./TreeHarness.sol";

contract BatchTreeTest is Test {
    uint256 private constant MOST = 300;

    TreeHarness private tree = new TreeHarness();

    function testFuzz_root_is_the_slow_root(uint256 seed, uint256 count) public view {
        bytes32[] memory leaves = _leaves(seed, within(count, 1, MOST));
        equal(tree.rootOf(leaves), SlowTree.root(leaves), "root");
    }

    function test_root_is_the_slow_root_for_every_small_count() public view {
        for (uint256 count = 1; count <= 65; ++count) {
            bytes32[] memory leaves = _leaves(count, count);
            equal(tree.rootOf(leaves), SlowTree.root(leaves), "root");
        }
    }

    function test_root_of_one_leaf_is_the_leaf() public view {
        equal(tree.rootOf(_leaves(7, 1)), _leaves(7, 1)[0], "root");
    }

    function test_root_does_not_depend_on_what_free_memory_holds() public view {
        bytes32[] memory leaves = _leaves(1, 33);
        equal(this.rootInDirtyMemory(leaves), SlowTree.root(leaves), "root");
    }

    function rootInDirtyMemory(bytes32[] calldata leaves) external pure returns (bytes32) {
        assembly {
            for { let i := 0 } lt(i, 0x2000) { i := add(i, 0x20) } {
                mstore(add(mload(0x40), i), not(0))
            }
        }
        return BatchTree.rootOf(leaves);
    }

    function test_every_leaf_of_small_trees_is_included_at_its_place_only() public view {
        for (uint256 count = 1; count <= 17; ++count) {
            bytes32[] memory leaves = _leaves(count, count);
            bytes32 root = tree.rootOf(leaves);
            for (uint256 i = 0; i < count; ++i) {
                bytes32[] memory proof = SlowTree.proof(leaves, i);
                for (uint256 j = 0; j < count + 3; ++j) {
                    isTrue(tree.includes(root, leaves[i], j, count, proof) == (i == j), "index");
                }
            }
        }
    }

    function testFuzz_proof_holds_at_its_index_alone(uint256 seed, uint256 count, uint256 index, uint256 other)
        public
        view
    {
        count = within(count, 1, MOST);
        index = within(index, 0, count - 1);
        bytes32[] memory leaves = _leaves(seed, count);
        bytes32 root = tree.rootOf(leaves);
        bytes32[] memory proof = SlowTree.proof(leaves, index);
        isTrue(tree.includes(root, leaves[index], index, count, proof), "its own place");

        uint256 near = within(other, 0, 2 * MOST);
        isTrue(near == index || !tree.includes(root, leaves[index], near, count, proof), "near");
        isTrue(other == index || !tree.includes(root, leaves[index], other, count, proof), "far");
        isTrue(!tree.includes(root, leaves[index], index + count, count, proof), "beyond");
    }

    function testFuzz_proof_fails_for_another_leaf(uint256 seed, uint256 count, uint256 index, uint256 other)
        public
        view
    {
        count = within(count, 1, MOST);
        index = within(index, 0, count - 1);
        bytes32[] memory leaves = _leaves(seed, count);
        bytes32 root = tree.rootOf(leaves);
        bytes32[] memory proof = SlowTree.proof(leaves, index);
        isTrue(!tree.includes(root, bytes32(other), index, count, proof), "any leaf");
        uint256 neighbour = within(other, 0, count - 1);
        isTrue(
            neighbour == index || !tree.includes(root, leaves[neighbour], index, count, proof),
            "another leaf of the batch"
        );
    }

    function testFuzz_proof_fails_when_a_sibling_changes(
        uint256 seed,
        uint256 count,
        uint256 index,
        uint256 which,
        bytes32 change
    ) public view {
        count = within(count, 2, MOST);
        index = within(index, 0, count - 1);
        bytes32[] memory leaves = _leaves(seed, count);
        bytes32 root = tree.rootOf(leaves);
        bytes32[] memory proof = SlowTree.proof(leaves, index);
        which = within(which, 0, proof.length - 1);
        if (change == 0) change = bytes32(uint256(1));
        proof[which] ^= change;
        isTrue(!tree.includes(root, leaves[index], index, count, proof), "sibling");
    }

    function testFuzz_proof_fails_when_longer_or_shorter(uint256 seed, uint256 count, uint256 index) public view {
        count = within(count, 2, MOST);
        index = within(index, 0, count - 1);
        bytes32[] memory leaves = _leaves(seed, count);
        bytes32 root = tree.rootOf(leaves);
        bytes32[] memory proof = SlowTree.proof(leaves, index);
        bytes32[] memory longer = new bytes32[](proof.length + 1);
        bytes32[] memory shorter = new bytes32[](proof.length - 1);
        for (uint256 i = 0; i < proof.length; ++i) {
            longer[i] = proof[i];
            if (i < shorter.length) shorter[i] = proof[i];
        }
        isTrue(!tree.includes(root, leaves[index], index, count, longer), "longer");
        isTrue(!tree.includes(root, leaves[index], index, count, shorter), "shorter");
    }

    /// @dev Another count can hold the same path: 3 and 4 leaves look alike from leaf 0. What it can never do is give
    /// the leaf another place, or another leaf this place, and the count is the stored batch's, never the prover's.
    function testFuzz_another_count_gives_no_other_place(uint256 seed, uint256 count, uint256 index, uint256 otherCount)
        public
        view
    {
        count = within(count, 1, MOST);
        index = within(index, 0, count - 1);
        otherCount = within(otherCount, 1, 2 * MOST);
        bytes32[] memory leaves = _leaves(seed, count);
        bytes32 root = tree.rootOf(leaves);
        bytes32[] memory proof = SlowTree.proof(leaves, index);
        bool sameTurns = _turns(index, otherCount) == _turns(index, count);
        isTrue(tree.includes(root, leaves[index], index, otherCount, proof) == sameTurns, "same turns");
    }

    function testFuzz_an_inner_node_passes_for_no_leaf(uint256 seed, uint256 count, uint256 index) public view {
        count = within(count, 2, MOST);
        index = within(index, 0, count - 1) & ~uint256(1);
        if (index + 1 >= count) index -= 2;
        bytes32[] memory leaves = _leaves(seed, count);
        bytes32 root = tree.rootOf(leaves);
        bytes32[] memory proof = SlowTree.proof(leaves, index);
        bytes32 parent = keccak256(abi.encodePacked(leaves[index], leaves[index + 1]));
        bytes32[] memory upper = new bytes32[](proof.length - 1);
        for (uint256 i = 0; i < upper.length; ++i) {
            upper[i] = proof[i + 1];
        }
        for (uint256 place = 0; place < count; ++place) {
            // An odd last leaf that rises has a shorter path too, but never this node's.
            isTrue(!tree.includes(root, parent, place, count, upper), "inner node");
        }
    }

    /// @dev The path of `index` through a tree of `count`, as digits: 1 left, 2 right; no digit where it rises.
    function _turns(uint256 index, uint256 count) private pure returns (uint256 turns) {
        if (index >= count) return type(uint256).max;
        uint256 digit = 1;
        for (; count > 1; count = (count + 1) / 2) {
            if (index % 2 == 1) (turns, digit) = (turns + 2 * digit, digit * 3);
            else if (index + 1 < count) (turns, digit) = (turns + digit, digit * 3);
            index /= 2;
        }
    }

    function _leaves(uint256 seed, uint256 count) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = keccak256(abi.encode(seed, i));
        }
    }
}
