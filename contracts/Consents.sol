// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {NoncesKeyed} from "@openzeppelin/contracts/utils/NoncesKeyed.sol";
import {IConsents} from "./interfaces/IConsents.sol";

/// @title Consents: the one place where a consent is checked and spent
/// @dev Contracts that act by consent inherit this, hash their own typed text and call one of the two functions below
/// before anything else. Whether the signer may act at all is asked of {Participants}.
abstract contract Consents is IConsents, EIP712, NoncesKeyed {
    constructor(string memory name) EIP712(name, "1") {}

    /// @notice The EIP-712 domain separator, for signers that cannot compute it.
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @dev Checks and spends a consent, whose typed text must contain its nonce and deadline.
    ///
    /// Requirements:
    ///
    /// - the deadline has not passed, else {ConsentExpired}
    /// - the signature is the signer's, else {ConsentInvalid}
    /// - the nonce is the signer's next of its key, else {InvalidAccountNonce}
    function _spendConsent(bytes32 structHash, Consent calldata consent) internal {
        _checkConsent(structHash, consent);
        _useCheckedNonce(consent.signer, consent.nonce);
    }

    /// @dev Checks a consent without spending its nonce: only for texts that by their own content can take effect once.
    function _checkConsent(bytes32 structHash, Consent calldata consent) internal view {
        if (block.timestamp > consent.deadline) revert ConsentExpired(consent.deadline, block.timestamp);
        bytes32 digest = _hashTypedDataV4(structHash);
        if (!SignatureChecker.isValidSignatureNow(consent.signer, digest, consent.signature)) {
            revert ConsentInvalid(consent.signer);
        }
    }
}
