"""Threads that train networks side by side, each network on one core."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field

from .._core.threads import get_num_threads, work_alone
from .._validation import Array
from ..compiler.cache import size_of
from ..training import Trainer
from ..training.loop import Loop

MOST_BYTES = 256 << 20  # of programs that are kept for the next call
LOOK_SECONDS = 0.05  # how often the calling thread looks around while it waits


@dataclass(slots=True)
class Member:
    """A network that is trained among others.

    Attributes
    ----------
    index : int
        Its place among them.
    trainer : Trainer
    run : Loop
    cost : float
        Multiply-adds of an epoch, about.
    calls : iterator
        The compiled calls of the run; the member is trained by going through them.
    done : bool
    """

    index: int
    trainer: Trainer
    run: Loop
    cost: float
    calls: Iterator[None] = field(init=False)
    has_begun: bool = False
    saved: Array | None = None
    done: bool = False
    had_programs: bool = False

    def __post_init__(self) -> None:
        self.calls = self.run.calls()

    def begin(self) -> None:
        """Make the run that of its trainer."""
        trainer, run = self.trainer, self.run
        self.had_programs = len(trainer.engine.programs) > 0
        trainer.run, trainer.history, trainer.paused, trainer._without_run = run, run.history, None, False

    def left(self) -> float:
        """The cost of the epochs that are left."""
        return self.cost * (self.run.epochs - self.run.epoch)

    def advance(self) -> None:
        """Train until the next pause, or the end."""
        self.has_begun = True
        try:
            next(self.calls)
        except StopIteration:
            self.done = True
            self.run.history.fill()

    def end(self) -> None:
        """End the run where it is, if it has begun; callbacks are told."""
        if self.done or not self.has_begun:
            return
        with suppress(KeyboardInterrupt, StopIteration):
            self.calls.throw(KeyboardInterrupt())  # type: ignore[attr-defined]
        self.run.history.interrupted = True
        self.run.history.fill()


class Workers:
    """Threads that take members, the largest first, and train them to their ends.

    As long as there is a member for each core, each is trained by one thread alone; the last ones share the cores. When
    fewer wait than there are threads, a thread changes at a pause to the one of which most is left.
    """

    def __init__(self, members: list[Member]) -> None:
        self.members = members
        self.waiting = sorted(members, key=Member.left)  # the largest last
        self.threads = max(1, min(get_num_threads(), len(members)))
        self.active = 0
        self.running: dict[int, Member] = {}  # by index
        self.stopping = False
        self.pausing = False  # whether the calling thread wants all members to be between two calls
        self.at_work = 0  # threads that are within one
        self.kept = 0  # bytes of programs of members that are done
        self.errors: list[tuple[int, BaseException]] = []
        self._changed = threading.Condition()

    def go(self, look: Callable[[], None] = lambda: None) -> None:
        """Train all members; `look` is called now and then meanwhile, by the calling thread.

        Raises
        ------
        BaseException
            What `look`, or a signal in the calling thread, raised, or the first error of a member; all members are then
            between two batches.
        """
        try:
            for _ in range(self.threads):
                self._start()
            while not self._wait():
                if self.stopping:
                    self.stop()
                look()
        except BaseException:
            self.stop()
            raise
        if self.errors:
            index, error = min(self.errors, key=lambda pair: pair[0])
            raise _named(index, error)

    def _start(self) -> None:
        """Start a thread; it uses the backend that the caller uses."""
        context = copy_context()
        thread = threading.Thread(target=context.run, args=(self._work,), name="fastnn-fit-many", daemon=True)
        with self._changed:  # so that the thread does not end before it is counted
            self.active += 1
            try:
                thread.start()
            finally:
                if thread.ident is None:  # there is no room for a thread, or a signal came first
                    self.active -= 1

    @contextmanager
    def paused(self) -> Iterator[None]:
        """A context in which no member is trained: all are between two compiled calls."""
        try:
            with self._changed:
                self.pausing = True
                while self.at_work:
                    self._changed.wait(LOOK_SECONDS)
            yield
        finally:
            with self._changed:
                self.pausing = False
                self._changed.notify_all()

    def stop(self) -> None:
        """Have all threads end, and end the runs of their members."""
        self.stopping = True
        while True:
            with self._changed:
                for member in self.running.values():
                    member.trainer.engine.interrupt()
            if self._wait():
                return

    def _wait(self) -> bool:
        """Wait a little; whether all threads have ended."""
        with self._changed:
            if self.active:
                self._changed.wait(LOOK_SECONDS)
            return self.active == 0

    def _work(self) -> None:
        """What a thread does."""
        member: Member | None = None
        try:
            while (member := self._next(member)) is not None:
                try:
                    work_alone(self.active >= self.threads)
                    member.advance()
                finally:
                    self._rest()
                if member.done:
                    self._keep_programs(member)
        except BaseException as error:
            asked = self.stopping and isinstance(error, KeyboardInterrupt)
            self.stopping = True
            if member is not None and not asked:
                self.errors.append((member.index, error))
        finally:
            with self._changed:
                if member is not None:
                    self.running.pop(member.index, None)
                self.active -= 1
                self._changed.notify_all()

    def _rest(self) -> None:
        """Note that a compiled call has ended."""
        with self._changed:
            self.at_work -= 1
            if self.pausing:
                self._changed.notify_all()

    def _keep_programs(self, member: Member) -> None:
        """Drop the programs that were compiled for a member that is done, if those of all take too much memory."""
        if member.had_programs:
            return
        size = sum(map(size_of, member.trainer.engine.programs))
        with self._changed:
            self.kept += size
            too_much = self.kept > MOST_BYTES
        if too_much:
            self.kept -= size
            member.trainer.engine.forget()

    def _next(self, member: Member | None) -> Member | None:
        """The member to continue with, after a pause in `member`; None if there is none."""
        with self._changed:
            while self.pausing:
                self._changed.wait()
            if member is not None and (member.done or self.stopping or self._change_from(member)):
                del self.running[member.index]
                if not member.done:
                    self.waiting.insert(0, member)
                    self.waiting.sort(key=Member.left)
                member = None
            if member is None:
                if self.stopping or not self.waiting:
                    return None
                member = self.waiting.pop()
                self.running[member.index] = member
            self.at_work += 1
            return member

    def _change_from(self, member: Member) -> bool:
        """Whether another member has more before it, at the end, where the load is to be balanced."""
        return 0 < len(self.waiting) < self.threads and self.waiting[-1].left() > member.left()


def _named(index: int, error: BaseException) -> BaseException:
    """The error, whose message names the member."""
    if len(error.args) == 1 and isinstance(error.args[0], str):
        error.args = (f"trainers[{index}]: {error.args[0]}",)
    else:
        error.add_note(f"in trainers[{index}]")
    return error


def cost_of(trainer: Trainer, run: Loop) -> float:
    """Multiply-adds of an epoch, about: each parameter takes part three times a row."""
    return float(3 * trainer.net.parameters().data.size * (run.samples or 1))
