"""Make torch_losses.npz: what PyTorch computes in float64, for test_torch_losses.py to compare with.

Run it with torch 2.13; the same version writes the same bytes. A key says which function was called on which data with
which keyword arguments (as JSON; "$name" stands for an array of the data). Losses that PyTorch does not have are
written out here by their definitions, and differentiated by PyTorch.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

STEPS = 6

# Name, inputs and targets among the data, and keyword arguments.
FUNCTIONS = [
    ("binary_cross_entropy_with_logits", "scores bits", {"pos_weight": "$column_weight"}),
    ("binary_cross_entropy_with_logits", "scores probabilities", {"pos_weight": "$column_weight"}),
    ("sigmoid_focal_loss", "scores bits", {}),
    ("sigmoid_focal_loss", "scores probabilities", {"alpha": 0.75, "gamma": 1.5}),
    ("sigmoid_focal_loss", "scores bits", {"alpha": -1, "gamma": 0}),
    ("hinge_loss", "scores signs", {}),
    ("hinge_loss", "scores signs", {"margin": 0.5, "squared": True}),
    ("soft_margin_loss", "scores signs", {}),
    ("quantile_loss", "scores values", {"q": 0.9}),
    ("quantile_loss", "scores values", {"q": "$quantiles"}),
    ("cosine_loss", "scores values", {}),
    ("cosine_loss", "scores values", {"eps": 3.0}),
    ("poisson_nll_loss", "scores counts", {}),
    ("poisson_nll_loss", "scores counts", {"full": True}),
    ("poisson_nll_loss", "chances counts", {"log_input": False, "full": True}),
    ("poisson_nll_loss", "chances counts", {"log_input": False, "eps": 0.5}),
    ("poisson_nll_loss", "scores values", {"full": True}),
    ("kl_div", "log_probabilities probabilities", {}),
    ("kl_div", "log_probabilities bits", {}),
    ("kl_div", "log_probabilities values", {}),
    ("kl_div", "log_probabilities scores", {"log_target": True}),
    ("gaussian_nll_loss", "scores values variances", {}),
    ("gaussian_nll_loss", "scores values variances", {"full": True, "eps": 0.5}),
    ("cross_entropy", "scores labels", {"weight": "$class_weight"}),
    ("cross_entropy", "scores some_labels", {}),
    ("cross_entropy", "scores some_labels", {"weight": "$class_weight"}),
    ("cross_entropy", "scores labels", {"weight": "$class_weight", "ignore_index": 2}),
    ("cross_entropy", "scores some_labels", {"weight": "$class_weight", "label_smoothing": 0.1}),
    ("cross_entropy", "scores some_labels", {"label_smoothing": 0.1}),
    ("cross_entropy", "scores no_labels", {}),
    ("cross_entropy", "scores probabilities", {"weight": "$class_weight"}),
    ("cross_entropy", "scores probabilities", {"weight": "$class_weight", "label_smoothing": 0.1}),
    ("nll_loss", "log_probabilities labels", {"weight": "$class_weight"}),
    ("nll_loss", "log_probabilities some_labels", {}),
    ("nll_loss", "log_probabilities some_labels", {"weight": "$class_weight"}),
    ("softmax_focal_loss", "scores labels", {}),
    ("softmax_focal_loss", "scores labels", {"gamma": 0.5}),
    ("multi_margin_loss", "scores labels", {}),
    ("multi_margin_loss", "scores labels", {"p": 2, "margin": 0.5}),
    ("multi_margin_loss", "scores labels", {"weight": "$class_weight"}),
    ("binary_cross_entropy", "chances bits", {"weight": "$column_weight"}),
    ("binary_cross_entropy", "chances probabilities", {"weight": "$variances"}),
    ("binary_cross_entropy_with_logits", "scores bits", {"weight": "$column_weight"}),
    ("binary_cross_entropy_with_logits", "scores bits", {"weight": "$variances", "pos_weight": "$column_weight"}),
    ("multilabel_soft_margin_loss", "scores bits", {}),
    ("multilabel_soft_margin_loss", "scores bits", {"weight": "$class_weight"}),
    ("multilabel_margin_loss", "scores label_rows", {}),
    ("dice_loss", "chances bits", {}),
    ("dice_loss", "chances bits", {"smooth": 1.0}),
    ("hinge_embedding_loss", "scores signs", {}),
    ("hinge_embedding_loss", "scores signs", {"margin": 2.5}),
    ("margin_ranking_loss", "scores values signs", {}),
    ("margin_ranking_loss", "scores scores signs", {}),
    ("margin_ranking_loss", "scores values signs", {"margin": 0.5}),
    ("cosine_embedding_loss", "scores values row_signs", {}),
    ("cosine_embedding_loss", "scores values row_signs", {"margin": 0.25}),
    *(("triplet_margin_loss", "scores values others", {"p": p, "margin": 2.0}) for p in (1.0, 2.0, 3.5)),
    ("triplet_margin_loss", "scores values others", {"swap": True, "eps": 0.01}),
    ("info_nce_loss", "scores values", {"temperature": 0.5}),
    ("info_nce_loss", "scores values", {"symmetric": True}),
]

# Losses of several inputs, and how many they have.
SEVERAL = {"margin_ranking_loss": 2, "cosine_embedding_loss": 2, "triplet_margin_loss": 3, "info_nce_loss": 2}

# Losses of fastnn.nn that train a network: what they are called, their targets, and keyword arguments.
TRAINED = [
    ("CrossEntropyLoss", "some_labels", {"weight": "$class_weight", "label_smoothing": 0.1}),
    ("CrossEntropyLoss", "probabilities", {"weight": "$class_weight"}),
    ("BCEWithLogitsLoss", "bits", {"pos_weight": "$column_weight"}),
    ("MultiMarginLoss", "labels", {"p": 2}),
    ("SoftMarginLoss", "signs", {}),
    ("PoissonNLLLoss", "counts", {"full": True}),
    ("KLDivLoss", "probabilities", {"reduction": "batchmean"}),
    ("GaussianNLLLoss", "pairs", {"full": True}),
    ("BCEWithLogitsLoss", "bits", {"weight": "$column_weight", "pos_weight": "$quantiles"}),
    ("MultiLabelMarginLoss", "label_rows", {}),
    ("MultiLabelSoftMarginLoss", "bits", {"weight": "$class_weight"}),
    ("HingeEmbeddingLoss", "signs", {"margin": 0.5}),
]


def reduced(loss, reduction):
    return loss if reduction == "none" else getattr(loss, reduction)()


def sigmoid_focal_loss(x, t, reduction, alpha=0.25, gamma=2):
    """torchvision.ops.sigmoid_focal_loss, line by line."""
    p = torch.sigmoid(x)
    p_t = p * t + (1 - p) * (1 - t)
    loss = F.binary_cross_entropy_with_logits(x, t, reduction="none") * (1 - p_t) ** gamma
    return reduced((alpha * t + (1 - alpha) * (1 - t)) * loss if alpha >= 0 else loss, reduction)


def softmax_focal_loss(x, labels, reduction, gamma=2):
    log_p = -F.cross_entropy(x, labels, reduction="none")
    return reduced(-((1 - log_p.exp()) ** gamma) * log_p, reduction)


def hinge_loss(x, t, reduction, margin=1.0, squared=False):
    loss = torch.clamp(margin - t * x, min=0)
    return reduced(loss**2 if squared else loss, reduction)


def quantile_loss(x, t, reduction, q):
    return reduced(torch.maximum(q * (t - x), (q - 1) * (t - x)), reduction)


def cosine_loss(x, t, reduction, eps=1e-8):
    return reduced(1 - F.cosine_similarity(x, t, eps=eps), reduction)


def dice_loss(x, t, reduction, smooth=0.0, eps=1e-7):
    """Keras' Dice of each row, with smoothing."""
    both = x.sum(1) + t.sum(1) + smooth + eps
    return reduced(1 - (2 * (x * t).sum(1) + smooth) / both, reduction)


