"""The base class of layers: what a layer declares, where its parameters are stored, and how it runs alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from .. import _validation as check
from .._locks import MAKING
from .arguments import arguments_of
from .fixed import Fixed
from .init.names import as_initializer
from .registry import Above, Network

Array = check.Array

if TYPE_CHECKING:
    from ..compiler.builder import Builder
    from .parameters import Parameters


class Regularizer:
    """A penalty or maximal norm: an attribute of a layer, which passes it to its parameters, or of a trainer."""

    is_argument = True  # `arguments_of` reads it from the layer

    def __init__(self, without: float | None) -> None:
        self.without = without

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.kept = name, f"_{name}"  # an attribute: writing to __dict__ would make all attributes slower

    def __get__(self, of: Any, owner: type) -> Any:
        return self if of is None else getattr(of, self.kept, self.without)

    def __set__(self, of: Any, value: float | None) -> None:
        if value is not None or self.without is not None:
            value = check.check_number(self.name, value, at_least=0.0, below=math.inf)
        if isinstance(of, Module) and of.children():
            raise ValueError(f"{self.name} is a setting of single layers: set it for those in {type(of).__name__}")
        setattr(of, self.kept, value)
        of._settle()
        of._forget_programs()


class Module(Fixed):
    """Base of all layers.

    A layer of your own is a subclass with two methods on arrays of shape (rows, features), `forward` and `backward`;
    see the example. It runs between compiled layers; everything else (the trainer, saving, both backends) works as for
    the others. Override `out_features_for` if it changes the number of features.

    Attributes
    ----------
    training : bool
        Whether the layer is in training mode, as it initially is; see `train` and `eval`.
    l1, l2 : float, at least 0, default 0
        Penalties l1 |w| + l2 / 2 w^2 on its parameters that decay (see `add_parameter`), whose gradients updates add.
    max_norm : float, at least 0, or None
        The largest 2-norm of each column of its matrices that decay; updates scale larger columns to it.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.add_parameter("factor", (1,), init=2.0)
    ...
    ...     def forward(self, x):
    ...         self.x = x.copy()  # for backward: x itself is read-only, and valid in this call only
    ...         return self["factor"] * x
    ...
    ...     def backward(self, grad_output):  # adds to the gradients of the parameters, returns grad_x
    ...         self.gradient("factor")[...] += (grad_output * self.x).sum()
    ...         return self["factor"] * grad_output
    >>> net = nn.Sequential(Scale(), nn.ReLU(), seed=0)
    >>> net(np.array([[-1.0, 3.0]], "float32")).tolist()
    [[0.0, 6.0]]
    >>> net.backward(np.array([[1.0, 1.0]], "float32")).tolist()
    [[0.0, 2.0]]
    >>> net[0].gradient("factor").tolist()
    [3.0]
    """

    _internal: ClassVar[tuple[str, ...]] = (
        "bind", "buffers_untouched", "is_network", "place_buffers", "plan", "plan_branches", "planned", "state_shapes",
    )  # fmt: skip
    l1 = Regularizer(0.0)
    l2 = Regularizer(0.0)
    max_norm = Regularizer(None)
    # Attributes that programs depend on: setting one has the programs of the network compiled again.
    planned: ClassVar[tuple[str, ...]] = ()
    way_out = "make a new layer, and a new network of it"
    _given: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
    is_network: ClassVar[bool] = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        layer = super().__new__(cls)
        layer._given = (args, kwargs)  # for config()
        return layer

    def __init__(self) -> None:
        self.training = True
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._inits: dict[str, Any] = {}
        self._buffer_specs: dict[str, tuple[tuple[int, ...], Any, str | None]] = {}
        self._buffers: dict[str, Array] = {}
        self._decays: dict[str, bool] = {}
        self._home: tuple[Parameters, str] | None = None
        self._network: Network | None = None  # the network that this layer is part of
        self._solos: dict[str, Network] = {}  # networks of just this layer, by dtype
        self._last_solo: Network | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in self.planned:
            self._forget_programs()

    def _forget_programs(self) -> None:
        """Have every network that this layer is part of compile its programs again."""
        for solo in list(self.__dict__.get("_solos", {}).values()):
            solo._forget_programs()
        network = self.__dict__.get("_network")
        if network is not None:
            network._forget_programs()

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles are made of: no programs, which belong to one process."""
        return self.__dict__ | {"_solos": {}, "_last_solo": None}

    # -- parameters ----------------------------------------------------------------------------------------------------

    def add_parameter(self, name: str, shape: tuple[int, ...], init: Any = 0.0, *, decay: bool | None = None) -> None:
        """Declare a parameter; called by the constructor of a subclass.

        Parameters
        ----------
        name : str
        shape : tuple of int
        init : number, array, Initializer, function or str, default 0.0
            Initial values; see `nn.init`.
        decay : bool, optional
            Whether L1 and L2 penalties and max_norm apply to it. By default they apply to parameters of two or more
            dimensions: weights, but not biases, scales or slopes.

        Raises
        ------
        TypeError, ValueError
            If init does not fit the shape.
        """
        self._inits[name] = as_initializer("init", init, tuple(shape))
        self._shapes[name] = tuple(shape)
        self._decays[name] = len(self._shapes[name]) > 1 if decay is None else decay

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters."""
        return self._shapes

    def state_shapes(self) -> list[tuple[int, ...]]:
        """The shapes of everything that a file holds of this layer: its parameters and its buffers."""
        return [*self.parameter_shapes().values(), *(shape for shape, _, _ in self._buffer_specs.values())]

    def bind(self, params: Parameters, prefix: str) -> None:
        """Store the parameters in `params` from now on, under `prefix`; called by the network."""
        self._home = (params, prefix)
        self._solos = {}
        self._settle()

    def _settle(self) -> None:
        """Copy the penalties and the largest norm of this layer to its parameters."""
        home = self.__dict__.get("_home")
        if home is None:
            return
        params, prefix = home
        for name, decay in self._decays.items():
            settings = params[prefix + name].settings
            limited = decay and self.max_norm is not None and len(self._shapes[name]) > 1
            settings["decay"] = decay
            settings["l1"], settings["l2"] = (self.l1, self.l2) if decay else (0.0, 0.0)
            settings["max_norm"] = self.max_norm if limited else math.inf

    def array(self, name: str) -> Array | None:
        """The values of a parameter, a writable view; None if the layer has no such parameter (a bias)."""
        return self._parameter(name).data if name in self._shapes else None

    def gradient(self, name: str) -> Array | None:
        """The gradient of a parameter, a writable view; None if the layer has no such parameter."""
        return self._parameter(name).grad if name in self._shapes else None

    def _parameter(self, name: str) -> Any:
        params, prefix = self._at_home()
        return params[prefix + name]

    def _at_home(self) -> tuple[Parameters, str]:
        """Where parameters are stored, and the prefix of their names; by default in a network of just this layer."""
        if self._home is None:
            self._alone(getattr(self, "dtype", "float32"))
        assert self._home is not None
        return self._home

    # -- buffers -------------------------------------------------------------------------------------------------------

    def add_buffer(self, name: str, shape: tuple[int, ...], init: Any = 0.0, dtype: str | None = None) -> None:
        """Declare an array that is saved and copied with the parameters but not trained, such as running statistics.

        Parameters
        ----------
        name : str
        shape : tuple of int
        init : number or array, default 0.0
            Initial values.
        dtype : str, optional
            By default that of the network.
        """
        self._buffer_specs[name] = tuple(shape), init, dtype

    def buffers(self) -> tuple[str, ...]:
        """The names of the buffers."""
        return tuple(self._buffer_specs)

    def buffer(self, name: str) -> Array:
        """The values of a buffer, a writable view.

        Raises
        ------
        KeyError
            If there is no buffer of this name.
        """
        if name in self._buffer_specs and name not in self._buffers:
            self._parameter_dtype()  # allocates the buffers
        if name not in self._buffers:
            raise KeyError(f"{type(self).__name__} has no buffer {name!r}")
        return self._buffers[name]

    def place_buffers(self, dtype: str) -> None:
        """Allocate the buffers, or convert them, for a network of this dtype; called by the network."""
        for name, (shape, init, own) in self._buffer_specs.items():
            old = self._buffers.get(name)
            if old is None:
                self._buffers[name] = np.array(np.broadcast_to(init, shape), own or dtype)
            elif old.dtype != (own or dtype):
                self._buffers[name] = old.astype(own or dtype)

    def buffers_untouched(self) -> bool:
        """Whether all buffers have their initial values."""
        return all(np.array_equal(self.buffer(name), np.broadcast_to(init, shape))
                   for name, (shape, init, _) in self._buffer_specs.items())  # fmt: skip

    def __getitem__(self, name: str) -> Array:
        array = self.array(name)
        if array is None:
            raise KeyError(f"{type(self).__name__} has no parameter {name!r}")
        return array

    def __setitem__(self, name: str, value: Any) -> None:
        self[name][...] = value

    def config(self) -> dict[str, Any]:
        """The constructor arguments of this layer by name, which a file of the model holds beside the parameters.

        They are found automatically: an argument is the attribute of the same name, or else what was given. Override
        this where that is wrong, with plain values (numbers, text, tuples, arrays, layers).

        Raises
        ------
        TypeError
            If an argument cannot be found.
        """
        return arguments_of(self, self._given)

    # -- what a layer does ---------------------------------------------------------------------------------------------

    def plan(self, builder: Builder, label: str, position: int) -> None:
        """Add the operations of this layer to `builder`; called by the network."""
        builder.python(self, label)

    def plan_branches(self, builder: Builder, label: str, branches: tuple[tuple[Any, ...], ...]) -> None:
        """Add the operations of this layer, which is made of layers, and of its branches; called by the network."""
        raise NotImplementedError(f"{type(self).__name__} must define plan_branches(plan, label, branches)")

    def forward(self, x: Array) -> Array:
        """Return the output for a batch, for layers written in Python.

        Parameters
        ----------
        x : ndarray of the network's dtype, shape (rows, in_features)
            Read-only, and valid during this call only.

        Returns
        -------
        y : ndarray, shape (rows, out_features)
        """
        raise NotImplementedError(f"{type(self).__name__} must define forward(x)")

    def backward(self, grad_output: Array) -> Array:
        """Return the gradient of the input and add the gradients of the parameters.

        For a layer that is used alone it belongs to the last call in training mode. Layers written in Python override
        it with one for the last `forward`.

        Parameters
        ----------
        grad_output : ndarray, shape and dtype of that call's output

        Returns
        -------
        grad_x : ndarray, shape and dtype of that call's input

        Raises
        ------
        RuntimeError
            If there was no call in training mode before, or backward was called for it already.
        TypeError, ValueError
            If grad_output has another dtype or shape.
        """
        if type(self).forward is not Module.forward:
            raise NotImplementedError(f"{type(self).__name__} must define backward(grad_output)")
        if self._last_solo is None:
            raise RuntimeError("backward needs a call of the layer in training mode before it")
        return self._last_solo.backward(grad_output)

    def named_children(self) -> dict[str, Module]:
        """The layers that this one is made of, by name; empty for most layers."""
        return {}

    def children(self) -> tuple[Module, ...]:
        """The layers that this one is made of."""
        return tuple(self.named_children().values())

    def in_features_hint(self) -> int | None:
        """The number of input features that the layer requires; None if it takes any."""
        return None

    def out_features_for(self, in_features: int) -> int:
        """The number of output features for a number of input features."""
        return in_features

    # -- alone ---------------------------------------------------------------------------------------------------------

    def _alone(self, dtype: str) -> Network:
        """A network of just this layer. It owns the parameters unless the layer is part of a network already."""
        solo = self._solos.get(dtype)
        if solo is None:
            with MAKING:
                solo = self._solos.get(dtype) or Above.network_of_one(self, dtype)
                self._solos[dtype] = solo
        return solo

    def __call__(self, x: Any) -> Array:
        """Return the layer's output for a batch, in the mode that `training` says.

        Parameters
        ----------
        x : ndarray of float32 or float64, shape (..., in_features)
            Of the layer's dtype if it has parameters.

        Returns
        -------
        y : ndarray, shape (..., out_features) and dtype of x

        Raises
        ------
        TypeError
            If x has another dtype.
        ValueError
            If x is a scalar, or the layer does not take its number of features.
        """
        x = check.as_array("x", x)
        # A layer with parameters has their dtype; one without takes either dtype.
        self._last_solo = solo = self._alone(self._parameter_dtype() or x.dtype.name)
        solo.training = self.training
        return solo(x)

    def _parameter_dtype(self) -> str | None:
        """The dtype of parameters and buffers, of this layer or of one that it is made of; None if there are none."""
        if self._shapes or self._buffer_specs:
            return self._at_home()[0].dtype.name
        return next((d for child in self.children() if (d := child._parameter_dtype()) is not None), None)

    def train(self, mode: bool = True) -> Self:
        """Switch to training mode (dropout is active, what `backward` needs is kept), or with mode=False to inference.

        Parameters
        ----------
        mode : bool, default True

        Returns
        -------
        self : Module

        Examples
        --------
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Dropout(0.5)).train(False)
        >>> net.training, net[0].training
        (False, False)
        """
        self.training = bool(mode)
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Self:
        """Switch to inference mode (no dropout, running statistics are used) and return self.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import nn
        >>> nn.Dropout(0.5).eval()(np.ones(3)).tolist()
        [1.0, 1.0, 1.0]
        """
        return self.train(False)

    def extra_repr(self) -> str:
        """The arguments, as shown in the repr."""
        return ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"
