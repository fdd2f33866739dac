"""The parts of the docstrings that both tabular estimators share."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

Class = TypeVar("Class", bound=type)

PARAMETERS = """
categorical_features : sequence of str or int, or None, default=None
    Names (of an array: places) of columns that are categories, whatever their dtype. Text, `category` and the like are
    without being named.
n_estimators : "auto" or int, default="auto"
    Networks whose predictions are averaged, each validated on rows of its own. "auto": 4 up to 30,000 rows, else 2.
hidden_layer_sizes : sequence of int, default=(128, 128, 128)
activation : str, default="auto"
    Of the hidden layers, by the name of a layer of `fastnn.nn` in lower case; "auto" is "selu" for classes, "mish" for
    numbers.
numeric_embedding : {"piecewise", "periodic"} or None, default=None
    Further features of numbers: piecewise linear ones between quantiles, or cosines of random frequencies.
embedding_features : int, default=16
    How many of each number, for `numeric_embedding`.
max_onehot : int, default=9
    Categories of a column with columns of 0 and 1; more have an embedding.
embedding_dim : int, default=8
    Of embeddings of categories.
dropout : float in [0, 1), default=0.15
learning_rate_init : "auto" or float, default="auto"
    For a layer with one input; of others divided by the root of their inputs. "auto": 0.04 for classes, 0.07 for
    numbers.
weight_decay : float, default=0.02
    Decoupled, of weights, relative to the rate.
""".strip()
MORE = """
batch_size : "auto" or int, default="auto"
    "auto": 256, or all rows.
max_epochs : "auto" or int, default="auto"
    "auto": so many that a network sees 150,000 rows, at least 8 and at most 128.
patience : "auto" or int, default="auto"
    Epochs without a better validation loss after which a network's training ends; "auto" trains all epochs. The best
    epoch is kept either way.
random_state : int, RandomState or None, default=None
    An int makes fits the same to the bit, with any number of threads.
""".strip()
ATTRIBUTES = """
n_features_in_ : int
feature_names_in_ : ndarray of str
    Of a frame.
encoder_ : Encoder
    `encoder_.dropped()` has the columns that are left out, `encoder_.columns` what became of each.
members_ : list of Member
    With `net`, a network of `fastnn.nn`.
n_estimators_, n_iter_ : int
    Networks, and the epochs of the longest training.
history_, histories_ : History, and a list with that of each network
    Records of training by epoch; empty in a model that was loaded.
permutation_importance_ : dict
    After `feature_importances`.
""".strip()
RAISES = """
Raises
------
ValueError
    By `fit` and predictions, if a column or target cannot be used: infinite, numbers as text, a column that lacks or
    has another kind than in `fit`. The message names the column and the row.

Notes
-----
A column with one value, or none, is left out. A missing number is the median with an indicator; a missing category is
one of its own. A category that `fit` has not seen has zeros. Columns of a frame are taken by name, in any order.
Weights of samples scale their losses; scaling of columns and folds do not depend on them, so that a weight of 2 is not
the same as a row that is there twice.

Source: RealMLP of Holzmüller, Grinsztajn and Steinwart, "Better by Default", NeurIPS 2024; docs/tabular.md has what is
different.
""".strip()


def documented(cls: Class) -> Class:
    """Fill the fields of a class's docstring: {parameters}, {more}, {attributes} and {raises}."""
    doc: Any = cls.__doc__
    if doc is not None:  # python -OO
        cls.__doc__ = inspect.cleandoc(doc).format(
            parameters=PARAMETERS, more=MORE, attributes=ATTRIBUTES, raises=RAISES
        )
    return cls
