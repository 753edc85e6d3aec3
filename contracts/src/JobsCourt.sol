// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobs, Reasons} from "./interfaces/IJobs.sol";
import {IProviders} from "./interfaces/IProviders.sol";
import {JobsStorage} from "./JobsStorage.sol";

/// @title Jobs: from the last reveal to the money; the views. Runs as Jobs.
contract JobsCourt is JobsStorage {
    uint256 internal constant PAGE_MAX = 100;

    function initialize() external genesisOnce {}

    function conclude(uint256 job) external returns (bool) {
        Entry storage j = _jobs[job];
        if (j.state != State.Revealing) return false;
        (, uint256 sealed_) = _tally(job, j);
        if (sealed_ != 0 && block.timestamp <= j.deadline) return false;
        _settle(job, j);
        return true;
    }

    function drawAudit(uint256) external only(SCHEDULER) {}

    function challenge(uint256 job) external payable {
        _inState(job, State.Agreed);
        revert AlreadyChallenged(job);
    }

    function challengeBond(uint256) external pure returns (uint256) {
        return 0;
    }

    function accept(uint256 job) external view {
        _inState(job, State.Accepting);
    }

    function object(uint256 job) external view {
        _inState(job, State.Accepting);
    }

    function onVerdict(uint256, Verdict calldata, uint256, address) external only(DISPUTES) {}

    function onDemand(uint256 job, uint8 replicaIndex, address) external view only(CUSTODY) returns (address, bytes32, uint64) {
        revert NothingHeld(job, replicaIndex);
    }

    function onAnswer(uint256, uint8, bool) external only(CUSTODY) {}

    struct Tally {
        uint256 votes; // for the most frequent result
        bytes32 result; // root and exit reason
        uint256 winner; // a replica that reported it
        uint8 exitReason;
    }

    function _settle(uint256 job, Entry storage j) internal {
        Tally memory verdict = _count(job, j);
        if (2 * verdict.votes > j.replicas) {
            _pay(job, j, verdict);
            _judge(job, j, verdict);
            bool all = verdict.votes == j.replicas;
            _end(job, j, State.Agreed, all ? Reasons.REASON_ALL_AGREED : Reasons.REASON_MAJORITY);
        } else {
            verdict.votes = 0;
            _judge(job, j, verdict);
            _end(job, j, State.Refunded, Reasons.REASON_NO_MAJORITY);
        }
        _callMatching(block.timestamp); // slots are free again
    }

    function _resultOf(ReplicaEntry storage r) private view returns (bytes32) {
        return keccak256(abi.encode(r.root, r.exitReason, r.trace));
    }

    function _count(uint256 job, Entry storage j) private view returns (Tally memory best) {
        for (uint256 i = 0; i < j.replicas; i++) {
            if (_replicas[job][i].state != ReplicaState.Revealed) continue;
            bytes32 result = _resultOf(_replicas[job][i]);
            uint256 votes = 0;
            for (uint256 k = 0; k < j.replicas; k++) {
                ReplicaEntry storage other = _replicas[job][k];
                if (other.state == ReplicaState.Revealed && _resultOf(other) == result) votes++;
            }
            if (votes > best.votes) best = Tally(votes, result, i, _replicas[job][i].exitReason);
        }
    }

    function _wins(ReplicaEntry storage r, Tally memory verdict) private view returns (bool) {
        return verdict.votes != 0 && r.state == ReplicaState.Revealed && _resultOf(r) == verdict.result;
    }

    function _pay(uint256 job, Entry storage j, Tally memory verdict) private {
        ReplicaEntry storage winner = _replicas[job][verdict.winner];
        (j.root, j.exitReason, j.trace, j.outputSize) = (winner.root, winner.exitReason, winner.trace, winner.outputSize);
        uint32 used = _medianSeconds(job, j, verdict);
        j.secondsUsed = used;
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaEntry storage r = _replicas[job][i];
            if (!_wins(r, verdict)) continue;
            uint256 amount = uint256(r.pricePerSecond) * used;
            IProviders.Finish memory f;
            (f.outcome, f.secondsUsed, f.earned) = (IProviders.Outcome.Agreed, used, amount);
            _finishReplica(job, r, f);
            j.paid += uint128(amount);
            _payOut(j, r.provider, amount);
            emit Paid(job, r.provider, amount);
        }
    }

    /// @dev Lower median, so that half of the majority must exaggerate before anybody gains by it.
    function _medianSeconds(uint256 job, Entry storage j, Tally memory verdict) private view returns (uint32) {
        uint32[] memory sorted = new uint32[](verdict.votes);
        uint256 count = 0;
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaEntry storage r = _replicas[job][i];
            if (!_wins(r, verdict)) continue;
            uint32 value = r.secondsUsed;
            uint256 k = count++;
            for (; k > 0 && sorted[k - 1] > value; k--) sorted[k] = sorted[k - 1];
            sorted[k] = value;
        }
        assert(count == verdict.votes);
        return sorted[(count - 1) / 2];
    }

    /// @dev Ends the replicas that are not paid. The renter is made whole from the faults first, in replica order.
    function _judge(uint256 job, Entry storage j, Tally memory verdict) private {
        uint256 owed = j.paid;
        for (uint256 i = 0; i < j.replicas; i++) {
            if (_penalty(j, _replicas[job][i], verdict) != 0) owed += _timeoutSlash(j, _replicas[job][i]);
        }
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaEntry storage r = _replicas[job][i];
            if (r.state == ReplicaState.Vacant) continue;
            if (_wins(r, verdict)) {
                r.state = ReplicaState.Paid;
                continue;
            }
            IProviders.Finish memory f;
            f.slashed = _penalty(j, r, verdict);
            f.toJobs = f.slashed < owed ? f.slashed : owed;
            owed -= f.toJobs;
            f.outcome = f.slashed == 0 ? IProviders.Outcome.Released : IProviders.Outcome.Faulted;
            r.state = f.slashed == 0 ? ReplicaState.Released : ReplicaState.Faulted;
            if (f.slashed != 0) emit ReplicaFaulted(job, uint8(i), r.provider, f.slashed);
            _finishReplica(job, r, f);
            _compensate(job, j, f.toJobs);
        }
    }

    /// @dev What a replica that ends now loses. Memory and time limits bite on one machine and not on another, so a
    ///      difference that comes from them costs little or, for the faster machine, nothing.
    function _penalty(Entry storage j, ReplicaEntry storage r, Tally memory verdict) private view returns (uint256) {
        if (r.state == ReplicaState.Sealed) return r.reserved; // sealed, then silent
        if (r.state != ReplicaState.Revealed || verdict.votes == 0 || _wins(r, verdict)) return 0;
        if (_soft(r.exitReason)) return _timeoutSlash(j, r);
        return _soft(verdict.exitReason) ? 0 : r.reserved;
    }

    function _soft(uint8 exitReason) private pure returns (bool) {
        return exitReason == Reasons.EXIT_TIME || exitReason == Reasons.EXIT_MEMORY;
    }

    // ---- views

    function getJob(uint256 job) external view returns (Job memory v) {
        Entry storage j = _jobs[job];
        if (j.state == State.None) revert UnknownJob(job);
        (v.renter, v.state, v.reason, v.exitReason) = (j.renter, j.state, j.reason, j.exitReason);
        (v.root, v.trace, v.outputSize, v.secondsUsed) = (j.root, j.trace, j.outputSize, j.secondsUsed);
        (v.submittedAt, v.startedAt, v.deadline) = (j.submittedAt, j.startedAt, j.deadline);
        (v.escrow, v.paid, v.refunded, v.compensated) = (j.escrow, j.paid, j.refunded, j.compensated);
        (v.challengeBy, v.challenger, v.bond, v.auditPaid) = (j.challengeBy, j.challenger, j.bond, j.auditPaid);
        v.mayAudit = j.state == State.Auditing && j.flags & FLAG_AUDITED == 0;
        v.inCase = j.flags & FLAG_IN_CASE != 0;
        v.challenged = j.flags & FLAG_CHALLENGED != 0;
        v.spec.bundleRoot = j.bundleRoot;
        v.spec.bundleSize = j.bundleSize;
        v.spec.runtime = j.runtime;
        v.spec.replicas = j.replicas;
        v.spec.auditBps = j.auditBps;
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
        (v.auditBps, v.demands, v.withheld) = (r.auditBps, r.demands, r.withheld);
        (v.commitment, v.root, v.exitReason, v.trace) = (r.commitment, r.root, r.exitReason, r.trace);
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

    function parameters() external view returns (Parameters memory p) {
        Rules storage r = _rules;
        (p.declineWindow, p.sealGrace, p.revealWindow) = (r.declineWindow, r.sealGrace, r.revealWindow);
        (p.maxStartWindow, p.maxSecondsLimit, p.timeoutSlashBps) = (r.maxStartWindow, r.maxSecondsLimit, r.timeoutSlashBps);
        (p.auditFloorBps, p.newcomerBps, p.challengeWindow) = (r.auditFloorBps, r.newcomerBps, r.challengeWindow);
        (p.objectionWindow, p.objectionBurnBps, p.rewardBps) = (r.objectionWindow, r.objectionBurnBps, r.rewardBps);
    }
}
