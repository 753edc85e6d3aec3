// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {World, IJobs, IJobsTypes, IProviders, Reasons, System} from "./World.sol";

contract ProvidersTest is World {
    function setUp() public {
        setUpWorld();
    }

    function reg(string memory endpoint, bytes32 key, string memory region, address hot, uint256 value) private {
        vm.deal(owner(0), value);
        vm.prank(owner(0));
        providers.register{value: value}(endpoint, key, region, hot);
    }

    function long(uint256 length) private pure returns (string memory) {
        return string(new bytes(length));
    }

    function test_registers_with_stake_and_shows_what_it_was_told() public {
        register(0, 3 ether);
        IProviders.Provider memory p = providers.provider(owner(0));
        same(uint256(p.status), uint256(IProviders.Status.Active), "status");
        same(p.worker, worker(0), "worker");
        same(p.stake, 3 ether, "stake");
        same(keccak256(bytes(p.region)), keccak256("here"), "region");
        same(providers.providerOf(worker(0)), owner(0), "worker's provider");
        same(providers.providerCount(), 1, "count");
        same(providers.stakeFactor(), FACTOR, "factor");
        same(providers.minStake(), MIN_STAKE, "minimum");
        owes();
    }

    function test_refuses_a_bad_registration() public {
        fails(IProviders.StakeTooSmall.selector, MIN_STAKE - 1, MIN_STAKE);
        reg("a:1", ROOT, "", worker(0), MIN_STAKE - 1);
        fails(IProviders.BadEndpoint.selector, 0);
        reg("", ROOT, "", worker(0), MIN_STAKE);
        fails(IProviders.BadEndpoint.selector, 129);
        reg(long(129), ROOT, "", worker(0), MIN_STAKE);
        fails(IProviders.BadRegion.selector, 33);
        reg("a:1", ROOT, long(33), worker(0), MIN_STAKE);
        fails(IProviders.BadTlsKeyHash.selector);
        reg("a:1", 0, "", worker(0), MIN_STAKE);
        fails(IProviders.BadWorker.selector, address(0));
        reg("a:1", ROOT, "", address(0), MIN_STAKE);
        register(1, MIN_STAKE);
        fails(IProviders.WorkerTaken.selector, worker(1));
        reg("a:1", ROOT, "", worker(1), MIN_STAKE);
        reg("a:1", ROOT, "", worker(0), MIN_STAKE);
        fails(IProviders.AlreadyRegistered.selector, owner(0));
        reg("a:1", ROOT, "", worker(2), MIN_STAKE);
        owes();
    }

    function test_changes_endpoint_and_worker() public {
        register(0, MIN_STAKE);
        vm.prank(owner(0));
        providers.setEndpoint("b:2", SALT, "there");
        same(keccak256(bytes(providers.provider(owner(0)).endpoint)), keccak256("b:2"), "endpoint");
        vm.prank(owner(0));
        providers.setWorker(worker(5));
        same(providers.providerOf(worker(0)), address(0), "old worker");
        same(providers.providerOf(worker(5)), owner(0), "new worker");
        fails(IProviders.NotRegistered.selector, address(this));
        providers.setWorker(worker(6));
        fails(IProviders.NotRegistered.selector, address(this));
        providers.setEndpoint("b:2", SALT, "there");
    }

    function test_refuses_a_bad_gpu() public {
        fails(IProviders.NotRegistered.selector, address(this));
        providers.setGpu(0, "cpu", 0, 1, 0, 1);
        register(0, MIN_STAKE);
        gpuFails(1, "cpu", 1, 1, abi.encodeWithSelector(IProviders.BadIndex.selector, 1));
        gpuFails(0, "", 1, 1, abi.encodeWithSelector(IProviders.BadModel.selector, 0));
        gpuFails(0, long(65), 1, 1, abi.encodeWithSelector(IProviders.BadModel.selector, 65));
        gpuFails(0, "cpu", 17, 1, abi.encodeWithSelector(IProviders.BadCount.selector, 17, 0));
        gpuFails(0, "cpu", 1, 0, abi.encodeWithSelector(IProviders.BadRuntimes.selector, 0));
        gpuFails(0, "cpu", 1, 8, abi.encodeWithSelector(IProviders.BadRuntimes.selector, 8));
        for (uint8 i = 0; i < 8; i++) {
            vm.prank(owner(0));
            providers.setGpu(i, "cpu", 0, 1, 0, 1);
        }
        gpuFails(8, "cpu", 1, 1, abi.encodeWithSelector(IProviders.BadIndex.selector, 8));
    }

    function gpuFails(uint8 index, string memory model, uint16 count, uint8 runtimes, bytes memory why) private {
        vm.prank(owner(0));
        vm.expectRevert(why);
        providers.setGpu(index, model, 0, count, 0, runtimes);
    }

    function test_a_gpu_cannot_shrink_below_what_runs() public {
        register(0, 10 ether);
        offer(0, PRICE, 2);
        submit(specOf(1));
        submit(specOf(1));
        gpuFails(0, "cpu", 1, 1, abi.encodeWithSelector(IProviders.BadCount.selector, 1, 2));
    }

    function test_refuses_a_bad_offer() public {
        register(0, MIN_STAKE);
        offerFails(0, 1, 1, 1, abi.encodeWithSelector(IProviders.BadIndex.selector, 0));
        offer(0, PRICE, 1);
        offerFails(0, 0, 1, 1, abi.encodeWithSelector(IProviders.BadPrice.selector, 0));
        offerFails(0, 1 << 96, 1, 1, abi.encodeWithSelector(IProviders.BadPrice.selector, 1 << 96));
        offerFails(0, 1, 0, 0, abi.encodeWithSelector(IProviders.BadSeconds.selector, 0, 0));
        offerFails(0, 1, 2, 1, abi.encodeWithSelector(IProviders.BadSeconds.selector, 2, 1));
    }

    function offerFails(uint8 index, uint256 price, uint32 low, uint32 high, bytes memory why) private {
        vm.prank(owner(0));
        vm.expectRevert(why);
        providers.setOffer(index, price, low, high, true);
    }

    function test_takes_no_work_beyond_its_free_stake() public {
        uint256 risk = FACTOR * PRICE * LIMIT;
        register(0, MIN_STAKE);
        vm.prank(owner(0));
        providers.setGpu(0, "cpu", 0, 16, 0, 1);
        uint256 price = MIN_STAKE / (FACTOR * LIMIT * 2); // two fit
        vm.prank(owner(0));
        providers.setOffer(0, price, 1, 3600, true);
        IJobsTypes.Spec memory s = specOf(1);
        s.maxPricePerSecond = price;
        isState(submit(s), IJobsTypes.State.Running);
        isState(submit(s), IJobsTypes.State.Running);
        uint256 third = submit(s);
        isState(third, IJobsTypes.State.Open);
        vm.deal(owner(0), 1 ether);
        vm.prank(owner(0));
        providers.addStake{value: 1 ether}();
        tick();
        isState(third, IJobsTypes.State.Running);
        yes(risk > 0, "risk");
        owes();
    }

    function test_picks_the_cheapest_offer_that_fits() public {
        register(0, 10 ether);
        offer(0, 2 * PRICE, 1);
        vm.prank(owner(0));
        providers.setGpu(1, "cpu", 1024, 1, 0, 1);
        vm.prank(owner(0));
        providers.setOffer(1, PRICE, 1, 3600, true);
        uint256 job = submit(specOf(1));
        same(jobs.getReplicas(job)[0].gpuIndex, 1, "the cheaper");
        same(jobs.getReplicas(submit(specOf(1)))[0].gpuIndex, 0, "then the other");
    }

    function test_leaves_after_unbonding_by_itself() public {
        register(0, 3 ether);
        offer(0, PRICE, 1);
        vm.prank(owner(0));
        providers.unregister();
        same(providers.totalDrawWeight(), 0, "no more draws");
        isState(submit(specOf(1)), IJobsTypes.State.Open);
        fails(IProviders.NotMature.selector, START + LEAVING);
        providers.complete(owner(0));
        vm.prank(owner(0));
        fails(IProviders.NotActive.selector, owner(0));
        providers.unregister();
        vm.prank(owner(0));
        fails(IProviders.NotActive.selector, owner(0));
        providers.addStake();
        pass(LEAVING);
        same(providers.credit(owner(0)), 3 ether, "stake back");
        same(uint256(providers.provider(owner(0)).status), uint256(IProviders.Status.None), "gone");
        same(providers.providerOf(worker(0)), address(0), "worker free");
        vm.prank(owner(0));
        providers.withdraw();
        same(owner(0).balance, 3 ether, "paid");
        fails(IProviders.NotRegistered.selector, owner(0));
        providers.complete(owner(0));
        owes();
    }

    function test_cannot_leave_while_work_runs_and_then_leaves_at_once() public {
        register(0, 3 ether);
        offer(0, PRICE, 1);
        uint256 job = submit(specOf(1));
        fails(IProviders.NotLeaving.selector, owner(0));
        providers.complete(owner(0));
        vm.prank(owner(0));
        providers.unregister();
        pass(LEAVING);
        fails(IProviders.StillBusy.selector, FACTOR * PRICE * LIMIT);
        providers.complete(owner(0));
        seal(job, 0, ROOT, 0);
        reveal(job, 0, ROOT, 0, 1);
        noAudit(job);
        same(providers.credit(owner(0)), 0, "it may still be challenged");
        pass(CHALLENGE_WINDOW + 1);
        same(providers.credit(owner(0)), 3 ether, "stake back when the last job's time is over");
        same(jobs.credit(owner(0)), PRICE, "and paid");
        owes();
    }

    function test_a_slot_is_used_again_and_the_record_stays() public {
        register(0, 10 ether);
        offer(0, PRICE, 1);
        uint256 job = submit(specOf(1));
        seal(job, 0, ROOT, 0);
        reveal(job, 0, ROOT, 0, 1);
        noAudit(job);
        vm.prank(owner(0));
        providers.unregister();
        pass(LEAVING);
        register(1, 10 ether);
        offer(1, PRICE, 1);
        same(providers.providerCount(), 1, "one");
        register(0, 10 ether);
        same(providers.provider(owner(0)).record.agreed, 1, "record");
        same(providers.provider(owner(0)).gpus, 0, "but no GPUs");
        isState(submit(specOf(1)), IJobsTypes.State.Running);
    }

    function test_below_the_minimum_stake_no_work_comes() public {
        register(0, MIN_STAKE);
        offer(0, PRICE, 1);
        uint256 job = submit(specOf(1));
        pass(DECLINE_WINDOW + LIMIT + GRACE + 1); // times out
        yes(providers.provider(owner(0)).stake < MIN_STAKE, "slashed");
        same(providers.drawWeight(owner(0)), 0, "no weight");
        isState(job, IJobsTypes.State.Running);
        isState(submit(specOf(1)), IJobsTypes.State.Open);
    }

    function test_pages_through_open_offers_only() public {
        for (uint256 i = 0; i < 5; i++) {
            register(i, 10 ether);
            offer(i, PRICE + i, 2);
        }
        vm.prank(owner(1));
        providers.setOffer(0, PRICE, 1, 3600, false);
        vm.prank(owner(2));
        providers.unregister();
        (IProviders.Offer[] memory page, uint256 next) = providers.offers(0, 2);
        same(page.length, 2, "first page");
        same(page[0].provider, owner(0), "0");
        same(page[1].provider, owner(3), "3");
        same(page[1].gpu.pricePerSecond, PRICE + 3, "price");
        same(page[1].freeStake, 10 ether, "free stake");
        yes(next != 0, "more");
        (page, next) = providers.offers(next, 2);
        same(page.length, 1, "last page");
        same(page[0].provider, owner(4), "4");
        same(next, 0, "end");
        fails(IProviders.BadLimit.selector, 0);
        providers.offers(0, 0);
        fails(IProviders.BadLimit.selector, 101);
        providers.offers(0, 101);
    }

    function test_only_jobs_moves_stake() public {
        IProviders.Need memory need;
        fails(System.NotAllowed.selector, address(this));
        providers.assign(need, new address[](0), new address[](0), 1, true, 0);
        IProviders.Finish memory f;
        fails(System.NotAllowed.selector, address(this));
        providers.finish(f);
    }
}
