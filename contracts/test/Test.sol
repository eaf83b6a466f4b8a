// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Vm} from "./Vm.sol";

/// @title What every forge test begins with
abstract contract Test {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    error Different(string what, uint256 found, uint256 expected);
    error Untrue(string what);

    function isTrue(bool holds, string memory what) internal pure {
        if (!holds) revert Untrue(what);
    }

    function equal(uint256 found, uint256 expected, string memory what) internal pure {
        if (found != expected) revert Different(what, found, expected);
    }

    function equal(bytes32 found, bytes32 expected, string memory what) internal pure {
        if (found != expected) revert Different(what, uint256(found), uint256(expected));
    }

    /// @dev Some number from `low` to `high`, both possible, that `seed` decides.
    function within(uint256 seed, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + seed % (high - low + 1);
    }
}
