// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StakingSlashing} from "./StakingSlashing.sol";

/// @title Staking: see IStaking. Here: what people call, and the views.
///        StakingPools has the money, StakingSet the epochs, StakingSlashing the punishment.
contract Staking is StakingSlashing {
    bytes32 internal constant KEY_DOMAIN = keccak256("Leasehold consensus key v1");

    function initialize(
        uint256 minSelfStake,
        uint256 unbondingSeconds,
        uint256 evidenceSeconds,
        uint256 jailSeconds,
        uint256 maxMissedBps,
        uint256 minMissed,
        uint256 reporterBps
    ) external genesisOnce {
        if (minSelfStake < GWEI || unbondingSeconds > 3650 days) revert BadParameters();
        if (evidenceSeconds == 0 || evidenceSeconds >= unbondingSeconds || jailSeconds > 3650 days) revert BadParameters();
        if (maxMissedBps > BPS || reporterBps > BPS) revert BadParameters();
        _minSelfStake = minSelfStake;
        _unbondingSeconds = unbondingSeconds;
        _evidenceSeconds = evidenceSeconds;
        _jailSeconds = jailSeconds;
        _maxMissedBps = maxMissedBps;
        _minMissed = minMissed;
        _reporterBps = reporterBps;
    }

    function genesisValidator(address operator, address consensusAddress, bytes32 hashChainEnd, uint16 commissionBps)
        external
        payable
        only(SYSTEM)
    {
        if (block.number != 0) revert NotAllowed(msg.sender);
        _join(operator, consensusAddress, hashChainEnd, commissionBps);
        _storeSet(_computeSet());
    }

    // ---- validators

    function join(address consensusAddress, bytes32 hashChainEnd, uint16 commissionBps, bytes calldata proof) external payable {
        bytes32 digest = keccak256(abi.encode(KEY_DOMAIN, block.chainid, msg.sender));
        if (_recover(digest, proof) != consensusAddress) revert BadConsensusProof(consensusAddress);
        _join(msg.sender, consensusAddress, hashChainEnd, commissionBps);
    }

    function _join(address operator, address consensusAddress, bytes32 hashChainEnd, uint16 commissionBps) private {
        Entry storage v = _validators[operator];
        if (v.status != Status.None) revert AlreadyValidator(operator);
        if (consensusAddress == address(0) || operatorOf[consensusAddress] != address(0)) revert ConsensusKeyTaken(consensusAddress);
        if (commissionBps > BPS) revert BadCommission(commissionBps);
        if (hashChainEnd == 0) revert BadHashChain();
        if (msg.value < _minSelfStake) revert StakeTooSmall(msg.value, _minSelfStake);
        v.consensusAddress = consensusAddress;
        v.hashChainEnd = hashChainEnd;
        v.commissionBps = commissionBps;
        operatorOf[consensusAddress] = operator;
        emit ValidatorJoined(operator, consensusAddress, hashChainEnd, commissionBps);
        _addStake(operator, operator, msg.value, msg.value);
        _enter(operator);
    }

    function unjail() external {
        Entry storage v = _validators[msg.sender];
        if (v.status != Status.Jailed && v.status != Status.Inactive) revert NotJailed(msg.sender);
        if (block.timestamp < v.jailedUntil) revert JailedUntil(v.jailedUntil);
        uint256 own = _selfStake(msg.sender);
        if (own < _minSelfStake) revert StakeTooSmall(own, _minSelfStake);
        _enter(msg.sender);
    }

    // ---- delegators (an operator's own stake too)

    function delegate(address to) external payable returns (uint256 shares) {
        Entry storage v = _validators[to];
        if (!_accepts(v)) revert NotAccepting(to);
        shares = _sharesFor(v, msg.value);
        if (shares == 0) revert ZeroShares();
        _addStake(to, msg.sender, msg.value, shares);
    }

    function undelegate(address from, uint256 shares) external returns (uint256 id) {
        id = _startUnbonding(from, shares, address(0));
        _checkSelfStake(from);
    }

    function redelegate(address from, address target, uint256 shares) external returns (uint256 id) {
        if (from == target) revert SameValidator(target);
        if (!_accepts(_validators[target])) revert NotAccepting(target);
        id = _startUnbonding(from, shares, target);
        _checkSelfStake(from);
    }

    /// @dev An operator that takes out its own stake is no candidate any more.
    function _checkSelfStake(address operator) private {
        if (msg.sender != operator || _validators[operator].status != Status.Active) return;
        if (_selfStake(operator) < _minSelfStake) _leave(operator, Status.Inactive);
    }

    function complete(uint256 id) external {
        Leaving storage l = _leaving[id];
        if (l.owner == address(0)) revert UnknownUnbonding(id);
        if (block.timestamp < l.maturesAt) revert NotMature(id, l.maturesAt);
        _complete(id);
    }

    // ---- views

    function nextSet() external view returns (Member[] memory) {
        return _set;
    }

    function currentSet() external view returns (Member[] memory) {
        return _set;
    }

    function previewSet() external view returns (Member[] memory set) {
        set = _computeSet();
        if (set.length == 0) set = _set;
    }

    function validator(address operator) external view returns (Validator memory out) {
        Entry storage v = _validators[operator];
        out.status = v.status;
        out.consensusAddress = v.consensusAddress;
        out.hashChainEnd = v.hashChainEnd;
        out.commissionBps = v.commissionBps;
        out.jailedUntil = v.jailedUntil;
        out.stake = v.stake;
        out.shares = v.shares;
        out.unbonding = v.unbonding;
        out.selfStake = _selfStake(operator);
        out.proposed = v.proposed;
        out.missed = v.missed;
    }

    function candidates() external view returns (address[] memory) {
        return _candidates;
    }

    function delegation(address validator_, address delegator) external view returns (uint256) {
        return _worth(_validators[validator_], sharesOf[validator_][delegator]);
    }

    function unbonding(uint256 id) external view returns (Unbonding memory u) {
        Leaving storage l = _leaving[id];
        if (l.owner == address(0)) revert UnknownUnbonding(id);
        u = Unbonding(l.owner, l.validator, l.target, l.maturesAt, _leavingWorth(l));
    }

    function liabilities() external view returns (uint256) {
        return _totalBonded + _totalUnbonding + _carry + _totalCredit;
    }
}
