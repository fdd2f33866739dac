"""Solver "lbfgs": SciPy's L-BFGS-B on the loss of all rows, whose value and gradient a compiled program computes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import optimize, sparse
from sklearn.utils.fixes import _get_additional_lbfgs_options_dict
from sklearn.utils.optimize import _check_optimize_result
from sklearn.utils.parallel import _get_threadpool_controller

from .. import nn
from .._validation import Array
from ..compiler.batch_run import BatchRun
from ..compiler.counters import NOTHING, SUMS
from ..nn.loss import Loss
from .building import coefficient_views
from .table import dense, stretches

BATCH = 1024  # rows whose activations are in memory at once


class Objective:
    """The loss of a network on all rows with its L2 term, as a function of the packed parameters.

    Parameters
    ----------
    net : Sequential
    loss : Loss
        Averaged over rows.
    x : ndarray or sparse matrix
    y : ndarray
        As the loss takes it.
    weight : ndarray or None
    alpha : float
        The L2 term is alpha / 2 sum w^2, divided by the number of rows or the sum of their weights.
    constant : ndarray or None
        What is added to the loss of each row.
    factor : float
        Of the value of the loss, not of its gradient.
    """

    def __init__(
        self, net: nn.Sequential, loss: Loss, x: Any, y: Array, weight: Array | None, alpha: float,
        constant: Array | None = None, factor: float = 1.0,
    ) -> None:  # fmt: skip
        self.net, self.loss, self.alpha, self.factor = net, loss, alpha, factor
        self.params = net.parameters()
        self.dtype = self.params.data.dtype
        self.x = x.tocsr() if sparse.issparse(x) else dense(x, self.dtype)
        rows, n_in = x.shape
        target, self.labels = loss.prepare_target(y, rows, net.out_features_for(n_in), self.dtype)
        self.y: Array = target
        self.weight = None if weight is None else np.ascontiguousarray(weight, self.dtype)
        self.total = float(rows if weight is None else weight.sum())
        self.constant = 0.0
        if constant is not None:
            self.constant = float(constant.mean() if weight is None else constant @ weight / self.total)
        self.batch = min(rows, BATCH)
        self.program = net.plan_program(
            "step", self.batch, n_in, accumulate=True, loss=loss, labels=self.labels, counting=NOTHING
        )
        self.span = self.program.span("forward", "backward")
        coefs, intercepts = coefficient_views(net)
        self.weights, self.views = coefs, coefs + intercepts
        grads = dict(net.named_gradients())
        names = {id(view): name for name, view in net.named_parameters()}
        self.grads = [grads[names[id(view)]] for view in self.views]

    def pack(self) -> Array:
        """All coefficients, then all intercepts, in one vector."""
        return np.concatenate([view.ravel() for view in self.views])

    def unpack(self, packed: Array) -> None:
        """Set the network's parameters to those of such a vector."""
        start = 0
        for view in self.views:
            view[...] = packed[start : start + view.size].reshape(view.shape)
            start += view.size

    def __call__(self, packed: Array) -> tuple[float, Array]:
        """The value and the gradient, of float64."""
        self.unpack(packed)
        sums = np.zeros(SUMS)
        self.params.grad[...] = 0
        self._run(sums)
        squares = sum(float(np.vdot(w, w)) for w in self.weights)
        value = sums[1] / self.total * self.factor + self.constant + 0.5 * self.alpha * squares / self.total
        grad = np.concatenate([g.ravel() for g in self.grads]).astype("float64", copy=False)
        n = sum(w.size for w in self.weights)
        grad[:n] += self.alpha * np.concatenate([w.ravel() for w in self.weights])
        grad /= self.total
        return float(value), grad

    def _run(self, sums: Array) -> None:
        """Add up losses and gradients over all rows."""
        rows, size = self.x.shape[0], self.x.shape[0]
        if sparse.issparse(self.x):
            size = stretches(rows, self.x.shape[1], self.dtype, self.batch)
        for start in range(0, rows, size):
            part = slice(start, min(rows, start + size))
            x = dense(self.x[part], self.dtype) if sparse.issparse(self.x) else self.x[part]
            weight = None if self.weight is None else self.weight[part]
            run = BatchRun(x, self.y[part], weight, None, 0, len(x), self.batch, None, sums, train=False)
            self.program.executor.run_batches(*self.span, run)


def fit_lbfgs(estimator: Any, objective: Objective) -> None:
    """Minimize the objective as scikit-learn does, with its warnings; the network has the result."""
    printing = 1 if estimator.verbose is True or estimator.verbose >= 1 else -1
    options = {
        "maxfun": estimator.max_fun,
        "maxiter": estimator.max_iter,
        "gtol": estimator.tol,
        **_get_additional_lbfgs_options_dict("iprint", printing),
    }
    first = objective.pack().astype("float64", copy=False)
    # The minimizer's own vectors are too short for several threads of a BLAS, which wait for one another.
    with _get_threadpool_controller().limit(limits=1, user_api="blas"):
        result = optimize.minimize(objective, first, method="L-BFGS-B", jac=True, options=options)
    estimator.n_iter_ = _check_optimize_result("lbfgs", result, estimator.max_iter)
    estimator.loss_ = result.fun
    objective.unpack(result.x)
