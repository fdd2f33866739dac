"""The base class of layers: what a layer declares, where its parameters are stored, and how it runs alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from .. import _validation as check
from .._locks import MAKING
from ..functional._symbolic import Symbolic
from .arguments import arguments_of
from .parameters import Parameters
from .registry import Above, Network, tracing
from .standalone import Standalone

Array = check.Array

if TYPE_CHECKING:
    from ..compiler.builder import Builder


# Attributes of a layer that are layers, but not among those that it is made of.
OTHERS = frozenset(("_network", "_last_solo", "_base"))


class Module(Standalone):
    """Base of all layers.

    A module of your own is a subclass with layers as attributes and a `forward`, as in PyTorch. The forward is run once
    with a symbol and compiled, with its gradients: it may call layers, elementwise functions, softmax, gates and
    dropout of `functional`, + - * /, columns x[:, a:b], `fastnn.concat`, and x.sum, x.mean and x.max over the features
    with keepdim=True. Parameters of the module itself are self["name"]. Anything else raises a `TraceError`.

    With a `backward` too it runs in Python: both are methods on arrays of shape (rows, features), see the second
    example. Override `out_features_for` then if it changes the number of features; `backward` calls that of the layers
    in the opposite order, and each layer is called once in a pass.

    Layers among its attributes, and in an `nn.ModuleList`, are trained and saved with it.

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
    >>> from fastnn import functional as F
    >>> from fastnn import nn
    >>> class Block(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.fc = nn.Linear(2, 2, weight_init="eye", bias_init=0.0)
    ...
    ...     def forward(self, x):
    ...         return x + F.relu(self.fc(x))
    >>> nn.Sequential(Block(), seed=0).predict(np.array([[-1.0, 3.0]], "float32")).tolist()
    [[-1.0, 6.0]]

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
    # Attributes that programs depend on: setting one has the programs of the network compiled again.
    planned: ClassVar[tuple[str, ...]] = ()
    way_out = "make a new layer, and a new network of it"
    _part: Parameters | None = None  # what `parameters` returned last
    _given: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
    is_network: ClassVar[bool] = False
    _in_python: ClassVar[bool] = False  # whether it has a `forward` and a `backward` of its own
    _is_traced: ClassVar[bool] = False  # whether it has a `forward` alone, which is traced

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.forward is not Module.forward
        cls._in_python = own and cls.backward is not Module.backward
        cls._is_traced = own and not cls._in_python

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        layer = super().__new__(cls)
        layer._given = (args, kwargs)  # for config()
        return layer

    def __init__(self) -> None:
        super().__init__()
        self.training = True

    def __setattr__(self, name: str, value: Any) -> None:
        composed = self._in_python or self._is_traced
        if not composed and name not in self._guarded and name not in self.planned:
            object.__setattr__(self, name, value)
            return
        if composed and (isinstance(value, Module) or isinstance(self.__dict__.get(name), Module)):
            self._check_part(name)
        super().__setattr__(name, value)
        if name in self.planned or (self._is_traced and name[0] != "_" and tracing.get() is None):
            self._forget_programs()

    def __delattr__(self, name: str) -> None:
        if (self._in_python or self._is_traced) and isinstance(self.__dict__.get(name), Module):
            self._check_part(name)
        super().__delattr__(name)

    def _check_part(self, name: str) -> None:
        """Check that the attribute `name`, a layer that this one is made of, may be set now."""
        if name in OTHERS:
            return
        if self.__dict__.get("_network") is not None:
            raise AttributeError(
                f"{type(self).__name__}.{name} is a layer, and part of a network: take this layer out of the network, "
                "or put another one in its place, net[i] = layer"
            )
        home = self.__dict__.get("_home")
        if home is not None:  # of a network of this layer alone, which is made again
            home[0].leave("the layers of this layer changed")

    def _forget_programs(self) -> None:
        """Have every network that this layer is part of compile its programs again."""
        for solo in list(self.__dict__.get("_solos", {}).values()):
            solo._forget_programs()
        network = self.__dict__.get("_network")
        if network is not None:
            network._forget_programs()

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles are made of: no programs, which belong to one process."""
        return self.__dict__ | {"_solos": {}, "_last_solo": None, "_hooks": (), "_part": None}

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
        if self._is_traced:
            self._plan_graph(builder, label, ())
        else:
            builder.python(self, label)

    def plan_branches(self, builder: Builder, label: str, branches: tuple[tuple[Any, ...], ...]) -> None:
        """Add the operations of this layer, which is made of layers, and of its branches; called by the network."""
        if self._is_traced:
            self._plan_graph(builder, label, [node for branch in branches for node in branch])
        elif self._in_python:
            builder.python(self, label)
        else:
            raise NotImplementedError(f"{type(self).__name__} must define plan_branches(plan, label, branches)")

    def _plan_graph(self, builder: Builder, label: str, nodes: Sequence[Any]) -> None:
        """Add the operations of the graph of `forward`."""
        trace = Above.trace(self, builder.cols, nodes, builder.position, builder.train, label.rpartition(" ")[0])
        builder.graph(self, label, trace.graph)

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
        if self._last_solo is None:
            raise RuntimeError("backward needs a call of the layer in training mode before it")
        return self._last_solo.backward(grad_output)

    def named_children(self) -> dict[str, Module]:
        """The layers that this one is made of, by name: the layers among the attributes of one written in Python."""
        if not (self._in_python or self._is_traced):
            return {}
        layers, found = {}, set()
        for name, value in self.__dict__.items():
            if isinstance(value, Module) and name not in OTHERS and id(value) not in found:
                layers[name] = value  # under its first name: a second attribute is the same layer
                found.add(id(value))
        return layers

    def children(self) -> tuple[Module, ...]:
        """The layers that this one is made of."""
        return tuple(self.named_children().values())

    def in_features_hint(self) -> int | None:
        """The number of input features that the layer requires; None if it takes any."""
        return Above.required_features(self) if self._is_traced else None

    def out_features_for(self, in_features: int) -> int:
        """The number of output features for a number of input features."""
        if not self._is_traced:
            return in_features
        features: int = Above.returned_features(self, in_features)
        return features

    # -- alone ---------------------------------------------------------------------------------------------------------

    def parameters(self) -> Parameters:
        """The parameters of this layer and of those that it is made of; of a layer in a network a part of its buffer.

        Returns
        -------
        parameters : Parameters
            Empty for a layer without parameters. Their names are without that of the layer.

        Examples
        --------
        >>> from fastnn import nn, optim
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        >>> [p.name for p in net[2].parameters()]
        ['weight', 'bias']
        >>> groups = [{"params": net[0].parameters(), "lr": 0.5}, {"params": net[2].parameters()}]
        >>> [(group["params"], group["lr"]) for group in optim.Adam(groups, lr=0.25).param_groups]
        [(['0.weight', '0.bias'], 0.5), (['2.weight', '2.bias'], 0.25)]
        """
        if self._home is None:
            dtype = self._parameter_dtype()
            if dtype is None:  # of no network, so that it is free to take either dtype
                return Parameters({}, "float32")
            self._alone(dtype)
        params, prefix = self._at_home()
        if not prefix:
            return params
        if self._part is None or self._part.moved or self._part.root() is not params.root():
            self._part = params.part(prefix)
        return self._part

    def _alone(self, dtype: str) -> Network:
        """A network of just this layer. It owns the parameters unless the layer is part of a network already."""
        solo = self._solos.get(dtype)
        if solo is None or solo.parameters().moved:
            with MAKING:
                solo = self._solos.get(dtype)
                solo = Above.network_of_one(self, dtype) if solo is None or solo.parameters().moved else solo
                self._solos[dtype] = solo
        return solo

    def __call__(self, x: Any) -> Array:
        """Return the layer's output for a batch, in the mode that `training` says.

        Parameters
        ----------
        x : array of real numbers, shape (..., in_features)
            Converted to the layer's dtype if it has parameters. Otherwise float32 stays and float16 becomes float32;
            everything else becomes float64.

        Returns
        -------
        y : ndarray of the layer's dtype, shape (..., out_features)

        Raises
        ------
        TypeError
            If x does not consist of real numbers.
        ValueError
            If x is a scalar, the layer does not take its number of features, or a number is too large for its dtype.
        """
        if isinstance(x, Symbolic):  # in a forward that is traced
            symbol: Array = x.call(self)
            return symbol
        x = check.as_source("x", x)
        # A layer with parameters has their dtype; one without takes either dtype.
        self._last_solo = solo = self._alone(self._parameter_dtype() or check.float_for(x))
        solo.training, solo._saving = self.training, self._saving
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
        text: str = Above.tree_of(self) if self._is_traced else f"{type(self).__name__}({self.extra_repr()})"
        return text
