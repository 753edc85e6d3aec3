// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {World, ICustody, IDisputes, IJobs, IJobsTypes, IProviders, Reasons, System} from "./World.sol";

/// @dev Who cheats ends poorer and the renter whole. Replica i is provider i; price 2 PRICE at most, PRICE in fact.
abstract contract DisputesWorld is World {
    uint256 internal constant RESERVE = FACTOR * PRICE * LIMIT;
    uint256 internal constant SMALL = RESERVE * TIMEOUT_BPS / 10_000;
    bytes32 internal constant LIE = bytes32(uint256(ROOT) + 1); // wrong by one
    uint32 internal constant USED = 30;
    uint256 internal constant FEE = 2 * PRICE * USED; // of a judge
    address internal constant DOUBTER = address(0xDD);
    uint256 internal constant RICH = 1000 ether;

    function setUp() public virtual {
        setUpWorld();
        validators(12);
    }

    function begin(uint8 replicas, uint16 auditBps) internal returns (uint256 job) {
        market(replicas);
        IJobsTypes.Spec memory s = specOf(replicas);
        s.auditBps = auditBps;
        s.providers = new address[](replicas);
        for (uint256 i = 0; i < replicas; i++) s.providers[i] = owner(i);
        job = submit(s);
        isState(job, IJobsTypes.State.Running);
    }

    /// @dev The first `liars` of them say LIE, the others ROOT.
    function answer(uint256 job, uint256 replicas, uint256 liars) internal {
        for (uint256 i = 0; i < replicas; i++) seal(job, i, i < liars ? LIE : ROOT, 0);
        for (uint256 i = 0; i < replicas; i++) reveal(job, i, i < liars ? LIE : ROOT, 0, USED);
    }

    function challenge(uint256 job, address who) internal {
        uint256 bond = jobs.challengeBond(job);
        vm.deal(who, RICH);
        vm.prank(who);
        jobs.challenge{value: bond}(job);
    }

    function appeal(uint256 job, address who) internal {
        uint256 bond = disputes.appealBond(job);
        vm.deal(who, RICH);
        vm.prank(who);
        disputes.appeal{value: bond}(job);
    }

    /// @dev All that an account has anywhere.
    function wealth(address who) internal view returns (uint256) {
        return who.balance + jobs.credit(who) + providers.credit(who) + disputes.credit(who) + custody.credit(who)
            + providers.provider(who).stake;
    }

    function priceOf(uint256 job) internal view returns (uint256) {
        return priceOf(jobs.getJob(job).spec);
    }

    function poorer(uint256 i) internal view {
        yes(wealth(owner(i)) < 10 ether, "the cheat is poorer");
    }

    function whole(uint256 job) internal view {
        yes(wealth(renter(0)) >= priceOf(job), "the renter is whole");
    }

    function stakeOf(uint256 i) internal view returns (uint256) {
        return providers.provider(owner(i)).stake;
    }

    function untouched(uint256 i) internal view {
        same(ownStake(i), OWN, "a judge's stake");
    }

    function over(uint256 job) internal {
        pass(CHALLENGE_WINDOW + 1);
        IJobsTypes.Job memory j = jobs.getJob(job);
        yes(uint256(j.state) >= uint256(IJobsTypes.State.Agreed), "ended");
        same(j.escrow + j.bond, 0, "nothing locked");
        IJobsTypes.Replica[] memory all = jobs.getReplicas(job);
        for (uint256 i = 0; i < all.length; i++) {
            same(all[i].reserved, 0, "nothing at risk");
            if (all[i].provider != address(0)) same(providers.provider(all[i].provider).reserved, 0, "none reserved");
        }
        for (uint256 i = 0; i < 12; i++) same(disputes.dutiesOf(operator(i)).length, 0, "no duty");
        owes();
    }
}

