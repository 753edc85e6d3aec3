// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StakingSet} from "./StakingSet.sol";

/// @title Staking: two votes of one key that no honest validator signs, and what they cost.
/// @dev   E1 notarize(a), notarize(b)   E2 finalize(a), finalize(b)   E3 finalize(a), nullify   E4 notarize(b), finalize(a);
///        a != b; same signer, chain, epoch and view. notarize with nullify is lawful.
///        Fraction: the greater of 5 % and three times the share of the set's weight that was slashed in this evidence
///        window and the last. Who was convicted first pays no less than the others: slashMore brings it up to them.
abstract contract StakingSlashing is StakingSet {
    bytes32 internal constant VOTE_DOMAIN = keccak256("Leasehold vote v1");
    uint8 internal constant NOTARIZE = 0;
    uint8 internal constant NULLIFY = 1;
    uint8 internal constant FINALIZE = 2;
    uint256 internal constant MIN_SLASH_BPS = 500;
    uint256 internal constant SLASH_MULTIPLE = 3;

    struct Conviction {
        uint64 epoch; // whose set the share is of
        uint64 window; // + 1, in which the weight was counted
        uint16 bps; // what it has taken of what was there
    }

    uint256 internal _evidenceSeconds;
    uint256 internal _reporterBps;
    mapping(address => Conviction) internal _convictions;
    mapping(bytes32 => bool) internal _used;
    mapping(uint256 => uint256) internal _slashedWeight; // by window = time / evidenceSeconds

    function slash(Vote calldata a, Vote calldata b) external {
        uint8 evidence = _evidenceBetween(a, b);
        if (evidence == 0) revert VotesDoNotConflict();
        address signer = _signer(a);
        address other = _signer(b);
        if (signer != other) revert SignersDiffer(signer, other);
        uint64 weight = weightAt(a.epoch, signer);
        EpochInfo storage info = _epochs[a.epoch % EPOCHS_KEPT];
        if (weight == 0 || info.number != a.epoch) revert NotMember(signer, a.epoch);
        uint64 end = _endOf(a.epoch);
        if (end != 0 && block.timestamp > end + _evidenceSeconds) revert EvidenceTooOld(a.epoch);
        bytes32 key = keccak256(abi.encode(signer, a.epoch, a.viewNumber));
        if (_used[key]) revert EvidenceUsed(signer, a.epoch, a.viewNumber);
        _used[key] = true;
        _punish(operatorOf[signer], a, evidence, weight, info);
    }

    /// @dev Two nodes with one key contradict each other in every view. So more evidence of about the same time takes
    ///      nothing more; only the others who are convicted then do (slashMore).

    function _punish(address operator, Vote calldata a, uint8 evidence, uint64 weight, EpochInfo storage info) private {
        Conviction storage c = _convictions[operator];
        uint256 window = block.timestamp / _evidenceSeconds;
        if (c.window != 0 && c.window >= window) revert NothingToSlash(operator);
        _slashedWeight[window] += weight;
        uint256 bps = _fractionBps(_slashedLately(window), info.totalWeight);
        (c.epoch, c.window, c.bps) = (a.epoch, uint64(window + 1), uint16(bps));
        if (_validators[operator].status != Status.Tombstoned) _leave(operator, Status.Tombstoned);
        (uint256 taken, uint256 reward) = _fine(operator, bps, info.generation);
        emit ValidatorSlashed(operator, msg.sender, a.epoch, a.viewNumber, evidence, bps, taken, reward);
    }

    function slashMore(address operator) external {
        Conviction storage c = _convictions[operator];
        EpochInfo storage info = _epochs[c.epoch % EPOCHS_KEPT];
        uint256 window = block.timestamp / _evidenceSeconds;
        if (window > c.window || info.number != c.epoch) revert NothingToSlash(operator); // c.window 0: no convict
        uint256 bps = _fractionBps(_slashedLately(window), info.totalWeight);
        if (bps <= c.bps) revert NothingToSlash(operator);
        uint256 more = ((bps - c.bps) * BPS + (BPS - c.bps) - 1) / (BPS - c.bps); // of what is left
        c.bps = uint16(bps);
        (uint256 taken, uint256 reward) = _fine(operator, more, info.generation);
        emit ValidatorSlashed(operator, msg.sender, c.epoch, 0, 0, bps, taken, reward);
    }

    function _fine(address operator, uint256 bps, uint256 since) private returns (uint256 taken, uint256 reward) {
        taken = _takeFrom(operator, bps, since);
        reward = taken * _reporterBps / BPS;
        _credit(msg.sender, reward);
        _burn(taken - reward);
    }

    function _slashedLately(uint256 window) private view returns (uint256) {
        return _slashedWeight[window] + (window == 0 ? 0 : _slashedWeight[window - 1]);
    }

    function _fractionBps(uint256 slashed, uint256 total) internal pure returns (uint256 bps) {
        bps = (SLASH_MULTIPLE * slashed * BPS + total - 1) / total;
        if (bps < MIN_SLASH_BPS) return MIN_SLASH_BPS;
        if (bps > BPS) return BPS;
    }

    /// @dev 1..4 for E1..E4, 0 if an honest validator can have signed both.
    function _evidenceBetween(Vote calldata a, Vote calldata b) internal pure returns (uint8) {
        if (a.epoch != b.epoch || a.viewNumber != b.viewNumber) return 0;
        bool differ = a.blockHash != b.blockHash;
        if (a.kind == NOTARIZE && b.kind == NOTARIZE) return differ ? 1 : 0;
        if (a.kind == FINALIZE && b.kind == FINALIZE) return differ ? 2 : 0;
        if (a.kind == FINALIZE && b.kind == NULLIFY || a.kind == NULLIFY && b.kind == FINALIZE) return 3;
        if (a.kind == NOTARIZE && b.kind == FINALIZE || a.kind == FINALIZE && b.kind == NOTARIZE) return differ ? 4 : 0;
        return 0;
    }

    function _signer(Vote calldata v) private view returns (address) {
        bytes32 digest =
            keccak256(abi.encode(VOTE_DOMAIN, block.chainid, v.epoch, v.viewNumber, v.kind, v.parentView, v.blockHash));
        return _recover(digest, v.signature);
    }

    /// @dev r ‖ s ‖ v with v 0/1 or 27/28.
    function _recover(bytes32 digest, bytes calldata signature) internal pure returns (address signer) {
        if (signature.length != 65) revert BadSignature();
        uint8 v = uint8(signature[64]);
        if (v < 27) v += 27;
        signer = ecrecover(digest, v, bytes32(signature[:32]), bytes32(signature[32:64]));
        if (signer == address(0)) revert BadSignature();
    }
}
