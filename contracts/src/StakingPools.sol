// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStaking} from "./interfaces/IStaking.sol";
import {Pull} from "./Pull.sol";
import {System} from "./System.sol";

/// @title Staking: the storage; stake and unbonding stake as shares of pools, so that a slash is one multiplication.
/// @dev Invariants:
///      - balance == _totalBonded + _totalUnbonding + _carry + _totalCredit;
///      - _totalBonded == sum of stake; _totalUnbonding == sum of the unbonding pools' tokens;
///      - a validator's shares == sum of its delegators' shares (the operator's own among them);
///      - what a holder gets for shares is rounded down, so the pool never owes more than it holds.
///      - _holdings[a] are the validators with shares of a, _leavingOf[a] the ids whose owner is a, each once.
///      Unbonding stake lies in one pool for each validator and generation. A generation is whole epochs, at least a
///      sixteenth of the unbonding time: so evidence from an epoch reaches all stake that left in it or after it, in few steps.
abstract contract StakingPools is IStaking, System, Pull {
    uint256 internal constant GENERATIONS = 16;
    uint256 internal constant HOLDINGS_MAX = 64; // delegations, and unbondings, of one account

    struct Entry {
        Status status;
        address consensusAddress;
        uint16 commissionBps;
        uint64 jailedUntil; // one word
        uint64 proposed;
        uint64 missed;
        uint64 talliedEpoch; // + 1, the last one that is in the two below
        uint32 proposedLately;
        uint32 missedLately; // one word
        bytes32 hashChainEnd;
        address nextConsensusAddress; // zero: the key stays
        uint64 proposedBefore; // with former keys
        bytes32 nextHashChainEnd;
        uint256 stake;
        uint256 shares;
        uint256 unbonding;
        uint256 place; // in the candidates, + 1
    }

    struct Pool {
        uint256 tokens;
        uint256 shares;
    }

    struct Leaving {
        address owner;
        uint64 maturesAt;
        address validator;
        uint64 generation;
        address target;
        uint64 epoch; // in which it left
        uint256 shares;
    }

    uint256 internal _minSelfStake;
    uint256 internal _unbondingSeconds;
    uint256 internal _totalBonded;
    uint256 internal _totalUnbonding;
    uint256 internal _carry; // rewards that no proposer could take; next epoch's
    uint256 internal _unbondingCount;
    uint64 public epoch;
    uint64 internal _generation;

    mapping(address => Entry) internal _validators;
    mapping(address => address) public operatorOf;
    mapping(address => mapping(address => uint256)) public sharesOf;
    mapping(address => mapping(uint256 => Pool)) internal _pools;
    mapping(uint256 => Leaving) internal _leaving;
    mapping(address => uint256[]) internal _holdings;
    mapping(address => uint256[]) internal _leavingOf;

    // ---- what an account has

    function _forget(uint256[] storage list, uint256 item) private {
        for (uint256 i = 0; i < list.length; i++) {
            if (list[i] != item) continue;
            list[i] = list[list.length - 1];
            list.pop();
            return;
        }
        assert(false);
    }

    /// @dev An operator's own stake always fits: its commission must not fail.
    function _mayHold(address delegator, address operator) internal view returns (bool) {
        return delegator == operator || sharesOf[operator][delegator] != 0 || _holdings[delegator].length < HOLDINGS_MAX;
    }

    // ---- shares

    function _worth(Entry storage v, uint256 shares) internal view returns (uint256) {
        return v.shares == 0 ? 0 : shares * v.stake / v.shares;
    }

    function _selfStake(address operator) internal view returns (uint256) {
        return _worth(_validators[operator], sharesOf[operator][operator]);
    }

    function _accepts(Entry storage v) internal view returns (bool) {
        if (v.status == Status.None || v.status == Status.Tombstoned) return false;
        return v.shares == 0 || v.stake != 0;
    }

    function _sharesFor(Entry storage v, uint256 amount) internal view returns (uint256) {
        return v.shares == 0 ? amount : amount * v.shares / v.stake;
    }

    function _addStake(address operator, address delegator, uint256 amount, uint256 shares) internal {
        Entry storage v = _validators[operator];
        v.stake += amount;
        v.shares += shares;
        uint256 held = sharesOf[operator][delegator];
        if (held == 0 && shares != 0) _holdings[delegator].push(uint160(operator));
        sharesOf[operator][delegator] = held + shares;
        _totalBonded += amount;
        emit Delegated(operator, delegator, amount, shares);
    }

    // ---- unbonding

    function _startUnbonding(address operator, uint256 shares, address target) internal returns (uint256 id) {
        Entry storage v = _validators[operator];
        uint256 held = sharesOf[operator][msg.sender];
        if (shares > held) revert TooManyShares(shares, held);
        uint256 amount = _worth(v, shares);
        if (amount == 0) revert ZeroShares();
        sharesOf[operator][msg.sender] = held - shares;
        if (shares == held) _forget(_holdings[msg.sender], uint160(operator));
        v.shares -= shares;
        v.stake -= amount;
        v.unbonding += amount;
        _totalBonded -= amount;
        _totalUnbonding += amount;
        id = _fileLeaving(operator, amount, target);
        emit Undelegated(operator, msg.sender, id, amount, shares, target);
    }

    function _fileLeaving(address operator, uint256 amount, address target) private returns (uint256 id) {
        if (_leavingOf[msg.sender].length == HOLDINGS_MAX) revert TooManyUnbondings(HOLDINGS_MAX);
        Pool storage pool = _pools[operator][_generation];
        if (pool.shares != 0 && pool.tokens == 0) revert ZeroShares(); // slashed to nothing in this very generation
        uint256 shares = pool.shares == 0 ? amount : amount * pool.shares / pool.tokens;
        if (shares == 0) revert ZeroShares();
        pool.tokens += amount;
        pool.shares += shares;
        id = ++_unbondingCount;
        uint64 maturesAt = uint64(block.timestamp + _unbondingSeconds);
        _leaving[id] = Leaving(msg.sender, maturesAt, operator, _generation, target, epoch, shares);
        _leavingOf[msg.sender].push(id);
    }

    function _leavingWorth(Leaving storage l) internal view returns (uint256) {
        Pool storage pool = _pools[l.validator][l.generation];
        return pool.shares == 0 ? 0 : l.shares * pool.tokens / pool.shares;
    }

    function _complete(uint256 id) internal {
        Leaving memory l = _leaving[id];
        uint256 amount = _leavingWorth(_leaving[id]);
        Pool storage pool = _pools[l.validator][l.generation];
        pool.tokens -= amount;
        pool.shares -= l.shares;
        _validators[l.validator].unbonding -= amount;
        _totalUnbonding -= amount;
        delete _leaving[id];
        _forget(_leavingOf[l.owner], id);
        emit UnbondingCompleted(id, l.owner, amount);
        Entry storage target = _validators[l.target];
        if (l.target != address(0) && _accepts(target) && _mayHold(l.owner, l.target)) {
            uint256 shares = _sharesFor(target, amount);
            if (shares != 0) return _addStake(l.target, l.owner, amount, shares);
        }
        _credit(l.owner, amount);
    }

    // ---- slashing

    /// @dev Up to `amount` of the operator's own shares' worth; rounded against it, so that nobody else pays.
    function _takeOwn(address operator, uint256 amount) internal returns (uint256 taken) {
        Entry storage v = _validators[operator];
        uint256 held = sharesOf[operator][operator];
        uint256 worth = _worth(v, held);
        if (worth == 0 || amount == 0) return 0;
        taken = amount < worth ? amount : worth;
        uint256 shares = taken == worth ? held : (taken * v.shares + v.stake - 1) / v.stake;
        sharesOf[operator][operator] = held - shares;
        if (shares == held) _forget(_holdings[operator], uint160(operator));
        v.shares -= shares;
        v.stake -= taken;
        _totalBonded -= taken;
    }

    /// @dev Takes bps of the stake and of what has left since generation `since`.
    function _takeFrom(address operator, uint256 bps, uint256 since) internal returns (uint256 taken) {
        Entry storage v = _validators[operator];
        taken = v.stake * bps / BPS;
        v.stake -= taken;
        _totalBonded -= taken;
        uint256 unbonded = 0;
        for (uint256 g = since; g <= _generation; g++) {
            Pool storage pool = _pools[operator][g];
            uint256 part = pool.tokens * bps / BPS;
            if (part == 0) continue;
            pool.tokens -= part;
            unbonded += part;
        }
        v.unbonding -= unbonded;
        _totalUnbonding -= unbonded;
        taken += unbonded;
    }
}
