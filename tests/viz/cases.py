"""A small case of every picture: what each function is given, and what a reader finds in it."""

from functools import cache

import numpy as np

import fastnn
from fastnn import nn, optim


@cache
def moons():
    return fastnn.data.make_moons(120, noise=0.15, seed=0)


@cache
def trained():
    """A trainer after some epochs, with a Recorder and a HealthRecorder."""
    from fastnn import viz

    X, y = moons()
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), seed=1)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.05))
    recorder, health = viz.Recorder(every=2), viz.HealthRecorder(X, y)
    trainer.fit(X, y, epochs=12, batch_size=32, seed=0, validation_data=(X, y), callbacks=[recorder, health])
    return trainer, recorder, health


def schedules():
    optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1), seed=0).parameters(), lr=0.1)
    kinds = optim.lr_scheduler
    return {"step": kinds.StepLR(optimizer, 30), "cosine": kinds.CosineAnnealingLR(optimizer, 100)}


def finder():
    rates = 2.0 ** np.arange(-8, 0)
    values = np.array([8.0, 8.0, 8.0, 7.5, 4.0, 2.0, 2.0, 3.0])
    return fastnn.LRFinder(rates, values, smoothed=values, smoothing=0.0)


def model():
    return trained()[0]


def numbers():
    """A regression network of two features, and its data."""
    X = np.random.default_rng(0).uniform(-1, 1, (60, 2))
    return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), seed=0), X, X[:, 0] * X[:, 1]


# By name: (function of (viz, **keywords), panels, words that a reader finds in it).
PICTURES = {
    "activation_curves": (lambda v, **k: v.activation_curves(**k), 23, {"f(x)", "f'(x)", "elu\nalpha=1", "x"}),
    "one activation": (lambda v, **k: v.activation_curves(["tanh"], **k), 1, {"tanh", "f(x)"}),
    "softmax_temperature": (
        lambda v, **k: v.softmax_temperature([2.0, 1.0, 0.0], **k), 3,
        {"T = 1: entropy 0.832", "probability", "class"}),
    "decision_boundary": (
        lambda v, **k: v.decision_boundary(model(), *moons(), points=30, **k), 1,
        {"class 0", "class 1", "feature 0"}),
    "a surface": (
        lambda v, **k: v.decision_boundary(*numbers(), points=30, **k), 1, {"feature 0", "feature 1", "output"}),
    "units": (lambda v, **k: v.units(model(), *moons(), points=12, **k), 9, {
        "unit 1", "1: Tanh", "3: ReLU", "4: Linear"}),
    "warp_grid": (lambda v, **k: v.warp_grid(model(), *moons(), **k), 6, {
        "input", "class 1", "direction 1", "4: Linear, 2 units", "unit 2"}),
    "affine_maps": (lambda v, **k: v.affine_maps(**k), 15, {"rotation", "shear, then tanh", "unit square"}),
    "optimizer_paths": (lambda v, **k: v.optimizer_paths(**k), 1, {
        "SGD", "momentum", "AdaGrad", "RMSProp", "Adam", "60 steps over a ravine"}),
    "learning_rates": (lambda v, **k: v.learning_rates(**k), 3, {"lr = 0.1: from 18.8 to 0.0144", "x", "y"}),
    "loss_landscape": (
        lambda v, **k: v.loss_landscape(model(), *moons(), paths={"Adam": trained()[1]}, points=9, **k), 1,
        {"Adam", "network", "loss", "a, along direction 1"}),
    "losses": (lambda v, **k: v.losses(**k), 4, {
        "MAE", "Huber: best 0.20", "ln 3: knows nothing", "target 1", "targets"}),
    "backpropagation": (lambda v, **k: v.backpropagation(**k), 2, {
        "0.30000", "0.02592\nw' = 0.43704", "Sigmoid\nz = 0.08000\nh = 0.51999"}),
    "history": (lambda v, **k: v.history(model(), **k), 2, {"loss", "accuracy", "training", "validation", "epoch"}),
    "health": (lambda v, **k: v.health(trained()[2], **k), 4, {
        "dead units", "saturated outputs", "gradient norm", "update / weight", "0 Linear + 1 Tanh", "epoch"}),
    "health of one moment": (lambda v, **k: v.health(trained()[2].records[0], **k), 4, {"0%", "4 Linear"}),
    "weights": (lambda v, **k: v.weights(model(), **k), 3, {"0.weight 2 x 4", "unit", "input", "weight"}),
    "network": (lambda v, **k: v.network(model(), **k), 1, {"input\n2", "hidden 1\n4", "Linear\nTanh", "output\n2"}),
    "confusion_matrix": (lambda v, **k: v.confusion_matrix(model(), *moons(), **k), 1, {"predicted", "true"}),
    "calibration": (lambda v, **k: v.calibration(model(), *moons(), **k), 1, {
        "calibrated", "model", "share of samples"}),
    "roc": (lambda v, **k: v.roc(model(), *moons(), **k), 1, {"chance", "ROC", "false positive rate"}),
    "lr_finder": (lambda v, **k: v.lr_finder(finder(), **k), 1, {"loss", "smoothed", "learning rate"}),
    "schedule": (lambda v, **k: v.schedule(schedules(), **k), 1, {"step", "cosine", "learning rate", "epoch"}),
}  # fmt: skip


def texts_of(figure):
    """All texts of a figure that are shown, as artists: not the numbers of ticks outside of the limits."""
    from matplotlib.text import Text

    idle = set()
    for ax in figure.axes:
        for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not (ax.axison and min(limits) <= tick.get_loc() <= max(limits)):
                    idle |= {tick.label1, tick.label2}
    return [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip() and t not in idle]
