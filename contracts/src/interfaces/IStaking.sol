// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPull} from "./IPull.sol";

/// @title Staking: validators, delegation, epochs, the validator set, slashing by signed evidence.
/// @notice Lives at 0x…1001. Amounts are wei, times are unix seconds, weights are gwei of stake in 64 bits.
///
/// initialize(uint256 minSelfStake, uint256 unbondingSeconds, uint256 evidenceSeconds, uint256 jailSeconds,
///            uint256 maxMissedBps, uint256 minMissed, uint256 reporterBps)   system, genesis, once
///
/// A validator is known by its operator's address; its consensus key may change, a key never changes its operator.
/// Epochs count from 0: after genesis `epoch()` is 0, and `endEpoch` in the last block of epoch e makes it e + 1.
interface IStaking is IPull {
    enum Status { None, Active, Inactive, Jailed, Tombstoned }

    /// @dev One member of a set, in the order that gives it its index. Set hash:
    ///      keccak256 over the members in order, each abi.encode(operator, consensusAddress, weightGwei) = 96 bytes.
    struct Member {
        address operator;
        address consensusAddress;
        uint64 weightGwei;
    }

    struct Validator {
        Status status;
        address consensusAddress;
        bytes32 hashChainEnd; // the last link that was opened; its next reveal hashes to this
        uint16 commissionBps;
        uint64 jailedUntil;
        uint256 stake; // self-stake and delegations together
        uint256 shares;
        uint256 unbonding;
        uint256 selfStake; // the operator's own part of `stake`
        uint64 proposed; // over its life
        uint64 missed;
        address operator;
        address nextConsensusAddress; // of the next set; zero: no change waits
        uint64 revealed; // links of the hash chain that are used up
    }

    /// @dev What one member did in an epoch.
    struct Work {
        address operator;
        uint32 proposed; // views
        uint32 missed; // views led and skipped
        bytes32 revealed; // the last link of its hash chain that was opened; zero: none
    }

    struct Parameters {
        uint256 minSelfStake;
        uint256 unbondingSeconds;
        uint256 evidenceSeconds;
        uint256 jailSeconds;
        uint256 maxMissedBps;
        uint256 minMissed;
        uint256 reporterBps;
    }

    struct Delegation {
        address validator;
        uint256 shares;
        uint256 amount; // worth now, in wei
    }

    /// @dev A vote as consensus signs it. digest = keccak256(abi.encode(keccak256("Leasehold vote v1"),
    ///      block.chainid, epoch, view, kind, parentView, blockHash)); signature = r ‖ s ‖ v, v 0/1 or 27/28.
    struct Vote {
        uint64 epoch;
        uint64 viewNumber;
        uint8 kind; // 0 notarize, 1 nullify, 2 finalize
        uint64 parentView;
        bytes32 blockHash;
        bytes signature;
    }

    struct Unbonding {
        uint256 id;
        address owner;
        address validator;
        address target; // delegated here when complete (redelegation); zero: paid out
        uint64 maturesAt; // later, if the epoch in which it left goes on for so long
        uint256 amount; // worth now, after slashes so far
    }

    event ValidatorJoined(address indexed operator, address indexed consensusAddress, bytes32 hashChainEnd, uint16 commissionBps);
    event KeyChanged(address indexed operator, address indexed consensusAddress, bytes32 hashChainEnd, bool atOnce);
    event StatusChanged(address indexed operator, Status status);
    event Delegated(address indexed validator, address indexed delegator, uint256 amount, uint256 shares);
    event Undelegated(address indexed validator, address indexed delegator, uint256 indexed id, uint256 amount, uint256 shares, address target);
    event UnbondingCompleted(uint256 indexed id, address indexed owner, uint256 amount);
    event EpochEnded(uint64 indexed epoch, bytes32 nextSetHash, uint256 members, uint256 rewards);
    event Rewarded(address indexed operator, uint256 amount, uint256 commission);
    event ValidatorJailed(address indexed operator, uint64 until, uint32 proposed, uint32 missed);
    event ValidatorSlashed(address indexed operator, address indexed reporter, uint64 indexed epoch, uint64 viewNumber,
        uint8 evidence, uint256 fractionBps, uint256 amount, uint256 reward);

    event DutySlashed(address indexed operator, uint256 amount);

