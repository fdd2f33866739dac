"""The sum over the blocks of a batch, in one order: the same bits for any number of ranks.

Blocks are the leaves of a binary tree in which neighbors are added first: ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)).
Each rank has neighboring blocks, adds what of the tree it has alone, and the ranks then add the rest.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._validation import Array
from .communicator import Communicator
from .sums import Merge, Sums

TAG = 7117  # of all messages
LONG = 1 << 16  # bytes from which each rank of four or more adds a part of the gradient, and all gather the parts

Node = tuple[int, int]  # (level, number): the sum of the blocks number << level ... ((number + 1) << level) - 1


class Tree:
    """Adds up over blocks and ranks.

    Parameters
    ----------
    comm : Communicator
    blocks : int
        A power of two, at least the number of ranks.
    numbers : int
        How many numbers are added beside the gradient.
    gradient : ndarray
        The array in which the gradient of a block is computed.
    """

    def __init__(self, comm: Communicator, blocks: int, numbers: int, gradient: Array) -> None:
        self.comm, self.blocks, self.rank, self.size = comm, blocks, comm.Get_rank(), comm.Get_size()
        self.leaf = Sums(numbers, gradient, buffer=False)
        self._spare: list[Sums] = []

    @property
    def mine(self) -> range:
        """The blocks of this rank."""
        return range(self.rank * self.blocks // self.size, (self.rank + 1) * self.blocks // self.size)

    def owner(self, block: int) -> int:
        """The rank that has a block."""
        return ((block + 1) * self.size - 1) // self.blocks

    def total(self, compute: Callable[[int], None], merge: Merge) -> Sums:
        """The sum over all blocks, on all ranks; `compute(block)` writes what one gives to `leaf`.

        The result is valid until the next one.
        """
        with np.errstate(all="ignore"):  # infinity and NaN are told by the loss
            nodes = self._own(compute, merge)
            if self.size & (self.size - 1):
                total = self._up(nodes, merge)
            else:
                (total,) = nodes.values()
                long = self.size > 2 and total.gradient.nbytes >= LONG
                total = self._by_parts(total, merge) if long else self._doubled(total, merge)
        self._spare.append(total)
        return total

    def _new(self) -> Sums:
        return self._spare.pop() if self._spare else Sums(self.leaf.numbers.size, self.leaf.gradient)

    def _own(self, compute: Callable[[int], None], merge: Merge) -> dict[Node, Sums]:
        """The parts of the tree that this rank has alone, as large as possible; at most log2(blocks) + 1 at a time."""
        parts: list[tuple[Node, Sums]] = []
        for block in self.mine:
            compute(block)
            node, sums = (0, block), self.leaf
            while parts and node[1] % 2 and parts[-1][0] == (node[0], node[1] - 1):
                _, before = parts.pop()
                before.add(sums, merge)
                if sums is not self.leaf:
                    self._spare.append(sums)
                node, sums = (node[0] + 1, node[1] // 2), before
            if sums is self.leaf:
                sums = self._new()
                sums.take(self.leaf)
            parts.append((node, sums))
        return dict(parts)

    def _doubled(self, mine: Sums, merge: Merge) -> Sums:
        """Recursive doubling, of a power of two of ranks: log2(ranks) times, two exchange all that they have."""
        other, distance = self._new(), 1
        while distance < self.size:
            partner = self.rank ^ distance
            self._exchange(partner, mine.buffer, other.buffer)
            if partner < self.rank:
                mine, other = other, mine
            mine.add(other, merge)
            distance *= 2
        self._spare.append(other)
        return mine

    def _by_parts(self, mine: Sums, merge: Merge) -> Sums:
        """Recursive halving, then doubling: the same tree, for two messages of the gradient instead of log2(ranks)."""
        other, distance, steps = self._new(), 1, list[tuple[int, slice, slice]]()
        start, stop = 0, mine.gradient.size
        while distance < self.size:
            partner, middle = self.rank ^ distance, (start + stop) // 2
            self._exchange(partner, mine.head, other.head)
            low, high = slice(start, middle), slice(middle, stop)
            keep, give = (high, low) if self.rank & distance else (low, high)
            self._exchange(partner, mine.gradient[give], other.gradient[keep])
            np.add(mine.gradient[keep], other.gradient[keep], out=mine.gradient[keep])
            lower, higher = (other, mine) if partner < self.rank else (mine, other)
            merge(lower.numbers, higher.numbers)
            mine.numbers[...] = lower.numbers
            steps.append((partner, keep, give))
            start, stop, distance = keep.start, keep.stop, 2 * distance
        for partner, keep, give in reversed(steps):
            self._exchange(partner, mine.gradient[keep], mine.gradient[give])
        self._spare.append(other)
        return mine

    def _up(self, nodes: dict[Node, Sums], merge: Merge) -> Sums:
        """Any number of ranks: the owner of a node's first block is sent its second half; then rank 0 tells all."""
        other = self._new()
        for level in range(self.blocks.bit_length() - 1):
            for number in range(0, self.blocks >> level, 2):
                left, right = (self.owner(i << level) for i in (number, number + 1))
                if self.rank == right != left:
                    sums = nodes.pop((level, number + 1))
                    self.comm.Send(sums.buffer, dest=left, tag=TAG)
                    self._spare.append(sums)
                if self.rank == left and (level, number) in nodes:  # otherwise it was added before
                    sums = nodes.pop((level, number))
                    if right == left:
                        later = nodes.pop((level, number + 1))
                        self._spare.append(later)
                    else:
                        self.comm.Recv(other.buffer, source=right, tag=TAG)
                        later = other
                    sums.add(later, merge)
                    nodes[level + 1, number // 2] = sums
        self._spare.append(other)
        total = nodes.popitem()[1] if nodes else self._spare.pop()
        self.comm.Bcast(total.buffer, root=0)
        return total

    def _exchange(self, partner: int, mine: Array, other: Array) -> None:
        """Send an array and receive one like it."""
        mine, other = mine.view("uint8"), other.view("uint8")
        self.comm.Sendrecv(mine, dest=partner, sendtag=TAG, recvbuf=other, source=partner, recvtag=TAG)
