// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {World, IDisputes, IJobs, IJobsTypes, IProviders, Reasons, System} from "./World.sol";

/// @dev From assignment to the money. Prices are chosen so that every amount is exact.
contract JobsRunTest is World {
    uint256 private constant RESERVE = FACTOR * PRICE * LIMIT;
    uint256 private constant SMALL = RESERVE * TIMEOUT_BPS / 10_000;
    uint256 private constant WINDOW = DECLINE_WINDOW + LIMIT + GRACE;
    bytes32 private constant LIE = keccak256("lie");

    event JobSettled(uint256 indexed job, IJobsTypes.State state, uint8 reason, bytes32 root, uint8 exitReason);
    event Paid(uint256 indexed job, address indexed provider, uint256 amount);

    function setUp() public {
        setUpWorld();
    }

    /// @dev Named in order, so replica i is provider i; the rest of the market may stand in.
    function start(uint8 replicas, uint256 market_) private returns (uint256 job) {
        market(market_);
        IJobsTypes.Spec memory s = specOf(replicas);
        s.providers = new address[](market_ > 8 ? 8 : market_);
        for (uint256 i = 0; i < s.providers.length; i++) s.providers[i] = owner(i);
        job = submit(s);
        isState(job, IJobsTypes.State.Running);
    }

    function sealAll(uint256 job, uint256 count, bytes32 root, uint8 exitReason) private {
        for (uint256 i = 0; i < count; i++) seal(job, i, root, exitReason);
    }

    function stakeOf(uint256 i) private view returns (uint256) {
        return providers.provider(owner(i)).stake;
    }

    function recordOf(uint256 i) private view returns (IProviders.Record memory) {
        return providers.provider(owner(i)).record;
    }

    function free(uint256 i) private view {
        IProviders.Provider memory p = providers.provider(owner(i));
        same(p.reserved, 0, "nothing reserved");
        same(providers.gpu(owner(i), 0).busy, 0, "slot free");
        same(jobs.activeJobs(owner(i)).length, 0, "no active job");
        same(providers.drawWeight(owner(i)), p.stake, "whole weight again");
    }

    function over() private {
        pass(CHALLENGE_WINDOW + 1);
    }

    // ---- the good end

    function test_all_agree_and_everything_is_paid_in_the_last_reveal() public {
        uint256 job = start(3, 3);
        same(providers.provider(owner(1)).reserved, RESERVE, "stake at risk");
        same(jobs.activeJobs(owner(1))[0], job, "active");
        sealAll(job, 3, ROOT, 0);
        isState(job, IJobsTypes.State.Revealing);
        reveal(job, 0, ROOT, 0, 10);
        reveal(job, 1, ROOT, 0, 12);
        vm.expectEmit(true, true, false, true, address(jobs));
        emit Paid(job, owner(0), 12 * PRICE);
        vm.expectEmit(true, false, false, true, address(jobs));
        emit JobSettled(job, IJobsTypes.State.Agreed, Reasons.REASON_ALL_AGREED, ROOT, 0);
        reveal(job, 2, ROOT, 0, 50);
        IJobsTypes.Job memory j = jobs.getJob(job);
        same(j.secondsUsed, 12, "lower median of 10, 12, 50");
        same(j.paid, 3 * 12 * PRICE, "paid");
        same(j.refunded, priceOf(j.spec) - j.paid, "refunded");
        same(j.escrow, 0, "escrow");
        same(j.root, ROOT, "root");
        same(j.outputSize, 4096, "size");
        for (uint256 i = 0; i < 3; i++) {
            same(jobs.credit(owner(i)), 12 * PRICE, "provider's credit");
            same(stakeOf(i), 10 ether, "stake untouched");
            same(recordOf(i).agreed, 1, "agreed");
            same(recordOf(i).streak, 1, "streak");
            same(recordOf(i).secondsServed, 12, "seconds");
            same(recordOf(i).earned, 12 * PRICE, "earned");
            same(uint256(jobs.getReplicas(job)[i].state), uint256(IJobsTypes.ReplicaState.Paid), "replica");
            same(providers.gpu(owner(i), 0).busy, 0, "the slot is free at once");
            same(providers.provider(owner(i)).reserved, RESERVE, "the stake is not, while it may be challenged");
        }
        same(j.challengeBy, block.timestamp + CHALLENGE_WINDOW, "challengeBy");
        pass(CHALLENGE_WINDOW);
        same(providers.provider(owner(0)).reserved, RESERVE, "still");
        pass(1);
        for (uint256 i = 0; i < 3; i++) free(i);
        same(jobs.getReplicas(job)[0].reserved, 0, "nothing at risk any more");
        same(jobs.credit(renter(0)), j.refunded, "renter's credit");
        vm.prank(owner(0));
        jobs.withdraw();
        same(owner(0).balance, 12 * PRICE, "withdrawn");
        owes();
    }

    function test_each_is_paid_its_own_price() public {
        register(0, 10 ether);
        offer(0, PRICE, 1);
        register(1, 10 ether);
        offer(1, 2 * PRICE, 1);
        uint256 job = submit(specOf(2));
        sealAll(job, 2, ROOT, 0);
        reveal(job, 0, ROOT, 0, 60);
        reveal(job, 1, ROOT, 0, 20);
        same(jobs.credit(owner(0)), 20 * PRICE, "lower median of two");
        same(jobs.credit(owner(1)), 40 * PRICE, "twice the price");
        owes();
    }

    function test_one_replica_is_allowed() public {
        uint256 job = start(1, 1);
        seal(job, 0, ROOT, 0);
        reveal(job, 0, ROOT, 0, LIMIT);
        isState(job, IJobsTypes.State.Auditing);
        noAudit(job);
        isState(job, IJobsTypes.State.Agreed);
        same(jobs.credit(owner(0)), LIMIT * PRICE, "paid");
    }

    function test_the_owner_key_may_act_as_the_worker_does() public {
        uint256 job = start(1, 1);
        bytes32 c = jobs.commitmentOf(job, owner(0), ROOT, 0, 0, SALT);
        same(c, keccak256(abi.encode(job, owner(0), ROOT, uint8(0), bytes32(0), SALT)), "formula");
        vm.prank(owner(0));
        jobs.seal(job, c);
        vm.prank(owner(0));
        jobs.reveal(job, ROOT, 0, 0, 1, 1, SALT);
        isState(job, IJobsTypes.State.Auditing);
    }

    function test_a_job_that_fails_by_its_own_doing_is_paid_for() public {
        uint256 job = start(3, 3);
        sealAll(job, 3, 0, Reasons.EXIT_FAULT);
        for (uint256 i = 0; i < 3; i++) reveal(job, i, 0, Reasons.EXIT_FAULT, 2);
        IJobsTypes.Job memory j = jobs.getJob(job);
        same(uint256(j.state), uint256(IJobsTypes.State.Agreed), "state");
        same(j.exitReason, Reasons.EXIT_FAULT, "exit reason");
        same(j.paid, 3 * 2 * PRICE, "paid");
    }

    function test_a_restarted_worker_finds_its_work() public {
        register(0, 10 ether);
        offer(0, PRICE, 3);
        uint256 a = submit(specOf(1));
        uint256 b = submit(specOf(1));
        uint256 c = submit(specOf(1));
        seal(a, 0, ROOT, 0);
        reveal(a, 0, ROOT, 0, 1);
        uint256[] memory active = jobs.activeJobs(owner(0));
        same(active.length, 2, "two left");
        yes(active[0] + active[1] == b + c, "b and c");
        IJobsTypes.Replica memory r = jobs.getReplicas(b)[0];
        same(r.worker, worker(0), "worker");
        same(keccak256(bytes(r.endpoint)), keccak256("127.0.0.1:9000"), "endpoint");
        same(r.tlsKeyHash, bytes32(uint256(1)), "key hash");
    }

    // ---- disagreement

    function test_without_a_majority_everybody_is_refunded_and_nobody_paid() public {
        uint256 job = start(3, 3);
        for (uint256 i = 0; i < 3; i++) seal(job, i, bytes32(i + 1), 0);
        for (uint256 i = 0; i < 3; i++) reveal(job, i, bytes32(i + 1), 0, 10);
        noVerdict(job, 3);
    }

    function test_half_is_no_majority() public {
        uint256 job = start(4, 4);
        for (uint256 i = 0; i < 4; i++) seal(job, i, bytes32(i / 2 + 1), 0);
        for (uint256 i = 0; i < 4; i++) reveal(job, i, bytes32(i / 2 + 1), 0, 10);
        noVerdict(job, 4);
    }

    /// @dev There are no validators here: nobody can judge.
    function noVerdict(uint256 job, uint256 count) private {
        isState(job, IJobsTypes.State.Disputed);
        pass(1);
        IJobsTypes.Job memory j = jobs.getJob(job);
        same(uint256(j.state), uint256(IJobsTypes.State.Refunded), "state");
        same(j.reason, Reasons.REASON_NO_VERDICT, "reason");
        same(j.paid + j.compensated, 0, "nobody paid");
        same(j.root, bytes32(0), "no root");
        same(jobs.credit(renter(0)), priceOf(j.spec), "all back");
        for (uint256 i = 0; i < count; i++) {
            same(stakeOf(i), 10 ether, "stake");
            free(i);
        }
        owes();
    }

    function test_a_result_and_a_failure_disagree() public {
        uint256 job = start(3, 3);
        seal(job, 0, ROOT, 0);
        seal(job, 1, 0, Reasons.EXIT_SIGNAL);
        seal(job, 2, ROOT, 0);
        reveal(job, 0, ROOT, 0, 10);
        reveal(job, 1, 0, Reasons.EXIT_SIGNAL, 10);
        reveal(job, 2, ROOT, 0, 10);
        isState(job, IJobsTypes.State.Disputed);
    }

    function test_alone_over_a_time_limit_costs_little() public {
        uint256 job = start(3, 3);
        seal(job, 0, ROOT, 0);
        seal(job, 1, 0, Reasons.EXIT_TIME);
        seal(job, 2, ROOT, 0);
        reveal(job, 0, ROOT, 0, 55);
        reveal(job, 1, 0, Reasons.EXIT_TIME, LIMIT);
        reveal(job, 2, ROOT, 0, 55);
        same(stakeOf(1), 10 ether - SMALL, "small slash");
        same(jobs.credit(owner(1)), 0, "unpaid");
        same(jobs.getJob(job).compensated, SMALL, "to the renter");
        owes();
    }

    function test_a_fast_machine_among_slow_ones_loses_nothing() public {
        uint256 job = start(3, 3);
        seal(job, 0, 0, Reasons.EXIT_MEMORY);
        seal(job, 1, ROOT, 0);
        seal(job, 2, 0, Reasons.EXIT_MEMORY);
        reveal(job, 0, 0, Reasons.EXIT_MEMORY, 5);
        reveal(job, 1, ROOT, 0, 5);
        reveal(job, 2, 0, Reasons.EXIT_MEMORY, 5);
        isState(job, IJobsTypes.State.Agreed);
        same(stakeOf(1), 10 ether, "stake");
        same(uint256(jobs.getReplicas(job)[1].state), uint256(IJobsTypes.ReplicaState.Released), "released");
        owes();
    }

    function test_a_seal_that_is_never_revealed_is_a_fault() public {
        uint256 job = start(3, 3);
        sealAll(job, 3, ROOT, 0);
        reveal(job, 0, ROOT, 0, 10);
        reveal(job, 1, ROOT, 0, 10);
        pass(REVEAL_WINDOW);
        isState(job, IJobsTypes.State.Revealing);
        pass(1);
        isState(job, IJobsTypes.State.Agreed);
        same(stakeOf(2), 10 ether - RESERVE, "slashed");
        same(jobs.getJob(job).paid, 2 * 10 * PRICE, "the two are paid");
        owes();
    }

    function test_silence_of_the_majority_refunds_and_slashes_the_silent() public {
        uint256 job = start(3, 3);
        sealAll(job, 3, ROOT, 0);
        reveal(job, 0, ROOT, 0, 10);
        pass(REVEAL_WINDOW + 1);
        isState(job, IJobsTypes.State.Disputed);
        pass(1);
        IJobsTypes.Job memory j = jobs.getJob(job);
        same(j.reason, Reasons.REASON_NO_VERDICT, "reason");
        same(j.paid, 0, "one of three is paid nothing");
        same(stakeOf(0), 10 ether, "and loses nothing");
        same(stakeOf(1), 10 ether - RESERVE, "silent");
        same(stakeOf(2), 10 ether - RESERVE, "silent");
        same(j.compensated, 2 * SMALL, "small penalties");
        owes();
    }

    // ---- declined, late

    function test_a_decline_costs_nothing_and_the_next_in_line_takes_over() public {
        uint256 job = start(2, 3);
        vm.prank(worker(0));
        jobs.decline(job, Reasons.DECLINE_NO_DATA);
        same(holder(job, 0), 2, "the third");
        same(stakeOf(0), 10 ether, "no penalty");
        same(recordOf(0).declined, 1, "record");
        free(0);
        vm.prank(worker(0));
        fails(IJobsTypes.NotAssigned.selector, job, worker(0));
        jobs.seal(job, ROOT);
    }

    function test_who_declined_never_gets_the_job_again() public {
        uint256 job = start(1, 1);
        vm.prank(worker(0));
        jobs.decline(job, Reasons.DECLINE_BUSY);
        isState(job, IJobsTypes.State.Running);
        same(jobs.waiting(0, 10)[0], job, "in the book with its vacancy");
        yes(!jobs.tryMatch(job), "nobody else");
        pass(2 * WINDOW + 1);
        isState(job, IJobsTypes.State.Refunded);
        same(jobs.getJob(job).reason, Reasons.REASON_TOO_FEW_SEALS, "reason");
        same(jobs.waiting(0, 10).length, 0, "book");
        owes();
    }

    function test_a_vacancy_is_filled_by_a_new_offer() public {
        market(1);
        uint256 job = submit(specOf(1));
        vm.prank(worker(0));
        jobs.decline(job, Reasons.DECLINE_BUSY);
        register(1, 10 ether);
        offer(1, PRICE, 1);
        tick();
        same(holder(job, 0), 1, "the new one");
        seal(job, 1, ROOT, 0);
        reveal(job, 1, ROOT, 0, 1);
        isState(job, IJobsTypes.State.Auditing);
        owes();
    }

    function test_anybody_may_fill_a_vacancy() public {
        market(1);
        uint256 job = submit(specOf(1));
        vm.prank(worker(0));
        jobs.decline(job, Reasons.DECLINE_BUSY);
        register(1, 10 ether);
        offer(1, PRICE, 1);
        yes(jobs.tryMatch(job), "filled");
        fails(IJobsTypes.NothingToMatch.selector, job);
        jobs.tryMatch(job);
    }

    function test_refuses_a_decline_that_is_late_or_nonsense() public {
        uint256 job = start(2, 2);
        vm.prank(worker(0));
        fails(IJobsTypes.BadDeclineReason.selector, 0);
        jobs.decline(job, 0);
        vm.prank(worker(0));
        fails(IJobsTypes.BadDeclineReason.selector, 16);
        jobs.decline(job, 16);
        seal(job, 0, ROOT, 0);
        vm.prank(worker(0));
        fails(IJobsTypes.AlreadySealed.selector, job, owner(0));
        jobs.decline(job, 1);
        vm.warp(block.timestamp + DECLINE_WINDOW + 1);
        vm.prank(worker(1));
        fails(IJobsTypes.TooLate.selector, job, START + DECLINE_WINDOW);
        jobs.decline(job, 1);
        fails(IJobsTypes.NotAssigned.selector, job, address(this));
        jobs.decline(job, 1);
    }

    function test_a_late_replica_pays_a_little_and_is_replaced() public {
        uint256 job = start(3, 4);
        seal(job, 0, ROOT, 0);
        seal(job, 1, ROOT, 0);
        pass(WINDOW);
        same(holder(job, 2), 2, "still in time");
        pass(1);
        same(holder(job, 2), 3, "the fourth");
        same(stakeOf(2), 10 ether - SMALL, "small slash");
        same(jobs.getJob(job).compensated, SMALL, "to the renter");
        same(recordOf(2).timedOut, 1, "record");
        free(2);
        seal(job, 3, ROOT, 0);
        reveal(job, 0, ROOT, 0, 10);
        reveal(job, 1, ROOT, 0, 10);
        reveal(job, 3, ROOT, 0, 10);
        isState(job, IJobsTypes.State.Agreed);
        owes();
    }

    function test_a_majority_goes_on_when_nobody_replaces_the_late() public {
        uint256 job = start(3, 3);
        seal(job, 0, ROOT, 0);
        seal(job, 1, ROOT, 0);
        pass(WINDOW + 1);
        isState(job, IJobsTypes.State.Revealing);
        reveal(job, 0, ROOT, 0, 10);
        reveal(job, 1, ROOT, 0, 10);
        isState(job, IJobsTypes.State.Agreed);
        same(jobs.getJob(job).reason, Reasons.REASON_MAJORITY, "two of three");
        owes();
    }

    function test_too_few_seals_refund_everything() public {
        uint256 job = start(3, 3);
        seal(job, 0, ROOT, 0);
        pass(WINDOW + 1);
        isState(job, IJobsTypes.State.Running);
        pass(WINDOW);
        isState(job, IJobsTypes.State.Refunded);
        IJobsTypes.Job memory j = jobs.getJob(job);
        same(j.reason, Reasons.REASON_TOO_FEW_SEALS, "reason");
        same(jobs.credit(renter(0)), priceOf(j.spec) + 2 * SMALL, "with two small penalties");
        same(stakeOf(0), 10 ether, "who sealed loses nothing");
        for (uint256 i = 0; i < 3; i++) free(i);
        owes();
    }

    function test_expire_by_hand_does_what_the_scheduler_does() public {
        uint256 job = start(2, 2);
        fails(IJobsTypes.NothingToExpire.selector, job);
        jobs.expire(job);
        vm.warp(block.timestamp + WINDOW + 1);
        jobs.expire(job);
        same(stakeOf(0), 10 ether - SMALL, "slashed by hand");
        fails(IJobsTypes.NothingToExpire.selector, job);
        jobs.expire(job);
        tick();
        same(stakeOf(0), 10 ether - SMALL, "not twice");
        owes();
    }

    function test_a_job_looks_for_no_more_after_losing_sixteen() public {
        market(18);
        uint256 job = submit(specOf(1));
        for (uint256 i = 0; i < 16; i++) {
            uint256 who = holder(job, 0);
            vm.prank(worker(who));
            jobs.decline(job, Reasons.DECLINE_INTERNAL);
        }
        isState(job, IJobsTypes.State.Refunded);
        same(jobs.getJob(job).reason, Reasons.REASON_TOO_FEW_SEALS, "reason");
        owes();
    }

    // ---- what seal and reveal refuse

    function test_refuses_seals_that_do_not_fit() public {
        uint256 job = start(2, 2);
        vm.prank(worker(0));
        fails(IJobsTypes.ZeroCommitment.selector);
        jobs.seal(job, 0);
        fails(IJobsTypes.NotAssigned.selector, job, address(this));
        jobs.seal(job, ROOT);
        seal(job, 0, ROOT, 0);
        vm.prank(worker(0));
        fails(IJobsTypes.AlreadySealed.selector, job, owner(0));
        jobs.seal(job, ROOT);
        vm.warp(block.timestamp + WINDOW + 1);
        vm.prank(worker(1));
        fails(IJobsTypes.TooLate.selector, job, START + WINDOW);
        jobs.seal(job, ROOT);
        vm.prank(worker(0));
        fails(IJobsTypes.WrongState.selector, job, uint256(IJobsTypes.State.Running));
        jobs.reveal(job, ROOT, 0, 0, 1, 1, SALT);
    }

    function test_refuses_reveals_that_do_not_fit() public {
        uint256 job = start(2, 2);
        seal(job, 0, ROOT, 0);
        seal(job, 1, 0, Reasons.EXIT_FAULT);
        revealFails(job, ROOT, 0, 1, 0, SALT, abi.encodeWithSelector(IJobsTypes.BadSecondsUsed.selector, 0, LIMIT));
        revealFails(job, ROOT, 0, 1, LIMIT + 1, SALT, abi.encodeWithSelector(IJobsTypes.BadSecondsUsed.selector, LIMIT + 1, LIMIT));
        revealFails(job, ROOT, 64, 1, 1, SALT, abi.encodeWithSelector(IJobsTypes.BadExitReason.selector, 64));
        bytes memory bad = abi.encodeWithSelector(IJobsTypes.BadReveal.selector, job, owner(0));
        revealFails(job, ROOT, 0, 1, 1, 0, bad);
        revealFails(job, LIE, 0, 1, 1, SALT, bad);
        revealFails(job, 0, Reasons.EXIT_FAULT, 0, 1, SALT, bad);
        revealFails(job, ROOT, Reasons.EXIT_FAULT, 0, 1, SALT, bad);
        revealFails(job, 0, Reasons.EXIT_FAULT, 1, 1, SALT, bad);
        revealFails(job, ROOT, 0, 0, 1, SALT, bad); // of an empty result nobody could demand a leaf
        reveal(job, 0, ROOT, 0, 1);
        revealFails(job, ROOT, 0, 1, 1, SALT, abi.encodeWithSelector(IJobsTypes.AlreadyRevealed.selector, job, owner(0)));
        vm.prank(worker(0));
        fails(IJobsTypes.WrongState.selector, job, uint256(IJobsTypes.State.Revealing));
        jobs.seal(job, ROOT);
        vm.warp(block.timestamp + REVEAL_WINDOW + 1);
        vm.prank(worker(1));
        fails(IJobsTypes.TooLate.selector, job, START + REVEAL_WINDOW);
        jobs.reveal(job, 0, Reasons.EXIT_FAULT, 0, 0, 1, SALT);
    }

    function revealFails(uint256 job, bytes32 root, uint8 reason, uint64 size, uint32 used, bytes32 salt, bytes memory why) private {
        vm.prank(worker(0));
        vm.expectRevert(why);
        jobs.reveal(job, root, reason, 0, size, used, salt);
    }

    function test_anothers_commitment_cannot_be_copied() public {
        uint256 job = start(2, 2);
        bytes32 c = keccak256(abi.encode(job, owner(0), ROOT, uint8(0), bytes32(0), SALT));
        vm.prank(worker(0));
        jobs.seal(job, c);
        vm.prank(worker(1));
        jobs.seal(job, c);
        reveal(job, 0, ROOT, 0, 1);
        vm.prank(worker(1));
        fails(IJobsTypes.BadReveal.selector, job, owner(1));
        jobs.reveal(job, ROOT, 0, 0, 4096, 1, SALT);
    }

    // ---- arithmetic, over all shapes of a vote

    struct Case {
        uint8 replicas;
        uint256 price;
        uint32 limit;
        uint256 job;
    }

    /// @dev Ways in which up to seven replicas can answer: the money adds up, and a verdict decides where they differ.
    function testFuzz_results_and_money(uint256 seed, uint96 price, uint32 limit) public {
        validators(5);
        Case memory c;
        c.replicas = uint8(1 + rnd(seed, 0) % 7);
        c.price = within(price, 1, 1e15);
        c.limit = uint32(within(limit, 1, 3600));
        for (uint256 i = 0; i < c.replicas; i++) {
            register(i, 20 ether);
            offer(i, c.price, 1);
        }
        IJobsTypes.Spec memory s = specOf(c.replicas);
        (s.maxPricePerSecond, s.secondsLimit) = (c.price, c.limit);
        c.job = submit(s);
        for (uint256 i = 0; i < c.replicas; i++) seal(c.job, i, answerOf(seed, i), 0);
        for (uint256 i = 0; i < c.replicas; i++) {
            if (rnd(seed, 20 + i) % 8 == 0) continue; // silent
            reveal(c.job, i, answerOf(seed, i), 0, uint32(1 + rnd(seed, 30 + i) % c.limit));
        }
        pass(REVEAL_WINDOW + 1);
        bytes32 said = bytes32(rnd(seed, 40) % 5); // 0: no verdict; 4: a result that nobody has
        if (stateOf(c.job) == IJobsTypes.State.Auditing) drawAudit(c.job, jobs.getReplicas(c.job)[0].auditBps, seed % 2 == 0);
        while (jobs.getJob(c.job).inCase) {
            if (said != 0) rule(c.job, said);
            else pass(1000);
            if (phaseOf(c.job) == IDisputes.Phase.Appealable) appealOver();
        }
        over();
        check(c.job, c.replicas, priceOf(s));
    }

    function answerOf(uint256 seed, uint256 i) private pure returns (bytes32) {
        return bytes32(1 + (rnd(seed, 10 + i) % 3) * (rnd(seed, 10 + i) % 2));
    }

    function rnd(uint256 seed, uint256 n) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, n)));
    }

    function check(uint256 job, uint8 replicas, uint256 price) private view {
        IJobsTypes.Job memory j = jobs.getJob(job);
        yes(uint256(j.state) >= uint256(IJobsTypes.State.Agreed), "it has ended");
        same(j.escrow, 0, "nothing locked");
        same(j.paid + j.refunded + j.auditPaid, price, "every wei of the price is accounted for");
        IJobsTypes.Replica[] memory all = jobs.getReplicas(job);
        uint256 staked = 0;
        uint256 earned = 0;
        for (uint256 i = 0; i < replicas; i++) {
            free(i);
            staked += stakeOf(i);
            bool right = j.paid != 0 && all[i].root == j.root;
            if (all[i].state == IJobsTypes.ReplicaState.Paid) yes(right, "paid for the result that stands");
            earned += jobs.credit(owner(i));
        }
        same(earned, j.paid, "to providers");
        uint256 slashed = 20 ether * uint256(replicas) - staked;
        yes(j.compensated <= slashed, "no more than was slashed");
        yes(j.compensated >= j.paid || j.compensated == slashed || slashed == 0, "the renter first");
        owes();
    }
}
