// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPull} from "./IPull.sol";

/// @title Custody: who holds data for others must show any leaf of it in time.
/// @notice Lives at 0x…1007. Amounts are wei, times are seconds.
///
/// initialize(uint256 answerWindow, uint256 demandBond)   system, genesis, once
///
/// Who may demand, of which replica and until when is Jobs' business: it fails with Jobs' errors (NotParty, NothingHeld, …).
///
/// Data is a content of `size` bytes under a Merkle root: leaf = sha256(0x00 | at most 4096 bytes), node = sha256(0x01 | left |
/// right), an odd node at a level's end moves up as it is, root = sha256(0x02 | size as 8 bytes, big-endian | top).
interface ICustody is IPull {
    enum Kind { Result, Bundle }
    enum State { None, Open, Answered, Withheld }

    struct Demand {
        State state;
        Kind kind;
        uint8 replicaIndex;
        uint64 answerBy;
        uint64 leaf;
        uint64 size; // of the whole content
        uint256 job;
        address by;
        address holder; // the provider
        bytes32 root;
        uint256 bond;
    }

    event Demanded(uint256 indexed demand, uint256 indexed job, address indexed holder, address by, Kind kind, uint64 leaf, uint64 answerBy);
    event Answered(uint256 indexed demand, uint256 indexed job, bytes leaf);
    event Withheld(uint256 indexed demand, uint256 indexed job, address indexed holder);

    error WrongBond(uint256 sent, uint256 bond);
    error BadLeaf(uint64 leaf, uint64 leaves);
    error UnknownDemand(uint256 demand);
    error NotOpen(uint256 demand, State state);
    error NotHolder(uint256 demand, address caller);
    error TooLate(uint256 demand, uint64 answerBy);
    error BadProof(uint256 demand);
    error NothingToExpire(uint256 demand);

    /// @notice The job's renter, or a judge seated in its case, with exactly the bond.
    ///         The replica's stake must still be at risk. At most 4 open for a replica.
    function demand(uint256 job, uint8 replicaIndex, Kind kind, uint64 leaf) external payable returns (uint256 id);
    /// @notice The holder or its worker key, until answerBy: the leaf's bytes and the sisters on its way up, lowest first
    ///         (none for a level at which its node moves up as it is).
    function answer(uint256 id, bytes calldata leaf, bytes32[] calldata path) external;
    /// @notice Anybody: does what a missed deadline calls for. The Scheduler does it by itself.
    function expire(uint256 id) external;
    function demandCount() external view returns (uint256); // ids are 1 .. demandCount
    function getDemand(uint256 id) external view returns (Demand memory);
    /// @notice Open demands that a provider must answer. At most 64.
    function demandsOf(address holder) external view returns (uint256[] memory);
    /// @notice (answerWindow, demandBond)
    function parameters() external view returns (uint256, uint256);
}
