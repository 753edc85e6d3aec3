// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICustody, IDisputes, IJobs, IJobsTypes, IProviders, Reasons} from "./World.sol";
import {DisputesWorld} from "./Disputes.t.sol";

/// @dev Who holds data shows any leaf of it, or pays; and jobs that only their renter can judge.
contract CustodyTest is DisputesWorld {
    uint256 private constant SIZE = 4096 * 4 + 7; // five leaves: an odd node moves up twice

    bytes[] private _leaves;

    function leavesOf(uint256 size) private {
        delete _leaves;
        for (uint256 at = 0; at < size; at += 4096) {
            bytes memory leaf = new bytes(size - at < 4096 ? size - at : 4096);
            for (uint256 i = 0; i < leaf.length; i += 97) leaf[i] = bytes1(uint8(at / 4096 + i));
            _leaves.push(leaf);
        }
    }

    /// @dev The tree as docs/compute.md has it, built level by level.
    function treeOf(uint256 size, uint256 index) private returns (bytes32 root, bytes32[] memory path) {
        leavesOf(size);
        bytes32[] memory level = new bytes32[](_leaves.length);
        for (uint256 i = 0; i < level.length; i++) level[i] = sha256(abi.encodePacked(bytes1(0), _leaves[i]));
        path = new bytes32[](64);
        uint256 used = 0;
        while (level.length > 1) {
            bytes32[] memory up = new bytes32[]((level.length + 1) / 2);
            for (uint256 i = 0; i < up.length; i++) {
                up[i] = 2 * i + 1 == level.length
                    ? level[2 * i]
                    : sha256(abi.encodePacked(bytes1(0x01), level[2 * i], level[2 * i + 1]));
            }
            if ((index ^ 1) < level.length) path[used++] = level[index ^ 1];
            (level, index) = (up, index / 2);
        }
        assembly ("memory-safe") {
            mstore(path, used)
        }
        root = sha256(abi.encodePacked(bytes1(0x02), uint64(size), level[0]));
    }

    /// @dev An agreed job of `replicas` whose result is the tree's.
    function agreed(uint8 replicas, uint256 size) private returns (uint256 job) {
        job = begin(replicas, 0);
        (bytes32 root,) = treeOf(size, 0);
        for (uint256 i = 0; i < replicas; i++) seal(job, i, root, 0);
        for (uint256 i = 0; i < replicas; i++) {
            vm.prank(worker(i));
            jobs.reveal(job, root, 0, 0, uint64(size), USED, SALT);
        }
        if (replicas == 1) noAudit(job);
        isState(job, IJobsTypes.State.Agreed);
    }

    function reveal(uint256 job, uint256 size) private {
        (bytes32 root,) = treeOf(size, 0);
        seal(job, 0, root, 0);
        vm.prank(worker(0));
        jobs.reveal(job, root, 0, 0, uint64(size), USED, SALT);
        noAudit(job);
    }

    function demand(uint256 job, uint8 replica, ICustody.Kind kind, uint64 leaf) private returns (uint256) {
        vm.deal(renter(0), renter(0).balance + DEMAND_BOND);
        vm.prank(renter(0));
        return custody.demand{value: DEMAND_BOND}(job, replica, kind, leaf);
    }

    function test_every_leaf_of_every_shape_can_be_shown() public {
        uint256[6] memory sizes = [uint256(1), 4096, 4097, SIZE, 4096 * 7, 4096 * 8];
        market(1);
        uint256 bonds = 0;
        for (uint256 n = 0; n < sizes.length; n++) {
            uint256 job = submit(specOf(1));
            reveal(job, sizes[n]);
            for (uint64 leaf = 0; leaf < (sizes[n] + 4095) / 4096; leaf++) {
                (, bytes32[] memory path) = treeOf(sizes[n], leaf);
                uint256 id = demand(job, 0, ICustody.Kind.Result, leaf);
                same(custody.demandsOf(owner(0))[0], id, "open");
                vm.prank(worker(0));
                custody.answer(id, _leaves[leaf], path);
                same(uint256(custody.getDemand(id).state), uint256(ICustody.State.Answered), "answered");
                same(custody.demandsOf(owner(0)).length, 0, "closed");
            }
            bonds += _leaves.length * DEMAND_BOND;
            same(custody.credit(owner(0)), bonds, "each bond is the holder's");
            over(job);
        }
    }

    function test_a_wrong_leaf_is_no_answer() public {
        uint256 job = agreed(1, SIZE);
        (, bytes32[] memory path) = treeOf(SIZE, 3);
        uint256 id = demand(job, 0, ICustody.Kind.Result, 3);
        bytes memory leaf = _leaves[3];
        leaf[5] ^= 0x01;
        refused(id, leaf, path);
        refused(id, _leaves[2], path);
        refused(id, "", path);
        bytes32[] memory longer = new bytes32[](path.length + 1);
        for (uint256 i = 0; i < path.length; i++) longer[i] = path[i];
        refused(id, _leaves[3], longer);
        refused(id, _leaves[3], new bytes32[](0));
        bytes32 node = sha256(abi.encodePacked(bytes1(0), _leaves[3]));
        refused(id, abi.encodePacked(node, path[0]), path); // a node that poses as a leaf
        vm.prank(owner(0));
        custody.answer(id, _leaves[3], path);
        fails(ICustody.NotOpen.selector, id, uint256(ICustody.State.Answered));
        custody.answer(id, _leaves[3], path);
        over(job);
    }

    function refused(uint256 id, bytes memory leaf, bytes32[] memory path) private {
        vm.prank(worker(0));
        fails(ICustody.BadProof.selector, id);
        custody.answer(id, leaf, path);
    }

    function test_a_withheld_result_costs_the_whole_reserve() public {
        uint256 job = agreed(1, SIZE);
        uint256 zero = address(0).balance;
        uint256 id = demand(job, 0, ICustody.Kind.Result, 1);
        pass(ANSWER_WINDOW);
        same(uint256(custody.getDemand(id).state), uint256(ICustody.State.Open), "in time");
        pass(1);
        same(uint256(custody.getDemand(id).state), uint256(ICustody.State.Withheld), "withheld");
        IJobsTypes.Job memory j = jobs.getJob(job);
        same(uint256(j.state), uint256(IJobsTypes.State.Agreed), "the job stays as it is");
        yes(jobs.getReplicas(job)[0].withheld, "but for this");
        same(j.compensated, USED * PRICE + SMALL, "what it cost, and a timeout's part");
        same(stakeOf(0), 10 ether - RESERVE, "stake");
        same(custody.credit(renter(0)), DEMAND_BOND, "the bond");
        same(address(0).balance - zero, RESERVE - j.compensated, "the rest is burned");
        same(providers.provider(owner(0)).record.faulted, 1, "record");
        poorer(0);
        yes(wealth(renter(0)) >= priceOf(job) + DEMAND_BOND, "the renter is whole");
        over(job);
    }

    function test_one_of_three_withholds() public {
        uint256 job = agreed(3, SIZE);
        demand(job, 1, ICustody.Kind.Result, 0);
        pass(ANSWER_WINDOW + 1);
        same(jobs.getJob(job).compensated, USED * PRICE + SMALL, "what this one was paid");
        same(stakeOf(0), 10 ether, "not the others");
        same(stakeOf(1), 10 ether - RESERVE, "this one");
        over(job);
    }

    function test_a_lie_about_the_size_makes_every_answer_wrong() public {
        uint256 job = begin(1, 0);
        (bytes32 root, bytes32[] memory path) = treeOf(SIZE, 0);
        seal(job, 0, root, 0);
        vm.prank(worker(0));
        jobs.reveal(job, root, 0, 0, uint64(SIZE + 1), USED, SALT);
        noAudit(job);
        uint256 id = demand(job, 0, ICustody.Kind.Result, 0);
        refused(id, _leaves[0], path);
        pass(ANSWER_WINDOW + 1);
        poorer(0);
        over(job);
    }

    function test_withheld_while_audited_means_unpaid() public {
        uint256 job = begin(1, 0);
        (bytes32 root,) = treeOf(SIZE, 0);
        seal(job, 0, root, 0);
        reveal(job, 0, root, 0, USED);
        drawAudit(job, NEWCOMER_BPS, true);
        demand(job, 0, ICustody.Kind.Result, 0);
        pass(ANSWER_WINDOW + 1);
        isState(job, IJobsTypes.State.Auditing);
        rule(job, root);
        isState(job, IJobsTypes.State.Refunded);
        same(jobs.getJob(job).reason, Reasons.REASON_WITHHELD, "reason");
        same(jobs.getJob(job).paid, 0, "unpaid");
        same(stakeOf(0), 10 ether - RESERVE, "stake");
        over(job);
    }

    function test_a_withheld_replica_is_not_made_to_pay_again_when_the_result_falls() public {
        uint256 job = agreed(3, SIZE);
        demand(job, 0, ICustody.Kind.Result, 0);
        pass(ANSWER_WINDOW + 1);
        challenge(job, DOUBTER);
        rule(job, LIE);
        appealOver();
        isState(job, IJobsTypes.State.Overturned);
        same(jobs.getJob(job).compensated, 3 * (USED * PRICE + SMALL), "each once");
        for (uint256 i = 0; i < 3; i++) same(stakeOf(i), 10 ether - RESERVE, "each its reserve");
        over(job);
    }

    function test_a_judge_may_demand_the_bundle() public {
        market(1);
        IJobsTypes.Spec memory s = specOf(1);
        bytes32[] memory path;
        (s.bundleRoot, path) = treeOf(SIZE, 4);
        s.bundleSize = uint64(SIZE);
        uint256 job = submit(s);
        answer(job, 1, 0);
        drawAudit(job, NEWCOMER_BPS, true);
        pass(1);
        address judge = bench(job)[0];
        vm.deal(judge, 1 ether);
        vm.prank(judge);
        uint256 id = custody.demand{value: DEMAND_BOND}(job, 0, ICustody.Kind.Bundle, 4);
        same(custody.getDemand(id).root, s.bundleRoot, "the bundle's");
        vm.prank(worker(0));
        custody.answer(id, _leaves[4], path);
        same(_leaves[4].length, 7, "a short last leaf");
        over2(job);
    }

    function over2(uint256 job) private {
        for (uint256 n = 0; n < 3; n++) { // the auditor says nothing, nor do those who come after
            pass(500);
            pass(1);
        }
        over(job);
    }

    function test_refuses_demands_that_do_not_fit() public {
        uint256 job = begin(2, 0);
        vm.deal(renter(0), 1 ether);
        vm.prank(renter(0));
        vm.expectRevert(abi.encodeWithSelector(IJobsTypes.NothingHeld.selector, job, 0));
        custody.demand{value: DEMAND_BOND}(job, 0, ICustody.Kind.Result, 0);
        answer(job, 2, 0);
        vm.deal(address(this), 1 ether);
        fails(IJobsTypes.NotParty.selector, address(this));
        custody.demand{value: DEMAND_BOND}(job, 0, ICustody.Kind.Result, 0);
        vm.prank(renter(0));
        fails(ICustody.WrongBond.selector, 1, DEMAND_BOND);
        custody.demand{value: 1}(job, 0, ICustody.Kind.Result, 0);
        vm.prank(renter(0));
        fails(ICustody.BadLeaf.selector, 1, uint256(1));
        custody.demand{value: DEMAND_BOND}(job, 0, ICustody.Kind.Result, 1);
        for (uint256 i = 0; i < 4; i++) demand(job, 0, ICustody.Kind.Result, 0);
        vm.prank(renter(0));
        fails(IJobsTypes.TooManyDemands.selector, job, uint256(0));
        custody.demand{value: DEMAND_BOND}(job, 0, ICustody.Kind.Result, 0);
        vm.prank(worker(1));
        fails(ICustody.NotHolder.selector, 1, worker(1));
        custody.answer(1, "", new bytes32[](0));
        fails(ICustody.NothingToExpire.selector, 1);
        custody.expire(1);
        fails(ICustody.UnknownDemand.selector, 9);
        custody.expire(9);
        vm.warp(block.timestamp + ANSWER_WINDOW + 1);
        vm.prank(worker(0));
        vm.expectRevert(abi.encodeWithSelector(ICustody.TooLate.selector, 1, block.timestamp - 1));
        custody.answer(1, "", new bytes32[](0));
        custody.expire(1);
        poorer(0);
        same(custody.demandsOf(owner(0)).length, 3, "three are open");
        pass(1);
        same(custody.demandsOf(owner(0)).length, 0, "and closed by the Scheduler");
        over(job);
    }

    function test_stake_waits_for_an_open_demand() public {
        uint256 job = agreed(1, SIZE);
        pass(CHALLENGE_WINDOW);
        (, bytes32[] memory path) = treeOf(SIZE, 0);
        uint256 id = demand(job, 0, ICustody.Kind.Result, 0);
        pass(1);
        same(providers.provider(owner(0)).reserved, RESERVE, "the window is over, the demand is not");
        vm.deal(renter(0), 1 ether);
        vm.prank(renter(0));
        vm.expectRevert(abi.encodeWithSelector(IJobsTypes.NothingHeld.selector, job, 0));
        custody.demand{value: DEMAND_BOND}(job, 0, ICustody.Kind.Result, 0);
        vm.prank(worker(0));
        custody.answer(id, _leaves[0], path);
        same(providers.provider(owner(0)).reserved, 0, "free");
        over(job);
    }

    // ---- settled by the renter

    function accepting(uint8 runtime) private returns (uint256 job) {
        register(0, 10 ether);
        vm.prank(owner(0));
        providers.setGpu(0, "cpu", 1024, 1, 0, 7);
        vm.prank(owner(0));
        providers.setOffer(0, PRICE, 1, 3600, true);
        IJobsTypes.Spec memory s = specOf(1);
        s.runtime = runtime;
        same(jobs.priceOf(s), 2 * PRICE * LIMIT, "no auditor");
        job = submit(s);
        same(jobs.getReplicas(job)[0].reserved, RESERVE, "reserve");
        answer(job, 1, 0);
        isState(job, IJobsTypes.State.Accepting);
        same(providers.gpu(owner(0), 0).busy, 0, "the slot is free");
    }

    function test_the_renter_accepts() public {
        uint256 job = accepting(2);
        fails(IJobsTypes.NotRenter.selector, address(this));
        jobs.accept(job);
        vm.prank(renter(0));
        jobs.accept(job);
        isState(job, IJobsTypes.State.Agreed);
        same(jobs.getJob(job).reason, Reasons.REASON_ACCEPTED, "reason");
        same(jobs.credit(owner(0)), USED * PRICE, "paid");
        same(providers.provider(owner(0)).reserved, 0, "nothing at risk");
        fails(IJobsTypes.NotForThisRuntime.selector, 2);
        jobs.challenge(job);
        over(job);
    }

    function test_no_objection_in_time_is_acceptance() public {
        uint256 job = accepting(1);
        pass(OBJECTION_WINDOW);
        isState(job, IJobsTypes.State.Accepting);
        pass(1);
        isState(job, IJobsTypes.State.Agreed);
        over(job);
    }

    function test_an_objection_brings_nobody_anything() public {
        uint256 job = accepting(2);
        uint256 zero = address(0).balance;
        fails(IJobsTypes.NotRenter.selector, address(this));
        jobs.object(job);
        vm.prank(renter(0));
        jobs.object(job);
        isState(job, IJobsTypes.State.Refunded);
        uint256 burned = USED * PRICE * OBJECTION_BPS / 10_000;
        same(jobs.getJob(job).reason, Reasons.REASON_OBJECTED, "reason");
        same(jobs.getJob(job).refunded, priceOf(job) - burned, "refund");
        same(address(0).balance - zero, burned, "burned");
        same(wealth(owner(0)), 10 ether, "unpaid, unslashed");
        over(job);
    }

    function test_a_late_objection_is_refused() public {
        uint256 job = accepting(2);
        vm.warp(block.timestamp + OBJECTION_WINDOW + 1);
        uint256 by = jobs.getJob(job).deadline;
        vm.prank(renter(0));
        fails(IJobsTypes.TooLate.selector, job, by);
        jobs.object(job);
    }

    function test_withheld_while_accepting_refunds_everything() public {
        uint256 job = accepting(2);
        pass(OBJECTION_WINDOW);
        demand(job, 0, ICustody.Kind.Result, 0);
        pass(2);
        isState(job, IJobsTypes.State.Accepting); // the window is over, the demand is not
        pass(ANSWER_WINDOW);
        isState(job, IJobsTypes.State.Refunded);
        same(jobs.getJob(job).reason, Reasons.REASON_WITHHELD, "reason");
        same(wealth(renter(0)), priceOf(job) + SMALL + DEMAND_BOND, "whole, and a timeout's part");
        poorer(0);
        over(job);
    }
}
