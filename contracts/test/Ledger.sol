// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What Invoices ought to know, kept in the plainest way
/// @notice Every rule is written here a second time, from the interface's words and not from the code.
contract Ledger {
    struct Shelf {
        bytes18 issuer;
        bytes3 currency;
        uint96 first;
        uint96 next;
        uint96 opened; // last number as opened
        bool closed;
        uint256[] batches; // places in `entries`
    }

    struct Entry {
        uint96 book;
        uint96 first;
        uint16 count;
        uint64 bound;
        bytes32 root;
        uint256 time;
        uint256 blockNumber;
    }

    Shelf[] private _shelves;
    Entry[] private _entries;
    mapping(uint96 first => uint256 placePlusOne) private _places;
    mapping(uint96 number => uint256 times) public issued;
    mapping(bytes18 => mapping(bytes3 => uint96)) public allowance;
    // Most that was ever allowed within the month, and what was spent in it.
    mapping(bytes18 => mapping(bytes3 => mapping(uint256 month => uint96))) public mostAllowed;
    mapping(bytes18 => mapping(bytes3 => mapping(uint256 month => uint256))) public spent;

    function mayOpen(uint96 first, uint96 count) external view returns (bool) {
        if (count == 0 || first == 0 || first + uint256(count) > 1e20) return false;
        uint256 last = uint256(first) + count - 1;
        if (first / 1e15 != last / 1e15) return false;
        for (uint256 i = 0; i < _shelves.length; ++i) {
            Shelf storage other = _shelves[i];
            if (other.first / 1e15 == first / 1e15 && first <= other.opened) return false;
        }
        return true;
    }

    function open(bytes18 issuer, bytes3 currency, uint96 first, uint96 count) external {
        Shelf storage shelf = _shelves.push();
        (shelf.issuer, shelf.currency, shelf.first) = (issuer, currency, first);
        (shelf.next, shelf.opened) = (first, first + count - 1);
        _places[first] = _shelves.length;
    }

    function close(uint96 book) external {
        _shelves[_places[book] - 1].closed = true;
    }

    function allow(bytes18 issuer, bytes3 currency, uint96 amount, uint256 month) external {
        allowance[issuer][currency] = amount;
        if (amount > mostAllowed[issuer][currency][month]) {
            mostAllowed[issuer][currency][month] = amount;
        }
    }

    /// @notice A month begins with what is allowed then.
    function begin(bytes18 issuer, bytes3 currency, uint256 month) public {
        uint96 amount = allowance[issuer][currency];
        if (amount > mostAllowed[issuer][currency][month]) {
            mostAllowed[issuer][currency][month] = amount;
        }
    }

    /// @notice Whether numbers and quota allow the batch; who signed it is another matter.
    function mayIssue(uint96 book, uint96 first, uint256 count, uint64 bound, uint256 month)
        external
        view
        returns (bool)
    {
        if (count == 0 || count > 3000 || _places[book] == 0) return false;
        Shelf storage shelf = _shelves[_places[book] - 1];
        if (shelf.closed || first != shelf.next || first + count - 1 > shelf.opened) return false;
        return spent[shelf.issuer][shelf.currency][month] + bound <= allowance[shelf.issuer][shelf.currency];
    }

    function issue(Entry calldata entry, uint256 month) external returns (bool first) {
        first = true;
        Shelf storage shelf = _shelves[_places[entry.book] - 1];
        for (uint96 number = entry.first; number < entry.first + entry.count; ++number) {
            if (++issued[number] != 1) first = false;
        }
        shelf.next += entry.count;
        shelf.batches.push(_entries.length);
        _entries.push(entry);
        begin(shelf.issuer, shelf.currency, month);
        spent[shelf.issuer][shelf.currency][month] += entry.bound;
    }

    function shelfCount() external view returns (uint256) {
        return _shelves.length;
    }

    function shelfAt(uint256 index) external view returns (Shelf memory) {
        return _shelves[index];
    }

    function shelfOf(uint96 book) external view returns (Shelf memory) {
        return _shelves[_places[book] - 1];
    }

    function entryCount() external view returns (uint256) {
        return _entries.length;
    }

    function entryAt(uint256 index) external view returns (Entry memory) {
        return _entries[index];
    }
}
