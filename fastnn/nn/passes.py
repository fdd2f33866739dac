"""Forward and backward passes of a network: the programs that do them, compiled when they are first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple
from weakref import WeakSet

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from .._locks import MAKING, Lock
from .._validation import SparseRows
from ..compiler.cache import ProgramCache
from ..compiler.program import Program
from ..functional._symbolic import Symbolic
from .inputs import as_given, as_rows, converted
from .network import Network
from .restructure import stream_of
from .structure import chain

Array = check.Array

# Rows of one run of the inference program: enough for two cores, few enough for the L2 cache.
PREDICT_ROWS = 512
CONVERTED = 1 << 20  # numbers of the inputs that are converted at a time


class Call(NamedTuple):
    """A call in training mode: what `backward` needs."""

    program: Program
    input: Array  # a copy of x, shape (rows, in_features)
    shape: tuple[int, ...]  # of x without its features
    given: tuple[int, ...]  # shape of x
    tick: int
    caller: int  # identifier of the thread


class Passes(Network):
    """A network that runs."""

    _internal: ClassVar[tuple[str, ...]] = ("run_forward",)
    input_scale = 1.0

    def _begin(self) -> None:
        """Begin without programs and calls."""
        self._calls, self._callers = Lock(), set[int]()
        self._programs = ProgramCache()
        self._version = 0  # counts the changes that require new programs
        self._predict: Callable[[Any], Array | None] | None = None  # the compiled fast path for plain matrices
        self._last: Call | None = None
        self._slices: WeakSet[Passes] = WeakSet()  # networks of some of these layers, which are compiled again too

    # -- running -------------------------------------------------------------------------------------------------------

    @errors_of_use
    def __call__(self, x: Any) -> Array:
        """Return the output for x, in the mode that `training` says.

        In training mode (the default; see `train` and `eval`) dropout is active and what `backward` needs is kept. In
        inference mode this is `predict`.

        Parameters
        ----------
        x : array of real numbers, shape (..., in_features)
            Of any dtype and layout; also lists, tables such as a DataFrame, and arrays of other libraries. Converted to
            the network's dtype, with the bits of `x.astype(dtype)`; integers and float16 are multiplied by
            `input_scale`.

        Returns
        -------
        y : ndarray of the network's dtype, shape (..., out_features)
            Of one sample, shape (in_features,), the shape is (out_features,).

        Raises
        ------
        TypeError
            If x does not consist of real numbers; the message names the column of a table.
        ValueError
            If x has another number of features, or other columns than the network was trained on, or a number is too
            large for the network's dtype.

        Examples
        --------
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 1, weight_init=1.0, bias_init=0.5), seed=0)
        >>> net([[1.0, 2.0]]).tolist()
        [[3.5]]
        >>> net([1, 2]).tolist()
        [3.5]
        """
        if isinstance(x, Symbolic):  # in a forward that is traced
            symbol: Array = x.call(self)
            return symbol
        if not self.training and not self._saving:
            return self.predict(x)
        return self.run_forward(x, "train" if self.training else "input_gradient")

    def run_forward(self, x: Any, mode: str, tick: int | None = None) -> Array:
        """The output for x by the program of a mode that has a backward pass: the next `backward` belongs to this call.

        With a `tick` of an earlier call its random numbers are drawn again.
        """
        x = as_given(self, x)
        given, shape = as_rows(self, x)
        rows = converted(self, given)
        # backward reads the input again, and the caller may overwrite x before that.
        rows = rows.copy() if rows is given else rows
        with self._calls:  # so that everything that backward needs is of the same call
            program = self.program(mode, rows.shape[0], rows.shape[1])
            program.check_rows(rows.shape[0], rows.shape[0])
            out = np.empty((rows.shape[0], program.n_out), self.dtype)
            now = int(self._tick[0]) + 1 if tick is None else tick
            program.run("forward", rows.shape[0], {"input": rows, "output": out}, now)
            if tick is None:
                self._tick[0] = now  # only now: a pass that failed does not count
            caller = threading.get_ident()
            self._callers.add(caller)
            self._last = Call(program, rows, shape, x.shape, now, caller)
        return out.reshape(*shape, program.n_out)

    @errors_of_use
    def backward(self, grad_output: Any) -> Array:
        """Add the gradients of the parameters for the last call in training mode, and return that of the input.

        Parameters
        ----------
        grad_output : ndarray, shape and dtype of that call's output
            Gradient of the loss with respect to the output.

        Returns
        -------
        grad_x : ndarray, shape of that call's input

        Raises
        ------
        RuntimeError
            If there was no call in training mode before, backward was called for it already, or another thread has
            called the network since.
        TypeError, ValueError
            If grad_output has another dtype or shape.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 1, weight_init=[[1.0], [2.0]], bias_init=0.0), nn.ReLU(), seed=0)
        >>> net(np.array([[1.0, 3.0]], "float32")).tolist()
        [[7.0]]
        >>> net.zero_grad()
        >>> net.backward(np.ones((1, 1), "float32")).tolist()
        [[1.0, 2.0]]
        >>> {name: grad.tolist() for name, grad in net.named_gradients()}
        {'0.weight': [[1.0], [3.0]], '0.bias': [1.0]}
        """
        with self._calls:
            return self._backward(grad_output)

    def _backward(self, grad_output: Any) -> Array:
        last, me = self._last, threading.get_ident()
        if last is None:
            raise RuntimeError(
                "backward needs a call of the network in training mode before it, one for each: net.train(); net(x)"
            )
        if last.caller != me and me in self._callers:
            raise RuntimeError("backward: another thread has called the network since: give each thread a copy of it")
        program, rows, shape, tick = last.program, len(last.input), last.shape, last.tick
        g = check.as_strict("grad_output", grad_output)
        if g.dtype != self.dtype:
            raise TypeError(f"grad_output is {g.dtype} but the network is {self.dtype}: both must have one dtype")
        check.check_shape("grad_output", g, (*shape, program.n_out), "like the output")
        grad_x = np.empty_like(last.input)
        slots = {
            "input": last.input,
            "grad_output": g.reshape(rows, program.n_out),
            "grad_input": grad_x,
        }
        program.run("backward", rows, slots, tick)
        self._last = None  # so that a second backward cannot add the same gradients again
        return grad_x.reshape(last.given)

    def predict(self, x: Any) -> Array:
        """Return the output for x in inference mode, for any number of rows.

        Parameters
        ----------
        x : array of real numbers, shape (..., in_features)
            As for a call. It is converted a batch at a time, so that one of another dtype or layout takes no memory.

        Returns
        -------
        y : ndarray of the network's dtype, shape (..., out_features)

        Raises
        ------
        TypeError, ValueError
            As a call.

        Notes
        -----
        A row's output has the same bits whatever other rows x has (unless a BatchNorm1d keeps no running statistics).

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 1, weight_init=1.0, bias_init=0.0), input_scale=0.5, seed=0)
        >>> net.predict(np.array([[1, 2]], "uint8")).tolist()
        [[1.5]]
        """
        if self._predict is not None:
            quick = self._predict(x)
            if quick is not None:
                return quick
        return self._predict_slowly(x)

    @errors_of_use
    def _predict_slowly(self, x: Any) -> Array:
        """`predict` for an x that must be converted or refused, or has more rows than one batch."""
        programs = self._programs
        rows, shape = as_rows(self, x, sparse=True)
        n = rows.shape[0]
        if isinstance(rows, SparseRows):
            return self._predict_sparse(rows)
        program = self.program("predict", min(n, PREDICT_ROWS), rows.shape[1])
        if program.by_batch:  # normalizes by the statistics of all of x
            program = self.program("predict", n, rows.shape[1])
            program.check_rows(n, n)
        quick_predict = getattr(program.executor, "predict", None)
        with MAKING:  # only if the programs were not replaced meanwhile
            self._predict = quick_predict if programs is self._programs else None
        out = np.empty((n, program.n_out), self.dtype)
        size = n if program.by_batch else program.rows_at_once()
        if rows.dtype != self.dtype and not program.by_batch:  # converted some rows at a time
            size = min(size, max(PREDICT_ROWS, CONVERTED // max(1, rows.shape[1])))
        for start in range(0, n, max(1, size)):
            program.predict_rows(converted(self, rows[start : start + size], start), out[start : start + size], start)
        return out.reshape(*shape, program.n_out)

    def _predict_sparse(self, x: SparseRows) -> Array:
        """`predict` for sparse rows, a batch at a time."""
        n, n_in = x.shape

        def make(rows: int) -> Program:
            return self.plan_program("predict", rows, n_in, sparse=True)

        size = min(n, PREDICT_ROWS)
        program = self._programs.get(("sparse", n_in), size, lambda: make(size))
        if program.by_batch:
            program, size = self._programs.get(("sparse", n_in), n, lambda: make(n)), n
            program.check_rows(n, n)
        out = np.empty((n, program.n_out), self.dtype)
        for start in range(0, n, max(1, size)):
            program.predict_sparse(x, start, out[start : start + size])
        return out

    # -- programs ------------------------------------------------------------------------------------------------------

    def program(self, mode: str, rows: int, n_in: int) -> Program:
        """Return the program for `mode`, "predict" or "train", that takes at least `rows` rows.

        It is kept, and compiled again when it must take more rows.
        """
        return self._programs.get((mode, n_in), rows, lambda: self.plan_program(mode, rows, n_in))

    def plan_program(self, mode: str, rows: int, n_in: int, **options: Any) -> Program:
        """Compile a program for `mode` and at least so many rows; `options` are those of `compile_program`."""
        from ..compiler.compile import compile_program
        from .readers import readers_of

        readers = (*readers_of(self), *options.pop("readers", ()))
        nodes, seed = self._nodes, self.seed
        if self._network is not None and self._drew_seed:  # random numbers are then those of the network around it
            seed, start = stream_of(self)
            nodes = chain(self.named_children(), start=start)
        program = compile_program(
            nodes,
            mode,
            n_in=n_in,
            batch_size=max(1, rows),
            dtype=self.dtype,
            seed=seed,
            tick=self._tick,
            readers=readers,
            **options,
        )
        program.named_parameters = tuple((p.name, p.data, p.grad) for p in self.parameters())
        return program

    def _forget_programs(self) -> None:
        with MAKING:
            self._programs, self._predict, self._last = ProgramCache(), None, None
            self._version += 1
        for part in list(self._slices):
            part._follow()
        super()._forget_programs()

    def _follow(self) -> None:
        """Follow a change of the network that this one is a slice of."""
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__() | {"_programs": ProgramCache(), "_predict": None, "_last": None}
        return {name: value for name, value in state.items() if name != "_slices"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._slices = WeakSet()
