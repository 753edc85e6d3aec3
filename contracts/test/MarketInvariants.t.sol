// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {World, IJobs, IJobsTypes, IProviders, IScheduler, Reasons} from "./World.sol";
import {IPull} from "../src/interfaces/IPull.sol";
import {Vm} from "./Cheats.sol";

/// @dev Plays renters, providers (honest, lying, silent, slow) and the protocol, in any order.
contract MarketHandler is World {
    uint256 public constant PEOPLE = 8;
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
        offer(i, within(price, 1, 1e14), uint16(within(count, busy > 1 ? busy : 1, 16)));
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

    // ---- the protocol, and anybody

    function time(uint16 seconds_) external {
        calls++;
        vm.roll(block.number + 1);
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
        address account = who % 2 == 0 ? owner((who >> 8) % PEOPLE) : renter((who >> 8) % 3);
        IPull from = (who >> 16) % 2 == 0 ? IPull(address(jobs)) : IPull(address(providers));
        if (from.credit(account) != 0) from.withdrawFor(payable(account));
    }

    /// @dev What nobody should do: any call with any caller; it may fail, it may not break anything.
    function noise(uint256 seed, address from) external {
        calls++;
        if (uint160(from) < 0x10000 || from == SYSTEM) return;
        uint256 job = submitted == 0 ? 1 : 1 + (seed >> 8) % submitted;
        address[3] memory who = [from, owner(seed % PEOPLE), worker(seed % PEOPLE)];
        bytes[10] memory data = [
            abi.encodeCall(IJobs.seal, (job, bytes32(seed))),
            abi.encodeCall(IJobs.reveal, (job, bytes32(seed), 0, 0, 1, 1, 0)),
            abi.encodeCall(IJobs.decline, (job, uint8(seed))),
            abi.encodeCall(IJobs.cancel, (job)),
            abi.encodeCall(IJobs.collect, ()),
            abi.encodeCall(IJobs.matchWaiting, ()),
            abi.encodeCall(IProviders.complete, (owner(seed % PEOPLE))),
            abi.encodeCall(IProviders.setEndpoint, ("elsewhere:1", bytes32(seed), "")),
            abi.encodeCall(IProviders.setGpu, (0, "cpu", 1, uint16((seed >> 32) % 20), 0, 1)),
            abi.encodeCall(IScheduler.schedule, (1, job, uint64(block.timestamp)))
        ];
        uint256 n = (seed >> 64) % 10;
        address target = n < 6 ? address(jobs) : n < 9 ? address(providers) : address(scheduler);
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
    function invariant_every_contract_holds_what_it_owes() public view {
        owes();
        if (handler.calls() % 40 == 0) books();
    }

    function afterInvariant() public view {
        books();
        yes(handler.calls() < 390 || (handler.submitted() > 5 && handler.revealed() > 0), "the run did something");
    }

    function books() private view {
        uint256 weight = 0;
        uint256 staked = 0;
        for (uint256 i = 0; i < handler.PEOPLE(); i++) {
            IProviders.Provider memory p = providers.provider(owner(i));
            same(p.reserved, atRisk(owner(i), providers.gpu(owner(i), 0)), "reserved is what its running replicas hold");
            yes(p.reserved <= p.stake, "reserved <= stake");
            weight += weightOf(p, owner(i));
            staked += p.stake + providers.credit(owner(i));
        }
        same(providers.totalDrawWeight(), weight, "draw weights");
        same(providers.liabilities(), staked, "stakes and credits");
        escrows();
    }

    function atRisk(address provider, IProviders.Gpu memory g) private view returns (uint256 sum) {
        uint256[] memory active = jobs.activeJobs(provider);
        same(active.length, g.busy, "busy is its active jobs");
        yes(g.busy <= g.count, "busy <= count");
        for (uint256 n = 0; n < active.length; n++) {
            IJobsTypes.Replica[] memory all = jobs.getReplicas(active[n]);
            uint256 held = 0;
            for (uint256 k = 0; k < all.length; k++) {
                if (all[k].provider != provider) continue;
                held++;
                sum += all[k].reserved;
            }
            same(held, 1, "one replica of a job");
        }
    }

    function weightOf(IProviders.Provider memory p, address provider) private view returns (uint256) {
        IProviders.Gpu memory g = providers.gpu(provider, 0);
        bool can = p.status == IProviders.Status.Active && p.stake >= MIN_STAKE && g.open && g.busy < g.count;
        same(providers.drawWeight(provider), can ? p.stake - p.reserved : 0, "weight");
        return providers.drawWeight(provider);
    }

    /// @dev Escrow and credits, job by job: the price is paid, refunded or still locked, nothing else.
    function escrows() private view {
        uint256 sum = 0;
        for (uint256 job = 1; job <= jobs.jobCount(); job++) {
            IJobsTypes.Job memory j = jobs.getJob(job);
            same(j.escrow + j.paid + j.refunded, priceOf(j.spec), "price == escrow + paid + refunded");
            bool ended = uint256(j.state) >= uint256(IJobsTypes.State.Agreed);
            yes(!ended || j.escrow == 0, "an ended job holds nothing");
            sum += j.escrow;
        }
        for (uint256 i = 0; i < handler.PEOPLE(); i++) sum += jobs.credit(owner(i));
        for (uint256 i = 0; i < 3; i++) sum += jobs.credit(renter(i));
        same(jobs.liabilities(), sum, "escrows and credits");
    }
}

contract HonestMarketInvariants is MarketInvariants {
    function setUp() public {
        setUpWorld();
        handler = new MarketHandler(3, 1);
    }
}

contract HostileMarketInvariants is MarketInvariants {
    function setUp() public {
        setUpWorld();
        handler = new MarketHandler(5, 4);
    }
}
