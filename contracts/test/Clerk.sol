// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Invoices} from "../Invoices.sol";
import {IInvoices} from "../interfaces/IInvoices.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {Months} from "../libraries/Months.sol";
import {Ledger} from "./Ledger.sol";
import {SlowTree} from "./SlowTree.sol";
import {World} from "./World.sol";

/// @title Does what issuers and the bureau may do, rightly and wrongly, and notes what does not go as the ledger says
contract Clerk is World {
    Ledger public ledger = new Ledger();
    /// @notice The first thing that went otherwise than it ought to; empty while all is well.
    string public surprise;
    /// @notice How often each kind of call took effect; so a run that did nothing can be seen.
    Done public done;

    struct Done {
        uint256 openBook;
        uint256 closeBook;
        uint256 issue;
        uint256 issueMany;
    }

    // What the clerk knows of each issuer's cashiers.
    struct Cashier {
        uint48 expires;
        uint128 cap;
        bool may;
    }

    mapping(bytes18 => mapping(uint256 key => Cashier)) private _cashiers;
    mapping(bytes18 => bool) private _suspended;
    uint96[3] private _prefixes = [uint96(26_11_1), 26_31_0, 99_99_9];

    constructor() {
        deploy();
        for (uint256 i = 0; i < 3; ++i) {
            admit(_issuer(i));
            _appoint(_issuer(i), CASHIER_KEY, FOREVER, UNCAPPED);
            setQuota(i, 1, 1_000_000);
            openBook(9 + i, i, 1, 305, 1);
        }
    }

    function openBook(uint256 who, uint256 prefix, uint96 gap, uint96 count, uint256 currency) public {
        // Mostly after the last book of the prefix, sometimes into it or before it.
        uint96 first = _prefixes[prefix % 3] * 1e15 + gap % 500;
        uint256 shelves = ledger.shelfCount();
        if (shelves != 0) {
            Ledger.Shelf memory near = ledger.shelfAt(gap % shelves);
            uint256 where = who / 3 % 4;
            if (where == 0) first = near.opened + 1 + gap % 9;
            else if (where == 1) first = near.next;
            else if (where == 2) first = near.first + gap % 9;
        }
        count = count % 7 == 6 ? count : count % 400; // any at all, or a small one
        if (who % 64 == 63) first = gap; // any at all
        bool may = ledger.mayOpen(first, count);
        vm.prank(BUREAU);
        try invoices.openBook(_issuer(who), first, count, _currency(currency)) {
            _expect(may, "a book was opened that ought not to be");
            if (may) ledger.open(_issuer(who), _currency(currency), first, count);
            ++done.openBook;
        } catch {
            _expect(!may, "a book was refused that ought to open");
        }
    }

    function closeBook(uint256 which, uint256 rarely) external {
        if (rarely % 16 != 0) return;
        uint96 book = ledger.shelfAt(which % ledger.shelfCount()).first;
        vm.prank(BUREAU);
        invoices.closeBook(book);
        ledger.close(book);
        ++done.closeBook;
    }

    function setQuota(uint256 who, uint256 currency, uint96 amount) public {
        amount = amount % 5_000_000 + (amount % 7 == 0 ? 0 : 500_000);
        vm.prank(BUREAU);
        invoices.setQuota(_issuer(who), _currency(currency), amount);
        ledger.allow(_issuer(who), _currency(currency), amount, Months.monthOf(block.timestamp));
    }

    function suspend(uint256 who, uint256 rarely) external {
        bytes18 issuer = _issuer(who);
        bool begin = rarely % 8 == 0;
        if (_suspended[issuer] == begin) return;
        vm.prank(BUREAU);
        if (begin) participants.suspend(issuer, "test");
        else participants.reinstate(issuer);
        _suspended[issuer] = begin;
    }

    function appoint(uint256 who, uint256 key, uint256 life, uint128 cap) external {
        if (_suspended[_issuer(who)]) return;
        uint48 expires = life % 3 == 0 ? FOREVER : uint48(block.timestamp + life % 90 days);
        _appoint(_issuer(who), _key(key), expires, cap % 3 == 0 ? UNCAPPED : cap % 400_000);
    }

    function dismiss(uint256 who, uint256 key) external {
        bytes18 issuer = _issuer(who);
        if (_suspended[issuer] || _key(key) == CASHIER_KEY) return;
        setSigner(issuer, vm.addr(_key(key)), IParticipants.Signer(0, 0, 0));
        delete _cashiers[issuer][_key(key)];
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + (time % 5 == 0 ? time % 40 days : time % 1 hours));
        vm.roll(block.number + 1 + time % 100);
        for (uint256 i = 0; i < 6; ++i) {
            ledger.begin(_issuer(i), _currency(i / 3), Months.monthOf(block.timestamp));
        }
    }

    function issue(uint256 seed, uint256 size, uint64 bound, uint256 wrong) external {
        (IInvoices.Issue memory batch, bool may) = _draft(seed, size, bound, wrong);
        may = may && _numbersAllow(batch);
        vm.prank(RELAYER, RELAYER);
        try invoices.issue(batch) {
            _expect(may, "a batch was issued that ought not to be");
            _note(batch);
            ++done.issue;
        } catch {
            _expect(!may, "a batch was refused that ought to be issued");
        }
    }

    /// @notice Two batches, of one book or of two; the second may hang on the first.
    function issueMany(uint256 seed, uint256 size, uint64 bound, uint256 wrong) external {
        IInvoices.Issue[] memory batches = new IInvoices.Issue[](2);
        bool may;
        bool both;
        (batches[0], may) = _draft(seed, size, bound, 0);
        (batches[1], both) = _draft(seed >> 16, size >> 8, bound >> 4, wrong);
        if (batches[1].book == batches[0].book && wrong % 16 > 4 && wrong >> 255 == 0) {
            batches[1].first += uint96(batches[0].leaves.length);
            batches[1].leaves = leavesFrom(batches[1].first, batches[1].leaves.length);
            batches[1].consent.signature = _signed(batches[1]);
        }
        may = may && both && _numbersAllow(batches[0]);
        if (may) may = _numbersAllowAfter(batches[0], batches[1]);

        vm.prank(RELAYER, RELAYER);
        try invoices.issueMany(batches) {
            _expect(may, "two batches were issued that ought not to be");
            _note(batches[0]);
            _note(batches[1]);
            ++done.issueMany;
        } catch {
            _expect(!may, "two batches were refused that ought to be issued");
        }
    }

    function contractUnderTest() external view returns (Invoices) {
        return invoices;
    }

    function issuers() external pure returns (bytes18[3] memory) {
        return [HENGAN, ECOVACS, AIMA];
    }

    /// @dev A batch, mostly right; and whether its signer may sign it and did.
    function _draft(uint256 seed, uint256 size, uint64 bound, uint256 wrong)
        private
        view
        returns (IInvoices.Issue memory batch, bool may)
    {
        Ledger.Shelf memory shelf = ledger.shelfAt(seed % ledger.shelfCount());
        uint256 fault = wrong % 16; // 5 to 15: none
        size = size % 19 == 0 ? 0 : size % 13 == 0 ? size % 260 : 1 + size % 24;
        uint96 first = shelf.next;
        if (fault == 1) first = shelf.first + uint96(wrong >> 8) % (shelf.next - shelf.first + 9);
        batch = makeBatch(shelf.first, first, size, bound % 300_000);
        uint256 key = _key(seed >> 32);
        batch.consent.signer = vm.addr(key);
        if (fault == 2) batch.consent.deadline = uint48(block.timestamp - 1 - (wrong >> 8) % 9);
        batch.consent.signature = sign(key, issueDigest(batch));
        if (fault == 3) batch.bound += 1;
        if (fault == 4) batch.consent.signature = sign(0xBAD, issueDigest(batch));

        Cashier memory known = _cashiers[shelf.issuer][key];
        may = !_suspended[shelf.issuer] && known.may && block.timestamp <= known.expires && batch.bound <= known.cap
            && (fault < 2 || fault > 4);
    }

    function _signed(IInvoices.Issue memory batch) private view returns (bytes memory) {
        for (uint256 key = CASHIER_KEY; key < CASHIER_KEY + 3; ++key) {
            if (vm.addr(key) == batch.consent.signer) return sign(key, issueDigest(batch));
        }
        return "";
    }

    function _numbersAllow(IInvoices.Issue memory batch) private view returns (bool) {
        return
            ledger.mayIssue(batch.book, batch.first, batch.leaves.length, batch.bound, Months.monthOf(block.timestamp));
    }

    /// @dev As if `earlier` were issued, whose numbers and quota are known to be allowed.
    function _numbersAllowAfter(IInvoices.Issue memory earlier, IInvoices.Issue memory batch)
        private
        returns (bool may)
    {
        try this.rehearse(earlier, batch) {}
        catch (bytes memory answer) {
            may = answer.length == 32 && abi.decode(answer, (bool));
        }
    }

    /// @notice Always reverts, with the answer; so nothing of the rehearsal remains.
    function rehearse(IInvoices.Issue calldata earlier, IInvoices.Issue calldata batch) external {
        _note(earlier);
        bool may = _numbersAllow(batch);
        assembly {
            mstore(0x00, may)
            revert(0x00, 0x20)
        }
    }

    function _note(IInvoices.Issue memory batch) private {
        bool fresh = ledger.issue(
            Ledger.Entry({
                book: batch.book,
                first: batch.first,
                count: uint16(batch.leaves.length),
                bound: batch.bound,
                root: SlowTree.root(batch.leaves),
                time: block.timestamp,
                blockNumber: block.number
            }),
            Months.monthOf(block.timestamp)
        );
        _expect(fresh, "a number was issued twice");
    }

    function _appoint(bytes18 issuer, uint256 key, uint48 expires, uint128 cap) private {
        setSigner(issuer, vm.addr(key), IParticipants.Signer(participants.CASHIER(), expires, cap));
        _cashiers[issuer][key] = Cashier(expires, cap, true);
    }

    function _expect(bool holds, string memory what) private {
        if (!holds && bytes(surprise).length == 0) surprise = what;
    }

    function _issuer(uint256 seed) private pure returns (bytes18) {
        return [HENGAN, ECOVACS, AIMA][seed % 3];
    }

    function _currency(uint256 seed) private pure returns (bytes3) {
        return seed % 4 == 0 ? USD : CNY;
    }

    function _key(uint256 seed) private pure returns (uint256) {
        return CASHIER_KEY + (seed % 8 > 2 ? 0 : seed % 8);
    }
}
