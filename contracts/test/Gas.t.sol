// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputes, IJobsTypes, IScheduler} from "./World.sol";
import {DisputesWorld} from "./Disputes.t.sol";
import {Vm} from "./Cheats.sol";

/// @dev The dearest that a scheduled item can be: 128 validators, seven replicas, a first committee of seven, an appeal's of
///      fifteen. itemGas is 4 million, a system call has 30 million.
contract GasTest is DisputesWorld {
    uint256 private constant ITEM_GAS = 4_000_000;

    function initDisputes() internal pure override returns (bytes memory) {
        return abi.encodeWithSignature(
            "initialize(uint256,uint256,uint256,uint256,uint256)", JUDGE_FACTOR, 7, APPEAL_WINDOW, ABSENT_SLASH, DUTY_SLASH
        );
    }

    function setUp() public override {
        setUpWorld();
        validators(128);
    }

    /// @dev A tick that runs one item; cold, as each block's is.
    function costly(uint256 seconds_, string memory what) private returns (uint256 gas) {
        pass(seconds_ - 1); // so that only the last second's bucket is walked
        vm.warp(block.timestamp + 1);
        for (uint160 a = 0x1001; a <= 0x1008; a++) vm.cool(address(a));
        vm.recordLogs();
        vm.prank(SYSTEM);
        gas = gasleft();
        scheduler.tick{gas: 30_000_000}();
        gas -= gasleft();
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) yes(logs[i].topics[0] != IScheduler.ItemDropped.selector, what);
        yes(gas < ITEM_GAS, what);
        emit Measured(what, gas);
    }

    event Measured(string what, uint256 gas);

    function test_the_dearest_case_fits_into_scheduled_items() public {
        uint256 job = begin(7, 0);
        answer(job, 7, 3);
        costly(1, "draw of 7 of 128");
        address[] memory who = bench(job);
        for (uint256 i = 0; i < who.length; i++) sealVerdict(job, who[i], LIE, 0);
        for (uint256 i = 0; i < who.length; i++) revealVerdict(job, who[i], LIE, 0);
        appeal(job, DOUBTER);
        costly(1, "draw of 15 of 128");
        same(disputes.getCase(job).seats.length, 15, "fifteen");
        costly(disputes.getCase(job).deadline - block.timestamp + 1, "15 absent");
        costly(1, "second draw of 15 of 128");
        who = bench(job);
        for (uint256 i = 0; i < who.length; i++) sealVerdict(job, who[i], i < 8 ? ROOT : LIE, 0);
        for (uint256 i = 0; i < 14; i++) revealVerdict(job, who[i], i < 8 ? ROOT : LIE, 0);
        costly(REVEAL_WINDOW + 1, "verdict of 15 on 7 replicas, 14 judges slashed");
        isState(job, IJobsTypes.State.Settled);
        costly(CHALLENGE_WINDOW + 1, "stake released");
        over(job);
    }

    function test_overturning_seven_replicas_fits() public {
        uint256 job = begin(7, 10_000);
        answer(job, 7, 7);
        drawAudit(job, 10_000, true);
        costly(1, "draw of an auditor");
        rule(job, LIE);
        challenge(job, DOUBTER);
        costly(1, "draw of 7 of 128");
        address[] memory who = bench(job);
        for (uint256 i = 0; i < who.length; i++) sealVerdict(job, who[i], i < 4 ? ROOT : LIE, 0);
        for (uint256 i = 0; i < who.length; i++) revealVerdict(job, who[i], i < 4 ? ROOT : LIE, 0);
        costly(APPEAL_WINDOW + 1, "7 replicas overturned");
        isState(job, IJobsTypes.State.Overturned);
        over(job);
    }

    function test_a_drawn_audit_and_a_released_one_fit() public {
        uint256 job = begin(7, 1);
        answer(job, 7, 0);
        costly(1, "7 replicas paid by the draw");
        isState(job, IJobsTypes.State.Agreed);
        costly(CHALLENGE_WINDOW + 1, "7 reserves released");
        over(job);
    }
}
