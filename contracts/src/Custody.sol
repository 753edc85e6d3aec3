// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICustody} from "./interfaces/ICustody.sol";
import {IScheduled} from "./interfaces/IScheduler.sol";
import {Pull} from "./Pull.sol";
import {System} from "./System.sol";

/// @title Custody: see ICustody.
contract Custody is ICustody, IScheduled, System, Pull {
    uint256 private _answerWindow;
    uint256 private _demandBond;

    function initialize(uint256 answerWindow, uint256 demandBond) external genesisOnce {
        (_answerWindow, _demandBond) = (answerWindow, demandBond);
    }

    function demand(uint256, uint8, Kind, uint64) external payable returns (uint256) {
        revert WrongBond(msg.value, _demandBond);
    }

    function answer(uint256 id, bytes calldata, bytes32[] calldata) external pure {
        revert UnknownDemand(id);
    }

    function expire(uint256 id) external pure {
        revert UnknownDemand(id);
    }

    function onSchedule(uint8, uint256) external only(SCHEDULER) {}
    function getDemand(uint256) external pure returns (Demand memory d) {}
    function demandsOf(address) external pure returns (uint256[] memory list) {}

    function parameters() external view returns (uint256, uint256) {
        return (_answerWindow, _demandBond);
    }

    function liabilities() external view returns (uint256) {
        return _totalCredit;
    }
}
