// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Uscc: the Unified Social Credit Code's alphabet and check digit (GB 32100-2015)
/// @notice Eighteen characters of 0-9 A-Z without I O S V Z; the last is a check character modulo 31.
library Uscc {
    /// @notice Whether all characters are of the alphabet.
    function isWellFormed(bytes18 uscc) internal pure returns (bool) {
        for (uint256 i = 0; i < 18; ++i) {
            if (_value(uint8(uscc[i])) == 31) return false;
        }
        return true;
    }

    /// @notice Whether the code is well formed and its check character is right.
    function isValid(bytes18 uscc) internal pure returns (bool) {
        uint256 sum = 0;
        uint256 weight = 1; // powers of 3 modulo 31
        for (uint256 i = 0; i < 17; ++i) {
            uint256 value = _value(uint8(uscc[i]));
            if (value == 31) return false;
            sum += value * weight;
            weight = (weight * 3) % 31;
        }
        return _value(uint8(uscc[17])) == (31 - (sum % 31)) % 31;
    }

    /// @dev A character's value 0..30, or 31 when it is not of the alphabet.
    function _value(uint8 char) private pure returns (uint256) {
        if (char >= 0x30 && char <= 0x39) return char - 0x30;
        if (char < 0x41 || char > 0x59 || char == 0x49 || char == 0x4F || char == 0x53 || char == 0x56) return 31;
        uint256 value = uint256(char) - 0x41 + 10;
        if (char > 0x49) --value; // I
        if (char > 0x4F) --value; // O
        if (char > 0x53) --value; // S
        if (char > 0x56) --value; // V
        return value;
    }
}
