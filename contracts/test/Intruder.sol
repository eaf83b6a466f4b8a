// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IConsents} from "../interfaces/IConsents.sol";
import {IInvoices} from "../interfaces/IInvoices.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {World} from "./World.sol";

/// @title Calls everything from anywhere, with signatures that are real but grant nothing
contract Intruder is World {
    /// @notice The first call that took effect although nobody entitled to it was asked.
    string public breach;

    bytes18 private constant OTHER = ECOVACS;
    uint256 private constant OUTSIDER_KEY = 0xD1;
    uint256 private constant ACCOUNTANT_KEY = 0xD2;
    uint256 private constant EXPIRED_KEY = 0xD3;
    uint256 private constant CAPPED_KEY = 0xD4;
    uint256 private constant DISMISSED_KEY = 0xD5;
    uint256 private constant OTHERS_ADMIN_KEY = 0xD6;
    uint256 private constant VOID_KEY = 0xD7;

    IInvoices.Issue private _used;
    IConsents.Consent private _usedConsent;
    IParticipants.Signer private _usedSigner;

    constructor() {
        deploy();
        openShop(HENGAN, FIRST);
        admit(OTHER);
        setSigner(HENGAN, vm.addr(VOID_KEY), _all());
        vm.prank(COURT);
        participants.recover(HENGAN, vm.addr(ADMIN_KEY), "test");
        setSigner(HENGAN, vm.addr(CASHIER_KEY), cashier());
        setSigner(HENGAN, vm.addr(EXPIRED_KEY), _all());
        setSigner(HENGAN, vm.addr(DISMISSED_KEY), _all());
        setSigner(HENGAN, vm.addr(DISMISSED_KEY), IParticipants.Signer(0, 0, 0));
        setSigner(OTHER, vm.addr(OTHERS_ADMIN_KEY), _all());
        IParticipants.Signer memory signer = _all();
        signer.roles = participants.ACCOUNTANT() | participants.TREASURER() | participants.STEWARD();
        setSigner(HENGAN, vm.addr(ACCOUNTANT_KEY), signer);
        signer = cashier();
        signer.cap = 0;
        setSigner(HENGAN, vm.addr(CAPPED_KEY), signer);
        signer = _all();
        signer.expires = uint48(block.timestamp - 1);
        _usedSigner = signer;
        _usedConsent = signerConsent(HENGAN, vm.addr(EXPIRED_KEY), signer, ADMIN_KEY);
        participants.setSigner(HENGAN, vm.addr(EXPIRED_KEY), signer, _usedConsent);

        _used = makeBatch(FIRST, FIRST, 5, 500);
        relay(_used);
    }

    function callAgency(address caller, uint256 which, uint96 number, address account) external {
        if (caller == BUREAU || caller == COURT) return;
        bytes18 uscc = number % 2 == 0 ? HENGAN : AIMA;
        bytes[8] memory calls = [
            abi.encodeCall(IParticipants.admit, (AIMA, "x", 1, account, true)),
            abi.encodeCall(IParticipants.setRoles, (uscc, 127)),
            abi.encodeCall(IParticipants.suspend, (uscc, "x")),
            abi.encodeCall(IParticipants.reinstate, (uscc)),
            abi.encodeCall(IParticipants.recover, (uscc, account, "x")),
            abi.encodeCall(IInvoices.openBook, (uscc, number, 10, CNY)),
            abi.encodeCall(IInvoices.closeBook, (FIRST)),
            abi.encodeCall(IInvoices.setQuota, (uscc, CNY, number))
        ];
        which = which % 8;
        address target = which < 5 ? address(participants) : address(invoices);
        _try(caller, target, calls[which], "an agency's call");
        _try(caller, address(authority), _executed(target, calls[which]), "execute");
    }

    function callAuthority(address caller, uint256 which, uint64 role, address account) external {
        if (caller == address(this)) return;
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = IInvoices.openBook.selector;
        bytes[10] memory calls = [
            abi.encodeCall(AccessManager.grantRole, (role, account, 0)),
            abi.encodeCall(AccessManager.revokeRole, (1, BUREAU)),
            abi.encodeCall(AccessManager.setRoleAdmin, (1 + role % 9, role)),
            abi.encodeCall(AccessManager.setRoleGuardian, (1 + role % 9, role)),
            abi.encodeCall(AccessManager.setGrantDelay, (1 + role % 9, 1)),
            abi.encodeCall(AccessManager.setTargetFunctionRole, (address(invoices), selectors, type(uint64).max)),
            abi.encodeCall(AccessManager.setTargetClosed, (address(invoices), true)),
            abi.encodeCall(AccessManager.setTargetAdminDelay, (address(invoices), 1)),
            abi.encodeCall(AccessManager.updateAuthority, (address(invoices), account)),
            abi.encodeCall(AccessManager.labelRole, (1, "mine"))
        ];
        _try(caller, address(authority), calls[which % 10], "the authority's call");
        bytes memory call = abi.encodeCall(AccessManaged.setAuthority, (account));
        _try(caller, address(invoices), call, "setAuthority");
        _try(caller, address(participants), call, "setAuthority");
    }

    function issueAs(address caller, uint256 key, uint256 size, uint64 bound, bool many) external {
        IInvoices.Issue memory batch = _used;
        if (key % 9 != 0) batch = makeBatch(FIRST, invoices.bookOf(FIRST).next, 1 + size % 9, bound);
        if (bound == 0) batch.bound = 1; // with nothing at stake the cap of 0 would do
        if (key % 9 != 0) {
            key = OUTSIDER_KEY + key % 7;
            // Either in its own name, or with its signature in the cashier's name.
            batch.consent.signature = sign(key, issueDigest(batch));
            if (size % 2 == 0) batch.consent.signer = vm.addr(key);
        }
        bytes memory call = abi.encodeCall(IInvoices.issue, (batch));
        if (many) {
            IInvoices.Issue[] memory batches = new IInvoices.Issue[](1);
            batches[0] = batch;
            call = abi.encodeCall(IInvoices.issueMany, (batches));
        }
        _try(caller, address(invoices), call, "a batch");
    }

    function setSignerAs(address caller, uint256 key, bool named, uint256 nonce) external {
        IParticipants.Signer memory signer = _all();
        key = [
            OUTSIDER_KEY,
            ACCOUNTANT_KEY,
            EXPIRED_KEY,
            CAPPED_KEY,
            DISMISSED_KEY,
            OTHERS_ADMIN_KEY,
            VOID_KEY,
            CASHIER_KEY
        ][key % 8];
        address account = vm.addr(OUTSIDER_KEY);
        IConsents.Consent memory consent = signerConsent(HENGAN, account, signer, key);
        if (nonce % 3 == 0) {
            consent.nonce = nonce << 64;
            consent.signature = sign(key, signerDigest(HENGAN, account, signer, consent));
        }
        if (!named) consent.signer = vm.addr(ADMIN_KEY);
        bytes memory call = abi.encodeCall(IParticipants.setSigner, (HENGAN, account, signer, consent));
        _try(caller, address(participants), call, "a signer");
        call = abi.encodeCall(IParticipants.setSigner, (HENGAN, vm.addr(EXPIRED_KEY), _usedSigner, _usedConsent));
        _try(caller, address(participants), call, "a used consent");
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + time % 40 days);
    }

    /// @notice A hash of everything that the contracts tell of themselves.
    function state() external view returns (bytes32) {
        address[9] memory known = [
            vm.addr(ADMIN_KEY),
            vm.addr(CASHIER_KEY),
            vm.addr(OUTSIDER_KEY),
            vm.addr(ACCOUNTANT_KEY),
            vm.addr(EXPIRED_KEY),
            vm.addr(CAPPED_KEY),
            vm.addr(DISMISSED_KEY),
            vm.addr(OTHERS_ADMIN_KEY),
            vm.addr(VOID_KEY)
        ];
        bytes32 all = keccak256(
            abi.encode(
                participants.participantOf(HENGAN),
                participants.participantOf(OTHER),
                participants.participantOf(AIMA),
                invoices.bookOf(FIRST),
                invoices.bookCount(HENGAN),
                invoices.bookCount(AIMA),
                invoices.batchCount(FIRST),
                invoices.batchAt(FIRST, 0),
                invoices.quotaOf(HENGAN, CNY).amount,
                invoices.authority(),
                participants.authority()
            )
        );
        for (uint256 i = 0; i < known.length; ++i) {
            all = keccak256(
                abi.encode(
                    all,
                    participants.signerOf(HENGAN, known[i]),
                    participants.signerOf(OTHER, known[i]),
                    participants.nonces(known[i])
                )
            );
        }
        return all;
    }

    function _try(address caller, address target, bytes memory call, string memory what) private {
        vm.prank(caller, caller);
        (bool done,) = target.call(call);
        if (done && bytes(breach).length == 0) breach = what;
    }

    function _executed(address target, bytes memory call) private pure returns (bytes memory) {
        return abi.encodeCall(AccessManager.execute, (target, call));
    }

    function _all() private view returns (IParticipants.Signer memory) {
        return IParticipants.Signer(participants.ADMIN() | participants.CASHIER(), FOREVER, UNCAPPED);
    }
}
