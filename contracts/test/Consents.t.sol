// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Invoices} from "../Invoices.sol";
import {Participants} from "../Participants.sol";
import {IConsents} from "../interfaces/IConsents.sol";
import {IInvoices} from "../interfaces/IInvoices.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {World} from "./World.sol";
import {Junk, Reentrant, Relay, TwoOfficers} from "./Wallets.sol";

contract ConsentsTest is World {
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function setUp() public {
        deploy();
        openShop(HENGAN, FIRST);
    }

    function test_wallet_of_two_officers_issues() public {
        TwoOfficers wallet = new TwoOfficers(vm.addr(11), vm.addr(12));
        setSigner(HENGAN, address(wallet), cashier());
        IInvoices.Issue memory batch = makeBatch(FIRST, FIRST, 3, 300);
        batch.consent.signer = address(wallet);

        batch.consent.signature = bytes.concat(_officer(11, batch), _officer(13, batch));
        _refused(batch);
        batch.consent.signature = _officer(11, batch);
        _refused(batch);
        batch.consent.signature = bytes.concat(_officer(11, batch), _officer(12, batch));
        relay(batch);
        equal(invoices.bookOf(FIRST).next, FIRST + 3, "next");
    }

    function test_wallet_of_two_officers_administers() public {
        TwoOfficers wallet = new TwoOfficers(vm.addr(11), vm.addr(12));
        setSigner(HENGAN, address(wallet), IParticipants.Signer(participants.ADMIN(), FOREVER, UNCAPPED));
        IConsents.Consent memory consent = IConsents.Consent(address(wallet), 0, FOREVER, "");
        bytes32 digest = signerDigest(HENGAN, vm.addr(99), cashier(), consent);
        consent.signature = bytes.concat(sign(11, digest), sign(12, digest));
        participants.setSigner(HENGAN, vm.addr(99), cashier(), consent);
        equal(participants.signerOf(HENGAN, vm.addr(99)).expires, FOREVER, "expires");
    }

    function test_wallet_that_answers_badly_cannot_issue() public {
        _refusedFrom(address(new Junk("", false)));
        _refusedFrom(address(new Junk("", true)));
        _refusedFrom(address(new Junk(hex"1626ba7e", false))); // right, but not a whole word
        _refusedFrom(address(new Junk(abi.encode(bytes4(0x1626ba7e)), true))); // right, but reverts
        _refusedFrom(address(new Junk(abi.encode(true), false)));
        _refusedFrom(address(new Junk(abi.encode(bytes32(type(uint256).max)), false)));
        _refusedFrom(address(new Junk(abi.encode(uint256(0x1626ba7e)), false))); // right-aligned
        _refusedFrom(address(new Junk(bytes.concat(hex"1626ba7e", bytes28(uint224(1))), false)));
    }

    function test_wallet_cannot_call_back_to_issue_twice() public {
        Reentrant wallet = new Reentrant();
        setSigner(HENGAN, address(wallet), cashier());
        IInvoices.Issue memory batch = makeBatch(FIRST, FIRST, 3, 300);
        batch.consent.signer = address(wallet);
        wallet.arm(address(invoices), abi.encodeCall(IInvoices.issue, (batch)));
        relay(batch);
        equal(invoices.batchCount(FIRST), 1, "batches");
        equal(invoices.quotaOf(HENGAN, CNY).spent, 300, "spent");
    }

    function test_batch_relayed_by_a_contract_is_refused() public {
        Relay forwarder = new Relay();
        IInvoices.Issue[] memory batches = new IInvoices.Issue[](1);
        batches[0] = makeBatch(FIRST, FIRST, 3, 300);
        bytes memory why = abi.encodeWithSelector(IInvoices.IndirectCall.selector, address(forwarder));

        vm.expectRevert(why);
        vm.prank(RELAYER, RELAYER);
        forwarder.forward(address(invoices), abi.encodeCall(IInvoices.issue, (batches[0])));
        vm.expectRevert(why);
        vm.prank(RELAYER, RELAYER);
        forwarder.forward(address(invoices), abi.encodeCall(IInvoices.issueMany, (batches)));
    }

    /// @dev An account that carries code (EIP-7702, from Prague on) could make up leaves that stand in no transaction.
    function test_batch_relayed_by_an_account_with_code_is_refused() public {
        vm.etch(RELAYER, bytes.concat(hex"ef0100", bytes20(address(this))));
        IInvoices.Issue memory batch = makeBatch(FIRST, FIRST, 3, 300);
        vm.expectRevert(abi.encodeWithSelector(IInvoices.IndirectCall.selector, RELAYER));
        vm.prank(RELAYER, RELAYER);
        invoices.issue(batch);
    }

    function test_consent_for_another_chain_is_refused() public {
        IInvoices.Issue memory batch = makeBatch(FIRST, FIRST, 3, 300);
        vm.chainId(block.chainid + 1);
        _refused(batch);
        batch.consent.signature = _officer(CASHIER_KEY, batch);
        relay(batch);
    }

    function test_consent_for_another_contract_is_refused() public {
        Invoices other = new Invoices(address(authority), participants);
        IInvoices.Issue memory batch = makeBatch(FIRST, FIRST, 3, 300);
        batch.consent.signature = sign(CASHIER_KEY, digestOf("Hutong Invoices", address(other), issueText(batch)));
        _refused(batch);
        batch.consent.signature =
            sign(CASHIER_KEY, digestOf("Hutong Participants", address(invoices), issueText(batch)));
        _refused(batch);
    }

    function test_signature_in_another_form_is_refused() public {
        IInvoices.Issue memory batch = makeBatch(FIRST, FIRST, 3, 300);
        bytes32 digest = issueDigest(batch);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(CASHIER_KEY, digest);
        isTrue(uint256(s) <= HALF_ORDER, "low s");

        batch.consent.signature = abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        _refused(batch); // the twin of high s
        batch.consent.signature = abi.encodePacked(r, s, v - 27);
        _refused(batch);
        batch.consent.signature = abi.encodePacked(r, bytes32(uint256(s) | (uint256(v - 27) << 255)));
        _refused(batch); // EIP-2098
        batch.consent.signature = abi.encodePacked(r, s, v, uint8(0));
        _refused(batch);
        batch.consent.signature = "";
        _refused(batch);
    }

    function testFuzz_any_change_of_what_was_signed_is_refused(uint256 seed, uint96 value) public {
        IInvoices.Issue memory batch = makeBatch(FIRST, FIRST, 3, 300);
        uint256 what = seed % 5;
        if (what == 0) batch.bound = uint64(value);
        else if (what == 1) batch.consent.deadline = uint48(within(value, START, FOREVER - 1));
        else if (what == 2) batch.leaves[value % 3] ^= bytes32(uint256(1) << (value % 256));
        else if (what == 3) batch.leaves = leavesFrom(FIRST, value % 2 == 0 ? 2 : 4);
        else (batch.leaves[0], batch.leaves[1]) = (batch.leaves[1], batch.leaves[0]);
        if (what == 0 && batch.bound == 300) batch.bound = 301;
        _refused(batch);
    }

    function testFuzz_batch_of_another_book_needs_its_own_consent(uint96 gap) public {
        uint96 second = FIRST + 1_000_000 + gap % 1000;
        vm.prank(BUREAU);
        invoices.openBook(HENGAN, second, 10, CNY);
        IInvoices.Issue memory batch = makeBatch(FIRST, FIRST, 3, 300);
        batch.book = second;
        batch.first = second;
        _refused(batch);
    }

    function testFuzz_nonces_of_one_key_are_spent_in_order(uint192 key, uint64 wrong) public {
        address admin = vm.addr(ADMIN_KEY);
        uint256 next = participants.nonces(admin, key);
        uint256 other = (uint256(key) << 64) | wrong;
        if (other != next) _refusedNonce(other, next);
        IConsents.Consent memory consent = _adminConsent(next);
        participants.setSigner(HENGAN, vm.addr(99), cashier(), consent);
        _refusedNonce(next, next + 1);
    }

    function test_domains_are_those_of_the_typed_texts() public view {
        (, string memory name, string memory version, uint256 chain, address verifier,,) = invoices.eip712Domain();
        equal(keccak256(bytes(name)), keccak256("Hutong Invoices"), "name");
        equal(keccak256(bytes(version)), keccak256("1"), "version");
        equal(chain, block.chainid, "chain");
        isTrue(verifier == address(invoices), "verifier");
        (, name,,,,,) = participants.eip712Domain();
        equal(keccak256(bytes(name)), keccak256("Hutong Participants"), "name");
        equal(
            digestOf("Hutong Invoices", address(invoices), 0),
            keccak256(abi.encodePacked(hex"1901", invoices.domainSeparator(), bytes32(0))),
            "separator"
        );
    }

    function _refusedNonce(uint256 nonce, uint256 next) private {
        IConsents.Consent memory consent = _adminConsent(nonce);
        IParticipants.Signer memory signer = cashier();
        address admin = vm.addr(ADMIN_KEY);
        vm.expectRevert(abi.encodeWithSignature("InvalidAccountNonce(address,uint256)", admin, next));
        participants.setSigner(HENGAN, vm.addr(99), signer, consent);
    }

    function _adminConsent(uint256 nonce) private view returns (IConsents.Consent memory consent) {
        consent = IConsents.Consent(vm.addr(ADMIN_KEY), nonce, FOREVER, "");
        bytes32 digest = signerDigest(HENGAN, vm.addr(99), cashier(), consent);
        consent.signature = sign(ADMIN_KEY, digest);
    }

    function _officer(uint256 key, IInvoices.Issue memory batch) private view returns (bytes memory) {
        return sign(key, issueDigest(batch));
    }

    function _refusedFrom(address wallet) private {
        setSigner(HENGAN, wallet, cashier());
        IInvoices.Issue memory batch = makeBatch(FIRST, FIRST, 3, 300);
        batch.consent.signer = wallet;
        _refused(batch);
    }

    function _refused(IInvoices.Issue memory batch) private {
        vm.expectRevert(abi.encodeWithSelector(IConsents.ConsentInvalid.selector, batch.consent.signer));
        relay(batch);
        equal(invoices.batchCount(FIRST), 0, "batches");
    }
}
