// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Consents} from "./Consents.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";
import {Uscc} from "./libraries/Uscc.sol";

/// @title Participants: see {IParticipants}
contract Participants is IParticipants, AccessManaged, Consents {
    using Uscc for bytes18;

    /// @notice Participant roles.
    uint32 public constant ISSUER = 1 << 0;
    uint32 public constant REIMBURSER = 1 << 1;
    uint32 public constant SUPPLIER = 1 << 2;
    uint32 public constant DEBTOR = 1 << 3;
    uint32 public constant FINANCIER = 1 << 4;
    uint32 public constant GUARANTOR = 1 << 5;
    uint32 public constant DEPARTMENT = 1 << 6;
    uint32 private constant ALL_ROLES = (1 << 7) - 1;

    /// @notice Signer roles: administrator (signers), cashier (issues), accountant (claims), treasurer (receivables),
    /// steward (directory).
    uint32 public constant ADMIN = 1 << 0;
    uint32 public constant CASHIER = 1 << 1;
    uint32 public constant ACCOUNTANT = 1 << 2;
    uint32 public constant TREASURER = 1 << 3;
    uint32 public constant STEWARD = 1 << 4;
    uint32 private constant ALL_SIGNER_ROLES = (1 << 5) - 1;

    bytes32 private constant SET_SIGNER_TYPEHASH = keccak256(
        "SetSigner(bytes18 uscc,address account,uint32 roles,uint48 expires,uint128 cap,uint256 nonce,uint48 deadline)"
    );

    // One slot each: 32 + 8 + 32 + 48 = 120 bits, and 32 + 48 + 128 = 208 bits.
    mapping(bytes18 uscc => Participant) private _participants;
    mapping(bytes18 uscc => mapping(uint32 epoch => mapping(address account => Signer))) private _signers;

    constructor(address authority) AccessManaged(authority) Consents("Hutong Participants") {}

    /// @inheritdoc IParticipants
    function admit(bytes18 uscc, string calldata name, uint32 roles, address admin, bool irregular)
        external
        restricted
    {
        if (irregular ? !uscc.isWellFormed() : !uscc.isValid()) revert UsccInvalid(uscc);
        if (_participants[uscc].roles != 0) revert ParticipantExists(uscc);
        _checkRoles(roles, ALL_ROLES);
        _participants[uscc] =
            Participant({roles: roles, suspended: false, epoch: 0, admittedAt: uint48(block.timestamp)});
        emit Admitted(uscc, name, roles, irregular && !uscc.isValid());
        _appointAdmin(uscc, 0, admin);
    }

    /// @inheritdoc IParticipants
    function setRoles(bytes18 uscc, uint32 roles) external restricted {
        _checkRoles(roles, ALL_ROLES);
        _known(uscc).roles = roles;
        emit RolesSet(uscc, roles);
    }

    /// @inheritdoc IParticipants
    function suspend(bytes18 uscc, string calldata reason) external restricted {
        Participant storage participant = _known(uscc);
        if (participant.suspended) revert ParticipantSuspended(uscc);
        participant.suspended = true;
        emit Suspended(uscc, reason);
    }

    /// @inheritdoc IParticipants
    function reinstate(bytes18 uscc) external restricted {
        Participant storage participant = _known(uscc);
        if (!participant.suspended) revert ParticipantNotSuspended(uscc);
        participant.suspended = false;
        emit Reinstated(uscc);
    }

    /// @inheritdoc IParticipants
    function recover(bytes18 uscc, address admin, string calldata reason) external restricted {
        uint32 epoch = ++_known(uscc).epoch;
        emit Recovered(uscc, epoch, admin, reason);
        _appointAdmin(uscc, epoch, admin);
    }

    /// @inheritdoc IParticipants
    function setSigner(bytes18 uscc, address account, Signer calldata signer, Consent calldata consent) external {
        requireSigner(uscc, 0, consent.signer, ADMIN, 0);
        _spendConsent(
            keccak256(
                abi.encode(
                    SET_SIGNER_TYPEHASH,
                    uscc,
                    account,
                    signer.roles,
                    signer.expires,
                    signer.cap,
                    consent.nonce,
                    consent.deadline
                )
            ),
            consent
        );
        if (account == address(0)) revert SignerInvalid(account);
        if (signer.roles != 0) _checkRoles(signer.roles, ALL_SIGNER_ROLES);
        // An administrator may not end itself, by role or by expiry.
        if (account == consent.signer) {
            Signer storage own = _signers[uscc][_participants[uscc].epoch][account];
            if (signer.roles & ADMIN == 0 || signer.expires < own.expires) revert SignerSelfDemotion(uscc, account);
        }
        _setSigner(uscc, _participants[uscc].epoch, account, signer);
    }

    /// @inheritdoc IParticipants
    function participantOf(bytes18 uscc) external view returns (Participant memory) {
        return _participants[uscc];
    }

    /// @inheritdoc IParticipants
    function signerOf(bytes18 uscc, address account) public view returns (Signer memory) {
        return _signers[uscc][_participants[uscc].epoch][account];
    }

    /// @inheritdoc IParticipants
    function requireSigner(bytes18 uscc, uint32 role, address account, uint32 signerRole, uint256 amount) public view {
        Participant memory participant = _participants[uscc];
        // slither-disable-next-line incorrect-equality
        if (participant.roles == 0) revert ParticipantUnknown(uscc);
        if (participant.suspended) revert ParticipantSuspended(uscc);
        if (participant.roles & role != role) revert ParticipantRoleMissing(uscc, role);
        Signer memory signer = _signers[uscc][participant.epoch][account];
        if (signer.roles == 0) revert SignerUnknown(uscc, account);
        if (block.timestamp > signer.expires) revert SignerExpired(uscc, account, signer.expires);
        if (signer.roles & signerRole != signerRole) revert SignerRoleMissing(uscc, account, signerRole);
        if (amount > signer.cap) revert SignerCapExceeded(uscc, account, signer.cap, amount);
    }

    function _appointAdmin(bytes18 uscc, uint32 epoch, address admin) private {
        if (admin == address(0)) revert SignerInvalid(admin);
        _setSigner(uscc, epoch, admin, Signer({roles: ADMIN, expires: type(uint48).max, cap: type(uint128).max}));
    }

    function _setSigner(bytes18 uscc, uint32 epoch, address account, Signer memory signer) private {
        if (signer.roles == 0) delete _signers[uscc][epoch][account];
        else _signers[uscc][epoch][account] = signer;
        emit SignerSet(uscc, account, epoch, signer.roles, signer.expires, signer.cap);
    }

    function _known(bytes18 uscc) private view returns (Participant storage participant) {
        participant = _participants[uscc];
        if (participant.roles == 0) revert ParticipantUnknown(uscc);
    }

    function _checkRoles(uint32 roles, uint32 all) private pure {
        if (roles == 0 || roles & ~all != 0) revert RolesInvalid(roles);
    }
}
