// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {World, IJobs, IJobsTypes, IProviders, Reasons, System} from "./World.sol";
import {IPull} from "../src/interfaces/IPull.sol";

contract Refuser {
    receive() external payable {
        revert("no");
    }

    function submit(IJobs jobs, IJobsTypes.Spec calldata s) external payable returns (uint256) {
        return jobs.submit{value: msg.value}(s);
    }

    function cancel(IJobs jobs, uint256 job) external {
        jobs.cancel(job);
    }
}

contract JobsSubmitTest is World {
    function setUp() public {
        setUpWorld();
    }

    function refused(IJobsTypes.Spec memory s, bytes memory reason) private {
        vm.deal(renter(0), priceOf(s));
        vm.prank(renter(0));
        vm.expectRevert(reason);
        jobs.submit{value: priceOf(s)}(s);
        owes();
    }

    function test_refuses_a_spec_that_cannot_be() public {
        IJobsTypes.Spec memory s = specOf(0);
        refused(s, abi.encodeWithSelector(IJobsTypes.BadReplicas.selector, 0));
        s = specOf(8);
        refused(s, abi.encodeWithSelector(IJobsTypes.BadReplicas.selector, 8));
        s = specOf(3);
        s.runtime = 3;
        refused(s, abi.encodeWithSelector(IJobsTypes.BadRuntime.selector, 3));
        s.runtime = 1;
        refused(s, abi.encodeWithSelector(IJobsTypes.NotForThisRuntime.selector, 1));
        s = specOf(2);
        s.auditBps = 10001;
        refused(s, abi.encodeWithSelector(IJobsTypes.BadAuditRate.selector, 10001));
        s = specOf(3);
        s.bundleRoot = 0;
        refused(s, abi.encodeWithSelector(IJobsTypes.BadBundle.selector));
        s = specOf(3);
        s.bundleSize = 0;
        refused(s, abi.encodeWithSelector(IJobsTypes.BadBundle.selector));
        s = specOf(3);
        s.secondsLimit = 0;
        refused(s, abi.encodeWithSelector(IJobsTypes.BadSecondsLimit.selector, 0, MAX_SECONDS));
        s.secondsLimit = uint32(MAX_SECONDS + 1);
        refused(s, abi.encodeWithSelector(IJobsTypes.BadSecondsLimit.selector, MAX_SECONDS + 1, MAX_SECONDS));
        s = specOf(3);
        s.startWindow = uint32(MAX_START + 1);
        refused(s, abi.encodeWithSelector(IJobsTypes.BadStartWindow.selector, MAX_START + 1, MAX_START));
        s = specOf(3);
        s.maxPricePerSecond = 0;
        refused(s, abi.encodeWithSelector(IJobsTypes.BadPrice.selector, 0));
        s.maxPricePerSecond = uint256(type(uint96).max) + 1;
        refused(s, abi.encodeWithSelector(IJobsTypes.BadPrice.selector, uint256(type(uint96).max) + 1));
    }

    function test_refuses_bad_lists_of_providers() public {
        IJobsTypes.Spec memory s = specOf(3);
        s.providers = new address[](2);
        refused(s, abi.encodeWithSelector(IJobsTypes.BadProviders.selector));
        s.providers = new address[](9);
        refused(s, abi.encodeWithSelector(IJobsTypes.BadProviders.selector));
        s.providers = new address[](3);
        (s.providers[0], s.providers[1], s.providers[2]) = (owner(0), owner(1), owner(0));
        refused(s, abi.encodeWithSelector(IJobsTypes.BadProviders.selector));
    }

    function test_wants_exactly_the_whole_price() public {
        IJobsTypes.Spec memory s = specOf(3);
        uint256 price = priceOf(s);
        same(price, 3 * 2 * PRICE * LIMIT, "price");
        vm.deal(renter(0), 2 * price);
        vm.prank(renter(0));
        fails(IJobsTypes.WrongValue.selector, price - 1, price);
        jobs.submit{value: price - 1}(s);
        vm.prank(renter(0));
        fails(IJobsTypes.WrongValue.selector, price + 1, price);
        jobs.submit{value: price + 1}(s);
    }

    function test_waits_in_the_order_book_and_refunds_itself() public {
        uint256 job = submit(specOf(3));
        isState(job, IJobsTypes.State.Open);
        same(jobs.waiting(0, 10).length, 1, "waiting");
        same(jobs.getReplicas(job).length, 0, "replicas while Open");
        pass(100);
        isState(job, IJobsTypes.State.Open);
        pass(1);
        isState(job, IJobsTypes.State.Refunded);
        IJobsTypes.Job memory j = jobs.getJob(job);
        same(j.reason, Reasons.REASON_NOT_FILLED, "reason");
        same(j.refunded, priceOf(j.spec), "refunded");
        same(jobs.credit(renter(0)), priceOf(j.spec), "credit");
        same(jobs.waiting(0, 10).length, 0, "nothing waits");
        owes();
    }

    function test_new_offers_fill_a_waiting_job_at_the_blocks_end() public {
        uint256 job = submit(specOf(3));
        market(3);
        isState(job, IJobsTypes.State.Open);
        tick();
        isState(job, IJobsTypes.State.Running);
        same(jobs.waiting(0, 10).length, 0, "nothing waits");
    }

    function test_two_of_three_providers_are_not_held_while_a_job_waits() public {
        market(2);
        uint256 job = submit(specOf(3));
        isState(job, IJobsTypes.State.Open);
        same(providers.provider(owner(0)).reserved, 0, "free");
        uint256 small = submit(specOf(2));
        isState(small, IJobsTypes.State.Running);
    }

    function test_a_job_that_cannot_be_filled_does_not_stop_the_next() public {
        IJobsTypes.Spec memory s = specOf(1);
        s.minVramMiB = 1 << 30;
        for (uint256 i = 0; i < 10; i++) submit(s);
        uint256 last = submit(specOf(1));
        market(1);
        for (uint256 i = 0; i < 4; i++) pass(1);
        isState(last, IJobsTypes.State.Running);
        same(jobs.waiting(0, 100).length, 10, "the others still wait");
    }

    function test_only_the_renter_cancels_and_only_while_open() public {
        uint256 job = submit(specOf(2));
        vm.prank(renter(1));
        fails(IJobsTypes.NotRenter.selector, renter(1));
        jobs.cancel(job);
        vm.prank(renter(0));
        jobs.cancel(job);
        isState(job, IJobsTypes.State.Cancelled);
        same(jobs.getJob(job).reason, Reasons.REASON_CANCELLED, "reason");
        same(jobs.credit(renter(0)), priceOf(specOf(2)), "credit");
        vm.prank(renter(0));
        fails(IJobsTypes.WrongState.selector, job, uint256(IJobsTypes.State.Cancelled));
        jobs.cancel(job);
        market(2);
        uint256 running = submit(specOf(2));
        vm.prank(renter(0));
        fails(IJobsTypes.WrongState.selector, running, uint256(IJobsTypes.State.Running));
        jobs.cancel(running);
        owes();
    }

    function test_unknown_jobs_are_refused_everywhere() public {
        fails(IJobsTypes.UnknownJob.selector, 7);
        jobs.cancel(7);
        fails(IJobsTypes.UnknownJob.selector, 7);
        jobs.seal(7, ROOT);
        fails(IJobsTypes.UnknownJob.selector, 7);
        jobs.decline(7, 1);
        fails(IJobsTypes.UnknownJob.selector, 7);
        jobs.reveal(7, ROOT, 0, 0, 1, 1, SALT);
        fails(IJobsTypes.UnknownJob.selector, 7);
        jobs.expire(7);
        fails(IJobsTypes.UnknownJob.selector, 7);
        jobs.getJob(7);
        fails(IJobsTypes.UnknownJob.selector, 7);
        jobs.getReplicas(7);
        fails(IJobsTypes.NothingToMatch.selector, 7);
        jobs.tryMatch(7);
    }

    function test_named_providers_come_in_the_order_of_preference() public {
        market(5);
        IJobsTypes.Spec memory s = specOf(2);
        s.providers = new address[](4);
        (s.providers[0], s.providers[1], s.providers[2], s.providers[3]) = (owner(4), owner(9), owner(2), owner(0));
        uint256 job = submit(s);
        isState(job, IJobsTypes.State.Running);
        same(holder(job, 0), 4, "first choice");
        same(holder(job, 1), 2, "the unknown one is passed over");
    }

    function test_needs_are_honoured() public {
        register(0, 10 ether);
        vm.prank(owner(0));
        providers.setGpu(0, "NVIDIA H100", 80000, 1, 90, 1);
        vm.prank(owner(0));
        providers.setOffer(0, PRICE, 10, 100, true);
        IJobsTypes.Spec memory s = specOf(1);
        s.model = keccak256("NVIDIA H200");
        waits(s);
        s.model = keccak256("NVIDIA H100");
        s.minVramMiB = 80001;
        waits(s);
        s.minVramMiB = 80000;
        s.minComputeCapability = 91;
        waits(s);
        s.minComputeCapability = 90;
        s.secondsLimit = 9;
        waits(s);
        s.secondsLimit = 101;
        waits(s);
        s.secondsLimit = 100;
        s.maxPricePerSecond = PRICE - 1;
        waits(s);
        s.maxPricePerSecond = PRICE;
        isState(submit(s), IJobsTypes.State.Running);
    }

    function waits(IJobsTypes.Spec memory s) private {
        isState(submit(s), IJobsTypes.State.Open);
    }

    function test_one_recipient_that_refuses_money_blocks_only_itself() public {
        Refuser refuser = new Refuser();
        uint256 price = priceOf(specOf(1));
        vm.deal(address(this), price);
        uint256 job = refuser.submit{value: price}(jobs, specOf(1));
        refuser.cancel(jobs, job);
        fails(IPull.TransferFailed.selector, address(refuser));
        jobs.withdrawFor(payable(address(refuser)));
        same(jobs.credit(address(refuser)), price, "still owed");
        submit(specOf(1));
        pass(101);
        uint256 before = renter(0).balance;
        jobs.withdrawFor(payable(renter(0))); // by anybody
        same(renter(0).balance, before + price, "the other is paid");
        fails(IPull.NothingToWithdraw.selector, renter(0));
        jobs.withdrawFor(payable(renter(0)));
        owes();
    }

    function test_ether_is_not_taken_without_a_reason() public {
        vm.deal(address(this), 10);
        (bool ok,) = address(jobs).call{value: 1}("");
        yes(!ok, "no fallback");
        fails(System.NotAllowed.selector, address(this));
        jobs.collect{value: 1}();
        fails(System.NotAllowed.selector, address(this));
        jobs.matchWaiting();
    }

    function test_pages_of_a_renters_jobs() public {
        for (uint256 i = 0; i < 5; i++) submit(specOf(1));
        (uint256[] memory ids, uint256 total) = jobs.jobsOf(renter(0), 3, 10);
        same(total, 5, "total");
        same(ids.length, 2, "rest");
        same(ids[1], 5, "last");
        (ids,) = jobs.jobsOf(renter(0), 9, 10);
        same(ids.length, 0, "past the end");
        ids = jobs.waiting(2, 2);
        same(ids.length, 2, "two after 2");
        same(ids[0], 3, "3");
        same(jobs.jobCount(), 5, "count");
    }

    function test_parameters_are_those_of_genesis() public view {
        IJobsTypes.Parameters memory p = jobs.parameters();
        same(p.declineWindow, DECLINE_WINDOW, "declineWindow");
        same(p.sealGrace, GRACE, "sealGrace");
        same(p.revealWindow, REVEAL_WINDOW, "revealWindow");
        same(p.maxStartWindow, MAX_START, "maxStartWindow");
        same(p.maxSecondsLimit, MAX_SECONDS, "maxSecondsLimit");
        same(p.timeoutSlashBps, TIMEOUT_BPS, "timeoutSlashBps");
        same(p.auditFloorBps, FLOOR_BPS, "auditFloorBps");
        same(p.newcomerBps, NEWCOMER_BPS, "newcomerBps");
        same(p.challengeWindow, CHALLENGE_WINDOW, "challengeWindow");
        same(p.objectionWindow, OBJECTION_WINDOW, "objectionWindow");
        same(p.objectionBurnBps, OBJECTION_BPS, "objectionBurnBps");
        same(p.rewardBps, REWARD_BPS, "rewardBps");
    }

    /// @dev Draws follow free stake: 9 of 10 parts of the weight get about 9 of 10 of the jobs.
    function test_draws_follow_free_stake() public {
        register(0, 90_000 ether);
        offer(0, PRICE, 16);
        register(1, 10_000 ether);
        offer(1, PRICE, 16);
        uint256 heavy = 0;
        for (uint256 i = 0; i < 200; i++) {
            vm.prevrandao(keccak256(abi.encode(i)));
            uint256 job = submit(specOf(1));
            uint256 who = holder(job, 0);
            if (who == 0) heavy++;
            vm.prank(worker(who));
            jobs.decline(job, Reasons.DECLINE_BUSY);
            pass(2 * (DECLINE_WINDOW + LIMIT + GRACE) + 1); // the other one times out, or nobody is left
        }
        yes(heavy > 160 && heavy < 198, "about nine in ten");
    }
}
