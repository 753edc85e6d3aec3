// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStaking} from "./World.sol";
import {StakingWorld} from "./Staking.t.sol";

/// @dev Plays validators, delegators, reporters and the protocol, in any order.
contract StakingHandler is StakingWorld {
    uint256 public constant PEOPLE = 10;
    uint256 public constant DELEGATORS = 4;
    uint256 public calls;
    uint256 public slashes;
    uint256 public delegated;
    uint256 public unbondings;
    uint256 private keys;
    uint256 private immutable _slashOneIn;

    constructor(uint256 slashOneIn) {
        _slashOneIn = slashOneIn;
    }

    function status(uint256 i) private view returns (IStaking.Status) {
        return staking.validator(owner(i)).status;
    }

    function accepts(uint256 i) private view returns (bool) {
        IStaking.Validator memory v = staking.validator(owner(i));
        return v.status != IStaking.Status.None && v.status != IStaking.Status.Tombstoned && v.stake != 0;
    }

    function delegator(uint256 n) public pure returns (address) {
        return renter(n % DELEGATORS);
    }

    function enter(uint256 who, uint256 stake) external {
        calls++;
        uint256 i = who % PEOPLE;
        if (status(i) == IStaking.Status.None) join(i, within(stake, MIN_SELF, 1e24));
    }

    function give(uint256 who, uint256 to, uint256 amount) external {
        calls++;
        uint256 i = to % PEOPLE;
        if (!accepts(i)) return;
        address from = who % 5 == 0 ? owner(i) : delegator(who);
        uint256 value = within(amount, 1e10, 1e24);
        vm.deal(from, from.balance + value);
        vm.prank(from);
        try staking.delegate{value: value}(owner(i)) {
            delegated++;
        } catch (bytes memory why) {
            same(bytes32(bytes4(why)), bytes32(IStaking.ZeroShares.selector), "the only reason");
        }
    }

    function take(uint256 who, uint256 from, uint256 part, uint256 to) external {
        calls++;
        uint256 i = from % PEOPLE;
        address account = who % 4 == 0 ? owner(i) : delegator(who);
        uint256 held = staking.sharesOf(owner(i), account);
        if (held == 0) return;
        uint256 shares = part % 3 == 0 ? held : within(part, 1, held);
        bool move = to % 2 == 0 && (to >> 8) % PEOPLE != i && accepts((to >> 8) % PEOPLE);
        try this.undelegateAs(move, owner(i), owner((to >> 8) % PEOPLE), shares, account) {
            unbondings++;
        } catch (bytes memory why) {
            same(bytes32(bytes4(why)), bytes32(IStaking.ZeroShares.selector), "the only reason");
        }
    }

    function undelegateAs(bool move, address from, address to, uint256 shares, address account) external {
        vm.prank(account);
        if (move) staking.redelegate(from, to, shares);
        else staking.undelegate(from, shares);
    }

    function finish(uint256 which) external {
        calls++;
        for (uint256 n = 0; n < 8 && unbondings != 0; n++) {
            uint256 id = 1 + (which % unbondings + n) % unbondings;
            try staking.complete(id) {
                return;
            } catch {}
        }
    }

    function unjail(uint256 who) external {
        calls++;
        vm.prank(owner(who % PEOPLE));
        try staking.unjail() {} catch {}
    }

    function end(uint256 seed, uint256 reward) external {
        calls++;
        IStaking.Work[] memory work = new IStaking.Work[](PEOPLE);
        for (uint256 i = 0; i < PEOPLE; i++) {
            uint32 proposed = uint32((seed >> (8 * i)) % 16);
            work[i] = IStaking.Work(owner(i), proposed, uint32((seed >> (8 * i + 4)) % 16), bytes32(seed));
        }
        vm.roll(block.number + 1);
        endEpoch(seed % 3 == 0 ? 0 : within(reward, 1, 1e21), work);
        yes(staking.nextSet().length > 0, "the set is never empty");
    }

    function report(uint256 who, uint64 view_, uint256 back) external {
        calls++;
        if (who % _slashOneIn != 0) return;
        uint256 i = (who >> 8) % PEOPLE;
        uint64 e = staking.epoch();
        e -= uint64(back % 3 < e ? back % 3 : e);
        view_ = view_ % 1000 + 1;
        IStaking.Vote memory a = vote(i, e, view_, 0, keccak256("a"));
        IStaking.Vote memory b = vote(i, e, view_, 0, keccak256("b"));
        vm.prank(delegator(back));
        try staking.slash(a, b) {
            slashes++;
        } catch {}
    }

    function reportMore(uint256 who) external {
        calls++;
        try staking.slashMore(owner(who % PEOPLE)) {} catch {}
    }

    function newKey(uint256 who) external {
        calls++;
        uint256 i = who % PEOPLE;
        if (status(i) == IStaking.Status.None || status(i) == IStaking.Status.Tombstoned) return;
        changeKey(i, 1e6 + ++keys);
    }

    function collect(uint256 who) external {
        calls++;
        address account = who % 3 == 0 ? owner((who >> 8) % PEOPLE) : delegator(who >> 8);
        try staking.collect(payable(account)) {} catch {}
    }

    function time(uint16 seconds_) external {
        calls++;
        vm.warp(block.timestamp + (seconds_ % 4 == 0 ? seconds_ % 4000 : seconds_ % 100));
    }

    function takeMoney(uint256 who) external {
        calls++;
        address account = who % 3 == 0 ? owner((who >> 8) % PEOPLE) : delegator(who >> 8);
        if (staking.credit(account) != 0) staking.withdrawFor(payable(account));
    }
}

