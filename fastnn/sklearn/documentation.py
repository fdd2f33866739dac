"""What the docstrings of both estimators share."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

Class = TypeVar("Class", bound=type)

SAME = """
hidden_layer_sizes : int or sequence of int, default=(100,)
    Units of each hidden layer.
activation : str, layer, callable, or sequence of them, default="relu"
    Of the hidden layers, or one for each: "identity", "logistic", "tanh", "relu", or any activation layer of
    `fastnn.nn` by its name in lower case ("gelu", "silu", "mish", ...), as a layer, or as its class.
solver : {"lbfgs", "sgd", "adam"}, default="adam"
    "lbfgs" minimizes the loss of all rows by SciPy's L-BFGS-B; the others train by batches.
alpha : float, default=0.0001
    Strength of the L2 term alpha / 2 sum w^2, which is divided by the number of rows (the sum of their weights).
batch_size : int or "auto", default="auto"
    Rows of a batch; "auto" is min(200, n_samples).
learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
    Of solver="sgd": "invscaling" divides `learning_rate_init` by t^power_t after each epoch, "adaptive" divides the
    rate by 5 each time there is no progress.
learning_rate_init : float, default=0.001
power_t : float, default=0.5
max_iter : int, default=200
    Largest number of epochs, or of iterations of "lbfgs".
shuffle : bool, default=True
    Whether each epoch has an order of its own.
random_state : int, RandomState instance or None, default=None
    Of the initial weights, the split and the orders: the same draws as in scikit-learn.
tol : float, default=1e-4
    What the loss or the score must improve by within `n_iter_no_change` epochs.
verbose : bool, default=False
    Whether to print the loss of each epoch.
warm_start : bool, default=False
    Whether `fit` continues from the weights of the fit before.
momentum : float, default=0.9
nesterovs_momentum : bool, default=True
early_stopping : bool, default=False
    Whether to stop by the score of rows that are kept for validation.
validation_fraction : float, default=0.1
    Share of these rows.
beta_1, beta_2 : float, default=0.9, 0.999
epsilon : float, default=1e-8
    Of solver="adam", added to the root of the mean square.
n_iter_no_change : int, default=10
    Epochs without progress after which training stops; numpy.inf for never.
max_fun : int, default=15000
    Largest number of evaluations by "lbfgs".
"""

MORE = """
dropout : float or sequence of float, default=0.0
    Share of the units of the hidden layers, or of each, that are dropped while training.
input_dropout : float, default=0.0
    Share of the features that are dropped while training.
norm : {"batch", "layer", "rms"} or None, default=None
    Normalization after each hidden linear layer.
residual : bool, default=False
    Whether hidden layers with as many units as the layer before add their input to their output.
optimizer : str, class, callable or None, default=None
    In place of the solver's: the name or the class of an optimizer of `fastnn.optim`, given `learning_rate_init`,
    or a function of the parameters that returns one. `alpha` is then a penalty of alpha / batch_size.
scheduler : {"cosine", "linear", "one_cycle"}, callable or None, default=None
    Of the learning rate, over `max_iter` epochs; or a function of the optimizer that returns a scheduler. "one_cycle"
    begins with a 25th of the rate: early stopping with it needs a small `max_iter` or a large `n_iter_no_change`.
l1 : float, default=0.0
    Strength of the L1 term l1 sum |w|, divided by `batch_size`.
max_norm : float or None, default=None
    Largest 2-norm of the incoming weights of a hidden unit.
clip_norm, clip_value : float or None, default=None
    Largest 2-norm of all gradients together, and largest magnitude of each.
validation_data : (X, y), (X, y, sample_weight), splitter or None, default=None
    Rows to validate with, or an object whose `split(X, y)` yields indices to train on and to validate with, in
    place of `validation_fraction`. Without `early_stopping` their scores are recorded only.
scoring : str, callable or None, default=None
    The validation score: a scorer of scikit-learn, or "loss"; by default that of `score`.
restore_best : bool, default=True
    Whether early stopping ends with the weights of the best score.
mixup : float, default=0.0
    Above 0, batches are mixtures of pairs of rows, with shares from Beta(mixup, mixup); see `fastnn.data.Mixup`.
averaging : {"ema", "swa"}, float or None, default=None
    Average of the weights over updates, which the model ends with and is validated with. "ema" has decay 0.99, a
    number is another decay; "swa" is the mean.
keep_optimizer : bool, default=False
    Whether a warm start keeps the optimizer with its state too.
n_estimators : int, default=1
    Above 1, an ensemble of so many networks, trained from different draws; predictions are means.
progress : bool, default=False
    Whether to show a bar.
"""

ATTRIBUTES = """
loss_ : float
    Of the last epoch.
best_loss_ : float or None
    The least loss; None with early stopping.
loss_curve_ : list of float
    The loss of each epoch, its L2 term included.
validation_scores_ : list of float or None
    The score of each epoch, where there are rows to validate with.
best_validation_score_ : float or None
validation_loss_curve_ : list of float
    With `validation_data` or `scoring`, the validation loss of each epoch.
t_ : int
    Rows trained on.
coefs_, intercepts_ : list of ndarray
    The weights, of shape (inputs, outputs), and biases of each layer; they can be set, whole or in place.
n_features_in_, n_iter_, n_layers_, n_outputs_ : int
feature_names_in_ : ndarray of shape (n_features_in_,)
    If X has names of columns.
out_activation_ : str
network_ : fastnn.nn.Sequential
    The network; its outputs are those before `out_activation_`.
trainer_ : fastnn.Trainer
    What trained it, except by "lbfgs".
history_ : fastnn.History
    Records of the epochs.
"""

RAISES = """
Raises
------
ValueError, TypeError
    By `fit`, as in scikit-learn, if a parameter is out of its range or the data do not fit it.

Warns
-----
ConvergenceWarning
    If training ended with `max_iter` epochs.
"""


def documented(cls: Class) -> Class:
    """Fill the fields of a class's docstring: {same}, {more}, {attributes} and {raises}."""
    doc: Any = cls.__doc__
    if doc is not None:  # python -OO
        parts = {"same": SAME, "more": MORE, "attributes": ATTRIBUTES, "raises": RAISES}
        cls.__doc__ = inspect.cleandoc(doc).format(**{name: part.strip() for name, part in parts.items()})
    return cls