contract DisputesTest is DisputesWorld {
    // ---- replicas that differ

    function test_a_liar_among_three_pays_for_the_renter_and_the_judges() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 1);
        isState(job, IJobsTypes.State.Disputed);
        same(jobs.getJob(job).paid, 0, "nothing is paid before the verdict");
        isPhase(job, IDisputes.Phase.Drawing);
        uint256 zero = address(0).balance;
        rule(job, ROOT);
        isPhase(job, IDisputes.Phase.Appealable);
        isState(job, IJobsTypes.State.Disputed);
        appealOver();
        IJobsTypes.Job memory j = jobs.getJob(job);
        same(uint256(j.state), uint256(IJobsTypes.State.Settled), "state");
        same(j.reason, Reasons.REASON_COMMITTEE, "reason");
        same(j.root, ROOT, "root");
        same(j.outputSize, 4096, "size");
        same(j.paid, 2 * USED * PRICE, "the two");
        same(j.compensated, j.paid + SMALL, "free for the renter, and a timeout's part");
        uint256 left = RESERVE - j.compensated;
        IDisputes.Seat[] memory seats = disputes.getCase(job).seats;
        for (uint256 i = 0; i < 3; i++) {
            same(uint256(seats[i].state), uint256(IDisputes.SeatState.Paid), "seat");
            same(disputes.credit(seats[i].operator), left / 3, "what is left, in equal parts");
        }
        same(address(0).balance, zero, "nothing to burn");
        same(wealth(owner(0)), 10 ether - RESERVE, "the liar");
        same(providers.provider(owner(0)).record.faulted, 1, "record");
        same(wealth(owner(1)), 10 ether + USED * PRICE, "the honest");
        whole(job);
        over(job);
    }

    function test_two_of_three_colluding_lose_to_the_committee() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 2);
        rule(job, ROOT);
        appealOver();
        isState(job, IJobsTypes.State.Settled);
        same(jobs.getJob(job).paid, USED * PRICE, "only the honest one");
        same(stakeOf(0), 10 ether - RESERVE, "one");
        same(stakeOf(1), 10 ether - RESERVE, "two");
        for (uint256 i = 0; i < 3; i++) yes(disputes.credit(disputes.getCase(job).seats[i].operator) >= FEE / 3, "judges are paid");
        whole(job);
        over(job);
    }

    function test_a_verdict_that_nobody_gave_pays_nobody() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 1);
        rule(job, bytes32("third"));
        appealOver();
        isState(job, IJobsTypes.State.Settled);
        same(jobs.getJob(job).paid, 0, "nobody");
        same(jobs.getJob(job).refunded, priceOf(job), "all back");
        for (uint256 i = 0; i < 3; i++) poorer(i);
        over(job);
    }

    function test_silence_after_the_seal_is_a_fault_in_a_dispute_too() public {
        uint256 job = begin(3, 0);
        for (uint256 i = 0; i < 3; i++) seal(job, i, ROOT, 0);
        reveal(job, 2, ROOT, 0, USED);
        pass(REVEAL_WINDOW + 1);
        isState(job, IJobsTypes.State.Disputed);
        rule(job, ROOT);
        appealOver();
        same(jobs.getJob(job).paid, USED * PRICE, "who revealed is paid");
        poorer(0);
        poorer(1);
        whole(job);
        over(job);
    }

    function test_a_soft_verdict_that_no_replica_shares_is_none() public {
        uint256 job = begin(2, 0);
        answer(job, 2, 1);
        pass(1);
        address[] memory who = bench(job);
        for (uint256 i = 0; i < 3; i++) sealVerdict(job, who[i], 0, Reasons.EXIT_TIME);
        for (uint256 i = 0; i < 3; i++) revealVerdict(job, who[i], 0, Reasons.EXIT_TIME);
        appealOver();
        isState(job, IJobsTypes.State.Refunded);
        same(jobs.getJob(job).reason, Reasons.REASON_NO_VERDICT, "reason");
        same(stakeOf(0) + stakeOf(1), 20 ether, "nobody is slashed by machines that are too slow");
        over(job);
    }

    function test_a_result_with_another_trace_is_another_result() public {
        uint256 job = begin(2, 0);
        for (uint256 i = 0; i < 2; i++) {
            vm.prank(worker(i));
            jobs.seal(job, keccak256(abi.encode(job, owner(i), ROOT, uint8(0), bytes32(i), SALT)));
        }
        for (uint256 i = 0; i < 2; i++) {
            vm.prank(worker(i));
            jobs.reveal(job, ROOT, 0, bytes32(i), 4096, USED, SALT);
        }
        isState(job, IJobsTypes.State.Disputed);
        same(jobs.getReplicas(job)[1].trace, bytes32(uint256(1)), "trace");
    }

    // ---- audits

    function test_wrong_by_one_and_alone_is_caught_by_the_audit() public {
        uint256 job = begin(1, 0);
        same(jobs.getReplicas(job)[0].auditBps, NEWCOMER_BPS, "a newcomer");
        answer(job, 1, 1);
        isState(job, IJobsTypes.State.Auditing);
        drawAudit(job, NEWCOMER_BPS, true);
        yes(jobs.getJob(job).inCase, "drawn");
        same(jobs.getJob(job).paid, 0, "not paid yet");
        rule(job, ROOT); // the auditor
        isState(job, IJobsTypes.State.Disputed);
        address auditor = disputes.seatsOf(job, 0)[0].operator;
        rule(job, ROOT); // the committee
        for (uint256 i = 0; i < 3; i++) yes(disputes.getCase(job).seats[i].operator != auditor, "not twice in a job");
        appealOver();
        isState(job, IJobsTypes.State.Settled);
        same(jobs.getJob(job).paid, 0, "the cheat is not paid");
        same(jobs.getJob(job).compensated, SMALL, "a timeout's part");
        same(stakeOf(0), 10 ether - RESERVE, "the cheat");
        yes(disputes.credit(auditor) > 0, "the auditor");
        yes(wealth(renter(0)) + jobs.getJob(job).auditPaid > priceOf(job), "the renter");
        over(job);
    }

    function test_who_is_not_drawn_is_paid_and_the_auditors_part_comes_back() public {
        uint256 job = begin(1, 0);
        answer(job, 1, 0);
        noAudit(job);
        isState(job, IJobsTypes.State.Agreed);
        same(jobs.getJob(job).refunded, priceOf(job) - USED * PRICE, "rest");
        over(job);
    }

    function test_an_audit_that_agrees_is_paid_from_the_price() public {
        uint256 job = begin(3, 10_000);
        answer(job, 3, 0);
        drawAudit(job, 10_000, true);
        rule(job, ROOT);
        isState(job, IJobsTypes.State.Agreed);
        IJobsTypes.Job memory j = jobs.getJob(job);
        same(j.auditPaid, FEE, "the fee");
        same(disputes.credit(disputes.seatsOf(job, 0)[0].operator), FEE, "the auditor's");
        same(j.paid + j.auditPaid + j.refunded, priceOf(job), "price");
        over(job);
    }

    function test_three_of_three_colluding_are_caught_by_an_audit() public {
        uint256 job = begin(3, 10_000);
        answer(job, 3, 3);
        drawAudit(job, 10_000, true);
        rule(job, ROOT);
        rule(job, ROOT);
        appealOver();
        isState(job, IJobsTypes.State.Settled);
        for (uint256 i = 0; i < 3; i++) same(stakeOf(i), 10 ether - RESERVE, "each");
        address auditor = disputes.seatsOf(job, 0)[0].operator;
        uint256 left = 3 * RESERVE - 3 * SMALL - 4 * FEE;
        same(disputes.credit(auditor), FEE, "the auditor's fee");
        same(jobs.credit(auditor), left * REWARD_BPS / 10_000, "and a reward");
        whole(job);
        over(job);
    }

    function test_an_auditor_who_lies_is_slashed_and_the_honest_provider_paid() public {
        uint256 job = begin(1, 0);
        answer(job, 1, 0);
        drawAudit(job, NEWCOMER_BPS, true);
        rule(job, LIE);
        isState(job, IJobsTypes.State.Disputed);
        address auditor = disputes.seatsOf(job, 0)[0].operator;
        rule(job, ROOT);
        appealOver();
        isState(job, IJobsTypes.State.Settled);
        same(jobs.credit(owner(0)), USED * PRICE, "paid");
        same(stakeOf(0), 10 ether, "stake");
        same(ownStake(operatorIndex(auditor)), OWN - DUTY_SLASH, "the liar");
        same(disputes.credit(auditor), 0, "unpaid");
        same(jobs.getJob(job).auditPaid, 2 * PRICE * LIMIT, "the committee has the auditor's part");
        over(job);
    }

    function test_an_auditor_who_copied_answers_when_the_result_falls() public {
        uint256 job = begin(1, 0);
        answer(job, 1, 1);
        drawAudit(job, NEWCOMER_BPS, true);
        rule(job, LIE); // lazy, or bribed
        isState(job, IJobsTypes.State.Agreed);
        address auditor = disputes.seatsOf(job, 0)[0].operator;
        challenge(job, DOUBTER);
        rule(job, ROOT);
        appealOver();
        isState(job, IJobsTypes.State.Overturned);
        same(ownStake(operatorIndex(auditor)), OWN - DUTY_SLASH, "slashed");
        whole(job);
        over(job);
    }

    function test_an_audit_that_nobody_does_ends_in_agreement() public {
        uint256 job = begin(1, 0);
        answer(job, 1, 0);
        drawAudit(job, NEWCOMER_BPS, true);
        for (uint256 n = 0; n < 3; n++) {
            pass(1);
            isPhase(job, IDisputes.Phase.Sealing);
            pass(disputes.getCase(job).deadline - block.timestamp + 1);
        }
        isState(job, IJobsTypes.State.Agreed);
        uint256 absent = 0;
        for (uint256 i = 0; i < 12; i++) if (ownStake(i) == OWN - ABSENT_SLASH) absent++;
        same(absent, 3, "each absent one");
        over(job);
    }

    function test_a_slow_auditor_has_said_nothing() public {
        uint256 job = begin(1, 0);
        answer(job, 1, 0);
        drawAudit(job, NEWCOMER_BPS, true);
        pass(1);
        address auditor = bench(job)[0];
        sealVerdict(job, auditor, 0, Reasons.EXIT_TIME);
        revealVerdict(job, auditor, 0, Reasons.EXIT_TIME);
        isState(job, IJobsTypes.State.Agreed);
        same(disputes.credit(auditor), 0, "unpaid");
        over(job);
    }

    function test_an_auditor_without_data_calls_for_a_committee() public {
        uint256 job = begin(1, 0);
        answer(job, 1, 0);
        drawAudit(job, NEWCOMER_BPS, true);
        pass(1);
        address auditor = bench(job)[0];
        sealVerdict(job, auditor, 0, Reasons.VERDICT_NO_DATA);
        revealVerdict(job, auditor, 0, Reasons.VERDICT_NO_DATA);
        isState(job, IJobsTypes.State.Disputed);
        rule(job, ROOT);
        appealOver();
        same(jobs.credit(owner(0)), USED * PRICE, "the provider served the others");
        same(ownStake(operatorIndex(auditor)), OWN - ABSENT_SLASH, "a small slash");
        over(job);
    }

    function test_nobody_draws_by_hand() public {
        uint256 job = begin(1, 0);
        answer(job, 1, 0);
        fails(IJobsTypes.NothingToExpire.selector, job);
        jobs.expire(job);
        fails(System.NotAllowed.selector, address(this));
        (bool ok,) = address(jobs).call(abi.encodeWithSignature("drawAudit(uint256)", job));
        ok;
        vm.warp(block.timestamp + 61); // the Scheduler is late
        jobs.expire(job); // calls for the draw
        isState(job, IJobsTypes.State.Auditing);
        noAudit(job);
        isState(job, IJobsTypes.State.Agreed);
        over(job);
    }

    function test_a_long_clean_record_lowers_the_rate_and_raises_the_stake() public {
        uint16 rate = uint16(NEWCOMER_BPS);
        market(1);
        for (uint256 streak = 0; streak < 12; streak++) {
            uint256 job = submit(specOf(1));
            IJobsTypes.Replica memory r = jobs.getReplicas(job)[0];
            rate = uint16(NEWCOMER_BPS * 8 / (8 + streak));
            same(r.auditBps, rate, "rate");
            uint256 factor = (10_000 + rate - 1) / rate;
            same(r.reserved, (factor < FACTOR ? FACTOR : factor) * PRICE * LIMIT, "a cheat loses on average");
            seal(job, 0, ROOT, 0);
            reveal(job, 0, ROOT, 0, 1);
            noAudit(job);
        }
        same(providers.auditRateOf(owner(0), 500, 5000), NEWCOMER_BPS * 8 / 20, "view");
        same(providers.auditRateOf(owner(0), 4000, 5000), 4000, "floor");
    }

    // ---- challenges

    function test_three_of_three_colluding_are_caught_by_a_challenge() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 3);
        isState(job, IJobsTypes.State.Agreed);
        same(jobs.getJob(job).paid, 3 * USED * PRICE, "paid at first");
        challenge(job, DOUBTER);
        isState(job, IJobsTypes.State.Agreed);
        rule(job, ROOT);
        appealOver();
        IJobsTypes.Job memory j = jobs.getJob(job);
        same(uint256(j.state), uint256(IJobsTypes.State.Overturned), "state");
        same(j.root, ROOT, "the true one");
        same(j.compensated, 3 * USED * PRICE + 3 * SMALL, "all that the renter paid, and more");
        uint256 left = 3 * RESERVE - j.compensated - 3 * FEE;
        same(wealth(DOUBTER), RICH + left * REWARD_BPS / 10_000, "bond back, and a reward");
        for (uint256 i = 0; i < 3; i++) {
            poorer(i);
            same(providers.provider(owner(i)).record.agreed, 0, "record");
            same(providers.provider(owner(i)).record.faulted, 1, "record");
            same(disputes.credit(disputes.getCase(job).seats[i].operator), FEE, "judges");
        }
        whole(job);
        over(job);
    }

    function test_who_cries_wolf_pays_the_judges_and_the_accused() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 0);
        challenge(job, DOUBTER);
        pass(CHALLENGE_WINDOW + 1); // the draw, and the end of the window: stake stays at risk while it is judged
        same(providers.provider(owner(0)).reserved, RESERVE, "held");
        rule(job, ROOT);
        appealOver();
        isState(job, IJobsTypes.State.Agreed);
        uint256 bond = jobs.challengeBond(job);
        same(wealth(DOUBTER), RICH - bond, "the bond is gone");
        same(disputes.credit(disputes.getCase(job).seats[0].operator), FEE, "judges");
        for (uint256 i = 0; i < 3; i++) {
            same(jobs.credit(owner(i)), USED * PRICE + (bond - 3 * FEE) / 3, "paid, and for the trouble");
            same(stakeOf(i), 10 ether, "stake");
        }
        same(providers.provider(owner(0)).reserved, 0, "free again");
        over(job);
    }

    function test_a_renter_who_challenges_every_job_is_poorer_each_time() public {
        market(1);
        for (uint256 n = 0; n < 4; n++) {
            uint256 job = submit(specOf(1));
            seal(job, 0, ROOT, 0);
            reveal(job, 0, ROOT, 0, USED);
            noAudit(job);
            uint256 before = wealth(owner(0));
            challenge(job, renter(0));
            rule(job, ROOT);
            appealOver();
            same(wealth(owner(0)), before + jobs.challengeBond(job) - 3 * FEE, "the provider is richer");
            same(renter(0).balance, RICH - jobs.challengeBond(job), "the renter poorer");
        }
        same(stakeOf(0), 10 ether, "stake");
    }

    function test_refuses_challenges_that_do_not_fit() public {
        uint256 job = begin(2, 0);
        uint256 bond = jobs.challengeBond(job);
        vm.deal(address(this), 10 ether);
        fails(IJobsTypes.WrongState.selector, job, uint256(IJobsTypes.State.Running));
        jobs.challenge{value: bond}(job);
        answer(job, 2, 0);
        fails(IJobsTypes.WrongValue.selector, bond - 1, bond);
        jobs.challenge{value: bond - 1}(job);
        vm.deal(owner(0), bond);
        vm.prank(owner(0));
        fails(IJobsTypes.OwnJob.selector, owner(0));
        jobs.challenge{value: bond}(job);
        vm.deal(worker(1), bond);
        vm.prank(worker(1));
        fails(IJobsTypes.OwnJob.selector, worker(1));
        jobs.challenge{value: bond}(job);
        jobs.challenge{value: bond}(job);
        fails(IJobsTypes.AlreadyChallenged.selector, job);
        jobs.challenge{value: bond}(job);
        rule(job, ROOT);
        appealOver();
        fails(IJobsTypes.AlreadyChallenged.selector, job);
        jobs.challenge{value: bond}(job);
        over(job);
    }

    function test_a_challenge_after_the_window_is_too_late() public {
        uint256 job = begin(2, 0);
        answer(job, 2, 0);
        vm.warp(block.timestamp + CHALLENGE_WINDOW + 1);
        uint256 bond = jobs.challengeBond(job);
        vm.deal(address(this), bond);
        fails(IJobsTypes.TooLate.selector, job, jobs.getJob(job).challengeBy);
        jobs.challenge{value: bond}(job);
    }

    function test_without_a_verdict_the_result_stands_and_the_bond_goes_back() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 0);
        challenge(job, DOUBTER);
        pass(1);
        address[] memory who = bench(job);
        for (uint256 i = 0; i < 3; i++) sealVerdict(job, who[i], bytes32(i + 1), 0);
        for (uint256 i = 0; i < 3; i++) revealVerdict(job, who[i], bytes32(i + 1), 0);
        appealOver();
        isState(job, IJobsTypes.State.Agreed);
        same(wealth(DOUBTER), RICH, "bond");
        for (uint256 i = 0; i < 12; i++) untouched(i);
        over(job);
    }

    // ---- judges

    function test_a_judge_who_lies_is_slashed_and_unpaid() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 1);
        rule(job, ROOT, 1, LIE);
        appealOver();
        isState(job, IJobsTypes.State.Settled);
        IDisputes.Seat[] memory seats = disputes.getCase(job).seats;
        same(uint256(seats[0].state), uint256(IDisputes.SeatState.Off), "off");
        same(ownStake(operatorIndex(seats[0].operator)), OWN - DUTY_SLASH, "slashed");
        same(disputes.credit(seats[0].operator), 0, "unpaid");
        same(disputes.credit(seats[1].operator), (RESERVE - 2 * USED * PRICE - SMALL) / 2, "the others");
        over(job);
    }

    function test_a_judge_who_sleeps_is_slashed_a_little_and_replaced() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 1);
        pass(1);
        address[] memory who = bench(job);
        sealVerdict(job, who[0], ROOT, 0);
        sealVerdict(job, who[1], ROOT, 0);
        uint64 deadline = disputes.getCase(job).deadline;
        same(deadline, block.timestamp + DECLINE_WINDOW + JUDGE_FACTOR * LIMIT + GRACE, "time to judge");
        pass(deadline - block.timestamp);
        isPhase(job, IDisputes.Phase.Sealing);
        pass(1);
        isPhase(job, IDisputes.Phase.Drawing);
        same(ownStake(operatorIndex(who[2])), OWN - ABSENT_SLASH, "asleep");
        same(disputes.dutiesOf(who[2]).length, 0, "its duty is over");
        pass(1);
        isPhase(job, IDisputes.Phase.Sealing);
        IDisputes.Seat[] memory seats = disputes.getCase(job).seats;
        same(seats.length, 4, "another");
        same(disputes.dutiesOf(seats[3].operator)[0], job, "its duty");
        sealVerdict(job, seats[3].operator, ROOT, 0);
        isPhase(job, IDisputes.Phase.Revealing);
        revealVerdict(job, who[0], ROOT, 0);
        revealVerdict(job, who[1], ROOT, 0);
        revealVerdict(job, seats[3].operator, ROOT, 0);
        appealOver();
        isState(job, IJobsTypes.State.Settled);
        same(disputes.credit(who[2]), 0, "unpaid");
        over(job);
    }

    function test_a_judge_silent_after_its_seal_pays_like_a_liar() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 1);
        pass(1);
        address[] memory who = bench(job);
        for (uint256 i = 0; i < 3; i++) sealVerdict(job, who[i], ROOT, 0);
        revealVerdict(job, who[0], ROOT, 0);
        revealVerdict(job, who[1], ROOT, 0);
        pass(REVEAL_WINDOW + 1);
        isPhase(job, IDisputes.Phase.Appealable);
        same(ownStake(operatorIndex(who[2])), OWN - DUTY_SLASH, "silent");
        appealOver();
        isState(job, IJobsTypes.State.Settled);
        over(job);
    }

    function test_a_bench_that_never_comes_ends_without_a_verdict() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 1);
        for (uint256 n = 0; n < 3; n++) {
            pass(1);
            pass(disputes.getCase(job).deadline - block.timestamp + 1);
        }
        isPhase(job, IDisputes.Phase.Appealable);
        appealOver();
        isState(job, IJobsTypes.State.Refunded);
        same(jobs.getJob(job).reason, Reasons.REASON_NO_VERDICT, "reason");
        for (uint256 i = 0; i < 3; i++) same(stakeOf(i), 10 ether, "nobody is slashed but the absent");
        same(wealth(renter(0)), priceOf(job), "all back");
        over(job);
    }

    function test_a_judges_key_acts_for_its_operator() public {
        address key = address(0xE1);
        vm.prank(key);
        fails(IDisputes.NotValidator.selector, key);
        disputes.setJudge(address(0xE2));
        vm.prank(operator(0));
        fails(IDisputes.BadJudge.selector, operator(1));
        disputes.setJudge(operator(1));
        for (uint256 i = 0; i < 12; i++) {
            vm.prank(operator(i));
            disputes.setJudge(address(uint160(0xE0000 + i)));
        }
        vm.prank(operator(0));
        fails(IDisputes.JudgeTaken.selector, address(0xE0001));
        disputes.setJudge(address(0xE0001));
        same(disputes.judgeOf(operator(3)), address(0xE0003), "judge");
        same(disputes.operatorOf(address(0xE0003)), operator(3), "operator");
        uint256 job = begin(3, 0);
        answer(job, 3, 1);
        pass(1);
        address who = bench(job)[0];
        address judge = disputes.judgeOf(who);
        yes(disputes.isSeated(job, judge) && disputes.isSeated(job, who) && !disputes.isSeated(job, key), "seated");
        bytes32 c = disputes.commitmentOf(job, 0, who, ROOT, 0, 0, SALT);
        same(c, keccak256(abi.encode(job, uint8(0), who, ROOT, uint8(0), bytes32(0), SALT)), "formula");
        vm.prank(judge);
        disputes.sealVerdict(job, c);
        same(disputes.getCase(job).seats[0].judge, judge, "in the view");
        vm.prank(who);
        disputes.setJudge(address(0));
        same(disputes.judgeOf(who), who, "itself again");
    }

    function test_refuses_verdicts_that_do_not_fit() public {
        uint256 job = begin(3, 0);
        fails(IDisputes.NoCase.selector, job);
        disputes.sealVerdict(job, ROOT);
        answer(job, 3, 1);
        fails(IDisputes.WrongPhase.selector, job, uint256(IDisputes.Phase.Drawing));
        disputes.sealVerdict(job, ROOT);
        pass(1);
        address[] memory who = bench(job);
        fails(IDisputes.NotSeated.selector, job, address(this));
        disputes.sealVerdict(job, ROOT);
        vm.prank(who[0]);
        fails(IDisputes.ZeroCommitment.selector);
        disputes.sealVerdict(job, 0);
        sealVerdict(job, who[0], ROOT, 0);
        vm.prank(who[0]);
        fails(IDisputes.AlreadySealed.selector, job, who[0]);
        disputes.sealVerdict(job, ROOT);
        fails(IDisputes.NothingToExpire.selector, job);
        disputes.expire(job);
        // a copied seal
        bytes32 copied = disputes.getCase(job).seats[0].commitment;
        vm.prank(who[1]);
        disputes.sealVerdict(job, copied);
        sealVerdict(job, who[2], 0, 64);
        revealVerdict(job, who[0], ROOT, 0);
        vm.prank(who[0]);
        fails(IDisputes.AlreadyRevealed.selector, job, who[0]);
        disputes.revealVerdict(job, ROOT, 0, 0, SALT);
        vm.prank(who[1]);
        fails(IDisputes.BadVerdict.selector, job, who[1]);
        disputes.revealVerdict(job, ROOT, 0, 0, SALT);
        vm.prank(who[2]);
        fails(IDisputes.BadVerdict.selector, job, who[2]);
        disputes.revealVerdict(job, 0, 64, 0, SALT);
        uint64 deadline = disputes.getCase(job).deadline;
        vm.warp(deadline + 1);
        vm.prank(who[1]);
        fails(IDisputes.TooLate.selector, job, deadline);
        disputes.revealVerdict(job, ROOT, 0, 0, SALT);
        disputes.expire(job);
        isPhase(job, IDisputes.Phase.Appealable);
    }

    function test_only_jobs_and_disputes_call_each_other() public {
        IDisputes.Opening memory o;
        IJobsTypes.Verdict memory v;
        fails(System.NotAllowed.selector, address(this));
        disputes.open(o);
        fails(System.NotAllowed.selector, address(this));
        disputes.collect();
        fails(System.NotAllowed.selector, address(this));
        jobs.onVerdict(1, v, 0, address(0));
        fails(System.NotAllowed.selector, address(this));
        jobs.onDemand(1, 0, false, address(this));
        fails(System.NotAllowed.selector, address(this));
        jobs.onAnswer(1, 0, true);
        fails(System.NotAllowed.selector, address(this));
        staking.slashDuty(operator(0), 1);
    }

    function test_no_party_judges_its_own_job() public {
        for (uint256 i = 0; i < 9; i++) { // nine of twelve validators are the three providers' keys
            vm.prank(operator(i));
            disputes.setJudge(i < 3 ? owner(i) : i < 6 ? worker(i - 3) : i == 6 ? renter(0) : i == 7 ? DOUBTER : address(0x77));
        }
        uint256 job = begin(3, 0);
        answer(job, 3, 0);
        challenge(job, DOUBTER);
        rule(job, LIE);
        appeal(job, address(0x77));
        pass(1);
        IDisputes.Case memory c = disputes.getCase(job);
        same(c.seats.length, 3, "three are left, who have already judged");
        for (uint256 i = 0; i < 3; i++) yes(operatorIndex(c.seats[i].operator) >= 9, "no party");
    }

    function test_a_duty_slash_is_bounded_and_takes_own_stake_only() public {
        address fan = address(0xFA);
        vm.deal(fan, 500 ether);
        vm.prank(fan);
        staking.delegate{value: 500 ether}(operator(0));
        vm.prank(address(disputes));
        same(staking.slashDuty(operator(0), 1e30), MIN_SELF / 10, "a tenth of the least stake");
        same(staking.delegation(operator(0), fan), 500 ether, "the delegator's");
        same(ownStake(0), OWN - MIN_SELF / 10, "its own");
        for (uint256 i = 0; i < 10; i++) {
            vm.prank(address(disputes));
            staking.slashDuty(operator(0), 1e30);
        }
        same(uint256(staking.validator(operator(0)).status), 2, "below the least stake it is no candidate");
        for (uint256 i = 0; i < 12; i++) {
            vm.prank(address(disputes));
            staking.slashDuty(operator(0), 1e30);
        }
        same(ownStake(0), 0, "to nothing");
        vm.prank(address(disputes));
        same(staking.slashDuty(operator(0), 1e30), 0, "and no further");
        yes(staking.delegation(operator(0), fan) >= 500 ether - 30, "the delegator's");
        owes();
    }

    // ---- appeals

    function test_a_right_appeal_turns_a_bought_verdict() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 1);
        rule(job, LIE, 1, ROOT); // two of three judges are bought
        IDisputes.Seat[] memory first = disputes.seatsOf(job, 0);
        appeal(job, DOUBTER);
        same(uint256(disputes.getCase(job).round), 1, "another round");
        rule(job, ROOT);
        IDisputes.Case memory c = disputes.getCase(job);
        same(uint256(c.phase), uint256(IDisputes.Phase.Closed), "final at once");
        same(c.seats.length, 7, "a larger committee");
        for (uint256 i = 0; i < 7; i++) {
            for (uint256 k = 0; k < 3; k++) yes(c.seats[i].operator != first[k].operator, "of others");
        }
        isState(job, IJobsTypes.State.Settled);
        same(jobs.getJob(job).root, ROOT, "root");
        same(wealth(DOUBTER), RICH, "bond back");
        same(ownStake(operatorIndex(first[1].operator)), OWN - DUTY_SLASH, "bought");
        same(ownStake(operatorIndex(first[2].operator)), OWN - DUTY_SLASH, "bought");
        same(ownStake(operatorIndex(first[0].operator)), OWN, "the honest one");
        yes(disputes.credit(first[0].operator) > 0 && disputes.credit(first[1].operator) == 0, "fees");
        poorer(0);
        same(stakeOf(1), 10 ether, "the honest provider");
        whole(job);
        over(job);
    }

    function test_a_wrong_appeal_pays_the_larger_committee() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 1);
        rule(job, ROOT);
        uint256 zero = address(0).balance;
        appeal(job, DOUBTER);
        uint256 bond = disputes.appealBond(job);
        same(bond, 7 * 2 * PRICE * LIMIT, "bond");
        rule(job, ROOT);
        isState(job, IJobsTypes.State.Settled);
        same(wealth(DOUBTER), RICH - bond, "gone");
        IDisputes.Seat[] memory seats = disputes.getCase(job).seats;
        for (uint256 i = 0; i < 7; i++) same(disputes.credit(seats[i].operator), FEE, "each its fee");
        same(address(0).balance - zero, bond - 7 * FEE, "the rest is burned");
        whole(job);
        over(job);
    }

    function test_an_appeal_without_a_majority_changes_nothing() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 1);
        rule(job, ROOT);
        appeal(job, DOUBTER);
        rule(job, ROOT, 4, bytes32("?")); // four of seven, of one mind but on nothing that was asked
        isState(job, IJobsTypes.State.Settled);
        same(jobs.getJob(job).root, bytes32("?"), "a majority is a majority");
        uint256 other = begin2();
        rule(other, ROOT);
        address another = address(0xDE);
        appeal(other, another);
        pass(1);
        address[] memory who = bench(other);
        for (uint256 i = 0; i < who.length; i++) sealVerdict(other, who[i], i < 2 ? ROOT : bytes32(i), 0);
        for (uint256 i = 0; i < who.length; i++) revealVerdict(other, who[i], i < 2 ? ROOT : bytes32(i), 0);
        same(jobs.getJob(other).root, ROOT, "the first verdict stands");
        same(wealth(another), RICH - disputes.appealBond(other), "the bond is spent");
        over(other);
    }

    function begin2() private returns (uint256 job) {
        IJobsTypes.Spec memory s = specOf(3);
        for (uint256 i = 3; i < 6; i++) {
            register(i, 10 ether);
            offer(i, PRICE, 1);
        }
        s.providers = new address[](3);
        for (uint256 i = 0; i < 3; i++) s.providers[i] = owner(3 + i);
        job = submit(s);
        for (uint256 i = 3; i < 6; i++) seal(job, i, i == 3 ? LIE : ROOT, 0);
        for (uint256 i = 3; i < 6; i++) reveal(job, i, i == 3 ? LIE : ROOT, 0, USED);
    }

    function test_refuses_appeals_that_do_not_fit() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 1);
        vm.deal(address(this), 100 ether);
        fails(IDisputes.NotAppealable.selector, job);
        disputes.appeal{value: 1}(job);
        rule(job, ROOT);
        uint256 bond = disputes.appealBond(job);
        fails(IDisputes.WrongBond.selector, 1, bond);
        disputes.appeal{value: 1}(job);
        disputes.appeal{value: bond}(job);
        fails(IDisputes.NotAppealable.selector, job);
        disputes.appeal{value: bond}(job);
        rule(job, ROOT);
        fails(IDisputes.NotAppealable.selector, job);
        disputes.appeal{value: bond}(job);
        over(job);
    }
}

