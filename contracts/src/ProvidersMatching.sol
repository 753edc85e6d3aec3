// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IProviders} from "./interfaces/IProviders.sol";
import {IJobs} from "./interfaces/IJobs.sol";
import {Pull} from "./Pull.sol";
import {SumTree} from "./SumTree.sol";
import {System} from "./System.sol";

/// @title Providers: the storage, and what Jobs does with it: find, reserve, release, slash.
/// @dev Invariants:
///      - balance == _totalStake + _totalCredit; _totalStake == sum of stake;
///      - for each provider reserved <= stake, and reserved is the sum over its running replicas;
///      - for each device busy <= count;
///      - a provider's weight in the tree is its free stake if it can take work, else 0.
abstract contract ProvidersMatching is IProviders, System, Pull {
    using SumTree for SumTree.Tree;

    uint8 internal constant GPUS_MAX = 8;
    uint256 internal constant STREAK_HALF = 8; // results in a row that halve a newcomer's audit rate
    uint256 internal constant DRAWS_MAX = 24; // for one assignment; who is not found then waits for the next try

    struct Device {
        uint32 vramMiB;
        uint16 count;
        uint16 busy;
        uint16 computeCapability;
        uint8 runtimes;
        bool open;
        uint32 minSeconds;
        uint32 maxSeconds;
        uint96 pricePerSecond; // so far one storage word
        bytes32 modelHash;
        string model;
    }

    struct Entry {
        Status status;
        address worker;
        uint8 gpus;
        uint64 leavesAt;
        uint256 slot; // item in the tree
        uint256 stake;
        uint256 reserved;
        bytes32 tlsKeyHash;
        string endpoint;
        string region;
        Record record;
        mapping(uint256 => Device) devices;
    }

    uint256 public minStake;
    uint256 public stakeFactor;
    uint256 internal _unbondingSeconds;
    uint256 internal _totalStake;
    mapping(address => Entry) internal _entries;
    mapping(address => address) public providerOf;
    SumTree.Tree internal _tree;
    mapping(uint256 => address) internal _ownerOfSlot;
    uint256[] internal _freeSlots;

    // ---- for Jobs

    function assign(Need calldata need, address[] calldata named, address[] calldata excluded, uint256 wanted, bool all, uint256 seed)
        external
        only(JOBS)
        returns (Match[] memory matches)
    {
        matches = new Match[](wanted);
        uint256 found = named.length != 0
            ? _findNamed(matches, need, named, excluded)
            : _draw(matches, need, excluded, seed);
        if (all && found < wanted) found = 0;
        for (uint256 i = 0; i < found; i++) _reserve(need.job, matches[i]);
        assembly ("memory-safe") {
            mstore(matches, found)
        }
    }

    function finish(Finish calldata f) external only(JOBS) {
        assert(f.slashed <= f.reserved && f.toJobs <= f.slashed);
        Entry storage e = _entries[f.provider];
        e.reserved -= f.reserved;
        if (f.slot) e.devices[f.index].busy--;
        _writeRecord(e.record, f);
        emit Released(f.provider, f.job, f.index, f.reserved, f.outcome);
        if (f.slashed != 0) {
            e.stake -= f.slashed;
            _totalStake -= f.slashed;
            emit ProviderSlashed(f.provider, f.job, f.slashed, f.toJobs);
        }
        _refreshWeight(e);
        _completeIfDue(f.provider, e);
        _burn(f.slashed - f.toJobs);
        if (f.toJobs != 0) IJobs(JOBS).collect{value: f.toJobs}();
    }

    // ---- finding

    function _findNamed(Match[] memory matches, Need calldata need, address[] calldata named, address[] calldata excluded)
        private
        view
        returns (uint256 found)
    {
        for (uint256 i = 0; i < named.length && found < matches.length; i++) {
            if (!_contains(excluded, named[i]) && _offerOf(matches[found], named[i], need)) found++;
        }
    }

    /// @dev Draws without replacement, each provider by its free stake.
    function _draw(Match[] memory matches, Need calldata need, address[] calldata excluded, uint256 seed)
        private
        view
        returns (uint256 found)
    {
        SumTree.Skipped memory skipped = SumTree.newSkipped(excluded.length + DRAWS_MAX);
        for (uint256 i = 0; i < excluded.length; i++) _tree.skip(skipped, _entries[excluded[i]].slot);
        for (uint256 draws = 0; draws < DRAWS_MAX && found < matches.length; draws++) {
            uint256 weight = _tree.total - skipped.total;
            if (weight == 0) break;
            uint256 slot = _tree.find(skipped, uint256(keccak256(abi.encode(seed, draws))) % weight);
            _tree.skip(skipped, slot);
            if (_offerOf(matches[found], _ownerOfSlot[slot], need)) found++;
        }
    }

    /// @dev Fills `m` with the provider's cheapest offer that fits; false if it has none.
    function _offerOf(Match memory m, address owner, Need calldata need) private view returns (bool found) {
        Entry storage e = _entries[owner];
        if (!_canWork(e)) return false;
        uint256 free = e.stake - e.reserved;
        uint16 rate = _rateOf(e.record.streak, need.auditBps, need.newcomerBps);
        uint256 factor = need.alone ? _factorOf(rate) : stakeFactor;
        uint8 gpus = e.gpus;
        for (uint8 index = 0; index < gpus; index++) {
            Device storage d = e.devices[index];
            if (!_fits(d, need)) continue;
            uint256 price = d.pricePerSecond;
            uint256 reserved = factor * price * need.secondsLimit;
            if (reserved > free || (found && price >= m.pricePerSecond)) continue;
            found = true;
            (m.provider, m.index, m.auditBps, m.pricePerSecond, m.reserved) = (owner, index, rate, price, reserved);
        }
    }

    /// @dev A provider with a long clean record is audited less, down to the floor; for it more stake is at risk.
    function _rateOf(uint256 streak, uint16 floorBps, uint16 newcomerBps) internal pure returns (uint16) {
        uint256 rate = uint256(newcomerBps) * STREAK_HALF / (STREAK_HALF + streak);
        return rate > floorBps ? uint16(rate) : floorBps;
    }

    /// @dev A cheat that stands alone is found with the odds of an audit, and must lose by it on average.
    function _factorOf(uint16 rate) private view returns (uint256 factor) {
        factor = stakeFactor;
        if (rate == 0) return factor;
        uint256 needed = (BPS + rate - 1) / rate;
        if (needed > factor) factor = needed;
    }

    function _fits(Device storage d, Need calldata need) private view returns (bool) {
        if (!d.open || d.busy >= d.count || d.pricePerSecond > need.maxPricePerSecond) return false;
        if (d.runtimes & (uint256(1) << need.runtime) == 0) return false;
        if (d.vramMiB < need.minVramMiB || d.computeCapability < need.minComputeCapability) return false;
        if (need.secondsLimit < d.minSeconds || need.secondsLimit > d.maxSeconds) return false;
        return need.model == 0 || need.model == d.modelHash;
    }

    function _canWork(Entry storage e) internal view returns (bool) {
        return e.status == Status.Active && e.stake >= minStake;
    }

    function _contains(address[] calldata list, address who) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; i++) {
            if (list[i] == who) return true;
        }
        return false;
    }

    // ---- changing

    function _reserve(uint256 job, Match memory m) private {
        Entry storage e = _entries[m.provider];
        e.reserved += m.reserved;
        e.devices[m.index].busy++;
        assert(e.reserved <= e.stake);
        emit Reserved(m.provider, job, m.index, m.reserved);
        _refreshWeight(e);
    }

    function _writeRecord(Record storage r, Finish calldata f) private {
        if (f.outcome == Outcome.Released || f.outcome == Outcome.Declined) {
            if (f.outcome == Outcome.Declined) r.declined++;
            return;
        }
        if (f.outcome == Outcome.Agreed) {
            r.completed++;
            r.agreed++;
            r.streak++;
            r.secondsServed += f.secondsUsed;
            r.earned += f.earned;
            return;
        }
        r.streak = 0;
        if (f.outcome == Outcome.TimedOut) {
            r.timedOut++;
            return;
        }
        r.faulted++;
        if (f.outcome == Outcome.Faulted) r.completed++;
        else r.agreed--; // overturned: it was counted when it was paid
    }

    function _refreshWeight(Entry storage e) internal {
        _tree.set(e.slot, _canWork(e) && _hasFreeOffer(e) ? e.stake - e.reserved : 0);
    }

    function _hasFreeOffer(Entry storage e) private view returns (bool) {
        uint8 gpus = e.gpus;
        for (uint8 index = 0; index < gpus; index++) {
            Device storage d = e.devices[index];
            if (d.open && d.busy < d.count) return true;
        }
        return false;
    }

    function _takeSlot(address owner) internal returns (uint256 slot) {
        if (_freeSlots.length == 0) {
            slot = _tree.append();
        } else {
            slot = _freeSlots[_freeSlots.length - 1];
            _freeSlots.pop();
        }
        _ownerOfSlot[slot] = owner;
    }

    function _completeIfDue(address owner, Entry storage e) internal {
        if (e.status == Status.Leaving && block.timestamp >= e.leavesAt && e.reserved == 0) _complete(owner, e);
    }

    /// @dev Everything but the track record is forgotten.
    function _complete(address owner, Entry storage e) internal {
        uint256 amount = e.stake;
        _freeSlots.push(e.slot);
        delete _ownerOfSlot[e.slot];
        delete providerOf[e.worker];
        for (uint256 index = 0; index < e.gpus; index++) delete e.devices[index];
        (e.status, e.worker, e.gpus, e.leavesAt, e.slot, e.stake) = (Status.None, address(0), 0, 0, 0, 0);
        delete e.tlsKeyHash;
        delete e.endpoint;
        delete e.region;
        _totalStake -= amount;
        _credit(owner, amount);
        emit ProviderLeft(owner, amount);
    }
}
