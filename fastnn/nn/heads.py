"""Networks with several outputs, each of which has a loss of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from .branches import Concat
from .loss import Loss
from .module import Module
from .python_loss import PythonLoss

if TYPE_CHECKING:
    from ..compiler.compile import ProgramBuilder as Builder

EXACT = {"float32": 1 << 24, "float64": 1 << 53}  # the dtype represents all integers up to this


class Heads(Concat):
    """Named branches at the end of a network; their outputs are concatenated, and `split` separates them again.

    y = [head_0(x), head_1(x), ...]

    x has shape (..., in_features), y the sum of the outputs of the heads. `HeadsLoss` trains them together.

    Parameters
    ----------
    **heads : Module
        A layer or network for each output. At least one must have a fixed number of input features:
        `price=nn.Linear(32, 1)`.

    Raises
    ------
    TypeError, ValueError
        If there is no head, or something is not a layer or is part of another network.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn
    >>> from fastnn import nn, optim
    >>> heads = nn.Heads(price=nn.Linear(8, 1), kind=nn.Linear(8, 3))
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), heads, seed=0)
    >>> loss = nn.HeadsLoss(heads, price=nn.HuberLoss(), kind=nn.CrossEntropyLoss(), weights={"kind": 0.5})
    >>> trainer = fastnn.Trainer(net, loss, optim.Adam(net.parameters()))
    >>> X = np.zeros((10, 4), "float32")
    >>> history = trainer.fit(X, {"price": np.ones(10, "float32"), "kind": np.arange(10) % 3})
    >>> list(history)
    ['loss', 'price_loss', 'kind_loss', 'accuracy', 'seconds']
    >>> {name: y.shape for name, y in heads.split(net.predict(X)).items()}
    {'price': (10, 1), 'kind': (10, 3)}
    """

    def __init__(self, **heads: Module) -> None:
        if not heads:
            raise ValueError("Heads needs at least one head")
        super(Concat, self).__init__(heads)

    def _arguments(self, children: dict[str, Module]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (), dict(children)

    @property
    def widths(self) -> dict[str, int]:
        """The number of outputs of each head, by name.

        Raises
        ------
        ValueError
            If no head has a fixed number of input features.
        """
        features = self.in_features_hint()
        if features is None:
            raise ValueError("Heads: no head tells how many features it takes")
        return {name: head.out_features_for(features) for name, head in self.named_children().items()}

    def split(self, y: Any) -> dict[str, check.Array]:
        """Return the outputs of each head, by name.

        Parameters
        ----------
        y : ndarray of float32 or float64, shape (..., all outputs)
            The output of the network.

        Returns
        -------
        outputs : dict of ndarray, shape (..., outputs of the head)
            Views of y.

        Raises
        ------
        TypeError, ValueError
            If y has another dtype or number of outputs.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import nn
        >>> heads = nn.Heads(a=nn.Linear(2, 1), b=nn.Linear(2, 2))
        >>> heads.split(np.array([[1.0, 2.0, 3.0]]))
        {'a': array([[1.]]), 'b': array([[2., 3.]])}
        """
        y = check.as_array("y", y)
        ends = np.cumsum([0, *self.widths.values()])
        check.check_shape("y", y, (*y.shape[:-1], int(ends[-1])), "(..., all outputs)")
        return {name: y[..., a:b] for name, a, b in zip(self.widths, ends[:-1], ends[1:], strict=True)}


class HeadsLoss(Loss):
    """The weighted sum of the losses of `Heads`.

    loss = sum over heads of weight * loss of the head

    Targets are a dict with an array for each head. The history has "<head>_loss" for each, and one accuracy of all
    heads that classify.

    Parameters
    ----------
    heads : Heads
        The last layer of the network.
    weights : dict of str to float, at least 0, optional
        The weight of each head; 1 for those that are not named.
    **losses : Loss
        The loss of each head, with reduction "mean".

    Raises
    ------
    TypeError, ValueError
        If heads is not a `Heads`, a head has no loss, a name is not that of a head, a loss is not one of `fastnn.nn` or
        has another reduction, or a weight is out of its range.

    Notes
    -----
    The loss of an epoch is the mean over its batches, in proportion to their samples (or sample weights); so is the
    gradient of accumulated batches.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> heads = nn.Heads(a=nn.Linear(2, 1), b=nn.Linear(2, 1))
    >>> loss = nn.HeadsLoss(heads, a=nn.MSELoss(), b=nn.L1Loss(), weights={"b": 0.5})
    >>> value, grad = loss(np.array([[2.0, 1.0]]), {"a": np.array([[0.0]]), "b": np.array([[0.0]])})
    >>> float(value), grad.tolist()
    (4.5, [[4.0, 0.5]])
    """

    name = kernel = "heads"
    quick = False

    def __init__(self, heads: Heads, *, weights: Mapping[str, float] | None = None, **losses: Loss) -> None:
        super().__init__()
        if not isinstance(heads, Heads):
            raise TypeError(f"heads must be nn.Heads, got {type(heads).__name__}")
        self.widths = heads.widths
        _check_names("losses", losses, self.widths, all_of_them=True)
        for name, loss in losses.items():
            if not isinstance(loss, Loss) or isinstance(loss, (PythonLoss, HeadsLoss)):
                raise TypeError(f"{name} must be a loss of fastnn.nn, got {loss!r:.60}")
            if loss.reduction != "mean":
                raise ValueError(f'{name}: reduction must be "mean", got {loss.reduction!r}')
        self.losses = {name: losses[name] for name in self.widths}
        weights = dict(weights or {})
        _check_names("weights", weights, self.widths)
        self.weights = {
            name: check.check_number(f"weights[{name!r}]", weights.get(name, 1.0), at_least=0.0) for name in self.widths
        }

    def __call__(self, input: Any, target: Any, sample_weight: Any = None) -> tuple[Any, check.Array]:
        """Return the weighted sum of the losses and its gradient.

        Parameters
        ----------
        input : ndarray of float32 or float64, shape (rows, all outputs)
        target : dict of arrays
            For each head what its loss takes.
        sample_weight : array of shape (rows,), optional

        Returns
        -------
        value : scalar of input's dtype
        grad_input : ndarray, shape and dtype of input

        Raises
        ------
        TypeError, ValueError
            If a target is missing or does not fit, or dtypes or shapes do not match.
        """
        x = check.as_array("input", input)
        check.check_shape("input", x, (len(x), sum(self.widths.values())), "(rows, all outputs)")
        _check_targets(target, self.widths)
        total, gradient, start = 0.0, np.empty_like(x), 0
        for name, width in self.widths.items():
            columns = slice(start, start + width)
            t, _ = self.losses[name].prepare_target(target[name], len(x), width, x.dtype)
            value, grad = self.losses[name](np.ascontiguousarray(x[:, columns]), t, sample_weight)
            total += self.weights[name] * float(value)
            gradient[:, columns] = self.weights[name] * grad
            start += width
        return x.dtype.type(total), gradient

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the heads."""
        return tuple(self.widths)

    def prepare_target(self, target: Any, rows: int, n_out: int, dtype: np.dtype[Any]) -> tuple[check.Array, Any]:
        """Concatenate the targets of all heads; class indices become numbers, which the program converts back.

        The second value returned, the layout, has (columns, whether they are class indices) for each head.
        """
        if n_out != sum(self.widths.values()):
            raise ValueError(f"the network has {n_out} outputs, the heads of the loss {sum(self.widths.values())}")
        _check_targets(target, self.widths)
        columns, layout = [], list[tuple[int, bool]]()
        for name, width in self.widths.items():
            try:
                t, labels = self.losses[name].prepare_target(target[name], rows, width, dtype)
            except (TypeError, ValueError) as error:
                raise type(error)(f"y[{name!r}]: {error}") from None
            if labels and t.size and np.abs(t).max() > EXACT[dtype.name]:
                raise ValueError(f"y[{name!r}]: class indices must be between 0 and {width - 1}, got {np.abs(t).max()}")
            columns.append(check.as_converted(f"y[{name!r}]", t.reshape(rows, -1), dtype))
            layout.append((columns[-1].shape[1], labels))
        return np.hstack(columns), tuple(layout)

    def describe_label(self, row: int, value: int, y: Any, n_out: int, layout: Any = True) -> str:
        start = 0
        for name, (width, labels) in zip(self.widths, layout, strict=True):
            if labels and y[row, start] == value and not 0 <= value < self.widths[name]:
                return f"y[{name!r}][{row}] is {value}: class indices must be between 0 and {self.widths[name] - 1}"
            start += width
        return super().describe_label(row, value, y, n_out)

    def plan(self, builder: Builder, labels: Any) -> None:
        x, gradient, cols = builder.current, builder.gradient, builder.cols
        if sum(self.widths.values()) != cols:
            raise ValueError(f"the network has {cols} outputs, the heads of the loss {sum(self.widths.values())}")
        # Without data yet, assume the usual targets: class indices for losses over classes, else one for each output.
        layout = labels or [(1, True) if self.losses[n].classes else (width, False) for n, width in self.widths.items()]
        targets = builder.targets(sum(width for width, _ in layout))
        builder.head("begin")
        start = place = 0
        for i, (name, width) in enumerate(self.widths.items()):
            t_width, is_labels = layout[i]
            builder.current, builder.cols = builder.matrix(width), width
            builder.gradient = None if gradient is None else builder.matrix(width)
            builder.copy_columns(x, start, builder.current, 0, width, f"outputs of {name}")
            first = len(builder.operations)
            builder.accumulate, accumulate = False, builder.accumulate  # of this head the mean; the copy below adds
            self.losses[name].plan(builder, is_labels)
            builder.accumulate = accumulate
            builder.retarget(first, targets, place, t_width, is_labels, name)
            builder.head("add", head_weight=self.weights[name], place=i)
            if gradient is not None:
                label = f"gradient of {name}"
                builder.copy_columns(
                    builder.gradient, 0, gradient, start, width, label, factor=self.weights[name], counted=accumulate
                )
            start, place = start + width, place + t_width
        builder.current, builder.gradient, builder.cols = x, gradient, cols
        builder.head("end")

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={self.weights[name]:g} * {loss!r}" for name, loss in self.losses.items())
        return f"HeadsLoss({inner})"


def _check_names(what: str, given: Mapping[str, Any], heads: Mapping[str, int], all_of_them: bool = False) -> None:
    unknown, missing = sorted(set(given) - set(heads)), sorted(set(heads) - set(given))
    if unknown:
        raise ValueError(f"{what}: no head is called {unknown[0]!r}; there are {', '.join(heads)}")
    if all_of_them and missing:
        raise ValueError(f"{what}: {', '.join(missing)} must be given too")


def _check_targets(target: Any, heads: Mapping[str, int]) -> None:
    if not isinstance(target, Mapping):
        raise TypeError(f"y must be a dict with an array for each of {', '.join(heads)}, got {type(target).__name__}")
    _check_names("y", target, heads, all_of_them=True)
