"""Programs that are kept to be run again: those used last, as many as a budget of bytes allows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING

from .._locks import MAKING

if TYPE_CHECKING:
    from .program import Program

BUDGET = 64 << 20  # bytes of the programs of one network or trainer,
LEAST = 4  # of which so many are kept whatever they take: a step, an evaluation, ...
OPERATION_BYTES = 4096  # what an operation takes besides the workspace, about


class ProgramCache:
    """Programs by key, in the order of their last use."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Program] = {}
        self._last: tuple[Hashable, Program] | None = None

    def get(self, key: Hashable, rows: int, make: Callable[[], Program]) -> Program:
        """The program of this key, which takes at least `rows` rows; it is made if there is none."""
        last = self._last
        if last is not None and last[0] == key and last[1].batch_size >= rows:
            return last[1]
        with MAKING:
            program = self._kept.get(key)
            if program is None or program.batch_size < rows:
                program = make()
            self._kept.pop(key, None)
            self._kept[key] = program
            self._last = key, program
            self._shrink()
        return program

    def _shrink(self) -> None:
        total = sum(map(size_of, self._kept.values()))
        for key in list(self._kept)[:-LEAST]:
            if total <= BUDGET:
                break
            total -= size_of(self._kept.pop(key))

    def __iter__(self) -> Iterator[Program]:
        return iter(list(self._kept.values()))

    def __len__(self) -> int:
        return len(self._kept)


def size_of(program: Program) -> int:
    """Bytes that a program takes, about."""
    return program.workspace + OPERATION_BYTES * len(program.operations)
