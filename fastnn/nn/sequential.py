"""Networks: layers one after the other, with parameters in one flat buffer, compiled into programs when they run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ..compiler.program import Program
from .layer_list import LayerList
from .module import Module
from .network import redraw
from .parameters import Parameters
from .registry import Above
from .restructure import stream_of
from .structure import chain, check_free, check_layers, tree

if TYPE_CHECKING:
    from ..files.objects import Target
    from .frozen import Frozen
    from .summary import Summary

Array = check.Array


class Sequential(LayerList):
    """A network: layers, one after the other.

    y = layer_n(... layer_1(layer_0(x)))

    Parameters
    ----------
    *layers : Module
        Another `Sequential` counts as its layers. Without layers, y = x.
    seed : int in [0, 2^64), optional
        Determines the initial values and the random numbers of dropout. By default one is drawn; `net.seed` holds it.
    dtype : {"float32", "float64"}, default "float32"
        Of all parameters and of every array that the network returns; what it takes is converted.
    input_scale : float, default 1.0
        Multiplies x of an integer dtype or of float16, as it is converted: 1 / 255 for images, for example. x of
        float32, float64 or booleans is not multiplied.

    Attributes
    ----------
    layers : tuple of Module
        To change them, change the network: `net[1] = layer`, `append`, `extend`, `insert`, `pop`, `del net[1]`.
        `net[:2]` is a network of the first two layers, which shares their parameters.
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
        self._layers = layers
        check_free(self.named_children())
        self._nodes = chain(self.named_children())
        check_layers(self._nodes)
        self.dtype = check.check_dtype(dtype)
        self.seed, self._drew_seed = _seed(seed), seed is None
        self._tick = np.zeros(1, "int64")
        redraw(self)
        self._begin()
        self._params = self._adopt()
        self._own()

    @classmethod
    def of_one(cls, layer: Module, dtype: str) -> Sequential:
        """A network around a layer that is used alone; the parameters of a layer in a network stay in that network."""
        net = cls.__new__(cls)
        Module.__init__(net)
        seed, position = _stream_of(layer)
        net._nodes, net._layers = chain({"": layer}, start=position), (layer,)
        net.seed, net._drew_seed = seed, True
        home = None if layer._home is None or layer._home[0].moved else layer._home
        free = layer._home is not None and layer._parameter_dtype() is None  # takes either dtype
        net.dtype = check.check_dtype(dtype) if home is None or free else home[0].dtype.name
        net._tick = np.zeros(1, "int64")
        net._begin()
        if home is None:
            net._params = net._adopt()
            net._share(layer, "")
        else:
            net._params = Parameters({}, net.dtype) if free else home[0].part(home[1])
        return net

    def as_network(self) -> Sequential:
        return self

    def _alone_with(self) -> Module | None:
        """The layer that this is the network of, if it was made for a layer that is used alone."""
        return self._layers[0] if len(self._layers) == 1 and not self._nodes[0].name else None

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

    def freeze(self, dtype: str | None = None, *, batch_size: int | None = None) -> Frozen:
        """Return a copy for inference alone: folded as by `fold`, without dropout and noise, of fixed parameters.

        Parameters
        ----------
        dtype : {"float32", "float64", "int8"}, optional
            That of the copy; by default the network's. With "int8" each Linear becomes a `LinearInt8`: a quarter of the
            memory of float32, with outputs that differ by rounding, of which `report` tells; all else stays.
        batch_size : int, at least 1, optional
            Compile for so many rows now rather than with the first call.

        Returns
        -------
        frozen : Frozen
            `frozen.predict(x)`, or a call, gives outputs; `frozen.report(x, y)` compares them with those of the
            network; `frozen.save(path)` writes a file for `fastnn.load`.

        Raises
        ------
        TypeError, ValueError
            If an argument is out of its range; of "int8" also if a weight is not finite.

        Notes
        -----
        Layers within a `forward` that is traced are copied as they are.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10), seed=0)
        >>> frozen = net.freeze("int8")
        >>> [type(layer).__name__ for layer in frozen.network]
        ['LinearInt8', 'ReLU', 'LinearInt8']
        >>> report = frozen.report(np.random.default_rng(0).normal(size=(100, 64)))
        >>> report.relative < 0.02, report.nbytes < 0.4 * report.nbytes_before
        (True, True)
        """
        frozen: Frozen = Above.freeze(self, dtype, batch_size)
        return frozen

    # -- programs ------------------------------------------------------------------------------------------------------

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

    def save(self, path: Target) -> None:
        """Write the whole network, architecture and values, to one safetensors file; `fastnn.load(path)` reads it.

        The file at a path is replaced in one step: after a failure the old file is still there.

        Parameters
        ----------
        path : str, path-like or binary file object
            A file object is written where it is, and stays open.

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

    def __repr__(self) -> str:
        lines = [(text, f"{count:,}" if count else "") for text, count in tree(self._nodes)]
        width = max((len(text) for text, _ in lines), default=0)
        body = [f"{text:<{width}}  {count:>12}".rstrip() for text, count in lines]
        total = f"  {self._params.numel():,} parameters, {self.dtype}"
        return "\n".join(["Sequential(", *body, ")" + total])

    def _repr_html_(self) -> str:
        from .summary import as_html

        return as_html(self)


def _stream_of(layer: Module) -> tuple[int, int]:
    """The seed and the position that decide the random numbers of a layer that is called alone.

    In a network they are those of the network, so that what a layer written in Python calls is reproducible.
    """
    if layer._network is None:
        return _seed(getattr(layer, "seed", None)), 0
    return stream_of(layer)


def _seed(seed: int | None) -> int:
    """The seed that was given, or one drawn from the operating system."""
    return int.from_bytes(os.urandom(4), "little") if seed is None else check.check_seed(seed)
