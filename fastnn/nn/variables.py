"""The parameters and buffers of a layer: its constructor declares them, its network stores them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _validation as check
from .fixed import Fixed
from .init.names import as_initializer
from .parameters import Parameters
from .registry import tracing

Array = check.Array


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
        if isinstance(of, Variables) and of.children():
            raise ValueError(f"{self.name} is a setting of single layers: set it for those in {type(of).__name__}")
        setattr(of, self.kept, value)
        of._settle()
        of._forget_programs()


class Variables(Fixed):
    """Base of the layers: what they store, and where."""

    l1 = Regularizer(0.0)
    l2 = Regularizer(0.0)
    max_norm = Regularizer(None)
    _requires_grad = True

    def __init__(self) -> None:
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._inits: dict[str, Any] = {}
        self._buffer_specs: dict[str, tuple[tuple[int, ...], Any, str | None]] = {}
        self._buffers: dict[str, Array] = {}
        self._decays: dict[str, bool] = {}
        self._home: tuple[Parameters, str] | None = None  # where the parameters are, and the prefix of their names
        self._solos: dict[str, Any] = {}  # networks of just this layer, by dtype
        self._last_solo: Any = None  # the one that was called last

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
        self._solos, self._last_solo = {}, None
        self._settle()

    def _settle(self) -> None:
        """Copy the penalties and the largest norm of this layer to its parameters."""
        home = self.__dict__.get("_home")
        if home is None:
            return
        params, prefix = home
        for name, decay in self._decays.items():
            entry = params[prefix + name]
            settings, entry.trained[...] = entry.settings, self._requires_grad
            limited = decay and self.max_norm is not None and len(self._shapes[name]) > 1
            decay, limited = decay and self._requires_grad, limited and self._requires_grad
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
        trace = tracing.get()
        if trace is not None and name in self._shapes:
            symbol: Any = trace.parameter(self, name)
            return symbol
        array = self.array(name)
        if array is None:
            raise KeyError(f"{type(self).__name__} has no parameter {name!r}")
        return array

    def __setitem__(self, name: str, value: Any) -> None:
        self[name][...] = value

    def children(self) -> tuple[Any, ...]:
        """The layers that this one is made of."""
        return ()

    def _alone(self, dtype: str) -> Any:
        """A network of just this layer, which stores the parameters unless the layer is part of one already."""
        raise NotImplementedError

    def _parameter_dtype(self) -> str | None:
        """The dtype of parameters and buffers, None if there are none; a layer in no network gets one."""
        raise NotImplementedError
