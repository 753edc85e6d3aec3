// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobs} from "./interfaces/IJobs.sol";
import {IProviders} from "./interfaces/IProviders.sol";
import {IScheduler} from "./interfaces/IScheduler.sol";
import {Pull} from "./Pull.sol";
import {System} from "./System.sol";

/// @title Jobs: the storage, the order book, the lists of who holds what.
/// @dev Invariants:
///      - balance == _totalEscrow + _totalCredit; _totalEscrow == sum of escrow;
///      - a job that has ended has no escrow, no running replica and no place in the order book;
///      - a job is in the order book exactly while it is Open, or Running with a vacant replica that may still be filled;
///      - the providers of one job's replicas are distinct, and a provider that left a job never gets it again;
///      - escrow >= sum over the running replicas of price * secondsLimit.
abstract contract JobsStorage is IJobs, System, Pull {
    uint256 internal constant REPLICAS_MAX = 7;
    uint256 internal constant NAMED_MAX = 8;
    uint256 internal constant DROPPED_MAX = 16; // providers that one job may lose before it looks for no more

    uint8 internal constant KIND_JOB = 1;
    uint8 internal constant KIND_MATCH = 2;

    struct Entry {
        address renter;
        State state;
        uint8 reason;
        uint8 exitReason;
        uint8 replicas;
        uint8 runtime;
        uint16 minComputeCapability;
        uint32 minVramMiB; // one word
        uint64 bundleSize;
        uint64 submittedAt;
        uint64 startedAt;
        uint64 deadline; // one word
        uint64 outputSize;
        uint32 secondsLimit;
        uint32 startWindow;
        uint32 secondsUsed;
        uint96 maxPricePerSecond; // one word
        uint128 escrow;
        uint128 paid; // one word
        uint128 refunded;
        uint128 compensated; // one word
        bytes32 bundleRoot;
        bytes32 model;
        bytes32 root;
        address[] named;
        address[] dropped;
    }

    struct ReplicaEntry {
        address provider;
        ReplicaState state;
        uint8 gpuIndex;
        uint8 exitReason;
        uint32 secondsUsed; // one word
        uint96 pricePerSecond;
        uint128 reserved; // one word
        uint64 assignedAt;
        uint64 sealBy;
        uint64 outputSize; // one word
        bytes32 commitment;
        bytes32 root;
    }

    struct Link {
        uint128 previous;
        uint128 next;
    }

    uint32 internal _declineWindow;
    uint32 internal _sealGrace;
    uint32 internal _revealWindow;
    uint32 internal _maxStartWindow;
    uint32 internal _maxSecondsLimit;
    uint16 internal _timeoutSlashBps;
    uint64 internal _matchAt; // when the next round of matching is due; 0: none is

    uint256 public jobCount;
    uint256 internal _totalEscrow;
    mapping(uint256 => Entry) internal _jobs;
    mapping(uint256 => mapping(uint256 => ReplicaEntry)) internal _replicas;
    mapping(address => uint256[]) internal _jobsOf;
    mapping(address => uint256[]) internal _active;
    mapping(address => mapping(uint256 => uint256)) private _activePlace; // place + 1

    /// @dev The order book: a ring through item 0, oldest first.
    mapping(uint256 => Link) internal _book;
    mapping(uint256 => bool) internal _inBook;
    uint256 internal _nextTry; // where matching goes on; 0: at the head

    function _enterBook(uint256 job) internal {
        if (_inBook[job]) return;
        _inBook[job] = true;
        uint128 last = _book[0].previous;
        _book[job] = Link(last, 0);
        _book[last].next = uint128(job);
        _book[0].previous = uint128(job);
    }

    function _leaveBook(uint256 job) internal {
        if (!_inBook[job]) return;
        delete _inBook[job];
        Link memory link = _book[job];
        _book[link.previous].next = link.next;
        _book[link.next].previous = link.previous;
        delete _book[job];
        if (_nextTry == job) _nextTry = link.next;
    }

    function _addActive(address provider, uint256 job) internal {
        _active[provider].push(job);
        _activePlace[provider][job] = _active[provider].length;
    }

    function _removeActive(address provider, uint256 job) internal {
        uint256[] storage list = _active[provider];
        uint256 place = _activePlace[provider][job];
        uint256 last = list[list.length - 1];
        list[place - 1] = last;
        _activePlace[provider][last] = place;
        list.pop();
        delete _activePlace[provider][job];
    }

    // ---- money

    /// @dev From escrow to somebody's credit.
    function _payOut(Entry storage j, address to, uint256 amount) internal {
        j.escrow -= uint128(amount);
        _totalEscrow -= amount;
        _credit(to, amount);
    }

    function _refundRest(uint256 job, Entry storage j) internal {
        uint256 amount = j.escrow;
        if (amount == 0) return;
        j.refunded = uint128(amount);
        _payOut(j, j.renter, amount);
        emit Refunded(job, j.renter, amount);
    }

    // ---- time

    /// @dev From assignment to the last moment to seal.
    function _sealWindow(Entry storage j) internal view returns (uint256) {
        return uint256(_declineWindow) + j.secondsLimit + _sealGrace;
    }

    /// @dev Until then a vacant replica may be given to another provider.
    function _reassignBy(Entry storage j) internal view returns (uint256) {
        return j.startedAt + 2 * _sealWindow(j);
    }

    /// @dev The Scheduler calls when `time` has passed.
    function _wakeAfter(uint256 job, uint64 time) internal {
        IScheduler(SCHEDULER).schedule(KIND_JOB, job, time + 1);
    }

    // ---- ends

    /// @dev The replica no longer runs; its provider is told how it ended.
    function _finishReplica(uint256 job, ReplicaEntry storage r, IProviders.Finish memory f) internal {
        _removeActive(r.provider, job);
        f.job = job;
        f.provider = r.provider;
        f.index = r.gpuIndex;
        f.reserved = r.reserved;
        IProviders(PROVIDERS).finish(f);
        if (f.toRenter != 0) _compensate(job, f.toRenter);
    }

    /// @dev Slashed stake that `collect` has just taken in.
    function _compensate(uint256 job, uint256 amount) private {
        Entry storage j = _jobs[job];
        j.compensated += uint128(amount);
        _credit(j.renter, amount);
        emit Compensated(job, j.renter, amount);
    }

    function _end(uint256 job, Entry storage j, State state, uint8 reason) internal {
        _leaveBook(job);
        j.state = state;
        j.reason = reason;
        j.deadline = uint64(block.timestamp);
        emit JobSettled(job, state, reason, j.root, j.exitReason);
        _refundRest(job, j);
    }

    function _timeoutSlash(ReplicaEntry storage r) internal view returns (uint256) {
        return uint256(r.reserved) * _timeoutSlashBps / BPS;
    }
}
