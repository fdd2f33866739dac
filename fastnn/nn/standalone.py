"""A layer or module as a network of its own: what it passes on to the network of just this layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from .._validation import Array
from .state import LoadedKeys
from .tree import Tree

if TYPE_CHECKING:
    from ..files.objects import Target


class Standalone(Tree):
    """Methods of networks, for a module that is used without one: see `nn.Sequential`, which overrides them.

    The network has the dtype and the seed that the attributes `dtype` and `seed` of the module say, where it has them.
    """

    _internal: ClassVar[tuple[str, ...]] = ("as_network",)
    training: bool

    def as_network(self) -> Any:
        """The network of just this module, which has its parameters under the names that they have here."""
        dtype: str = getattr(self, "dtype", "float32")
        net = self._alone(self._parameter_dtype() or dtype)
        net.training = self.training
        return net

    def predict(self, x: Any) -> Array:
        """Return the output for x in inference mode, for any number of rows; see `nn.Sequential.predict`.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import nn
        >>> nn.Linear(2, 1, weight_init=1.0, bias_init=0.5).predict(np.array([[1.0, 2.0]], "float32")).tolist()
        [[3.5]]
        """
        result: Array = self.as_network().predict(x)
        return result

    def named_parameters(self) -> Iterator[tuple[str, Array]]:
        """Yield the name of each parameter, as PyTorch has it, and a writable view of its values.

        Examples
        --------
        >>> from fastnn import nn
        >>> {name: view.shape for name, view in nn.Linear(2, 3).named_parameters()}
        {'weight': (2, 3), 'bias': (3,)}
        """
        named: Iterator[tuple[str, Array]] = self.as_network().named_parameters()
        return named

    def state_dict(self) -> dict[str, Array]:
        """A copy of every parameter and every buffer, by name.

        Examples
        --------
        >>> from fastnn import nn
        >>> list(nn.Linear(2, 3).state_dict())
        ['weight', 'bias']
        """
        state: dict[str, Array] = self.as_network().state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any], strict: bool = True, *, layout: str = "fastnn") -> LoadedKeys:
        """Load a `state_dict`; see `nn.Sequential.load_state_dict`.

        Examples
        --------
        >>> from fastnn import nn
        >>> nn.Linear(2, 3).load_state_dict(nn.Linear(2, 3).state_dict())
        LoadedKeys(missing_keys=[], unexpected_keys=[])
        """
        keys: LoadedKeys = self.as_network().load_state_dict(state, strict, layout=layout)
        return keys

    def zero_grad(self) -> None:
        """Set all gradients to 0; `backward` adds to them.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import nn
        >>> layer = nn.Linear(2, 1)
        >>> y = layer.backward(layer(np.ones((1, 2), "float32")))
        >>> layer.zero_grad()
        >>> bool(layer.gradient("weight").any())
        False
        """
        self.as_network().zero_grad()

    def summary(self, in_features: int | None = None) -> Any:
        """Return a table of the layers with their features, parameters and FLOPs; see `nn.Sequential.summary`.

        Examples
        --------
        >>> from fastnn import nn
        >>> nn.Linear(2, 3).summary().parameters
        9
        """
        return self.as_network().summary(in_features)

    def save(self, path: Target) -> None:
        """Write the module, architecture and values, to one safetensors file; `fastnn.load(path)` returns a module.

        A class of your own is named at that: `fastnn.load(path, layers={"Block": Block})`.

        Parameters
        ----------
        path : str, path-like or binary file object

        Raises
        ------
        OSError
            If the file cannot be written.
        TypeError, ValueError
            If an argument of a layer cannot be stored in a file.

        Examples
        --------
        >>> import io
        >>> import fastnn
        >>> from fastnn import nn
        >>> file = io.BytesIO()
        >>> nn.Linear(2, 3, seed=0).save(file)
        >>> fastnn.load(file.getvalue())
        Linear(in_features=2, out_features=3)
        """
        self.as_network().save(path)
