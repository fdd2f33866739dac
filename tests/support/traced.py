"""Modules whose forward is traced: the same forward runs in fastnn and in PyTorch, given the functions of each.

A case has the layers (in_features, out_features), the parameters (shapes), the features of x, and the forward of
(module, x, F, cat): `m.fc(x)` calls a layer, `m["w"]` is a parameter, `m.turned("fc")` the transposed weight of a
layer, and `cat` joins by the features.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    forward: object
    layers: dict = field(default_factory=lambda: {"fc": (4, 4)})
    parameters: dict = field(default_factory=dict)
    features: int = 4


def mlp(m, x, F, cat):
    return m.fc2(F.relu(m.fc1(x)))


def residual_twice(m, x, F, cat):
    for _ in range(2):
        x = x + m.fc(F.tanh(x))
    return x


def dense(m, x, F, cat):
    for layer in (m.a, m.b):
        x = cat([x, F.relu(layer(x))])
    return m.c(x)


def gated_experts(m, x, F, cat):
    g = F.softmax(m.gate(x), -1)
    return g[:, 0:1] * m.a(x) + g[:, 1:2] * F.tanh(m.b(x)) + g[:, 2:3] * x


def highway(m, x, F, cat):
    t = F.sigmoid(m.gate(x))
    return t * F.relu(m.fc(x)) + (1 - t) * x


def mixer(m, x, F, cat):
    a, b = x[:, :2], x[:, 2:]
    return cat([m.a(b) * a, m.b(a) - b])


def standardized(m, x, F, cat):
    centered = x - x.mean(-1, keepdim=True)
    return centered / (1.0 + (centered * centered).mean(-1, keepdim=True))


def lstm_like(m, x, F, cat):
    c = x[:, :2]
    for _ in range(2):
        z = m.fc(cat([c, x[:, 2:]]))
        c = F.sigmoid(z[:, 0:2]) * c + F.sigmoid(z[:, 2:4]) * F.tanh(z[:, 4:6])
    return F.tanh(c)


def cross(m, x, F, cat):
    """Deep and cross: x0 (x w) + x, twice."""
    x0 = x
    for name in ("w1", "w2"):
        x = x0 * (x * m[name]).sum(-1, keepdim=True) + x
    return x


def factorization(m, x, F, cat):
    """A factorization machine's pairs: ((x V)^2 - x^2 V^2) / 2."""
    pairs = (x @ m["V"]) ** 2 - (x * x) @ m["V2"]
    return m.fc(x) + 0.5 * pairs.sum(-1, keepdim=True)


def power_ratio(m, x, F, cat):
    return x**3 / (2.0 + x**2) - x / 4


def autoencoder(m, x, F, cat):
    return F.sigmoid(F.tanh(m.enc(x)) @ m.turned("enc") + m["b"])


def shared_bottleneck(m, x, F, cat):
    return m.fc(m.fc(m.fc(x)))


def attention_pool(m, x, F, cat):
    parts = [x[:, i : i + 2] for i in (0, 2)]
    scores = F.softmax(cat([m.score(part) for part in parts]), -1)
    return scores[:, 0:1] * parts[0] + scores[:, 1:2] * parts[1]


def bilinear_pair(m, x, F, cat):
    return (m.a(x) * m.b(x)).sum(-1, keepdim=True) * m["s"]


def swish_ffn(m, x, F, cat):
    return m.down(F.silu(m.gate(x)) * m.up(x)) + x


def squeeze(m, x, F, cat):
    return x * F.sigmoid(m.up(F.relu(m.down(x))))


def constants(m, x, F, cat):
    return (x - [0.5, -1.0, 2.0, 0.0]) / [1.0, 2.0, 4.0, 0.5]


def log_mixture(m, x, F, cat):
    return F.log_softmax(m.a(x), -1) - F.log_softmax(m.b(x), -1)