/// @dev A network of four: an appeal's committee is everybody.
contract SmallBenchTest is DisputesWorld {
    function setUp() public override {
        setUpWorld();
        validators(4);
    }

    function test_in_a_small_set_an_appeal_is_heard_by_all() public {
        uint256 job = begin(3, 0);
        answer(job, 3, 1);
        rule(job, LIE, 1, ROOT);
        appeal(job, DOUBTER);
        pass(1);
        same(disputes.getCase(job).seats.length, 4, "all four");
        rule(job, ROOT, 1, LIE);
        isState(job, IJobsTypes.State.Settled);
        same(jobs.getJob(job).root, ROOT, "three of four");
        over(job);
    }

    function test_an_auditor_and_a_bench_of_three_are_all_there_is() public {
        uint256 job = begin(1, 10_000);
        answer(job, 1, 1);
        drawAudit(job, 10_000, true);
        rule(job, ROOT);
        rule(job, ROOT);
        same(disputes.getCase(job).seats.length, 3, "three");
        appealOver();
        poorer(0);
        over(job);
    }
}

/// @dev One party is renter, challenger, appellant, and some of the providers; it does with them what it likes. Judges are
///      honest. It never ends with more than it put in, and no honest provider with less.
contract CollusionTest is DisputesWorld {
    struct Plot {
        uint256 job;
        uint8 replicas;
        uint256 before;
    }

    mapping(uint256 => bool) private _own;

    function rnd(uint256 seed, uint256 n) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, n)));
    }

    function party(uint8 replicas) private view returns (uint256 sum) {
        sum = wealth(renter(0)) + wealth(DOUBTER);
        for (uint256 i = 0; i < replicas; i++) if (_own[i]) sum += wealth(owner(i));
    }

    function testFuzz_nobody_gains_by_playing_both_sides(uint256 seed) public {
        Plot memory p;
        p.replicas = uint8(1 + rnd(seed, 0) % 4);
        market(p.replicas);
        IJobsTypes.Spec memory s = specOf(p.replicas);
        s.auditBps = uint16(rnd(seed, 1) % 10_001);
        s.providers = new address[](p.replicas);
        for (uint256 i = 0; i < p.replicas; i++) (s.providers[i], _own[i]) = (owner(i), rnd(seed, 10 + i) % 3 != 0);
        vm.deal(DOUBTER, RICH);
        p.before = party(p.replicas) + priceOf(s);
        p.job = submit(s);
        results(p, seed);
        if (stateOf(p.job) == IJobsTypes.State.Auditing) drawAudit(p.job, 5000, seed % 2 == 0);
        judged(p, seed);
        if (stateOf(p.job) == IJobsTypes.State.Agreed) afterwards(p, seed);
        over(p.job);
        yes(party(p.replicas) <= p.before, "the party has no more than before");
        for (uint256 i = 0; i < p.replicas; i++) {
            if (!_own[i]) yes(wealth(owner(i)) >= 10 ether, "no honest provider has less");
        }
    }

    /// @dev The party's providers lie, fail, are silent, or honest.
    function results(Plot memory p, uint256 seed) private {
        for (uint256 i = 0; i < p.replicas; i++) seal(p.job, i, resultOf(i, seed), resultOf(i, seed) == 0 ? 4 : 0);
        for (uint256 i = 0; i < p.replicas; i++) {
            if (_own[i] && rnd(seed, 30 + i) % 6 == 0) continue;
            reveal(p.job, i, resultOf(i, seed), resultOf(i, seed) == 0 ? 4 : 0, uint32(_own[i] ? 1 + rnd(seed, 40 + i) % LIMIT : USED));
        }
        pass(REVEAL_WINDOW + 1);
    }

    function resultOf(uint256 i, uint256 seed) private view returns (bytes32) {
        if (!_own[i] || rnd(seed, 20 + i) % 3 == 0) return ROOT;
        return rnd(seed, 20 + i) % 8 == 1 ? bytes32(0) : LIE;
    }

    function judged(Plot memory p, uint256 seed) private {
        bool appealed = false;
        while (jobs.getJob(p.job).inCase) {
            rule(p.job, ROOT);
            if (phaseOf(p.job) != IDisputes.Phase.Appealable) continue;
            if (!appealed && rnd(seed, 2) % 3 == 0) {
                uint256 bond = disputes.appealBond(p.job);
                vm.prank(DOUBTER);
                disputes.appeal{value: bond}(p.job);
                appealed = true;
            } else {
                appealOver();
            }
        }
    }

    function afterwards(Plot memory p, uint256 seed) private {
        if (jobs.getJob(p.job).challenged || block.timestamp > jobs.getJob(p.job).challengeBy) return;
        if (rnd(seed, 3) % 2 == 0) withhold(p, rnd(seed, 4));
        if (rnd(seed, 5) % 4 == 0 || block.timestamp > jobs.getJob(p.job).challengeBy) return;
        address from = rnd(seed, 6) % 2 == 0 ? DOUBTER : renter(0);
        uint256 bond = jobs.challengeBond(p.job);
        if (jobs.credit(renter(0)) >= bond) jobs.withdrawFor(payable(renter(0)));
        if (from.balance < bond) from = DOUBTER;
        vm.prank(from);
        try jobs.challenge{value: bond}(p.job) {
            judged(p, seed);
        } catch {}
    }

    /// @dev The party asks one of its own for data, and does not answer.
    function withhold(Plot memory p, uint256 x) private {
        uint8 i = uint8(x % p.replicas);
        if (!_own[i] || jobs.getReplicas(p.job)[i].reserved == 0 || renter(0).balance < DEMAND_BOND) return;
        vm.prank(renter(0));
        custody.demand{value: DEMAND_BOND}(p.job, i, ICustody.Kind.Bundle, 0);
        pass(ANSWER_WINDOW + 1);
    }
}
