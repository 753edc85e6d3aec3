// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {World, IStaking, System} from "./World.sol";

/// @dev Validators 0, 1, 2 … have operator owner(i) and consensus key 1000 + i.
abstract contract StakingWorld is World {
    uint256 internal constant SELF = 1000 ether;
    bytes32 internal constant CHAIN_END = keccak256("end");

    function key(uint256 i) internal pure returns (uint256) {
        return 1000 + i;
    }

    function consensusAddress(uint256 i) internal pure returns (address) {
        return vm.addr(key(i));
    }

    function genesis(uint256 i, uint256 stake) internal {
        vm.roll(0);
        vm.deal(SYSTEM, SYSTEM.balance + stake);
        vm.prank(SYSTEM);
        staking.genesisValidator{value: stake}(owner(i), consensusAddress(i), CHAIN_END, 1000);
        vm.roll(1);
    }

    function packed(uint256 key_, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key_, digest);
        return abi.encodePacked(r, s, v);
    }

    function proof(uint256 key_, address operator) internal view returns (bytes memory) {
        return packed(key_, keccak256(abi.encode(keccak256("Leasehold consensus key v1"), block.chainid, operator)));
    }

    function join(uint256 i, uint256 stake) internal {
        vm.deal(owner(i), owner(i).balance + stake);
        bytes memory p = proof(key(i), owner(i));
        vm.prank(owner(i));
        staking.join{value: stake}(consensusAddress(i), CHAIN_END, 1000, p);
    }

    function changeKey(uint256 i, uint256 newKey) internal {
        bytes memory p = proof(newKey, owner(i));
        vm.prank(owner(i));
        staking.changeKey(vm.addr(newKey), keccak256(abi.encode(newKey)), p);
    }

    function delegate(uint256 who, uint256 to, uint256 amount) internal returns (uint256) {
        vm.deal(renter(who), renter(who).balance + amount);
        vm.prank(renter(who));
        return staking.delegate{value: amount}(owner(to));
    }

    /// @dev One entry for each operator in either list, as the node makes them.
    function worked(address[] memory p, uint32[] memory pn, address[] memory m, uint32[] memory mn)
        internal
        pure
        returns (IStaking.Work[] memory work)
    {
        work = new IStaking.Work[](p.length + m.length);
        uint256 count = 0;
        for (; count < p.length; count++) (work[count].operator, work[count].proposed) = (p[count], pn[count]);
        for (uint256 i = 0; i < m.length; i++) {
            uint256 k = 0;
            while (k < count && work[k].operator != m[i]) k++;
            if (k == count) work[count++].operator = m[i];
            work[k].missed = mn[i];
        }
        assembly ("memory-safe") {
            mstore(work, count)
        }
    }

    function endEpoch(uint256 reward, IStaking.Work[] memory work) internal {
        uint64 ended = staking.epoch();
        vm.deal(SYSTEM, SYSTEM.balance + reward);
        vm.prank(SYSTEM);
        staking.endEpoch{value: reward, gas: 30_000_000}(ended, work);
    }

    function endEpoch(uint256 reward, address[] memory p, uint32[] memory pn, address[] memory m, uint32[] memory mn) internal {
        endEpoch(reward, worked(p, pn, m, mn));
    }

    function endEpoch() internal {
        endEpoch(0, new IStaking.Work[](0));
    }

    function one(uint256 i, uint32 n) internal pure returns (address[] memory a, uint32[] memory c) {
        (a, c) = (new address[](1), new uint32[](1));
        (a[0], c[0]) = (owner(i), n);
    }

    function vote(uint256 signer, uint64 epoch, uint64 view_, uint8 kind, bytes32 block_) internal view returns (IStaking.Vote memory v) {
        (v.epoch, v.viewNumber, v.kind, v.blockHash) = (epoch, view_, kind, block_);
        v.parentView = kind == 0 ? view_ - 1 : 0;
        bytes32 digest = keccak256(
            abi.encode(keccak256("Leasehold vote v1"), block.chainid, v.epoch, v.viewNumber, v.kind, v.parentView, v.blockHash)
        );
        v.signature = packed(key(signer), digest);
    }

    function stakeOf(uint256 i) internal view returns (uint256) {
        return staking.validator(owner(i)).stake;
    }

    function isStatus(uint256 i, IStaking.Status status) internal view {
        same(uint256(staking.validator(owner(i)).status), uint256(status), "status");
    }
}