abstract contract StakingInvariants is StakingWorld {
    StakingHandler internal handler;

    function targetContracts() public view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory list) {
        bytes4[] memory s = new bytes4[](12);
        (s[0], s[1], s[2]) = (StakingHandler.enter.selector, StakingHandler.give.selector, StakingHandler.take.selector);
        (s[3], s[4], s[5]) = (StakingHandler.finish.selector, StakingHandler.unjail.selector, StakingHandler.end.selector);
        (s[6], s[7], s[8]) = (StakingHandler.report.selector, StakingHandler.time.selector, StakingHandler.takeMoney.selector);
        (s[9], s[10], s[11]) = (StakingHandler.reportMore.selector, StakingHandler.newKey.selector, StakingHandler.collect.selector);
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector(address(handler), s);
    }

    function start(uint256 slashOneIn) internal {
        setUpWorld();
        genesis(0, SELF);
        genesis(1, SELF);
        handler = new StakingHandler(slashOneIn);
    }

    function invariant_every_contract_holds_what_it_owes() public view {
        owes();
        yes(staking.nextSet().length > 0, "the set is never empty");
        if (handler.calls() % 40 == 0) books();
    }

    function afterInvariant() public view {
        books();
        yes(handler.calls() < 200 || (handler.delegated() > 0 && handler.unbondings() > 0), "the run did something");
    }

    function books() private view {
        uint256 sum = 0; // of stake, unbonding and credit
        for (uint256 i = 0; i < handler.PEOPLE(); i++) {
            IStaking.Validator memory v = staking.validator(owner(i));
            sum += v.stake + staking.credit(owner(i));
            uint256 shares = 0;
            uint256 parts = 0;
            for (uint256 n = 0; n < handler.DELEGATORS() + handler.PEOPLE(); n++) {
                // an operator may have moved its stake to another
                address holder = n < handler.DELEGATORS() ? renter(n) : owner(n - handler.DELEGATORS());
                shares += staking.sharesOf(owner(i), holder);
                parts += staking.delegation(owner(i), holder);
            }
            same(shares, v.shares, "shares add up");
            yes(parts <= v.stake, "parts are no more than the whole");
            sum += v.unbonding;
        }
        for (uint256 n = 0; n < handler.DELEGATORS(); n++) sum += staking.credit(renter(n));
        yes(sum <= staking.liabilities(), "all that is owed is in the liabilities");
        unbondings();
        holdings();
    }

    /// @dev The lists have each thing once, and nothing else.
    function holdings() private view {
        uint256 open = 0;
        for (uint256 n = 0; n < handler.DELEGATORS() + handler.PEOPLE(); n++) {
            address holder = n < handler.DELEGATORS() ? renter(n) : owner(n - handler.DELEGATORS());
            uint256 held = 0;
            for (uint256 i = 0; i < handler.PEOPLE(); i++) if (staking.sharesOf(owner(i), holder) != 0) held++;
            IStaking.Delegation[] memory list = staking.delegationsOf(holder);
            same(list.length, held, "as many as there are");
            for (uint256 k = 0; k < list.length; k++) {
                yes(list[k].shares != 0 && list[k].shares == staking.sharesOf(list[k].validator, holder), "with their shares");
            }
            open += staking.unbondingsOf(holder).length;
        }
        for (uint256 id = 1; id <= handler.unbondings(); id++) {
            try staking.unbonding(id) {
                open--;
            } catch {}
        }
        same(open, 0, "every unbonding is in its owner's list");
    }

    function unbondings() private view {
        uint256[] memory promised = new uint256[](handler.PEOPLE());
        for (uint256 id = 1; id <= handler.unbondings(); id++) {
            try staking.unbonding(id) returns (IStaking.Unbonding memory u) {
                promised[uint160(u.validator) - 0xA0000] += u.amount;
            } catch {}
        }
        for (uint256 i = 0; i < promised.length; i++) {
            yes(promised[i] <= staking.validator(owner(i)).unbonding, "unbonding parts are no more than the whole");
        }
    }
}

contract QuietStakingInvariants is StakingInvariants {
    function setUp() public {
        start(50);
    }
}

contract SlashedStakingInvariants is StakingInvariants {
    function setUp() public {
        start(3);
    }
}
