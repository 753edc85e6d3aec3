// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Reasons} from "./interfaces/IJobs.sol";
import {IDisputes} from "./interfaces/IDisputes.sol";
import {IProviders} from "./interfaces/IProviders.sol";
import {IScheduler} from "./interfaces/IScheduler.sol";
import {JobsStorage} from "./JobsStorage.sol";

/// @title Jobs: results, and the money that they move.
/// @dev Who is paid: the replicas on the result that stands, each its own price times the lower median of the seconds that
///      they reported. Who loses stake: the whole reserve of a replica off it, or silent after its seal. Of what is taken the
///      renter gets what makes it whole (what it paid, and as much again as a timeout would have brought), then the judges
///      their fees, then who found the fault a part; the rest is burned. So nobody gains by playing both sides: what he
///      gets in one role is less than what he lost in the other.
abstract contract JobsSettlement is JobsStorage {
    /// @dev A result, or none.
    struct Result {
        bool found;
        bytes32 key; // of root, exitReason and trace
        uint8 exitReason;
    }

    struct Count {
        uint256 revealed;
        uint256 votes; // for the most frequent result
        uint256 winner; // a replica that reported it
        bool differ; // two results that do not come from the machine's own limits
    }

    /// @dev Where slashed stake goes, in this order.
    struct Shares {
        uint256 toRenter;
        uint256 toJudges;
        uint256 toFinder;
    }

    // ---- results

    function _key(bytes32 root, uint8 exitReason, bytes32 trace) internal pure returns (bytes32) {
        return keccak256(abi.encode(root, exitReason, trace));
    }

    function _keyOf(ReplicaEntry storage r) internal view returns (bytes32) {
        return _key(r.root, r.exitReason, r.trace);
    }

    /// @dev Memory and time limits bite on one machine and not on another, so a difference that comes from them costs
    ///      little or, for the faster machine, nothing.
    function _soft(uint8 exitReason) internal pure returns (bool) {
        return exitReason == Reasons.EXIT_TIME || exitReason == Reasons.EXIT_MEMORY;
    }

    function _agreed(Entry storage j) internal view returns (Result memory) {
        return Result(true, _key(j.root, j.exitReason, j.trace), j.exitReason);
    }

    function _count(uint256 job, Entry storage j) internal view returns (Count memory c) {
        bytes32 hard;
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaEntry storage r = _replicas[job][i];
            if (r.state != ReplicaState.Revealed) continue;
            c.revealed++;
            bytes32 key = _keyOf(r);
            if (!_soft(r.exitReason)) {
                if (hard != 0 && hard != key) c.differ = true;
                hard = key;
            }
            uint256 votes = _votesFor(job, j, key);
            if (votes > c.votes) (c.votes, c.winner) = (votes, i);
        }
    }

    function _votesFor(uint256 job, Entry storage j, bytes32 key) internal view returns (uint256 votes) {
        for (uint256 i = 0; i < j.replicas; i++) {
            if (_wins(_replicas[job][i], key)) votes++;
        }
    }

    function _wins(ReplicaEntry storage r, bytes32 key) internal view returns (bool) {
        return r.state == ReplicaState.Revealed && _keyOf(r) == key;
    }

    function _writeResult(Entry storage j, bytes32 root, uint8 exitReason, bytes32 trace) internal {
        (j.root, j.exitReason) = (root, exitReason);
        if (j.trace != trace) j.trace = trace;
    }

    /// @dev Lower median, so that half of them must exaggerate before anybody gains by it. key 0: of all that revealed.
    function _medianSeconds(uint256 job, Entry storage j, bytes32 key) internal view returns (uint32) {
        uint32[] memory sorted = new uint32[](j.replicas);
        uint256 count = 0;
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaEntry storage r = _replicas[job][i];
            if (r.state != ReplicaState.Revealed || (key != 0 && _keyOf(r) != key)) continue;
            uint32 value = r.secondsUsed;
            uint256 k = count++;
            for (; k > 0 && sorted[k - 1] > value; k--) sorted[k] = sorted[k - 1];
            sorted[k] = value;
        }
        assert(count != 0);
        return sorted[(count - 1) / 2];
    }

    // ---- payment

    /// @dev Pays the replicas on `result`; their stake stays at risk until challengeBy. False if there are none.
    function _pay(uint256 job, Entry storage j, Result memory result, bool slot) internal returns (bool any) {
        if (_votesFor(job, j, result.key) == 0) return false;
        uint32 used = _medianSeconds(job, j, result.key);
        j.secondsUsed = used;
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaEntry storage r = _replicas[job][i];
            if (!_wins(r, result.key)) continue;
            if (!any) j.outputSize = r.outputSize;
            any = true;
            _payReplica(job, j, r, uint256(r.pricePerSecond) * used, slot);
        }
        j.challengeBy = uint64(block.timestamp + _rules.challengeWindow);
        _wakeAfter(job, j.challengeBy);
    }

    function _payReplica(uint256 job, Entry storage j, ReplicaEntry storage r, uint256 amount, bool slot) internal {
        IProviders.Finish memory f;
        (f.outcome, f.slot, f.secondsUsed, f.earned) = (IProviders.Outcome.Agreed, slot, j.secondsUsed, amount);
        if (slot) _removeActive(r.provider, job);
        r.state = ReplicaState.Paid;
        _finish(job, r, f);
        j.paid += uint128(amount);
        _payOut(j, r.provider, amount);
        emit Paid(job, r.provider, amount);
    }

    /// @dev From the escrow's last part, the auditor's.
    function _payJudges(uint256 job, Entry storage j, uint256 amount) internal {
        if (amount == 0) return;
        j.escrow -= uint128(amount);
        _totalEscrow -= amount;
        j.auditPaid += uint128(amount);
        _sendToJudges(job, amount);
    }

    function _sendToJudges(uint256 job, uint256 amount) internal {
        if (amount == 0) return;
        IDisputes(DISPUTES).collect{value: amount}();
        emit JudgesPaid(job, amount);
    }

    /// @dev What the price has for an auditor; nothing else in the escrow may go to judges.
    function _auditPart(Entry storage j) internal view returns (uint256) {
        bool mayAudit = j.runtime == 0 && (j.replicas == 1 || j.auditBps != 0);
        return mayAudit ? uint256(j.maxPricePerSecond) * j.secondsLimit - j.auditPaid : 0;
    }

    // ---- stake

    /// @dev What a replica loses, given the result that stands. Paid: in vain, as has turned out.
    function _penalty(Entry storage j, ReplicaEntry storage r, Result memory result) internal view returns (uint256 amount) {
        if (r.state == ReplicaState.Sealed) return r.reserved; // sealed, then silent
        bool paid = r.state == ReplicaState.Paid;
        if (!paid && r.state != ReplicaState.Revealed) return 0;
        if (!result.found || _keyOf(r) == result.key) return 0;
        if (!_soft(r.exitReason)) return _soft(result.exitReason) ? 0 : r.reserved;
        amount = _timeoutSlash(j, r) + (paid ? uint256(r.pricePerSecond) * j.secondsUsed : 0);
        if (amount > r.reserved) amount = r.reserved;
    }

    /// @dev Ends the replicas that are not paid. `paid`: what the renter is to get back; `wanted`: what judges are owed;
    ///      `finder`: who gets a part of the rest. What judges get is left to the caller to send.
    function _punish(uint256 job, Entry storage j, Result memory result, uint256 paid, uint256 wanted, address finder, bool slot)
        internal
        returns (uint256 toJudges)
    {
        Shares memory s = _shares(job, j, result, paid, wanted, finder);
        uint256 left = s.toRenter + s.toJudges + s.toFinder;
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaEntry storage r = _replicas[job][i];
            bool off = r.state == ReplicaState.Sealed || r.state == ReplicaState.Revealed;
            if (!off && (r.state != ReplicaState.Paid || _keyOf(r) == result.key)) continue;
            left -= _endReplica(job, j, r, uint8(i), result, left, slot);
        }
        assert(left == 0);
        _compensate(job, j, s.toRenter);
        if (s.toFinder != 0) {
            _credit(finder, s.toFinder);
            emit Rewarded(job, finder, s.toFinder);
        }
        return s.toJudges;
    }

    function _shares(uint256 job, Entry storage j, Result memory result, uint256 paid, uint256 wanted, address finder)
        private
        view
        returns (Shares memory s)
    {
        uint256 taken = 0;
        uint256 owed = paid;
        for (uint256 i = 0; i < j.replicas; i++) {
            uint256 penalty = _penalty(j, _replicas[job][i], result);
            if (penalty == 0) continue;
            taken += penalty;
            owed += _timeoutSlash(j, _replicas[job][i]);
        }
        s.toRenter = taken < owed ? taken : owed;
        taken -= s.toRenter;
        s.toJudges = taken < wanted ? taken : wanted;
        taken -= s.toJudges;
        if (finder != address(0)) s.toFinder = taken * _rules.rewardBps / BPS;
    }

    /// @dev Returns how much of `left` it gave.
    function _endReplica(
        uint256 job, Entry storage j, ReplicaEntry storage r, uint8 index, Result memory result, uint256 left, bool slot
    ) private returns (uint256) {
        IProviders.Finish memory f;
        f.slashed = _penalty(j, r, result);
        f.toJobs = f.slashed < left ? f.slashed : left;
        if (f.slashed != 0) f.outcome = r.state == ReplicaState.Paid ? IProviders.Outcome.Overturned : IProviders.Outcome.Faulted;
        f.slot = slot;
        f.reserved = r.reserved;
        if (slot) _removeActive(r.provider, job);
        r.state = f.slashed == 0 ? ReplicaState.Released : ReplicaState.Faulted;
        r.reserved = 0;
        if (f.slashed != 0) emit ReplicaFaulted(job, index, r.provider, f.slashed);
        _finish(job, r, f);
        return f.toJobs;
    }

    /// @dev The replicas' work is over, their results are not judged yet: free slots, stake still at risk.
    function _freeSlots(uint256 job, Entry storage j) internal {
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaEntry storage r = _replicas[job][i];
            if (r.state == ReplicaState.Vacant) continue;
            IProviders.Finish memory f; // Outcome.Released
            f.slot = true;
            _removeActive(r.provider, job);
            _finish(job, r, f);
        }
        _callMatching(block.timestamp);
    }

    /// @dev Gives back the stake of paid replicas whose time at risk is over.
    function _releaseHeld(uint256 job, Entry storage j) internal returns (bool any) {
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaEntry storage r = _replicas[job][i];
            if (r.state != ReplicaState.Paid || r.reserved == 0 || r.demands != 0) continue;
            any = true;
            IProviders.Finish memory f; // Outcome.Released
            f.reserved = r.reserved;
            r.reserved = 0;
            emit StakeReleased(job, uint8(i), r.provider, f.reserved);
            _finish(job, r, f);
        }
        if (any) _callMatching(block.timestamp);
    }
}
