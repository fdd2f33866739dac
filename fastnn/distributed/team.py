"""The ranks that share a run: they meet once for each update, and whatever happens to one, all know of it there.

Every meeting of a run is the same message: sums over blocks, with a few flags in front. So a rank that must end the
run, wherever it is, joins the next meeting of the others with a flag; nobody waits for a rank that does not come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any

from .. import _validation as check
from .._core.errors import NonFinite
from .._validation import Array
from .communicator import METHODS, Alone, Communicator
from .sums import Merge
from .tree import Tree

BLOCKS = 8  # unless told otherwise
MOST_BLOCKS = 1 << 16
# The first numbers of a message; each is the number of ranks that say so, but for PLACE, the sum of their counts of
# meetings, by which ranks notice that they are not at the same place.
ERROR, NONFINITE, TOLD, INTERRUPTED, LEAVING, PLACE = range(6)
FLAGS = 6


class RankError(RuntimeError):
    """Another rank raised an error, so that this one cannot go on either; the message is that of the other rank."""


class Ended(Exception):
    """Rank 0 has ended the run; `message` is what it said."""

    def __init__(self, message: dict[str, Any]) -> None:
        super().__init__()
        self.message = message


class Team:
    """The ranks of a communicator, between which the blocks of each batch are shared.

    Parameters
    ----------
    comm : Communicator or None
        Of mpi4py; None is this process alone.
    blocks : int or None
        Into how many blocks each batch is cut: a power of two, at least the number of ranks. None is 8.

    Attributes
    ----------
    rank, size : int
        The number of this process, and of all.
    over : {"", "closed", "failed"}
        Whether the run has had its last meeting: rank 0 closed it, or a rank had an error or Ctrl-C.
    interrupted : bool
        Whether this process was sent Ctrl-C: all ranks stop at the next meeting.
    tell : function returning dict or None
        Of rank 0: called before each meeting, it returns what all others must know before they go on.
    hear : function taking that dict
        Of all ranks: called with it.
    """

    def __init__(self, comm: Any = None, blocks: int | None = None) -> None:
        self.comm: Communicator = Alone() if comm is None else comm
        if missing := [name for name in METHODS if not callable(getattr(comm, name, None))] if comm is not None else []:
            raise TypeError(
                f"comm must be a communicator of mpi4py, such as MPI.COMM_WORLD, got {type(comm).__name__} without "
                f"{missing[0]}"
            )
        self.rank, self.size = self.comm.Get_rank(), self.comm.Get_size()
        number = BLOCKS if blocks is None else blocks
        self.blocks = check.check_integer("blocks", number, at_least=1, at_most=MOST_BLOCKS)
        if self.blocks & (self.blocks - 1):
            raise ValueError(f"blocks must be a power of two (1, 2, 4, 8, ...), got {self.blocks}")
        if self.size > self.blocks:
            least = 1 << (self.size - 1).bit_length()
            raise ValueError(
                f"blocks must be at least the number of ranks, {self.size}, so that each has a part of a batch, "
                f"got {self.blocks}: blocks={least}"
            )
        self.interrupted, self.over = False, "closed"
        self._tree: Tree | None = None
        self._meetings = 0
        self.tell: Callable[[], dict[str, Any] | None] = lambda: None
        self.hear: Callable[[dict[str, Any]], None] = lambda message: None

    def __repr__(self) -> str:
        return f"Team(rank {self.rank} of {self.size}, {self.blocks} blocks)"

    # -- blocks --------------------------------------------------------------------------------------------------------

    def block_rows(self, batch: int) -> int:
        """Rows of a block of a batch of so many rows; its last blocks may have fewer, or none."""
        return max(1, -(-batch // self.blocks))

    # -- before a run --------------------------------------------------------------------------------------------------

    def exchange(self, item: Any, error: BaseException | None = None) -> list[Any]:
        """The items of all ranks; RankError on all if one comes with an error, but where that is raised anyway."""
        items = self.comm.allgather((None if error is None else _words(error), item))
        self._raise([words for words, _ in items], error)
        return [item for _, item in items]

    @contextmanager
    def starting(self) -> Iterator[None]:
        """A context, up to the first meeting, in which an error on one rank is raised on all."""
        try:
            yield
        except RankError:
            raise
        except BaseException as error:
            self.exchange(None, error)
            raise

    def compare(self, facts: dict[str, tuple[str, str]]) -> None:
        """Raise ValueError on all ranks unless all have the same facts.

        `facts` are by name pairs of words for the message and a text, such as a hash, that is compared.
        """
        for rank, others in enumerate(items := self.exchange(facts)):
            for name in dict.fromkeys((*items[0], *others)):
                mine, theirs = (of.get(name, ("none", "")) for of in (items[0], others))
                if mine[1] != theirs[1]:
                    way_out = WAYS_OUT.get(name, "all ranks must run the same script with the same data")
                    words = _difference(theirs[0], mine[0])
                    raise ValueError(f"ranks must have the same {name}: rank {rank} has {words}: {way_out}")

    def _raise(self, words: list[str | None], error: BaseException | None) -> None:
        """Raise RankError for the first rank that had an error, unless this one had one too, which is raised anyway."""
        rank = next((i for i, text in enumerate(words) if text is not None), None)
        if rank is not None and error is None:
            raise RankError(f"rank {rank} of {self.size} raised {words[rank]}")

    # -- meetings ------------------------------------------------------------------------------------------------------

    def begin(self, numbers: int, gradient: Array) -> None:
        """Begin a run, or a step: messages are of so many numbers, beside the flags, and of such a gradient."""
        tree = self._tree
        if tree is None or tree.leaf.numbers.size != FLAGS + numbers or tree.leaf.gradient is not gradient:
            self._tree = Tree(self.comm, self.blocks, FLAGS + numbers, gradient)
        self.over, self.interrupted, self._meetings = "", False, 0

    def meet(self, compute: Callable[[int, Array], None], merge: Merge) -> tuple[Array, Array] | None:
        """The sums over all blocks, of numbers and of gradients; None if rank 0 told something: then it is done again.

        Parameters
        ----------
        compute : function (block, numbers) -> None
            Computes a block's numbers, which are 0 before, and its gradient.
        merge : function (numbers, later) -> None
            Adds numbers.

        Raises
        ------
        NonFinite
            If the loss of a block was not finite; its argument is the first one that `compute` raised on any rank.
        RankError
            If another rank had an error; where it was, that error is raised.
        Ended
            If rank 0 has ended the run.
        KeyboardInterrupt
            If any rank was sent Ctrl-C.
        """
        message = self.tell() if self.rank == 0 else None
        return self._meet(compute, merge, None, message, leaving=False)

    def leave(self, error: BaseException | None, message: dict[str, Any] | None) -> None:
        """The last meeting of a rank that ends the run, with an error or a message of rank 0; it raises as `meet`."""
        place = None if error is None else error.__traceback__
        try:
            self._meet(lambda block, numbers: None, lambda numbers, later: None, error, message, leaving=True)
        except BaseException as raised:
            if raised is not error:
                raise
            raised.__traceback__ = place  # it is raised by the caller, from where it was

    def _meet(
        self,
        compute: Callable[[int, Array], None],
        merge: Merge,
        error: BaseException | None,
        message: dict[str, Any] | None,
        leaving: bool,
    ) -> tuple[Array, Array] | None:
        tree, flags, failed = self._tree, [0.0] * FLAGS, error
        assert tree is not None
        assert not self.over

        def leaf(block: int) -> None:
            nonlocal failed
            numbers = tree.leaf.numbers
            numbers[...] = 0
            if failed is None and message is None:
                try:
                    compute(block, numbers[FLAGS:])
                except BaseException as raised:  # the others are told first
                    failed = raised
            if block == tree.mine[-1]:
                flags[NONFINITE] = isinstance(failed, NonFinite)
                flags[ERROR] = failed is not None and not flags[NONFINITE]
                flags[TOLD], flags[INTERRUPTED] = message is not None, self.interrupted
                flags[LEAVING], flags[PLACE] = leaving, self._meetings
                numbers[:FLAGS] = flags

        def add(numbers: Array, later: Array) -> None:
            numbers[:FLAGS] += later[:FLAGS]
            merge(numbers[FLAGS:], later[FLAGS:])

        total = tree.total(leaf, add)
        said = total.numbers[:FLAGS]
        self._meetings += 1
        if said[:PLACE].any() or said[PLACE] != self.size * (self._meetings - 1):
            self._look(said, failed, message)
            return None
        return total.numbers[FLAGS:], total.gradient

    def _look(self, said: Array, failed: BaseException | None, message: dict[str, Any] | None) -> None:
        """What the flags of a meeting mean."""
        if said[ERROR]:
            self.over = "failed"
            words = self.comm.allgather(_words(failed) if failed is not None else None)
            self._raise(words, failed)
            assert failed is not None
            raise failed
        if said[TOLD]:
            message = self.comm.bcast(message, root=0)
            assert message is not None
            if message.get("closing"):
                self.over = "closed"
                raise Ended(message)
            if not said[LEAVING]:
                self.hear(message)
                return
        if said[LEAVING] or said[PLACE] != self.size * (self._meetings - 1):
            self.over = "failed"
            raise RuntimeError("ranks are at different places of the run: all must call fit and step in the same order")
        if said[INTERRUPTED]:
            self.over = "failed"
            raise KeyboardInterrupt
        firsts = self.comm.allgather(failed.args[0] if isinstance(failed, NonFinite) else None)
        raise NonFinite(min(first for first in firsts if first is not None))


WAYS_OUT = {
    "initial weights": "give the network a seed, nn.Sequential(..., seed=0), or load one file on all ranks",
    "random seed": "give the network a seed, nn.Sequential(..., seed=0)",
    "x": "each rank is given all samples, and trains its blocks of every batch",
    "y": "each rank is given all samples, and trains its blocks of every batch",
}


def _difference(theirs: str, mine: str) -> str:
    """What another rank has that rank 0 has not, in words: of several lines the first that differ."""
    if theirs == mine:
        return f"other values than rank 0 ({mine})"
    pairs = zip_longest(theirs.splitlines(), mine.splitlines(), fillvalue="nothing more")
    theirs, mine = next((" ".join(a.split()), " ".join(b.split())) for a, b in pairs if a != b)
    return f"{theirs}, rank 0 has {mine}"


def _words(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
