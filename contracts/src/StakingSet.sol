// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StakingPools} from "./StakingPools.sol";

/// @title Staking: candidates, the validator set, the end of an epoch.
/// @dev Invariants: the set is never empty after the first genesis validator; at most VALIDATORS_MAX members, by stake;
///      the candidates are exactly the validators whose status is Active.
abstract contract StakingSet is StakingPools {
    uint256 internal constant VALIDATORS_MAX = 128;
    uint256 internal constant CANDIDATES_MAX = 192;
    uint256 internal constant EPOCHS_KEPT = 4096; // memory of sets; evidence is older than neither this nor evidenceSeconds
    uint256 internal constant GWEI = 1e9;
    uint64 internal constant WEIGHT_MAX = (uint64(1) << 60) / 128; // so that a set's total stays within 2^60

    struct EpochInfo {
        uint64 number;
        uint64 startedAt;
        uint64 totalWeight;
        uint64 generation; // one word
        bytes32 setHash;
    }

    struct Membership {
        uint64 epoch;
        uint64 weight;
    }

    uint256 internal _jailSeconds;
    uint256 internal _maxMissedBps;
    uint256 internal _minMissed;
    uint64 internal _generationStartedAt;
    address[] internal _candidates;
    Member[] internal _set;
    mapping(uint256 => EpochInfo) internal _epochs; // by number % EPOCHS_KEPT
    mapping(address => mapping(uint256 => Membership)) internal _memberships; // likewise

    // ---- candidates

    /// @dev Makes a validator Active; if the list is full, in place of the one with the least stake.
    function _enter(address operator) internal {
        Entry storage v = _validators[operator];
        if (_candidates.length == CANDIDATES_MAX) {
            address lowest = _lowestCandidate();
            uint256 least = _validators[lowest].stake;
            if (v.stake <= least) revert CandidatesFull(v.stake, least);
            _leave(lowest, Status.Inactive);
        }
        _candidates.push(operator);
        v.place = _candidates.length;
        _setStatus(operator, Status.Active);
    }

    function _leave(address operator, Status status) internal {
        Entry storage v = _validators[operator];
        if (v.place != 0) {
            address last = _candidates[_candidates.length - 1];
            _candidates[v.place - 1] = last;
            _validators[last].place = v.place;
            _candidates.pop();
            v.place = 0;
        }
        _setStatus(operator, status);
    }

    function _setStatus(address operator, Status status) private {
        _validators[operator].status = status;
        emit StatusChanged(operator, status);
    }

    function _lowestCandidate() private view returns (address lowest) {
        uint256 least = type(uint256).max;
        for (uint256 i = 0; i < _candidates.length; i++) {
            uint256 stake = _validators[_candidates[i]].stake;
            if (stake < least) (least, lowest) = (stake, _candidates[i]);
        }
    }

    // ---- the set

    function _weight(Entry storage v) private view returns (uint64) {
        uint256 gwei_ = v.stake / GWEI;
        return gwei_ < WEIGHT_MAX ? uint64(gwei_) : WEIGHT_MAX;
    }

    /// @dev Candidates by weight, heaviest first, equals in the order of the list. Insertion keeps the best VALIDATORS_MAX.
    function _computeSet() internal view returns (Member[] memory set) {
        uint256 count = 0;
        set = new Member[](VALIDATORS_MAX);
        for (uint256 i = 0; i < _candidates.length; i++) {
            Entry storage v = _validators[_candidates[i]];
            uint64 weight = _weight(v);
            if (weight == 0) continue;
            if (count == VALIDATORS_MAX) {
                if (weight <= set[count - 1].weightGwei) continue;
                count--;
            }
            uint256 k = count++;
            for (; k > 0 && set[k - 1].weightGwei < weight; k--) set[k] = set[k - 1];
            address next = v.nextConsensusAddress;
            set[k] = Member(_candidates[i], next == address(0) ? v.consensusAddress : next, weight);
        }
        assembly ("memory-safe") {
            mstore(set, count)
        }
    }

    /// @dev Keeps `set` as that of `epoch`: the list itself, its hash, and who was in it with what weight.
    function _storeSet(Member[] memory set) internal returns (bytes32 hash) {
        uint64 number = epoch;
        uint64 total = 0;
        bytes memory words = new bytes(set.length * 96);
        while (_set.length > set.length) _set.pop();
        for (uint256 i = 0; i < set.length; i++) {
            Member memory m = set[i];
            total += m.weightGwei;
            if (i < _set.length) _set[i] = m;
            else _set.push(m);
            if (_validators[m.operator].nextConsensusAddress == m.consensusAddress) _takeNextKey(m.operator);
            _memberships[m.consensusAddress][number % EPOCHS_KEPT] = Membership(number, m.weightGwei);
            _writeMember(words, i * 96, m);
        }
        hash = keccak256(words);
        _epochs[number % EPOCHS_KEPT] = EpochInfo(number, uint64(block.timestamp), total, _generation, hash);
    }

    function _takeNextKey(address operator) internal {
        Entry storage v = _validators[operator];
        (v.consensusAddress, v.hashChainEnd) = (v.nextConsensusAddress, v.nextHashChainEnd);
        (v.nextConsensusAddress, v.nextHashChainEnd) = (address(0), 0);
        v.proposedBefore = v.proposed;
    }

    function _writeMember(bytes memory words, uint256 offset, Member memory m) private pure {
        assembly ("memory-safe") {
            let at := add(add(words, 32), offset)
            mstore(at, mload(m))
            mstore(add(at, 32), mload(add(m, 32)))
            mstore(add(at, 64), mload(add(m, 64)))
        }
    }

    function setHash(uint64 epoch_) public view returns (bytes32) {
        EpochInfo storage info = _epochs[epoch_ % EPOCHS_KEPT];
        return info.number == epoch_ ? info.setHash : bytes32(0);
    }

    function weightAt(uint64 epoch_, address consensusAddress) public view returns (uint64) {
        Membership storage m = _memberships[consensusAddress][epoch_ % EPOCHS_KEPT];
        return m.epoch == epoch_ ? m.weight : 0;
    }

    /// @dev When the epoch ended; 0: it is running; 1: so long ago that it is forgotten.
    function _endOf(uint64 epoch_) internal view returns (uint64) {
        if (epoch_ >= epoch) return 0;
        EpochInfo storage next = _epochs[(epoch_ + 1) % EPOCHS_KEPT];
        return next.number == epoch_ + 1 ? next.startedAt : 1;
    }

    // ---- the end of an epoch

    function endEpoch(uint64 ended, Work[] calldata work) external payable only(SYSTEM) {
        if (work.length > VALIDATORS_MAX) revert TooManyWorkers(work.length);
        if (ended < epoch) revert EpochOver(ended, epoch);
        if (ended > epoch) _catchUp(ended);
        for (uint256 i = 0; i < work.length; i++) _record(work[i]);
        uint256 rewards = msg.value + _carry;
        _carry = rewards - _payRewards(rewards, work);
        _jailMissers(work);
        Member[] memory next = _computeSet();
        if (next.length == 0) next = _set; // nobody is left: those who were, go on
        epoch = ended + 1;
        _turnGeneration();
        emit EpochEnded(ended, _storeSet(next), next.length, rewards);
    }

    /// @dev Calls for the epochs before `ended` failed, and the old set went on: it answers for `ended` as well.
    function _catchUp(uint64 ended) private {
        EpochInfo memory info = _epochs[epoch % EPOCHS_KEPT];
        (epoch, info.number) = (ended, ended);
        _storeSet(_set);
        _epochs[ended % EPOCHS_KEPT] = info;
    }

    function _turnGeneration() private {
        if (block.timestamp < _generationStartedAt + _unbondingSeconds / GENERATIONS) return;
        _generation++;
        _generationStartedAt = uint64(block.timestamp);
    }

    /// @dev Views are counted together over epochs until there are enough to judge by; then anew. An operator that is
    ///      no validator is passed over.
    function _record(Work calldata w) private {
        Entry storage v = _validators[w.operator];
        if (v.status == Status.None) return;
        if (v.talliedEpoch != epoch + 1) {
            v.talliedEpoch = epoch + 1;
            bool enough = uint256(v.proposedLately) + v.missedLately >= 2 * _minMissed;
            if (enough) (v.proposedLately, v.missedLately) = (0, 0);
        }
        v.proposedLately = _addCapped(v.proposedLately, w.proposed);
        v.missedLately = _addCapped(v.missedLately, w.missed);
        v.proposed += w.proposed;
        v.missed += w.missed;
        if (w.revealed != 0) v.hashChainEnd = w.revealed;
    }

    function _addCapped(uint32 a, uint32 b) private pure returns (uint32) {
        uint256 sum = uint256(a) + b;
        return sum > type(uint32).max ? type(uint32).max : uint32(sum);
    }

    /// @dev By work done. The operator's commission becomes its own stake, the rest everybody's who delegated. A pool of
    ///      less than a gwei of shares gets nothing: one share would become dear, and rounding would rob who comes later.
    function _payRewards(uint256 rewards, Work[] calldata work) private returns (uint256 paid) {
        uint256 total = 0;
        for (uint256 i = 0; i < work.length; i++) total += work[i].proposed;
        if (total == 0 || rewards == 0) return 0;
        for (uint256 i = 0; i < work.length; i++) {
            address operator = work[i].operator;
            uint256 amount = rewards * work[i].proposed / total;
            Entry storage v = _validators[operator];
            if (amount == 0 || !_accepts(v) || v.shares < GWEI) continue;
            uint256 commission = amount * v.commissionBps / BPS;
            v.stake += amount - commission;
            _totalBonded += amount - commission;
            if (commission != 0) _addStake(operator, operator, commission, _sharesFor(v, commission));
            paid += amount;
            emit Rewarded(operator, amount, commission);
        }
    }

    /// @dev Never more than a third of the set's weight in one epoch: when so many miss, the network is at fault.
    function _jailMissers(Work[] calldata work) private {
        uint256 allowed = _epochs[epoch % EPOCHS_KEPT].totalWeight / 3;
        for (uint256 i = 0; i < work.length; i++) {
            address operator = work[i].operator;
            Entry storage v = _validators[operator];
            if (work[i].missed == 0 || v.status != Status.Active || _candidates.length == 1) continue;
            (uint32 proposed, uint32 missed) = (v.proposedLately, v.missedLately);
            if (missed < _minMissed || missed * BPS <= _maxMissedBps * (uint256(proposed) + missed)) continue;
            uint256 weight = weightAt(epoch, v.consensusAddress);
            if (weight > allowed) continue;
            allowed -= weight;
            v.jailedUntil = uint64(block.timestamp + _jailSeconds);
            (v.proposedLately, v.missedLately) = (0, 0);
            _leave(operator, Status.Jailed);
            emit ValidatorJailed(operator, v.jailedUntil, proposed, missed);
        }
    }
}