def info_nce_loss(x, y, reduction, temperature=0.1, symmetric=False):
    logits = F.normalize(x) @ F.normalize(y).T / temperature
    loss = F.cross_entropy(logits, torch.arange(len(x)), reduction="none")
    if symmetric:
        loss = (loss + F.cross_entropy(logits.T, torch.arange(len(x)), reduction="none")) / 2
    return reduced(loss, reduction)


def make_data():
    rng = np.random.default_rng(0)
    rows = (10, 4)
    labels = rng.integers(4, size=10)
    label_rows = np.array([[2, 0, -1, 3], [1, -1, 0, 0], [-1, 1, 1, 1], [3, 2, 1, 0], [1, 1, -1, 2]] * 2)
    some = np.where(np.arange(10) % 3 == 0, -100, labels)
    return {
        "x": rng.normal(size=(10, 3)),
        "scores": rng.normal(size=rows) * 3,
        "values": rng.normal(size=rows),
        "chances": rng.random(rows),
        "bits": rng.integers(2, size=rows).astype("float64"),
        "signs": rng.choice([-1.0, 1.0], rows),
        "counts": rng.integers(6, size=rows).astype("float64"),
        "variances": np.maximum(rng.normal(size=rows), 0),
        "probabilities": rng.dirichlet(np.ones(4), 10),
        "log_probabilities": np.log(rng.dirichlet(np.ones(4), 10)),
        "pairs": rng.normal(size=(10, 2)),
        "labels": labels,
        "some_labels": some,
        "no_labels": np.full(10, -100),
        "class_weight": np.array([0.5, 2.0, 0.0, 1.25]),
        "column_weight": np.array([0.5, 3.0, 0.0, 1.0]),
        "quantiles": np.array([0.1, 0.25, 0.5, 0.9]),
        "grad_elements": rng.normal(size=rows),
        "grad_rows": rng.normal(size=10),
        "parameters": rng.normal(size=(3 + 1) * 5 + (5 + 1) * 4) * 0.5,
        "label_rows": label_rows,
        "row_signs": rng.choice([-1.0, 1.0], 10),
        "others": rng.normal(size=rows),
    }


