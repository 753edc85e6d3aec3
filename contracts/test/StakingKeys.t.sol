// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStaking} from "./World.sol";
import {StakingWorld} from "./Staking.t.sol";

/// @dev A validator's key and hash chain over the years: opened, changed, left and come back to.
contract StakingKeysTest is StakingWorld {
    bytes32 private constant A = keccak256("a");
    bytes32 private constant B = keccak256("b");
    uint256 private constant NEW = 5000;

    function setUp() public {
        setUpWorld();
        for (uint256 i = 0; i < 4; i++) genesis(i, SELF);
    }

    function chainEnd(uint256 i) private view returns (bytes32) {
        return staking.validator(owner(i)).hashChainEnd;
    }

    function opened(uint256 i, bytes32 link) private {
        IStaking.Work[] memory work = new IStaking.Work[](1);
        work[0] = IStaking.Work(owner(i), 3, 0, link);
        endEpoch(0, work);
    }

    function memberKey(uint256 i) private view returns (address) {
        IStaking.Member[] memory set = staking.currentSet();
        for (uint256 k = 0; k < set.length; k++) if (set[k].operator == owner(i)) return set[k].consensusAddress;
        return address(0);
    }

    function test_a_chain_goes_on_where_it_was_opened_to_even_after_years_outside() public {
        opened(1, keccak256("link"));
        same(chainEnd(1), keccak256("link"), "what was opened");
        same(staking.validator(owner(1)).revealed, 3, "used up");
        uint256 shares = staking.sharesOf(owner(1), owner(1));
        vm.prank(owner(1));
        staking.undelegate(owner(1), shares);
        endEpoch();
        same(memberKey(1), address(0), "out");
        vm.deal(owner(1), SELF);
        vm.prank(owner(1));
        staking.delegate{value: SELF}(owner(1));
        vm.prank(owner(1));
        staking.unjail();
        endEpoch();
        same(memberKey(1), consensusAddress(1), "in again, same key");
        same(chainEnd(1), keccak256("link"), "nothing is revealed twice");
    }

    function test_a_new_key_votes_from_the_next_epoch_on() public {
        opened(1, keccak256("link"));
        changeKey(1, NEW);
        same(memberKey(1), consensusAddress(1), "this epoch's votes are the old key's");
        same(chainEnd(1), keccak256("link"), "and its reveals the old chain's");
        same(staking.validator(owner(1)).nextConsensusAddress, vm.addr(NEW), "waiting");
        opened(1, keccak256("later"));
        same(memberKey(1), vm.addr(NEW), "the new one");
        same(chainEnd(1), keccak256(abi.encode(NEW)), "with its own chain");
        same(staking.validator(owner(1)).revealed, 0, "all of it there");
        same(staking.validator(owner(1)).nextConsensusAddress, address(0), "nothing waits");
        same(staking.weightAt(2, consensusAddress(1)), 0, "the old one is no member");
        same(staking.operatorOf(consensusAddress(1)), owner(1), "but is still its operator's");
    }

    function test_both_keys_answer_for_their_own_epochs() public {
        changeKey(1, NEW);
        endEpoch();
        staking.slash(vote(1, 0, 1, 0, A), vote(1, 0, 1, 0, B));
        isStatus(1, IStaking.Status.Tombstoned);
        uint256 left = stakeOf(1);
        IStaking.Vote memory a = vote(1, 1, 1, 0, A);
        IStaking.Vote memory b = vote(1, 1, 1, 0, B);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotMember.selector, consensusAddress(1), 1));
        staking.slash(a, b);
        vm.warp((START / EVIDENCE + 2) * EVIDENCE);
        staking.slash(vote(NEW - 1000, 1, 1, 0, A), vote(NEW - 1000, 1, 1, 0, B));
        yes(stakeOf(1) < left, "the new one's too");
        owes();
    }

    function test_who_is_not_in_the_set_changes_at_once() public {
        join(7, SELF);
        changeKey(7, NEW);
        same(staking.validator(owner(7)).consensusAddress, vm.addr(NEW), "at once");
        endEpoch();
        same(memberKey(7), vm.addr(NEW), "and joins with it");
    }

    function test_the_last_of_several_changes_counts() public {
        changeKey(1, NEW);
        changeKey(1, NEW + 1);
        endEpoch();
        same(memberKey(1), vm.addr(NEW + 1), "the last");
        bytes memory p = proof(NEW, owner(1));
        vm.prank(owner(1));
        fails(IStaking.ConsensusKeyTaken.selector, vm.addr(NEW));
        staking.changeKey(vm.addr(NEW), A, p);
    }

    function test_an_old_set_that_goes_on_keeps_its_old_keys() public {
        for (uint256 i = 0; i < 4; i++) {
            changeKey(i, NEW + i);
            uint256 shares = staking.sharesOf(owner(i), owner(i));
            vm.prank(owner(i));
            staking.undelegate(owner(i), shares);
        }
        endEpoch();
        same(staking.currentSet().length, 4, "goes on");
        same(memberKey(2), consensusAddress(2), "with the keys that it has");
        same(chainEnd(2), CHAIN_END, "and their chains");
    }

    function test_refuses_keys_that_are_not_ones_own_to_use() public {
        bytes memory p = proof(key(2), owner(1));
        vm.prank(owner(1));
        fails(IStaking.ConsensusKeyTaken.selector, consensusAddress(2));
        staking.changeKey(consensusAddress(2), A, p);
        p = proof(NEW, owner(2)); // made for another operator
        vm.prank(owner(1));
        fails(IStaking.BadConsensusProof.selector, vm.addr(NEW));
        staking.changeKey(vm.addr(NEW), A, p);
        p = proof(NEW, owner(1));
        vm.prank(owner(1));
        fails(IStaking.BadHashChain.selector);
        staking.changeKey(vm.addr(NEW), 0, p);
        p = proof(NEW, owner(9));
        vm.prank(owner(9));
        fails(IStaking.NotValidator.selector, owner(9));
        staking.changeKey(vm.addr(NEW), A, p);
        staking.slash(vote(1, 0, 1, 0, A), vote(1, 0, 1, 0, B));
        p = proof(NEW, owner(1));
        vm.prank(owner(1));
        fails(IStaking.NotValidator.selector, owner(1));
        staking.changeKey(vm.addr(NEW), A, p);
    }
}