contract StakingTest is StakingWorld {
    function setUp() public {
        setUpWorld();
    }

    // ---- genesis and joining

    function test_genesis_validators_are_the_first_set() public {
        genesis(0, SELF);
        genesis(1, 3 * SELF);
        IStaking.Member[] memory set = staking.nextSet();
        same(set.length, 2, "two");
        same(set[0].operator, owner(1), "the heavier first");
        same(set[0].consensusAddress, consensusAddress(1), "key");
        same(set[0].weightGwei, 3 * SELF / 1e9, "weight in gwei");
        same(staking.epoch(), 0, "epoch");
        bytes32 hash = keccak256(
            abi.encodePacked(
                abi.encode(owner(1), consensusAddress(1), 3 * SELF / 1e9), abi.encode(owner(0), consensusAddress(0), SELF / 1e9)
            )
        );
        same(staking.setHash(0), hash, "set hash");
        same(staking.weightAt(0, consensusAddress(0)), SELF / 1e9, "membership");
        owes();
    }

    function test_genesis_is_the_systems_and_only_at_block_zero() public {
        fails(System.NotAllowed.selector, address(this));
        staking.genesisValidator(owner(0), consensusAddress(0), CHAIN_END, 0);
        vm.prank(SYSTEM);
        fails(System.NotAllowed.selector, SYSTEM);
        staking.genesisValidator{value: SELF}(owner(0), consensusAddress(0), CHAIN_END, 0);
        fails(System.NotAllowed.selector, address(this));
        staking.endEpoch(0, new IStaking.Work[](0));
    }

    function test_joins_with_the_proof_of_its_key_and_enters_the_next_set() public {
        genesis(0, SELF);
        join(1, 2 * SELF);
        same(staking.currentSet().length, 1, "not in this epoch");
        same(staking.previewSet().length, 2, "but in the next");
        endEpoch();
        same(staking.epoch(), 1, "epoch");
        same(staking.nextSet()[0].operator, owner(1), "first now");
        same(staking.weightAt(0, consensusAddress(1)), 0, "not in epoch 0");
        same(staking.weightAt(1, consensusAddress(1)), 2 * SELF / 1e9, "in epoch 1");
        same(staking.operatorOf(consensusAddress(1)), owner(1), "operator");
        owes();
    }

    function test_refuses_to_join_with_what_is_wrong() public {
        genesis(0, SELF);
        bytes memory p = proof(key(1), owner(1));
        joinFails(consensusAddress(2), CHAIN_END, 0, p, SELF, abi.encodeWithSelector(IStaking.BadConsensusProof.selector, consensusAddress(2)));
        joinFails(consensusAddress(1), CHAIN_END, 0, hex"00", SELF, abi.encodeWithSelector(IStaking.BadSignature.selector));
        joinFails(consensusAddress(1), CHAIN_END, 10001, p, SELF, abi.encodeWithSelector(IStaking.BadCommission.selector, 10001));
        joinFails(consensusAddress(1), 0, 0, p, SELF, abi.encodeWithSelector(IStaking.BadHashChain.selector));
        joinFails(consensusAddress(1), CHAIN_END, 0, p, MIN_SELF - 1, abi.encodeWithSelector(IStaking.StakeTooSmall.selector, MIN_SELF - 1, MIN_SELF));
        bytes memory taken = proof(key(0), owner(1));
        joinFails(consensusAddress(0), CHAIN_END, 0, taken, SELF, abi.encodeWithSelector(IStaking.ConsensusKeyTaken.selector, consensusAddress(0)));
        join(1, SELF);
        joinFails(consensusAddress(1), CHAIN_END, 0, p, SELF, abi.encodeWithSelector(IStaking.AlreadyValidator.selector, owner(1)));
    }

    function joinFails(address c, bytes32 end, uint16 commission, bytes memory p, uint256 value, bytes memory why) private {
        vm.deal(owner(1), value);
        vm.prank(owner(1));
        vm.expectRevert(why);
        staking.join{value: value}(c, end, commission, p);
    }

    // ---- delegating

    function test_delegates_and_gets_it_back_after_unbonding() public {
        genesis(0, SELF);
        uint256 shares = delegate(0, 0, 500 ether);
        same(staking.delegation(owner(0), renter(0)), 500 ether, "worth");
        vm.prank(renter(0));
        uint256 id = staking.undelegate(owner(0), shares);
        same(stakeOf(0), SELF, "stake is down at once");
        same(staking.unbonding(id).amount, 500 ether, "unbonding");
        fails(IStaking.NotMature.selector, id, START + UNBONDING);
        staking.complete(id);
        endEpoch();
        vm.warp(START + UNBONDING);
        staking.complete(id); // by anybody
        same(staking.credit(renter(0)), 500 ether, "credited to its owner");
        fails(IStaking.UnknownUnbonding.selector, id);
        staking.complete(id);
        fails(IStaking.UnknownUnbonding.selector, id);
        staking.unbonding(id);
        vm.prank(renter(0));
        staking.withdraw();
        same(renter(0).balance, 500 ether, "back");
        owes();
    }

    function test_refuses_delegations_that_cannot_be() public {
        genesis(0, SELF);
        vm.deal(address(this), 1 ether);
        fails(IStaking.NotAccepting.selector, owner(9));
        staking.delegate{value: 1}(owner(9));
        fails(IStaking.ZeroShares.selector);
        staking.delegate(owner(0));
        fails(IStaking.TooManyShares.selector, 1, 0);
        staking.undelegate(owner(0), 1);
        fails(IStaking.ZeroShares.selector);
        staking.undelegate(owner(0), 0);
        fails(IStaking.SameValidator.selector, owner(0));
        staking.redelegate(owner(0), owner(0), 1);
        fails(IStaking.NotAccepting.selector, owner(9));
        staking.redelegate(owner(0), owner(9), 1);
    }

    function test_redelegated_stake_arrives_after_it_has_answered_for_its_past() public {
        genesis(0, SELF);
        genesis(1, SELF);
        uint256 shares = delegate(0, 0, 100 ether);
        vm.prank(renter(0));
        uint256 id = staking.redelegate(owner(0), owner(1), shares);
        same(stakeOf(1), SELF, "not yet");
        endEpoch();
        vm.warp(START + UNBONDING);
        staking.complete(id);
        same(stakeOf(1), SELF + 100 ether, "arrived");
        same(staking.delegation(owner(1), renter(0)), 100 ether, "its own");
        owes();
    }

    function test_an_operator_that_takes_its_stake_out_leaves_the_candidates() public {
        genesis(0, SELF);
        genesis(1, SELF);
        delegate(0, 1, SELF);
        uint256 shares = staking.sharesOf(owner(1), owner(1));
        vm.prank(owner(1));
        staking.undelegate(owner(1), shares);
        isStatus(1, IStaking.Status.Inactive);
        same(staking.candidates().length, 1, "candidates");
        endEpoch();
        same(staking.nextSet().length, 1, "set");
        vm.prank(owner(1));
        fails(IStaking.StakeTooSmall.selector, 0, MIN_SELF);
        staking.unjail();
        vm.deal(owner(1), SELF);
        vm.prank(owner(1));
        staking.delegate{value: SELF}(owner(1));
        vm.prank(owner(1));
        staking.unjail();
        endEpoch();
        same(staking.nextSet().length, 2, "back");
        owes();
    }

    function test_the_set_is_never_empty() public {
        genesis(0, SELF);
        uint256 shares = staking.sharesOf(owner(0), owner(0));
        vm.prank(owner(0));
        staking.undelegate(owner(0), shares);
        same(staking.candidates().length, 0, "no candidate");
        endEpoch();
        same(staking.nextSet().length, 1, "the old set goes on");
        same(staking.weightAt(1, consensusAddress(0)), SELF / 1e9, "with its old weight, and answers for it");
    }

    // ---- epochs

    function test_rewards_follow_work_and_commission() public {
        genesis(0, SELF);
        genesis(1, SELF);
        delegate(0, 0, SELF);
        address[] memory p = new address[](2);
        uint32[] memory n = new uint32[](2);
        (p[0], p[1], n[0], n[1]) = (owner(0), owner(1), 3, 1);
        endEpoch(40 ether, p, n, new address[](0), new uint32[](0));
        same(stakeOf(0), 2 * SELF + 30 ether, "three quarters");
        same(stakeOf(1), SELF + 10 ether, "one quarter");
        uint256 delegator = staking.delegation(owner(0), renter(0));
        yes(delegator >= SELF + 13.5 ether - 2 && delegator <= SELF + 13.5 ether, "half of the 90 percent");
        IStaking.Validator memory v = staking.validator(owner(0));
        yes(v.selfStake >= SELF + 16.5 ether - 2 && v.selfStake <= SELF + 16.5 ether, "the other half and the commission");
        same(v.proposed, 3, "record");
        owes();
    }

    function test_rewards_that_nobody_can_take_are_carried_on() public {
        genesis(0, SELF);
        (address[] memory p, uint32[] memory n) = one(7, 5); // no validator
        endEpoch(10 ether, p, n, new address[](0), new uint32[](0));
        same(stakeOf(0), SELF, "not paid");
        owes();
        (p, n) = one(0, 5);
        endEpoch(1 ether, p, n, new address[](0), new uint32[](0));
        same(stakeOf(0), SELF + 11 ether, "with the next");
        owes();
    }

    function test_who_misses_too_much_is_jailed_and_comes_back() public {
        for (uint256 i = 0; i < 4; i++) genesis(i, SELF);
        (address[] memory m, uint32[] memory n) = one(2, 10);
        endEpoch(0, new address[](0), new uint32[](0), m, n);
        isStatus(2, IStaking.Status.Jailed);
        same(staking.nextSet().length, 3, "set");
        same(staking.validator(owner(2)).missed, 10, "record");
        vm.prank(owner(2));
        fails(IStaking.JailedUntil.selector, START + JAIL);
        staking.unjail();
        vm.warp(START + JAIL);
        vm.prank(owner(2));
        staking.unjail();
        isStatus(2, IStaking.Status.Active);
        vm.prank(owner(2));
        fails(IStaking.NotJailed.selector, owner(2));
        staking.unjail();
        endEpoch();
        same(staking.nextSet().length, 4, "again");
    }

    function test_few_misses_or_mostly_work_are_no_reason_to_jail() public {
        for (uint256 i = 0; i < 4; i++) genesis(i, SELF);
        (address[] memory m, uint32[] memory n) = one(2, 9);
        (address[] memory p, uint32[] memory k) = one(2, 11);
        endEpoch(0, p, k, m, n);
        isStatus(2, IStaking.Status.Active);
        (k[0], n[0]) = (10, 10);
        endEpoch(0, p, k, m, n);
        isStatus(2, IStaking.Status.Active);
        n[0] = 11;
        endEpoch(0, p, k, m, n);
        isStatus(2, IStaking.Status.Jailed);
    }

    function test_who_has_few_views_is_judged_over_many_epochs() public {
        for (uint256 i = 0; i < 4; i++) genesis(i, SELF);
        (address[] memory m, uint32[] memory n) = one(2, 1);
        for (uint256 e = 0; e < 9; e++) endEpoch(0, new address[](0), new uint32[](0), m, n);
        isStatus(2, IStaking.Status.Active);
        endEpoch(0, new address[](0), new uint32[](0), m, n);
        isStatus(2, IStaking.Status.Jailed);
        vm.warp(START + JAIL);
        vm.prank(owner(2));
        staking.unjail();
        endEpoch(0, new address[](0), new uint32[](0), m, n);
        isStatus(2, IStaking.Status.Active); // what it was jailed for is forgotten
    }

    function test_stake_that_came_after_the_epoch_began_does_not_keep_from_jail() public {
        for (uint256 i = 0; i < 4; i++) genesis(i, SELF);
        delegate(0, 2, 100 * SELF); // now far more than a third
        (address[] memory m, uint32[] memory n) = one(2, 100);
        endEpoch(0, new address[](0), new uint32[](0), m, n);
        isStatus(2, IStaking.Status.Jailed);
    }

    function test_no_more_than_a_third_of_the_weight_is_jailed_at_once() public {
        for (uint256 i = 0; i < 4; i++) genesis(i, SELF);
        address[] memory m = new address[](4);
        uint32[] memory n = new uint32[](4);
        for (uint256 i = 0; i < 4; i++) (m[i], n[i]) = (owner(i), 100);
        endEpoch(0, new address[](0), new uint32[](0), m, n);
        same(staking.nextSet().length, 3, "one of four");
    }

    function test_refuses_more_workers_than_a_set_can_have() public {
        genesis(0, SELF);
        vm.prank(SYSTEM);
        fails(IStaking.TooManyWorkers.selector, 129);
        staking.endEpoch(0, new IStaking.Work[](129));
    }

    /// @dev The dearest end of an epoch: a full list in the worst order, all slots written for the first time, everybody
    ///      worked and missed, a third is jailed, and every other member changes its key.
    function test_the_best_of_a_full_list_within_two_thirds_of_the_system_gas() public {
        for (uint256 i = 0; i < 192; i++) genesis(i, SELF + i * 1 ether);
        IStaking.Work[] memory work = new IStaking.Work[](128);
        for (uint256 i = 0; i < 128; i++) work[i] = IStaking.Work(owner(191 - i), 7, i < 40 ? 20 : 7, keccak256("r"));
        for (uint256 i = 64; i < 192; i++) changeKey(i, key(i) + 1000);
        uint256 gas = gasleft();
        endEpoch(1 ether, work);
        gas -= gasleft();
        yes(gas < 20_000_000, "gas");
        IStaking.Member[] memory set = staking.nextSet();
        same(set.length, 128, "full");
        same(set[0].operator, owner(151), "the heaviest that is not jailed");
        same(set[0].consensusAddress, vm.addr(key(151) + 1000), "its new key");
        same(set[127].operator, owner(24), "the lightest that is in");
        for (uint256 i = 1; i < 128; i++) yes(set[i - 1].weightGwei >= set[i].weightGwei, "order");
        bytes memory words;
        for (uint256 i = 0; i < 128; i++) {
            words = bytes.concat(words, abi.encode(set[i].operator, set[i].consensusAddress, set[i].weightGwei));
        }
        same(staking.setHash(1), keccak256(words), "set hash");
        owes();
    }

    function test_a_full_list_takes_who_has_more_stake_than_the_least() public {
        for (uint256 i = 0; i < 192; i++) genesis(i, SELF + i * 1 ether);
        full();
        owes();
    }

    function full() private {
        vm.deal(owner(192), 10 * SELF);
        bytes memory p = proof(key(192), owner(192));
        uint256 least = stakeOf(0);
        vm.prank(owner(192));
        fails(IStaking.CandidatesFull.selector, MIN_SELF, least);
        staking.join{value: MIN_SELF}(consensusAddress(192), CHAIN_END, 0, p);
        vm.prank(owner(192));
        staking.join{value: 2 * SELF}(consensusAddress(192), CHAIN_END, 0, p);
        isStatus(192, IStaking.Status.Active);
        isStatus(0, IStaking.Status.Inactive);
        same(staking.candidates().length, 192, "still full");
    }

    // ---- shares

    /// @dev Delegating and undelegating, with rewards in between, never gives out more than was put in and earned.
    function testFuzz_shares_round_in_the_pools_favour(uint96 a, uint96 b, uint96 reward, uint16 part) public {
        genesis(0, SELF);
        uint256 x = within(a, 1e9, 1e27);
        uint256 y = within(b, 1e9, 1e27);
        uint256 shares = delegate(0, 0, x);
        (address[] memory p, uint32[] memory n) = one(0, 1);
        endEpoch(reward, p, n, new address[](0), new uint32[](0));
        uint256 second = delegate(1, 0, y);
        yes(staking.delegation(owner(0), renter(1)) <= y, "no gift on entering");
        uint256 out = within(part, 1, 100) * second / 100;
        if (staking.delegation(owner(0), renter(1)) * out / second > 0) {
            vm.prank(renter(1));
            staking.undelegate(owner(0), out);
        }
        uint256 sum = staking.delegation(owner(0), renter(0)) + staking.delegation(owner(0), renter(1))
            + staking.delegation(owner(0), owner(0));
        yes(sum <= stakeOf(0), "parts are no more than the whole");
        yes(staking.delegation(owner(0), renter(0)) + 1 >= x, "a reward takes nothing away");
        yes(shares > 0, "shares");
        owes();
    }
}

