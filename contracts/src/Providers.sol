// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IProviders} from "./interfaces/IProviders.sol";
import {IJobs} from "./interfaces/IJobs.sol";
import {IScheduler, IScheduled} from "./interfaces/IScheduler.sol";
import {ProvidersMatching} from "./ProvidersMatching.sol";

/// @title Providers: see IProviders. Here: what owners do, and the views; ProvidersMatching has what Jobs does.
contract Providers is ProvidersMatching, IScheduled {
    uint8 internal constant KIND_COMPLETE = 1;

    uint256 internal constant ENDPOINT_MAX = 128;
    uint256 internal constant REGION_MAX = 32;
    uint256 internal constant MODEL_MAX = 64;
    uint256 internal constant COUNT_MAX = 16;
    uint256 internal constant PAGE_MAX = 100;
    uint256 internal constant SCAN_MAX = 512; // entries looked at for one page
    uint8 internal constant RUNTIMES_ALL = 7;

    function initialize(uint256 minStake_, uint256 stakeFactor_, uint256 unbondingSeconds) external genesisOnce {
        if (stakeFactor_ == 0 || stakeFactor_ > 1000 || unbondingSeconds > 3650 days) revert BadParameters();
        minStake = minStake_;
        stakeFactor = stakeFactor_;
        _unbondingSeconds = unbondingSeconds;
    }

    // ---- owners

    function register(string calldata endpoint, bytes32 tlsKeyHash, string calldata region, address workerKey) external payable {
        Entry storage e = _entries[msg.sender];
        if (e.status != Status.None) revert AlreadyRegistered(msg.sender);
        if (msg.value < minStake || msg.value == 0) revert StakeTooSmall(msg.value, minStake);
        e.status = Status.Active;
        e.slot = _takeSlot(msg.sender);
        e.stake = msg.value;
        _totalStake += msg.value;
        _bindWorker(e, workerKey);
        _writeEndpoint(e, endpoint, tlsKeyHash, region);
        emit ProviderRegistered(msg.sender, workerKey, endpoint, tlsKeyHash, region);
        emit StakeAdded(msg.sender, msg.value, msg.value);
    }

    function setEndpoint(string calldata endpoint, bytes32 tlsKeyHash, string calldata region) external {
        _writeEndpoint(_registered(msg.sender), endpoint, tlsKeyHash, region);
        emit EndpointChanged(msg.sender, endpoint, tlsKeyHash, region);
    }

    function setWorker(address workerKey) external {
        Entry storage e = _registered(msg.sender);
        delete providerOf[e.worker];
        _bindWorker(e, workerKey);
        emit WorkerChanged(msg.sender, workerKey);
    }

    function addStake() external payable {
        Entry storage e = _active(msg.sender);
        e.stake += msg.value;
        _totalStake += msg.value;
        emit StakeAdded(msg.sender, msg.value, e.stake);
        _refreshWeight(e);
        IJobs(JOBS).matchWaiting();
    }

    function unregister() external {
        Entry storage e = _active(msg.sender);
        e.status = Status.Leaving;
        e.leavesAt = uint64(block.timestamp + _unbondingSeconds);
        _refreshWeight(e);
        emit ProviderLeaving(msg.sender, e.leavesAt);
        IScheduler(SCHEDULER).schedule(KIND_COMPLETE, e.slot, e.leavesAt);
    }

    function complete(address owner) external {
        Entry storage e = _registered(owner);
        if (e.status != Status.Leaving) revert NotLeaving(owner);
        if (block.timestamp < e.leavesAt) revert NotMature(e.leavesAt);
        if (e.reserved != 0) revert StillBusy(e.reserved);
        _complete(owner, e);
    }

    function onSchedule(uint8, uint256 id) external only(SCHEDULER) {
        address owner = _ownerOfSlot[id];
        if (owner != address(0)) _completeIfDue(owner, _entries[owner]);
    }

    function setGpu(uint8 index, string calldata model, uint32 vramMiB, uint16 count, uint16 computeCapability, uint8 runtimes) external {
        Entry storage e = _active(msg.sender);
        if (index >= GPUS_MAX || index > e.gpus) revert BadIndex(index);
        if (bytes(model).length == 0 || bytes(model).length > MODEL_MAX) revert BadModel(bytes(model).length);
        if (runtimes == 0 || runtimes > RUNTIMES_ALL) revert BadRuntimes(runtimes);
        Device storage d = e.devices[index];
        if (count > COUNT_MAX || count < d.busy) revert BadCount(count, d.busy);
        if (index == e.gpus) e.gpus++;
        d.vramMiB = vramMiB;
        d.count = count;
        d.computeCapability = computeCapability;
        d.runtimes = runtimes;
        d.modelHash = keccak256(bytes(model));
        d.model = model;
        emit GpuChanged(msg.sender, index, model, vramMiB, count, computeCapability, runtimes);
        _refreshWeight(e);
        if (d.open) IJobs(JOBS).matchWaiting();
    }

    function setOffer(uint8 index, uint256 pricePerSecond, uint32 minSeconds, uint32 maxSeconds, bool open) external {
        Entry storage e = _active(msg.sender);
        if (index >= e.gpus) revert BadIndex(index);
        if (pricePerSecond == 0 || pricePerSecond > type(uint96).max) revert BadPrice(pricePerSecond);
        if (maxSeconds == 0 || minSeconds > maxSeconds) revert BadSeconds(minSeconds, maxSeconds);
        Device storage d = e.devices[index];
        d.pricePerSecond = uint96(pricePerSecond);
        d.minSeconds = minSeconds;
        d.maxSeconds = maxSeconds;
        d.open = open;
        emit OfferChanged(msg.sender, index, pricePerSecond, minSeconds, maxSeconds, open);
        _refreshWeight(e);
        if (open) IJobs(JOBS).matchWaiting();
    }

    function _registered(address owner) private view returns (Entry storage e) {
        e = _entries[owner];
        if (e.status == Status.None) revert NotRegistered(owner);
    }

    function _active(address owner) private view returns (Entry storage e) {
        e = _registered(owner);
        if (e.status != Status.Active) revert NotActive(owner);
    }

    function _bindWorker(Entry storage e, address workerKey) private {
        if (workerKey == address(0)) revert BadWorker(workerKey);
        if (providerOf[workerKey] != address(0)) revert WorkerTaken(workerKey);
        providerOf[workerKey] = msg.sender;
        e.worker = workerKey;
    }

    function _writeEndpoint(Entry storage e, string calldata endpoint, bytes32 tlsKeyHash, string calldata region) private {
        if (bytes(endpoint).length == 0 || bytes(endpoint).length > ENDPOINT_MAX) revert BadEndpoint(bytes(endpoint).length);
        if (bytes(region).length > REGION_MAX) revert BadRegion(bytes(region).length);
        if (tlsKeyHash == 0) revert BadTlsKeyHash();
        e.endpoint = endpoint;
        e.tlsKeyHash = tlsKeyHash;
        e.region = region;
    }

    // ---- views

    function provider(address owner) external view returns (Provider memory p) {
        Entry storage e = _entries[owner];
        p.status = e.status;
        p.worker = e.worker;
        p.tlsKeyHash = e.tlsKeyHash;
        p.endpoint = e.endpoint;
        p.region = e.region;
        p.stake = e.stake;
        p.reserved = e.reserved;
        p.leavesAt = e.leavesAt;
        p.gpus = e.gpus;
        p.record = e.record;
    }

    function gpu(address owner, uint8 index) public view returns (Gpu memory g) {
        Device storage d = _entries[owner].devices[index];
        g.model = d.model;
        g.vramMiB = d.vramMiB;
        g.count = d.count;
        g.busy = d.busy;
        g.computeCapability = d.computeCapability;
        g.runtimes = d.runtimes;
        g.open = d.open;
        g.minSeconds = d.minSeconds;
        g.maxSeconds = d.maxSeconds;
        g.pricePerSecond = d.pricePerSecond;
    }

    /// @dev A cursor is slot * GPUS_MAX + index of the next entry to look at.
    function offers(uint256 cursor, uint256 limit) external view returns (Offer[] memory page, uint256 next) {
        if (limit == 0 || limit > PAGE_MAX) revert BadLimit(limit);
        page = new Offer[](limit);
        uint256 found = 0;
        uint256 end = (_tree.size + 1) * GPUS_MAX;
        next = cursor < GPUS_MAX ? GPUS_MAX : cursor;
        for (uint256 scanned = 0; next < end && scanned < SCAN_MAX && found < limit; scanned++) {
            uint8 index = uint8(next % GPUS_MAX);
            address owner = _ownerOfSlot[next / GPUS_MAX];
            Entry storage e = _entries[owner];
            if (owner == address(0) || index >= e.gpus) {
                next += GPUS_MAX - index; // the next slot
                continue;
            }
            if (e.status == Status.Active && e.devices[index].open) page[found++] = _offer(owner, e, index);
            next++;
        }
        if (next >= end) next = 0;
        assembly ("memory-safe") {
            mstore(page, found)
        }
    }

    function _offer(address owner, Entry storage e, uint8 index) private view returns (Offer memory o) {
        o.provider = owner;
        o.index = index;
        o.gpu = gpu(owner, index);
        o.endpoint = e.endpoint;
        o.tlsKeyHash = e.tlsKeyHash;
        o.region = e.region;
        o.freeStake = e.stake - e.reserved;
        o.record = e.record;
    }

    function providerCount() external view returns (uint256) {
        return _tree.size - _freeSlots.length;
    }

    function workerOf(address owner) external view returns (address) {
        return _entries[owner].worker;
    }

    function auditRateOf(address owner, uint16 floorBps, uint16 newcomerBps) external view returns (uint16) {
        return _rateOf(_entries[owner].record.streak, floorBps, newcomerBps);
    }

    function drawWeight(address owner) external view returns (uint256) {
        return _tree.weight[_entries[owner].slot];
    }

    function totalDrawWeight() external view returns (uint256) {
        return _tree.total;
    }

    function liabilities() external view returns (uint256) {
        return _totalStake + _totalCredit;
    }
}
