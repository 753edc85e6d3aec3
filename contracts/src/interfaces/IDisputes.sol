// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJobsTypes} from "./IJobs.sol";
import {IPull} from "./IPull.sol";

/// @title Disputes: committees of validators that re-run a job and say what its result is.
/// @notice Lives at 0x…1006. Amounts are wei, times are seconds. One case a job at a time; Jobs opens it and gets the verdict.
///
/// initialize(uint256 judgeFactor, uint256 committeeSeats, uint256 appealWindow, uint256 absentSlash, uint256 dutySlash)
///            system, genesis, once
///
/// A member of a committee is a validator, known by its operator's address; its judge key (hot) acts for it here only.
/// Commitment: keccak256(abi.encode(uint256 job, uint8 round, address operator, bytes32 root, uint8 exitReason, bytes32 trace,
/// bytes32 salt)). Verdicts agree when (root, exitReason, trace) are equal. Rounds of one job count on over its cases.
///
///   Drawing ──draw──▶ Sealing ──all sealed──▶ Revealing ──▶ (audit) Closed
///      ▲  an absent seat │                        │
///      └─────────────────┘                        └──▶ Appealable ──window over──▶ Closed
///                                    Drawing ◀── appeal ──┘ (once; then Revealing ──▶ Closed)
interface IDisputes is IPull {
    /// @dev Audit: one auditor of a result that all replicas agree on. Dispute: their results differ, or the auditor's does.
    ///      Challenge: somebody doubts an agreed result and has put up a bond.
    enum Kind { None, Audit, Dispute, Challenge }
    /// @dev Drawing: the seats are drawn at the end of a later block. Appealable: there may be a verdict, not final yet.
    enum Phase { None, Drawing, Sealing, Revealing, Appealable, Closed }
    /// @dev Absent: never sealed. Silent: sealed, never revealed. Paid, Off: on the final verdict, or not.
    enum SeatState { Vacant, Seated, Sealed, Revealed, Absent, Silent, Paid, Off }

    struct Seat {
        SeatState state;
        address operator;
        address judge; // the key that acts for it besides itself; zero: none
        uint64 seatedAt;
        uint64 sealBy;
        bytes32 commitment;
        bytes32 root;
        uint8 exitReason;
        bytes32 trace;
    }

    /// @dev What Jobs opens a case with.
    struct Opening {
        uint256 job;
        Kind kind;
        uint32 secondsLimit;
        uint32 sealGrace; // on top of judgeFactor * secondsLimit
        uint32 revealWindow;
        uint256 feePerSeat;
        uint256 bondPerSeat; // of an appeal
    }

    struct Case {
        Kind kind;
        Phase phase;
        uint8 round; // of this job, over all its cases
        uint8 redraws; // in this round
        uint8 size; // seats that a majority is counted of
        bool appealed;
        uint64 deadline; // of the phase
        uint32 secondsLimit; // the job's; a judge has judgeFactor times as long
        bytes32 seed; // randomness of the round's last draw; sampled audits draw from it
        IJobsTypes.Verdict verdict; // of the last round that ended; Closed: the final one
        Seat[] seats; // of this round, the absent whose place was drawn again among them
        address appellant;
        uint256 bond; // of the appeal
        uint256 feePerSeat;
    }

    event CaseOpened(uint256 indexed job, Kind kind, uint8 round);
    event SeatDrawn(uint256 indexed job, uint8 round, uint8 seat, address indexed operator, uint64 sealBy);
    event VerdictSealed(uint256 indexed job, uint8 round, uint8 seat, address indexed operator);
    event VerdictsDue(uint256 indexed job, uint8 round, uint64 revealBy);
    event VerdictRevealed(
        uint256 indexed job, uint8 round, uint8 seat, address indexed operator, bytes32 root, uint8 exitReason, bytes32 trace
    );
    event JudgeAbsent(uint256 indexed job, uint8 round, uint8 seat, address indexed operator, uint256 slashed);
    event JudgeOff(uint256 indexed job, uint8 round, uint8 seat, address indexed operator, uint256 slashed);
    event JudgePaid(uint256 indexed job, uint8 round, uint8 seat, address indexed operator, uint256 amount);
    /// @dev appealBy 0: final.
    event RoundEnded(
        uint256 indexed job, uint8 round, bool found, bytes32 root, uint8 exitReason, bytes32 trace, uint64 appealBy
    );
    event Appealed(uint256 indexed job, address indexed appellant, uint256 bond);
    event CaseClosed(uint256 indexed job, bool found, bytes32 root, uint8 exitReason, bytes32 trace);
    event JudgeChanged(address indexed operator, address indexed judge);

    error NoCase(uint256 job);
    error WrongPhase(uint256 job, Phase phase);
    error NotSeated(uint256 job, address caller);
    error AlreadySealed(uint256 job, address operator);
    error AlreadyRevealed(uint256 job, address operator);
    error TooLate(uint256 job, uint64 deadline);
    error ZeroCommitment();
    error BadVerdict(uint256 job, address operator);
    error WrongBond(uint256 sent, uint256 bond);
    error NotAppealable(uint256 job);
    error JudgeTaken(address judge);
    error BadJudge(address judge);
    error NotValidator(address operator);
    error NothingToExpire(uint256 job);

    /// @notice Jobs only.
    function open(Opening calldata opening) external;
    /// @notice Jobs only: what it has for the judges, while a case closes.
    function collect() external payable;

    /// @notice A validator's operator: the key that judges for it; zero: the operator alone again.
    function setJudge(address judge) external;
    /// @notice The seat's operator or its judge, until the seat's sealBy.
    function sealVerdict(uint256 job, bytes32 commitment) external;
    /// @notice Likewise, while Revealing. exitReason 63: nobody gave me the data. With any failure root and trace are 0.
    function revealVerdict(uint256 job, bytes32 root, uint8 exitReason, bytes32 trace, bytes32 salt) external;
    /// @notice Anybody, while Appealable, with exactly appealBond(job): a larger committee decides.
    function appeal(uint256 job) external payable;
    /// @notice Anybody: does what a missed deadline calls for. The Scheduler does it by itself.
    function expire(uint256 job) external;

    function commitmentOf(
        uint256 job, uint8 round, address operator, bytes32 root, uint8 exitReason, bytes32 trace, bytes32 salt
    ) external pure returns (bytes32);
    /// @notice The job's last case; phase None: there was none.
    function getCase(uint256 job) external view returns (Case memory);
    function seatsOf(uint256 job, uint8 round) external view returns (Seat[] memory);
    function appealBond(uint256 job) external view returns (uint256);
    /// @notice `who` is an operator, or its judge, with a seat in the open case of the job.
    function isSeated(uint256 job, address who) external view returns (bool);
    /// @notice Jobs in which `operator` has a seat that must still seal or reveal. At most 64.
    function dutiesOf(address operator) external view returns (uint256[] memory);
    /// @notice The key that acts for an operator (itself by default), and back (zero: none).
    function judgeOf(address operator) external view returns (address);
    function operatorOf(address judge) external view returns (address);
    /// @notice (judgeFactor, committeeSeats, appealWindow, absentSlash, dutySlash)
    function parameters() external view returns (uint256, uint256, uint256, uint256, uint256);
}
