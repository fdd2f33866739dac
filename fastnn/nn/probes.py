"""What a network computes inside, and the gradient of its input: both in inference mode, by compiled programs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ..compiler.compile import Reader
from .inputs import as_rows, widened
from .passes import PREDICT_ROWS, Passes
from .readers import all_nodes, ends_of

if TYPE_CHECKING:
    from ..compiler.program import Program
    from .loss import Loss

Array = check.Array


class Probes(Passes):
    """A network that returns the outputs of its layers, and the gradient of its input."""

    _outputs: dict[str, list[Array]]

    @errors_of_use
    def activations(self, x: Any, names: Iterable[str] | None = None) -> dict[str, Array]:
        """Return the outputs of layers for x, in inference mode, of one pass.

        Parameters
        ----------
        x : ndarray of the network's dtype, or of uint8 or float16 (see `input_scale`), shape (..., in_features)
        names : iterable of str, optional
            Names of layers, as `named_modules` has them: "2", or "3.body.0" in a residual. By default all, except
            networks without layers.

        Returns
        -------
        outputs : dict of str to ndarray of the network's dtype, shape (..., out_features of the layer)

        Raises
        ------
        KeyError
            If there is no layer of a name.
        TypeError, ValueError
            If x has another dtype or number of features.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1), seed=0)
        >>> {name: y.shape for name, y in net.activations(np.ones((5, 2), "float32")).items()}
        {'0': (5, 3), '1': (5, 3), '2': (5, 1)}
        >>> list(net.activations(np.ones((5, 2), "float32"), ["1"]))
        ['1']
        """
        chosen = self._ends(names)
        rows, shape = as_rows(self, x, narrow=True)
        mode = "predict", ("activations", *chosen), rows.shape[1]
        with self._calls:
            outputs = self._outputs = {name: [] for name in chosen}
            try:
                for _ in self._inference(mode, rows, self._collectors(chosen)):
                    pass
            finally:
                self._outputs = {}
        found = {name: np.concatenate(pieces) for name, pieces in outputs.items() if pieces}
        if names is not None and (missing := [name for name in outputs if name not in found]):
            raise KeyError(f"layer {missing[0]!r} is not called by the forward of its module")
        return {name: y.reshape(*shape, y.shape[1]) for name, y in found.items()}

    def _collectors(self, chosen: dict[str, tuple[str, str]]) -> list[Reader]:
        """Functions that append outputs to `_outputs`, by name."""

        def collector(name: str) -> Callable[[Array, Array], None]:
            return lambda x, y: self._outputs[name].append(y.copy())

        return [Reader(*ends, collector(name)) for name, ends in chosen.items()]

    def _inference(
        self, mode: tuple[str, Hashable, int], rows: Array, readers: Sequence[Reader] = ()
    ) -> Iterator[tuple[Program, slice]]:
        """Run the forward pass of a program in inference, a batch after the other, and yield it with the batch.

        `mode` is what `plan_program` plans, what distinguishes the program from others of it, and its input features.
        """
        n, size = len(rows), min(len(rows), PREDICT_ROWS)

        def program_for(size: int) -> Program:
            return self._programs.get(mode, size, lambda: self.plan_program(mode[0], size, mode[2], readers=readers))

        program = program_for(size)
        if program.by_batch:  # normalizes by the statistics of all rows
            program = program_for(n)
            program.check_rows(n, n)
        size = program.batch_size
        for start in range(0, max(1, n), size):
            batch = widened(self, rows[start : start + size])
            out = np.empty((len(batch), program.n_out), self.dtype)
            program.run("forward", len(batch), {"input": batch, "output": out}, start=start)
            yield program, slice(start, start + len(batch))

    def _ends(self, names: Iterable[str] | None) -> dict[str, tuple[str, str]]:
        """The names of the first and the last layer of each module that is chosen."""
        if isinstance(names, str):
            raise TypeError(f"names must be a list of names, got the string {names!r}: [{names!r}]")
        nodes = {id(node.layer): node for node in all_nodes(self._nodes)}
        all_ends = {name: ends_of(module, nodes) for name, module in self.named_modules() if name}
        known = {name: ends for name, ends in all_ends.items() if ends is not None}
        chosen = list(known if names is None else names)
        for name in chosen:
            if name not in known:
                raise KeyError(f"no layer {name!r}; there are {', '.join(known)}")
        return {name: known[name] for name in chosen}

    @errors_of_use
    def input_gradient(self, x: Any, target: Any, loss: Loss | None = None) -> Array:
        """Return the gradient of a loss, or of outputs, with respect to x, in inference mode.

        For saliency maps and adversarial examples. The gradients of parameters are neither computed nor changed.

        Parameters
        ----------
        x : ndarray of the network's dtype, shape (..., in_features)
        target : array
            The target of the loss; or, without a loss, the gradient of some function with respect to the output, an
            array of the output's shape and dtype: 1 at the output of interest and 0 elsewhere, for example.
        loss : Loss, optional
            With reduction "mean" the gradient is that of the mean over all rows of x.

        Returns
        -------
        grad_x : ndarray, shape of x and dtype of the network

        Raises
        ------
        TypeError, ValueError
            If x or target does not fit.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 1, weight_init=[[1.0], [2.0]], bias_init=0.0), nn.ReLU(), seed=0)
        >>> x = np.array([[1.0, 3.0], [-1.0, -1.0]], "float32")
        >>> net.input_gradient(x, np.ones((2, 1), "float32")).tolist()
        [[1.0, 2.0], [0.0, 0.0]]
        >>> net.input_gradient(x, np.array([[6], [0]]), nn.MSELoss(reduction="sum")).tolist()
        [[2.0, 4.0], [0.0, 0.0]]
        """
        rows, shape = as_rows(self, x)
        n, n_in = rows.shape
        n_out = self.out_features_for(n_in)
        if loss is None:
            grad = check.as_array("target", target)
            if grad.dtype != self.dtype:
                raise TypeError(f"target is {grad.dtype} but the network is {self.dtype}: both must have one dtype")
            check.check_shape("target", grad, (*shape, n_out), "like the output, without a loss")
        else:
            grad = loss(self.predict(rows.reshape(*shape, n_in)), target)[1]
        grad, grad_x = grad.reshape(n, n_out), np.empty((n, n_in), self.dtype)
        with self._calls:
            for program, batch in self._inference(("input_gradient", "", n_in), rows):
                arguments = {"input": rows[batch], "grad_output": grad[batch], "grad_input": grad_x[batch]}
                program.run("backward", len(rows[batch]), arguments)
        return grad_x.reshape(np.shape(x))
