"""Sums over blocks and ranks: one order for any number of ranks."""

import numpy as np
import pytest

from fastnn.distributed.tree import LONG, Tree
from support.ranks import of_ranks


def add(numbers, later):
    numbers += later


def by_hand(parts):
    """The sum of neighbors, of neighbors of these, and so on."""
    while len(parts) > 1:
        parts = [a + b for a, b in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def totals(size, numbers, gradients, merge=add):
    """The sums that each of so many ranks has, twice: the second time in memory that was used before."""

    def run(comm):
        grad = np.zeros_like(gradients[0])
        tree = Tree(comm, len(numbers), numbers.shape[1], grad)

        def compute(block):
            tree.leaf.numbers[...], grad[...] = numbers[block], gradients[block]

        for _ in range(2):
            total = tree.total(compute, merge)
        return total.numbers.copy(), total.gradient.copy(), len(tree._spare)

    return of_ranks(size, run)


@pytest.mark.parametrize("blocks", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("n", [1, 7, LONG // 4 + 3], ids=["one", "short", "long"])
def test_the_order_of_additions_is_that_of_the_tree_for_any_number_of_ranks(blocks, n):
    rng = np.random.default_rng(0)
    numbers, gradients = rng.normal(size=(blocks, 5)), rng.normal(size=(blocks, n)).astype("float32")
    right = by_hand(list(numbers)), by_hand(list(gradients))
    for size in range(1, min(blocks, 9) + 1):
        for rank, (mine, gradient, _) in enumerate(totals(size, numbers, gradients)):
            assert (mine == right[0]).all() and (gradient == right[1]).all(), (size, rank)


def test_numbers_are_merged_with_the_earlier_blocks_first():
    """Merging need not be commutative: here it appends digits."""

    def append(numbers, later):
        numbers[0] = numbers[0] * 10 ** later[1] + later[0]
        numbers[1] += later[1]

    numbers = np.array([[block + 1, 1] for block in range(8)], "float64")
    for n in (1, LONG):
        for size in range(1, 9):
            for mine, *_ in totals(size, numbers, np.zeros((8, n), "float32"), append):
                assert mine[0] == 12345678, size


def test_one_rank_keeps_few_sums_at_a_time():
    numbers, gradients = np.zeros((64, 1)), np.zeros((64, 3))
    ((_, _, spare),) = totals(1, numbers, gradients)
    assert spare <= 7


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
def test_each_block_has_one_owner(size):
    trees = of_ranks(size, lambda comm: Tree(comm, 8, 1, np.zeros(1)))
    assert [block for tree in trees for block in tree.mine] == list(range(8))
    assert all(trees[tree.owner(block)].mine.count(block) == 1 for tree in trees for block in range(8))


def test_bytes_of_a_sum_that_is_exchanged_whole_and_in_parts():
    def sent(size, n):
        def run(comm):
            tree = Tree(comm, 8, 8, np.zeros(n, "float32"))
            tree.total(lambda block: None, add)
            return comm.sent

        return of_ranks(size, run)

    assert sent(2, 1000) == [64 + 4000] * 2
    assert sent(8, 1000) == [3 * (64 + 4000)] * 8
    n = 8 * LONG  # 2 n (ranks - 1) / ranks
    assert sent(8, n) == [3 * 64 + 2 * 4 * n * 7 // 8] * 8
