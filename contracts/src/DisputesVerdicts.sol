// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobs, IJobsTypes, Reasons} from "./interfaces/IJobs.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {DisputesStorage} from "./DisputesStorage.sol";

/// @title Disputes: what follows from a final verdict. Judges on it are paid, judges off it are slashed.
/// @dev Fees come from Jobs (slashed stake, a challenger's bond, the auditor's part of the price) and may fall short: then
///      all get the same part. A lost appeal's committee is paid from the appeal's bond.
abstract contract DisputesVerdicts is DisputesStorage {
    /// @dev What a closing case comes to.
    struct Ending {
        IJobsTypes.Verdict verdict;
        bytes32 key;
        bool appealLost; // the larger committee said the same, or nothing
        uint8 first; // the first round that counts
        uint8 last;
        uint256 owed; // seats that Jobs is to pay
        address finder; // the auditor that started the dispute, if it was right
    }

    function _close(uint256 job, Entry storage c) internal {
        c.phase = Phase.Closed;
        if (c.kind == Kind.Audit) return _closeAudit(job, c);
        Ending memory e = _ending(job, c);
        c.verdict = e.verdict;
        emit CaseClosed(job, e.verdict.found, e.verdict.root, e.verdict.exitReason, e.verdict.trace);
        if (e.verdict.found) _punish(job, e);
        uint256 fee = c.feePerSeat;
        _received = 0;
        IJobs(JOBS).onVerdict(job, e.verdict, e.owed * fee, e.finder);
        if (e.owed != 0) _payRounds(job, e, _received);
        _endAppeal(job, c, e);
    }

    /// @dev Jobs may open the next case in its answer: of this one nothing is written after that but the auditor's seat.
    function _closeAudit(uint256 job, Entry storage c) private {
        (uint8 round, IJobsTypes.Verdict memory v) = (c.round, c.verdict);
        emit CaseClosed(job, v.found, v.root, v.exitReason, v.trace);
        _received = 0;
        IJobs(JOBS).onVerdict(job, v, v.found ? c.feePerSeat : 0, address(0));
        uint256 amount = _received;
        if (amount == 0) return;
        SeatEntry[] storage seats = _seats[job][round];
        _paySeat(job, round, uint8(seats.length - 1), seats[seats.length - 1], amount); // the last drawn is who revealed
    }

    function _ending(uint256 job, Entry storage c) private view returns (Ending memory e) {
        e.verdict = c.verdict;
        if (c.appealed) {
            if (!e.verdict.found) e.verdict = c.before;
            e.appealLost = c.before.found && _keyOf(c.before) == _keyOf(e.verdict);
        }
        e.key = _keyOf(e.verdict);
        e.first = c.auditRound == 0 ? c.firstRound : c.auditRound - 1;
        e.last = c.round;
        if (!e.verdict.found) return e;
        for (uint8 k = e.first; k <= e.last; k++) {
            if (e.appealLost && k == e.last) continue;
            SeatEntry[] storage seats = _seats[job][k];
            for (uint256 i = 0; i < seats.length; i++) {
                if (seats[i].state != SeatState.Revealed || _keyOf(seats[i]) != e.key) continue;
                e.owed++;
                if (k + 1 == c.auditRound) e.finder = seats[i].operator;
            }
        }
    }

    /// @dev An auditor that was paid for a result that does not stand answers for it too.
    function _punish(uint256 job, Ending memory e) private {
        for (uint8 k = e.first; k <= e.last; k++) {
            SeatEntry[] storage seats = _seats[job][k];
            for (uint256 i = 0; i < seats.length; i++) {
                SeatEntry storage s = seats[i];
                if (s.state != SeatState.Revealed && s.state != SeatState.Paid) continue;
                if (_keyOf(s) == e.key) continue;
                s.state = SeatState.Off;
                emit JudgeOff(job, k, uint8(i), s.operator, IStaking(STAKING).slashDuty(s.operator, _fineFor(s.exitReason)));
            }
        }
    }

    /// @dev A judge without data, memory or time may be honest; it is paid nothing, and loses what an absent one does.
    function _fineFor(uint8 exitReason) private view returns (uint256) {
        bool soft = exitReason == Reasons.EXIT_TIME || exitReason == Reasons.EXIT_MEMORY;
        return soft || exitReason == Reasons.VERDICT_NO_DATA ? _absentSlash : _dutySlash;
    }

    function _payRounds(uint256 job, Ending memory e, uint256 amount) private {
        uint256 part = amount / e.owed;
        uint256 rest = amount - part * e.owed;
        for (uint8 k = e.first; k <= e.last; k++) {
            if (e.appealLost && k == e.last) continue;
            rest -= _payRound(job, k, part, rest);
        }
    }

    /// @dev What is left of a round are the judges on the verdict. The first of them also gets what could not be parted.
    function _payRound(uint256 job, uint8 round, uint256 part, uint256 rest) private returns (uint256 given) {
        SeatEntry[] storage seats = _seats[job][round];
        for (uint256 i = 0; i < seats.length; i++) {
            if (seats[i].state != SeatState.Revealed) continue;
            _paySeat(job, round, uint8(i), seats[i], part + rest - given);
            given = rest;
        }
    }

    function _paySeat(uint256 job, uint8 round, uint8 index, SeatEntry storage s, uint256 amount) private {
        s.state = SeatState.Paid;
        _credit(s.operator, amount);
        emit JudgePaid(job, round, index, s.operator, amount);
    }

    /// @dev Lost: the bond pays the larger committee, the rest is burned. Won, or nobody said anything new: it goes back.
    function _endAppeal(uint256 job, Entry storage c, Ending memory e) private {
        uint256 bond = c.bond;
        if (bond == 0) return;
        c.bond = 0;
        _totalBonds -= bond;
        if (!e.appealLost || c.size == 0) return _credit(c.appellant, bond);
        uint256 fees = _statesIn(job, e.last, SeatState.Revealed) * c.feePerSeat;
        if (fees != 0) _payRound(job, e.last, c.feePerSeat, 0);
        _burn(bond - fees);
    }
}
