// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Intruder} from "./Intruder.sol";
import {Test} from "./Test.sol";

contract AccessInvariants is Test {
    Intruder private intruder;
    bytes32 private before;

    function setUp() public {
        intruder = new Intruder();
        before = intruder.state();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(intruder);
    }

    /// @dev Neither a role nor a signature: no call takes effect, and no view tells anything new.
    function invariant_no_way_around_role_and_consent() public view {
        equal(bytes(intruder.breach()).length, 0, intruder.breach());
        equal(intruder.state(), before, "state");
    }
}
