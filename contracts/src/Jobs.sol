// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Reasons} from "./interfaces/IJobs.sol";
import {IProviders} from "./interfaces/IProviders.sol";
import {IScheduled} from "./interfaces/IScheduler.sol";
import {JobsSettlement} from "./JobsSettlement.sol";

/// @title Jobs: see IJobs. Here: what people call, and the views.
///
///   Open ──filled──▶ Running ──all (or a majority, the rest gone) sealed──▶ Revealing ──▶ Agreed | Settled | Refunded
///    │ cancel ▶ Cancelled   │ too few seals ▶ Refunded
///    │ start window over ▶ Refunded
contract Jobs is JobsSettlement, IScheduled {
    uint256 internal constant PAGE_MAX = 100;

    function initialize(
        uint256 declineWindow,
        uint256 sealGrace,
        uint256 revealWindow,
        uint256 maxStartWindow,
        uint256 maxSecondsLimit,
        uint256 timeoutSlashBps
    ) external genesisOnce {
        if (declineWindow == 0 || declineWindow > 30 days || sealGrace == 0 || sealGrace > 30 days) revert BadParameters();
        if (revealWindow == 0 || revealWindow > 30 days || maxStartWindow > 365 days) revert BadParameters();
        if (maxSecondsLimit == 0 || maxSecondsLimit > 365 days || timeoutSlashBps > BPS) revert BadParameters();
        _declineWindow = uint32(declineWindow);
        _sealGrace = uint32(sealGrace);
        _revealWindow = uint32(revealWindow);
        _maxStartWindow = uint32(maxStartWindow);
        _maxSecondsLimit = uint32(maxSecondsLimit);
        _timeoutSlashBps = uint16(timeoutSlashBps);
    }

    // ---- the renter

    function submit(Spec calldata spec) external payable returns (uint256 job) {
        _check(spec);
        uint256 price = spec.maxPricePerSecond * spec.replicas * spec.secondsLimit;
        if (msg.value != price) revert WrongValue(msg.value, price);
        job = ++jobCount;
        Entry storage j = _jobs[job];
        _write(j, spec);
        _totalEscrow += price;
        _jobsOf[msg.sender].push(job);
        emit JobSubmitted(job, msg.sender, spec.bundleRoot, spec.replicas, spec.secondsLimit, price);
        if (_fill(job)) return job;
        _enterBook(job);
        _wakeAfter(job, j.deadline);
    }

    function cancel(uint256 job) external {
        Entry storage j = _inState(job, State.Open);
        if (msg.sender != j.renter) revert NotRenter(msg.sender);
        _end(job, j, State.Cancelled, Reasons.REASON_CANCELLED);
    }

    function _check(Spec calldata spec) private view {
        if (spec.replicas == 0 || spec.replicas > REPLICAS_MAX) revert BadReplicas(spec.replicas);
        if (spec.runtime != 0) revert BadRuntime(spec.runtime);
        if (spec.bundleRoot == 0 || spec.bundleSize == 0) revert BadBundle();
        if (spec.secondsLimit == 0 || spec.secondsLimit > _maxSecondsLimit) revert BadSecondsLimit(spec.secondsLimit, _maxSecondsLimit);
        if (spec.startWindow > _maxStartWindow) revert BadStartWindow(spec.startWindow, _maxStartWindow);
        if (spec.maxPricePerSecond == 0 || spec.maxPricePerSecond > type(uint96).max) revert BadPrice(spec.maxPricePerSecond);
        address[] calldata named = spec.providers;
        if (named.length > NAMED_MAX || (named.length != 0 && named.length < spec.replicas)) revert BadProviders();
        for (uint256 i = 1; i < named.length; i++) {
            for (uint256 k = 0; k < i; k++) if (named[i] == named[k]) revert BadProviders();
        }
    }

    function _write(Entry storage j, Spec calldata spec) private {
        j.renter = msg.sender;
        j.state = State.Open;
        j.replicas = spec.replicas;
        j.runtime = spec.runtime;
        j.minComputeCapability = spec.minComputeCapability;
        j.minVramMiB = spec.minVramMiB;
        j.bundleSize = spec.bundleSize;
        j.submittedAt = uint64(block.timestamp);
        j.deadline = uint64(block.timestamp + spec.startWindow);
        j.secondsLimit = spec.secondsLimit;
        j.startWindow = spec.startWindow;
        j.maxPricePerSecond = uint96(spec.maxPricePerSecond);
        j.escrow = uint128(msg.value);
        j.bundleRoot = spec.bundleRoot;
        j.model = spec.model;
        j.named = spec.providers;
    }

    // ---- providers and their workers

    function decline(uint256 job, uint8 reason) external {
        Entry storage j = _inState(job, State.Running);
        if (reason == 0 || reason > Reasons.DECLINE_MAX) revert BadDeclineReason(reason);
        (uint8 index, ReplicaEntry storage r) = _mine(job, j);
        if (r.state != ReplicaState.Assigned) revert AlreadySealed(job, r.provider);
        if (block.timestamp > r.assignedAt + _declineWindow) revert TooLate(job, r.assignedAt + _declineWindow);
        emit JobDeclined(job, index, r.provider, reason);
        IProviders.Finish memory f;
        f.outcome = IProviders.Outcome.Declined;
        _vacate(job, j, index, f);
        _fill(job);
        _advance(job, j);
    }

    function seal(uint256 job, bytes32 commitment) external {
        Entry storage j = _inState(job, State.Running);
        if (commitment == 0) revert ZeroCommitment();
        (uint8 index, ReplicaEntry storage r) = _mine(job, j);
        if (r.state != ReplicaState.Assigned) revert AlreadySealed(job, r.provider);
        if (block.timestamp > r.sealBy) revert TooLate(job, r.sealBy);
        r.state = ReplicaState.Sealed;
        r.commitment = commitment;
        emit JobSealed(job, index, r.provider, commitment);
        _advance(job, j);
    }

    function reveal(uint256 job, bytes32 root, uint8 exitReason, uint64 outputSize, uint32 secondsUsed, bytes32 salt) external {
        Entry storage j = _inState(job, State.Revealing);
        (uint8 index, ReplicaEntry storage r) = _mine(job, j);
        if (r.state == ReplicaState.Revealed) revert AlreadyRevealed(job, r.provider);
        if (block.timestamp > j.deadline) revert TooLate(job, j.deadline);
        if (secondsUsed == 0 || secondsUsed > j.secondsLimit) revert BadSecondsUsed(secondsUsed, j.secondsLimit);
        if (exitReason > Reasons.EXIT_MAX) revert BadExitReason(exitReason);
        if (exitReason != Reasons.EXIT_OK && (root != 0 || outputSize != 0)) revert BadReveal(job, r.provider);
        if (commitmentOf(job, r.provider, root, exitReason, salt) != r.commitment) revert BadReveal(job, r.provider);
        r.state = ReplicaState.Revealed;
        r.root = root;
        r.exitReason = exitReason;
        r.outputSize = outputSize;
        r.secondsUsed = secondsUsed;
        emit JobRevealed(job, index, r.provider, root, exitReason, outputSize, secondsUsed);
        if (_allRevealed(job, j)) _settle(job, j);
    }

    function commitmentOf(uint256 job, address provider, bytes32 root, uint8 exitReason, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(job, provider, root, exitReason, salt));
    }

    /// @dev The caller's replica: as owner, or as the worker of one.
    function _mine(uint256 job, Entry storage j) private view returns (uint8 index, ReplicaEntry storage r) {
        address behind = IProviders(PROVIDERS).providerOf(msg.sender);
        for (index = 0; index < j.replicas; index++) {
            r = _replicas[job][index];
            if (r.state == ReplicaState.Vacant) continue;
            if (r.provider == msg.sender || r.provider == behind) return (index, r);
        }
        revert NotAssigned(job, msg.sender);
    }

    // ---- anybody, and the Scheduler

    function tryMatch(uint256 job) external returns (bool) {
        if (!_inBook[job]) revert NothingToMatch(job);
        return _fill(job);
    }

    function expire(uint256 job) external {
        if (_jobs[job].state == State.None) revert UnknownJob(job);
        if (!_expire(job)) revert NothingToExpire(job);
    }

    function onSchedule(uint8 kind, uint256 id) external only(SCHEDULER) {
        if (kind == KIND_MATCH) _matchRound();
        else _expire(id);
    }

    /// @dev Does what is overdue; false if nothing was.
    function _expire(uint256 job) private returns (bool) {
        Entry storage j = _jobs[job];
        if (j.state == State.Running) return _expireRunning(job, j);
        if (block.timestamp <= j.deadline) return false;
        if (j.state == State.Open) {
            _end(job, j, State.Refunded, Reasons.REASON_NOT_FILLED);
            return true;
        }
        if (j.state == State.Revealing) {
            _settle(job, j);
            return true;
        }
        return false;
    }

    function _expireRunning(uint256 job, Entry storage j) private returns (bool any) {
        for (uint8 index = 0; index < j.replicas; index++) {
            ReplicaEntry storage r = _replicas[job][index];
            if (r.state != ReplicaState.Assigned || block.timestamp <= r.sealBy) continue;
            any = true;
            IProviders.Finish memory f;
            f.outcome = IProviders.Outcome.TimedOut;
            f.slashed = f.toRenter = _timeoutSlash(r);
            emit JobTimedOut(job, index, r.provider, f.slashed);
            _vacate(job, j, index, f);
        }
        if (!_mayReassign(j) && _inBook[job]) {
            any = true;
            _leaveBook(job);
        }
        if (!any) return false;
        _fill(job);
        _advance(job, j);
    }

    function _inState(uint256 job, State state) private view returns (Entry storage j) {
        j = _jobs[job];
        if (j.state == State.None) revert UnknownJob(job);
        if (j.state != state) revert WrongState(job, j.state);
    }

    // ---- views

    function getJob(uint256 job) external view returns (Job memory v) {
        Entry storage j = _jobs[job];
        if (j.state == State.None) revert UnknownJob(job);
        (v.renter, v.state, v.reason, v.exitReason) = (j.renter, j.state, j.reason, j.exitReason);
        (v.root, v.outputSize, v.secondsUsed) = (j.root, j.outputSize, j.secondsUsed);
        (v.submittedAt, v.startedAt, v.deadline) = (j.submittedAt, j.startedAt, j.deadline);
        (v.escrow, v.paid, v.refunded, v.compensated) = (j.escrow, j.paid, j.refunded, j.compensated);
        v.spec.bundleRoot = j.bundleRoot;
        v.spec.bundleSize = j.bundleSize;
        v.spec.runtime = j.runtime;
        v.spec.replicas = j.replicas;
        v.spec.minComputeCapability = j.minComputeCapability;
        v.spec.minVramMiB = j.minVramMiB;
        v.spec.secondsLimit = j.secondsLimit;
        v.spec.startWindow = j.startWindow;
        v.spec.model = j.model;
        v.spec.maxPricePerSecond = j.maxPricePerSecond;
        v.spec.providers = j.named;
    }

    function getReplicas(uint256 job) external view returns (Replica[] memory list) {
        Entry storage j = _jobs[job];
        if (j.state == State.None) revert UnknownJob(job);
        list = new Replica[](j.startedAt == 0 ? 0 : j.replicas);
        for (uint256 i = 0; i < list.length; i++) _view(list[i], _replicas[job][i]);
    }

    function _view(Replica memory v, ReplicaEntry storage r) private view {
        (v.state, v.provider, v.gpuIndex) = (r.state, r.provider, r.gpuIndex);
        (v.assignedAt, v.sealBy) = (r.assignedAt, r.sealBy);
        (v.pricePerSecond, v.reserved) = (r.pricePerSecond, r.reserved);
        (v.commitment, v.root, v.exitReason) = (r.commitment, r.root, r.exitReason);
        (v.outputSize, v.secondsUsed) = (r.outputSize, r.secondsUsed);
        if (r.provider == address(0)) return;
        IProviders.Provider memory p = IProviders(PROVIDERS).provider(r.provider);
        (v.worker, v.endpoint, v.tlsKeyHash) = (p.worker, p.endpoint, p.tlsKeyHash);
    }

    function activeJobs(address provider) external view returns (uint256[] memory) {
        return _active[provider];
    }

    function jobsOf(address renter, uint256 start, uint256 limit) external view returns (uint256[] memory ids, uint256 total) {
        uint256[] storage all = _jobsOf[renter];
        total = all.length;
        uint256 left = start < total ? total - start : 0;
        if (limit > PAGE_MAX) limit = PAGE_MAX;
        ids = new uint256[](left < limit ? left : limit);
        for (uint256 i = 0; i < ids.length; i++) ids[i] = all[start + i];
    }

    function waiting(uint256 after_, uint256 limit) external view returns (uint256[] memory ids) {
        if (limit > PAGE_MAX) limit = PAGE_MAX;
        ids = new uint256[](limit);
        uint256 count = 0;
        for (uint256 job = _book[after_].next; job != 0 && count < limit; job = _book[job].next) ids[count++] = job;
        assembly ("memory-safe") {
            mstore(ids, count)
        }
    }

    function parameters() external view returns (uint256, uint256, uint256, uint256, uint256, uint256) {
        return (_declineWindow, _sealGrace, _revealWindow, _maxStartWindow, _maxSecondsLimit, _timeoutSlashBps);
    }

    function liabilities() external view returns (uint256) {
        return _totalEscrow + _totalCredit;
    }
}
