// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {World, IJobs, IJobsTypes, IScheduler, System} from "./World.sol";
import {IScheduled} from "../src/interfaces/IScheduler.sol";

/// @dev Stands at the address of Staking, which files nothing itself yet.
contract Recorder is IScheduled {
    uint256[100] private below; // what Staking's own genesis left there
    uint256[] public seen;
    uint256 public again;

    function onSchedule(uint8 kind, uint256 id) external {
        if (kind == 2) revert("broken");
        if (kind == 3) while (true) seen.push(id);
        if (kind == 4) {
            again++;
            IScheduler(msg.sender).schedule(4, id, 0);
        }
        seen.push(id);
    }

    function count() external view returns (uint256) {
        return seen.length;
    }
}

contract SchedulerTest is World {
    Recorder private constant recorder = Recorder(address(staking));

    event ItemDropped(address indexed target, uint8 kind, uint256 indexed id);

    function setUp() public {
        setUpWorld();
        vm.etch(address(staking), address(new Recorder()).code);
    }

    function file(uint8 kind, uint256 id, uint256 time) private {
        vm.prank(address(recorder));
        scheduler.schedule(kind, id, uint64(time));
    }

    function test_only_the_contracts_file_and_only_the_system_ticks() public {
        fails(System.NotAllowed.selector, address(this));
        scheduler.schedule(1, 1, 1);
        fails(System.NotAllowed.selector, address(this));
        scheduler.tick();
        vm.prank(address(recorder));
        fails(IScheduler.BadId.selector, 1 << 88);
        scheduler.schedule(1, 1 << 88, 1);
    }

    function test_runs_items_in_the_order_of_time_and_of_filing_and_once() public {
        file(1, 30, START + 3);
        file(1, 10, START + 1);
        file(1, 11, START + 1);
        file(1, 20, START + 2);
        tick();
        same(recorder.count(), 0, "not yet");
        same(scheduler.pendingAt(uint64(START + 1)), 2, "two then");
        same(scheduler.pending(), 4, "four in all");
        pass(2);
        same(recorder.count(), 3, "three due");
        same(recorder.seen(0), 10, "first");
        same(recorder.seen(1), 11, "second");
        same(recorder.seen(2), 20, "third");
        pass(1);
        pass(10);
        same(recorder.count(), 4, "each once");
        same(scheduler.pending(), 0, "nothing left");
    }

    function test_the_past_means_as_soon_as_possible() public {
        pass(50);
        file(1, 5, START + 1);
        tick();
        same(recorder.count(), 1, "ran");
    }

    function test_items_of_this_second_run_in_this_or_the_next_block_of_it() public {
        file(1, 1, START);
        tick();
        file(1, 2, START);
        tick();
        same(recorder.count(), 2, "both");
    }

    function test_an_item_that_fails_is_dropped_and_blocks_nobody() public {
        file(2, 7, START);
        file(1, 8, START);
        vm.expectEmit(true, true, false, true, address(scheduler));
        emit ItemDropped(address(recorder), 2, 7);
        tick();
        same(recorder.count(), 1, "the next ran");
        tick();
        same(scheduler.pending(), 0, "dropped");
    }

    function test_an_item_that_eats_all_gas_eats_its_own_only() public {
        for (uint256 i = 0; i < 20; i++) file(3, i, START);
        file(1, 99, START);
        for (uint256 i = 0; i < 4; i++) tick();
        same(recorder.count(), 1, "the last ran");
        same(recorder.seen(0), 99, "it");
    }

    function test_a_block_runs_a_bounded_number_of_items() public {
        for (uint256 i = 0; i < 40; i++) file(1, i, START);
        tick();
        same(recorder.count(), 16, "itemsPerTick");
        tick();
        same(recorder.count(), 32, "twice");
        pass(1);
        same(recorder.count(), 40, "all");
        for (uint256 i = 0; i < 40; i++) same(recorder.seen(i), i, "in order");
    }

    function test_an_item_that_files_itself_again_cannot_hold_the_block() public {
        file(4, 1, START);
        tick();
        same(recorder.again(), 16, "bounded");
        same(scheduler.pending(), 1, "one goes on");
    }

    function test_catches_up_after_a_long_halt() public {
        file(1, 1, START + 5000);
        vm.warp(START + 6000);
        for (uint256 i = 0; i < 4; i++) tick();
        same(recorder.count(), 0, "not reached");
        for (uint256 i = 0; i < 2; i++) tick();
        same(recorder.count(), 1, "reached");
        same(scheduler.cursor(), START + 6000, "cursor at now");
    }

    /// @dev The worst tick that the contracts can be given stays below the system call's gas.
    function test_a_tick_with_the_longest_halt_stays_within_the_system_gas() public {
        vm.warp(START + 1_000_000);
        uint256 before = gasleft();
        tick();
        yes(before - gasleft() < 10_000_000, "a thousand empty seconds");
    }
}

