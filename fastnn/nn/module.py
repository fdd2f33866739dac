"""The base of layers: what a layer describes, where its parameters live, and how it runs alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from .. import _validation as check
from .._locks import MAKING
from .arguments import arguments_of
from .fixed import Fixed
from .init.names import as_initializer

Array = check.Array

if TYPE_CHECKING:
    from ..compiler.plan import Plan
    from .network import Network
    from .parameters import Parameters
    from .sequential import Sequential
    from .structure import Node


class Regularizer:
    """A penalty, or a largest norm: a setting of a layer, which tells it to its parameters, or of a trainer."""

    is_argument = True  # of the layer, as it is now: `arguments_of`

    def __init__(self, without: float | None) -> None:
        self.without = without

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.kept = name, f"_{name}"  # not in __dict__ by hand, which would make all attributes slower

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
    """A layer.

    A layer of your own is a subclass with two methods on arrays of shape (rows, features):

        class Scale(nn.Module):
            def __init__(self):
                super().__init__()
                self.add_parameter("factor", (1,), init=1.0)

            def forward(self, x):
                self.x = x.copy()                  # what backward will need: x is read-only, and valid in this call
                return self["factor"] * x

            def backward(self, grad_output):       # adds to the gradients of its parameters, returns grad_x
                self.gradient("factor")[...] += (grad_output * self.x).sum()
                return self["factor"] * grad_output

    It runs between compiled layers; everything else (the trainer, saving, both backends) works as for the others.
    Overwrite `out_features_for` if it changes the number of features. `self.training` says whether the network is
    training.
    """

    # Penalties l1 |w| + l2 / 2 w^2 on its parameters that decay (see `add_parameter`), whose gradients updates add; and
    # the largest 2-norm of each column of its matrices among them, to which updates scale what is above.
    l1 = Regularizer(0.0)
    l2 = Regularizer(0.0)
    max_norm = Regularizer(None)
    # Attributes that the programs of a network are made from: setting one has them made anew.
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
        self._network: Network | None = None  # that this layer is part of
        self._solos: dict[str, Sequential] = {}  # networks of just this layer, by dtype
        self._last_solo: Sequential | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in self.planned:
            self._forget_programs()

    def _forget_programs(self) -> None:
        """Have every network that this layer is part of plan anew."""
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
        """Declare a parameter; `init` is a number, an array, or a rule of `nn.init` or its name.

        `decay` says whether L1 and L2 penalties and max_norm are for it. By default they are for what has two or more
        dimensions: weights, but no biases, scales or slopes.
        """
        self._inits[name] = as_initializer("init", init, tuple(shape))
        self._shapes[name] = tuple(shape)
        self._decays[name] = len(self._shapes[name]) > 1 if decay is None else decay

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters."""
        return self._shapes

    def state_shapes(self) -> list[tuple[int, ...]]:
        """The shapes of all that a file holds of this layer: its parameters and its buffers."""
        return [*self.parameter_shapes().values(), *(shape for shape, _, _ in self._buffer_specs.values())]

    def bind(self, params: Parameters, prefix: str) -> None:
        """Let the parameters live in `params` from now on, under `prefix`; called by the network."""
        self._home = (params, prefix)
        self._solos = {}
        self._settle()

    def _settle(self) -> None:
        """Tell the parameters the settings of this layer."""
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
        """The values of a parameter, a writable view; None if the layer does without (a bias)."""
        return self._parameter(name).data if name in self._shapes else None

    def gradient(self, name: str) -> Array | None:
        """The gradient of a parameter, a writable view; None if the layer does without."""
        return self._parameter(name).grad if name in self._shapes else None

    def _parameter(self, name: str) -> Any:
        params, prefix = self._at_home()
        return params[prefix + name]

    def _at_home(self) -> tuple[Parameters, str]:
        """Where parameters and buffers live: in a network of just this layer if there is no other."""
        if self._home is None:
            self._alone(getattr(self, "dtype", "float32"))
        assert self._home is not None
        return self._home

    # -- buffers -------------------------------------------------------------------------------------------------------

    def add_buffer(self, name: str, shape: tuple[int, ...], init: Any = 0.0, dtype: str | None = None) -> None:
        """Declare an array that is kept with the parameters, in states and copies, but not trained: statistics, say.

        It begins as `init`, a number or an array, and has the dtype of the network unless one is given.
        """
        self._buffer_specs[name] = tuple(shape), init, dtype

    def buffers(self) -> tuple[str, ...]:
        """The names of the buffers."""
        return tuple(self._buffer_specs)

    def buffer(self, name: str) -> Array:
        """The values of a buffer, a writable view."""
        if name in self._buffer_specs and name not in self._buffers:
            self._parameter_dtype()  # gives buffers their place
        if name not in self._buffers:
            raise KeyError(f"{type(self).__name__} has no buffer {name!r}")
        return self._buffers[name]

    def place_buffers(self, dtype: str) -> None:
        """Let the buffers be of a network of this dtype; called by the network."""
        for name, (shape, init, own) in self._buffer_specs.items():
            old = self._buffers.get(name)
            if old is None:
                self._buffers[name] = np.array(np.broadcast_to(init, shape), own or dtype)
            elif old.dtype != (own or dtype):
                self._buffers[name] = old.astype(own or dtype)

    def buffers_untouched(self) -> bool:
        """Whether all buffers are as they began."""
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
        """The arguments that make this layer anew, by name: what a file of the model holds beside the parameters.

        They are found by themselves: an argument of the constructor is the attribute of the same name, or else what was
        given. Overwrite this where that is not so, with plain values (numbers, text, tuples, arrays, layers).
        """
        return arguments_of(self, self._given)

    # -- what a layer does ---------------------------------------------------------------------------------------------

    def plan(self, plan: Plan, label: str, position: int) -> None:
        """Tell `plan` which operations this layer stands for."""
        plan.python(self, label)

    def plan_branches(self, plan: Plan, label: str, branches: tuple[tuple[Node, ...], ...]) -> None:
        """Likewise, for a layer that is made of layers: what becomes of its branches."""
        raise NotImplementedError(f"{type(self).__name__} must define plan_branches(plan, label, branches)")

    def forward(self, x: Array) -> Array:
        """The output for a batch; for layers written in Python."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(x)")

    def backward(self, grad_output: Array) -> Array:
        """The gradient of the input for a batch; for layers written in Python.

        Alone, a layer answers for its last call.
        """
        if type(self).forward is not Module.forward:
            raise NotImplementedError(f"{type(self).__name__} must define backward(grad_output)")
        if self._last_solo is None:
            raise RuntimeError("backward needs a call of the layer in training mode before it")
        return self._last_solo.backward(grad_output)

    def named_children(self) -> dict[str, Module]:
        """The layers that this one is made of, by name; most have none."""
        return {}

    def children(self) -> tuple[Module, ...]:
        """The layers that this one is made of."""
        return tuple(self.named_children().values())

    def in_features_hint(self) -> int | None:
        """The number of input features, where the layer prescribes it."""
        return None

    def out_features_for(self, in_features: int) -> int:
        """The number of output features for so many input features."""
        return in_features

    # -- alone ---------------------------------------------------------------------------------------------------------

    def _alone(self, dtype: str) -> Sequential:
        """A network of just this layer. It owns the parameters unless the layer lives in a network already."""
        solo = self._solos.get(dtype)
        if solo is None:
            from .sequential import Sequential

            with MAKING:
                solo = self._solos.get(dtype) or Sequential.of_one(self, dtype)
                self._solos[dtype] = solo
        return solo

    def __call__(self, x: Any) -> Array:
        """The layer's output for a batch x, shape (..., features)."""
        x = check.as_array("x", x)
        # With parameters a layer has their dtype; without, it takes either.
        self._last_solo = solo = self._alone(self._parameter_dtype() or x.dtype.name)
        solo.training = self.training
        return solo(x)

    def _parameter_dtype(self) -> str | None:
        """The dtype of parameters and buffers, of this layer or of one it is made of; None if there are none."""
        if self._shapes or self._buffer_specs:
            return self._at_home()[0].dtype.name
        return next((d for child in self.children() if (d := child._parameter_dtype()) is not None), None)

    def train(self, mode: bool = True) -> Self:
        """Switch to training (dropout is active, what backward needs is kept) and return self."""
        self.training = bool(mode)
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Self:
        """Switch to inference and return self."""
        return self.train(False)

    def extra_repr(self) -> str:
        """The arguments, as shown in the repr."""
        return ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"
