// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Arrays} from "@openzeppelin/contracts/utils/Arrays.sol";
import {Consents} from "./Consents.sol";
import {Participants} from "./Participants.sol";
import {IInvoices} from "./interfaces/IInvoices.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";
import {BatchTree} from "./libraries/BatchTree.sol";
import {Months} from "./libraries/Months.sol";

/// @title Invoices: see {IInvoices}
contract Invoices is IInvoices, AccessManaged, Consents {
    using Arrays for uint256[];
    using BatchTree for bytes32[];

    /// @notice Most leaves of one batch: most clients refuse transactions of more than 128 KiB.
    uint256 public constant MAX_BATCH = 3000;
    /// @notice Greatest number, exclusive, and size of a prefix's sequence.
    uint96 private constant NUMBERS = 1e20;
    uint96 private constant SEQUENCE = 1e15;

    bytes32 private constant ISSUE_TYPEHASH =
        keccak256("Issue(uint96 book,uint96 first,uint16 count,bytes32 root,uint64 bound,uint48 deadline)");
    bytes32 private constant SUMMARY_TYPEHASH = keccak256(
        "Summary(uint96 number,uint96 original,uint128 gross,uint128 tax,bytes32 buyer,bytes32 payment,bytes32 document)"
    );

    /// @notice Where signers are looked up.
    Participants public immutable participants;
    uint32 private immutable _issuerRole;
    uint32 private immutable _cashierRole;

    // Slot 0: issuer 144, currency 24, openedAt 48, closed 8 bits. Slot 1: next 96, last 96 bits.
    // `last` stays as opened when a book is closed, so that no later book begins among its numbers.
    struct StoredBook {
        bytes18 issuer;
        bytes3 currency;
        uint48 openedAt;
        bool closed;
        uint96 next;
        uint96 last;
    }

    mapping(uint96 first => StoredBook) private _books;
    // First numbers, ascending, of a prefix's books and of an issuer's books.
    // slither-disable-next-line uninitialized-state
    mapping(uint96 prefix => uint256[]) private _prefixBooks;
    mapping(bytes18 issuer => uint96[]) private _issuerBooks;
    // A batch is two words: its root, and first 96 | count 16 | time 40 | block 40 | bound 64 bits, which sorts by number.
    mapping(uint96 book => uint256[]) private _batches;
    mapping(uint96 first => bytes32) private _roots;
    // One slot: 96 + 96 + 32 bits.
    mapping(bytes18 issuer => mapping(bytes3 currency => Quota)) private _quotas;

    constructor(address authority, Participants participants_) AccessManaged(authority) Consents("Hutong Invoices") {
        participants = participants_;
        _issuerRole = participants_.ISSUER();
        _cashierRole = participants_.CASHIER();
    }

    /// @inheritdoc IInvoices
    function openBook(bytes18 issuer, uint96 first, uint96 count, bytes3 currency) external restricted {
        uint32 roles = participants.participantOf(issuer).roles;
        if (roles & _issuerRole == 0) revert IParticipants.ParticipantRoleMissing(issuer, _issuerRole);
        if (count == 0 || first == 0 || first >= NUMBERS || count > NUMBERS) revert BookRangeInvalid(first, first);
        uint96 last = first + count - 1;
        if (first / SEQUENCE != last / SEQUENCE) revert BookRangeInvalid(first, last);
        uint256[] storage neighbours = _prefixBooks[first / SEQUENCE];
        if (neighbours.length != 0) {
            uint96 previous = _books[uint96(neighbours[neighbours.length - 1])].last;
            if (first <= previous) revert BookOverlaps(first, previous);
        }
        neighbours.push(first);
        _issuerBooks[issuer].push(first);
        _books[first] = StoredBook({
            issuer: issuer,
            currency: currency,
            openedAt: uint48(block.timestamp),
            closed: false,
            next: first,
            last: last
        });
        emit BookOpened(issuer, first, last, currency);
    }

    /// @inheritdoc IInvoices
    function closeBook(uint96 book) external restricted {
        StoredBook storage stored = _knownBook(book);
        stored.closed = true;
        emit BookClosed(stored.issuer, book, stored.next);
    }

    /// @inheritdoc IInvoices
    function setQuota(bytes18 issuer, bytes3 currency, uint96 amount) external restricted {
        if (participants.participantOf(issuer).roles == 0) revert IParticipants.ParticipantUnknown(issuer);
        _quotas[issuer][currency].amount = amount;
        emit QuotaSet(issuer, currency, amount);
    }

    /// @inheritdoc IInvoices
    function issue(Issue calldata batch) external {
        _requireAccount();
        _issue(batch);
    }

    /// @inheritdoc IInvoices
    function issueMany(Issue[] calldata batches) external {
        _requireAccount();
        for (uint256 i = 0; i < batches.length; ++i) {
            _issue(batches[i]);
        }
    }

    /// @inheritdoc IInvoices
    function check(Summary calldata summary, bytes32[] calldata proof) external view returns (Header memory found) {
        found = header(summary.number);
        Batch memory batch = found.batch;
        bytes32 leaf = leafOf(summary);
        if (!BatchTree.includes(batch.root, leaf, summary.number - batch.first, batch.count, proof)) {
            revert ProofInvalid(summary.number, leaf);
        }
    }

    /// @inheritdoc IInvoices
    function header(uint96 number) public view returns (Header memory) {
        uint256[] storage neighbours = _prefixBooks[number / SEQUENCE];
        uint256 after_ = neighbours.upperBound(number);
        if (after_ == 0) revert InvoiceUnknown(number);
        uint96 book = uint96(neighbours[after_ - 1]);
        StoredBook storage stored = _books[book];
        if (number >= stored.next) revert InvoiceUnknown(number);
        // The greatest word whose first number is not beyond `number`.
        uint256 index = _batches[book].upperBound((uint256(number) << 160) | type(uint160).max) - 1;
        return Header({issuer: stored.issuer, currency: stored.currency, book: book, batch: batchAt(book, index)});
    }

    /// @inheritdoc IInvoices
    function leafOf(Summary calldata summary) public pure returns (bytes32) {
        return keccak256(abi.encode(SUMMARY_TYPEHASH, summary));
    }

    /// @inheritdoc IInvoices
    function bookOf(uint96 first) external view returns (Book memory) {
        StoredBook storage book = _knownBook(first);
        return Book({
            issuer: book.issuer,
            currency: book.currency,
            openedAt: book.openedAt,
            first: first,
            next: book.next,
            last: _lastOf(book)
        });
    }

    /// @inheritdoc IInvoices
    function bookCount(bytes18 issuer) external view returns (uint256) {
        return _issuerBooks[issuer].length;
    }

    /// @inheritdoc IInvoices
    function bookAt(bytes18 issuer, uint256 index) external view returns (uint96 first) {
        return _issuerBooks[issuer][index];
    }

    /// @inheritdoc IInvoices
    function batchCount(uint96 book) external view returns (uint256) {
        return _batches[book].length;
    }

    /// @inheritdoc IInvoices
    function batchAt(uint96 book, uint256 index) public view returns (Batch memory) {
        uint256 word = _batches[book][index];
        uint96 first = uint96(word >> 160);
        return Batch({
            first: first,
            count: uint16(word >> 144),
            time: uint40(word >> 104),
            blockNumber: uint40(word >> 64),
            bound: uint64(word),
            root: _roots[first]
        });
    }

    /// @inheritdoc IInvoices
    function quotaOf(bytes18 issuer, bytes3 currency) external view returns (Quota memory quota) {
        quota = _quotas[issuer][currency];
        uint32 period = Months.monthOf(block.timestamp);
        if (quota.period != period) (quota.spent, quota.period) = (0, period);
    }

    function _issue(Issue calldata batch) private {
        StoredBook storage book = _knownBook(batch.book);
        bytes18 issuer = book.issuer;
        uint96 first = batch.first;
        uint96 count = _takeNumbers(book, batch);
        participants.requireSigner(issuer, _issuerRole, batch.consent.signer, _cashierRole, batch.bound);
        bytes32 root = batch.leaves.rootOf();
        _checkConsent(
            keccak256(abi.encode(ISSUE_TYPEHASH, batch.book, first, count, root, batch.bound, batch.consent.deadline)),
            batch.consent
        );
        Quota memory quota = _spendQuota(issuer, book.currency, batch.bound);
        _roots[first] = root;
        _batches[batch.book].push(
            (uint256(first) << 160) | (uint256(count) << 144) | (uint256(uint40(block.timestamp)) << 104)
                | (uint256(uint40(block.number)) << 64) | batch.bound
        );
        emit Issued(
            issuer, batch.book, first, uint16(count), root, batch.bound, quota.spent, quota.period, batch.consent.signer
        );
    }

    /// @dev Moves the book on by the batch, if the batch is its next and fits.
    function _takeNumbers(StoredBook storage book, Issue calldata batch) private returns (uint96) {
        uint256 count = batch.leaves.length;
        if (count == 0 || count > MAX_BATCH) revert BatchSizeInvalid(count, MAX_BATCH);
        (uint96 next, uint96 last) = (book.next, _lastOf(book));
        if (batch.first != next) revert BookOutOfOrder(batch.book, next, batch.first);
        if (next + count > uint256(last) + 1) revert BookExhausted(batch.book, last, next + count - 1);
        book.next = next + uint96(count);
        return uint96(count);
    }

    /// @dev Adds to what is spent in the running month; a new month begins at nothing.
    function _spendQuota(bytes18 issuer, bytes3 currency, uint64 bound) private returns (Quota memory quota) {
        quota = _quotas[issuer][currency];
        uint32 period = Months.monthOf(block.timestamp);
        if (quota.period != period) (quota.spent, quota.period) = (0, period);
        if (uint256(quota.spent) + bound > quota.amount) {
            revert QuotaExceeded(issuer, quota.amount, quota.spent, bound);
        }
        quota.spent += bound;
        _quotas[issuer][currency] = quota;
    }

    /// @dev A closed book ends where it stands.
    function _lastOf(StoredBook storage book) private view returns (uint96) {
        return book.closed ? book.next - 1 : book.last;
    }

    function _knownBook(uint96 first) private view returns (StoredBook storage book) {
        book = _books[first];
        if (book.issuer == 0) revert BookUnknown(first);
    }

    function _requireAccount() private view {
        // From Prague on (EIP-7702) an account may carry code, and that code could make up leaves.
        // solhint-disable-next-line avoid-tx-origin
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert IndirectCall(msg.sender);
    }
}
