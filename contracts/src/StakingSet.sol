// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StakingPools} from "./StakingPools.sol";

/// @title Staking: candidates, the validator set, the end of an epoch.
/// @dev Invariants: the set is never empty after the first genesis validator; at most VALIDATORS_MAX members, by stake;
///      the candidates are exactly the validators whose status is Active.
abstract contract StakingSet is StakingPools {
    uint256 internal constant VALIDATORS_MAX = 100;
    uint256 internal constant CANDIDATES_MAX = 150;
    uint256 internal constant EPOCHS_KEPT = 4096; // memory of sets; evidence is older than neither this nor evidenceSeconds
    uint256 internal constant GWEI = 1e9;
    uint64 internal constant WEIGHT_MAX = (uint64(1) << 60) / 100; // so that a set's total stays below 2^60

    struct EpochInfo {
        uint64 number;
        uint64 startedAt;
        uint64 totalWeight;
        bytes32 setHash;
    }

    struct Membership {
        uint64 epoch;
        uint64 weight;
    }

    uint256 internal _jailSeconds;
    uint256 internal _maxMissedBps;
    uint256 internal _minMissed;
    uint64 public epoch;
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
            set[k] = Member(_candidates[i], v.consensusAddress, weight);
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
            _memberships[m.consensusAddress][number % EPOCHS_KEPT] = Membership(number, m.weightGwei);
            _writeMember(words, i * 96, m);
        }
        hash = keccak256(words);
        _epochs[number % EPOCHS_KEPT] = EpochInfo(number, uint64(block.timestamp), total, hash);
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

    // ---- the end of an epoch

    function endEpoch(
        address[] calldata proposers,
        uint32[] calldata proposed,
        address[] calldata missers,
        uint32[] calldata missed
    ) external payable only(SYSTEM) {
        if (proposers.length != proposed.length || missers.length != missed.length) revert BadLengths();
        if (proposers.length > VALIDATORS_MAX || missers.length > VALIDATORS_MAX) revert BadLengths();
        _recordProposed(proposers, proposed);
        _recordMissed(missers, missed);
        uint256 rewards = msg.value + _carry;
        _carry = rewards - _payRewards(rewards, proposers, proposed);
        _jailMissers(missers);
        Member[] memory next = _computeSet();
        if (next.length == 0) next = _set; // nobody is left: those who were, go on
        uint64 ended = epoch++;
        emit EpochEnded(ended, _storeSet(next), next.length, rewards);
    }

    /// @dev Null for an address that is no validator: counts about it are ignored.
    function _statsOf(address operator) private returns (Entry storage v, bool known) {
        v = _validators[operator];
        known = v.status != Status.None;
        if (known && v.statsEpoch != epoch + 1) (v.statsEpoch, v.proposedNow, v.missedNow) = (epoch + 1, 0, 0);
    }

    function _recordProposed(address[] calldata operators, uint32[] calldata counts) private {
        for (uint256 i = 0; i < operators.length; i++) {
            (Entry storage v, bool known) = _statsOf(operators[i]);
            if (!known) continue;
            v.proposedNow = _addCapped(v.proposedNow, counts[i]);
            v.proposed += counts[i];
        }
    }

    function _recordMissed(address[] calldata operators, uint32[] calldata counts) private {
        for (uint256 i = 0; i < operators.length; i++) {
            (Entry storage v, bool known) = _statsOf(operators[i]);
            if (!known) continue;
            v.missedNow = _addCapped(v.missedNow, counts[i]);
            v.missed += counts[i];
        }
    }

    function _addCapped(uint32 a, uint32 b) private pure returns (uint32) {
        uint256 sum = uint256(a) + b;
        return sum > type(uint32).max ? type(uint32).max : uint32(sum);
    }

    /// @dev By work done. The operator's commission becomes its own stake, the rest everybody's who delegated.
    function _payRewards(uint256 rewards, address[] calldata operators, uint32[] calldata counts) private returns (uint256 paid) {
        uint256 total = 0;
        for (uint256 i = 0; i < counts.length; i++) total += counts[i];
        if (total == 0 || rewards == 0) return 0;
        for (uint256 i = 0; i < operators.length; i++) {
            uint256 amount = rewards * counts[i] / total;
            Entry storage v = _validators[operators[i]];
            if (amount == 0 || !_accepts(v) || v.shares == 0) continue;
            uint256 commission = amount * v.commissionBps / BPS;
            v.stake += amount - commission;
            _totalBonded += amount - commission;
            if (commission != 0) _addStake(operators[i], operators[i], commission, _sharesFor(v, commission));
            paid += amount;
            emit Rewarded(operators[i], amount, commission);
        }
    }

    /// @dev Never more than a third of the set's weight in one epoch: when so many miss, the network is at fault.
    function _jailMissers(address[] calldata missers) private {
        uint256 allowed = _epochs[epoch % EPOCHS_KEPT].totalWeight / 3;
        for (uint256 i = 0; i < missers.length; i++) {
            Entry storage v = _validators[missers[i]];
            if (v.status != Status.Active || _candidates.length == 1) continue;
            uint256 views = uint256(v.proposedNow) + v.missedNow;
            if (v.missedNow < _minMissed || v.missedNow * BPS <= _maxMissedBps * views) continue;
            uint256 weight = _weight(v);
            if (weight > allowed) continue;
            allowed -= weight;
            v.jailedUntil = uint64(block.timestamp + _jailSeconds);
            _leave(missers[i], Status.Jailed);
            emit ValidatorJailed(missers[i], v.jailedUntil, v.proposedNow, v.missedNow);
        }
    }
}
