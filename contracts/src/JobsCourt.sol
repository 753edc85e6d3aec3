// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Reasons} from "./interfaces/IJobs.sol";
import {IDisputes} from "./interfaces/IDisputes.sol";
import {IProviders} from "./interfaces/IProviders.sol";
import {IScheduler} from "./interfaces/IScheduler.sol";
import {JobsSettlement} from "./JobsSettlement.sol";

/// @title Jobs: from the last reveal to the end, and the views. This code runs as Jobs (delegatecall), on its storage; by
///        itself, at 0x…1008, it knows no job and holds nothing.
///
///   Revealing ─┬─ a majority agrees ──▶ (Auditing) ──▶ Agreed ──challenge, other verdict──▶ Overturned
///              │                           │ another result
///              ├─ results differ ──────▶ Disputed ──verdict──▶ Settled (none: Refunded)
///              ├─ nobody revealed ─────▶ Refunded
///              └─ no verdict possible ─▶ Accepting ──accepted, or time──▶ Agreed (objection: Refunded)
contract JobsCourt is JobsSettlement {
    uint256 internal constant PAGE_MAX = 100;
    uint256 internal constant DEMANDS_MAX = 4;
    uint256 internal constant DRAW_PATIENCE = 60; // the Scheduler's draw is late: it may be called for again

    function initialize() external genesisOnce {}

    /// @dev Does what is due from the reveals on; false if nothing was.
    function conclude(uint256 job) public returns (bool) {
        Entry storage j = _jobs[job];
        if (j.state == State.Revealing) return _endReveals(job, j);
        if (j.state == State.Auditing) return _callDraw(job, j);
        if (j.state == State.Accepting) return _endAccepting(job, j);
        if (j.state != State.Agreed && j.state != State.Settled) return false;
        if (block.timestamp <= j.challengeBy || j.flags & FLAG_IN_CASE != 0) return false;
        return _releaseHeld(job, j);
    }

    // ---- the end of the reveals

    function _endReveals(uint256 job, Entry storage j) private returns (bool) {
        (, uint256 sealed_) = _tally(job, j);
        if (sealed_ != 0 && block.timestamp <= j.deadline) return false;
        Count memory c = _count(job, j);
        if (c.revealed == 0) {
            Result memory none;
            _refund(job, j, none, Reasons.REASON_NO_MAJORITY, true);
        } else if (j.runtime != 0) {
            _startAccepting(job, j);
        } else if (c.differ || 2 * c.votes <= j.replicas) {
            _freeSlots(job, j);
            _dispute(job, j);
        } else {
            _agree(job, j, _replicas[job][c.winner]);
        }
        return true;
    }

    function _agree(uint256 job, Entry storage j, ReplicaEntry storage winner) private {
        _writeResult(j, winner.root, winner.exitReason, winner.trace);
        uint16 rate = _alone(j) ? winner.auditBps : j.auditBps;
        if (rate == 0) return _endAgreed(job, j, true);
        j.state = State.Auditing;
        j.secondsUsed = _medianSeconds(job, j, _keyOf(winner));
        j.deadline = uint64(block.timestamp + DRAW_PATIENCE);
        emit JobAuditing(job, rate, winner.root, winner.exitReason, winner.trace);
        _freeSlots(job, j);
        IScheduler(SCHEDULER).schedule(KIND_AUDIT, job, uint64(block.timestamp + 1));
    }

    function _endAgreed(uint256 job, Entry storage j, bool slot) private {
        Result memory result = _agreed(j);
        bool all = _votesFor(job, j, result.key) == j.replicas;
        bool any = _pay(job, j, result, slot);
        _punish(job, j, result, j.paid + j.auditPaid, 0, address(0), slot);
        if (!any) _end(job, j, State.Refunded, Reasons.REASON_WITHHELD);
        else _end(job, j, State.Agreed, all ? Reasons.REASON_ALL_AGREED : Reasons.REASON_MAJORITY);
        _callMatching(block.timestamp);
    }

    /// @dev Nobody is paid; who sealed and was silent loses its stake all the same.
    function _refund(uint256 job, Entry storage j, Result memory result, uint8 reason, bool slot) private {
        _punish(job, j, result, 0, 0, address(0), slot);
        _end(job, j, State.Refunded, reason);
        _callMatching(block.timestamp);
    }

    // ---- audits and cases

    /// @notice The Scheduler only, at the end of a block after the last reveal: so nobody who could still choose whether to
    ///         reveal knows the draw.
    function drawAudit(uint256 job) external only(SCHEDULER) {
        Entry storage j = _jobs[job];
        if (j.state != State.Auditing || j.flags & FLAG_AUDITED != 0) return;
        j.flags |= FLAG_AUDITED;
        uint256 rate = _alone(j) ? _replicas[job][0].auditBps : j.auditBps;
        bool drawn = uint256(keccak256(abi.encode(block.prevrandao, job, KIND_AUDIT))) % BPS < rate;
        emit AuditDrawn(job, drawn);
        if (drawn) _open(job, j, IDisputes.Kind.Audit, j.secondsUsed);
        else _endAgreed(job, j, false);
    }

    /// @dev Anybody may call for a draw that did not come, and nobody may make it.
    function _callDraw(uint256 job, Entry storage j) private returns (bool) {
        if (j.flags & FLAG_AUDITED != 0 || block.timestamp <= j.deadline) return false;
        j.deadline = uint64(block.timestamp + DRAW_PATIENCE);
        IScheduler(SCHEDULER).schedule(KIND_AUDIT, job, uint64(block.timestamp + 1));
        return true;
    }

    function _dispute(uint256 job, Entry storage j) private {
        j.state = State.Disputed;
        emit JobDisputed(job);
        _open(job, j, IDisputes.Kind.Dispute, _medianSeconds(job, j, 0));
    }

    function _open(uint256 job, Entry storage j, IDisputes.Kind kind, uint256 seconds_) private {
        j.flags |= FLAG_IN_CASE;
        IDisputes(DISPUTES).open(
            IDisputes.Opening({
                job: job,
                kind: kind,
                secondsLimit: j.secondsLimit,
                sealGrace: _rules.declineWindow + _rules.sealGrace,
                revealWindow: _rules.revealWindow,
                feePerSeat: j.maxPricePerSecond * seconds_,
                bondPerSeat: uint256(j.maxPricePerSecond) * j.secondsLimit
            })
        );
    }

    function onVerdict(uint256 job, Verdict calldata v, uint256 wanted, address finder) external only(DISPUTES) {
        Entry storage j = _jobs[job];
        j.flags &= ~FLAG_IN_CASE;
        Result memory result = Result(v.found, _key(v.root, v.exitReason, v.trace), v.exitReason);
        if (j.state == State.Auditing) return _onAudit(job, j, result, wanted);
        if (j.state == State.Disputed) return _onDispute(job, j, result, v, wanted, finder);
        assert(j.state == State.Agreed);
        _onChallenge(job, j, result, v, wanted);
    }

    /// @dev An auditor whose machine was too small or too slow has not said anything about the result.
    function _onAudit(uint256 job, Entry storage j, Result memory result, uint256 wanted) private {
        bool same = result.key == _agreed(j).key;
        if (result.found && !same && !_soft(result.exitReason)) return _dispute(job, j);
        if (result.found && same) _payJudges(job, j, wanted);
        _endAgreed(job, j, false);
    }

    function _onDispute(
        uint256 job, Entry storage j, Result memory result, Verdict calldata v, uint256 wanted, address finder
    ) private {
        if (!_says(job, j, result)) {
            result.found = false;
            return _refund(job, j, result, Reasons.REASON_NO_VERDICT, false);
        }
        _writeResult(j, v.root, v.exitReason, v.trace);
        _pay(job, j, result, false);
        uint256 taken = _punish(job, j, result, j.paid + j.auditPaid, wanted, finder, false);
        _sendToJudges(job, taken);
        uint256 part = _auditPart(j);
        _payJudges(job, j, wanted - taken < part ? wanted - taken : part);
        _end(job, j, State.Settled, Reasons.REASON_COMMITTEE);
        _callMatching(block.timestamp);
    }

    /// @dev Judges whose machines ran out of time or memory have a say only if a replica did too.
    function _says(uint256 job, Entry storage j, Result memory result) private view returns (bool) {
        return result.found && (!_soft(result.exitReason) || _votesFor(job, j, result.key) != 0);
    }

    // ---- challenges

    function challengeBond(uint256 job) public view returns (uint256) {
        Entry storage j = _jobs[job];
        (, uint256 seats,,,) = IDisputes(DISPUTES).parameters();
        return seats * j.maxPricePerSecond * j.secondsLimit;
    }

    function challenge(uint256 job) external payable {
        Entry storage j = _inState(job, State.Agreed);
        if (j.runtime != 0) revert NotForThisRuntime(j.runtime);
        if (j.flags & FLAG_CHALLENGED != 0) revert AlreadyChallenged(job);
        if (block.timestamp > j.challengeBy) revert TooLate(job, j.challengeBy);
        uint256 bond = challengeBond(job);
        if (msg.value != bond) revert WrongValue(msg.value, bond);
        _checkChallenger(job, j);
        j.flags |= FLAG_CHALLENGED;
        j.challenger = msg.sender;
        j.bond = uint128(bond);
        _totalBonds += bond;
        emit JobChallenged(job, msg.sender, bond);
        _open(job, j, IDisputes.Kind.Challenge, j.secondsUsed);
    }

    function _checkChallenger(uint256 job, Entry storage j) private view {
        address behind = IProviders(PROVIDERS).providerOf(msg.sender);
        bool held = false;
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaEntry storage r = _replicas[job][i];
            if (r.state == ReplicaState.Vacant) continue;
            if (r.provider == msg.sender || r.provider == behind) revert OwnJob(msg.sender);
            if (r.state == ReplicaState.Paid && r.reserved != 0) held = true;
        }
        if (!held) revert NothingHeld(job, 0);
    }

    function _onChallenge(uint256 job, Entry storage j, Result memory result, Verdict calldata v, uint256 wanted) private {
        uint256 bond = j.bond;
        j.bond = 0;
        _totalBonds -= bond;
        bool same = result.found && result.key == _agreed(j).key;
        if (result.found && !same && !_soft(result.exitReason)) return _overturn(job, j, result, v, wanted, bond);
        emit ChallengeEnded(job, true);
        uint256 fees = result.found ? (wanted < bond ? wanted : bond) : 0;
        _sendToJudges(job, fees);
        if (same) _shareOut(job, j, bond - fees);
        else _credit(j.challenger, bond - fees);
        conclude(job); // the window may be over
    }

    /// @dev Who was accused in vain gets the rest of the bond, in equal parts; the first one what cannot be parted.
    function _shareOut(uint256 job, Entry storage j, uint256 amount) private {
        uint256 accused = 0;
        for (uint256 i = 0; i < j.replicas; i++) if (_stands(_replicas[job][i])) accused++;
        if (accused == 0) return _burn(amount);
        uint256 rest = amount % accused;
        for (uint256 i = 0; i < j.replicas; i++) {
            if (!_stands(_replicas[job][i])) continue;
            _credit(_replicas[job][i].provider, amount / accused + rest);
            rest = 0;
        }
    }

    function _stands(ReplicaEntry storage r) private view returns (bool) {
        return r.state == ReplicaState.Paid;
    }

    function _overturn(uint256 job, Entry storage j, Result memory result, Verdict calldata v, uint256 wanted, uint256 bond)
        private
    {
        emit ChallengeEnded(job, false);
        uint256 paid = j.auditPaid;
        for (uint256 i = 0; i < j.replicas; i++) {
            if (_stands(_replicas[job][i])) paid += uint256(_replicas[job][i].pricePerSecond) * j.secondsUsed;
        }
        uint256 fees = _punish(job, j, result, paid, wanted, j.challenger, false);
        _sendToJudges(job, fees);
        _credit(j.challenger, bond);
        _writeResult(j, v.root, v.exitReason, v.trace);
        (j.outputSize, j.challengeBy) = (0, 0);
        _end(job, j, State.Overturned, Reasons.REASON_COMMITTEE);
        _callMatching(block.timestamp);
    }

    // ---- jobs that cannot be run again: the renter accepts, or objects

    function _startAccepting(uint256 job, Entry storage j) private {
        ReplicaEntry storage r = _replicas[job][0];
        _writeResult(j, r.root, r.exitReason, r.trace);
        (j.outputSize, j.secondsUsed) = (r.outputSize, r.secondsUsed);
        j.state = State.Accepting;
        j.deadline = uint64(block.timestamp + _rules.objectionWindow);
        emit JobAccepting(job, j.deadline);
        _freeSlots(job, j);
        _wakeAfter(job, j.deadline);
    }

    function _endAccepting(uint256 job, Entry storage j) private returns (bool) {
        if (block.timestamp <= j.deadline || _replicas[job][0].demands != 0) return false;
        _accepted(job, j);
        return true;
    }

    function accept(uint256 job) external {
        Entry storage j = _inState(job, State.Accepting);
        if (msg.sender != j.renter) revert NotRenter(msg.sender);
        _accepted(job, j);
    }

    function _accepted(uint256 job, Entry storage j) private {
        ReplicaEntry storage r = _replicas[job][0];
        _payReplica(job, j, r, uint256(r.pricePerSecond) * r.secondsUsed, false);
        _giveBack(job, r);
        _end(job, j, State.Agreed, Reasons.REASON_ACCEPTED);
        _callMatching(block.timestamp);
    }

    /// @dev Costs the renter something, so that nobody objects to a good result; and brings nobody anything.
    function object(uint256 job) external {
        Entry storage j = _inState(job, State.Accepting);
        if (msg.sender != j.renter) revert NotRenter(msg.sender);
        if (block.timestamp > j.deadline) revert TooLate(job, j.deadline);
        ReplicaEntry storage r = _replicas[job][0];
        uint256 burned = uint256(r.pricePerSecond) * r.secondsUsed * _rules.objectionBurnBps / BPS;
        j.escrow -= uint128(burned);
        _totalEscrow -= burned;
        emit JobObjected(job, burned);
        r.state = ReplicaState.Released;
        _giveBack(job, r);
        _end(job, j, State.Refunded, Reasons.REASON_OBJECTED);
        _burn(burned);
        _callMatching(block.timestamp);
    }

    function _giveBack(uint256 job, ReplicaEntry storage r) private {
        IProviders.Finish memory f; // Outcome.Released
        f.reserved = r.reserved;
        r.reserved = 0;
        emit StakeReleased(job, 0, r.provider, f.reserved);
        _finish(job, r, f);
    }

    // ---- data

    function onDemand(uint256 job, uint8 replicaIndex, bool bundle, address by)
        external
        only(CUSTODY)
        returns (address, bytes32, uint64)
    {
        Entry storage j = _jobs[job];
        if (j.state == State.None) revert UnknownJob(job);
        ReplicaEntry storage r = _replicas[job][replicaIndex];
        if (!_answers(j, r) || (!bundle && r.exitReason != Reasons.EXIT_OK)) revert NothingHeld(job, replicaIndex);
        if (by != j.renter && !IDisputes(DISPUTES).isSeated(job, by)) revert NotParty(by);
        if (r.demands == DEMANDS_MAX) revert TooManyDemands(job, replicaIndex);
        r.demands++;
        return bundle ? (r.provider, j.bundleRoot, j.bundleSize) : (r.provider, r.root, r.outputSize);
    }

    /// @dev While its stake is at risk, and no longer than the job's own deadlines let it be.
    function _answers(Entry storage j, ReplicaEntry storage r) private view returns (bool) {
        if (r.reserved == 0 || (r.state != ReplicaState.Revealed && r.state != ReplicaState.Paid)) return false;
        if (j.flags & FLAG_IN_CASE != 0 || j.state == State.Auditing) return true;
        if (j.state == State.Accepting) return block.timestamp <= j.deadline;
        return (j.state == State.Agreed || j.state == State.Settled) && block.timestamp <= j.challengeBy;
    }

    function onAnswer(uint256 job, uint8 replicaIndex, bool withheld) external only(CUSTODY) {
        Entry storage j = _jobs[job];
        ReplicaEntry storage r = _replicas[job][replicaIndex];
        r.demands--;
        if (withheld && r.reserved != 0) _punishWithheld(job, j, r, replicaIndex);
        conclude(job); // it may have waited for this
    }

    /// @dev The whole reserve: the renter gets back what it paid this replica and what a timeout would have brought, and
    ///      when nobody else was paid the auditor's part too; the rest is burned.
    function _punishWithheld(uint256 job, Entry storage j, ReplicaEntry storage r, uint8 index) private {
        uint256 owed = _timeoutSlash(j, r);
        bool paid = r.state == ReplicaState.Paid;
        r.state = ReplicaState.Faulted;
        r.withheld = true;
        if (paid) owed += uint256(r.pricePerSecond) * j.secondsUsed + (_paidElsewhere(job, j) ? 0 : j.auditPaid);
        IProviders.Finish memory f;
        f.outcome = paid ? IProviders.Outcome.Overturned : IProviders.Outcome.Faulted;
        f.reserved = f.slashed = r.reserved;
        f.toJobs = f.slashed < owed ? f.slashed : owed;
        r.reserved = 0;
        emit ReplicaWithheld(job, index, r.provider, f.slashed);
        _finish(job, r, f);
        _compensate(job, j, f.toJobs);
        if (j.state == State.Accepting) _end(job, j, State.Refunded, Reasons.REASON_WITHHELD);
        _callMatching(block.timestamp);
    }

    function _paidElsewhere(uint256 job, Entry storage j) private view returns (bool) {
        for (uint256 i = 0; i < j.replicas; i++) if (_stands(_replicas[job][i])) return true;
        return false;
    }

    function partiesOf(uint256 job) external view returns (address[] memory list) {
        Entry storage j = _jobs[job];
        list = new address[](2 + 2 * uint256(j.replicas));
        (list[0], list[1]) = (j.renter, j.challenger);
        for (uint256 i = 0; i < j.replicas; i++) {
            address provider = _replicas[job][i].provider;
            (list[2 + 2 * i], list[3 + 2 * i]) = (provider, IProviders(PROVIDERS).workerOf(provider));
        }
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
