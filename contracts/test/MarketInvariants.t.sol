// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {World, ICustody, IDisputes, IJobs, IJobsTypes, IProviders, IScheduler, Reasons} from "./World.sol";
import {IPull} from "../src/interfaces/IPull.sol";
import {Vm} from "./Cheats.sol";

/// @dev Plays renters, providers (honest, lying, silent, slow), judges (likewise), challengers and the protocol, in any order.
contract MarketHandler is World {
    uint256 public constant PEOPLE = 8;
    uint256 public constant JUDGES = 6;
    address public constant DOUBTER = address(0xDD0);
    bytes private constant BUNDLE = "data";
    uint256 public cases;
    uint256 public calls;
    uint256 public submitted;
    uint256 public revealed;
    uint8 private immutable _replicasMax;
    uint256 private immutable _liars; // of 8
    mapping(uint256 => mapping(address => bytes32)) private _answers;

    error Dropped(uint8 kind, uint256 id);

    constructor(uint8 replicasMax, uint256 liars) {
        (_replicasMax, _liars) = (replicasMax, liars);
    }

    function active(uint256 i) private view returns (bool) {
        return providers.provider(owner(i)).status == IProviders.Status.Active;
    }

    // ---- providers

    function enter(uint256 who, uint256 stake, uint256 price, uint8 count) external {
        calls++;
        uint256 i = who % PEOPLE;
        if (providers.provider(owner(i)).status == IProviders.Status.None) register(i, within(stake, MIN_STAKE, 5 ether));
        if (!active(i)) return;
        uint16 busy = providers.gpu(owner(i), 0).busy;
        vm.prank(owner(i));
        providers.setGpu(0, "cpu", 1024, uint16(within(count, busy > 1 ? busy : 1, 16)), 0, 7);
        vm.prank(owner(i));
        providers.setOffer(0, within(price, 1, 1e14), 1, 3600, true);
    }

    function closeOffer(uint256 who) external {
        calls++;
        uint256 i = who % PEOPLE;
        if (!active(i) || providers.provider(owner(i)).gpus == 0) return;
        vm.prank(owner(i));
        providers.setOffer(0, 1e12, 1, 3600, false);
    }

    function addStake(uint256 who, uint256 amount) external {
        calls++;
        uint256 i = who % PEOPLE;
        if (!active(i)) return;
        uint256 value = within(amount, 0, 3 ether);
        vm.deal(owner(i), owner(i).balance + value);
        vm.prank(owner(i));
        providers.addStake{value: value}();
    }

    function quit(uint256 who) external {
        calls++;
        uint256 i = who % PEOPLE;
        if (who % 5 != 0 || !active(i)) return;
        vm.prank(owner(i));
        providers.unregister();
    }

    // ---- renters

    function order(uint256 who, uint256 shape, uint96 price) external {
        calls++;
        IJobsTypes.Spec memory s = specOf(uint8(1 + shape % _replicasMax));
        s.maxPricePerSecond = within(price, price % 4 == 0 ? 1 : 1e14, 2e14); // mostly what every provider takes
        s.secondsLimit = uint32(1 + (shape >> 8) % 300);
        s.startWindow = uint32((shape >> 32) % 200);
        if (s.replicas == 1) s.runtime = uint8((shape >> 80) % 3);
        if (s.runtime == 0) s.auditBps = uint16((shape >> 88) % 10_000 * ((shape >> 104) % 2));
        (s.bundleRoot, s.bundleSize) = (bundleRoot(), uint64(BUNDLE.length));
        if ((shape >> 64) % 4 == 0) {
            s.providers = new address[](PEOPLE);
            for (uint256 i = 0; i < PEOPLE; i++) s.providers[i] = owner((i + (shape >> 72)) % PEOPLE);
        }
        vm.prevrandao(keccak256(abi.encode(shape)));
        address from = renter(who % 3);
        vm.deal(from, from.balance + priceOf(s));
        vm.prank(from);
        jobs.submit{value: priceOf(s)}(s);
        submitted++;
    }

    function cancel(uint256 which) external {
        calls++;
        if (submitted == 0 || which % 4 != 0) return;
        IJobsTypes.Job memory j = jobs.getJob(1 + which % submitted);
        if (j.state != IJobsTypes.State.Open) return;
        vm.prank(j.renter);
        jobs.cancel(1 + which % submitted);
    }

    // ---- workers

    /// @dev One replica in the wanted state, from a random start.
    function find(uint256 seed, IJobsTypes.ReplicaState wanted, IJobsTypes.State state) private view returns (uint256 job, uint256 i) {
        for (uint256 k = 0; k < PEOPLE; k++) {
            i = (seed % PEOPLE + k) % PEOPLE;
            uint256[] memory active_ = jobs.activeJobs(owner(i));
            for (uint256 n = 0; n < active_.length && n < 4; n++) {
                job = active_[(n + seed % 128) % active_.length];
                if (jobs.getJob(job).state != state) continue;
                if (mine(job, owner(i)).state == wanted) return (job, i);
            }
        }
        return (0, 0);
    }

    function mine(uint256 job, address provider) private view returns (IJobsTypes.Replica memory r) {
        IJobsTypes.Replica[] memory all = jobs.getReplicas(job);
        for (uint256 n = 0; n < all.length; n++) {
            if (all[n].provider == provider) return all[n];
        }
    }

    function sealOne(uint256 seed) external {
        calls++;
        sealSome(seed);
    }

    function sealSome(uint256 seed) private {
        (uint256 job, uint256 i) = find(seed, IJobsTypes.ReplicaState.Assigned, IJobsTypes.State.Running);
        if (job == 0 || block.timestamp > mine(job, owner(i)).sealBy) return;
        bytes32 root = (seed >> 16) % 8 < _liars ? bytes32((seed >> 32) % 3) : ROOT;
        _answers[job][owner(i)] = root;
        seal(job, i, root, root == 0 ? uint8(1 + (seed >> 40) % 9) : 0);
    }

    function sealMany(uint256 seed) external {
        calls++;
        for (uint256 n = 0; n < PEOPLE; n++) sealSome(uint256(keccak256(abi.encode(seed, n))));
    }

    function revealOne(uint256 seed, uint32 used) external {
        calls++;
        revealSome(seed, used);
    }

    function revealSome(uint256 seed, uint32 used) private {
        (uint256 job, uint256 i) = find(seed, IJobsTypes.ReplicaState.Sealed, IJobsTypes.State.Revealing);
        if (job == 0 || block.timestamp > jobs.getJob(job).deadline) return;
        uint32 seconds_ = uint32(within(used, 1, jobs.getJob(job).spec.secondsLimit));
        bytes32 root = _answers[job][owner(i)];
        if (root != 0) {
            reveal(job, i, root, 0, seconds_);
            revealed++;
            return;
        }
        bytes32 commitment = mine(job, owner(i)).commitment;
        for (uint8 reason = 1; reason < 10; reason++) {
            if (keccak256(abi.encode(job, owner(i), root, reason, bytes32(0), SALT)) != commitment) continue;
            reveal(job, i, 0, reason, seconds_);
            revealed++;
            return;
        }
    }

    function revealMany(uint256 seed, uint32 used) external {
        calls++;
        for (uint256 n = 0; n < PEOPLE; n++) revealSome(uint256(keccak256(abi.encode(seed, n))), used);
    }

    function declineOne(uint256 seed) external {
        calls++;
        if (seed % 3 != 0) return;
        (uint256 job, uint256 i) = find(seed >> 8, IJobsTypes.ReplicaState.Assigned, IJobsTypes.State.Running);
        if (job == 0 || block.timestamp > mine(job, owner(i)).assignedAt + DECLINE_WINDOW) return;
        vm.prank(worker(i));
        jobs.decline(job, uint8(1 + seed % 15));
    }

    // ---- after the reveals

    function bundleRoot() private pure returns (bytes32) {
        bytes32 leaf = sha256(abi.encodePacked(bytes1(0), BUNDLE));
        return sha256(abi.encodePacked(bytes1(0x02), uint64(BUNDLE.length), leaf));
    }

    /// @dev One of the last jobs that Disputes has, from a random start; 0: none.
    function findCase(uint256 seed, IDisputes.Phase phase) private view returns (uint256) {
        for (uint256 k = 0; k < 12 && k < submitted; k++) {
            uint256 job = submitted - (seed % 12 + k) % (submitted < 12 ? submitted : 12);
            if (phaseOf(job) == phase) return job;
        }
        return 0;
    }

    function sealVerdicts(uint256 seed) external {
        calls++;
        uint256 job = findCase(seed, IDisputes.Phase.Sealing);
        if (job == 0) return;
        address[] memory who = bench(job);
        for (uint256 i = 0; i < who.length; i++) {
            if (disputes.getCase(job).phase != IDisputes.Phase.Sealing || rnd(seed, i) % 8 == 0) continue;
            if (seatOf(job, who[i]).state != IDisputes.SeatState.Seated || block.timestamp > seatOf(job, who[i]).sealBy) continue;
            (bytes32 root, uint8 reason) = opinion(rnd(seed, i + 100));
            _opinions[job][who[i]] = rnd(seed, i + 100);
            sealVerdict(job, who[i], root, reason);
        }
    }

    function revealVerdicts(uint256 seed) external {
        calls++;
        uint256 job = findCase(seed, IDisputes.Phase.Revealing);
        if (job == 0 || block.timestamp > disputes.getCase(job).deadline) return;
        address[] memory who = bench(job);
        uint8 round = disputes.getCase(job).round;
        for (uint256 i = 0; i < who.length; i++) {
            if (disputes.getCase(job).phase != IDisputes.Phase.Revealing || disputes.getCase(job).round != round) return;
            if (seatOf(job, who[i]).state != IDisputes.SeatState.Sealed || rnd(seed, i) % 8 == 0) continue;
            (bytes32 root, uint8 reason) = opinion(_opinions[job][who[i]]);
            revealVerdict(job, who[i], root, reason);
            cases++;
        }
    }

    mapping(uint256 => mapping(address => uint256)) private _opinions;

    /// @dev Mostly right; a lie, no data, too slow.
    function opinion(uint256 x) private view returns (bytes32 root, uint8 reason) {
        if (x % 16 >= _liars) return (ROOT, 0);
        if (x % 3 == 0) return (bytes32(uint256(1)), 0);
        return (0, x % 3 == 1 ? Reasons.VERDICT_NO_DATA : Reasons.EXIT_TIME);
    }

    function rnd(uint256 seed, uint256 n) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, n)));
    }

    function seatOf(uint256 job, address who) private view returns (IDisputes.Seat memory s) {
        IDisputes.Seat[] memory seats = disputes.getCase(job).seats;
        for (uint256 i = seats.length; i > 0; i--) if (seats[i - 1].operator == who) return seats[i - 1];
    }

    function recent(uint256 seed) private view returns (uint256) {
        return submitted - seed % (submitted < 12 ? submitted : 12);
    }

    function doubt(uint256 seed) external {
        calls++;
        if (submitted == 0) return;
        uint256 job = recent(seed);
        for (uint256 k = 0; k < 12 && k < submitted; k++) {
            IJobsTypes.Job memory j = jobs.getJob(submitted - k);
            if (j.state == IJobsTypes.State.Agreed && !j.challenged && block.timestamp <= j.challengeBy) job = submitted - k;
        }
        address from = (seed >> 16) % 3 == 0 ? jobs.getJob(job).renter : DOUBTER;
        uint256 bond = jobs.challengeBond(job);
        vm.deal(from, from.balance + bond);
        vm.prank(from);
        try jobs.challenge{value: bond}(job) {} catch {}
    }

    function appealOne(uint256 seed) external {
        calls++;
        uint256 job = findCase(seed, IDisputes.Phase.Appealable);
        if (job == 0 || block.timestamp > disputes.getCase(job).deadline) return;
        uint256 bond = disputes.appealBond(job);
        vm.deal(DOUBTER, DOUBTER.balance + bond);
        vm.prank(DOUBTER);
        disputes.appeal{value: bond}(job);
    }

    function accept(uint256 seed) external {
        calls++;
        if (submitted == 0) return;
        IJobsTypes.Job memory j = jobs.getJob(recent(seed));
        if (j.state != IJobsTypes.State.Accepting || block.timestamp > j.deadline) return;
        vm.prank(j.renter);
        if ((seed >> 16) % 2 == 0) jobs.accept(recent(seed));
        else jobs.object(recent(seed));
    }

    function demand(uint256 seed) external {
        calls++;
        if (submitted == 0) return;
        uint256 job = recent(seed);
        address from = jobs.getJob(job).renter;
        vm.deal(from, from.balance + DEMAND_BOND);
        vm.prank(from);
        try custody.demand{value: DEMAND_BOND}(job, uint8((seed >> 16) % 3), ICustody.Kind.Bundle, 0) {} catch {}
    }

    function answerOne(uint256 seed) external {
        calls++;
        uint256[] memory open = custody.demandsOf(owner(seed % PEOPLE));
        if (open.length == 0 || (seed >> 16) % 4 == 0) return;
        if (block.timestamp > custody.getDemand(open[0]).answerBy) return;
        vm.prank(owner(seed % PEOPLE));
        custody.answer(open[0], BUNDLE, new bytes32[](0));
    }

    // ---- the protocol, and anybody

    function time(uint16 seconds_) external {
        calls++;
        step(seconds_);
    }

    function step(uint256 seconds_) private {
        vm.roll(block.number + 1);
        vm.prevrandao(keccak256(abi.encode(block.number, seconds_)));
        vm.warp(block.timestamp + (seconds_ % 8 == 0 ? seconds_ % 300 : seconds_ % 20));
        vm.recordLogs();
        tick();
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics[0] != IScheduler.ItemDropped.selector) continue;
            revert Dropped(abi.decode(logs[i].data, (uint8)), uint256(logs[i].topics[2]));
        }
    }

    function poke(uint256 which) external {
        calls++;
        if (submitted == 0) return;
        uint256 job = 1 + which % submitted;
        if (which % 2 == 0) try jobs.expire(job) {} catch {}
        else try jobs.tryMatch(job) {} catch {}
    }

    function takeMoney(uint256 who) external {
        calls++;
        address[4] memory accounts =
            [owner((who >> 8) % PEOPLE), renter((who >> 8) % 3), operator((who >> 8) % JUDGES), DOUBTER];
        address account = accounts[who % 4];
        address[4] memory all = [address(jobs), address(providers), address(disputes), address(custody)];
        IPull from = IPull(all[(who >> 16) % 4]);
        if (from.credit(account) != 0) from.withdrawFor(payable(account));
    }

    /// @dev Time passes, and nobody does anything any more.
    function end() external {
        for (uint256 n = 0; n < 3000 && scheduler.pending() != 0; n++) step(7 + 8 * (n % 2));
    }

    /// @dev What nobody should do: any call with any caller; it may fail, it may not break anything.
    function noise(uint256 seed, address from) external {
        calls++;
        if (uint160(from) < 0x10000 || from == SYSTEM) return;
        uint256 job = submitted == 0 ? 1 : 1 + (seed >> 8) % submitted;
        address[3] memory who = [from, owner(seed % PEOPLE), worker(seed % PEOPLE)];
        bytes[16] memory data = [
            abi.encodeCall(IJobs.seal, (job, bytes32(seed))),
            abi.encodeCall(IJobs.reveal, (job, bytes32(seed), 0, 0, 1, 1, 0)),
            abi.encodeCall(IJobs.decline, (job, uint8(seed))),
            abi.encodeCall(IJobs.cancel, (job)),
            abi.encodeCall(IJobs.collect, ()),
            abi.encodeCall(IJobs.matchWaiting, ()),
            abi.encodeCall(IProviders.complete, (owner(seed % PEOPLE))),
            abi.encodeCall(IProviders.setEndpoint, ("elsewhere:1", bytes32(seed), "")),
            abi.encodeCall(IProviders.setGpu, (0, "cpu", 1, uint16((seed >> 32) % 20), 0, 1)),
            abi.encodeCall(IScheduler.schedule, (1, job, uint64(block.timestamp))),
            abi.encodeCall(IDisputes.sealVerdict, (job, bytes32(seed))),
            abi.encodeCall(IDisputes.revealVerdict, (job, bytes32(seed), 0, 0, 0)),
            abi.encodeCall(IDisputes.expire, (job)),
            abi.encodeCall(IDisputes.collect, ()),
            abi.encodeCall(ICustody.expire, (seed % 9)),
            abi.encodeCall(ICustody.answer, (seed % 9, "x", new bytes32[](0)))
        ];
        uint256 n = (seed >> 64) % 16;
        address target = n < 6 ? address(jobs) : n < 9 ? address(providers) : n < 10 ? address(scheduler) : address(disputes);
        if (n > 13) target = address(custody);
        vm.prank(who[(seed >> 72) % 3]);
        (bool ok,) = target.call(data[n]);
        ok;
    }
}

