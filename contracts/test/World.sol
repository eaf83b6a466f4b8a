// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Authority} from "../Authority.sol";
import {Invoices} from "../Invoices.sol";
import {Participants} from "../Participants.sol";
import {IConsents} from "../interfaces/IConsents.sol";
import {IInvoices} from "../interfaces/IInvoices.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {SlowTree} from "./SlowTree.sol";
import {Test} from "./Test.sol";

/// @title The contracts deployed, with an agency that governs, and the words to sign with
abstract contract World is Test {
    /// @dev Real issuers, from public company records.
    bytes18 internal constant HENGAN = "91350000611528672E";
    bytes18 internal constant ECOVACS = "91320500628396530U";
    bytes18 internal constant AIMA = "9112000071821557X4";

    bytes3 internal constant CNY = "CNY";
    bytes3 internal constant USD = "USD";
    uint48 internal constant FOREVER = type(uint48).max;
    uint128 internal constant UNCAPPED = type(uint128).max;
    /// @dev 2026-03-15 12:00:00 in Beijing.
    uint256 internal constant START = 1_773_547_200;
    /// @dev Year 26, region 11, channel 1.
    uint96 internal constant FIRST = 26_11_1_000_000_000_000_001;

    address internal constant BUREAU = address(0xB0);
    address internal constant COURT = address(0xC0);
    address internal constant RELAYER = address(0x4E);
    uint256 internal constant ADMIN_KEY = 0xA1;
    uint256 internal constant CASHIER_KEY = 0xA2;

    Authority internal authority;
    Participants internal participants;
    Invoices internal invoices;

    function deploy() internal {
        vm.warp(START);
        authority = new Authority(address(this));
        participants = new Participants(address(authority));
        invoices = new Invoices(address(authority), participants);

        bytes4[] memory bureau = new bytes4[](4);
        bureau[0] = IParticipants.admit.selector;
        bureau[1] = IParticipants.setRoles.selector;
        bureau[2] = IParticipants.suspend.selector;
        bureau[3] = IParticipants.reinstate.selector;
        authority.setTargetFunctionRole(address(participants), bureau, authority.TAX_BUREAU());
        bytes4[] memory recovery = new bytes4[](1);
        recovery[0] = IParticipants.recover.selector;
        authority.setTargetFunctionRole(address(participants), recovery, authority.RECOVERY());
        bytes4[] memory books = new bytes4[](3);
        books[0] = IInvoices.openBook.selector;
        books[1] = IInvoices.closeBook.selector;
        books[2] = IInvoices.setQuota.selector;
        authority.setTargetFunctionRole(address(invoices), books, authority.TAX_BUREAU());
        authority.grantRole(authority.TAX_BUREAU(), BUREAU, 0);
        authority.grantRole(authority.RECOVERY(), COURT, 0);
    }

    /// @dev An issuer with an administrator, a cashier, a boundless quota in CNY and a book of a million numbers.
    function openShop(bytes18 uscc, uint96 first) internal {
        admit(uscc);
        setSigner(uscc, vm.addr(CASHIER_KEY), cashier());
        vm.prank(BUREAU);
        invoices.setQuota(uscc, CNY, type(uint96).max);
        vm.prank(BUREAU);
        invoices.openBook(uscc, first, 1_000_000, CNY);
    }

    function admit(bytes18 uscc) internal {
        uint32 issuer = participants.ISSUER();
        vm.prank(BUREAU);
        participants.admit(uscc, "shop", issuer, vm.addr(ADMIN_KEY), false);
    }

    function cashier() internal view returns (IParticipants.Signer memory) {
        return IParticipants.Signer(participants.CASHIER(), FOREVER, UNCAPPED);
    }

    function setSigner(bytes18 uscc, address account, IParticipants.Signer memory signer) internal {
        participants.setSigner(uscc, account, signer, signerConsent(uscc, account, signer, ADMIN_KEY));
    }

    function signerConsent(bytes18 uscc, address account, IParticipants.Signer memory signer, uint256 key)
        internal
        view
        returns (IConsents.Consent memory consent)
    {
        consent.signer = vm.addr(key);
        consent.nonce = participants.nonces(consent.signer, 0);
        consent.deadline = FOREVER;
        consent.signature = sign(key, signerDigest(uscc, account, signer, consent));
    }

    function signerDigest(
        bytes18 uscc,
        address account,
        IParticipants.Signer memory signer,
        IConsents.Consent memory consent
    ) internal view returns (bytes32) {
        bytes32 typeHash = keccak256(
            "SetSigner(bytes18 uscc,address account,uint32 roles,uint48 expires,uint128 cap,uint256 nonce,uint48 deadline)"
        );
        bytes32 text = keccak256(
            abi.encode(
                typeHash, uscc, account, signer.roles, signer.expires, signer.cap, consent.nonce, consent.deadline
            )
        );
        return digestOf("Hutong Participants", address(participants), text);
    }

    /// @dev A batch of `count` leaves from `first` on, signed by the cashier.
    function makeBatch(uint96 book, uint96 first, uint256 count, uint64 bound)
        internal
        view
        returns (IInvoices.Issue memory batch)
    {
        batch.book = book;
        batch.first = first;
        batch.bound = bound;
        batch.leaves = leavesFrom(first, count);
        batch.consent.signer = vm.addr(CASHIER_KEY);
        batch.consent.deadline = FOREVER;
        batch.consent.signature = sign(CASHIER_KEY, issueDigest(batch));
    }

    function issueDigest(IInvoices.Issue memory batch) internal view returns (bytes32) {
        return digestOf("Hutong Invoices", address(invoices), issueText(batch));
    }

    function issueText(IInvoices.Issue memory batch) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("Issue(uint96 book,uint96 first,uint16 count,bytes32 root,uint64 bound,uint48 deadline)"),
                batch.book,
                batch.first,
                batch.leaves.length,
                batch.leaves.length == 0 ? bytes32(0) : SlowTree.root(batch.leaves),
                batch.bound,
                batch.consent.deadline
            )
        );
    }

    /// @dev EIP-712 written out, so that the contracts' own domain is checked by it.
    function digestOf(string memory name, address verifier, bytes32 text) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256("1"),
                block.chainid,
                verifier
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, text));
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function leavesFrom(uint96 first, uint256 count) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = leafOf(summaryOf(first + uint96(i)));
        }
    }

    /// @dev The invoice that stands at `number`: everything about it follows from the number.
    function summaryOf(uint96 number) internal pure returns (IInvoices.Summary memory) {
        return IInvoices.Summary({
            number: number,
            original: number % 5 == 0 ? number - 1 : 0,
            gross: 10_900,
            tax: 900,
            buyer: number % 2 == 0 ? bytes32(0) : keccak256(abi.encode("buyer", number)),
            payment: keccak256(abi.encode("payment", number)),
            document: sha256(abi.encode(number))
        });
    }

    function leafOf(IInvoices.Summary memory s) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "Summary(uint96 number,uint96 original,uint128 gross,uint128 tax,bytes32 buyer,bytes32 payment,bytes32 document)"
        );
        return keccak256(abi.encode(typeHash, s.number, s.original, s.gross, s.tax, s.buyer, s.payment, s.document));
    }

    function relay(IInvoices.Issue memory batch) internal {
        vm.prank(RELAYER, RELAYER);
        invoices.issue(batch);
    }
}
