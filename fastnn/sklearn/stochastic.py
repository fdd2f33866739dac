"""Training by batches, epoch after epoch, until there is no progress: solvers "sgd" and "adam"."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._validation import Array
from ..data import Mixup
from ..training.progress import bar_for
from ..training.rates import step_epoch
from .building import make_scheduler
from .solver import Solver
from .table import Table
from .validation import Validation

MOST_ORDERS = 1 << 20  # numbers of the orders of epochs that are drawn at once
CLIPPED = "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped"


def batch_rows(given: Any, rows: int) -> int:
    """Rows of a batch; a number above `rows` is clipped with a warning."""
    if isinstance(given, str):
        return min(200, rows)
    if given > rows:
        warnings.warn(CLIPPED, UserWarning, stacklevel=2)
    return int(np.clip(given, 1, rows))


class Stochastic:
    """The epochs of one call of `fit` or `partial_fit`.

    Parameters
    ----------
    estimator : MLP
    solver : Solver
    x, y, weight
        The rows to train on, the targets as the loss takes them.
    validation : Validation or None
    incremental : bool
        Whether this is `partial_fit`: one epoch.
    """

    def __init__(
        self, estimator: Any, solver: Solver, x: Any, y: Array, weight: Array | None,
        validation: Validation | None, incremental: bool,
    ) -> None:  # fmt: skip
        self.estimator, self.solver, self.validation, self.incremental = estimator, solver, validation, incremental
        self.rows = x.shape[0]
        batch, trainer = batch_rows(estimator.batch_size, self.rows), solver.trainer
        alpha = float(estimator.alpha)
        penalties = {"l1": float(estimator.l1) / batch, "l2": 0.0 if solver.decays else alpha / batch}
        for name, value in penalties.items():
            if getattr(trainer, name) != value:  # to set it is to compile again
                setattr(trainer, name, value)
        updates = -(-self.rows // batch) * estimator.max_iter
        if trainer.scheduler is None:
            trainer.scheduler = make_scheduler(estimator, trainer.optimizer, updates)
        mixup = Mixup(float(estimator.mixup)) if estimator.mixup else None
        constant, factor = estimator._loss_terms(y)
        self.table = Table(
            trainer, x, y, weight, batch, alpha, solver.decays, constant, factor, mixup, trainer.net.seed
        )
        self.sample_idx = np.arange(self.rows)

    def run(self) -> None:
        """Train until there is no progress, or `max_iter` epochs; Ctrl-C ends it with a warning."""
        est, bar = self.estimator, None
        est.n_iter_ = 0
        if est.progress:
            bar = bar_for("auto", est.max_iter, self.rows)
        try:
            while est.n_iter_ < est.max_iter:
                stops = False
                for loss in self._train():
                    stops = self._note(loss)
                    if stops:
                        break
                if bar is not None:
                    bar.advance(self.rows)
                if stops or self.incremental:
                    break
                if est.n_iter_ == est.max_iter:
                    warnings.warn(
                        f"Stochastic Optimizer: Maximum iterations ({est.max_iter}) reached and the optimization "
                        "hasn't converged yet.",
                        ConvergenceWarning,
                        stacklevel=2,
                    )
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", UserWarning, stacklevel=2)
        finally:
            if bar is not None:
                bar.close()
            est.history_.fill()

    # -- an epoch ------------------------------------------------------------------------------------------------------

    def _train(self) -> list[float]:
        """Train for an epoch, or for several small ones of which none but the last can end the training."""
        epochs = self._epochs_at_once()
        if epochs > 1:
            return self.table.epoch_losses([self._order() for _ in range(epochs)])
        return [self.table.epoch_loss(self._order() if self.estimator.shuffle else None)]

    def _epochs_at_once(self) -> int:
        est, table = self.estimator, self.table
        if (
            self.incremental or self.validation is not None or est.verbose or est.progress or not self.solver.steady
            or table.batches > 1 or table.data is None or table.mixup is not None or est._watched()
        ):  # fmt: skip
            return 1
        left = est.n_iter_no_change + 1 - est._no_improvement_count
        return int(max(1, min(left, est.max_iter - est.n_iter_, MOST_ORDERS // self.rows)))

    def _order(self) -> Array:
        """The order of the next epoch, drawn as by `sklearn.utils.shuffle` from the order before."""
        if self.estimator.shuffle:
            drawn = np.arange(self.rows)
            self.estimator._random_state.shuffle(drawn)
            self.sample_idx = self.sample_idx[drawn]
        return self.sample_idx

    def _note(self, loss: float) -> bool:
        """Record an epoch; whether the training ends with it."""
        est, solver = self.estimator, self.solver
        est.n_iter_ += 1
        est.loss_ = loss
        est.t_ += self.rows
        est.loss_curve_.append(loss)
        if est.verbose:
            print(f"Iteration {est.n_iter_}, loss = {loss:.8f}")
        record = {"loss": loss, "lr": solver.learning_rate}
        self._count(record)
        solver.iteration_ends(est.t_)
        step_epoch(solver.trainer.scheduler, record)
        est.history_.rows.append(record)
        est._epoch_ends(record)
        if est._no_improvement_count <= est.n_iter_no_change:
            return False
        what = "Validation score" if self._by_score() else "Training loss"
        message = f"{what} did not improve more than tol={est.tol:f} for {est.n_iter_no_change} consecutive epochs."
        if solver.trigger_stopping(message, est.verbose):
            return True
        est._no_improvement_count = 0
        return False

    def _by_score(self) -> bool:
        return self.validation is not None and self.validation.stops

    def _count(self, record: dict[str, float]) -> None:
        """Count epochs without progress, of the validation score or else of the loss."""
        est, validation = self.estimator, self.validation
        if validation is not None:
            score = validation.score(est)
            est.validation_scores_.append(score)
            record["val_score"] = score
            if est.validation_loss_curve_:
                record["val_loss"] = est.validation_loss_curve_[-1]
            if est.verbose:
                print(f"Validation score: {score:f}")
        if validation is not None and validation.stops:
            improves, better = not score < est.best_validation_score_ + est.tol, score > est.best_validation_score_
            if better:
                est.best_validation_score_ = score
                est._best = est.network_.state_dict()
        else:
            improves = not est.loss_curve_[-1] > est.best_loss_ - est.tol
            if est.loss_curve_[-1] < est.best_loss_:
                est.best_loss_ = est.loss_curve_[-1]
        est._no_improvement_count = 0 if improves else est._no_improvement_count + 1
