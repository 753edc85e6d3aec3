// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Addresses and callers that every system contract knows.
/// @dev The runtime code is placed at genesis: no constructor, no immutables, storage begins empty.
abstract contract System {
    /// @dev EIP-4788's caller: only the protocol itself can send from it.
    address internal constant SYSTEM = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE;
    address internal constant STAKING = 0x0000000000000000000000000000000000001001;
    address internal constant PROVIDERS = 0x0000000000000000000000000000000000001002;
    address internal constant JOBS = 0x0000000000000000000000000000000000001003;
    address internal constant SCHEDULER = 0x0000000000000000000000000000000000001005;
    address internal constant DISPUTES = 0x0000000000000000000000000000000000001006;
    address internal constant CUSTODY = 0x0000000000000000000000000000000000001007;
    address internal constant JOBS_COURT = 0x0000000000000000000000000000000000001008;

    uint256 internal constant BPS = 10_000;

    bool private _initialized;

    error NotAllowed(address caller);
    error AlreadyInitialized();
    error BadParameters();

    modifier only(address caller) {
        if (msg.sender != caller) revert NotAllowed(msg.sender);
        _;
    }

    /// @dev For initialize: the system, at genesis, once.
    modifier genesisOnce() {
        if (msg.sender != SYSTEM || block.number != 0) revert NotAllowed(msg.sender);
        if (_initialized) revert AlreadyInitialized();
        _initialized = true;
        _;
    }
}
