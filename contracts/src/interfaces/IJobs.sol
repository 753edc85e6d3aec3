// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPull} from "./IPull.sol";

/// @title Jobs: verified batch jobs; escrow, assignment, sealed results, pay for agreement, audits, challenges.
/// @notice Lives at 0x…1003 (a part of its code at 0x…1008). Amounts are wei, times are seconds, prices are wei per second.
///
/// initialize(uint256 declineWindow, uint256 sealGrace, uint256 revealWindow, uint256 maxStartWindow,
///            uint256 maxSecondsLimit, uint256 timeoutSlashBps, uint256 auditFloorBps, uint256 newcomerBps,
///            uint256 challengeWindow, uint256 objectionWindow, uint256 objectionBurnBps, uint256 rewardBps)
///            system, genesis, once
///
/// Price to send with submit: exactly priceOf(spec) = maxPricePerSecond * secondsLimit * (replicas + 1 if the result may be
/// audited: runtime 0 with replicas == 1 or auditBps != 0).
/// Commitment: keccak256(abi.encode(uint256 job, address provider, bytes32 root, uint8 exitReason, bytes32 trace, bytes32 salt)),
/// provider being the owner's address, not the worker key. Results agree when (root, exitReason, trace) are equal.
/// Each replica: sealBy = assigned + declineWindow + secondsLimit + sealGrace; decline only until assigned + declineWindow.
interface IJobsTypes {
    /// @dev From Agreed on the job has ended; only a challenge moves it once more, from Agreed to Overturned.
    enum State {
        None, Open, Running, Revealing, Auditing, Disputed, Accepting,
        Agreed, Settled, Refunded, Cancelled, Overturned
    }
    enum ReplicaState { Vacant, Assigned, Sealed, Revealed, Paid, Faulted, Released }

    struct Spec {
        bytes32 bundleRoot;
        uint64 bundleSize;
        uint8 runtime; // 0 cuda-c; 1 cuda-c-fast and 2 exec: one replica, no audit, settled by acceptance
        uint8 replicas; // 1..7
        uint16 auditBps; // chance, in 1/10000, that the agreed result is re-run by a drawn validator
        uint16 minComputeCapability;
        uint32 minVramMiB;
        uint32 secondsLimit;
        uint32 startWindow; // seconds that it may wait in the order book
        bytes32 model; // keccak256 of the GPU model's name, or 0 for any
        uint256 maxPricePerSecond; // for one replica
        address[] providers; // owners, at most 8, in order of preference; empty: drawn
    }

    /// @dev A committee's word on a job.
    struct Verdict {
        bool found; // a strict majority of the seats said it
        bytes32 root;
        uint8 exitReason;
        bytes32 trace;
    }

    struct Parameters {
        uint256 declineWindow;
        uint256 sealGrace;
        uint256 revealWindow;
        uint256 maxStartWindow;
        uint256 maxSecondsLimit;
        uint256 timeoutSlashBps;
        uint256 auditFloorBps;
        uint256 newcomerBps;
        uint256 challengeWindow;
        uint256 objectionWindow;
        uint256 objectionBurnBps;
        uint256 rewardBps;
    }

    struct Job {
        address renter;
        State state;
        uint8 reason; // why it ended, REASON_*
        uint8 exitReason; // the agreed one
        bytes32 root; // the agreed one
        bytes32 trace; // the agreed one; 0: the job has none
        uint64 outputSize; // as reported by the first replica on the result
        uint64 submittedAt;
        uint64 startedAt; // 0 while Open
        uint64 deadline; // Open: start by; Running: latest seal; Revealing: reveal by; Accepting: object by; ended: when
        uint64 challengeBy; // Agreed, Settled: until then the paid replicas' stake stays at risk; 0: it never did, or no more
        uint32 secondsUsed; // lower median of the agreed replicas
        bool mayAudit; // Auditing: the draw is still to come
        bool inCase; // Disputes has an open case of it
        bool challenged; // once, by challenger
        address challenger;
        uint256 bond; // of the challenge, while it is judged
        uint256 escrow; // what is still locked
        uint256 paid; // to providers
        uint256 auditPaid; // from the escrow, to auditors and judges
        uint256 refunded;
        uint256 compensated; // from slashed stake, to the renter
        Spec spec;
    }

