"""The initializers: objects that are called with (shape, draws) and return initial values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from ... import _validation as check
from .draws import Draws, normal_quantile
from .orthogonal import orthonormal_rows

if TYPE_CHECKING:
    from ..module import Module

Array = check.Array


class Initializer:
    """Base of the initializers.

    An initializer of your own is a subclass, or any function of (shape, draws) that returns an array of that shape:
    `draws(n, low, high)` returns n uniform numbers and `draws.normal(n, mean, std)` n normal ones, which depend only on
    the network's seed and the layer's position.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> def twice(shape, draws):
    ...     return 2.0 * np.eye(*shape)
    >>> nn.Linear(2, 2, weight_init=twice).weight.tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """

    needs_matrix: ClassVar[bool] = False

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        """Return the initial values.

        Parameters
        ----------
        shape : tuple of int
        draws : Draws
            The source of random numbers.

        Returns
        -------
        values : ndarray of that shape
        """
        raise NotImplementedError(f"{type(self).__name__} must define __call__(shape, draws)")

    def check_shape(self, name: str, shape: tuple[int, ...]) -> None:
        """Raise ValueError if the initializer does not apply to arrays of this shape."""
        if self.needs_matrix and len(shape) != 2:
            raise ValueError(f"{name}: {type(self).__name__} is for matrices (in, out), not for shape {shape}")

    def before(self, layers: Iterable[Module]) -> Initializer:
        """The initializer for a layer that is followed by `layers`; `KaimingUniform` takes its gain from them."""
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


# -- gains -------------------------------------------------------------------------------------------------------------

GAINS = {
    "linear": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "leaky_relu": math.nan,  # depends on its slope
    "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The gain of a nonlinearity: the factor of the weights before it that keeps the variance, as in PyTorch.

    Parameters
    ----------
    nonlinearity : {"linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"}
        With gains 1, 1, 5/3, sqrt(2), sqrt(2 / (1 + param^2)) and 3/4.
    param : float, default 0.01
        The slope of "leaky_relu"; the others ignore it.

    Returns
    -------
    gain : float

    Raises
    ------
    TypeError, ValueError
        If nonlinearity is none of these, or param is not a number.

    Examples
    --------
    >>> from fastnn import nn
    >>> nn.init.calculate_gain("selu"), nn.init.calculate_gain("leaky_relu", 1.0)
    (0.75, 1.0)
    """
    check.check_choice("nonlinearity", nonlinearity, tuple(GAINS))
    if nonlinearity != "leaky_relu":
        return GAINS[nonlinearity]
    slope = 0.01 if param is None else check.check_number("param", param)
    return math.sqrt(2.0 / (1 + slope * slope))


# -- without regard to the shape ---------------------------------------------------------------------------------------


class Constant(Initializer):
    """One value everywhere.

    For arrays of any shape. `nn.init.constant_` fills an array in place.

    Parameters
    ----------
    val : float

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> from fastnn import nn
    >>> nn.Linear(2, 2, weight_init=nn.init.Constant(0.5), seed=0).weight.tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """

    def __init__(self, val: float) -> None:
        self.val = check.check_number("val", val)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return np.full(shape, self.val)


class Zeros(Initializer):
    """0 everywhere.

    For arrays of any shape. `nn.init.zeros_` fills an array in place.

    Examples
    --------
    >>> from fastnn import nn
    >>> nn.Linear(2, 2, weight_init=nn.init.Zeros(), seed=0).weight.tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return np.zeros(shape)


class Ones(Initializer):
    """1 everywhere.

    For arrays of any shape. `nn.init.ones_` fills an array in place.

    Examples
    --------
    >>> from fastnn import nn
    >>> nn.Linear(2, 2, weight_init=nn.init.Ones(), seed=0).weight.tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return np.ones(shape)


class Uniform(Initializer):
    """Uniform in [a, b).

    For arrays of any shape. `nn.init.uniform_` fills an array in place.

    Parameters
    ----------
    a : float, default 0.0
    b : float, at least a, default 1.0

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(50, 60, weight_init=nn.init.Uniform(-0.5, 0.5), seed=0).weight
    >>> bool(a.min() >= -0.5 and a.max() <= 0.5)
    True
    """

    def __init__(self, a: float = 0.0, b: float = 1.0) -> None:
        self.a, self.b = check.check_number("a", a), check.check_number("b", b)
        check.check_number("b", b, at_least=self.a)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return draws(math.prod(shape), self.a, self.b).reshape(shape)


class Normal(Initializer):
    """Normal with a mean and a standard deviation.

    For arrays of any shape. `nn.init.normal_` fills an array in place.

    Parameters
    ----------
    mean : float, default 0.0
    std : float, at least 0, default 1.0

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(50, 60, weight_init=nn.init.Normal(std=0.5), seed=0).weight
    >>> bool(abs(a.std() / 0.5 - 1) < 0.05)
    True
    """

    def __init__(self, mean: float = 0.0, std: float = 1.0) -> None:
        self.mean, self.std = check.check_number("mean", mean), check.check_number("std", std, at_least=0.0)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return draws.normal(math.prod(shape), self.mean, self.std).reshape(shape)