    error AlreadyValidator(address operator);
    error NotValidator(address operator);
    error ConsensusKeyTaken(address consensusAddress);
    error BadConsensusProof(address consensusAddress);
    error BadCommission(uint256 commissionBps);
    error BadHashChain();
    error StakeTooSmall(uint256 stake, uint256 minimum);
    error CandidatesFull(uint256 stake, uint256 lowest);
    error NotAccepting(address validator);
    error SameValidator(address validator);
    error ZeroShares();
    error TooManyShares(uint256 wanted, uint256 held);
    error UnknownUnbonding(uint256 id);
    error NotMature(uint256 id, uint64 maturesAt);
    error NotJailed(address operator);
    error JailedUntil(uint64 time);
    error VotesDoNotConflict();
    error SignersDiffer(address signerA, address signerB);
    error BadSignature();
    error NotMember(address signer, uint64 epoch);
    error EvidenceTooOld(uint64 epoch);
    error EvidenceUsed(address signer, uint64 epoch, uint64 viewNumber);
    error TooManyWorkers(uint256 count);
    error EpochOver(uint64 ended, uint64 running);
    error TooManyDelegations(uint256 most);
    error TooManyUnbondings(uint256 most);
    error NothingToSlash(address operator);

    /// @param proof the consensus key's signature (r ‖ s ‖ v) over
    ///        keccak256(abi.encode(keccak256("Leasehold consensus key v1"), block.chainid, operator)).
    function join(address consensusAddress, bytes32 hashChainEnd, uint16 commissionBps, bytes calldata proof) external payable;

    /// @notice Genesis only, by the system, after initialize; the value is the self-stake.
    function genesisValidator(address operator, address consensusAddress, bytes32 hashChainEnd, uint16 commissionBps) external payable;

    /// @notice A new consensus key and a new hash chain, with the new key's proof: from the next set on, or at once for
    ///         who is not in the running one. The old key goes on answering for the epochs in which it voted.
    function changeKey(address consensusAddress, bytes32 hashChainEnd, bytes calldata proof) external;

    function delegate(address validator) external payable returns (uint256 shares);
    function undelegate(address validator, uint256 shares) external returns (uint256 id);
    /// @notice Like undelegate, but on completion the stake goes to `target`; until then it answers for `validator`.
    function redelegate(address validator, address target, uint256 shares) external returns (uint256 id);
    /// @notice Anybody may complete a mature unbonding: credited to its owner, or delegated for it.
    function complete(uint256 id) external;
    /// @notice Completes every mature unbonding of `owner` and pays out its credit. Anybody may trigger it.
    function collect(address payable owner) external;
    /// @notice Ends a jail whose time is over, or enters the candidates again with enough self-stake.
    function unjail() external;
    /// @notice Evidence against a validator that was convicted in this evidence window or the last takes nothing more.
    function slash(Vote calldata a, Vote calldata b) external;
    /// @notice Who was convicted before others of the same time pays what it would pay now.
    function slashMore(address operator) external;

    /// @notice System only, in the last block of epoch `ended`: what its members did; the value, if any, is the
    ///         epoch's reward. Makes and keeps the next epoch's set.
    function endEpoch(uint64 ended, Work[] calldata work) external payable;

    /// @notice Disputes only: takes up to `amount` of the operator's own stake, never more than a tenth of minSelfStake, and
    ///         burns it. Returns what was taken.
    function slashDuty(address operator, uint256 amount) external returns (uint256 taken);
    /// @notice Up to `wanted` different operators of the running set, drawn by weight without replacement, none of `excluded`,
    ///         no convicts.
    function drawMembers(uint256 seed, uint256 wanted, address[] calldata excluded) external view returns (address[] memory);

    function epoch() external view returns (uint64);
    /// @notice The set of `epoch()`: right after endEpoch of e, that of e + 1; right after genesis, that of 0.
    function nextSet() external view returns (Member[] memory);
    /// @notice The same set, read inside its epoch.
    function currentSet() external view returns (Member[] memory);
    /// @notice What the set would be if the epoch ended now.
    function previewSet() external view returns (Member[] memory);
    function setHash(uint64 epoch_) external view returns (bytes32);
    function weightAt(uint64 epoch_, address consensusAddress) external view returns (uint64);
    function validator(address operator) external view returns (Validator memory);
    function validators(address[] calldata operators) external view returns (Validator[] memory);
    function parameters() external view returns (Parameters memory);
    function operatorOf(address consensusAddress) external view returns (address);
    function candidates() external view returns (address[] memory);
    function sharesOf(address validator_, address delegator) external view returns (uint256);
    /// @notice What a delegation is worth now, in wei.
    function delegation(address validator_, address delegator) external view returns (uint256);
    function unbonding(uint256 id) external view returns (Unbonding memory);
    /// @notice All that an account has with validators, and all that is on its way back to it.
    function delegationsOf(address delegator) external view returns (Delegation[] memory);
    function unbondingsOf(address owner) external view returns (Unbonding[] memory);
}
