// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICustody} from "../src/interfaces/ICustody.sol";
import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {IJobs, IJobsTypes, Reasons} from "../src/interfaces/IJobs.sol";
import {IProviders} from "../src/interfaces/IProviders.sol";
import {IScheduler} from "../src/interfaces/IScheduler.sol";
import {IStaking} from "../src/interfaces/IStaking.sol";
import {System} from "../src/System.sol";
import {Test} from "./Cheats.sol";

/// @dev The four contracts at their addresses, from the code that ships, initialized as genesis does.
abstract contract World is Test {
    address internal constant SYSTEM = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE;
    IStaking internal constant staking = IStaking(0x0000000000000000000000000000000000001001);
    IProviders internal constant providers = IProviders(0x0000000000000000000000000000000000001002);
    IJobs internal constant jobs = IJobs(0x0000000000000000000000000000000000001003);
    IDisputes internal constant disputes = IDisputes(0x0000000000000000000000000000000000001006);
    ICustody internal constant custody = ICustody(0x0000000000000000000000000000000000001007);
    IScheduler internal constant scheduler = IScheduler(0x0000000000000000000000000000000000001005);

    uint256 internal constant START = 1_750_000_000;
    uint256 internal constant MIN_SELF = 100 ether;
    uint256 internal constant UNBONDING = 3600;
    uint256 internal constant EVIDENCE = 3000;
    uint256 internal constant JAIL = 60;
    uint256 internal constant MIN_STAKE = 1 ether;
    uint256 internal constant FACTOR = 2;
    uint256 internal constant LEAVING = 60;
    uint256 internal constant DECLINE_WINDOW = 30;
    uint256 internal constant GRACE = 20;
    uint256 internal constant REVEAL_WINDOW = 25;
    uint256 internal constant MAX_START = 3600;
    uint256 internal constant MAX_SECONDS = 86400;
    uint256 internal constant TIMEOUT_BPS = 1000;
    uint256 internal constant FLOOR_BPS = 500;
    uint256 internal constant NEWCOMER_BPS = 5000;
    uint256 internal constant CHALLENGE_WINDOW = 40;
    uint256 internal constant OBJECTION_WINDOW = 45;
    uint256 internal constant OBJECTION_BPS = 5000;
    uint256 internal constant REWARD_BPS = 2500;
    uint256 internal constant JUDGE_FACTOR = 3;
    uint256 internal constant SEATS = 3;
    uint256 internal constant APPEAL_WINDOW = 35;
    uint256 internal constant ABSENT_SLASH = 0.1 ether;
    uint256 internal constant DUTY_SLASH = 1 ether;
    uint256 internal constant ANSWER_WINDOW = 30;
    uint256 internal constant DEMAND_BOND = 0.01 ether;

    uint256 internal constant PRICE = 1e12;
    uint32 internal constant LIMIT = 60;
    bytes32 internal constant ROOT = keccak256("root");
    bytes32 internal constant SALT = keccak256("salt");

    function setUpWorld() internal {
        vm.warp(START);
        vm.roll(0);
        vm.prevrandao(keccak256("randomness"));
        vm.deal(SYSTEM, 1e30);
        place(address(staking), "Staking");
        place(address(providers), "Providers");
        place(address(jobs), "Jobs");
        place(address(scheduler), "Scheduler");
        place(address(disputes), "Disputes");
        place(address(custody), "Custody");
        place(0x0000000000000000000000000000000000001008, "JobsCourt");
        bySystem(address(staking), initStaking());
        bySystem(address(providers), initProviders());
        bySystem(address(jobs), initJobs());
        bySystem(address(scheduler), initScheduler());
        bySystem(address(disputes), initDisputes());
        bySystem(address(custody), initCustody());
        vm.roll(1);
    }

    function initStaking() internal pure returns (bytes memory) {
        return abi.encodeWithSignature(
            "initialize(uint256,uint256,uint256,uint256,uint256,uint256,uint256)",
            MIN_SELF, UNBONDING, EVIDENCE, JAIL, 5000, 10, 500
        );
    }

    function initProviders() internal pure returns (bytes memory) {
        return abi.encodeWithSignature("initialize(uint256,uint256,uint256)", MIN_STAKE, FACTOR, LEAVING);
    }

    function initJobs() internal pure returns (bytes memory) {
        return abi.encodeWithSignature(
            "initialize(uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256)",
            DECLINE_WINDOW, GRACE, REVEAL_WINDOW, MAX_START, MAX_SECONDS, TIMEOUT_BPS, FLOOR_BPS, NEWCOMER_BPS,
            CHALLENGE_WINDOW, OBJECTION_WINDOW, OBJECTION_BPS, REWARD_BPS
        );
    }

    function initDisputes() internal pure virtual returns (bytes memory) {
        return abi.encodeWithSignature(
            "initialize(uint256,uint256,uint256,uint256,uint256)",
            JUDGE_FACTOR, SEATS, APPEAL_WINDOW, ABSENT_SLASH, DUTY_SLASH
        );
    }

    function initCustody() internal pure returns (bytes memory) {
        return abi.encodeWithSignature("initialize(uint256,uint256)", ANSWER_WINDOW, DEMAND_BOND);
    }

    function initScheduler() internal pure returns (bytes memory) {
        return abi.encodeWithSignature("initialize(uint256,uint256)", 4_000_000, 16);
    }

    function place(address target, string memory name) internal {
        vm.etch(target, vm.parseBytes(vm.trim(vm.readFile(string.concat("artifacts/", name, ".runtime.hex")))));
    }

    function bySystem(address target, bytes memory data) internal {
        vm.prank(SYSTEM);
        (bool ok,) = target.call(data);
        yes(ok, "system call");
    }

    /// @dev A block's end, as the protocol runs it: from the system, with its gas limit.
    function tick() internal {
        vm.prank(SYSTEM);
        scheduler.tick{gas: 30_000_000}();
    }

    function pass(uint256 seconds_) internal {
        vm.warp(block.timestamp + seconds_);
        tick();
    }

    function owes() internal view {
        same(address(staking).balance, staking.liabilities(), "Staking: balance == liabilities");
        same(address(providers).balance, providers.liabilities(), "Providers: balance == liabilities");
        same(address(jobs).balance, jobs.liabilities(), "Jobs: balance == liabilities");
        same(address(disputes).balance, disputes.liabilities(), "Disputes: balance == liabilities");
        same(address(custody).balance, custody.liabilities(), "Custody: balance == liabilities");
        same(address(scheduler).balance, scheduler.liabilities(), "Scheduler: balance == liabilities");
    }

    // ---- a market

    function owner(uint256 i) internal pure returns (address) {
        return address(uint160(0xA0000 + i));
    }

    function worker(uint256 i) internal pure returns (address) {
        return address(uint160(0xB0000 + i));
    }

    function renter(uint256 i) internal pure returns (address) {
        return address(uint160(0xC0000 + i));
    }

    function register(uint256 i, uint256 stake) internal {
        vm.deal(owner(i), owner(i).balance + stake);
        vm.prank(owner(i));
        providers.register{value: stake}("127.0.0.1:9000", bytes32(uint256(i + 1)), "here", worker(i));
    }

    function offer(uint256 i, uint256 price, uint16 count) internal {
        vm.prank(owner(i));
        providers.setGpu(0, "cpu", 1024, count, 0, 1);
        vm.prank(owner(i));
        providers.setOffer(0, price, 1, 3600, true);
    }

    function market(uint256 count) internal {
        for (uint256 i = 0; i < count; i++) {
            register(i, 10 ether);
            offer(i, PRICE, 1);
        }
    }

    function specOf(uint8 replicas) internal pure returns (IJobsTypes.Spec memory s) {
        s.bundleRoot = keccak256("bundle");
        s.bundleSize = 4096;
        s.replicas = replicas;
        s.secondsLimit = LIMIT;
        s.startWindow = 100;
        s.maxPricePerSecond = 2 * PRICE;
    }

    function priceOf(IJobsTypes.Spec memory s) internal pure returns (uint256) {
        uint256 auditor = s.runtime == 0 && (s.replicas == 1 || s.auditBps != 0) ? 1 : 0;
        return s.maxPricePerSecond * (s.replicas + auditor) * s.secondsLimit;
    }

    function submit(IJobsTypes.Spec memory s) internal returns (uint256) {
        vm.deal(renter(0), priceOf(s));
        vm.prank(renter(0));
        return jobs.submit{value: priceOf(s)}(s);
    }

    function stateOf(uint256 job) internal view returns (IJobsTypes.State) {
        return jobs.getJob(job).state;
    }

    function isState(uint256 job, IJobsTypes.State state) internal view {
        same(uint256(stateOf(job)), uint256(state), "job state");
    }

    function indexOf(address provider) internal pure returns (uint256) {
        return uint160(provider) - 0xA0000;
    }

    /// @dev The provider (by number) that holds a replica.
    function holder(uint256 job, uint256 replica) internal view returns (uint256) {
        return indexOf(jobs.getReplicas(job)[replica].provider);
    }

    function seal(uint256 job, uint256 i, bytes32 root, uint8 exitReason) internal {
        bytes32 c = keccak256(abi.encode(job, owner(i), root, exitReason, bytes32(0), SALT));
        vm.prank(worker(i));
        jobs.seal(job, c);
    }

    function reveal(uint256 job, uint256 i, bytes32 root, uint8 exitReason, uint32 used) internal {
        vm.prank(worker(i));
        jobs.reveal(job, root, exitReason, 0, root == 0 ? 0 : 4096, used, SALT);
    }

    // ---- validators, who judge

    uint256 internal constant OWN = 200 ether;

    function operator(uint256 i) internal pure returns (address) {
        return address(uint160(0xD0000 + i));
    }

    function operatorIndex(address a) internal pure returns (uint256) {
        return uint160(a) - 0xD0000;
    }

    /// @dev At genesis, each with the same stake.
    function validators(uint256 count) internal {
        uint256 number = block.number;
        vm.roll(0);
        for (uint256 i = 0; i < count; i++) {
            vm.prank(SYSTEM);
            staking.genesisValidator{value: OWN}(operator(i), address(uint160(0xF0000 + i)), bytes32(i + 1), 0);
        }
        vm.roll(number);
    }

    function ownStake(uint256 i) internal view returns (uint256) {
        return staking.validator(operator(i)).selfStake;
    }

    /// @dev The next block's end, with the draw of job's audit coming out as wanted.
    function drawAudit(uint256 job, uint256 rate, bool drawn) internal {
        for (uint256 n = 0;; n++) {
            bytes32 value = keccak256(abi.encode("draw", job, n));
            if ((uint256(keccak256(abi.encode(value, job, uint8(3)))) % 10_000 < rate) != drawn) continue;
            vm.prevrandao(value);
            break;
        }
        pass(1);
    }

    function noAudit(uint256 job) internal {
        drawAudit(job, jobs.getReplicas(job)[0].auditBps, false);
    }

    function phaseOf(uint256 job) internal view returns (IDisputes.Phase) {
        return disputes.getCase(job).phase;
    }

    function isPhase(uint256 job, IDisputes.Phase phase) internal view {
        same(uint256(phaseOf(job)), uint256(phase), "phase");
    }

    function sealVerdict(uint256 job, address who, bytes32 root, uint8 exitReason) internal {
        uint8 round = disputes.getCase(job).round;
        vm.prank(who);
        disputes.sealVerdict(job, keccak256(abi.encode(job, round, who, root, exitReason, bytes32(0), SALT)));
    }

    function revealVerdict(uint256 job, address who, bytes32 root, uint8 exitReason) internal {
        vm.prank(who);
        disputes.revealVerdict(job, root, exitReason, 0, SALT);
    }

    /// @dev The operators that have something to do in the case.
    function bench(uint256 job) internal view returns (address[] memory list) {
        IDisputes.Seat[] memory seats = disputes.getCase(job).seats;
        list = new address[](seats.length);
        uint256 count = 0;
        for (uint256 i = 0; i < seats.length; i++) {
            if (seats[i].state == IDisputes.SeatState.Seated || seats[i].state == IDisputes.SeatState.Sealed) {
                list[count++] = seats[i].operator;
            }
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }

    /// @dev The seats are drawn, and all but the first `liars` of them say root; those say other.
    function rule(uint256 job, bytes32 root, uint256 liars, bytes32 other) internal {
        if (phaseOf(job) == IDisputes.Phase.Drawing) pass(1);
        address[] memory who = bench(job);
        for (uint256 i = 0; i < who.length; i++) sealVerdict(job, who[i], i < liars ? other : root, 0);
        for (uint256 i = 0; i < who.length; i++) revealVerdict(job, who[i], i < liars ? other : root, 0);
    }

    function rule(uint256 job, bytes32 root) internal {
        rule(job, root, 0, 0);
    }

    function appealOver() internal {
        pass(APPEAL_WINDOW + 1);
    }
}
