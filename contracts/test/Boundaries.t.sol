// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsents} from "../interfaces/IConsents.sol";
import {IInvoices} from "../interfaces/IInvoices.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {World} from "./World.sol";

/// @title The last second and the last fen that count, and the first that do not
contract BoundariesTest is World {
    /// @dev 2026-04-01 00:00:00 in Beijing.
    uint256 private constant APRIL = 1_774_972_800;
    uint32 private constant MARCH = 2026 * 12 + 2;

    function setUp() public {
        deploy();
        openShop(HENGAN, FIRST);
    }

    function test_consent_counts_in_its_last_second() public {
        IInvoices.Issue memory batch = makeBatch(FIRST, FIRST, 1, 1);
        batch.consent.deadline = uint48(START + 60);
        batch.consent.signature = sign(CASHIER_KEY, issueDigest(batch));
        vm.warp(START + 61);
        _refused(batch, abi.encodeWithSelector(IConsents.ConsentExpired.selector, START + 60, START + 61));
        vm.warp(START + 60);
        relay(batch);
    }

    function test_signer_counts_in_its_last_second() public {
        IParticipants.Signer memory signer = cashier();
        signer.expires = uint48(START + 60);
        address account = vm.addr(CASHIER_KEY);
        setSigner(HENGAN, account, signer);
        vm.warp(START + 61);
        _refused(
            makeBatch(FIRST, FIRST, 1, 1),
            abi.encodeWithSelector(IParticipants.SignerExpired.selector, HENGAN, account, START + 60)
        );
        vm.warp(START + 60);
        relay(makeBatch(FIRST, FIRST, 1, 1));
    }

    function test_month_ends_at_midnight_in_Beijing() public {
        vm.prank(BUREAU);
        invoices.setQuota(HENGAN, CNY, 1000);
        vm.warp(APRIL - 1);
        relay(makeBatch(FIRST, FIRST, 1, 1000));
        equal(invoices.quotaOf(HENGAN, CNY).period, MARCH, "period");
        _refused(
            makeBatch(FIRST, FIRST + 1, 1, 1),
            abi.encodeWithSelector(IInvoices.QuotaExceeded.selector, HENGAN, uint96(1000), uint96(1000), uint64(1))
        );
        vm.warp(APRIL);
        equal(invoices.quotaOf(HENGAN, CNY).spent, 0, "spent");
        equal(invoices.quotaOf(HENGAN, CNY).period, MARCH + 1, "period");
        relay(makeBatch(FIRST, FIRST + 1, 1, 1000));
    }

    function testFuzz_cap_is_the_most_that_counts(uint128 cap, uint64 bound) public {
        IParticipants.Signer memory signer = cashier();
        signer.cap = cap;
        address account = vm.addr(CASHIER_KEY);
        setSigner(HENGAN, account, signer);
        IInvoices.Issue memory batch = makeBatch(FIRST, FIRST, 1, bound);
        if (bound <= cap) {
            relay(batch);
        } else {
            _refused(
                batch,
                abi.encodeWithSelector(IParticipants.SignerCapExceeded.selector, HENGAN, account, cap, uint256(bound))
            );
        }
    }

    function _refused(IInvoices.Issue memory batch, bytes memory why) private {
        vm.expectRevert(why);
        relay(batch);
    }
}
