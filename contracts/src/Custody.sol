// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICustody} from "./interfaces/ICustody.sol";
import {IJobs} from "./interfaces/IJobs.sol";
import {IProviders} from "./interfaces/IProviders.sol";
import {IScheduler, IScheduled} from "./interfaces/IScheduler.sol";
import {Pull} from "./Pull.sol";
import {System} from "./System.sol";

/// @title Custody: see ICustody.
/// @dev Invariants: balance == _totalBonds + _totalCredit; _totalBonds == sum of the bonds of open demands; a demand is in its
///      holder's list exactly while it is open.
contract Custody is ICustody, IScheduled, System, Pull {
    uint8 internal constant KIND_DEMAND = 1;
    uint256 internal constant LEAF_BYTES = 4096;
    uint256 internal constant SHOWN_MAX = 64;

    uint256 private _answerWindow;
    uint256 private _demandBond;
    uint256 private _totalBonds;
    uint256 public demandCount;
    mapping(uint256 => Demand) private _demands;
    mapping(address => uint256[]) private _open;
    mapping(uint256 => uint256) private _place; // in its holder's list, + 1

    function initialize(uint256 answerWindow, uint256 demandBond) external genesisOnce {
        if (answerWindow == 0 || answerWindow > 30 days || demandBond > 1e24) revert BadParameters();
        (_answerWindow, _demandBond) = (answerWindow, demandBond);
    }

    function demand(uint256 job, uint8 replicaIndex, Kind kind, uint64 leaf) external payable returns (uint256 id) {
        if (msg.value != _demandBond) revert WrongBond(msg.value, _demandBond);
        id = ++demandCount;
        Demand storage d = _demands[id];
        (d.holder, d.root, d.size) = IJobs(JOBS).onDemand(job, replicaIndex, kind == Kind.Bundle, msg.sender);
        uint64 leaves = _leavesOf(d.size);
        if (leaf >= leaves) revert BadLeaf(leaf, leaves);
        d.state = State.Open;
        d.kind = kind;
        d.replicaIndex = replicaIndex;
        d.answerBy = uint64(block.timestamp + _answerWindow);
        d.leaf = leaf;
        d.job = job;
        d.by = msg.sender;
        d.bond = msg.value;
        _totalBonds += msg.value;
        _open[d.holder].push(id);
        _place[id] = _open[d.holder].length;
        emit Demanded(id, job, d.holder, msg.sender, kind, leaf, d.answerBy);
        IScheduler(SCHEDULER).schedule(KIND_DEMAND, id, d.answerBy + 1);
    }

    function answer(uint256 id, bytes calldata leaf, bytes32[] calldata path) external {
        Demand storage d = _demands[id];
        if (d.state == State.None) revert UnknownDemand(id);
        if (d.state != State.Open) revert NotOpen(id, d.state);
        if (msg.sender != d.holder && IProviders(PROVIDERS).providerOf(msg.sender) != d.holder) revert NotHolder(id, msg.sender);
        if (block.timestamp > d.answerBy) revert TooLate(id, d.answerBy);
        if (!_proves(d, leaf, path)) revert BadProof(id);
        emit Answered(id, d.job, leaf);
        _close(id, d, State.Answered, d.holder);
    }

    function expire(uint256 id) external {
        if (_demands[id].state == State.None) revert UnknownDemand(id);
        if (!_expire(id)) revert NothingToExpire(id);
    }

    function onSchedule(uint8, uint256 id) external only(SCHEDULER) {
        _expire(id);
    }

    function _expire(uint256 id) private returns (bool) {
        Demand storage d = _demands[id];
        if (d.state != State.Open || block.timestamp <= d.answerBy) return false;
        emit Withheld(id, d.job, d.holder);
        _close(id, d, State.Withheld, d.by);
        return true;
    }

    /// @dev The bond pays who was asked in vain, or goes back to who asked with reason.
    function _close(uint256 id, Demand storage d, State state, address bondTo) private {
        d.state = state;
        _forget(id, d.holder);
        _totalBonds -= d.bond;
        _credit(bondTo, d.bond);
        IJobs(JOBS).onAnswer(d.job, d.replicaIndex, state == State.Withheld);
    }

    function _forget(uint256 id, address holder) private {
        uint256[] storage list = _open[holder];
        uint256 last = list[list.length - 1];
        uint256 place = _place[id];
        list[place - 1] = last;
        _place[last] = place;
        list.pop();
        delete _place[id];
    }

    // ---- the tree

    function _leavesOf(uint64 size) private pure returns (uint64) {
        return uint64((uint256(size) + LEAF_BYTES - 1) / LEAF_BYTES);
    }

    function _proves(Demand storage d, bytes calldata leaf, bytes32[] calldata path) private view returns (bool) {
        (uint64 size, uint64 index) = (d.size, d.leaf);
        uint64 count = _leavesOf(size);
        uint256 last = uint256(size) - uint256(count - 1) * LEAF_BYTES;
        if (leaf.length != (index + 1 == count ? last : LEAF_BYTES)) return false;
        bytes32 node = sha256(abi.encodePacked(bytes1(0), leaf));
        uint256 used = 0;
        for (; count > 1; (count, index) = ((count + 1) / 2, index / 2)) {
            if (index % 2 == 0 && index + 1 == count) continue; // moves up as it is
            if (used == path.length) return false;
            bytes32 sister = path[used++];
            node = index % 2 == 0
                ? sha256(abi.encodePacked(bytes1(uint8(1)), node, sister))
                : sha256(abi.encodePacked(bytes1(uint8(1)), sister, node));
        }
        return used == path.length && sha256(abi.encodePacked(bytes1(uint8(2)), size, node)) == d.root;
    }

    // ---- views

    function getDemand(uint256 id) external view returns (Demand memory d) {
        d = _demands[id];
        if (d.state == State.None) revert UnknownDemand(id);
    }

    function demandsOf(address holder) external view returns (uint256[] memory list) {
        uint256[] storage all = _open[holder];
        list = new uint256[](all.length < SHOWN_MAX ? all.length : SHOWN_MAX);
        for (uint256 i = 0; i < list.length; i++) list[i] = all[i];
    }

    function parameters() external view returns (uint256, uint256) {
        return (_answerWindow, _demandBond);
    }

    function liabilities() external view returns (uint256) {
        return _totalBonds + _totalCredit;
    }
}
