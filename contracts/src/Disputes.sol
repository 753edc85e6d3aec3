// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobs, Reasons} from "./interfaces/IJobs.sol";
import {IScheduled} from "./interfaces/IScheduler.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {DisputesVerdicts} from "./DisputesVerdicts.sol";

/// @title Disputes: see IDisputes. Here: from the opening to the last reveal; DisputesVerdicts has what follows from it.
contract Disputes is DisputesVerdicts, IScheduled {
    uint256 internal constant SEATS_MAX = 7; // of a first committee: so that a draw and a verdict fit into a scheduled item
    uint256 internal constant REDRAWS_MAX = 2; // in a round
    uint256 internal constant DRAW_PATIENCE = 60; // the Scheduler's draw is late: it may be called for again

    function initialize(
        uint256 judgeFactor,
        uint256 committeeSeats,
        uint256 appealWindow,
        uint256 absentSlash,
        uint256 dutySlash
    ) external genesisOnce {
        if (judgeFactor == 0 || judgeFactor > 10_000 || committeeSeats == 0 || committeeSeats > SEATS_MAX) revert BadParameters();
        if (committeeSeats % 2 == 0 || appealWindow == 0 || appealWindow > 30 days) revert BadParameters();
        if (dutySlash > 1e24 || absentSlash > dutySlash) revert BadParameters();
        _judgeFactor = uint32(judgeFactor);
        _committeeSeats = uint8(committeeSeats);
        _appealWindow = uint32(appealWindow);
        _absentSlash = uint128(absentSlash);
        _dutySlash = uint128(dutySlash);
    }

    function collect() external payable only(JOBS) {
        _received += msg.value;
    }

    // ---- opening and drawing

    function open(Opening calldata o) external only(JOBS) {
        Entry storage c = _cases[o.job];
        assert(c.phase == Phase.None || c.phase == Phase.Closed);
        if (c.phase == Phase.Closed) c.round++;
        c.firstRound = c.round;
        if (o.kind == Kind.Audit) c.auditRound = c.round + 1;
        c.kind = o.kind;
        (c.appealed, c.appellant) = (false, address(0));
        (c.secondsLimit, c.sealGrace, c.revealWindow) = (o.secondsLimit, o.sealGrace, o.revealWindow);
        (c.feePerSeat, c.bondPerSeat) = (uint128(o.feePerSeat), o.bondPerSeat);
        delete c.verdict;
        emit CaseOpened(o.job, o.kind, c.round);
        _startRound(o.job, c);
    }

    function _startRound(uint256 job, Entry storage c) private {
        (c.size, c.redraws) = (0, 0);
        _startDraw(job, c);
    }

    /// @dev At the end of a later block: nobody who could still choose whether to act knows who will judge.
    function _startDraw(uint256 job, Entry storage c) private {
        c.phase = Phase.Drawing;
        c.deadline = uint64(block.timestamp + DRAW_PATIENCE);
        _wake(KIND_DRAW, job, block.timestamp + 1);
    }

    function _draw(uint256 job, Entry storage c) private {
        if (c.phase != Phase.Drawing) return;
        c.seed = keccak256(abi.encode(block.prevrandao, job, c.round, c.redraws));
        address[] memory drawn = c.size == 0 ? _drawRound(job, c) : _drawFrom(job, c, _missing(job, c), true);
        uint64 sealBy = uint64(block.timestamp) + _sealWindow(c);
        for (uint256 i = 0; i < drawn.length; i++) _seat(job, c, drawn[i], sealBy);
        if (drawn.length == 0) return _afterSeals(job, c);
        c.phase = Phase.Sealing;
        c.deadline = sealBy;
        _wake(KIND_CASE, job, sealBy + 1);
    }

    function _seat(uint256 job, Entry storage c, address operator, uint64 sealBy) private {
        SeatEntry[] storage seats = _seats[job][c.round];
        emit SeatDrawn(job, c.round, uint8(seats.length), operator, sealBy);
        SeatEntry storage s = seats.push();
        (s.operator, s.state, s.sealBy) = (operator, SeatState.Seated, sealBy);
        _addDuty(operator, job);
    }

    /// @dev The first seats of a round: an odd number. An appeal's committee is larger than the one before, of others if there
    ///      are enough; else whoever may judge at all sits, the former ones too.
    function _drawRound(uint256 job, Entry storage c) private returns (address[] memory drawn) {
        uint256 wanted = c.kind == Kind.Audit ? 1 : c.appealed ? 2 * uint256(_committeeSeats) + 1 : _committeeSeats;
        uint256 least = c.appealed ? _seatCount(job, c.round - 1) : 0;
        drawn = _drawFrom(job, c, wanted, true);
        if (drawn.length <= least && c.appealed) drawn = _drawFrom(job, c, wanted, false);
        if (drawn.length % 2 == 0 && drawn.length > least + 1) {
            assembly ("memory-safe") {
                mstore(drawn, sub(mload(drawn), 1))
            }
        }
        c.size = uint8(drawn.length);
    }

    /// @dev Those of a round that counted.
    function _seatCount(uint256 job, uint8 round) private view returns (uint256) {
        return _seats[job][round].length - _statesIn(job, round, SeatState.Absent);
    }

    function _missing(uint256 job, Entry storage c) private view returns (uint256) {
        return c.size - _seatCount(job, c.round);
    }

    function _drawFrom(uint256 job, Entry storage c, uint256 wanted, bool fresh) private view returns (address[] memory) {
        address[] memory parties = IJobs(JOBS).partiesOf(job);
        uint256 count = 2 * parties.length + 2;
        for (uint256 k = 0; k <= c.round; k++) count += _seats[job][k].length;
        address[] memory excluded = new address[](count);
        count = 0;
        for (uint256 i = 0; i < parties.length; i++) {
            (excluded[count], excluded[count + 1]) = (parties[i], operatorOf[parties[i]]);
            count += 2;
        }
        (excluded[count], excluded[count + 1]) = (c.appellant, operatorOf[c.appellant]);
        count += 2;
        for (uint256 k = fresh ? 0 : c.round; k <= c.round; k++) {
            for (uint256 i = 0; i < _seats[job][k].length; i++) excluded[count++] = _seats[job][k][i].operator;
        }
        return IStaking(STAKING).drawMembers(uint256(c.seed), wanted, excluded);
    }

    // ---- sealing and revealing

    function sealVerdict(uint256 job, bytes32 commitment) external {
        Entry storage c = _inPhase(job, Phase.Sealing);
        if (commitment == 0) revert ZeroCommitment();
        (uint8 index, SeatEntry storage s) = _mySeat(job, c.round);
        if (s.state != SeatState.Seated) revert AlreadySealed(job, s.operator);
        if (block.timestamp > s.sealBy) revert TooLate(job, s.sealBy);
        (s.state, s.commitment) = (SeatState.Sealed, commitment);
        emit VerdictSealed(job, c.round, index, s.operator);
        if (_statesIn(job, c.round, SeatState.Seated) == 0) _afterSeals(job, c);
    }

    function _afterSeals(uint256 job, Entry storage c) private {
        if (_statesIn(job, c.round, SeatState.Sealed) == 0) return _endRound(job, c);
        c.phase = Phase.Revealing;
        c.deadline = uint64(block.timestamp + c.revealWindow);
        emit VerdictsDue(job, c.round, c.deadline);
        _wake(KIND_CASE, job, c.deadline + 1);
    }

    function revealVerdict(uint256 job, bytes32 root, uint8 exitReason, bytes32 trace, bytes32 salt) external {
        Entry storage c = _inPhase(job, Phase.Revealing);
        (uint8 index, SeatEntry storage s) = _mySeat(job, c.round);
        if (s.state == SeatState.Revealed) revert AlreadyRevealed(job, s.operator);
        if (block.timestamp > c.deadline) revert TooLate(job, c.deadline);
        if (exitReason > Reasons.VERDICT_NO_DATA) revert BadVerdict(job, s.operator);
        if (exitReason != Reasons.EXIT_OK && (root != 0 || trace != 0)) revert BadVerdict(job, s.operator);
        if (commitmentOf(job, c.round, s.operator, root, exitReason, trace, salt) != s.commitment) {
            revert BadVerdict(job, s.operator);
        }
        (s.state, s.root, s.exitReason, s.trace) = (SeatState.Revealed, root, exitReason, trace);
        _endDuty(s.operator, job);
        emit VerdictRevealed(job, c.round, index, s.operator, root, exitReason, trace);
        if (_statesIn(job, c.round, SeatState.Sealed) == 0) _endRound(job, c);
    }

    function _inPhase(uint256 job, Phase phase) private view returns (Entry storage c) {
        c = _cases[job];
        if (c.phase == Phase.None) revert NoCase(job);
        if (c.phase != phase) revert WrongPhase(job, c.phase);
    }

    // ---- appeal

    function appealBond(uint256 job) public view returns (uint256) {
        return (2 * uint256(_committeeSeats) + 1) * _cases[job].bondPerSeat;
    }

    function appeal(uint256 job) external payable {
        Entry storage c = _cases[job];
        if (c.phase == Phase.None) revert NoCase(job);
        if (c.phase != Phase.Appealable) revert NotAppealable(job);
        if (block.timestamp > c.deadline) revert TooLate(job, c.deadline);
        if (msg.value != appealBond(job)) revert WrongBond(msg.value, appealBond(job));
        (c.appealed, c.appellant, c.bond) = (true, msg.sender, uint128(msg.value));
        _totalBonds += msg.value;
        c.before = c.verdict;
        c.round++;
        emit Appealed(job, msg.sender, msg.value);
        _startRound(job, c);
    }

    // ---- missed deadlines

    function expire(uint256 job) external {
        if (_cases[job].phase == Phase.None) revert NoCase(job);
        if (!_expire(job)) revert NothingToExpire(job);
    }

    function onSchedule(uint8 kind, uint256 id) external only(SCHEDULER) {
        if (kind == KIND_DRAW) _draw(id, _cases[id]);
        else _expire(id);
    }

    /// @dev Does what is overdue; false if nothing was. A draw that did not come may be called for, not made.
    function _expire(uint256 job) private returns (bool) {
        Entry storage c = _cases[job];
        if (c.phase == Phase.None || c.phase == Phase.Closed || block.timestamp <= c.deadline) return false;
        if (c.phase == Phase.Drawing) _startDraw(job, c);
        else if (c.phase == Phase.Sealing) _expireSeals(job, c);
        else if (c.phase == Phase.Revealing) _expireReveals(job, c);
        else _close(job, c);
        return true;
    }

    function _expireSeals(uint256 job, Entry storage c) private {
        _dismiss(job, c, SeatState.Seated, SeatState.Absent, _absentSlash);
        if (c.redraws == REDRAWS_MAX) return _afterSeals(job, c);
        c.redraws++;
        _startDraw(job, c);
    }

    /// @dev Who is silent after others have revealed is not replaced: whoever came now could copy. An auditor stands alone.
    function _expireReveals(uint256 job, Entry storage c) private {
        bool again = c.kind == Kind.Audit && c.redraws < REDRAWS_MAX;
        _dismiss(job, c, SeatState.Sealed, again ? SeatState.Absent : SeatState.Silent, _dutySlash);
        if (!again) return _endRound(job, c);
        c.redraws++;
        _startDraw(job, c);
    }

    function _dismiss(uint256 job, Entry storage c, SeatState from, SeatState to, uint256 amount) private {
        SeatEntry[] storage seats = _seats[job][c.round];
        for (uint256 i = 0; i < seats.length; i++) {
            SeatEntry storage s = seats[i];
            if (s.state != from) continue;
            s.state = to;
            _endDuty(s.operator, job);
            emit JudgeAbsent(job, c.round, uint8(i), s.operator, IStaking(STAKING).slashDuty(s.operator, amount));
        }
    }

    /// @dev An audit is final: if it says other than the replicas, a committee follows. So is an appeal's verdict, and the
    ///      end of a case that nobody can judge.
    function _endRound(uint256 job, Entry storage c) private {
        c.verdict = _tally(job, c.round, c.size);
        bool final_ = c.kind == Kind.Audit || c.appealed || c.size == 0;
        uint64 appealBy = final_ ? 0 : uint64(block.timestamp + _appealWindow);
        emit RoundEnded(job, c.round, c.verdict.found, c.verdict.root, c.verdict.exitReason, c.verdict.trace, appealBy);
        if (final_) return _close(job, c);
        c.phase = Phase.Appealable;
        c.deadline = appealBy;
        _wake(KIND_CASE, job, appealBy + 1);
    }
}
