// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobsTypes} from "./interfaces/IJobs.sol";
import {IProviders} from "./interfaces/IProviders.sol";
import {IScheduler} from "./interfaces/IScheduler.sol";
import {Pull} from "./Pull.sol";
import {System} from "./System.sol";

/// @title Jobs: the storage, the order book, the lists of who holds what.
/// @dev Invariants:
///      - balance == _totalEscrow + _totalBonds + _totalCredit; _totalEscrow == sum of escrow, _totalBonds of bond;
///      - a job that has ended has no escrow, no running replica and no place in the order book;
///      - a job is in the order book exactly while it is Open, or Running with a vacant replica that may still be filled;
///      - the providers of one job's replicas are distinct, and a provider that left a job never gets it again;
///      - escrow >= sum over the running replicas of price * secondsLimit.
abstract contract JobsStorage is IJobsTypes, System, Pull {
    uint256 internal constant REPLICAS_MAX = 7;
    uint256 internal constant NAMED_MAX = 8;
    uint256 internal constant DROPPED_MAX = 16; // providers that one job may lose before it looks for no more

    uint8 internal constant KIND_JOB = 1;
    uint8 internal constant KIND_MATCH = 2;
    uint8 internal constant KIND_AUDIT = 3;

    uint8 internal constant FLAG_AUDITED = 1; // the draw is over
    uint8 internal constant FLAG_IN_CASE = 2; // Disputes has it
    uint8 internal constant FLAG_CHALLENGED = 4;

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
        address challenger;
        uint64 challengeBy;
        uint16 auditBps;
        uint8 flags; // one word
        uint128 bond;
        uint128 auditPaid; // one word
        bytes32 bundleRoot;
        bytes32 model;
        bytes32 root;
        bytes32 trace;
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
        uint128 reserved;
        uint16 auditBps;
        uint8 demands;
        bool withheld; // one word
        uint64 assignedAt;
        uint64 sealBy;
        uint64 outputSize; // one word
        bytes32 commitment;
        bytes32 root;
        bytes32 trace;
    }

    struct Link {
        uint128 previous;
        uint128 next;
    }

    /// @dev The parameters: two words. See IJobsTypes.Parameters.
    struct Rules {
        uint32 declineWindow;
        uint32 sealGrace;
        uint32 revealWindow;
        uint32 challengeWindow;
        uint32 objectionWindow;
        uint16 timeoutSlashBps;
        uint16 auditFloorBps;
        uint16 newcomerBps;
        uint16 objectionBurnBps;
        uint16 rewardBps; // one word
        uint32 maxStartWindow;
        uint32 maxSecondsLimit;
    }

    Rules internal _rules;
    uint64 internal _matchAt; // when the next round of matching is due; 0: none is

    uint256 public jobCount;
    uint256 internal _totalEscrow;
    uint256 internal _totalBonds; // of challenges that are being judged
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

    function liabilities() external view returns (uint256) {
        return _totalEscrow + _totalBonds + _totalCredit;
    }

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
        return uint256(_rules.declineWindow) + j.secondsLimit + _rules.sealGrace;
    }

    /// @dev Until then a vacant replica may be given to another provider.
    function _reassignBy(Entry storage j) internal view returns (uint256) {
        return j.startedAt + 2 * _sealWindow(j);
    }

    /// @dev The Scheduler calls when `time` has passed.
    function _wakeAfter(uint256 job, uint64 time) internal {
        IScheduler(SCHEDULER).schedule(KIND_JOB, job, time + 1);
    }

    function _inState(uint256 job, State state) internal view returns (Entry storage j) {
        j = _jobs[job];
        if (j.state == State.None) revert UnknownJob(job);
        if (j.state != state) revert WrongState(job, j.state);
    }

    function _tally(uint256 job, Entry storage j) internal view returns (uint256 assigned, uint256 sealed_) {
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaState state = _replicas[job][i].state;
            if (state == ReplicaState.Assigned) assigned++;
            if (state == ReplicaState.Sealed) sealed_++;
        }
    }

    /// @dev The round runs at the block's end on the protocol's gas, so that nobody pays for matching others' jobs.
    ///      At most one a second: what was scheduled for a time that is over is taken as done or dropped.
    function _callMatching(uint256 time) internal {
        if (_matchAt >= block.timestamp || _book[0].next == 0) return;
        _matchAt = uint64(time);
        IScheduler(SCHEDULER).schedule(KIND_MATCH, 0, uint64(time));
    }

    // ---- ends

    /// @dev Tells Providers about a replica; `f` says what.
    function _finish(uint256 job, ReplicaEntry storage r, IProviders.Finish memory f) internal {
        f.job = job;
        f.provider = r.provider;
        f.index = r.gpuIndex;
        IProviders(PROVIDERS).finish(f);
    }

    /// @dev The replica no longer runs, and nothing is at risk by it any more.
    function _finishReplica(uint256 job, ReplicaEntry storage r, IProviders.Finish memory f) internal {
        _removeActive(r.provider, job);
        f.slot = true;
        f.reserved = r.reserved;
        r.reserved = 0;
        _finish(job, r, f);
    }

    /// @dev Slashed stake that `collect` has just taken in.
    function _compensate(uint256 job, Entry storage j, uint256 amount) internal {
        if (amount == 0) return;
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

    function _alone(Entry storage j) internal view returns (bool) {
        return j.replicas == 1 && j.runtime == 0;
    }

    /// @dev A part of what any replica has at risk; not of what one that stands alone has on top of that.
    function _timeoutSlash(Entry storage j, ReplicaEntry storage r) internal view returns (uint256) {
        uint256 base = r.reserved;
        if (_alone(j)) {
            uint256 plain = IProviders(PROVIDERS).stakeFactor() * r.pricePerSecond * j.secondsLimit;
            if (plain < base) base = plain;
        }
        return base * _rules.timeoutSlashBps / BPS;
    }
}