class TruncNormal(Initializer):
    """Normal, truncated to [a, b].

    For arrays of any shape. `nn.init.trunc_normal_` fills an array in place.

    Parameters
    ----------
    mean : float, default 0.0
    std : float above 0, default 1.0
        Of the distribution before it is truncated.
    a : float, default -2.0
    b : float above a, default 2.0
        Bounds of the values themselves, not in units of std.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(50, 60, weight_init=nn.init.TruncNormal(a=-1.0, b=1.0), seed=0).weight
    >>> bool(a.min() >= -1 and a.max() <= 1)
    True
    """

    def __init__(self, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0) -> None:
        self.mean, self.std = check.check_number("mean", mean), check.check_number("std", std, above=0.0)
        self.a = check.check_number("a", a)
        self.b = check.check_number("b", b, above=self.a)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        low, high = (math.erf((end - self.mean) / self.std / math.sqrt(2)) / 2 for end in (self.a, self.b))

        def transform(u: Array) -> Array:
            z = normal_quantile(low + (high - low) * (u + 2.0**-54))
            return np.clip(self.std * z + self.mean, self.a, self.b)

        return draws.each(math.prod(shape), transform).reshape(shape)


# -- by the number of inputs and outputs -------------------------------------------------------------------------------


class Scaled(Initializer):
    """Base of the initializers whose standard deviation depends on the shape (fan_in, fan_out)."""

    needs_matrix = True
    uniform: ClassVar[bool]

    def std(self, fan_in: int, fan_out: int) -> float:
        """The standard deviation for this number of inputs and outputs."""
        raise NotImplementedError

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        std = self.std(*(max(1, fan) for fan in shape))
        if self.uniform:
            bound = math.sqrt(3.0) * std
            return draws(math.prod(shape), -bound, bound).reshape(shape)
        return draws.normal(math.prod(shape), 0.0, std).reshape(shape)


class XavierUniform(Scaled):
    """Uniform Glorot initialization (Glorot and Bengio 2010).

    Uniform within gain * sqrt(6 / (in + out)).

    For matrices (in, out) only. `nn.init.xavier_uniform_` fills an array in place.

    Parameters
    ----------
    gain : float, at least 0, default 1.0
        Factor for the nonlinearity that follows; see `calculate_gain`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range; when a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(50, 100, weight_init=nn.init.XavierUniform(), seed=0).weight
    >>> bool(a.min() >= -0.2 and a.max() <= 0.2)
    True
    """

    uniform = True

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = check.check_number("gain", gain, at_least=0.0)

    def std(self, fan_in: int, fan_out: int) -> float:
        return self.gain * math.sqrt(2.0 / (fan_in + fan_out))


class XavierNormal(XavierUniform):
    """Normal Glorot initialization (Glorot and Bengio 2010).

    Normal with mean 0 and std gain * sqrt(2 / (in + out)).

    For matrices (in, out) only. `nn.init.xavier_normal_` fills an array in place.

    Parameters
    ----------
    gain : float, at least 0, default 1.0
        Factor for the nonlinearity that follows; see `calculate_gain`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range; when a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(50, 150, weight_init=nn.init.XavierNormal(), seed=0).weight
    >>> bool(abs(a.std() / 0.1 - 1) < 0.05)
    True
    """

    uniform = False


class KaimingUniform(Scaled):
    """Uniform He initialization (He et al. 2015).

    Uniform within gain * sqrt(3 / fan); `calculate_gain` has the gains.

    For matrices (in, out) only. `nn.init.kaiming_uniform_` fills an array in place.

    Parameters
    ----------
    a : float, default 0.0
        The slope of "leaky_relu".
    mode : {"fan_in", "fan_out"}, default "fan_in"
        Whether the variance is kept in the forward pass (fan is the number of inputs) or backward (of outputs).
    nonlinearity : str, optional
        One of those of `calculate_gain`. By default that of the first layer that is one of them, with its slope, after
        this layer and before the next weights; "relu" if there is none.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range; when a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(150, 20, weight_init=nn.init.KaimingUniform(), seed=0).weight
    >>> bool(a.min() >= -0.2 and a.max() <= 0.2)
    True
    """

    uniform = True

    def __init__(self, a: float = 0.0, mode: str = "fan_in", nonlinearity: str | None = None) -> None:
        self.a = check.check_number("a", a)
        check.check_choice("mode", mode, ("fan_in", "fan_out"))
        if nonlinearity is not None:
            check.check_choice("nonlinearity", nonlinearity, tuple(GAINS))
        self.mode, self.nonlinearity = mode, nonlinearity

    def before(self, layers: Iterable[Module]) -> Self:
        if self.nonlinearity is None:
            for layer in layers:
                kernel = getattr(layer, "kernel", None)
                if kernel in GAINS:
                    return type(self)(getattr(layer, "negative_slope", self.a), self.mode, kernel)
        return self

    def std(self, fan_in: int, fan_out: int) -> float:
        fan = fan_in if self.mode == "fan_in" else fan_out
        return calculate_gain(self.nonlinearity or "relu", self.a) / math.sqrt(fan)


