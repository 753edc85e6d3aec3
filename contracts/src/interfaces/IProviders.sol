// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPull} from "./IPull.sol";

/// @title Providers: stake, GPUs, offers, free slots, endpoints, track record.
/// @notice Lives at 0x…1002. Amounts are wei, times are seconds, prices are wei per second.
///
/// initialize(uint256 minStake, uint256 stakeFactor, uint256 unbondingSeconds)   system, genesis, once
///
/// A provider is known by its owner's address (a cold key); its worker key (hot) acts for it in Jobs only.
/// GPU entry `index` (0..7) is `count` equal devices, each one slot; its offer is the price of one slot.
/// model "cpu" with computeCapability 0 is a worker that has only the cpu executor.
interface IProviders is IPull {
    enum Status { None, Active, Leaving }
    /// @dev How a replica ended; moves the track record.
    enum Outcome { Released, Agreed, Faulted, TimedOut, Declined, Overturned }

    struct Record {
        uint64 completed; // replicas revealed and settled
        uint64 agreed; // of those, on the side that was paid
        uint64 faulted;
        uint64 timedOut;
        uint64 declined;
        uint64 secondsServed;
        uint64 streak; // agreed in a row
        uint256 earned;
    }

    struct Provider {
        Status status;
        address worker;
        bytes32 tlsKeyHash; // SHA-256 of the gateway's SubjectPublicKeyInfo (DER)
        string endpoint; // host:port of the gateway
        string region;
        uint256 stake;
        uint256 reserved; // at risk by what runs or may still be challenged; free stake = stake - reserved
        uint64 leavesAt; // Leaving: when `complete` may be called
        uint8 gpus; // entries 0 .. gpus-1
        Record record;
    }

    struct Gpu {
        string model;
        uint32 vramMiB;
        uint16 count; // slots
        uint16 busy;
        uint16 computeCapability; // major * 10 + minor; 0 for "cpu"
        uint8 runtimes; // bit 0 cuda-c, bit 1 cuda-c-fast, bit 2 exec
        bool open;
        uint32 minSeconds; // accepts jobs whose secondsLimit is within
        uint32 maxSeconds;
        uint256 pricePerSecond;
    }

    /// @dev One line of the search view.
    struct Offer {
        address provider;
        uint8 index;
        Gpu gpu;
        string endpoint;
        bytes32 tlsKeyHash;
        string region;
        uint256 freeStake;
        Record record;
    }

    /// @dev What a job needs of each replica.
    struct Need {
        uint256 job;
        uint8 runtime;
        uint32 minVramMiB;
        uint16 minComputeCapability;
        bytes32 model; // keccak256 of the model's name, or 0 for any
        uint32 secondsLimit;
        uint256 maxPricePerSecond;
        uint16 auditBps; // asked for by the renter; alone: at least the network's floor
        uint16 newcomerBps; // alone: the audit rate of a provider without a streak
        bool alone; // no other replica whose result would show a cheat
    }

    struct Match {
        address provider;
        uint8 index;
        uint16 auditBps; // the rate in force
        uint256 pricePerSecond;
        uint256 reserved;
    }

    struct Finish {
        uint256 job;
        address provider;
        uint8 index;
        Outcome outcome;
        bool slot; // the device is free again
        uint32 secondsUsed;
        uint256 reserved; // given back to the free stake …
        uint256 slashed; // … after this much (≤ reserved) is taken
        uint256 toJobs; // of `slashed`: sent to Jobs, for the renter first; the rest is burned
        uint256 earned;
    }

    event ProviderRegistered(address indexed provider, address indexed worker, string endpoint, bytes32 tlsKeyHash, string region);
    event StakeAdded(address indexed provider, uint256 amount, uint256 stake);
    event ProviderLeaving(address indexed provider, uint64 leavesAt);
    event ProviderLeft(address indexed provider, uint256 amount);
    event EndpointChanged(address indexed provider, string endpoint, bytes32 tlsKeyHash, string region);
    event WorkerChanged(address indexed provider, address indexed worker);
    event GpuChanged(address indexed provider, uint8 indexed index, string model, uint32 vramMiB, uint16 count, uint16 computeCapability, uint8 runtimes);
    event OfferChanged(address indexed provider, uint8 indexed index, uint256 pricePerSecond, uint32 minSeconds, uint32 maxSeconds, bool open);
    event Reserved(address indexed provider, uint256 indexed job, uint8 index, uint256 amount);
    event Released(address indexed provider, uint256 indexed job, uint8 index, uint256 amount, Outcome outcome);
    event ProviderSlashed(address indexed provider, uint256 indexed job, uint256 amount, uint256 toJobs);

