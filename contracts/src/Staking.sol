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
        _checkProof(consensusAddress, proof);
        _join(msg.sender, consensusAddress, hashChainEnd, commissionBps);
    }

    function _checkProof(address consensusAddress, bytes calldata proof) private view {
        bytes32 digest = keccak256(abi.encode(KEY_DOMAIN, block.chainid, msg.sender));
        if (_recover(digest, proof) != consensusAddress) revert BadConsensusProof(consensusAddress);
    }

    /// @dev A key is one operator's for good, so that evidence always finds who answers for it.
    function _claimKey(address operator, address consensusAddress, bytes32 hashChainEnd) private {
        if (consensusAddress == address(0) || operatorOf[consensusAddress] != address(0)) revert ConsensusKeyTaken(consensusAddress);
        if (hashChainEnd == 0) revert BadHashChain();
        operatorOf[consensusAddress] = operator;
    }

    function _join(address operator, address consensusAddress, bytes32 hashChainEnd, uint16 commissionBps) private {
        Entry storage v = _validators[operator];
        if (v.status != Status.None) revert AlreadyValidator(operator);
        if (commissionBps > BPS) revert BadCommission(commissionBps);
        if (msg.value < _minSelfStake) revert StakeTooSmall(msg.value, _minSelfStake);
        _claimKey(operator, consensusAddress, hashChainEnd);
        v.consensusAddress = consensusAddress;
        v.hashChainEnd = hashChainEnd;
        v.commissionBps = commissionBps;
        emit ValidatorJoined(operator, consensusAddress, hashChainEnd, commissionBps);
        _addStake(operator, operator, msg.value, msg.value);
        _enter(operator);
    }

    function changeKey(address consensusAddress, bytes32 hashChainEnd, bytes calldata proof) external {
        Entry storage v = _validators[msg.sender];
        if (v.status == Status.None || v.status == Status.Tombstoned) revert NotValidator(msg.sender);
        _checkProof(consensusAddress, proof);
        _claimKey(msg.sender, consensusAddress, hashChainEnd);
        (v.nextConsensusAddress, v.nextHashChainEnd) = (consensusAddress, hashChainEnd);
        bool atOnce = weightAt(epoch, v.consensusAddress) == 0;
        if (atOnce) _takeNextKey(msg.sender);
        emit KeyChanged(msg.sender, consensusAddress, hashChainEnd, atOnce);
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
        if (!_mayHold(msg.sender, to)) revert TooManyDelegations(HOLDINGS_MAX);
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
        if (!_mayHold(msg.sender, target)) revert TooManyDelegations(HOLDINGS_MAX);
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
        uint64 maturesAt = _maturesAt(l);
        if (block.timestamp < maturesAt) revert NotMature(id, maturesAt);
        _complete(id);
    }

    function collect(address payable owner) external {
        uint256[] storage ids = _leavingOf[owner];
        uint256 found = ids.length;
        for (uint256 i = ids.length; i > 0; i--) {
            if (block.timestamp >= _maturesAt(_leaving[ids[i - 1]])) _complete(ids[i - 1]);
        }
        if (ids.length == found || credit[owner] != 0) withdrawFor(owner); // reverts if there is nothing
    }

    /// @dev After the unbonding time, and not before evidence of the epoch in which it left has grown too old.
    function _maturesAt(Leaving storage l) private view returns (uint64) {
        uint64 end = _endOf(l.epoch);
        uint256 answered = (end == 0 ? block.timestamp : end) + _evidenceSeconds + 1;
        return answered > l.maturesAt ? uint64(answered) : l.maturesAt;
    }

    // ---- Disputes

    /// @dev Bounded here too, so that no fault elsewhere can cost a validator more.
    function slashDuty(address operator, uint256 amount) external only(DISPUTES) returns (uint256 taken) {
        uint256 most = _minSelfStake / 10;
        taken = _takeOwn(operator, amount < most ? amount : most);
        emit DutySlashed(operator, taken);
        if (_validators[operator].status == Status.Active && _candidates.length > 1 && _selfStake(operator) < _minSelfStake) {
            _leave(operator, Status.Inactive);
        }
        _burn(taken);
    }

    function drawMembers(uint256 seed, uint256 wanted, address[] calldata excluded)
        external
        view
        returns (address[] memory drawn)
    {
        uint256 count = _set.length;
        uint256[] memory weights = new uint256[](count);
        uint256 total = 0;
        for (uint256 i = 0; i < count; i++) total += weights[i] = _set[i].weightGwei;
        drawn = new address[](wanted);
        uint256 found = 0;
        for (uint256 draws = 0; total != 0 && found < wanted; draws++) {
            uint256 x = uint256(keccak256(abi.encode(seed, draws))) % total;
            uint256 i = 0;
            for (; x >= weights[i]; i++) x -= weights[i];
            (total, weights[i]) = (total - weights[i], 0);
            address operator = _set[i].operator;
            if (_mayJudge(operator, excluded)) drawn[found++] = operator;
        }
        assembly ("memory-safe") {
            mstore(drawn, found)
        }
    }

    function _mayJudge(address operator, address[] calldata excluded) private view returns (bool) {
        for (uint256 i = 0; i < excluded.length; i++) {
            if (excluded[i] == operator) return false;
        }
        return _validators[operator].status != Status.Tombstoned;
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

    function validator(address operator) public view returns (Validator memory out) {
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
        out.operator = operator;
        out.nextConsensusAddress = v.nextConsensusAddress;
        out.revealed = v.proposed - v.proposedBefore;
    }

    function validators(address[] calldata operators) external view returns (Validator[] memory list) {
        list = new Validator[](operators.length);
        for (uint256 i = 0; i < operators.length; i++) list[i] = validator(operators[i]);
    }

    function candidates() external view returns (address[] memory) {
        return _candidates;
    }

    function parameters() external view returns (Parameters memory) {
        return Parameters(
            _minSelfStake, _unbondingSeconds, _evidenceSeconds, _jailSeconds, _maxMissedBps, _minMissed, _reporterBps
        );
    }

    function delegation(address validator_, address delegator) public view returns (uint256) {
        return _worth(_validators[validator_], sharesOf[validator_][delegator]);
    }

    function delegationsOf(address delegator) external view returns (Delegation[] memory list) {
        uint256[] storage held = _holdings[delegator];
        list = new Delegation[](held.length);
        for (uint256 i = 0; i < held.length; i++) {
            address to = address(uint160(held[i]));
            list[i] = Delegation(to, sharesOf[to][delegator], delegation(to, delegator));
        }
    }

    function unbonding(uint256 id) public view returns (Unbonding memory) {
        Leaving storage l = _leaving[id];
        if (l.owner == address(0)) revert UnknownUnbonding(id);
        return Unbonding(id, l.owner, l.validator, l.target, _maturesAt(l), _leavingWorth(l));
    }

    function unbondingsOf(address owner) external view returns (Unbonding[] memory list) {
        uint256[] storage ids = _leavingOf[owner];
        list = new Unbonding[](ids.length);
        for (uint256 i = 0; i < ids.length; i++) list[i] = unbonding(ids[i]);
    }

    function liabilities() external view returns (uint256) {
        return _totalBonded + _totalUnbonding + _carry + _totalCredit;
    }
}