class KaimingNormal(KaimingUniform):
    """Normal He initialization (He et al. 2015).

    Normal with mean 0 and std gain / sqrt(fan); `calculate_gain` has the gains.

    For matrices (in, out) only. `nn.init.kaiming_normal_` fills an array in place.

    Parameters
    ----------
    a : float, default 0.0
        The slope of "leaky_relu".
    mode : {"fan_in", "fan_out"}, default "fan_in"
        Whether the variance is kept in the forward pass (fan is the number of inputs) or backward (of outputs).
    nonlinearity : str, optional
        One of those of `calculate_gain`. By default that of the first layer that is one of them, with its slope, after
        this layer and before the next weights; "relu" if there is none.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range; when a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(50, 100, weight_init=nn.init.KaimingNormal(), seed=0).weight
    >>> bool(abs(a.std() / 0.2 - 1) < 0.05)
    True
    """

    uniform = False


class LecunUniform(Scaled):
    """Uniform LeCun initialization (LeCun et al. 1998; for SELU: Klambauer et al. 2017).

    Uniform within sqrt(3 / in).

    For matrices (in, out) only. `nn.init.lecun_uniform_` fills an array in place.

    Raises
    ------
    ValueError
        When a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(75, 20, weight_init=nn.init.LecunUniform(), seed=0).weight
    >>> bool(a.min() >= -0.2 and a.max() <= 0.2)
    True
    """

    uniform = True

    def std(self, fan_in: int, fan_out: int) -> float:
        return 1.0 / math.sqrt(fan_in)


class LecunNormal(LecunUniform):
    """Normal LeCun initialization (LeCun et al. 1998; for SELU: Klambauer et al. 2017).

    Normal with mean 0 and std 1 / sqrt(in).

    For matrices (in, out) only. `nn.init.lecun_normal_` fills an array in place.

    Raises
    ------
    ValueError
        When a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(100, 50, weight_init=nn.init.LecunNormal(), seed=0).weight
    >>> bool(abs(a.std() / 0.1 - 1) < 0.05)
    True
    """

    uniform = False


def linear_default(in_features: int) -> Uniform:
    """PyTorch's default for weight and bias of a linear layer: uniform within 1 / sqrt(in_features)."""
    bound = 1 / math.sqrt(in_features) if in_features > 0 else 0.0
    return Uniform(-bound, bound)


# -- matrices of a kind ------------------------------------------------------------------------------------------------


class Orthogonal(Initializer):
    """Orthogonal matrix (Saxe et al. 2014).

    Rows or columns, whichever are fewer, are orthogonal to each other and of length |gain|.

    For matrices (in, out) only. `nn.init.orthogonal_` fills an array in place.

    Parameters
    ----------
    gain : float, default 1.0

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range; when a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> w = nn.Linear(4, 2, weight_init=nn.init.Orthogonal(2.0), seed=0).weight
    >>> np.allclose(w.T @ w, 4.0 * np.eye(2), atol=1e-5)
    True
    """

    needs_matrix = True

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = check.check_number("gain", gain)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        few, many = sorted(shape)
        rows = orthonormal_rows(draws.normal(few * many, dtype="float64").reshape(few, many))
        return self.gain * (rows if shape[0] <= shape[1] else rows.T)


class Eye(Initializer):
    """1 on the diagonal, 0 elsewhere.

    As many inputs as possible are passed on unchanged.

    For matrices (in, out) only. `nn.init.eye_` fills an array in place.

    Raises
    ------
    ValueError
        When a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> from fastnn import nn
    >>> nn.Linear(2, 3, weight_init=nn.init.Eye(), seed=0).weight.tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """

    needs_matrix = True

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return np.eye(shape[0], shape[1])


class Sparse(Initializer):
    """Sparse initialization (Martens 2010): normal values, of which a share in each column is 0.

    A column of a layer's weight holds the weights into one unit. Its zeros are chosen at random; sparsity * in of them,
    rounded up.

    For matrices (in, out) only. `nn.init.sparse_` fills an array in place.

    Parameters
    ----------
    sparsity : float in [0, 1]
        Share of zeros in each column.
    std : float, at least 0, default 0.01
        Standard deviation of the others.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range; when a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> w = nn.Linear(10, 3, weight_init=nn.init.Sparse(0.5), seed=0).weight
    >>> (w == 0).sum(axis=0).tolist()
    [5, 5, 5]
    """

    needs_matrix = True

    def __init__(self, sparsity: float, std: float = 0.01) -> None:
        self.sparsity = check.check_number("sparsity", sparsity, at_least=0.0, at_most=1.0)
        self.std = check.check_number("std", std, at_least=0.0)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        values = draws.normal(math.prod(shape), 0.0, self.std).reshape(shape)
        keys = draws.each(math.prod(shape), lambda u: u, "float64").reshape(shape)
        zeros = np.argsort(keys, axis=0, kind="stable")[: math.ceil(self.sparsity * shape[0])]
        np.put_along_axis(values, zeros, 0.0, axis=0)
        return values
