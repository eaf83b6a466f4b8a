// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {BatchTree} from "../libraries/BatchTree.sol";

/// @title BatchTree's functions as calls, for tests outside of Solidity and beyond MAX_BATCH
contract TreeHarness {
    function rootOf(bytes32[] calldata leaves) external pure returns (bytes32) {
        return BatchTree.rootOf(leaves);
    }

    function includes(bytes32 root, bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata proof)
        external
        pure
        returns (bool)
    {
        return BatchTree.includes(root, leaf, index, count, proof);
    }
}
