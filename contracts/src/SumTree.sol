// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A Fenwick tree of weights: change one, or find who holds the x-th unit of weight, in O(log n).
/// @dev Items are 1 .. size. node[i] is the sum of the weights of (i - lowbit(i), i].
///      Fenwick, "A new data structure for cumulative frequency tables", 1994.
library SumTree {
    struct Tree {
        uint256 size;
        uint256 total;
        mapping(uint256 => uint256) node;
        mapping(uint256 => uint256) weight;
    }

    /// @dev Items that a draw leaves out, without touching storage.
    struct Skipped {
        uint256 count;
        uint256 total;
        uint256[] item;
        uint256[] weight;
    }

    function append(Tree storage tree) internal returns (uint256 item) {
        item = ++tree.size;
        uint256 low = item - lowbit(item);
        uint256 sum = 0;
        for (uint256 child = item - 1; child > low; child -= lowbit(child)) sum += tree.node[child];
        if (sum != 0) tree.node[item] = sum;
    }

    function set(Tree storage tree, uint256 item, uint256 weight) internal {
        uint256 old = tree.weight[item];
        if (old == weight) return;
        tree.weight[item] = weight;
        tree.total = tree.total - old + weight;
        uint256 size = tree.size;
        for (uint256 i = item; i <= size; i += lowbit(i)) tree.node[i] = tree.node[i] - old + weight;
    }

    function newSkipped(uint256 capacity) internal pure returns (Skipped memory s) {
        s.item = new uint256[](capacity);
        s.weight = new uint256[](capacity);
    }

    /// @dev The caller skips an item once only, and no more than the capacity.
    function skip(Tree storage tree, Skipped memory s, uint256 item) internal view {
        uint256 weight = tree.weight[item];
        if (weight == 0) return;
        s.item[s.count] = item;
        s.weight[s.count] = weight;
        s.count++;
        s.total += weight;
    }

    /// @dev The item that holds unit `x` when the skipped ones are left out. x < total - skipped total.
    function find(Tree storage tree, Skipped memory s, uint256 x) internal view returns (uint256) {
        uint256 size = tree.size;
        uint256 below = 0; // all items <= below hold less than or equal to what was taken off x
        for (uint256 step = highestBit(size); step != 0; step >>= 1) {
            uint256 next = below + step;
            if (next > size) continue;
            uint256 sum = tree.node[next] - skippedWithin(s, below, next);
            if (sum <= x) {
                x -= sum;
                below = next;
            }
        }
        assert(below < size);
        return below + 1;
    }

    /// @dev Weight of the skipped items in (low, high].
    function skippedWithin(Skipped memory s, uint256 low, uint256 high) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < s.count; i++) {
            if (s.item[i] > low && s.item[i] <= high) sum += s.weight[i];
        }
    }

    function lowbit(uint256 x) private pure returns (uint256) {
        unchecked {
            return x & (~x + 1);
        }
    }

    function highestBit(uint256 x) private pure returns (uint256 bit) {
        if (x == 0) return 0;
        bit = 1;
        while (bit <= x >> 1) bit <<= 1;
    }
}
