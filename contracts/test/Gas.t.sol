// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IInvoices} from "../interfaces/IInvoices.sol";
import {World} from "./World.sol";

/// @title What a transaction costs, calldata and all; the figures are committed in snapshots/
/// @dev A change of contract shows as a diff of snapshots/. Each test measures one call as a transaction of its own:
/// 21,000 + calldata + execution on cold storage. `make test-contracts` holds the same against real transactions.
contract GasTest is World {
    uint256 private constant BASE = 21_000;
    /// @dev Reading an account's code the first time, which a transaction does not pay for the contract it calls.
    uint256 private constant COLD_TARGET = 2_500;

    function setUp() public {
        deploy();
        openShop(HENGAN, FIRST);
        relay(makeBatch(FIRST, FIRST, 1, 1)); // the quota's slot and the batch list are in use
    }

    function test_issue_1() public {
        _measure(1, "issue 1");
    }

    function test_issue_10() public {
        _measure(10, "issue 10");
    }

    function test_issue_100() public {
        _measure(100, "issue 100");
    }

    /// @dev The budget of the design: less than 800 an invoice.
    function test_issue_1000() public {
        isTrue(_measure(1000, "issue 1000") < 800_000, "dearer than 800 an invoice");
    }

    function test_issue_3000() public {
        isTrue(_measure(3000, "issue 3000") < 3000 * 730, "dearer than 730 an invoice");
    }

    function test_open_book() public {
        bytes memory call = abi.encodeCall(IInvoices.openBook, (HENGAN, FIRST + 1_000_000, 1_000, CNY));
        vm.snapshotValue("gas", "open book", _gasOf(BUREAU, call));
    }

    function _measure(uint256 count, string memory name) private returns (uint256 gas) {
        IInvoices.Issue memory batch = makeBatch(FIRST, FIRST + 1, count, 1_090_000);
        gas = _gasOf(RELAYER, abi.encodeCall(IInvoices.issue, (batch)));
        vm.snapshotValue("gas", name, gas);
        vm.snapshotValue("gas", string.concat(name, ", an invoice"), gas / count);
    }

    function _gasOf(address sender, bytes memory data) private returns (uint256 cost) {
        address target = address(invoices);
        vm.cool(target);
        vm.cool(address(participants));
        vm.cool(address(authority));
        vm.prank(sender, sender);
        bool done;
        // Solidity would copy the call within this contract's memory, and that would be measured, too.
        assembly {
            cost := gas()
            done := call(gas(), target, 0, add(data, 0x20), mload(data), 0, 0)
            cost := sub(cost, gas())
        }
        isTrue(done, "done");
        cost += BASE - COLD_TARGET;
        for (uint256 i = 0; i < data.length; ++i) {
            cost += data[i] == 0 ? 4 : 16;
        }
    }
}