    struct Replica {
        ReplicaState state;
        address provider;
        address worker;
        uint8 gpuIndex;
        uint8 exitReason;
        uint32 secondsUsed;
        uint64 outputSize;
        uint64 assignedAt;
        uint64 sealBy;
        uint256 pricePerSecond;
        uint256 reserved; // stake still at risk
        uint16 auditBps; // the chance of an audit that its reserve was sized by; r = 1: the rate in force
        uint8 demands; // open demands for data (Custody)
        bool withheld; // it did not show data in time
        bytes32 commitment;
        bytes32 root;
        bytes32 trace;
        string endpoint; // host:port of the provider's gateway
        bytes32 tlsKeyHash;
    }

    event JobSubmitted(uint256 indexed job, address indexed renter, bytes32 indexed bundleRoot, uint8 replicas, uint32 secondsLimit, uint256 price);
    event JobAssigned(uint256 indexed job, uint8 replicaIndex, address indexed provider, uint256 pricePerSecond, uint8 gpuIndex, uint64 sealBy);
    event JobStarted(uint256 indexed job, uint64 sealBy);
    event JobDeclined(uint256 indexed job, uint8 replicaIndex, address indexed provider, uint8 reason);
    event JobTimedOut(uint256 indexed job, uint8 replicaIndex, address indexed provider, uint256 slashed);
    event JobSealed(uint256 indexed job, uint8 replicaIndex, address indexed provider, bytes32 commitment);
    event JobRevealing(uint256 indexed job, uint64 revealBy);
    event JobRevealed(
        uint256 indexed job, uint8 replicaIndex, address indexed provider, bytes32 root, uint8 exitReason, bytes32 trace,
        uint64 outputSize, uint32 secondsUsed
    );
    /// @dev The draw is at the end of a later block.
    event JobAuditing(uint256 indexed job, uint16 auditBps, bytes32 root, uint8 exitReason, bytes32 trace);
    event AuditDrawn(uint256 indexed job, bool drawn);
    event JobDisputed(uint256 indexed job);
    event JobAccepting(uint256 indexed job, uint64 objectBy);
    event JobObjected(uint256 indexed job, uint256 burned);
    event JobChallenged(uint256 indexed job, address indexed challenger, uint256 bond);
    /// @dev upheld: the agreed result stands.
    event ChallengeEnded(uint256 indexed job, bool upheld);
    event JudgesPaid(uint256 indexed job, uint256 amount);
    event Rewarded(uint256 indexed job, address indexed account, uint256 amount);
    event ReplicaWithheld(uint256 indexed job, uint8 replicaIndex, address indexed provider, uint256 slashed);
    event StakeReleased(uint256 indexed job, uint8 replicaIndex, address indexed provider, uint256 amount);
    event JobSettled(uint256 indexed job, State state, uint8 reason, bytes32 root, uint8 exitReason);
    event Paid(uint256 indexed job, address indexed provider, uint256 amount);
    event Refunded(uint256 indexed job, address indexed renter, uint256 amount);
    event Compensated(uint256 indexed job, address indexed renter, uint256 amount);
    event ReplicaFaulted(uint256 indexed job, uint8 replicaIndex, address indexed provider, uint256 slashed);

