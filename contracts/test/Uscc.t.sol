// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Uscc} from "../libraries/Uscc.sol";
import {Test} from "./Test.sol";

contract UsccTest is Test {
    /// @dev GB 32100-2015 table 1, in order of the values 0 to 30.
    bytes private constant ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY";

    /// @dev From public company records, public bodies' pages, python-stdnum's doctests and GB 32100-2015 itself.
    function test_real_codes_are_valid() public pure {
        _valid("91350000611528672E");
        _valid("911301002360444643");
        _valid("91320500628396530U");
        _valid("91110106335516068G");
        _valid("9145080070864475XF");
        _valid("91330000717612987P");
        _valid("9112000071821557X4");
        _valid("12100000400000624D"); // a university
        _valid("91110000600037341L"); // python-stdnum
        _valid("91350100M000100Y43"); // the standard's own example
    }

    /// @dev Four companies' codes as published, with a wrong check digit: the bureau may admit them all the same.
    function test_real_codes_with_a_wrong_check_digit_are_well_formed_only() public pure {
        _wellFormedOnly("91350203M0001QKT19");
        _wellFormedOnly("91350211M0000XUF46");
        _wellFormedOnly("91350100M0001TGQXM");
        _wellFormedOnly("91350628M0000K0H44");
    }

    function test_what_is_outside_the_alphabet_is_neither() public pure {
        _neither("91350000611528672e");
        _neither("9135000061152867 E");
        _neither("9135000061152867-E");
        _neither("I1350000611528672E");
        _neither("91350000O11528672E");
        _neither("9135000061152867SE");
        _neither("9V350000611528672E");
        _neither("91350000611528672Z");
        _neither("91350000611528672");
        _neither(bytes18(0));
        _neither(~bytes18(0));
    }

    function testFuzz_exactly_one_check_character_is_right(uint256 seed) public pure {
        bytes memory code = _code(seed);
        uint256 right = 0;
        for (uint256 i = 0; i < 31; ++i) {
            code[17] = ALPHABET[i];
            isTrue(Uscc.isWellFormed(bytes18(bytes(code))), "well formed");
            if (!Uscc.isValid(bytes18(bytes(code)))) continue;
            ++right;
            equal(i, _slowCheck(code), "check character");
        }
        equal(right, 1, "right ones");
    }

    function testFuzz_one_changed_character_or_two_swapped_are_noticed(uint256 seed, uint256 place, uint256 other)
        public
        pure
    {
        bytes memory code = _code(seed);
        code[17] = ALPHABET[_slowCheck(code)];
        isTrue(Uscc.isValid(bytes18(bytes(code))), "valid");
        place = within(place, 0, 16);

        (bytes1 kept, bytes1 next) = (code[place], code[place + 1]);
        code[place] = ALPHABET[within(other, 0, 30)];
        isTrue(Uscc.isValid(bytes18(bytes(code))) == (code[place] == kept), "changed");

        if (place == 16) return; // the check character itself has no weight of its own
        (code[place], code[place + 1]) = (next, kept);
        isTrue(Uscc.isValid(bytes18(bytes(code))) == (next == kept), "swapped");
    }

    function testFuzz_well_formed_means_of_the_alphabet(bytes18 any, uint256 place) public pure {
        bytes memory code = bytes.concat(any);
        for (uint256 i = 0; i < 18; ++i) {
            if (i != place % 18) code[i] = ALPHABET[uint8(code[i]) % 31];
        }
        isTrue(Uscc.isWellFormed(bytes18(code)) == _known(any[place % 18]), "well formed");
    }

    function _valid(bytes18 code) private pure {
        isTrue(Uscc.isValid(code) && Uscc.isWellFormed(code), string(bytes.concat(code)));
    }

    function _wellFormedOnly(bytes18 code) private pure {
        isTrue(!Uscc.isValid(code) && Uscc.isWellFormed(code), string(bytes.concat(code)));
    }

    function _neither(bytes18 code) private pure {
        isTrue(!Uscc.isValid(code) && !Uscc.isWellFormed(code), string(bytes.concat(code)));
    }

    function _code(uint256 seed) private pure returns (bytes memory code) {
        code = new bytes(18);
        for (uint256 i = 0; i < 17; ++i) {
            code[i] = ALPHABET[uint256(keccak256(abi.encode(seed, i))) % 31];
        }
    }

    /// @dev Weights as printed in the standard, not computed.
    function _slowCheck(bytes memory code) private pure returns (uint256) {
        uint8[17] memory weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
        uint256 sum = 0;
        for (uint256 i = 0; i < 17; ++i) {
            sum += _valueOf(code[i]) * weights[i];
        }
        return sum % 31 == 0 ? 0 : 31 - sum % 31;
    }

    function _known(bytes1 char) private pure returns (bool) {
        return _valueOf(char) < 31;
    }

    function _valueOf(bytes1 char) private pure returns (uint256 value) {
        while (value < 31 && ALPHABET[value] != char) ++value;
    }
}
