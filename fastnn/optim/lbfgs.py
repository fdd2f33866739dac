"""L-BFGS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core import parametric as core
from .._frames import errors_of_use
from .._schema import MOST_STEPS
from .line_search import Point, is_finite, strong_wolfe
from .optimizer import Array, Optimizer, Value
from .param_lists import Params

LINE_SEARCHES = (None, "strong_wolfe")


@dataclass
class Memory:
    """The state of L-BFGS between iterations: the latest changes of the gradient and of the parameters."""

    prev_grad: Array
    direction: Array
    prev_loss: float = 0.0
    t: float = 0.0  # length of the last step, in units of direction
    scale: float = 1.0  # inverse curvature in directions without information
    iterations: int = 0
    evaluations: int = 0
    old_dirs: list[Array] = field(default_factory=list)
    old_steps: list[Array] = field(default_factory=list)
    ro: list[float] = field(default_factory=list)

    def copy(self) -> Memory:
        """A copy with its own lists; the arrays are shared, because they are never modified."""
        return replace(self, old_dirs=self.old_dirs[:], old_steps=self.old_steps[:], ro=self.ro[:])

    def learn(self, grad: Array, size: int) -> None:
        """Add the change of the gradient over the last step; drop the oldest of more than `size` changes."""
        change, step = grad - self.prev_grad, self.direction * self.t
        curvature = dot(change, step)
        if not 1e-10 < curvature < np.inf:
            return
        while len(self.ro) >= size:
            del self.old_dirs[0], self.old_steps[0], self.ro[0]
        self.old_dirs.append(change)
        self.old_steps.append(step)
        self.ro.append(1.0 / curvature)
        self.scale = curvature / dot(change, change)

    def newton(self, grad: Array) -> Array:
        """Minus the gradient times the approximate inverse Hessian (the two-loop recursion)."""
        direction = -grad
        entries = list(zip(self.old_dirs, self.old_steps, self.ro, strict=True))
        shares = []
        for change, step, ro in reversed(entries):
            shares.append(dot(step, direction) * ro)
            direction -= shares[-1] * change
        direction *= self.scale
        for (change, step, ro), share in zip(entries, reversed(shares), strict=True):
            direction += (share - dot(change, direction) * ro) * step
        return direction


class LBFGS(Optimizer):
    """L-BFGS: a quasi-Newton method for full batches, with PyTorch's arithmetic.

        direction = -H * gradient, where H approximates the inverse Hessian from the last history_size steps
        param += t * direction, where t is lr, or found by a line search

    The first direction is minus the gradient, with t = lr * min(1, 1 / sum(abs(gradient))). A step evaluates the loss
    and its gradient several times, by a closure: `optimizer.step(closure)`. A `Trainer` has a compiled closure:
    `trainer.fit(x, y, batch_size=None)` takes one such step per epoch, `trainer.step(x, y)` one. The masks of dropout
    are the same throughout a step.

    Parameters
    ----------
    params : Parameters, or list of Parameter, ndarray or dict
        `net.parameters()`, or a part of it, or arrays; see `Optimizer`.
    lr : float, at least 0, default 1
        Length of a step in units of the direction; with a line search the first length that is tried.
    max_iter : int, at least 1, default 20
        Largest number of iterations of a step.
    max_eval : int, at least 1, default max_iter * 5 // 4
        Largest number of evaluations of a step; a line search that exceeds it ends.
    tolerance_grad : float, at least 0, default 1e-7
        A step ends where no element of the gradient is larger.
    tolerance_change : float, at least 0, default 1e-9
        A step ends where the loss or the parameters change by less.
    history_size : int, at least 1, default 100
        Number of changes that are kept; they need 2 * history_size times the memory of the parameters.
    line_search_fn : {None, "strong_wolfe"}, default None
        "strong_wolfe" searches for a length that satisfies the strong Wolfe conditions.
    weight_decay : float, at least 0, default 0
        Adds weight_decay / 2 * |param|^2 to the loss that is minimized. Not in PyTorch's.
    maximize : bool, default False
        Maximize what the closure returns. Not in PyTorch's.

    Raises
    ------
    TypeError, ValueError
        If params is none of these, or an argument is out of range.

    Notes
    -----
    Source: Liu and Nocedal, 1989 (Mathematical Programming 45); the line search: Nocedal and Wright, 2006 (Numerical
    Optimization, section 3.5); the arithmetic of torch.optim.LBFGS.

    Where a loss or gradient is not finite, a step goes back along the direction; a step that begins with one changes
    nothing, except that a NaN of the gradient reaches its parameter. PyTorch's continues into NaN. Parameter groups,
    clipping of gradients, and penalties and constraints of layers are not supported.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> params = nn.Sequential(nn.Linear(1, 1, bias=False), dtype="float64").parameters()
    >>> weight = params["0.weight"]
    >>> weight.data[...] = 1.0
    >>> def closure():
    ...     weight.grad[...] = weight.data - 3
    ...     return 0.5 * (weight.data.item() - 3) ** 2
    >>> optim.LBFGS(params).step(closure)
    2.0
    >>> weight.data.round(4).item()
    3.0
    """

    searches = True

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
        *,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, ())
        if len(self.param_groups) > 1:
            raise ValueError("LBFGS has no parameter groups: give the parameters in one list")
        self.lr, self.weight_decay, self.maximize = lr, weight_decay, maximize
        self.max_iter = check.check_integer("max_iter", max_iter, at_least=1)
        max_eval = self.max_iter * 5 // 4 if max_eval is None else max_eval
        self.max_eval = check.check_integer("max_eval", max_eval, at_least=1)
        self.tolerance_grad = check.check_number("tolerance_grad", tolerance_grad, at_least=0.0)
        self.tolerance_change = check.check_number("tolerance_change", tolerance_change, at_least=0.0)
        self.history_size = check.check_integer("history_size", history_size, at_least=1)
        check.check_choice("line_search_fn", line_search_fn, LINE_SEARCHES)
        self.line_search_fn = line_search_fn
        self.memory = Memory(np.zeros_like(self.params.data), np.zeros_like(self.params.data))

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Raise ValueError: there are no parameter groups."""
        raise ValueError("LBFGS has no parameter groups: make an optimizer from all parameters, in one list")

    def keywords(self) -> dict[str, Any]:
        """The settings, as the arguments of the class."""
        names = ("lr", "max_iter", "max_eval", "tolerance_grad", "tolerance_change", "history_size", "line_search_fn")
        return {name: getattr(self, name) for name in (*names, "weight_decay", "maximize")}

    def slots(self) -> tuple[Array | None, ...]:
        return ()

    # -- a step --------------------------------------------------------------------------------------------------------

    @overload
    def step(self, closure: None = None, *, grads: Sequence[Any] | None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], Value], *, grads: None = None) -> Value: ...
    def step(self, closure: Callable[[], Any] | None = None, *, grads: Sequence[Any] | None = None) -> Any:
        """Search for better parameters, in up to `max_iter` iterations.

        Parameters
        ----------
        closure : callable
            Sets the gradients to zero, computes the loss and its gradients, and returns the loss; or, if arrays are
            optimized, returns (loss, grads) at the values that the arrays have when it is called.
        grads : None
            Gradients at one point are not enough.

        Returns
        -------
        loss : object
            What the first call of the closure returned.

        Raises
        ------
        TypeError
            If closure is not callable or does not return a number.
        ValueError
            If parameters are frozen, gradients are to be clipped, or a layer has l1, l2 or max_norm.
        RuntimeError
            If the layers now belong to another network. After any error, parameters and memory are as before.
        """
        if not callable(closure):
            raise TypeError(
                f"closure must be a function that computes gradients and loss, got {type(closure).__name__}"
            )
        return super().step(closure, grads=grads)  # type: ignore[arg-type]

    def _step(self, closure: Callable[[], Any] | None) -> Any:
        assert closure is not None
        self._check_asked()
        before, kept = self.params.data.copy(), self.memory
        try:
            memory = kept.copy()
            loss = self._iterate(closure, memory)
            self.memory, self.step_count[0] = memory, memory.iterations
        except BaseException:  # restore the state before the step
            self.params.data[...] = before
            self.memory, self.step_count[0] = kept, kept.iterations
            raise
        return loss

    def _check_asked(self) -> None:
        """Raise ValueError if layers or attributes request frozen parameters, clipping, penalties or constraints."""
        settings, limits = self.params.settings, (self.max_grad_norm, self.max_grad_value)
        if settings["l1"].any() or settings["l2"].any() or np.isfinite(settings["max_norm"]).any():
            raise ValueError("LBFGS knows no l1, l2 and max_norm of layers; its weight_decay is an L2 penalty")
        if self.frozen or limits != (None, None) or not self.params.trained.all():
            raise ValueError("LBFGS can neither freeze parameters nor clip gradients")

    def _iterate(self, closure: Callable[[], Any], memory: Memory) -> Any:
        """Iterate up to the end of a step; return what the first call of the closure returned."""
        first, loss, grad = self._evaluate(closure)
        evals, iteration = 1, 0
        small = np.abs(grad).max(initial=0) <= self.tolerance_grad
        if not is_finite(Point(0.0, loss, grad, 0.0)):
            self.params.data[np.isnan(grad)] = np.nan  # NaN reaches its parameter, as with all optimizers
            small = True
        while not small and iteration < self.max_iter:
            iteration += 1
            t, slope = self._aim(memory, loss, grad)
            if not slope <= -self.tolerance_change:  # also where it is NaN
                break
            start = Point(0.0, loss, grad, slope)
            loss, grad, used = self._move(closure, memory, t, start, self.max_eval - evals, iteration < self.max_iter)
            evals += used
            change = np.abs(memory.direction).max() * abs(memory.t)
            small = (
                np.abs(grad).max() <= self.tolerance_grad
                or change <= self.tolerance_change
                or abs(loss - start.loss) < self.tolerance_change
            )
            if evals >= self.max_eval:
                break
        memory.evaluations += evals
        return first

    def _evaluate(self, closure: Callable[[], Any]) -> tuple[Any, float, Array]:
        """The return value of the closure, the loss to minimize, and its gradient."""
        returned = closure()
        try:
            loss = float(returned)
        except (TypeError, ValueError):
            raise TypeError(f"closure must return the loss, a number, got {type(returned).__name__}") from None
        grad = self.params.grad.copy()
        if self.maximize:
            loss, grad = -loss, -grad
        if self.weight_decay:
            loss += 0.5 * self.weight_decay * dot(self.params.data, self.params.data)
            grad += self.weight_decay * self.params.data
        if self._listed:
            grad = self._of_listed(grad)
        return returned, loss, grad

    def _of_listed(self, grad: Array) -> Array:
        """The gradient, 0 where a parameter is not in the list of this optimizer."""
        kept = np.zeros_like(grad)
        for name in self.param_groups[0].params:
            part = self.params.place(self.params[name].data)
            kept[part] = grad[part]
        return kept

    def _aim(self, memory: Memory, loss: float, grad: Array) -> tuple[float, float]:
        """Set the direction; return the length to try first, and the slope of the loss along the direction."""
        if memory.iterations == 0:
            memory.direction = -grad
            memory.t = min(1.0, 1.0 / dot(grad, np.sign(grad))) * self.lr  # 1 over the sum of all magnitudes
        else:
            memory.learn(grad, self.history_size)
            memory.direction = memory.newton(grad)
            memory.t = self.lr
        memory.iterations += 1
        memory.prev_grad, memory.prev_loss = grad, loss
        return memory.t, dot(grad, memory.direction)

    def _move(
        self, closure: Callable[[], Any], memory: Memory, t: float, start: Point, limit: int, look: bool
    ) -> tuple[float, Array, int]:
        """Move along the direction; return the loss and gradient there, and the number of evaluations.

        Without a line search they are evaluated only if another iteration follows (`look`). Where they are not finite,
        the length is halved; after `limit` evaluations the parameters return to the start.
        """
        origin, data = self.params.data.copy(), self.params.data

        def go(t: float) -> None:
            np.multiply(memory.direction, t, out=data)
            np.add(data, origin, out=data)

        def evaluate(t: float) -> Point:
            go(t)
            _, loss, grad = self._evaluate(closure)
            return Point(t, loss, grad, dot(grad, memory.direction))

        if self.line_search_fn is None:
            if not look:
                go(t)
                return start.loss, start.grad, 0
            for used in range(1, limit + 1):
                point = evaluate(memory.t)
                if is_finite(point):
                    return point.loss, point.grad, used
                memory.t *= 0.5
            memory.t, data[...] = 0.0, origin
            return start.loss, start.grad, limit
        reach = float(np.abs(memory.direction).max())
        point, used = strong_wolfe(evaluate, t, start, reach, limit, self.tolerance_change)
        if point.t == 0:
            data[...] = origin
        else:
            go(point.t)
        memory.t = point.t
        return point.loss, point.grad, used

    # -- state ---------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """A copy of all that the next steps depend on, as `Optimizer.state_dict`."""
        memory, size = self.memory, self.params.data.size
        numbers = (memory.t, memory.scale, memory.prev_loss, memory.evaluations, *memory.ro)
        states = {
            "prev_grad": memory.prev_grad.copy(),
            "direction": memory.direction.copy(),
            "old_dirs": np.array(memory.old_dirs, self.params.dtype).reshape(-1, size),
            "old_steps": np.array(memory.old_steps, self.params.dtype).reshape(-1, size),
            "numbers": np.array(numbers, "float64"),
        }
        return {"step": int(self.step_count[0]), "hyper": self.hyperparameters(), "states": states}

    @errors_of_use
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what `state_dict` returned, as `Optimizer.load_state_dict`."""
        step, hyper, arrays = self._checked_state(state, ("prev_grad", "direction", "old_dirs", "old_steps", "numbers"))
        numbers = arrays.pop("numbers")
        size, known = self.params.data.size, (*arrays["old_dirs"].shape, 0)[0]
        for name, array in arrays.items():
            check.check_same_dtype(**{"parameters": self.params.data, name: array})
            shape = (known, size) if name.startswith("old") else (size,)
            check.check_shape(name, array, shape, "like the parameters")
        if numbers.dtype != "float64":
            raise TypeError(f"numbers must be float64, got {numbers.dtype}")
        check.check_shape("numbers", numbers, (4 + known,), "one for each change that is remembered, and four")
        t, scale, prev_loss, evaluations, *ro = numbers.tolist()
        check.check_number("evaluations", evaluations, at_least=0.0, at_most=float(MOST_STEPS))
        copies = {name: array.copy() for name, array in arrays.items()}
        old_dirs, old_steps = list(copies["old_dirs"]), list(copies["old_steps"])
        latest = copies["prev_grad"], copies["direction"], prev_loss, t, scale, step, int(evaluations)
        self.memory = Memory(*latest, old_dirs, old_steps, ro)
        self._set_numbers(step, hyper)


def dot(a: Array, b: Array) -> float:
    """The sum of a * b, in an order that does not depend on the number of threads, unlike that of BLAS."""
    if dispatch.get_reference():
        return float(np.add.reduce(np.multiply(a, b, dtype="float64")))
    return core.dot(a, b)