contract StakingSlashTest is StakingWorld {
    bytes32 private constant A = keccak256("a");
    bytes32 private constant B = keccak256("b");

    function setUp() public {
        setUpWorld();
        for (uint256 i = 0; i < 10; i++) genesis(i, SELF);
    }

    function refused(IStaking.Vote memory a, IStaking.Vote memory b, bytes memory why) private {
        vm.expectRevert(why);
        staking.slash(a, b);
    }

    function test_each_kind_of_evidence_convicts() public {
        staking.slash(vote(0, 0, 1, 0, A), vote(0, 0, 1, 0, B)); // E1
        staking.slash(vote(1, 0, 1, 2, A), vote(1, 0, 1, 2, B)); // E2
        staking.slash(vote(2, 0, 1, 2, A), vote(2, 0, 1, 1, 0)); // E3
        staking.slash(vote(3, 0, 1, 1, 0), vote(3, 0, 1, 2, A)); // E3 the other way round
        staking.slash(vote(4, 0, 1, 0, A), vote(4, 0, 1, 2, B)); // E4
        staking.slash(vote(5, 0, 1, 2, A), vote(5, 0, 1, 0, B)); // E4 the other way round
        for (uint256 i = 0; i < 6; i++) {
            isStatus(i, IStaking.Status.Tombstoned);
            yes(stakeOf(i) < SELF, "slashed");
        }
        same(staking.candidates().length, 4, "out");
        owes();
    }

    function test_lawful_votes_convict_nobody() public {
        bytes memory why = abi.encodeWithSelector(IStaking.VotesDoNotConflict.selector);
        refused(vote(0, 0, 1, 0, A), vote(0, 0, 1, 1, 0), why); // notarize and nullify
        refused(vote(0, 0, 1, 0, A), vote(0, 0, 1, 2, A), why); // notarize and finalize the same
        refused(vote(0, 0, 1, 0, A), vote(0, 0, 1, 0, A), why);
        refused(vote(0, 0, 1, 2, A), vote(0, 0, 1, 2, A), why);
        refused(vote(0, 0, 1, 1, 0), vote(0, 0, 1, 1, 0), why);
        refused(vote(0, 0, 1, 0, A), vote(0, 0, 2, 0, B), why); // other view
        refused(vote(0, 0, 1, 0, A), vote(0, 1, 1, 0, B), why); // other epoch
        refused(vote(0, 0, 1, 3, A), vote(0, 0, 1, 3, B), why); // no such kind
    }

    function test_refuses_false_evidence() public {
        IStaking.Vote memory a = vote(0, 0, 1, 0, A);
        IStaking.Vote memory b = vote(1, 0, 1, 0, B);
        refused(a, b, abi.encodeWithSelector(IStaking.SignersDiffer.selector, consensusAddress(0), consensusAddress(1)));
        b = vote(0, 0, 1, 0, B);
        b.signature[64] = 0x05;
        refused(a, b, abi.encodeWithSelector(IStaking.BadSignature.selector));
        b.signature = new bytes(64);
        refused(a, b, abi.encodeWithSelector(IStaking.BadSignature.selector));
        a = vote(99, 0, 1, 0, A);
        refused(a, vote(99, 0, 1, 0, B), abi.encodeWithSelector(IStaking.NotMember.selector, consensusAddress(99), 0));
        a = vote(0, 1, 1, 0, A); // an epoch that has not begun
        refused(a, vote(0, 1, 1, 0, B), abi.encodeWithSelector(IStaking.NotMember.selector, consensusAddress(0), 1));
    }

    function test_another_chains_votes_are_nothing_here() public {
        vm.chainId(1);
        IStaking.Vote memory a = vote(0, 0, 1, 0, A);
        IStaking.Vote memory b = vote(0, 0, 1, 0, B);
        vm.chainId(31337);
        try staking.slash(a, b) {
            revert Untrue("accepted");
        } catch {}
        same(stakeOf(0), SELF, "stake");
    }

    function test_recovery_ids_0_and_1_are_taken_too() public {
        IStaking.Vote memory a = vote(0, 0, 1, 0, A);
        IStaking.Vote memory b = vote(0, 0, 1, 0, B);
        a.signature[64] = bytes1(uint8(a.signature[64]) - 27);
        b.signature[64] = bytes1(uint8(b.signature[64]) - 27);
        staking.slash(a, b);
        isStatus(0, IStaking.Status.Tombstoned);
    }

    function test_the_same_evidence_convicts_once() public {
        staking.slash(vote(0, 0, 1, 0, A), vote(0, 0, 1, 0, B));
        bytes memory why = abi.encodeWithSelector(IStaking.EvidenceUsed.selector, consensusAddress(0), 0, 1);
        refused(vote(0, 0, 1, 0, A), vote(0, 0, 1, 0, B), why);
        refused(vote(0, 0, 1, 0, B), vote(0, 0, 1, 0, A), why);
        refused(vote(0, 0, 1, 2, B), vote(0, 0, 1, 0, A), why);
    }

    function test_evidence_grows_old_before_stake_can_leave() public {
        uint256 shares = delegate(0, 0, SELF);
        vm.prank(renter(0));
        uint256 id = staking.undelegate(owner(0), shares);
        endEpoch();
        IStaking.Vote memory a = vote(0, 0, 1, 0, A);
        IStaking.Vote memory b = vote(0, 0, 1, 0, B);
        vm.warp(START + EVIDENCE + 1);
        refused(a, b, abi.encodeWithSelector(IStaking.EvidenceTooOld.selector, 0));
        fails(IStaking.NotMature.selector, id, START + UNBONDING);
        staking.complete(id);
        vm.warp(START + EVIDENCE);
        staking.slash(a, b);
        same(staking.unbonding(id).amount, SELF * 7 / 10, "on its way, and hit");
    }

    function test_the_fraction_is_three_times_the_share_slashed_lately() public {
        uint256 zero = address(0).balance;
        staking.slash(vote(0, 0, 1, 0, A), vote(0, 0, 1, 0, B));
        same(stakeOf(0), SELF * 7 / 10, "3 x 10 %");
        same(staking.credit(address(this)), SELF * 3 / 10 * 5 / 100, "reporter's 5 %");
        same(address(0).balance - zero, SELF * 3 / 10 * 95 / 100, "burned");
        staking.slash(vote(1, 0, 1, 0, A), vote(1, 0, 1, 0, B));
        same(stakeOf(1), SELF * 4 / 10, "3 x 20 %");
        staking.slash(vote(2, 0, 1, 0, A), vote(2, 0, 1, 0, B));
        staking.slash(vote(3, 0, 1, 0, A), vote(3, 0, 1, 0, B));
        same(stakeOf(3), 0, "more than a third: everything");
        owes();
    }

    function test_the_least_fraction_is_five_percent() public {
        for (uint256 i = 10; i < 100; i++) genesis(i, SELF);
        staking.slash(vote(0, 0, 1, 0, A), vote(0, 0, 1, 0, B));
        same(stakeOf(0), SELF * 95 / 100, "5 %");
    }

    function test_self_stake_delegations_and_unbonding_are_hit_alike() public {
        uint256 shares = delegate(0, 0, SELF);
        delegate(1, 0, SELF);
        vm.prank(renter(0));
        uint256 id = staking.undelegate(owner(0), shares);
        vm.prank(renter(1));
        uint256 moving = staking.redelegate(owner(0), owner(1), shares / 2);
        staking.slash(vote(0, 0, 1, 0, A), vote(0, 0, 1, 0, B));
        same(staking.delegation(owner(0), owner(0)), SELF * 7 / 10, "self");
        same(staking.delegation(owner(0), renter(1)), SELF / 2 * 7 / 10, "delegation");
        same(staking.unbonding(id).amount, SELF * 7 / 10, "unbonding");
        same(staking.unbonding(moving).amount, SELF / 2 * 7 / 10, "redelegating");
        endEpoch();
        vm.warp(START + UNBONDING);
        staking.complete(id);
        same(staking.credit(renter(0)), SELF * 7 / 10, "what is left");
        owes();
    }

    function test_stake_that_left_before_the_offence_is_not_hit() public {
        uint256 shares = delegate(0, 0, SELF);
        vm.prank(renter(0));
        uint256 id = staking.undelegate(owner(0), shares);
        vm.warp(START + 2 * UNBONDING / 16);
        endEpoch();
        staking.slash(vote(0, 1, 1, 0, A), vote(0, 1, 1, 0, B));
        same(staking.unbonding(id).amount, SELF, "untouched");
        yes(stakeOf(0) < SELF, "the others are");
        owes();
    }

    function test_a_convict_is_out_for_good_but_delegators_get_away() public {
        uint256 shares = delegate(0, 0, SELF);
        staking.slash(vote(0, 0, 1, 0, A), vote(0, 0, 1, 0, B));
        vm.prank(owner(0));
        fails(IStaking.NotJailed.selector, owner(0));
        staking.unjail();
        fails(IStaking.NotAccepting.selector, owner(0));
        staking.delegate{value: 1}(owner(0));
        endEpoch();
        same(staking.nextSet().length, 9, "set");
        vm.prank(renter(0));
        uint256 id = staking.undelegate(owner(0), shares);
        endEpoch();
        vm.warp(START + UNBONDING);
        staking.complete(id);
        same(staking.credit(renter(0)), SELF * 7 / 10, "what is left");
        owes();
    }

    function test_many_contradictions_at_a_time_cost_once() public {
        staking.slash(vote(0, 0, 1, 0, A), vote(0, 0, 1, 0, B));
        bytes memory why = abi.encodeWithSelector(IStaking.NothingToSlash.selector, owner(0));
        refused(vote(0, 0, 2, 0, A), vote(0, 0, 2, 0, B), why);
        endEpoch();
        vm.warp(START + EVIDENCE);
        refused(vote(0, 0, 2, 0, A), vote(0, 0, 2, 0, B), why);
        same(stakeOf(0), SELF * 7 / 10, "30 %, as if there had been no more");
        owes();
    }

    function test_a_convict_that_goes_on_in_a_long_epoch_pays_again() public {
        staking.slash(vote(0, 0, 1, 0, A), vote(0, 0, 1, 0, B));
        vm.warp((START / EVIDENCE + 2) * EVIDENCE);
        bytes memory why = abi.encodeWithSelector(IStaking.EvidenceUsed.selector, consensusAddress(0), 0, 1);
        refused(vote(0, 0, 1, 0, A), vote(0, 0, 1, 0, B), why);
        staking.slash(vote(0, 0, 2, 0, A), vote(0, 0, 2, 0, B));
        same(stakeOf(0), SELF * 49 / 100, "30 % of what was left");
        owes();
    }

    function test_redelegation_to_a_convict_is_paid_out_instead() public {
        uint256 shares = delegate(0, 0, SELF);
        vm.prank(renter(0));
        uint256 id = staking.redelegate(owner(0), owner(1), shares);
        staking.slash(vote(1, 0, 1, 0, A), vote(1, 0, 1, 0, B));
        endEpoch();
        vm.warp(START + UNBONDING);
        staking.complete(id);
        same(staking.credit(renter(0)), SELF, "credited");
        owes();
    }
}
