// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputes} from "./interfaces/IDisputes.sol";
import {IJobsTypes, Reasons} from "./interfaces/IJobs.sol";
import {IScheduler} from "./interfaces/IScheduler.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {Pull} from "./Pull.sol";
import {System} from "./System.sol";

/// @title Disputes: the storage; judges' keys and duties; who says what.
/// @dev Invariants:
///      - balance == _totalBonds + _totalCredit; _totalBonds == sum of the bonds of appeals in open cases;
///      - an operator has at most one seat with something to do in a job, and the job is then in its duties, once;
///      - a closed case has no duties and no bond.
abstract contract DisputesStorage is IDisputes, System, Pull {
    uint8 internal constant KIND_DRAW = 1;
    uint8 internal constant KIND_CASE = 2;
    uint256 internal constant DUTIES_SHOWN = 64;

    struct Entry {
        Kind kind;
        Phase phase;
        uint8 round;
        uint8 firstRound; // of this case
        uint8 auditRound; // + 1; 0: the job was not audited
        uint8 redraws;
        uint8 size;
        bool appealed;
        uint64 deadline;
        uint32 secondsLimit;
        uint32 sealGrace;
        uint32 revealWindow; // one word
        address appellant;
        uint128 bond;
        uint128 feePerSeat; // one word
        uint256 bondPerSeat;
        bytes32 seed;
        IJobsTypes.Verdict verdict; // of the last round that ended
        IJobsTypes.Verdict before; // of the round that was appealed against
    }

    struct SeatEntry {
        address operator;
        SeatState state;
        uint8 exitReason;
        uint64 sealBy; // one word
        bytes32 commitment;
        bytes32 root;
        bytes32 trace;
    }

    uint32 internal _judgeFactor;
    uint8 internal _committeeSeats;
    uint32 internal _appealWindow;
    uint128 internal _absentSlash;
    uint128 internal _dutySlash;
    uint256 internal _totalBonds;
    uint256 internal _received; // what Jobs has sent for the judges of the case that is closing

    mapping(uint256 => Entry) internal _cases;
    mapping(uint256 => mapping(uint256 => SeatEntry[])) internal _seats; // by job and round
    mapping(address => uint256[]) internal _duties;
    mapping(address => mapping(uint256 => uint256)) internal _dutyPlace; // + 1
    mapping(address => address) internal _judges;
    mapping(address => address) public operatorOf;

    // ---- keys

    function setJudge(address judge) external {
        if (IStaking(STAKING).validator(msg.sender).status == IStaking.Status.None) revert NotValidator(msg.sender);
        if (judge == msg.sender) judge = address(0);
        if (judge != address(0)) {
            if (IStaking(STAKING).validator(judge).status != IStaking.Status.None) revert BadJudge(judge);
            if (operatorOf[judge] != address(0)) revert JudgeTaken(judge);
            operatorOf[judge] = msg.sender;
        }
        address old = _judges[msg.sender];
        if (old != address(0)) delete operatorOf[old];
        _judges[msg.sender] = judge;
        emit JudgeChanged(msg.sender, judge);
    }

    function judgeOf(address operator) public view returns (address) {
        address judge = _judges[operator];
        return judge == address(0) ? operator : judge;
    }

    // ---- duties

    function _addDuty(address operator, uint256 job) internal {
        _duties[operator].push(job);
        _dutyPlace[operator][job] = _duties[operator].length;
    }

    function _endDuty(address operator, uint256 job) internal {
        uint256[] storage list = _duties[operator];
        uint256 place = _dutyPlace[operator][job];
        uint256 last = list[list.length - 1];
        list[place - 1] = last;
        _dutyPlace[operator][last] = place;
        list.pop();
        delete _dutyPlace[operator][job];
    }

    function dutiesOf(address operator) external view returns (uint256[] memory list) {
        uint256[] storage all = _duties[operator];
        list = new uint256[](all.length < DUTIES_SHOWN ? all.length : DUTIES_SHOWN);
        for (uint256 i = 0; i < list.length; i++) list[i] = all[i];
    }

    function isSeated(uint256 job, address who) external view returns (bool) {
        return _dutyPlace[who][job] != 0 || _dutyPlace[operatorOf[who]][job] != 0;
    }

    /// @dev The seat that the caller may act for.
    function _mySeat(uint256 job, uint8 round) internal view returns (uint8 index, SeatEntry storage s) {
        SeatEntry[] storage seats = _seats[job][round];
        address behind = operatorOf[msg.sender];
        for (index = uint8(seats.length); index > 0; index--) {
            s = seats[index - 1];
            if (s.operator == msg.sender || s.operator == behind) return (index - 1, s);
        }
        revert NotSeated(job, msg.sender);
    }

    // ---- results

    function commitmentOf(
        uint256 job, uint8 round, address operator, bytes32 root, uint8 exitReason, bytes32 trace, bytes32 salt
    ) public pure returns (bytes32) {
        return keccak256(abi.encode(job, round, operator, root, exitReason, trace, salt));
    }

    function _keyOf(SeatEntry storage s) internal view returns (bytes32) {
        return keccak256(abi.encode(s.root, s.exitReason, s.trace));
    }

    function _keyOf(IJobsTypes.Verdict memory v) internal pure returns (bytes32) {
        return keccak256(abi.encode(v.root, v.exitReason, v.trace));
    }

    /// @dev What a strict majority of the round's seats revealed.
    function _tally(uint256 job, uint8 round, uint256 size) internal view returns (IJobsTypes.Verdict memory v) {
        SeatEntry[] storage seats = _seats[job][round];
        for (uint256 i = 0; i < seats.length; i++) {
            if (seats[i].state != SeatState.Revealed) continue;
            bytes32 key = _keyOf(seats[i]);
            uint256 votes = 0;
            for (uint256 k = 0; k < seats.length; k++) {
                if (seats[k].state == SeatState.Revealed && _keyOf(seats[k]) == key) votes++;
            }
            if (2 * votes > size) return IJobsTypes.Verdict(true, seats[i].root, seats[i].exitReason, seats[i].trace);
        }
    }

    function _statesIn(uint256 job, uint8 round, SeatState state) internal view returns (uint256 count) {
        SeatEntry[] storage seats = _seats[job][round];
        for (uint256 i = 0; i < seats.length; i++) if (seats[i].state == state) count++;
    }

    // ---- time

    function _wake(uint8 kind, uint256 job, uint256 time) internal {
        IScheduler(SCHEDULER).schedule(kind, job, uint64(time));
    }

    // ---- views

    function getCase(uint256 job) external view returns (Case memory v) {
        Entry storage c = _cases[job];
        (v.kind, v.phase, v.round, v.redraws, v.size) = (c.kind, c.phase, c.round, c.redraws, c.size);
        (v.appealed, v.deadline, v.secondsLimit, v.seed) = (c.appealed, c.deadline, c.secondsLimit, c.seed);
        (v.appellant, v.bond, v.feePerSeat) = (c.appellant, c.bond, c.feePerSeat);
        v.verdict = c.verdict;
        v.seats = seatsOf(job, c.round);
    }

    function seatsOf(uint256 job, uint8 round) public view returns (Seat[] memory list) {
        SeatEntry[] storage seats = _seats[job][round];
        uint64 window = _sealWindow(_cases[job]);
        list = new Seat[](seats.length);
        for (uint256 i = 0; i < list.length; i++) {
            SeatEntry storage s = seats[i];
            list[i] = Seat({
                state: s.state,
                operator: s.operator,
                judge: _judges[s.operator],
                seatedAt: s.sealBy - window,
                sealBy: s.sealBy,
                commitment: s.commitment,
                root: s.root,
                exitReason: s.exitReason,
                trace: s.trace
            });
        }
    }

    function _sealWindow(Entry storage c) internal view returns (uint64) {
        return c.sealGrace + uint64(_judgeFactor) * c.secondsLimit;
    }

    function parameters() external view returns (uint256, uint256, uint256, uint256, uint256) {
        return (_judgeFactor, _committeeSeats, _appealWindow, _absentSlash, _dutySlash);
    }

    function liabilities() external view returns (uint256) {
        return _totalBonds + _totalCredit;
    }
}
