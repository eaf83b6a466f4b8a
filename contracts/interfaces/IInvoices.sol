// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsents} from "./IConsents.sol";

/// @title Invoices: unique by construction, one batch at a time
/// @notice The tax bureau opens books of consecutive numbers. An issuer's signer signs each batch of them. The leaves
/// travel in calldata, where every node keeps them; the contract stores the root and moves the book on. Amounts are in
/// the minor unit of the book's currency (CNY: fen). Numbers have 20 digits: year 2, region 2, channel 1, sequence 15.
interface IInvoices is IConsents {
    /// @notice The few fields of an invoice that contracts reason about. A leaf is its EIP-712 struct hash.
    /// @param number the invoice's number
    /// @param original 0, or the number of the invoice that this credit note takes back
    /// @param gross total with tax
    /// @param tax tax in it
    /// @param buyer 0 (consumer), or keccak256(salt, buyer's id): 32 bytes of salt, then the id in ASCII
    /// @param payment 0, or keccak256(keccak256(provider), keccak256(reference)), both UTF-8
    /// @param document SHA-256 of the document's payload octets
    struct Summary {
        uint96 number;
        uint96 original;
        uint128 gross;
        uint128 tax;
        bytes32 buyer;
        bytes32 payment;
        bytes32 document;
    }

    /// @notice A batch to be issued.
    /// @param book the book's first number
    /// @param first number of leaves[0]; must be the book's next
    /// @param bound the batch adds up to at most this
    /// @param leaves one a number, in order
    /// @param consent by a cashier of the issuer whose cap is at least `bound`; its nonce is unused (`first` is one)
    struct Issue {
        uint96 book;
        uint96 first;
        uint64 bound;
        bytes32[] leaves;
        Consent consent;
    }

    /// @notice A block of consecutive numbers.
    struct Book {
        bytes18 issuer;
        bytes3 currency;
        uint48 openedAt;
        uint96 first;
        uint96 next;
        uint96 last;
    }

    /// @notice A batch as stored.
    struct Batch {
        uint96 first;
        uint16 count;
        uint40 time;
        uint40 blockNumber;
        uint64 bound;
        bytes32 root;
    }

    /// @notice What the chain knows of a number.
    struct Header {
        bytes18 issuer;
        bytes3 currency;
        uint96 book;
        Batch batch;
    }

    /// @notice An issuer's limit for a calendar month in Beijing.
    /// @param amount what may be issued in a month
    /// @param spent bounds of the batches issued in `period`
    /// @param period year * 12 + (month - 1)
    struct Quota {
        uint96 amount;
        uint96 spent;
        uint32 period;
    }

    event BookOpened(bytes18 indexed issuer, uint96 indexed first, uint96 last, bytes3 currency);
    /// @notice The book ends before `next`; numbers from there on will never exist.
    event BookClosed(bytes18 indexed issuer, uint96 indexed first, uint96 next);
    event QuotaSet(bytes18 indexed issuer, bytes3 currency, uint96 amount);
    /// @notice The numbers first .. first + count - 1 exist.
    /// @param spent what the issuer has spent of its quota of `period`, with this batch
    event Issued(
        bytes18 indexed issuer,
        uint96 indexed book,
        uint96 indexed first,
        uint16 count,
        bytes32 root,
        uint64 bound,
        uint96 spent,
        uint32 period,
        address signer
    );

    /// @notice Numbers are not within one prefix (year, region, channel), are empty, or exceed 20 digits.
    error BookRangeInvalid(uint96 first, uint96 last);
    /// @notice Books of one prefix are opened in ascending order; this one would begin at or before `last`.
    error BookOverlaps(uint96 first, uint96 last);
    error BookUnknown(uint96 book);
    /// @notice The next number of the book is another one.
    error BookOutOfOrder(uint96 book, uint96 next, uint96 first);
    error BookExhausted(uint96 book, uint96 last, uint256 wanted);
    error BatchSizeInvalid(uint256 count, uint256 max);
    error QuotaExceeded(bytes18 issuer, uint96 amount, uint96 spent, uint64 bound);
    /// @notice Batches are sent by an account itself, so that their leaves stand in a transaction of a block.
    error IndirectCall(address sender);
    error InvoiceUnknown(uint96 number);
    /// @notice The summary's leaf does not stand at its number's place.
    error ProofInvalid(uint96 number, bytes32 leaf);

    /// @notice Opens the book first .. first + count - 1 for an issuer.
    ///
    /// Requirements: caller is the tax bureau; issuer admitted as such ({ParticipantRoleMissing}); the range is one
    /// ({BookRangeInvalid}) and begins after every book of its prefix ({BookOverlaps}).
    ///
    /// Emits {BookOpened}.
    /// @param currency ISO 4217 letters; "CNY" where nothing else is agreed
    function openBook(bytes18 issuer, uint96 first, uint96 count, bytes3 currency) external;

    /// @notice Ends a book where it stands. Emits {BookClosed}.
    function closeBook(uint96 book) external;

    /// @notice Sets what the issuer may issue in each calendar month, from the running one on. Emits {QuotaSet}.
    function setQuota(bytes18 issuer, bytes3 currency, uint96 amount) external;

    /// @notice Issues a batch.
    /// @dev Typed text: Issue(uint96 book,uint96 first,uint16 count,bytes32 root,uint64 bound,uint48 deadline).
    ///
    /// Requirements: sent by an account ({IndirectCall}); 1 to MAX_BATCH leaves ({BatchSizeInvalid}); the book exists
    /// ({BookUnknown}), its next number is `first` ({BookOutOfOrder}) and it has room ({BookExhausted}); the consent
    /// holds ({ConsentExpired}, {ConsentInvalid}, the errors of {IParticipants-requireSigner}); the month's quota
    /// suffices ({QuotaExceeded}).
    ///
    /// Emits {Issued}.
    function issue(Issue calldata batch) external;

    /// @notice Issues several batches, all or none.
    function issueMany(Issue[] calldata batches) external;

    /// @notice What the chain knows of the invoice, once the summary is proven to stand at its number.
    /// @param proof siblings from the leaf up, see {BatchTree}
    ///
    /// Requirements: the number is issued ({InvoiceUnknown}); the proof holds ({ProofInvalid}).
    function check(Summary calldata summary, bytes32[] calldata proof) external view returns (Header memory);

    /// @notice What the chain knows of a bare number. Reverts with {InvoiceUnknown} when it is not issued.
    function header(uint96 number) external view returns (Header memory);

    /// @notice EIP-712 struct hash of a summary.
    function leafOf(Summary calldata summary) external pure returns (bytes32);

    /// @notice The book that begins at `first`. Reverts with {BookUnknown}.
    function bookOf(uint96 first) external view returns (Book memory);

    /// @notice How many books the issuer has, and the first number of each.
    function bookCount(bytes18 issuer) external view returns (uint256);
    function bookAt(bytes18 issuer, uint256 index) external view returns (uint96 first);

    /// @notice How many batches the book has, and each, in order of numbers.
    function batchCount(uint96 book) external view returns (uint256);
    function batchAt(uint96 book, uint256 index) external view returns (Batch memory);

    /// @notice The issuer's quota and what is spent of it in the running month.
    function quotaOf(bytes18 issuer, bytes3 currency) external view returns (Quota memory);
}