    error BadReplicas(uint256 replicas);
    error BadRuntime(uint256 runtime);
    error BadBundle();
    error BadSecondsLimit(uint256 secondsLimit, uint256 maximum);
    error BadStartWindow(uint256 startWindow, uint256 maximum);
    error BadPrice(uint256 pricePerSecond);
    error BadProviders();
    error WrongValue(uint256 sent, uint256 price);
    error UnknownJob(uint256 job);
    error WrongState(uint256 job, State state);
    error NotRenter(address caller);
    error NotAssigned(uint256 job, address caller);
    error AlreadySealed(uint256 job, address provider);
    error AlreadyRevealed(uint256 job, address provider);
    error ZeroCommitment();
    error TooLate(uint256 job, uint64 deadline);
    error BadReveal(uint256 job, address provider);
    error BadSecondsUsed(uint256 secondsUsed, uint256 limit);
    error BadExitReason(uint256 exitReason);
    error BadDeclineReason(uint256 reason);
    error BadAuditRate(uint256 auditBps);
    error NotForThisRuntime(uint8 runtime);
    error AlreadyChallenged(uint256 job);
    error OwnJob(address caller);
    error NotParty(address caller);
    error NothingHeld(uint256 job, uint8 replicaIndex);
    error TooManyDemands(uint256 job, uint8 replicaIndex);
    error NothingToMatch(uint256 job);
    error NothingToExpire(uint256 job);
}

interface IJobs is IJobsTypes, IPull {
    function submit(Spec calldata spec) external payable returns (uint256 job);
    /// @notice What to send with submit.
    function priceOf(Spec calldata spec) external pure returns (uint256);
    /// @notice The renter, while Open.
    function cancel(uint256 job) external;
    /// @notice Anybody: tries to fill an Open job, or a vacant replica of a Running one. True if it was filled.
    function tryMatch(uint256 job) external returns (bool);
    /// @notice Provider or its worker key, until assignedAt + declineWindow; no penalty. reason 1..15, DECLINE_*.
    function decline(uint256 job, uint8 reason) external;
    /// @notice Provider or its worker key, until sealBy.
    function seal(uint256 job, bytes32 commitment) external;
    /// @notice Provider or its worker key, while Revealing. secondsUsed 1..secondsLimit. The last reveal settles: it pays, or
    ///         the job goes to Auditing, Disputed or Accepting. trace: 0 for jobs without one.
    ///         With exitReason != 0 the job itself failed: root, trace and outputSize must be 0.
    function reveal(
        uint256 job, bytes32 root, uint8 exitReason, bytes32 trace, uint64 outputSize, uint32 secondsUsed, bytes32 salt
    ) external;
    /// @notice Anybody but the job's providers and their workers, once, while Agreed and until challengeBy, with exactly
    ///         challengeBond(job).
    function challenge(uint256 job) external payable;
    function challengeBond(uint256 job) external view returns (uint256);
    /// @notice The renter, while Accepting: pays the provider.
    function accept(uint256 job) external;
    /// @notice The renter, while Accepting: the provider is not paid; objectionBurnBps of what it would have got is burned.
    function object(uint256 job) external;
    /// @notice Anybody: does what a missed deadline calls for. The Scheduler does it by itself.
    function expire(uint256 job) external;
    /// @notice Providers only: free capacity has appeared; tries a few waiting jobs.
    function matchWaiting() external;
    /// @notice Providers only: slashed stake on its way to a renter, to judges, to who found the fault.
    function collect() external payable;
    /// @notice Disputes only, when a case closes. `wanted`: what its judges are owed; as much of it as there is goes to
    ///         Disputes.collect in the same call. finder: the auditor that was right, if any.
    function onVerdict(uint256 job, Verdict calldata verdict, uint256 wanted, address finder) external;
    /// @notice Custody only: who asks for data of a replica, what it is, who holds it.
    function onDemand(uint256 job, uint8 replicaIndex, bool bundle, address by)
        external returns (address holder, bytes32 root, uint64 size);
    /// @notice Custody only: the demand was met (or not).
    function onAnswer(uint256 job, uint8 replicaIndex, bool withheld) external;

