"""What functions of arrays do with symbols: they pass them on, and refuse nothing that has values."""

import numpy as np

from fastnn import functional as F
from fastnn.functional._symbolic import Symbolic, symbolic


class Notes(Symbolic):
    def __init__(self):
        self.calls = []

    def apply(self, name, *args):
        self.calls.append((name, args))
        return self

    def concat(self, parts, axis):
        return len(parts), axis


def test_functions_pass_symbols_on_with_their_parameters(backend):
    x, row = Notes(), np.ones(3)
    assert F.relu(F.leaky_relu(x, 0.5)) is x
    F.softmax(x, axis=1, temperature=2.0)
    F.linear(x, row, activation="relu")
    F.add(row, x)
    F.dropout(x, 0.25, False)
    assert [name for name, _ in x.calls] == [
        "leaky_relu", "relu", "softmax", "linear", "relu", "add", "dropout"
    ]  # fmt: skip
    assert x.calls[0][1] == (x, 0.5) and x.calls[2][1] == (x, 1, 2.0) and x.calls[-1][1] == (x, 0.25, False)
    assert x.calls[5][1][0] is row


def test_the_first_symbol_is_found():
    x = Notes()
    assert symbolic(np.ones(2), x, Notes()) is x
    assert symbolic(np.ones(2), None, 3.0) is None
