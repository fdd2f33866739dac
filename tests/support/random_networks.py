"""Random networks, trainers and data for the driver in random_calls.py."""

import inspect

import numpy as np

import fastnn
from fastnn import nn, optim
from support.random_arguments import arranged, junk, options_of

FEATURES = 4  # of the data
ABSTRACT = {nn.Module, nn.ModuleList, nn.Loss, nn.Sequential, nn.Concat, nn.Residual, nn.Heads}
LAYERS = [c for c in vars(nn).values() if inspect.isclass(c) and issubclass(c, nn.Module) and c not in ABSTRACT]
LOSSES = [c for c in vars(nn).values() if inspect.isclass(c) and issubclass(c, nn.Loss) and c is not nn.HeadsLoss]
LOSSES.remove(nn.Loss)
OPTIMIZERS = [c for c in vars(optim).values() if inspect.isclass(c) and issubclass(c, optim.Optimizer)]
OPTIMIZERS.remove(optim.Optimizer)
RULES = [rule for rule in OPTIMIZERS if rule is not optim.LBFGS]
SIZES = {"in_features", "num_features", "features", "num_parameters"}


def layer(rng, width, dtype, wrong=0.03):
    """A layer for `width` features; seldom with a wrong argument."""
    way = rng.integers(12)
    if way == 0:
        return nn.Residual(nn.Linear(width, width, dtype=dtype), nn.Tanh())
    if way == 1:
        return nn.Concat(nn.Identity(), nn.Linear(width, 2, dtype=dtype))
    if way == 2:
        return nn.Columns([int(i) for i in rng.integers(-width, width, 3)])
    if way <= 6:
        return nn.Linear(width, int(rng.integers(1, 20)), bool(rng.random() < 0.8), dtype=dtype)
    cls = LAYERS[rng.integers(len(LAYERS))]
    keywords = options_of(rng, cls, skip={"dtype", "seed", "weight_init", "bias_init", "dim"}, wrong=wrong)
    for name in SIZES & set(inspect.signature(cls).parameters):
        keywords[name] = width
    if "dtype" in inspect.signature(cls).parameters:
        keywords["dtype"] = dtype
    if cls is nn.TabularInput:
        keywords = {"numeric": range(width - 1), "categorical": {width - 1: (3, 2)}}
    return cls(**keywords)


def network(rng, outputs=None):
    """One to five layers; the last one gives so many features, where that is asked for."""
    dtype = str(rng.choice(["float32", "float64"]))
    layers, width = [], FEATURES
    for _ in range(rng.integers(1, 5)):
        layers.append(layer(rng, width, dtype))
        width = layers[-1].out_features_for(width)
    if outputs is not None:
        layers.append(nn.Linear(width, outputs, dtype=dtype))
    net = nn.Sequential(*layers, seed=int(rng.integers(9)), dtype=dtype)
    return net if rng.random() < 0.8 else nn.Sequential(net, nn.ReLU(), dtype=dtype)


def inputs(rng, net):
    """Rows for a network, mostly of the right width."""
    rows, width = int(rng.choice([0, 1, 2, 7, 64, 300])), FEATURES if rng.random() < 0.95 else int(rng.integers(9))
    x = rng.normal(size=(rows, width) if rng.random() < 0.9 else (2, rows, width))
    return arranged(rng, x.astype(net.dtype if rng.random() < 0.7 else "float32"))


def trainer(rng):
    """A trainer with targets that suit its loss, mostly."""
    loss_class = LOSSES[rng.integers(len(LOSSES))]
    loss = loss_class(**options_of(rng, loss_class, skip={"reduction", "weight", "q"}, wrong=0.02))
    outputs = int(rng.integers(2, 5))
    net = network(rng, outputs * (2 if loss_class is nn.GaussianNLLLoss else 1))
    rule = OPTIMIZERS[rng.integers(len(OPTIMIZERS))]
    params = [p for p in net.parameters() if p.data.ndim == 2] if rule is optim.Muon else net.parameters()
    optimizer = rule(params, **options_of(rng, rule, skip={"params", "compat"}, wrong=0.02))
    options = {}
    if rng.random() < 0.2:
        options["average"] = optim.ExponentialMovingAverage(net.parameters())
    if rng.random() < 0.2:
        options["metrics"] = ["accuracy"] if loss.classes else ["mae", "r2"]
    if rng.random() < 0.2:
        options["scheduler"] = optim.lr_scheduler.StepLR(optimizer, 2, by=str(rng.choice(["batch", "epoch"])))
    made = fastnn.Trainer(net, loss, optimizer, l1=0.01 * (rng.random() < 0.2), **options)
    rows = int(rng.choice([1, 2, 7, 30, 70]))
    x = rng.normal(size=(rows, FEATURES)).astype("float32")
    y = rng.integers(0, outputs, rows) if loss.classes else rng.uniform(0.05, 0.95, (rows, outputs)).astype("float32")
    if loss_class in (nn.HingeLoss, nn.SoftMarginLoss):
        y = np.sign(y - 0.5)
    return made, x, y


def set_an_attribute(rng, obj):
    """Give a public attribute of a layer or an optimizer another value, right or wrong."""
    names = [name for name in dir(obj) if name[0] != "_" and not callable(getattr(obj, name, None))]
    name = names[rng.integers(len(names))]
    value = getattr(obj, name)
    new = junk(rng) if not isinstance(value, float) or rng.random() < 0.5 else value * 0.5
    try:
        setattr(obj, name, new)
    except (AttributeError, KeyError) as error:  # set once, or a parameter that this layer has not
        raise TypeError(name) from error
