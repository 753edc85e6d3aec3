// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStaking} from "./World.sol";
import {StakingWorld} from "./Staking.t.sol";

/// @dev What a clever thief would try: with rounding, with time, with the order of things.
contract StakingAttacksTest is StakingWorld {
    bytes32 private constant A = keccak256("a");
    bytes32 private constant B = keccak256("b");

    function setUp() public {
        setUpWorld();
        for (uint256 i = 0; i < 10; i++) genesis(i, SELF);
    }

    function convict(uint256 i, uint64 epoch_) private {
        staking.slash(vote(i, epoch_, 1, 0, A), vote(i, epoch_, 1, 0, B));
    }

    function leave(uint256 i, uint256 shares) private returns (uint256) {
        vm.prank(owner(i));
        return staking.undelegate(owner(i), shares);
    }

    // ---- rounding

    /// @dev One share left, and a whole epoch's reward upon it, would make every later delegation lose half a reward.
    function testFuzz_a_share_cannot_be_made_dear(uint256 left, uint96 reward, uint96 amount) public {
        left = within(left, 1, 2e9);
        leave(0, SELF - left);
        (address[] memory p, uint32[] memory n) = one(0, 1);
        endEpoch(within(reward, 1, 1e21), p, n, new address[](0), new uint32[](0));
        uint256 value = within(amount, 1e13, 1e24);
        delegate(0, 0, value);
        yes(staking.delegation(owner(0), renter(0)) + 1e13 > value, "loses no more than dust");
        owes();
    }

    function testFuzz_going_in_and_out_earns_nothing(uint96 amount, uint96 reward, uint8 times) public {
        (address[] memory p, uint32[] memory n) = one(0, 1);
        endEpoch(within(reward, 1, 1e21), p, n, new address[](0), new uint32[](0));
        uint256 value = within(amount, 1e9, 1e24);
        uint256 got = 0;
        for (uint256 i = 0; i < times % 8 + 1; i++) {
            uint256 shares = delegate(0, 0, value);
            vm.prank(renter(0));
            got = staking.unbonding(staking.undelegate(owner(0), shares)).amount;
            yes(got <= value, "never more than went in");
        }
        yes(got + 2 >= value, "nor less, but dust");
        owes();
    }

    // ---- time

    function test_an_epoch_that_lasts_for_days_lets_nobody_off() public {
        uint256 shares = delegate(0, 0, SELF);
        vm.prank(renter(0));
        uint256 id = staking.undelegate(owner(0), shares);
        vm.warp(START + 5 * UNBONDING); // the chain stood still
        fails(IStaking.NotMature.selector, id, block.timestamp + EVIDENCE + 1);
        staking.complete(id);
        convict(0, 0);
        same(staking.unbonding(id).amount, SELF * 7 / 10, "hit");
        endEpoch();
        convict(1, 0); // the epoch has ended only now
        vm.warp(block.timestamp + EVIDENCE);
        fails(IStaking.NotMature.selector, id, block.timestamp + 1);
        staking.complete(id);
        vm.warp(block.timestamp + 1);
        staking.complete(id);
        owes();
    }

    function test_evidence_reaches_a_validator_that_has_left() public {
        uint256 id = leave(0, SELF);
        endEpoch();
        same(staking.weightAt(1, consensusAddress(0)), 0, "no member any more");
        vm.warp(START + EVIDENCE);
        convict(0, 0);
        same(staking.unbonding(id).amount, SELF * 7 / 10, "its leaving stake answers");
        isStatus(0, IStaking.Status.Tombstoned);
        same(staking.candidates().length, 9, "the list is as it was");
    }

    function test_a_reborn_validator_answers_for_its_former_life() public {
        leave(0, SELF);
        endEpoch();
        vm.deal(owner(0), SELF);
        vm.prank(owner(0));
        staking.delegate{value: SELF}(owner(0));
        vm.prank(owner(0));
        staking.unjail();
        convict(0, 0);
        isStatus(0, IStaking.Status.Tombstoned);
        same(staking.candidates().length, 9, "out again");
        owes();
    }

    function test_stake_on_its_way_to_another_is_hit_once_and_only_for_where_it_was() public {
        uint256 shares = delegate(0, 0, SELF);
        vm.prank(renter(0));
        uint256 id = staking.redelegate(owner(0), owner(1), shares);
        convict(1, 0);
        same(staking.unbonding(id).amount, SELF, "the target's guilt is not its");
        convict(0, 0);
        same(staking.unbonding(id).amount, SELF * 4 / 10, "3 x 20 %");
        vm.warp(START + UNBONDING);
        endEpoch();
        vm.warp(START + 2 * UNBONDING);
        staking.complete(id);
        same(staking.credit(renter(0)), SELF * 4 / 10, "paid out: the target is a convict");
        owes();
    }

    function test_a_member_convicted_in_its_epoch_stays_in_that_epochs_set() public {
        convict(0, 0);
        same(staking.currentSet().length, 10, "the epoch's set is fixed");
        same(staking.weightAt(0, consensusAddress(0)), SELF / 1e9, "with its weight");
        same(staking.previewSet().length, 9, "the next has it no more");
        endEpoch();
        same(staking.currentSet().length, 9, "so it is");
    }

    // ---- order

    function test_who_confesses_first_pays_what_the_last_one_pays() public {
        uint256 shares = delegate(0, 0, SELF);
        vm.prank(renter(0));
        uint256 id = staking.undelegate(owner(0), shares);
        convict(0, 0);
        same(stakeOf(0), SELF * 7 / 10, "alone 30 %");
        fails(IStaking.NothingToSlash.selector, owner(0));
        staking.slashMore(owner(0));
        convict(1, 0);
        convict(2, 0);
        same(stakeOf(2), SELF / 10, "the third 90 %");
        uint256 zero = address(0).balance;
        uint256 credit = staking.credit(address(this));
        staking.slashMore(owner(0));
        yes(stakeOf(0) <= SELF / 10 && stakeOf(0) > SELF / 10 - SELF / 1000, "the first as well");
        yes(staking.unbonding(id).amount <= SELF / 10, "and what had left it");
        yes(staking.credit(address(this)) > credit && address(0).balance > zero, "rewarded and burned");
        fails(IStaking.NothingToSlash.selector, owner(0));
        staking.slashMore(owner(0));
        convict(3, 0);
        staking.slashMore(owner(0));
        same(stakeOf(0), 0, "more than a third together: all");
        owes();
    }

    function test_later_offences_do_not_raise_older_fines() public {
        convict(0, 0);
        vm.warp((START / EVIDENCE + 2) * EVIDENCE);
        convict(1, 0);
        same(stakeOf(1), SELF * 7 / 10, "alone in its time");
        fails(IStaking.NothingToSlash.selector, owner(0));
        staking.slashMore(owner(0));
        fails(IStaking.NothingToSlash.selector, owner(5));
        staking.slashMore(owner(5));
    }

    // ---- epochs whose end failed

    function test_a_set_that_went_on_answers_for_the_epochs_that_it_served() public {
        vm.prank(SYSTEM);
        staking.endEpoch(2, new IStaking.Work[](0)); // the calls for 0 and 1 failed
        same(staking.epoch(), 3, "in step with the chain");
        same(staking.weightAt(2, consensusAddress(0)), SELF / 1e9, "served");
        convict(0, 2);
        isStatus(0, IStaking.Status.Tombstoned);
        vm.prank(SYSTEM);
        fails(IStaking.EpochOver.selector, 2, uint256(3));
        staking.endEpoch(2, new IStaking.Work[](0));
        owes();
    }

    // ---- lists

    function test_an_account_sees_all_it_has_and_takes_it_with_one_call() public {
        uint256 shares = delegate(0, 0, 5 ether);
        delegate(0, 1, 7 ether);
        same(staking.delegationsOf(renter(0)).length, 2, "two");
        vm.prank(renter(0));
        uint256 first = staking.undelegate(owner(0), shares);
        vm.warp(START + 10);
        vm.prank(renter(0));
        staking.redelegate(owner(1), owner(0), 3 ether);
        same(staking.delegationsOf(renter(0)).length, 1, "one");
        same(staking.delegationsOf(renter(0))[0].amount, 4 ether, "worth");
        IStaking.Unbonding[] memory leaving = staking.unbondingsOf(renter(0));
        same(leaving.length, 2, "two on their way");
        same(leaving[0].id, first, "id");
        same(leaving[0].maturesAt, START + UNBONDING, "when");
        endEpoch();
        vm.warp(START + UNBONDING);
        staking.collect(payable(renter(0))); // by anybody
        same(renter(0).balance, 5 ether, "paid");
        same(staking.unbondingsOf(renter(0)).length, 1, "the other is not mature");
        vm.warp(START + UNBONDING + 10);
        staking.collect(payable(renter(0)));
        same(staking.delegation(owner(0), renter(0)), 3 ether, "moved, nothing to pay");
        vm.expectRevert(abi.encodeWithSignature("NothingToWithdraw(address)", renter(0)));
        staking.collect(payable(renter(0)));
        owes();
    }

    function test_lists_have_an_end() public {
        uint256 shares = delegate(0, 0, 1 ether);
        for (uint256 i = 0; i < 64; i++) {
            vm.prank(renter(0));
            staking.undelegate(owner(0), shares / 100);
        }
        vm.prank(renter(0));
        fails(IStaking.TooManyUnbondings.selector, 64);
        staking.undelegate(owner(0), 1);
        endEpoch();
        vm.warp(START + UNBONDING);
        uint256 gas = gasleft();
        staking.collect(payable(renter(0)));
        yes(gas - gasleft() < 5_000_000, "all at once fit into a block");
        same(staking.unbondingsOf(renter(0)).length, 0, "empty");
        for (uint256 i = 10; i < 75; i++) {
            join(i, SELF);
            if (i < 73) delegate(0, i, 1 ether);
        }
        vm.deal(renter(0), 1 ether);
        vm.prank(renter(0));
        fails(IStaking.TooManyDelegations.selector, 64);
        staking.delegate{value: 1 ether}(owner(74));
        vm.prank(renter(0));
        fails(IStaking.TooManyDelegations.selector, 64);
        staking.redelegate(owner(0), owner(74), 1);
        delegate(0, 20, 1 ether); // to one that it has
        owes();
    }

    function test_what_moved_and_finds_the_list_full_is_paid_out() public {
        delegate(0, 0, 2 ether);
        for (uint256 i = 10; i < 74; i++) join(i, SELF);
        for (uint256 i = 10; i < 72; i++) delegate(0, i, 1 ether);
        vm.prank(renter(0));
        uint256 id = staking.redelegate(owner(0), owner(73), 1 ether);
        delegate(0, 72, 1 ether); // the 64th
        endEpoch();
        vm.warp(START + UNBONDING);
        staking.complete(id);
        same(staking.credit(renter(0)), 1 ether, "not lost, not one too many");
        same(staking.delegationsOf(renter(0)).length, 64, "full");
        owes();
    }
}
