// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsents} from "./IConsents.sol";

/// @title Participants: who exists, in which roles, and who may sign for whom
/// @notice A participant is an organisation, named by its USCC (18 ASCII characters). Its roles say what it was admitted
/// for, its signers' roles say what each address may sign. Both are bit sets; see the constants of {Participants}.
interface IParticipants is IConsents {
    /// @notice An organisation.
    /// @param roles bit set of what it was admitted for; 0 = never admitted
    /// @param suspended nothing of it counts while true
    /// @param epoch number of recoveries; signers of an earlier epoch are void
    /// @param admittedAt seconds, UTC
    struct Participant {
        uint32 roles;
        bool suspended;
        uint32 epoch;
        uint48 admittedAt;
    }

    /// @notice What an address may sign for a participant.
    /// @param roles bit set; 0 = not a signer
    /// @param expires last second at which it may sign
    /// @param cap greatest amount, in minor units, of one consent; type(uint128).max = no limit
    struct Signer {
        uint32 roles;
        uint48 expires;
        uint128 cap;
    }

    /// @notice `uscc` exists from now on. The name is carried by the event alone.
    /// @param irregular the bureau admitted it although its check digit is wrong
    event Admitted(bytes18 indexed uscc, string name, uint32 roles, bool irregular);
    event RolesSet(bytes18 indexed uscc, uint32 roles);
    event Suspended(bytes18 indexed uscc, string reason);
    event Reinstated(bytes18 indexed uscc);
    /// @notice `account` may sign as told within `epoch`; roles 0 = it may no more.
    event SignerSet(
        bytes18 indexed uscc, address indexed account, uint32 epoch, uint32 roles, uint48 expires, uint128 cap
    );
    /// @notice All earlier signers are void; `account` is the only one, told by the SignerSet event that follows.
    event Recovered(bytes18 indexed uscc, uint32 epoch, address account, string reason);

    /// @notice The code has a character outside the alphabet, or its check digit is wrong and `irregular` was not said.
    error UsccInvalid(bytes18 uscc);
    error ParticipantExists(bytes18 uscc);
    error ParticipantUnknown(bytes18 uscc);
    error ParticipantSuspended(bytes18 uscc);
    error ParticipantNotSuspended(bytes18 uscc);
    /// @notice The participant was not admitted for `role`.
    error ParticipantRoleMissing(bytes18 uscc, uint32 role);
    /// @notice Roles are empty or name a bit that has no meaning.
    error RolesInvalid(uint32 roles);
    /// @notice The zero address cannot sign.
    error SignerInvalid(address account);
    error SignerUnknown(bytes18 uscc, address account);
    error SignerExpired(bytes18 uscc, address account, uint48 expires);
    error SignerRoleMissing(bytes18 uscc, address account, uint32 role);
    error SignerCapExceeded(bytes18 uscc, address account, uint128 cap, uint256 amount);
    /// @notice An administrator cannot take this role from itself: another one must, so that one always remains.
    error SignerSelfDemotion(bytes18 uscc, address account);

    /// @notice Admits an organisation with its first signer, an administrator without expiry.
    /// @param irregular admit although the check digit is wrong (some real codes are)
    ///
    /// Requirements: caller is the tax bureau; `uscc` valid or irregular and well formed ({UsccInvalid}); not admitted
    /// before ({ParticipantExists}); roles known ({RolesInvalid}); admin not zero ({SignerInvalid}).
    ///
    /// Emits {Admitted} and {SignerSet}.
    function admit(bytes18 uscc, string calldata name, uint32 roles, address admin, bool irregular) external;

    /// @notice Replaces the roles that the organisation is admitted for. Emits {RolesSet}.
    function setRoles(bytes18 uscc, uint32 roles) external;

    /// @notice Suspends: from now on none of its consents counts. Emits {Suspended}.
    function suspend(bytes18 uscc, string calldata reason) external;

    /// @notice Ends a suspension. Emits {Reinstated}.
    function reinstate(bytes18 uscc) external;

    /// @notice Voids all signers and names a new administrator. Emits {Recovered} and {SignerSet}.
    function recover(bytes18 uscc, address admin, string calldata reason) external;

    /// @notice Adds, changes or (roles 0) removes a signer, by consent of an administrator of the participant.
    /// @dev Typed text: SetSigner(bytes18 uscc,address account,uint32 roles,uint48 expires,uint128 cap,uint256
    /// nonce,uint48 deadline). Emits {SignerSet}.
    function setSigner(bytes18 uscc, address account, Signer calldata signer, Consent calldata consent) external;

    /// @notice Participant by USCC; all zero when unknown.
    function participantOf(bytes18 uscc) external view returns (Participant memory);

    /// @notice Signer as it stands; all zero when it is none (any more).
    function signerOf(bytes18 uscc, address account) external view returns (Signer memory);

    /// @notice Reverts, with the error that says why, unless `account` may now sign for `uscc` in `signerRole` up to
    /// `amount`, and `uscc` was admitted for `role` (0 = any).
    function requireSigner(bytes18 uscc, uint32 role, address account, uint32 signerRole, uint256 amount) external view;
}