def arguments(keywords, data):
    return {name: data[v[1:]] if isinstance(v, str) and v[0] == "$" else v for name, v in keywords.items()}


def functions(data):
    for (name, arrays, keywords), reduction in itertools.product(FUNCTIONS, ("mean", "sum", "none")):
        function = globals().get(name) or getattr(F, name)
        x, target, *more = (data[which].clone() for which in arrays.split())
        inputs = [x, target, *more][: SEVERAL[name]] if name in SEVERAL else [x, *more]
        for tensor in inputs:
            tensor.requires_grad_()
        value = function(x, target, *more, reduction=reduction, **arguments(keywords, data))
        above = {0: torch.ones(()).double(), 1: data["grad_rows"], 2: data["grad_elements"]}[value.ndim]
        value.backward(above)
        key = f"function/{arrays}/{name} {json.dumps({'reduction': reduction} | keywords)}"
        yield f"{key}/value", value.detach().numpy()
        for i, tensor in enumerate(inputs):
            yield f"{key}/grad{i}", tensor.grad.numpy()


def loss_of(name, keywords, y, target):
    if name == "KLDivLoss":
        y = torch.log_softmax(y, 1)
    if name == "GaussianNLLLoss":
        return F.gaussian_nll_loss(y[:, :2], target, F.softplus(y[:, 2:]), **keywords)
    return getattr(torch.nn, name)(**keywords)(y, target)


def trajectories(data):
    for name, target, keywords in TRAINED:
        weights, start = [], 0
        for shape in ((3, 5), (5,), (5, 4), (4,)):
            size = int(np.prod(shape))
            weights.append(data["parameters"][start : start + size].reshape(shape).clone().requires_grad_())
            start += size
        optimizer = torch.optim.SGD(weights, lr=0.1)
        losses = []
        for _ in range(STEPS):
            optimizer.zero_grad()
            y = torch.tanh(data["x"] @ weights[0] + weights[1]) @ weights[2] + weights[3]
            loss = loss_of(name, arguments(keywords, data), y, data[target])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        key = f"trajectory/{target}/{name} {json.dumps(keywords)}"
        yield f"{key}/losses", np.array(losses)
        yield f"{key}/parameters", np.concatenate([w.detach().numpy().ravel() for w in weights])


def main():
    torch.set_num_threads(1)
    data = make_data()
    tensors = {name: torch.from_numpy(array) for name, array in data.items()}
    results = {f"data/{name}": array for name, array in data.items()}
    for make in (functions, trajectories):
        results |= make(tensors)
    np.savez_compressed(Path(__file__).with_name("torch_losses.npz"), **results)


if __name__ == "__main__":
    main()
