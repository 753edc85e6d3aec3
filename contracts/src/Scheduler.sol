// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IScheduler, IScheduled} from "./interfaces/IScheduler.sol";
import {System} from "./System.sol";

/// @title Scheduler: see IScheduler.
/// @dev Items lie in one bucket a second. Invariants:
///      - _cursor <= block.timestamp; no bucket below _cursor holds an item;
///      - in the cursor's bucket the items below _done have run, in every other bucket none has;
///      - an item is deleted before its call, so none runs twice.
contract Scheduler is IScheduler, System {
    /// @dev After a halt of the chain, empty buckets are walked this many a block.
    uint256 internal constant BUCKETS_PER_TICK = 1024;
    uint256 internal constant GAS_RESERVE = 200_000;

    struct Item {
        address target;
        uint8 kind;
        uint88 id;
    }

    uint64 private _cursor;
    uint64 private _done;
    uint64 private _pending;
    uint32 private _itemGas;
    uint16 private _itemsPerTick;
    mapping(uint64 => uint256) private _count;
    mapping(uint64 => mapping(uint256 => Item)) private _items;

    function initialize(uint256 itemGas, uint256 itemsPerTick) external genesisOnce {
        if (itemGas < 3_000_000 || itemGas > 12_000_000 || itemsPerTick == 0 || itemsPerTick > 256) revert BadParameters();
        _itemGas = uint32(itemGas);
        _itemsPerTick = uint16(itemsPerTick);
        _cursor = uint64(block.timestamp);
    }

    function schedule(uint8 kind, uint256 id, uint64 time) external {
        if (!_mayCall(msg.sender)) revert NotAllowed(msg.sender);
        if (id > type(uint88).max) revert BadId(id);
        if (time < _cursor) time = _cursor; // the past is done: as soon as possible
        _items[time][_count[time]++] = Item(msg.sender, kind, uint88(id));
        _pending++;
        emit Scheduled(msg.sender, kind, id, time);
    }

    function _mayCall(address who) private pure returns (bool) {
        return who == JOBS || who == PROVIDERS || who == STAKING || who == DISPUTES || who == CUSTODY;
    }

    function tick() external only(SYSTEM) {
        uint256 left = _itemsPerTick;
        for (uint256 walked = 0; walked < BUCKETS_PER_TICK; walked++) {
            uint64 time = _cursor;
            while (_done < _count[time]) {
                if (left == 0 || !_enoughGas()) return;
                left--;
                _run(time, _done++);
            }
            if (time >= block.timestamp) return; // this second may still get items
            delete _count[time];
            _cursor = time + 1;
            _done = 0;
        }
    }

    function _run(uint64 time, uint256 index) private {
        Item memory item = _items[time][index];
        delete _items[time][index];
        _pending--;
        try IScheduled(item.target).onSchedule{gas: _itemGas}(item.kind, item.id) {}
        catch {
            emit ItemDropped(item.target, item.kind, item.id);
        }
    }

    /// @dev An item always gets its whole gas (EIP-150 keeps a 64th back), so that nobody can make it fail by the
    ///      company it keeps.
    function _enoughGas() private view returns (bool) {
        return gasleft() > uint256(_itemGas) * 64 / 63 + GAS_RESERVE;
    }

    function cursor() external view returns (uint64) {
        return _cursor;
    }

    function pendingAt(uint64 time) external view returns (uint256) {
        return _count[time] - (time == _cursor ? _done : 0);
    }

    function pending() external view returns (uint256) {
        return _pending;
    }

    function liabilities() external pure returns (uint256) {
        return 0;
    }
}