/// @dev The heaviest things that the Scheduler is given, against the gas of one item on the devnet.
contract ItemGasTest is World {
    uint256 private constant ITEM_GAS = 4_000_000;

    function setUp() public {
        setUpWorld();
        market(130);
    }

    function gasOfTick() private returns (uint256) {
        uint256 before = gasleft();
        tick();
        return before - gasleft();
    }

    function test_seven_late_replicas_and_their_replacements_fit() public {
        uint256 job = submit(specOf(7));
        vm.warp(block.timestamp + DECLINE_WINDOW + LIMIT + GRACE + 1);
        uint256 used = gasOfTick();
        for (uint256 i = 0; i < 7; i++) {
            same(uint256(jobs.getReplicas(job)[i].state), uint256(IJobsTypes.ReplicaState.Assigned), "replaced");
        }
        same(jobs.getJob(job).compensated, 7 * FACTOR * PRICE * LIMIT * TIMEOUT_BPS / 10_000, "seven small penalties");
        yes(used < ITEM_GAS * 3 / 4, string.concat("gas ", vm.toString(used)));
        owes();
    }

    function test_a_settlement_with_seven_faults_fits() public {
        uint256 job = submit(specOf(7));
        for (uint256 i = 0; i < 7; i++) seal(job, holder(job, i), ROOT, 0);
        vm.warp(block.timestamp + REVEAL_WINDOW + 1);
        uint256 used = gasOfTick();
        isState(job, IJobsTypes.State.Refunded);
        yes(used < ITEM_GAS / 2, string.concat("gas ", vm.toString(used)));
        owes();
    }
}

contract GenesisTest is World {
    function setUp() public {
        setUpWorld();
    }

    function test_initialize_happens_once_at_genesis_by_the_system() public {
        address[4] memory targets = [address(staking), address(providers), address(jobs), address(scheduler)];
        bytes[4] memory calls = [initStaking(), initProviders(), initJobs(), initScheduler()];
        for (uint256 i = 0; i < 4; i++) {
            vm.roll(1);
            refused(SYSTEM, targets[i], calls[i], abi.encodeWithSelector(System.NotAllowed.selector, SYSTEM));
            vm.roll(0);
            refused(SYSTEM, targets[i], calls[i], abi.encodeWithSelector(System.AlreadyInitialized.selector));
            refused(address(this), targets[i], calls[i], abi.encodeWithSelector(System.NotAllowed.selector, address(this)));
        }
    }

    bytes4 private constant TWELVE = bytes4(
        keccak256(
            "initialize(uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256)"
        )
    );

    function test_initialize_refuses_parameters_that_cannot_work() public {
        vm.roll(0);
        bytes memory bad = abi.encodeWithSelector(System.BadParameters.selector);
        string memory seven = "initialize(uint256,uint256,uint256,uint256,uint256,uint256,uint256)";
        address fresh = address(0x9999);
        place(fresh, "Staking");
        refused(SYSTEM, fresh, abi.encodeWithSignature(seven, 1, 10, 5, 0, 0, 0, 0), bad);
        refused(SYSTEM, fresh, abi.encodeWithSignature(seven, 1e9, 10, 10, 0, 0, 0, 0), bad);
        refused(SYSTEM, fresh, abi.encodeWithSignature(seven, 1e9, 10, 0, 0, 0, 0, 0), bad);
        refused(SYSTEM, fresh, abi.encodeWithSignature(seven, 1e9, 10, 5, 0, 10001, 0, 0), bad);
        refused(SYSTEM, fresh, abi.encodeWithSignature(seven, 1e9, 10, 5, 0, 0, 0, 10001), bad);
        place(fresh, "Providers");
        refused(SYSTEM, fresh, abi.encodeWithSignature("initialize(uint256,uint256,uint256)", 1, 0, 1), bad);
        place(fresh, "Jobs");
        uint256[12] memory good = [uint256(1), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
        uint256[12] memory over =
            [uint256(0), 0, 0, 366 days, 0, 10001, 10001, 10001, 0, 0, 10001, 5001];
        for (uint256 i = 0; i < 12; i++) {
            uint256 kept = good[i];
            good[i] = over[i];
            refused(SYSTEM, fresh, abi.encodePacked(TWELVE, abi.encode(good)), bad);
            good[i] = kept;
        }
        place(fresh, "Scheduler");
        refused(SYSTEM, fresh, abi.encodeWithSignature("initialize(uint256,uint256)", 1, 1), bad);
        refused(SYSTEM, fresh, abi.encodeWithSignature("initialize(uint256,uint256)", 4_000_000, 0), bad);
    }

    function test_callbacks_are_the_schedulers_alone() public {
        fails(System.NotAllowed.selector, address(this));
        IScheduled(address(jobs)).onSchedule(1, 1);
        fails(System.NotAllowed.selector, address(this));
        IScheduled(address(providers)).onSchedule(1, 1);
    }

    function refused(address from, address target, bytes memory data, bytes memory why) private {
        vm.prank(from);
        (bool ok, bytes memory answer) = target.call(data);
        yes(!ok, "refused");
        same(keccak256(answer), keccak256(why), "for this reason");
    }
}
