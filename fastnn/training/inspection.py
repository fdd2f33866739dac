"""What a trainer tells about its network without a change of it: programs, scores, health, rates to train with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._frames import errors_of_use
from ..compiler.program import Program
from .arguments import whole
from .data import Data
from .setup import Setup

if TYPE_CHECKING:
    from .health import Health
    from .lr_finder import LRFinder


class Inspection(Setup):
    """The methods of a trainer after which everything is as before."""

    @errors_of_use
    def compile(self, batch_size: int = 32) -> Program:
        """The program of a training step for up to `batch_size` rows; print it to see its operations.

        Compiling beforehand is not needed: `step` and `fit` do it.

        Raises
        ------
        ValueError
            If the network takes any number of features, so that only data can tell.
        """
        if self.net.in_features is None:
            raise ValueError("this network takes any number of features: run a step first")
        self.engine.refresh()
        x = np.empty((0, self.net.in_features), self.net.dtype)
        return self.engine.get("step", Data(x, x, None, self.loss.classes), whole("batch_size", batch_size, 1))

    @errors_of_use
    def evaluate(self, x: Any, y: Any, *, sample_weight: Any = None, batch_size: int = 256) -> dict[str, float]:
        """Loss, metrics and, for a classification loss, accuracy on data, in inference mode.

        Returns
        -------
        scores : dict
            "loss", "accuracy" where it applies, and the metrics by name; exact over batches of different sizes, and
            weighted by the sample weights.
        """
        return self.engine.evaluate(self.engine.data(x, y, sample_weight), whole("batch_size", batch_size, 1))

    @errors_of_use
    def health(self, x: Any, y: Any, *, sample_weight: Any = None) -> Health:
        """How each layer does on these samples: dead and saturated units, gradients, updates; with plain advice.

        One training step on all samples is taken, looked at, and taken back: nothing changes.

        Returns
        -------
        health : Health
            Print it, or read `health.layers` and `health.advice`.
        """
        from .health import examine

        data, optimizer = self.engine.data(x, y, sample_weight).not_empty(), self.optimizer
        self.engine.refresh()
        evaluating = optimizer.evaluating
        optimizer.to_training()
        try:
            with self.engine.alone():
                return examine(self.engine, data)
        finally:
            if evaluating:
                optimizer.to_evaluation()

    @errors_of_use
    def find_lr(self, x: Any, y: Any, **options: Any) -> LRFinder:
        """A range test: the losses of a copy that is trained with a growing rate; nothing changes here.

        `options` are those of `fastnn.lr_finder`: start, stop, steps, batch_size, ...

        Returns
        -------
        result : LRFinder
            `result.suggestion()` is a rate, `result.plot()` the curve.
        """
        from .lr_finder import lr_finder

        return lr_finder(self, x, y, **options)