    /// @notice Who must not judge a job: its renter, its providers and their workers, its challenger.
    function partiesOf(uint256 job) external view returns (address[] memory);
    function commitmentOf(uint256 job, address provider, bytes32 root, uint8 exitReason, bytes32 trace, bytes32 salt)
        external pure returns (bytes32);
    function getJob(uint256 job) external view returns (Job memory);
    /// @notice One entry for each of spec.replicas; empty while Open.
    function getReplicas(uint256 job) external view returns (Replica[] memory);
    /// @notice Jobs that `provider` holds a replica of and that have not ended. At most 128.
    function activeJobs(address provider) external view returns (uint256[] memory);
    function jobCount() external view returns (uint256); // ids are 1 .. jobCount
    /// @notice Ids of a renter's jobs, oldest first, from index `start`, at most 100.
    function jobsOf(address renter, uint256 start, uint256 limit) external view returns (uint256[] memory ids, uint256 total);
    /// @notice Ids waiting in the order book, from job `after_` (0: head), at most 100.
    function waiting(uint256 after_, uint256 limit) external view returns (uint256[] memory ids);
    function parameters() external view returns (Parameters memory);
}

/// @title Reason codes: why a job ended, why its program failed, why a provider declined.
library Reasons {
    // Why a job ended (Job.reason, JobSettled.reason)
    uint8 internal constant REASON_NONE = 0;
    uint8 internal constant REASON_ALL_AGREED = 1;
    uint8 internal constant REASON_MAJORITY = 2; // some were off it, missing or silent
    uint8 internal constant REASON_NO_MAJORITY = 3; // everybody refunded, nobody paid
    uint8 internal constant REASON_NOT_FILLED = 4; // start window over
    uint8 internal constant REASON_CANCELLED = 5;
    uint8 internal constant REASON_TOO_FEW_SEALS = 6; // not enough providers answered in time
    uint8 internal constant REASON_COMMITTEE = 7; // validators re-ran it
    uint8 internal constant REASON_NO_VERDICT = 8; // they did not agree either, or nobody could judge
    uint8 internal constant REASON_ACCEPTED = 9; // by the renter, or no objection in time
    uint8 internal constant REASON_OBJECTED = 10;
    uint8 internal constant REASON_WITHHELD = 11; // who had the result did not show it

    // How the job's program ended (exitReason): 0 is success, the rest is the job's own doing and is paid for.
    // One table with compute/reason.h. A worker that cannot run the job at all declines instead.
    uint8 internal constant EXIT_OK = 0;
    uint8 internal constant EXIT_BAD_JOB = 1;
    uint8 internal constant EXIT_COMPILE = 2;
    uint8 internal constant EXIT_LAUNCH = 3;
    uint8 internal constant EXIT_TIME = 4; // differs between machines: being alone with it is no lie
    uint8 internal constant EXIT_MEMORY = 5; // likewise
    uint8 internal constant EXIT_OUTPUT = 6;
    uint8 internal constant EXIT_DISK = 7;
    uint8 internal constant EXIT_PROCESSES = 8;
    uint8 internal constant EXIT_FAULT = 9;
    uint8 internal constant EXIT_ARITHMETIC = 10;
    uint8 internal constant EXIT_BARRIER = 11;
    uint8 internal constant EXIT_FILES = 12;
    uint8 internal constant EXIT_NETWORK = 13;
    uint8 internal constant EXIT_SYSCALL = 14;
    uint8 internal constant EXIT_SIGNAL = 15;
    uint8 internal constant EXIT_NO_OUTPUT = 16;
    uint8 internal constant EXIT_UNSUPPORTED = 17;
    uint8 internal constant EXIT_TRAP = 18;
    uint8 internal constant EXIT_EXIT_STATUS = 19;
    uint8 internal constant EXIT_MAX = 62; // room for later ones
    uint8 internal constant VERDICT_NO_DATA = 63; // a judge's: nobody gave me the bundle

    // Why a provider declined
    uint8 internal constant DECLINE_BUSY = 1;
    uint8 internal constant DECLINE_NO_DATA = 2; // the renter's bundle did not arrive
    uint8 internal constant DECLINE_UNSUPPORTED = 3;
    uint8 internal constant DECLINE_SHUTDOWN = 4;
    uint8 internal constant DECLINE_INTERNAL = 5; // the worker's own failure
    uint8 internal constant DECLINE_MAX = 15;
}
