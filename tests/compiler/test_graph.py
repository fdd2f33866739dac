"""Graphs of values: their order, chains and uses; how chains are fused in programs."""

import numpy as np

import fastnn
from fastnn import functional as F
from fastnn import nn
from fastnn.compiler.graph import Graph, Value


def graph(*values, output):
    kinds = {"fc": "layer", "act": "layer"}
    return Graph([Value(kinds.get(kind, kind), inputs, 1) for kind, inputs in values], output)


def test_values_that_the_output_does_not_depend_on_are_left_out():
    g = graph(("input", ()), ("fc", (0,)), ("fc", (0,)), ("act", (2,)), output=3)
    assert g.live() == [2, 3]
    assert list(g.steps()) == [(2, 3)]


def test_layers_one_after_the_other_are_one_chain_until_a_value_is_read_twice():
    g = graph(("input", ()), ("fc", (0,)), ("act", (1,)), ("fc", (2,)), ("add", (2, 3)), ("act", (4,)), output=5)
    assert list(g.steps()) == [(1, 2), (3,), (4,), (5,)]
    assert g.uses() == {0: 1, 1: 1, 2: 2, 3: 1, 4: 1, 5: 1}


def test_a_chain_is_complete_where_it_begins():
    g = graph(("input", ()), ("fc", (0,)), ("fc", (0,)), ("act", (1,)), ("add", (3, 2)), output=4)
    assert list(g.steps()) == [(1, 3), (2,), (4,)]


class Chain(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return F.relu(self.b(F.tanh(self.a(F.gelu(x)))))


def test_a_forward_without_joints_is_compiled_as_layers_one_after_the_other():
    module = nn.Sequential(nn.Linear(4, 4), Chain(), nn.Linear(4, 2), seed=0)
    layers = [nn.Linear(4, 4), nn.GELU(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)]
    plain = nn.Sequential(*layers, seed=0)
    kinds = [[(o.kind, o.kernel) for o in net.compile(8).operations] for net in (module, plain)]
    assert kinds[0] == kinds[1]
    plain.parameters().data[...] = module.parameters().data
    x = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)
    assert module.predict(x).tobytes() == plain.predict(x).tobytes()


def test_a_residual_is_compiled_as_the_layer_of_that_name():
    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x):
            return x + F.tanh(self.fc(x))

    nets = [nn.Sequential(nn.Linear(4, 4), block, nn.Linear(4, 2), seed=0)
            for block in (Skip(), nn.Residual(nn.Linear(4, 4), nn.Tanh()))]  # fmt: skip
    kinds = [sorted(o.kind for o in net.compile(8).operations) for net in nets]
    assert kinds[0] == kinds[1]
    nets[1].parameters().data[...] = nets[0].parameters().data
    x = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)
    outputs = [net(x) for net in nets]
    assert outputs[0].tobytes() == outputs[1].tobytes()
    grads = [net.backward(np.ones((3, 2), "float32")) for net in nets]
    assert grads[0].tobytes() == grads[1].tobytes()
    assert nets[0].parameters().grad.tobytes() == nets[1].parameters().grad.tobytes()


def test_no_gradient_is_computed_that_nobody_reads():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 3), nn.Linear(4, 3)

        def forward(self, x):
            return self.a(x) * self.b(x)

    net = nn.Sequential(Two(), seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), fastnn.optim.SGD(net.parameters(), lr=0.1))
    trainer.step(np.ones((2, 4), "float32"), np.ones((2, 3), "float32"))
    program = trainer.compile(2)
    backward = [o for o in program.operations if o.kind == "linear_backward"]
    assert len(backward) == 2 and all("grad_input" not in o.arrays for o in backward)
    net[0].a.requires_grad_(False)
    assert sum(o.kind == "linear_backward" for o in trainer.compile(2).operations) == 1
