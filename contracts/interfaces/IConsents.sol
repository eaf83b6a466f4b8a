// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What every contract that acts by consent declares
/// @notice A consent is an EIP-712 signature by a signer of a participant. Anyone may relay it.
interface IConsents {
    /// @notice A signed consent.
    /// @param signer address that signed: an account, or an ERC-1271 wallet
    /// @param nonce keyed nonce of the signer (ERC-4337 layout: 192 bits of key, 64 bits of sequence); unused and zero
    /// where the signed text itself can take effect only once, as the calls that do so say
    /// @param deadline last second (UTC) at which the consent counts
    /// @param signature 65 bytes of ECDSA, or whatever the wallet takes
    struct Consent {
        address signer;
        uint256 nonce;
        uint48 deadline;
        bytes signature;
    }

    /// @notice The consent's deadline has passed at `time`.
    error ConsentExpired(uint48 deadline, uint256 time);
    /// @notice The signature is not `signer`'s for this text.
    error ConsentInvalid(address signer);
}
