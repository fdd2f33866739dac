"""Losses as objects, for the trainer and for your own loops: `loss_fn(y_pred, y)` returns the value and its gradient.

The functions of the same names in `functional` have gradients, special values and accuracy. This is their base class;
`regression_losses`, `binary_losses`, `class_losses`, `distribution_losses` and `python_loss` have the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import _validation as check
from .._core.operations import ACCUMULATE, BY_ROWS, EACH_OUTPUT, LABELS, MEAN, ROOT
from .._frames import USE, shorten
from ..functional import LOSSES
from ..functional._losses import LossFunction
from .fixed import Fixed

if TYPE_CHECKING:
    from ..compiler.compile import ProgramBuilder as Builder


class Loss(Fixed):
    """Base of the losses: called with outputs and targets, a loss returns its value and its gradient.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        The mean or the sum over all elements (or rows, for losses of rows), or one value each. The trainer takes all
        but "none".

    Raises
    ------
    TypeError, ValueError
        If reduction is none of these, or an argument is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.MSELoss()(np.array([[1.0], [2.0]]), np.array([[0.0], [2.0]]))
    >>> float(value), grad.tolist()
    (0.5, [[1.0], [0.0]])
    """

    _internal: ClassVar[tuple[str, ...]] = (
        "by_elements", "classes", "converts", "describe_label", "extra_name", "formula", "heads", "ignored", "kernel",
        "kind",
        "logits", "name", "numbers", "plan", "prepare_target", "quick", "reductions", "root", "threshold", "version",
    )  # fmt: skip
    name: ClassVar[str]  # of the function in `functional`
    kernel: ClassVar[str]
    way_out = "make a new loss"
    kind: ClassVar[str] = "loss"  # of the operation: "loss" has a value for each element, "row_loss" for each row
    root: ClassVar[bool] = False
    threshold: ClassVar[float | None] = None  # outputs above it mean the positive class of two
    classes: ClassVar[bool] = False  # whether outputs are scores over classes, and targets may be class indices
    logits: ClassVar[bool] = False  # whether outputs are logits over classes, whose softmax is probabilities
    extra_name: ClassVar[str] = ""  # the keyword that may be an array with a number for each column or class
    reductions: ClassVar[tuple[str, ...]] = ("mean", "sum", "none")
    converts: ClassVar[bool] = True  # whether targets that are no class indices become numbers of the network's dtype
    quick: ClassVar[bool] = True  # whether the trainer may use the compiled fast path of a step

    def __init__(self, reduction: str = "mean", **params: float) -> None:
        if params and type(self).__init__ is Loss.__init__:  # a loss without parameters: the caller's are unknown
            check.refuse_unknown(type(self), params)
        if not isinstance(reduction, str):
            kind = type(reduction).__name__
            raise TypeError(
                f"{type(self).__name__}: reduction must be a word, got {kind}: give weights by name, weight=..."
            )
        check.check_choice("reduction", reduction, self.reductions)
        self.reduction = reduction
        self.params = params  # numeric keywords of the function, in the order in which the kernel takes them
        self._extra: check.Array | None = None
        self._column_weight: check.Array | None = None  # multiplies single losses; does not count in the mean
        self.version = 0  # counts changes: programs of an earlier version are out of date

    def __call__(self, input: Any, target: Any, sample_weight: Any = None) -> tuple[Any, check.Array]:
        """Return the loss and its gradient with respect to input.

        Parameters
        ----------
        input : array
            The outputs of a network. Shape (rows, outputs), any shape for losses of single elements, and (classes,) or
            (rows, classes, d1, ...) for losses over classes. Integers, booleans and lists become float64.
        target : array
            Of input's shape and any real dtype, converted to input's; for losses over classes class indices: integers,
            booleans or floats without a fraction of shape (rows,) or (rows, 1), () or (rows, d1, ...).
        sample_weight : array of shape (rows,), or of input's shape for losses of single elements, optional
            Multiplies the loss of each sample, 0 or more. "mean" is then the weighted mean.

        Returns
        -------
        value : scalar of input's dtype, or for reduction "none" an array with a value for each element or row
        grad_input : ndarray, shape and dtype of input
            For reduction "none" the gradient of the sum.

        Raises
        ------
        TypeError, ValueError
            If dtypes or shapes do not match, or a target or a weight is out of range.
        """
        try:
            arrays = (self._extra, self._column_weight)
            return self.formula.both(input, target, self.reduction, sample_weight, self.numbers, *arrays)
        except USE as error:
            shorten(error)
            raise

    @property
    def formula(self) -> LossFunction:
        """The operation of `functional` that computes this loss."""
        return LOSSES[self.name]

    @property
    def by_elements(self) -> bool:
        """Whether it is a mean over elements, which may have weights of their own, and of which some may be missing."""
        return self.kind == "loss" and not self.classes and self.reduction != "batchmean"

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the outputs that have a loss of their own; empty for all but `HeadsLoss`."""
        return ()

    def describe_label(self, row: int, value: int, y: Any, n_out: int, layout: Any = True) -> str:
        """The message for a class index out of range; `layout` is the second value that `prepare_target` returned."""
        return f"y[{row}] is {value}: class indices must be between 0 and {n_out - 1}"

    @property
    def ignored(self) -> int:
        """The class index whose rows are left out."""
        return int(self.params.get("ignore_index", -100))

    @property
    def numbers(self) -> tuple[float, ...]:
        """The parameters of the kernel, as floats in the order in which it takes them."""
        return tuple(map(float, self.params.values()))

    def _keep(self, extra: check.Array | None, name: str = "_extra") -> None:
        """Keep a copy of an array with a number for each column or class, and have programs compiled again."""
        if extra is not None:
            extra = extra.copy()
            extra.flags.writeable = False
        setattr(self, name, extra)
        self.version += 1

    def prepare_target(self, target: Any, rows: int, n_out: int, dtype: np.dtype[Any]) -> tuple[check.Array, Any]:
        """Convert the target of `rows` samples to what a program reads; called by the trainer.

        Parameters
        ----------
        target : array
        rows, n_out : int
            The number of samples and of outputs of the network.
        dtype : dtype
            That of the network.

        Returns
        -------
        target : ndarray, shape (rows, n_out), of any real dtype and layout; or int64 of shape (rows,)
            Numbers are converted to the network's dtype in batches (see `converts`).
        labels : bool
            Whether the target is class indices. `HeadsLoss` returns the layout of its heads instead. `builder` is given
            it.

        Raises
        ------
        TypeError, ValueError
            If the target does not fit.
        """
        t = check.as_source("y", target)
        if n_out == 1 and t.ndim == 1:
            t = t.reshape(-1, 1)
        check.check_shape("y", t, (rows, n_out), f"for {rows} samples and {n_out} outputs")
        return t, False

    def plan(self, builder: Builder, labels: bool) -> None:
        """Add the operations of this loss to `builder`; called by the network.

        `labels` is the second value that `prepare_target` returned.
        """
        self._plan_loss(builder, labels, builder.current, builder.gradient, builder.cols, self._operands(builder))
        if self.threshold is not None or self.classes:
            self._plan_accuracy(builder, labels)

    def _plan_loss(
        self, builder: Builder, labels: bool, x: Any, gradient: Any, cols: int, more: dict[str, Any]
    ) -> None:
        """Add the loss of `cols` columns x, and its gradient unless that is None; `more` are further operands."""
        from ..compiler.memory import Argument
        from ..compiler.operations import Operation

        arrays = {"x": x, "target": Argument("target"), "sample_weight": Argument("sample_weight"), **more}
        if gradient is not None:
            arrays["grad_input"] = gradient
        if self.kind == "loss":
            arrays["expanded"] = builder.matrix(cols)
        label = f"{type(self).__name__}" + (" + gradient" if gradient is not None else "")
        flag = self._flag(labels) | (ACCUMULATE if builder.accumulate else 0)
        flag |= ROOT if self.root else 0
        options: dict[str, float] = {"ignored": self.ignored} if self.kind == "row_loss" else {}
        operation = Operation(self.kind, label, arrays, cols, 0, self.kernel, self.numbers, options, flag, loss=self)
        builder.operations.append(operation)

    def _flag(self, labels: bool) -> int:
        flag = 0 if self.reduction == "sum" else MEAN
        return flag | (LABELS if labels else 0) | (BY_ROWS if self.reduction == "batchmean" else 0)

    def _operands(self, builder: Builder) -> dict[str, Any]:
        """Further operands of the kernel: the number of each column, repeated for each row of a batch."""
        operands = {}
        shape = (builder.cols,)
        if self._extra is not None:
            check.check_shape(self.extra_name, self._extra, shape, "one an output")
            columns = check.as_columns(self.extra_name, self._extra, (builder.batch_size, *shape), builder.dtype)
            operands["extra"] = columns
        if self._column_weight is not None:
            check.check_shape("weight", self._column_weight, shape, "one an output")
            operands["column_weight"] = self._column_weight.astype(builder.dtype)
        return operands

    def _plan_accuracy(self, builder: Builder, labels: bool) -> None:
        from ..compiler.memory import Argument
        from ..compiler.operations import Operation

        arrays = {"x": builder.current, "target": Argument("target"), "sample_weight": Argument("sample_weight")}
        binary = self.threshold is not None
        options: dict[str, float] = {"threshold": self.threshold or 0.0, "ignored": self.ignored}
        flag = self._flag(labels) | (EACH_OUTPUT if binary else 0)
        builder.operations.append(
            Operation("count_correct", "accuracy", arrays, builder.cols, options=options, flag=flag)
        )

    def __repr__(self) -> str:
        params: dict[str, Any] = {n: v if isinstance(v, bool) else f"{v:g}" for n, v in self.params.items()}
        if self._extra is not None:
            params[self.extra_name] = self._extra.tolist()
        if self._column_weight is not None:
            params["weight"] = self._column_weight.tolist()
        return f"{type(self).__name__}(reduction={self.reduction!r}{''.join(f', {n}={v}' for n, v in params.items())})"