    error AlreadyRegistered(address provider);
    error NotRegistered(address provider);
    error NotActive(address provider);
    error StakeTooSmall(uint256 stake, uint256 minimum);
    error BadEndpoint(uint256 length);
    error BadRegion(uint256 length);
    error BadModel(uint256 length);
    error BadTlsKeyHash();
    error BadWorker(address worker);
    error WorkerTaken(address worker);
    error BadIndex(uint256 index);
    error BadCount(uint256 count, uint256 busy);
    error BadRuntimes(uint256 runtimes);
    error BadPrice(uint256 pricePerSecond);
    error BadSeconds(uint256 minSeconds, uint256 maxSeconds);
    error StillBusy(uint256 reserved);
    error NotLeaving(address provider);
    error NotMature(uint64 leavesAt);
    error BadLimit(uint256 limit);

    /// @param endpoint host:port, 1..128 bytes. @param region 0..32 bytes. The value is the stake.
    function register(string calldata endpoint, bytes32 tlsKeyHash, string calldata region, address workerKey) external payable;
    function setEndpoint(string calldata endpoint, bytes32 tlsKeyHash, string calldata region) external;
    function setWorker(address workerKey) external;
    function addStake() external payable;
    /// @notice Takes no work from now on; the stake is free for `complete` after unbonding and when nothing runs.
    function unregister() external;
    function complete(address provider) external;
    /// @notice `index` at most the number of entries; model 1..64 bytes; count 0..16 (not below what runs now).
    function setGpu(uint8 index, string calldata model, uint32 vramMiB, uint16 count, uint16 computeCapability, uint8 runtimes) external;
    /// @notice Opening or widening an offer tries a few waiting jobs in the same transaction.
    function setOffer(uint8 index, uint256 pricePerSecond, uint32 minSeconds, uint32 maxSeconds, bool open) external;

    /// @notice Jobs only: finds `wanted` distinct eligible providers (named in order, or drawn by free stake when
    ///         `named` is empty), not among `excluded`, and reserves slot and stake. With `all`, all or none.
    function assign(Need calldata need, address[] calldata named, address[] calldata excluded, uint256 wanted, bool all, uint256 seed)
        external returns (Match[] memory);
    /// @notice Jobs only, once or more for a replica: frees its slot, gives back or slashes reserved stake, writes the record.
    function finish(Finish calldata f) external;

    function provider(address owner) external view returns (Provider memory);
    function workerOf(address owner) external view returns (address);
    /// @notice The provider that a worker key acts for; zero if none.
    function providerOf(address worker) external view returns (address);
    /// @notice reserved = factor * price * secondsLimit; factor = stakeFactor, or for a replica that stands alone
    ///         max(stakeFactor, ceil(10000 / auditRate)).
    function stakeFactor() external view returns (uint256);
    /// @notice Of a replica that stands alone: max(floorBps, newcomerBps * 8 / (8 + streak)).
    function auditRateOf(address owner, uint16 floorBps, uint16 newcomerBps) external view returns (uint16);
    function minStake() external view returns (uint256);
    function gpu(address owner, uint8 index) external view returns (Gpu memory);
    function providerCount() external view returns (uint256);
    /// @notice Pages through open offers. Start with cursor 0; pass `next` on until it is 0. limit 1..100. A page may be short.
    function offers(uint256 cursor, uint256 limit) external view returns (Offer[] memory page, uint256 next);
    /// @notice Weight in the draw: free stake while active with an open offer and a free slot, else 0.
    function drawWeight(address owner) external view returns (uint256);
    function totalDrawWeight() external view returns (uint256);
}
