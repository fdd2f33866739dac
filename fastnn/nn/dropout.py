"""Dropout and other noise as layers: active in training, the identity in inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .. import _validation as check
from ..functional.dropout import check_parameter
from .module import Module

if TYPE_CHECKING:
    from ..compiler.builder import Builder


class Noise(Module):
    """Base of the layers that draw random numbers: a kernel and its one parameter, where 0 means no noise."""

    kernel: ClassVar[str]
    planned = ("p",)
    fixed = ("kernel",)

    def __init__(self, value: float) -> None:
        super().__init__()
        setattr(self, self.planned[0], value)
        setattr(self, self.planned[0], self._value())

    def _value(self) -> float:
        name = self.planned[0]
        return check_parameter(self.kernel, name, getattr(self, name))

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.noise(self, label, self.kernel, self._value(), position)

    def extra_repr(self) -> str:
        return f"{self.planned[0]}={self._value():g}"


class Dropout(Noise):
    """Inverted dropout (Srivastava et al. 2014): zero elements at random while training, and scale the others.

    y = 0 with probability p, else x / (1 - p);   in inference y = x

    Input and output have shape (..., features) and one dtype, float32 or float64. As the first layer of a network it
    drops features of the input.

    Parameters
    ----------
    p : float in [0, 1], default 0.5
        Probability of an element to be zeroed. It can be set at any time.
    inplace : bool, default False
        Accepted for PyTorch's sake; it changes nothing.

    Raises
    ------
    TypeError, ValueError
        If p is not a number in this range.

    Notes
    -----
    The mask of the n-th training pass depends only on the network's seed, the position of the layer and n.
    `functional.dropout` has the details.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> layer = nn.Dropout(0.5)
    >>> set(layer(np.ones((100, 10))).ravel().tolist()) == {0.0, 2.0}
    True
    >>> layer.eval()(np.ones(3))
    array([1., 1., 1.])
    """

    kernel = "dropout"

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__(p)
        check.check_flag("inplace", inplace)


class AlphaDropout(Noise):
    """Dropout for networks with `SELU` (Klambauer et al. 2017), which keeps mean 0 and variance 1.

    y = a * (x where it is kept, else l) - a * l * p,   a = 1 / sqrt((1 - p) * (1 + p * l^2)),   l = -1.7581

    In inference y = x. Shapes, dtypes and random numbers are those of `Dropout`; `functional.alpha_dropout` has the
    details.

    Parameters
    ----------
    p : float in [0, 1], default 0.5
        Probability of an element to be replaced. It can be set at any time.
    inplace : bool, default False
        Accepted for PyTorch's sake; it changes nothing.

    Raises
    ------
    TypeError, ValueError
        If p is not a number in this range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> np.unique(nn.AlphaDropout(0.5)(np.zeros((100, 10))).round(4)).tolist()
    [-0.7792, 0.7792]
    """

    kernel = "alpha_dropout"

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__(p)
        check.check_flag("inplace", inplace)


class GaussianDropout(Noise):
    """Multiplicative normal noise while training (Srivastava et al. 2014; Keras' GaussianDropout).

    y = x * (1 + z * sqrt(p / (1 - p))),   z normal with mean 0 and variance 1;   in inference y = x

    Shapes, dtypes and random numbers are those of `Dropout`; `functional.gaussian_dropout` has the details.

    Parameters
    ----------
    p : float in [0, 1), default 0.5
        The noise has the variance of dropout with this probability. It can be set at any time.

    Raises
    ------
    TypeError, ValueError
        If p is not a number in this range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> y = nn.GaussianDropout(0.5)(np.ones((1000, 10)))
    >>> bool(abs(y.mean() - 1) < 0.1 and abs(y.std() - 1) < 0.1)
    True
    """

    kernel = "gaussian_dropout"

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)


class GaussianNoise(Noise):
    """Additive normal noise while training (Keras' GaussianNoise).

    y = x + std * z,   z normal with mean 0 and variance 1;   in inference y = x

    The gradient of the input is that of the output. Shapes, dtypes and random numbers are those of `Dropout`;
    `functional.gaussian_noise` has the details.

    Parameters
    ----------
    std : float, at least 0, default 0.1
        Standard deviation. It can be set at any time.

    Raises
    ------
    TypeError, ValueError
        If std is not a number in this range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> y = nn.GaussianNoise(0.5)(np.zeros((1000, 10)))
    >>> bool(abs(y.std() - 0.5) < 0.05)
    True
    """

    kernel = "gaussian_noise"
    planned = ("std",)

    def __init__(self, std: float = 0.1) -> None:
        super().__init__(std)
