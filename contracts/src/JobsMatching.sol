// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IProviders} from "./interfaces/IProviders.sol";
import {IScheduler} from "./interfaces/IScheduler.sol";
import {JobsStorage} from "./JobsStorage.sol";

/// @title Jobs: from the order book to providers.
/// @dev An Open job gets all its replicas at once or none, so that two jobs never hold halves of what each needs.
abstract contract JobsMatching is JobsStorage {
    uint256 internal constant TRIES_PER_ROUND = 4;
    uint256 internal constant GAS_PER_TRY = 3_000_000; // more than any fill needs

    function matchWaiting() external only(PROVIDERS) {
        _callMatching(block.timestamp);
    }

    function collect() external payable only(PROVIDERS) {}

    /// @dev Goes round the order book, so that a job that cannot be filled does not stand before the others.
    function _matchRound() internal {
        _matchAt = 0;
        uint256 job = _nextTry != 0 ? _nextTry : _book[0].next;
        bool any = false;
        for (uint256 tries = 0; tries < TRIES_PER_ROUND && job != 0; tries++) {
            if (tries != 0 && gasleft() < GAS_PER_TRY) break;
            uint256 next = _book[job].next;
            if (_fill(job)) any = true;
            job = next;
        }
        _nextTry = job;
        if (any || job != 0) _callMatching(block.timestamp + 1);
    }

    /// @dev Tries to fill what the job lacks. True if nothing is lacking any more.
    function _fill(uint256 job) internal returns (bool) {
        Entry storage j = _jobs[job];
        if (!_mayReassign(j)) return false;
        (uint256 vacant, address[] memory excluded) = _vacancies(job, j);
        IProviders.Match[] memory matches = IProviders(PROVIDERS).assign(
            _need(job, j), j.named, excluded, vacant, j.state == State.Open, uint256(keccak256(abi.encode(block.prevrandao, job)))
        );
        if (matches.length == 0) return false;
        if (j.state == State.Open) _start(job, j);
        uint64 sealBy = uint64(block.timestamp + _sealWindow(j));
        uint256 index = 0;
        for (uint256 i = 0; i < matches.length; i++) {
            while (_replicas[job][index].state != ReplicaState.Vacant) index++;
            _place(job, uint8(index), matches[i], sealBy);
        }
        _wakeAfter(job, sealBy);
        if (matches.length < vacant) return false;
        _leaveBook(job);
        return true;
    }

    function _start(uint256 job, Entry storage j) private {
        j.state = State.Running;
        j.startedAt = uint64(block.timestamp);
        j.deadline = uint64(_reassignBy(j));
        emit JobStarted(job, j.deadline);
    }

    function _place(uint256 job, uint8 index, IProviders.Match memory m, uint64 sealBy) private {
        ReplicaEntry storage r = _replicas[job][index];
        r.provider = m.provider;
        r.state = ReplicaState.Assigned;
        r.gpuIndex = m.index;
        r.pricePerSecond = uint96(m.pricePerSecond);
        r.reserved = uint128(m.reserved);
        r.auditBps = m.auditBps;
        r.assignedAt = uint64(block.timestamp);
        r.sealBy = sealBy;
        _addActive(m.provider, job);
        emit JobAssigned(job, index, m.provider, m.pricePerSecond, m.index, sealBy);
    }

    /// @dev How many replicas are vacant, and who must not get one.
    function _vacancies(uint256 job, Entry storage j) private view returns (uint256 vacant, address[] memory excluded) {
        uint256 dropped = j.dropped.length;
        uint256 count = dropped;
        excluded = new address[](dropped + j.replicas);
        for (uint256 i = 0; i < dropped; i++) excluded[i] = j.dropped[i];
        for (uint256 i = 0; i < j.replicas; i++) {
            ReplicaEntry storage r = _replicas[job][i];
            if (r.state == ReplicaState.Vacant) vacant++;
            else excluded[count++] = r.provider;
        }
        assembly ("memory-safe") {
            mstore(excluded, count)
        }
    }

    function _need(uint256 job, Entry storage j) private view returns (IProviders.Need memory) {
        return IProviders.Need({
            job: job,
            runtime: j.runtime,
            minVramMiB: j.minVramMiB,
            minComputeCapability: j.minComputeCapability,
            model: j.model,
            secondsLimit: j.secondsLimit,
            maxPricePerSecond: j.maxPricePerSecond,
            auditBps: j.auditBps,
            newcomerBps: _alone(j) ? _rules.newcomerBps : 0,
            alone: _alone(j)
        });
    }

    /// @dev A provider is out of the job for good; its replica is vacant and, while time allows, looked for again.
    function _vacate(uint256 job, Entry storage j, uint8 index, IProviders.Finish memory f) internal {
        ReplicaEntry storage r = _replicas[job][index];
        _finishReplica(job, r, f);
        _compensate(job, j, f.toJobs);
        j.dropped.push(r.provider);
        delete _replicas[job][index];
        if (!_mayReassign(j) || _inBook[job]) return;
        _enterBook(job);
        _wakeAfter(job, j.deadline);
    }

    /// @dev Also for an Open job, which has lost nobody yet: its deadline is the end of its start window.
    function _mayReassign(Entry storage j) internal view returns (bool) {
        return block.timestamp <= j.deadline && j.dropped.length < DROPPED_MAX;
    }
}
