// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Wallets that sign by ERC-1271, well and badly

/// @dev Two officers must both have signed: two signatures of 65 bytes, one after the other.
contract TwoOfficers {
    address public immutable one;
    address public immutable two;

    constructor(address one_, address two_) {
        (one, two) = (one_, two_);
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        if (signature.length != 130) return 0xffffffff;
        bool both = ECDSA.recover(digest, signature[:65]) == one && ECDSA.recover(digest, signature[65:]) == two;
        return both ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @dev Answers whatever it was told to, by revert or by return.
contract Junk {
    bytes private _answer;
    bool private _reverts;

    constructor(bytes memory answer, bool reverts_) {
        (_answer, _reverts) = (answer, reverts_);
    }

    fallback() external {
        bytes memory answer = _answer;
        bool reverts_ = _reverts;
        assembly {
            if reverts_ { revert(add(answer, 0x20), mload(answer)) }
            return(add(answer, 0x20), mload(answer))
        }
    }
}

/// @dev Calls `target` back while it is asked for its signature, then says yes.
contract Reentrant {
    address public target;
    bytes public call;

    function arm(address target_, bytes calldata call_) external {
        (target, call) = (target_, call_);
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        (bool done,) = target.call(call);
        return done ? bytes4(0xffffffff) : this.isValidSignature.selector;
    }
}

/// @dev Relays calls, as a multicall contract would.
contract Relay {
    function forward(address target, bytes calldata call) external {
        (bool done, bytes memory answer) = target.call(call);
        if (done) return;
        assembly {
            revert(add(answer, 0x20), mload(answer))
        }
    }
}
