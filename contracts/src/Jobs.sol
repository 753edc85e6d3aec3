// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Reasons} from "./interfaces/IJobs.sol";
import {IProviders} from "./interfaces/IProviders.sol";
import {IScheduled} from "./interfaces/IScheduler.sol";
import {JobsMatching} from "./JobsMatching.sol";

interface ICourt {
    function conclude(uint256 job) external returns (bool);
    function drawAudit(uint256 job) external;
}

/// @title Jobs: see IJobs. Here: from the order to the reveals. What comes after them, and the views, is JobsCourt's code,
///        which runs here (delegatecall), on this storage: one contract may not be larger than 24,576 bytes.
///
///   Open ──filled──▶ Running ──all (or a majority, the rest gone) sealed──▶ Revealing ──▶ see JobsCourt
///    │ cancel ▶ Cancelled   │ too few seals ▶ Refunded
///    │ start window over ▶ Refunded
contract Jobs is JobsMatching, IScheduled {
    uint8 internal constant RUNTIME_MAX = 2;

    function initialize(
        uint256 declineWindow,
        uint256 sealGrace,
        uint256 revealWindow,
        uint256 maxStartWindow,
        uint256 maxSecondsLimit,
        uint256 timeoutSlashBps,
        uint256 auditFloorBps,
        uint256 newcomerBps,
        uint256 challengeWindow,
        uint256 objectionWindow,
        uint256 objectionBurnBps,
        uint256 rewardBps
    ) external genesisOnce {
        _checkWindow(declineWindow);
        _checkWindow(sealGrace);
        _checkWindow(revealWindow);
        _checkWindow(challengeWindow);
        _checkWindow(objectionWindow);
        if (maxStartWindow > 365 days || maxSecondsLimit == 0 || maxSecondsLimit > 365 days) revert BadParameters();
        if (timeoutSlashBps > BPS || auditFloorBps > BPS || newcomerBps > BPS) revert BadParameters();
        if (objectionBurnBps > BPS || rewardBps > BPS / 2) revert BadParameters();
        _rules.declineWindow = uint32(declineWindow);
        _rules.sealGrace = uint32(sealGrace);
        _rules.revealWindow = uint32(revealWindow);
        _rules.maxStartWindow = uint32(maxStartWindow);
        _rules.maxSecondsLimit = uint32(maxSecondsLimit);
        _rules.timeoutSlashBps = uint16(timeoutSlashBps);
        _rules.auditFloorBps = uint16(auditFloorBps);
        _rules.newcomerBps = uint16(newcomerBps);
        _rules.challengeWindow = uint32(challengeWindow);
        _rules.objectionWindow = uint32(objectionWindow);
        _rules.objectionBurnBps = uint16(objectionBurnBps);
        _rules.rewardBps = uint16(rewardBps);
    }

    function _checkWindow(uint256 seconds_) private pure {
        if (seconds_ == 0 || seconds_ > 30 days) revert BadParameters();
    }

    // ---- the renter

    function submit(Spec calldata spec) external payable returns (uint256 job) {
        _check(spec);
        uint256 price = priceOf(spec);
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

    /// @dev The last part pays who re-runs the result, and comes back when nobody does.
    function priceOf(Spec calldata spec) public pure returns (uint256) {
        bool mayAudit = spec.runtime == 0 && (spec.replicas == 1 || spec.auditBps != 0);
        return spec.maxPricePerSecond * spec.secondsLimit * (uint256(spec.replicas) + (mayAudit ? 1 : 0));
    }

    function cancel(uint256 job) external {
        Entry storage j = _inState(job, State.Open);
        if (msg.sender != j.renter) revert NotRenter(msg.sender);
        _end(job, j, State.Cancelled, Reasons.REASON_CANCELLED);
    }

    function _check(Spec calldata spec) private view {
        if (spec.replicas == 0 || spec.replicas > REPLICAS_MAX) revert BadReplicas(spec.replicas);
        if (spec.auditBps > BPS) revert BadAuditRate(spec.auditBps);
        if (spec.runtime > RUNTIME_MAX) revert BadRuntime(spec.runtime);
        if (spec.runtime != 0 && (spec.replicas != 1 || spec.auditBps != 0)) revert NotForThisRuntime(spec.runtime);
        if (spec.bundleRoot == 0 || spec.bundleSize == 0) revert BadBundle();
        if (spec.secondsLimit == 0 || spec.secondsLimit > _rules.maxSecondsLimit) {
            revert BadSecondsLimit(spec.secondsLimit, _rules.maxSecondsLimit);
        }
        if (spec.startWindow > _rules.maxStartWindow) revert BadStartWindow(spec.startWindow, _rules.maxStartWindow);
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
        uint16 floor = spec.replicas == 1 && spec.runtime == 0 ? _rules.auditFloorBps : 0;
        j.auditBps = spec.auditBps > floor ? spec.auditBps : floor;
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
        if (block.timestamp > r.assignedAt + _rules.declineWindow) revert TooLate(job, r.assignedAt + _rules.declineWindow);
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

    function reveal(
        uint256 job, bytes32 root, uint8 exitReason, bytes32 trace, uint64 outputSize, uint32 secondsUsed, bytes32 salt
    ) external {
        Entry storage j = _inState(job, State.Revealing);
        (uint8 index, ReplicaEntry storage r) = _mine(job, j);
        if (r.state == ReplicaState.Revealed) revert AlreadyRevealed(job, r.provider);
        if (block.timestamp > j.deadline) revert TooLate(job, j.deadline);
        if (secondsUsed == 0 || secondsUsed > j.secondsLimit) revert BadSecondsUsed(secondsUsed, j.secondsLimit);
        if (exitReason > Reasons.EXIT_MAX) revert BadExitReason(exitReason);
        if (exitReason != Reasons.EXIT_OK && (root != 0 || trace != 0 || outputSize != 0)) revert BadReveal(job, r.provider);
        if (exitReason == Reasons.EXIT_OK && outputSize == 0) revert BadReveal(job, r.provider); // no leaf to ask for
        if (commitmentOf(job, r.provider, root, exitReason, trace, salt) != r.commitment) revert BadReveal(job, r.provider);
        r.state = ReplicaState.Revealed;
        r.root = root;
        r.exitReason = exitReason;
        r.trace = trace;
        r.outputSize = outputSize;
        r.secondsUsed = secondsUsed;
        emit JobRevealed(job, index, r.provider, root, exitReason, trace, outputSize, secondsUsed);
        _callCourt(abi.encodeCall(ICourt.conclude, (job))); // if it was the last
    }

    function commitmentOf(uint256 job, address provider, bytes32 root, uint8 exitReason, bytes32 trace, bytes32 salt)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(job, provider, root, exitReason, trace, salt));
    }

    // ---- from the last seal on

    /// @dev After every change in a Running job: is it time for the next state?
    function _advance(uint256 job, Entry storage j) private {
        (uint256 assigned, uint256 sealed_) = _tally(job, j);
        if (assigned != 0) return;
        if (2 * sealed_ > j.replicas) return _startReveals(job, j);
        if (_mayReassign(j)) return; // the order book may still fill it
        _releaseSealed(job, j);
        _end(job, j, State.Refunded, Reasons.REASON_TOO_FEW_SEALS);
    }

    function _startReveals(uint256 job, Entry storage j) private {
        _leaveBook(job);
        j.state = State.Revealing;
        j.deadline = uint64(block.timestamp + _rules.revealWindow);
        emit JobRevealing(job, j.deadline);
        _wakeAfter(job, j.deadline);
    }

    function _releaseSealed(uint256 job, Entry storage j) private {
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaEntry storage r = _replicas[job][i];
            if (r.state != ReplicaState.Sealed) continue;
            r.state = ReplicaState.Released;
            IProviders.Finish memory f; // Outcome.Released
            _finishReplica(job, r, f);
        }
    }

    /// @dev Payable by itself, so that the fallback need not be: plain transfers stay refused.
    function challenge(uint256) external payable {
        _callCourt(msg.data);
    }

    function _callCourt(bytes memory data) private returns (bytes memory answer) {
        bool ok;
        (ok, answer) = JOBS_COURT.delegatecall(data);
        if (ok) return answer;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }

    fallback(bytes calldata data) external returns (bytes memory) {
        return _callCourt(data);
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
        else if (kind == KIND_AUDIT) _callCourt(abi.encodeCall(ICourt.drawAudit, (id)));
        else _expire(id);
    }

    /// @dev Does what is overdue; false if nothing was.
    function _expire(uint256 job) private returns (bool) {
        Entry storage j = _jobs[job];
        if (j.state == State.Running) return _expireRunning(job, j);
        if (j.state != State.Open) return abi.decode(_callCourt(abi.encodeCall(ICourt.conclude, (job))), (bool));
        if (block.timestamp <= j.deadline) return false;
        _end(job, j, State.Refunded, Reasons.REASON_NOT_FILLED);
        return true;
    }

    function _expireRunning(uint256 job, Entry storage j) private returns (bool any) {
        for (uint8 index = 0; index < j.replicas; index++) {
            ReplicaEntry storage r = _replicas[job][index];
            if (r.state != ReplicaState.Assigned || block.timestamp <= r.sealBy) continue;
            any = true;
            IProviders.Finish memory f;
            f.outcome = IProviders.Outcome.TimedOut;
            f.slashed = f.toJobs = _timeoutSlash(j, r);
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
}
