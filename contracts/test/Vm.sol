// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title The few cheat codes of forge that the tests use
interface Vm {
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function prank(address sender) external;
    function prank(address sender, address origin) external;
    function expectRevert(bytes calldata data) external;
    function warp(uint256 time) external;
    function roll(uint256 number) external;
    function chainId(uint256 id) external;
    function etch(address account, bytes calldata code) external;
    function snapshotValue(string calldata group, string calldata name, uint256 value) external;
    function cool(address account) external;
}