abstract contract MarketInvariants is World {
    MarketHandler internal handler;

    function targetContracts() public view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    /// @dev After every call: each contract holds exactly what it owes; now and then everything else.
    function invariant_every_contract_holds_what_it_owes() public {
        owes();
        if (handler.calls() % 40 == 0) books();
    }

    /// @dev No job without an end: when time passes, all of it is over, and nothing is held.
    function afterInvariant() public {
        books();
        yes(handler.calls() < 390 || (handler.submitted() > 5 && handler.revealed() > 0), "the run did something");
        handler.end();
        same(scheduler.pending(), 0, "nothing is due any more");
        for (uint256 job = 1; job <= jobs.jobCount(); job++) ended(job);
        for (uint256 i = 0; i < handler.PEOPLE(); i++) {
            same(providers.provider(owner(i)).reserved, 0, "nothing reserved");
            same(custody.demandsOf(owner(i)).length, 0, "no open demand");
        }
        for (uint256 i = 0; i < handler.JUDGES(); i++) same(disputes.dutiesOf(operator(i)).length, 0, "no open duty");
        books();
        owes();
    }

    function ended(uint256 job) private view {
        IJobsTypes.Job memory j = jobs.getJob(job);
        yes(uint256(j.state) >= uint256(IJobsTypes.State.Agreed), "every job ends");
        yes(!j.inCase, "and no case is open");
        same(j.escrow + j.bond, 0, "nothing is locked");
        IDisputes.Phase phase = phaseOf(job);
        yes(phase == IDisputes.Phase.None || phase == IDisputes.Phase.Closed, "cases close");
    }

    function books() private {
        uint256 weight = 0;
        uint256 staked = 0;
        atRisk();
        for (uint256 i = 0; i < handler.PEOPLE(); i++) {
            IProviders.Provider memory p = providers.provider(owner(i));
            same(p.reserved, _atRisk[owner(i)], "reserved is what its replicas hold");
            running(owner(i), providers.gpu(owner(i), 0));
            yes(p.reserved <= p.stake, "reserved <= stake");
            weight += weightOf(p, owner(i));
            staked += p.stake + providers.credit(owner(i));
        }
        same(providers.totalDrawWeight(), weight, "draw weights");
        same(providers.liabilities(), staked, "stakes and credits");
        escrows();
    }

    mapping(address => uint256) private _atRisk;

    function atRisk() private {
        for (uint256 i = 0; i < handler.PEOPLE(); i++) _atRisk[owner(i)] = 0;
        for (uint256 job = 1; job <= jobs.jobCount(); job++) {
            IJobsTypes.Replica[] memory all = jobs.getReplicas(job);
            for (uint256 k = 0; k < all.length; k++) {
                for (uint256 n = 0; n < k; n++) {
                    yes(all[n].provider != all[k].provider || all[k].provider == address(0), "one replica of a job");
                }
                _atRisk[all[k].provider] += all[k].reserved;
            }
        }
    }

    function running(address provider, IProviders.Gpu memory g) private view {
        same(jobs.activeJobs(provider).length, g.busy, "busy is its active jobs");
        yes(g.busy <= g.count, "busy <= count");
    }

    function weightOf(IProviders.Provider memory p, address provider) private view returns (uint256) {
        IProviders.Gpu memory g = providers.gpu(provider, 0);
        bool can = p.status == IProviders.Status.Active && p.stake >= MIN_STAKE && g.open && g.busy < g.count;
        same(providers.drawWeight(provider), can ? p.stake - p.reserved : 0, "weight");
        return providers.drawWeight(provider);
    }

    /// @dev Escrow, bonds and credits, job by job: the price is paid, refunded or still locked, nothing else.
    function escrows() private view {
        uint256 locked = 0;
        uint256 appeals = 0;
        for (uint256 job = 1; job <= jobs.jobCount(); job++) {
            IJobsTypes.Job memory j = jobs.getJob(job);
            uint256 sum = j.escrow + j.paid + j.refunded + j.auditPaid;
            uint256 price = priceOf(j.spec);
            if (j.reason == Reasons.REASON_OBJECTED) yes(sum <= price, "a part is burned");
            else same(sum, price, "price == escrow + paid + refunded + judges");
            yes(uint256(j.state) < uint256(IJobsTypes.State.Agreed) || j.escrow == 0, "an ended job holds nothing");
            locked += j.escrow + j.bond;
            appeals += disputes.getCase(job).bond;
        }
        same(jobs.liabilities(), locked + credits(IPull(address(jobs))), "escrows, bonds and credits");
        same(disputes.liabilities(), appeals + credits(IPull(address(disputes))), "appeals and credits");
        uint256 open = 0;
        for (uint256 i = 0; i < handler.PEOPLE(); i++) open += custody.demandsOf(owner(i)).length;
        same(custody.liabilities(), open * DEMAND_BOND + credits(IPull(address(custody))), "demands and credits");
    }

    function credits(IPull from) private view returns (uint256 sum) {
        for (uint256 i = 0; i < handler.PEOPLE(); i++) sum += from.credit(owner(i));
        for (uint256 i = 0; i < handler.JUDGES(); i++) sum += from.credit(operator(i));
        for (uint256 i = 0; i < 3; i++) sum += from.credit(renter(i));
        sum += from.credit(handler.DOUBTER());
    }
}

contract HonestMarketInvariants is MarketInvariants {
    function setUp() public {
        setUpWorld();
        validators(6);
        handler = new MarketHandler(3, 1);
    }
}

contract HostileMarketInvariants is MarketInvariants {
    function setUp() public {
        setUpWorld();
        validators(6);
        handler = new MarketHandler(5, 4);
    }
}
