// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title A second, slow and obvious writing of BatchTree, to compare with
library SlowTree {
    /// @notice Root of `leaves`, level by level, each in memory of its own.
    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        while (leaves.length > 1) leaves = _parents(leaves);
        return leaves[0];
    }

    /// @notice Siblings of the leaf at `index`, from the leaf up.
    function proof(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory siblings) {
        while (leaves.length > 1) {
            uint256 neighbour = index % 2 == 0 ? index + 1 : index - 1;
            if (neighbour < leaves.length) siblings = _append(siblings, leaves[neighbour]);
            leaves = _parents(leaves);
            index = index / 2;
        }
    }

    function _parents(bytes32[] memory nodes) private pure returns (bytes32[] memory parents) {
        parents = new bytes32[]((nodes.length + 1) / 2);
        for (uint256 i = 0; i < nodes.length; i += 2) {
            parents[i / 2] = i + 1 == nodes.length ? nodes[i] : keccak256(abi.encodePacked(nodes[i], nodes[i + 1]));
        }
    }

    function _append(bytes32[] memory list, bytes32 last) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = last;
    }
}
