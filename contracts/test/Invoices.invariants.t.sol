// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IInvoices} from "../interfaces/IInvoices.sol";
import {Months} from "../libraries/Months.sol";
import {Clerk} from "./Clerk.sol";
import {Ledger} from "./Ledger.sol";
import {SlowTree} from "./SlowTree.sol";
import {World} from "./World.sol";

contract InvoicesInvariants is World {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Clerk private clerk;
    Ledger private ledger;

    function setUp() public {
        clerk = new Clerk();
        ledger = clerk.ledger();
        invoices = clerk.contractUnderTest();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(clerk);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = Clerk.openBook.selector;
        selectors[1] = Clerk.closeBook.selector;
        selectors[2] = Clerk.setQuota.selector;
        selectors[3] = Clerk.suspend.selector;
        selectors[4] = Clerk.appoint.selector;
        selectors[5] = Clerk.dismiss.selector;
        selectors[6] = Clerk.pass.selector;
        selectors[7] = Clerk.issue.selector;
        selectors[8] = Clerk.issueMany.selector;
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector(address(clerk), selectors);
    }

    /// forge-config: default.invariant.depth = 256
    /// @dev Each call took effect exactly when the interface's words allow it, and no number was issued twice.
    function invariant_nothing_surprised_the_clerk() public view {
        equal(bytes(clerk.surprise()).length, 0, clerk.surprise());
    }

    /// @dev Looks at everything at the end of each run, where all of it has happened.
    function afterInvariant() public {
        for (uint256 i = 0; i < ledger.shelfCount(); ++i) {
            Ledger.Shelf memory shelf = ledger.shelfAt(i);
            _bookIsAsTheLedgerSays(shelf);
            _batchesFollowEachOther(shelf);
            _headersAgree(shelf);
            _noOtherBookHasItsNumbers(shelf, i);
        }
        _booksAreListed();
        _quotasHold();
    }

    function _bookIsAsTheLedgerSays(Ledger.Shelf memory shelf) private view {
        IInvoices.Book memory book = invoices.bookOf(shelf.first);
        equal(bytes32(book.issuer), bytes32(shelf.issuer), "issuer");
        equal(bytes32(book.currency), bytes32(shelf.currency), "currency");
        equal(book.first, shelf.first, "first");
        equal(book.next, shelf.next, "next");
        equal(book.last, shelf.closed ? shelf.next - 1 : shelf.opened, "last");
    }

    function _batchesFollowEachOther(Ledger.Shelf memory shelf) private view {
        uint96 next = shelf.first;
        equal(invoices.batchCount(shelf.first), shelf.batches.length, "batches");
        for (uint256 i = 0; i < shelf.batches.length; ++i) {
            IInvoices.Batch memory batch = invoices.batchAt(shelf.first, i);
            equal(batch.first, next, "no number is skipped or repeated");
            isTrue(batch.count > 0, "no batch is empty");
            _same(batch, ledger.entryAt(shelf.batches[i]));
            next += batch.count;
        }
        equal(next, shelf.next, "batches end where the book stands");
    }

    function _headersAgree(Ledger.Shelf memory shelf) private {
        for (uint256 i = 0; i < shelf.batches.length; ++i) {
            Ledger.Entry memory entry = ledger.entryAt(shelf.batches[i]);
            uint96 last = entry.first + entry.count - 1;
            _headerIs(entry.first, shelf, entry);
            _headerIs(last, shelf, entry);
            _checks(entry.first + uint96(uint256(entry.root) % entry.count), entry);
        }
        _unknown(shelf.next);
        _unknown(shelf.opened);
        if (ledger.issued(shelf.first - 1) == 0) _unknown(shelf.first - 1);
    }

    function _headerIs(uint96 number, Ledger.Shelf memory shelf, Ledger.Entry memory entry) private view {
        IInvoices.Header memory header = invoices.header(number);
        equal(header.book, shelf.first, "header's book");
        equal(bytes32(header.issuer), bytes32(shelf.issuer), "header's issuer");
        equal(bytes32(header.currency), bytes32(shelf.currency), "header's currency");
        _same(header.batch, entry);
    }

    /// @dev The invoice is proven at its number, and one that differs in a bit is not.
    function _checks(uint96 number, Ledger.Entry memory entry) private {
        bytes32[] memory leaves = leavesFrom(entry.first, entry.count);
        bytes32[] memory proof = SlowTree.proof(leaves, number - entry.first);
        IInvoices.Summary memory summary = summaryOf(number);
        equal(invoices.check(summary, proof).batch.root, entry.root, "checked");
        summary.gross ^= 1;
        vm.expectRevert(abi.encodeWithSelector(IInvoices.ProofInvalid.selector, number, leafOf(summary)));
        invoices.check(summary, proof);
    }

    function _unknown(uint96 number) private {
        if (ledger.issued(number) != 0) return;
        vm.expectRevert(abi.encodeWithSelector(IInvoices.InvoiceUnknown.selector, number));
        invoices.header(number);
    }

    function _noOtherBookHasItsNumbers(Ledger.Shelf memory shelf, uint256 place) private view {
        for (uint256 i = 0; i < place; ++i) {
            Ledger.Shelf memory other = ledger.shelfAt(i);
            isTrue(other.opened < shelf.first || shelf.opened < other.first, "books overlap");
        }
    }

    function _booksAreListed() private view {
        bytes18[3] memory issuers = clerk.issuers();
        uint256 listed = 0;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 count = invoices.bookCount(issuers[i]);
            for (uint256 j = 0; j < count; ++j) {
                Ledger.Shelf memory shelf = ledger.shelfOf(invoices.bookAt(issuers[i], j));
                equal(bytes32(shelf.issuer), bytes32(issuers[i]), "listed with its issuer");
            }
            listed += count;
        }
        equal(listed, ledger.shelfCount(), "all are listed");
    }

    function _quotasHold() private view {
        bytes18[3] memory issuers = clerk.issuers();
        uint256 month = Months.monthOf(block.timestamp);
        for (uint256 i = 0; i < 6; ++i) {
            (bytes18 issuer, bytes3 currency) = (issuers[i % 3], i < 3 ? CNY : USD);
            IInvoices.Quota memory quota = invoices.quotaOf(issuer, currency);
            equal(quota.amount, ledger.allowance(issuer, currency), "amount");
            equal(quota.spent, ledger.spent(issuer, currency, month), "spent");
            equal(quota.period, month, "period");
            for (uint256 m = Months.monthOf(START); m <= month; ++m) {
                isTrue(
                    ledger.spent(issuer, currency, m) <= ledger.mostAllowed(issuer, currency, m),
                    "more than was ever allowed in the month"
                );
            }
        }
    }

    function _same(IInvoices.Batch memory batch, Ledger.Entry memory entry) private pure {
        equal(batch.first, entry.first, "batch's first");
        equal(batch.count, entry.count, "batch's count");
        equal(batch.root, entry.root, "batch's root");
        equal(batch.bound, entry.bound, "batch's bound");
        equal(batch.time, entry.time, "batch's time");
        equal(batch.blockNumber, entry.blockNumber, "batch's block");
    }
}
