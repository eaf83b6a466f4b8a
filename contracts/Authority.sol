// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title Authority: which agency may call what
/// @notice OpenZeppelin's AccessManager as it is, with the agencies' roles named. `ADMIN_ROLE` (0) governs: it grants
/// roles to agencies' addresses, maps functions to roles and sets delays.
contract Authority is AccessManager {
    /// @notice Opens books, sets quotas, admits, suspends and reinstates participants.
    uint64 public constant TAX_BUREAU = 1;
    /// @notice Replaces all signers of a participant that has lost its keys.
    uint64 public constant RECOVERY = 2;

    /// @param initialAdmin address that governs first; hand it to a multi-officer wallet in production
    constructor(address initialAdmin) AccessManager(initialAdmin) {
        emit RoleLabel(TAX_BUREAU, "tax bureau");
        emit RoleLabel(RECOVERY, "recovery");
    }
}
