"""The cases of `traced` as modules of fastnn."""

import fastnn
from fastnn import functional as F
from fastnn import nn


class Traced(nn.Module):
    """The module of a case."""

    def __init__(self, case):
        super().__init__()
        self.case = case
        for name, (n_in, n_out) in case.layers.items():
            setattr(self, name, nn.Linear(n_in, n_out))
        for name, shape in case.parameters.items():
            self.add_parameter(name, shape, init=0.5)

    def turned(self, name):
        return getattr(self, name).weight.T

    def forward(self, x):
        return self.case.forward(self, x, F, fastnn.concat)
