// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Scheduler: the expiry queue that the protocol itself runs at each block's end.
/// @notice Lives at 0x…1005. Times are unix seconds. It never holds money.
///
/// initialize(uint256 itemGas, uint256 itemsPerTick)   system, genesis, once
interface IScheduler {
    event Scheduled(address indexed target, uint8 kind, uint256 indexed id, uint64 time);
    /// @dev The item's call failed; it is dropped and can still be done by hand (for a job: Jobs.expire).
    event ItemDropped(address indexed target, uint8 kind, uint256 indexed id);

    error BadId(uint256 id);

    /// @notice Jobs, Providers, Staking, Disputes and Custody only: call onSchedule(kind, id) on the caller at or after `time`. id < 2^88.
    function schedule(uint8 kind, uint256 id, uint64 time) external;
    /// @notice System only, at each block's end. Bounded items, buckets and gas; never reverts because of an item.
    function tick() external;

    /// @notice The first second whose bucket is not yet done.
    function cursor() external view returns (uint64);
    /// @notice Items filed for a second and not yet run.
    function pendingAt(uint64 time) external view returns (uint256);
    /// @notice Items filed and not yet run, in all.
    function pending() external view returns (uint256);
    function liabilities() external view returns (uint256);
}

/// @notice What the Scheduler calls.
interface IScheduled {
    function onSchedule(uint8 kind, uint256 id) external;
}
