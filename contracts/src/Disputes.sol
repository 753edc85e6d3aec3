// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputes} from "./interfaces/IDisputes.sol";
import {IScheduled} from "./interfaces/IScheduler.sol";
import {Pull} from "./Pull.sol";
import {System} from "./System.sol";

/// @title Disputes: see IDisputes.
contract Disputes is IDisputes, IScheduled, System, Pull {
    uint256[5] private _parameters;
    mapping(address => address) private _judges;
    mapping(address => address) public operatorOf;

    function initialize(uint256 judgeFactor, uint256 committeeSeats, uint256 appealWindow, uint256 absentSlash, uint256 dutySlash)
        external
        genesisOnce
    {
        _parameters = [judgeFactor, committeeSeats, appealWindow, absentSlash, dutySlash];
    }

    function open(Opening calldata, address[] calldata) external only(JOBS) {}
    function collect() external payable only(JOBS) {}
    function setJudge(address judge) external {
        _judges[msg.sender] = judge;
        operatorOf[judge] = msg.sender;
        emit JudgeChanged(msg.sender, judge);
    }

    function sealVerdict(uint256 job, bytes32) external pure {
        revert NoCase(job);
    }

    function revealVerdict(uint256 job, bytes32, uint8, bytes32, bytes32) external pure {
        revert NoCase(job);
    }

    function appeal(uint256 job) external payable {
        revert NoCase(job);
    }

    function expire(uint256 job) external pure {
        revert NoCase(job);
    }

    function onSchedule(uint8, uint256) external only(SCHEDULER) {}

    function commitmentOf(
        uint256 job, uint8 round, address operator, bytes32 root, uint8 exitReason, bytes32 trace, bytes32 salt
    ) public pure returns (bytes32) {
        return keccak256(abi.encode(job, round, operator, root, exitReason, trace, salt));
    }

    function getCase(uint256) external pure returns (Case memory c) {}
    function seatsOf(uint256, uint8) external pure returns (Seat[] memory list) {}
    function appealBond(uint256) external pure returns (uint256) {}
    function isSeated(uint256, address) external pure returns (bool) {}
    function dutiesOf(address) external pure returns (uint256[] memory list) {}

    function judgeOf(address operator) external view returns (address) {
        return _judges[operator] == address(0) ? operator : _judges[operator];
    }

    function parameters() external view returns (uint256, uint256, uint256, uint256, uint256) {
        return (_parameters[0], _parameters[1], _parameters[2], _parameters[3], _parameters[4]);
    }

    function liabilities() external view returns (uint256) {
        return _totalCredit;
    }
}
