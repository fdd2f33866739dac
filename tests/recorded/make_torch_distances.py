"""Writes torch_distances.npz: PyTorch's distances, group normalizations, bilinear maps and bags, in float64.

Run it with a Python that has PyTorch (2.13 made the file); tests/test_distances.py, test_group_norm.py and
test_embedding_bag.py compare. Each case has its arrays, the upstream gradient, the result and the gradients.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from support.tables import TABLES  # noqa: E402

RNG = np.random.default_rng(0)
INF = float("inf")


def draw(*shape):
    return RNG.normal(size=shape) * 2


def cases():
    """name, function of tensors, arrays with a gradient."""
    for p in (0.5, 1.0, 2.0, 3.0, INF):
        yield f"normalize/{p}", lambda x, p=p: F.normalize(x, p, dim=1), [draw(4, 5)]
        yield f"pairwise_distance/{p}", lambda a, b, p=p: F.pairwise_distance(a, b, p), [draw(4, 5), draw(4, 5)]
    yield "normalize/axis", lambda x: F.normalize(x, dim=0), [draw(3, 2, 4)]
    yield "normalize/eps", lambda x: F.normalize(x, dim=-1, eps=2.5), [draw(6, 3)]
    yield (
        "pairwise_distance/keepdim",
        lambda a, b: F.pairwise_distance(a, b, 2.0, 1e-3, True),
        [draw(2, 3, 4), draw(3, 4)],
    )
    yield "cosine_similarity/rows", F.cosine_similarity, [draw(4, 5), draw(4, 5)]
    yield "cosine_similarity/axis", lambda a, b: F.cosine_similarity(a, b, dim=0), [draw(5, 3), draw(5, 1)]
    yield "cosine_similarity/eps", lambda a, b: F.cosine_similarity(a, b, eps=3.0), [draw(6, 3), draw(6, 3)]
    yield "bilinear/rows", F.bilinear, [draw(4, 3), draw(4, 5), draw(2, 3, 5), draw(2)]
    yield "bilinear/axes", F.bilinear, [draw(2, 3, 3), draw(2, 3, 5), draw(2, 3, 5), draw(2)]
    for name, shape in (("columns", (5, 6)), ("positions", (3, 6, 4)), ("images", (2, 6, 2, 3))):
        yield f"group_norm/{name}", lambda x, w, b: F.group_norm(x, 3, w, b), [draw(*shape), draw(6), draw(6)]
    yield "group_norm/plain", lambda x: F.group_norm(x, 2, eps=0.1), [draw(5, 6)]
    for name, shape in (("positions", (3, 4, 5)), ("images", (2, 4, 2, 3))):
        arrays = [draw(*shape), draw(4), draw(4)]
        yield f"instance_norm/{name}", lambda x, w, b: F.instance_norm(x, weight=w, bias=b), arrays
    for name, shape in (("layer_norm", (3, 2, 5)), ("layer_norm3", (2, 2, 2, 5))):
        arrays = [draw(*shape), draw(*shape[1:]), draw(*shape[1:])]
        yield f"layer_norm/{name}", lambda x, w, b: F.layer_norm(x, w.shape, w, b), arrays
    yield "rms_norm/axes", lambda x, w: F.rms_norm(x, w.shape, w), [draw(3, 2, 5), draw(2, 5)]


def instance_running():
    """Running statistics after two batches, and the results by them."""
    mean, var = torch.zeros(4).double(), torch.ones(4).double()
    for i in range(2):
        x = torch.from_numpy(draw(3, 4, 5))
        yield f"batch{i}", x
        F.instance_norm(x, mean, var, momentum=0.3)
    yield "mean", mean
    yield "var", var
    x, g = (torch.from_numpy(draw(3, 4, 5)) for _ in range(2))
    x.requires_grad_()
    y = F.instance_norm(x, mean, var, use_input_stats=False)
    y.backward(g)
    yield from (("x", x.detach()), ("g", g), ("y", y.detach()), ("grad_x", x.grad))


def table(name, options):
    """Codes, table, its value afterwards (of limited norm), result and gradients."""
    options = dict(options)
    bag, flat = name.startswith("bag"), "offsets" in options
    codes, weight = RNG.integers(0, 5, 10 if flat else (4, 3)), draw(6, 4)
    leaf = torch.from_numpy(weight.copy()).requires_grad_()
    if flat:
        options["offsets"] = torch.from_numpy(options["offsets"])
    sample = None
    if name.endswith("samples"):
        sample = options["per_sample_weights"] = torch.from_numpy(draw(*codes.shape)).requires_grad_()
    if options.get("max_norm") is not None:  # in place, which a leaf with a gradient does not take
        with torch.no_grad():
            (F.embedding_bag if bag else F.embedding)(torch.from_numpy(codes), leaf, **options)
    y = (F.embedding_bag if bag else F.embedding)(torch.from_numpy(codes), leaf, **options)
    g = torch.from_numpy(draw(*y.shape))
    y.backward(g)
    yield from (("codes", codes), ("weight", weight), ("after", leaf.detach()), ("y", y.detach()), ("g", g))
    yield "grad_weight", leaf.grad
    if sample is not None:
        yield from (("sample", sample.detach()), ("grad_sample", sample.grad))


def main():
    torch.set_num_threads(1)
    results = {}
    for name, function, arrays in cases():
        leaves = [torch.from_numpy(array).requires_grad_() for array in arrays]
        y = function(*leaves)
        g = torch.from_numpy(draw(*y.shape))
        y.backward(g)
        results |= {f"{name}/x{i}": array for i, array in enumerate(arrays)}
        results |= {f"{name}/g": g.numpy(), f"{name}/y": y.detach().numpy()}
        results |= {f"{name}/grad{i}": leaf.grad.numpy() for i, leaf in enumerate(leaves)}
    results |= {f"running/{name}": tensor.numpy() for name, tensor in instance_running()}
    for name, options in TABLES.items():
        results |= {f"table/{name}/{key}": np.asarray(value) for key, value in table(name, options)}
    np.savez_compressed(HERE / "torch_distances.npz", **results)


if __name__ == "__main__":
    main()