def maximum(m, x, F, cat):
    return F.relu(m.a(x) - m.b(x)) + m.b(x)


def largest(m, x, F, cat):
    return x - m.fc(x).amax(-1, keepdim=True)


def reciprocal(m, x, F, cat):
    return 1.0 / (3.0 + F.softplus(x)) + (-x) * 0.25 - (2.0 - x)


def glu_block(m, x, F, cat):
    return x + F.glu(m.fc(x))


def two_scales(m, x, F, cat):
    return F.gelu(x * m["scale"] + m["shift"]) + F.gelu(m["scale"] * x - m["shift"])


def broadcast_scalar(m, x, F, cat):
    return m["s"] * x + m["s"]


def deep_sum(m, x, F, cat):
    total = x
    for layer in (m.a, m.b, m.c):
        total = total + layer(total)
    return total / 4 + x


def unused_slice(m, x, F, cat):
    m.fc(x)  # the value is not used
    return m.fc2(x[:, [3, 0]])


def same_input_twice(m, x, F, cat):
    return x * x + x / (x * x + 1.0) - x


def concat_twice(m, x, F, cat):
    y = cat([x, m.fc(x), x])
    return cat([y[:, 2:6], y[:, 0:1]])


def negated(m, x, F, cat):
    return -m.fc(-x) + (+x)


def branches_of_branches(m, x, F, cat):
    def block(x):
        return x + m.a(F.elu(m.b(x)))

    return block(block(x)) * block(-x)


SQUARE = {"a": (4, 4), "b": (4, 4)}
CASES = {
    "mlp": Case(mlp, {"fc1": (4, 6), "fc2": (6, 3)}),
    "residual twice": Case(residual_twice),
    "dense": Case(dense, {"a": (4, 3), "b": (7, 2), "c": (9, 2)}),
    "gated experts": Case(gated_experts, SQUARE | {"gate": (4, 3)}),
    "highway": Case(highway, {"fc": (4, 4), "gate": (4, 4)}),
    "mixer": Case(mixer, {"a": (3, 2), "b": (2, 3)}, features=5),
    "standardized": Case(standardized, {}),
    "lstm like": Case(lstm_like, {"fc": (4, 6)}),
    "cross": Case(cross, {}, {"w1": (4,), "w2": (4,)}),
    "factorization": Case(factorization, {"fc": (4, 1)}, {"V": (4, 3), "V2": (4, 3)}),
    "power ratio": Case(power_ratio, {}),
    "autoencoder": Case(autoencoder, {"enc": (4, 2)}, {"b": (4,)}),
    "shared bottleneck": Case(shared_bottleneck),
    "attention pool": Case(attention_pool, {"score": (2, 1)}),
    "bilinear pair": Case(bilinear_pair, SQUARE, {"s": (1,)}),
    "swish ffn": Case(swish_ffn, {"gate": (4, 6), "up": (4, 6), "down": (6, 4)}),
    "squeeze": Case(squeeze, {"down": (4, 2), "up": (2, 4)}),
    "constants": Case(constants, {}),
    "log mixture": Case(log_mixture, SQUARE),
    "maximum": Case(maximum, SQUARE),
    "largest": Case(largest),
    "reciprocal": Case(reciprocal, {}),
    "glu block": Case(glu_block, {"fc": (4, 8)}),
    "two scales": Case(two_scales, {}, {"scale": (4,), "shift": (4,)}),
    "broadcast scalar": Case(broadcast_scalar, {}, {"s": (1,)}),
    "deep sum": Case(deep_sum, SQUARE | {"c": (4, 4)}),
    "unused slice": Case(unused_slice, {"fc": (4, 2), "fc2": (2, 3)}),
    "same input twice": Case(same_input_twice, {}),
    "concat twice": Case(concat_twice, {"fc": (4, 2)}),
    "negated": Case(negated),
    "branches of branches": Case(branches_of_branches, SQUARE),
}
