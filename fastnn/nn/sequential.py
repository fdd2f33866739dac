"""Networks: layers one after the other, with parameters in one flat buffer, compiled into programs when they run."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, overload

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from .._locks import MAKING, Lock
from ..compiler.cache import ProgramCache
from ..compiler.program import Program
from .inputs import as_rows, widened
from .module import Module
from .network import Network, redraw
from .registry import Above
from .structure import chain, check_free, check_layers, tree

if TYPE_CHECKING:
    from .summary import Summary

Array = check.Array

# Rows of one run of the inference program: enough for two cores, few enough for the L2 cache.
PREDICT_ROWS = 512


class Call(NamedTuple):
    """A call in training mode: what `backward` needs."""

    program: Program
    input: Array  # a copy of x, shape (rows, in_features)
    shape: tuple[int, ...]  # of x without its features
    given: tuple[int, ...]  # shape of x
    tick: int
    caller: int  # identifier of the thread


class Sequential(Network):
    """A network: layers, one after the other.

    y = layer_n(... layer_1(layer_0(x)))

    Parameters
    ----------
    *layers : Module
        Another `Sequential` counts as its layers. Without layers, y = x.
    seed : int in [0, 2^64), optional
        Determines the initial values and the random numbers of dropout. By default one is drawn; `net.seed` holds it.
    dtype : {"float32", "float64"}, default "float32"
        Of all parameters and of every array that the network takes and returns.
    input_scale : float, default 1.0
        `predict` and the trainer also take x of uint8 or float16, which is converted batch by batch and multiplied by
        this: 1 / 255 for images, for example. x of the network's own dtype is not multiplied.

    Attributes
    ----------
    layers : list of Module
    seed : int
    dtype : str
    feature_names : tuple of str or None
        The columns of the table (a DataFrame, for example) that the network was trained on. Later tables must have the
        same columns in the same order. `save` keeps them; set None to accept any.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range, something is not a layer, occurs twice or is part of another network, or the
        features of two neighbors do not match.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1), seed=0)
    >>> [name for name, view in net.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    >>> net.predict(np.zeros((5, 2), "float32")).shape
    (5, 1)
    """

    _internal: ClassVar[tuple[str, ...]] = ("of_one", "plan_program", "program")
    input_scale = 1.0
    feature_names: tuple[str, ...] | None = None
    fixed = ("dtype", "layers")
    way_out = "make a new network"

    def __init__(
        self, *layers: Module, seed: int | None = None, dtype: Any = "float32", input_scale: float = 1.0
    ) -> None:
        super().__init__()
        self.input_scale = check.check_number("input_scale", input_scale)
        self.layers = list(layers)
        check_free(self.named_children())
        self._nodes = chain(self.named_children())
        check_layers(self._nodes)
        self.dtype = check.check_dtype(dtype)
        self.seed, self._drew_seed = _seed(seed), seed is None
        self._tick = np.zeros(1, "int64")
        redraw(self)
        self._calls, self._callers = Lock(), set[int]()
        self._programs = ProgramCache()
        self._version = 0  # counts changes: programs of an earlier version are out of date
        self._predict: Callable[[Any], Array | None] | None = None  # the compiled fast path for plain matrices
        self._params = self._adopt()
        self._own(self, "")
        self._last: Call | None = None

    @classmethod
    def of_one(cls, layer: Module, dtype: str) -> Sequential:
        """A network around a layer that is used alone; the parameters of a layer in a network stay in that network."""
        net = cls.__new__(cls)
        Module.__init__(net)
        net._nodes, net.layers = chain({"": layer}), [layer]
        net.seed, net._drew_seed = _seed(getattr(layer, "seed", None)), True
        net.dtype = layer._home[0].dtype.name if layer._home else check.check_dtype(dtype)
        net._tick = np.zeros(1, "int64")
        net._calls, net._callers = Lock(), set[int]()
        net._programs, net._last, net._predict, net._version = ProgramCache(), None, None, 0
        net._params = layer._home[0].part(layer._home[1]) if layer._home else net._adopt()
        return net

    # -- running -------------------------------------------------------------------------------------------------------

    @errors_of_use
    def __call__(self, x: Any) -> Array:
        """Return the output for x, in the mode that `training` says.

        In training mode (the default; see `train` and `eval`) dropout is active and what `backward` needs is kept. In
        inference mode this is `predict`.

        Parameters
        ----------
        x : ndarray of the network's dtype, shape (..., in_features)

        Returns
        -------
        y : ndarray of the network's dtype, shape (..., out_features)

        Raises
        ------
        TypeError, ValueError
            If x has another dtype or number of features.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 1, weight_init=1.0, bias_init=0.5), seed=0)
        >>> net(np.array([[1.0, 2.0]], "float32")).tolist()
        [[3.5]]
        """
        if not self.training:
            return self.predict(x)
        rows, shape = as_rows(self, x)
        # backward reads the input again, and the caller may overwrite x before that.
        rows = rows.copy()
        with self._calls:  # so that everything that backward needs is of the same call
            program = self.program("train", rows.shape[0], rows.shape[1])
            program.check_rows(rows.shape[0], rows.shape[0])
            out = np.empty((rows.shape[0], program.n_out), self.dtype)
            tick = int(self._tick[0]) + 1
            program.run("forward", rows.shape[0], {"input": rows, "output": out}, tick)
            self._tick[0] = tick  # only now: a pass that failed does not count
            caller = threading.get_ident()
            self._callers.add(caller)
            self._last = Call(program, rows, shape, np.shape(x), tick, caller)
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
        g = check.as_array("grad_output", grad_output)
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
        x : ndarray of the network's dtype, or of uint8 or float16 (see `input_scale`), shape (..., in_features)

        Returns
        -------
        y : ndarray of the network's dtype, shape (..., out_features)

        Raises
        ------
        TypeError, ValueError
            If x has another dtype or number of features.

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
        rows, shape = as_rows(self, x, narrow=True)
        n = rows.shape[0]
        program = self.program("predict", min(n, PREDICT_ROWS), rows.shape[1])
        if program.by_batch:  # normalizes by the statistics of all of x
            program = self.program("predict", n, rows.shape[1])
            program.check_rows(n, n)
        quick_predict = getattr(program.executor, "predict", None)
        with MAKING:  # only if the programs were not replaced meanwhile
            self._predict = quick_predict if programs is self._programs else None
        out = np.empty((n, program.n_out), self.dtype)
        size = program.batch_size
        for start in range(0, n, size):
            batch = widened(self, rows[start : start + size])
            program.run("forward", len(batch), {"input": batch, "output": out[start : start + size]}, start=start)
        return out.reshape(*shape, program.n_out)

    def fold(self) -> Sequential:
        """Return a new network for inference, in which every BatchNorm1d beside a Linear is part of that Linear.

        Outputs are equal up to rounding. Nested networks are replaced by their layers, so layers have new numbers; a
        warning names each BatchNorm1d that stays.

        Returns
        -------
        net : Sequential, in inference mode

        Examples
        --------
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), seed=0)
        >>> [type(layer).__name__ for layer in net.fold()]
        ['Linear', 'ReLU']
        """
        folded: Sequential = Above.fold(self)
        return folded

    # -- programs ------------------------------------------------------------------------------------------------------

    @property
    def in_features(self) -> int | None:
        """The number of input features; None if the network takes any number."""
        for node in self._nodes:
            hint = node.layer.in_features_hint()  # called once: two calls at each level of nesting would be exponential
            if hint is not None:
                return hint
            if type(node.layer).out_features_for is not Module.out_features_for:
                return None
        return None

    def in_features_hint(self) -> int | None:
        return self.in_features

    def out_features_for(self, in_features: int) -> int:
        for node in self._nodes:
            in_features = node.layer.out_features_for(in_features)
        return in_features

    @errors_of_use
    def compile(self, batch_size: int = 32, *, in_features: int | None = None) -> Program:
        """Return the program of a training pass, forward and backward, for up to `batch_size` rows.

        Print it to see its operations. It is not necessary to call this: the network compiles when it runs.

        Parameters
        ----------
        batch_size : int, at least 1, default 32
        in_features : int, optional
            Required if the network takes any number of features.

        Returns
        -------
        program : Program

        Raises
        ------
        TypeError, ValueError
            If an argument is out of its range, or in_features is required and missing.

        Examples
        --------
        >>> from fastnn import nn
        >>> nn.Sequential(nn.Linear(2, 3), nn.ReLU(), seed=0).compile(64).batch_size
        64
        """
        batch_size = check.check_integer("batch_size", batch_size, at_least=1, at_most=check.MAX_ROWS)
        return self.program("train", batch_size, self._features(in_features))

    @errors_of_use
    def summary(self, in_features: int | None = None) -> Summary:
        """Return a table of the layers with their features, parameters and floating-point operations; print it.

        Parameters
        ----------
        in_features : int, optional
            Required if the network takes any number of features.

        Returns
        -------
        summary : Summary

        Raises
        ------
        TypeError, ValueError
            If in_features is not an integer of at least 0, or is required and missing.

        Examples
        --------
        >>> from fastnn import nn
        >>> summary = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), seed=0).summary()
        >>> summary.parameters, summary.flops, summary.nbytes
        (9, 15, 36)
        """
        from .summary import summarize

        return summarize(self, self._features(in_features))

    def _features(self, in_features: int | None) -> int:
        """The number of input features: `in_features` if it is given, else the network's own."""
        features = self.in_features
        if in_features is not None:
            features = check.check_integer("in_features", in_features, at_least=0, at_most=check.MAX_ROWS)
        if features is None:
            raise ValueError("in_features must be given: this network takes any number of features")
        return features

    def program(self, mode: str, rows: int, n_in: int) -> Program:
        """Return the program for `mode`, "predict" or "train", that takes at least `rows` rows.

        It is kept, and compiled again when it must take more rows.
        """
        return self._programs.get((mode, n_in), rows, lambda: self.plan_program(mode, rows, n_in))

    def plan_program(self, mode: str, rows: int, n_in: int, **options: Any) -> Program:
        """Compile a program for `mode` and at least so many rows; `options` are those of `compile_program`."""
        from ..compiler.compile import compile_program

        return compile_program(
            self._nodes,
            mode,
            n_in=n_in,
            batch_size=max(1, rows),
            dtype=self.dtype,
            seed=self.seed,
            tick=self._tick,
            **options,
        )

    def _forget_programs(self) -> None:
        with MAKING:
            self._programs, self._predict, self._last = ProgramCache(), None, None
            self._version += 1
        super()._forget_programs()

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_programs": ProgramCache(), "_predict": None, "_last": None}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole network, architecture and values, to one safetensors file; `fastnn.load(path)` reads it.

        The file is replaced in one step: after a failure the old file is still there.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        OSError
            If the file cannot be written.
        TypeError, ValueError
            If an argument of a layer cannot be stored in a file; the layer's `config()` can return another.

        Examples
        --------
        >>> import os, tempfile
        >>> import fastnn
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 3), seed=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     net.save(os.path.join(folder, "net.safetensors"))
        ...     copy = fastnn.load(os.path.join(folder, "net.safetensors"))
        >>> bool((copy["0.weight"] == net["0.weight"]).all())
        True
        """
        from .saving import save

        save(self, path)

    # -- as a container ------------------------------------------------------------------------------------------------

    def named_children(self) -> dict[str, Module]:
        return {str(i): layer for i, layer in enumerate(self.layers)}

    def __len__(self) -> int:
        """The number of layers."""
        return len(self.layers)

    def __iter__(self) -> Iterator[Module]:
        """Iterate over the layers."""
        return iter(self.layers)

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> list[Module]: ...
    @overload
    def __getitem__(self, index: str) -> Array: ...
    def __getitem__(self, index: Any) -> Any:
        """The layer at an index, a list of layers for a slice, or a view of the parameter or buffer of a name."""
        if not isinstance(index, str):
            return self.layers[index]
        buffers = dict(self.named_buffers())
        return buffers[index] if index in buffers else self._params[index].data

    def __repr__(self) -> str:
        lines = [(text, f"{count:,}" if count else "") for text, count in tree(self._nodes)]
        width = max((len(text) for text, _ in lines), default=0)
        body = [f"{text:<{width}}  {count:>12}".rstrip() for text, count in lines]
        total = f"  {self._params.numel():,} parameters, {self.dtype}"
        return "\n".join(["Sequential(", *body, ")" + total])


def _seed(seed: int | None) -> int:
    """The seed that was given, or one drawn from the operating system."""
    return int.from_bytes(os.urandom(4), "little") if seed is None else check.check_seed(seed)
