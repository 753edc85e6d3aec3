// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What the RPC tests deploy and call: rpc.test.mjs holds its compiled code (solc 0.8.37, optimizer 200 runs, Cancun).
contract Probe {
    event Stored(address indexed sender, uint256 indexed value, string note);
    error TooBig(uint256 given, uint256 most);

    uint256 public value;

    constructor(uint256 first) {
        value = first;
    }

    function store(uint256 next, string calldata note) external payable {
        if (next > 1000) revert TooBig(next, 1000);
        value = next;
        emit Stored(msg.sender, next, note);
    }

    function fail() external pure {
        revert("no luck");
    }

    function spin() external view {
        while (gasleft() > 0) {}
    }
}
