// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IProviders} from "./interfaces/IProviders.sol";
import {Reasons} from "./interfaces/IJobs.sol";
import {JobsMatching} from "./JobsMatching.sol";

/// @title Jobs: from the last seal to the money.
/// @dev Who is paid: the replicas of the strict majority (of all replicas asked for, not only of those that answered), each its
///      own price times the lower median of the seconds that the majority reported. Who loses stake: the whole reserve of
///      a replica off the majority or silent after its seal. Of what is taken the renter gets what makes it whole (what it paid
///      for the job, and as much again as a timeout would have brought), the rest is burned: so a renter cannot gain by
///      having its own providers outvote an honest one.
abstract contract JobsSettlement is JobsMatching {
    struct Verdict {
        uint256 votes; // for the most frequent result
        bytes32 result; // root and exit reason
        uint256 winner; // a replica that reported it
        uint8 exitReason;
    }

    /// @dev After every change in a Running job: is it time for the next state?
    function _advance(uint256 job, Entry storage j) internal {
        (uint256 assigned, uint256 sealed_) = _tally(job, j);
        if (assigned != 0) return;
        if (2 * sealed_ > j.replicas) return _startReveals(job, j);
        if (_mayReassign(j)) return; // the order book may still fill it
        _releaseAll(job, j);
        _end(job, j, State.Refunded, Reasons.REASON_TOO_FEW_SEALS);
    }

    function _tally(uint256 job, Entry storage j) private view returns (uint256 assigned, uint256 sealed_) {
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaState state = _replicas[job][i].state;
            if (state == ReplicaState.Assigned) assigned++;
            if (state == ReplicaState.Sealed) sealed_++;
        }
    }

    function _startReveals(uint256 job, Entry storage j) private {
        _leaveBook(job);
        j.state = State.Revealing;
        j.deadline = uint64(block.timestamp + _revealWindow);
        emit JobRevealing(job, j.deadline);
        _wakeAfter(job, j.deadline);
    }

    function _allRevealed(uint256 job, Entry storage j) internal view returns (bool) {
        (, uint256 sealed_) = _tally(job, j);
        return sealed_ == 0;
    }

    function _settle(uint256 job, Entry storage j) internal {
        Verdict memory verdict = _count(job, j);
        if (2 * verdict.votes > j.replicas) {
            _pay(job, j, verdict);
            _judge(job, j, verdict);
            bool all = verdict.votes == j.replicas;
            _end(job, j, all ? State.Agreed : State.Settled, all ? Reasons.REASON_ALL_AGREED : Reasons.REASON_MAJORITY);
        } else {
            verdict.votes = 0;
            _judge(job, j, verdict);
            _end(job, j, State.Refunded, Reasons.REASON_NO_MAJORITY);
        }
        _callMatching(block.timestamp); // slots are free again
    }

    function _resultOf(ReplicaEntry storage r) private view returns (bytes32) {
        return keccak256(abi.encode(r.root, r.exitReason));
    }

    function _count(uint256 job, Entry storage j) private view returns (Verdict memory best) {
        for (uint256 i = 0; i < j.replicas; i++) {
            if (_replicas[job][i].state != ReplicaState.Revealed) continue;
            bytes32 result = _resultOf(_replicas[job][i]);
            uint256 votes = 0;
            for (uint256 k = 0; k < j.replicas; k++) {
                ReplicaEntry storage other = _replicas[job][k];
                if (other.state == ReplicaState.Revealed && _resultOf(other) == result) votes++;
            }
            if (votes > best.votes) best = Verdict(votes, result, i, _replicas[job][i].exitReason);
        }
    }

    function _wins(ReplicaEntry storage r, Verdict memory verdict) private view returns (bool) {
        return verdict.votes != 0 && r.state == ReplicaState.Revealed && _resultOf(r) == verdict.result;
    }

    function _pay(uint256 job, Entry storage j, Verdict memory verdict) private {
        ReplicaEntry storage winner = _replicas[job][verdict.winner];
        (j.root, j.exitReason, j.outputSize) = (winner.root, winner.exitReason, winner.outputSize);
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
    function _medianSeconds(uint256 job, Entry storage j, Verdict memory verdict) private view returns (uint32) {
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
    function _judge(uint256 job, Entry storage j, Verdict memory verdict) private {
        uint256 owed = j.paid;
        for (uint256 i = 0; i < j.replicas; i++) {
            if (_penalty(_replicas[job][i], verdict) != 0) owed += _timeoutSlash(_replicas[job][i]);
        }
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaEntry storage r = _replicas[job][i];
            if (r.state == ReplicaState.Vacant) continue;
            if (_wins(r, verdict)) {
                r.state = ReplicaState.Paid;
                continue;
            }
            IProviders.Finish memory f;
            f.slashed = _penalty(r, verdict);
            f.toRenter = f.slashed < owed ? f.slashed : owed;
            owed -= f.toRenter;
            f.outcome = f.slashed == 0 ? IProviders.Outcome.Released : IProviders.Outcome.Faulted;
            r.state = f.slashed == 0 ? ReplicaState.Released : ReplicaState.Faulted;
            if (f.slashed != 0) emit ReplicaFaulted(job, uint8(i), r.provider, f.slashed);
            _finishReplica(job, r, f);
        }
    }

    /// @dev What a replica that ends now loses. Memory and time limits bite on one machine and not on another, so a
    ///      difference that comes from them costs little or, for the faster machine, nothing.
    function _penalty(ReplicaEntry storage r, Verdict memory verdict) private view returns (uint256) {
        if (r.state == ReplicaState.Sealed) return r.reserved; // sealed, then silent
        if (r.state != ReplicaState.Revealed || verdict.votes == 0 || _wins(r, verdict)) return 0;
        if (_soft(r.exitReason)) return _timeoutSlash(r);
        return _soft(verdict.exitReason) ? 0 : r.reserved;
    }

    function _soft(uint8 exitReason) private pure returns (bool) {
        return exitReason == Reasons.EXIT_TIME || exitReason == Reasons.EXIT_MEMORY;
    }

    function _releaseAll(uint256 job, Entry storage j) private {
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaEntry storage r = _replicas[job][i];
            if (r.state != ReplicaState.Sealed) continue;
            r.state = ReplicaState.Released;
            IProviders.Finish memory f; // Outcome.Released
            _finishReplica(job, r, f);
        }
    }
}
