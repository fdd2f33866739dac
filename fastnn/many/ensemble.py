"""Several networks that predict together."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from .._frames import ShortErrors, errors_of_use
from ..files.format import FileFormatError, read, write
from ..files.objects import Source, Target, label
from ..functional.sigmoids import sigmoid
from ..functional.softmax import softmax
from ..nn.loading import load
from ..nn.module import Module
from ..nn.sequential import Sequential

if TYPE_CHECKING:
    from ..sklearn.networks import NetworkClassifier, NetworkRegressor

Array = check.Array


class Ensemble(ShortErrors, Sequence[Sequential]):
    """Networks for the same inputs and outputs, which predict together.

    Parameters
    ----------
    nets : iterable of Sequential or Module
        One or more; of one number of outputs.

    Raises
    ------
    TypeError, ValueError
        If there is none, or they do not go together.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nets = [nn.Sequential(nn.Linear(1, 1, weight_init=w, bias_init=0.0)) for w in (1.0, 2.0, 6.0)]
    >>> ensemble, x = fastnn.Ensemble(nets), np.array([[1.0]], "float32")
    >>> ensemble.predict(x).tolist(), ensemble.predict(x, "all").shape
    ([[3.0]], (3, 1, 1))
    >>> ensemble.predict_quantiles(x, [0.5]).tolist()
    [[[2.0]]]
    """

    def __init__(self, nets: Iterable[Any]) -> None:
        self.nets = [net.as_network() if isinstance(net, Module) else net for net in nets]
        for i, net in enumerate(self.nets):
            if not isinstance(net, Sequential):
                raise TypeError(f"nets[{i}] must be a Sequential, got {type(net).__name__}")
        if not self.nets:
            raise ValueError("nets must have one network or more, got none")
        widths = [_widths(net) for net in self.nets]
        for i, width in enumerate(widths):
            if any(None not in (a, b) and a != b for a, b in zip(width, widths[0], strict=True)):
                raise ValueError(f"nets[{i}] has {width[0]} inputs and {width[1]} outputs, nets[0] {widths[0]}")

    def __len__(self) -> int:
        return len(self.nets)

    def __getitem__(self, index: Any) -> Any:
        return self.nets[index]

    def __iter__(self) -> Iterator[Sequential]:
        return iter(self.nets)

    def __repr__(self) -> str:
        return f"Ensemble({len(self)} networks, the first: {self.nets[0]!r})"

    # -- predictions ---------------------------------------------------------------------------------------------------

    def predict(self, x: Any, how: str = "mean") -> Array:
        """The outputs of all networks together.

        Parameters
        ----------
        x : array of shape (rows, in_features)
        how : {"mean", "vote", "all"}, default "mean"
            The mean of the outputs; the class that most networks give the largest output (of several as frequent ones
            the smallest; with one output: whether most outputs are above 0); or the outputs of each.

        Returns
        -------
        y : ndarray
            Of shape (rows, outputs) and their dtype; "vote": int64 of shape (rows,); "all": (networks, rows, outputs).
        """
        check.check_choice("how", how, ("mean", "vote", "all"))
        outputs = np.stack([net.predict(x) for net in self.nets])
        if how == "all":
            return outputs
        if how == "mean":
            mean: Array = outputs.mean(0, dtype=np.float64).astype(outputs.dtype)
            return mean
        single = outputs.shape[2] == 1
        votes = (outputs[:, :, 0] > 0) if single else outputs.argmax(2)
        classes = np.arange(2 if single else outputs.shape[2])
        return (votes[:, :, None] == classes).sum(0).argmax(1)

    def predict_proba(self, x: Any) -> Array:
        """The mean of the probabilities of classes: softmax of outputs, or of one output sigmoid, as (1 - p, p)."""
        outputs = self.predict(x, "all")
        if outputs.shape[2] == 1:
            p = sigmoid(outputs)
            outputs = np.concatenate([1 - p, p], axis=2)
        else:
            outputs = softmax(outputs)
        mean: Array = outputs.mean(0, dtype=np.float64).astype(outputs.dtype)
        return mean

    def predict_std(self, x: Any) -> Array:
        """The standard deviation of the outputs over the networks, of shape (rows, outputs); 0 for one network."""
        outputs = self.predict(x, "all")
        deviation: Array = outputs.std(0, dtype=np.float64).astype(outputs.dtype)
        return deviation

    def predict_quantiles(self, x: Any, quantiles: Any) -> Array:
        """Quantiles of the outputs over the networks, of shape (quantiles, rows, outputs); `numpy.quantile`'s.

        Raises
        ------
        ValueError
            If one is not in [0, 1].
        """
        q = np.asarray(quantiles, np.float64)
        if not ((q >= 0) & (q <= 1)).all():
            raise ValueError(f"quantiles must be in [0, 1], got {q.ravel().tolist()!s:.60}")
        outputs = self.predict(x, "all")
        return np.quantile(outputs, q, axis=0).astype(outputs.dtype)

    # -- elsewhere -----------------------------------------------------------------------------------------------------

    @errors_of_use
    def save(self, path: Target) -> None:
        """Write all networks as one file, at a path atomically; `Ensemble.load` reads it.

        Raises
        ------
        TypeError, ValueError
            If a network cannot be saved, see `Sequential.save`.
        OSError
            If the file cannot be written; the old file is then still there.
        """
        write(path, "ensemble", {str(i): as_bytes(net.save) for i, net in enumerate(self.nets)}, {"count": len(self)})

    @classmethod
    @errors_of_use
    def load(cls, path: Source, layers: dict[str, type[Module]] | None = None) -> Ensemble:
        """The ensemble that `save` wrote.

        Parameters
        ----------
        path : str, path-like, binary file object or bytes
        layers : dict of str to class, optional
            As for `fastnn.load`.

        Raises
        ------
        FileFormatError
            If the file is truncated, damaged or not of an ensemble.
        """
        return cls(load(file, layers) for file in files_of(path, "ensemble"))

    def to_sklearn(self, classes: Any = None) -> NetworkClassifier | NetworkRegressor:
        """An estimator of scikit-learn that predicts by these networks; it needs no fit.

        Parameters
        ----------
        classes : array of shape (outputs,), or of two classes for one output, optional
            Of a classifier; without them it is a regressor.

        Raises
        ------
        ImportError
            If scikit-learn is not installed.
        ValueError
            If there are not as many classes as outputs.
        """
        from ..sklearn.networks import NetworkClassifier, NetworkRegressor

        return NetworkRegressor(self) if classes is None else NetworkClassifier(self, classes)


def _widths(net: Sequential) -> tuple[int | None, int | None]:
    """The numbers of inputs and outputs; None for any."""
    return net.in_features, None if net.in_features is None else net.out_features_for(net.in_features)


def as_bytes(save: Callable[[Any], None]) -> Array:
    """What `save` writes to a file object, as an array of uint8."""
    file = io.BytesIO()
    save(file)
    return np.frombuffer(file.getvalue(), np.uint8)


def files_of(path: Source, kind: str) -> list[bytes]:
    """The files within a file of a kind; FileFormatError if they are not numbered from 0."""
    tensors, content = read(path, kind)
    count = content.get("count")
    if type(count) is not int or count < 0:
        raise FileFormatError(f"{label(path)}: count must be a number, got {count!r:.20}")
    names = [str(i) for i in range(count)] if count <= len(tensors) else []
    if set(names) != set(tensors) or any(array.dtype != np.uint8 for array in tensors.values()):
        raise FileFormatError(f"{label(path)}: there must be {count} networks, got {len(tensors)} arrays")
    return [tensors[name].tobytes() for name in names]
