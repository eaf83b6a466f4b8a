// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Months: the calendar month of a moment in Beijing
library Months {
    uint256 private constant BEIJING = 8 hours;

    /// @notice Month as year * 12 + (month - 1), in Beijing time (UTC+8, no summer time).
    /// @param time seconds since 1970, UTC
    /// @dev Howard Hinnant's civil_from_days, for dates from 1970 on; its divisions are meant to round down.
    // slither-disable-next-line divide-before-multiply
    function monthOf(uint256 time) internal pure returns (uint32) {
        unchecked {
            uint256 day = (time + BEIJING) / 1 days + 719_468; // since 1 March of year 0
            uint256 era = day / 146_097;
            uint256 dayOfEra = day % 146_097;
            uint256 yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
            uint256 dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
            uint256 fromMarch = (5 * dayOfYear + 2) / 153; // 0 = March
            // January and February belong to the next civil year.
            return uint32((yearOfEra + era * 400) * 12 + fromMarch + 2);
        }
    }
}
