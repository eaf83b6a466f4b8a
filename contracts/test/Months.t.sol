// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Months} from "../libraries/Months.sol";
import {Test} from "./Test.sol";

contract MonthsTest is Test {
    /// @dev The moments are UTC; `date -u -d @N` shows them. Beijing is eight hours ahead.
    function test_known_moments() public pure {
        _is(0, 1970, 1);
        _is(951_753_600, 2000, 2); // 2000-02-28 16:00:00, leap day begins in Beijing
        _is(951_839_999, 2000, 2); // 2000-02-29 15:59:59
        _is(951_840_000, 2000, 3); // 2000-02-29 16:00:00
        _is(1_582_991_999, 2020, 2); // 2020-02-29 15:59:59
        _is(1_582_992_000, 2020, 3);
        _is(1_614_527_999, 2021, 2); // 2021-02-28 15:59:59, no leap year
        _is(1_614_528_000, 2021, 3);
        _is(1_704_038_399, 2023, 12); // 2023-12-31 15:59:59
        _is(1_704_038_400, 2024, 1);
        _is(1_709_222_399, 2024, 2); // 2024-02-29 15:59:59
        _is(1_709_222_400, 2024, 3);
        _is(4_107_513_599, 2100, 2); // 2100-02-28 15:59:59, no leap year though divisible by 4
        _is(4_107_513_600, 2100, 3);
        _is(4_133_951_999, 2100, 12); // 2100-12-31 15:59:59
        _is(4_133_952_000, 2101, 1);
        _is(13_574_620_799, 2400, 2); // 2400-02-29 15:59:59, a leap year though divisible by 100
        _is(13_574_620_800, 2400, 3);
    }

    function test_every_month_for_two_centuries_begins_at_midnight_in_Beijing() public pure {
        uint256 time = 16 hours + 30 days; // 1970-02-01 00:00:00 in Beijing
        uint32 month = 1970 * 12 + 1;
        while (month < 2170 * 12) {
            equal(Months.monthOf(time - 1), month - 1, "last second");
            equal(Months.monthOf(time), month, "first second");
            time += _length(month) * 1 days;
            ++month;
        }
    }

    function testFuzz_agrees_with_the_slow_calendar(uint256 time) public pure {
        time = within(time, 0, 13_569_465_600); // to the year 2400
        equal(Months.monthOf(time), _slow(time), "month");
    }

    function testFuzz_never_goes_back_nor_skips(uint256 time, uint256 step) public pure {
        time = within(time, 0, type(uint40).max);
        uint32 before = Months.monthOf(time);
        uint32 later = Months.monthOf(time + within(step, 0, 28 days));
        isTrue(later == before || later == before + 1, "next month at most");
    }

    function _is(uint256 time, uint32 year, uint32 month) private pure {
        equal(Months.monthOf(time), year * 12 + month - 1, "month");
    }

    function _slow(uint256 time) private pure returns (uint256 month) {
        uint256 day = (time + 8 hours) / 1 days;
        uint256 year = 1970;
        while (day >= (_leap(year) ? 366 : 365)) {
            day -= _leap(year) ? 366 : 365;
            ++year;
        }
        month = year * 12;
        while (day >= _length(month)) {
            day -= _length(month);
            ++month;
        }
    }

    function _length(uint256 month) private pure returns (uint256) {
        uint256 name = month % 12 + 1;
        if (name == 2) return _leap(month / 12) ? 29 : 28;
        return name == 4 || name == 6 || name == 9 || name == 11 ? 30 : 31;
    }

    function _leap(uint256 year) private pure returns (bool) {
        return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
    }
}
