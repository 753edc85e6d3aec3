// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SumTree} from "../src/SumTree.sol";
import {Test} from "./Cheats.sol";

contract SumTreeTest is Test {
    using SumTree for SumTree.Tree;

    SumTree.Tree private tree;

    /// @dev Against plain prefix sums: sizes 1..40, some weights changed, some items skipped, every interesting unit.
    function testFuzz_finds_what_prefix_sums_find(uint256 seed, uint8 count, uint8 changes) public {
        uint256 size = within(count, 1, 40);
        for (uint256 i = 1; i <= size; i++) {
            same(tree.append(), i, "item");
            tree.set(i, rnd(seed, i) % 5);
        }
        for (uint256 i = 0; i < changes % 50; i++) tree.set(1 + rnd(seed, 100 + i) % size, rnd(seed, 200 + i) % 7);
        SumTree.Skipped memory skipped = SumTree.newSkipped(size);
        bool[] memory out = new bool[](size + 1);
        for (uint256 i = 1; i <= size; i++) {
            if (rnd(seed, 300 + i) % 3 != 0) continue;
            tree.skip(skipped, i);
            out[i] = true;
        }
        uint256 x = 0;
        for (uint256 i = 1; i <= size; i++) {
            if (out[i]) continue;
            for (uint256 unit = 0; unit < tree.weight[i]; unit++) same(tree.find(skipped, x++), i, "who holds unit x");
        }
        same(x, tree.total - skipped.total, "total");
    }

    function rnd(uint256 seed, uint256 n) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, n)));
    }
}
