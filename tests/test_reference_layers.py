"""The NumPy reference of gates, slopes, tables and noise against values by hand."""

import numpy as np

import fastnn.reference as ref


def layer_calls(x, g):
    """name -> function of no arguments, for matrices of 4 x 3; see test_reference.py."""
    rows, codes, one = np.concatenate([x, g], axis=1), np.array([[0, 3], [1, 1], [3, 2], [0, 0]]), np.ones(1, x.dtype)
    table_gradient = np.ones((4, 2, 3), x.dtype)
    noises = {name: lambda name=name: getattr(ref, name)(x, seed=0) for name in ref.__all__
              if name.startswith(("alpha_dropout", "gaussian_dropout", "gaussian_noise"))}  # fmt: skip
    return noises | {
        "glu": lambda: ref.glu(rows),
        "glu_backward": lambda: ref.glu_backward(g, rows),
        "swiglu": lambda: ref.swiglu(rows),
        "swiglu_backward": lambda: ref.swiglu_backward(g, rows),
        "maxout": lambda: ref.maxout(rows),
        "maxout_backward": lambda: ref.maxout_backward(g, rows),
        "prelu": lambda: ref.prelu(x, g[0]),
        "prelu_backward": lambda: np.concatenate(ref.prelu_backward(g, x, one), axis=None),
        "temperature_scale": lambda: ref.temperature_scale(x, one),
        "temperature_scale_backward": lambda: np.concatenate(ref.temperature_scale_backward(g, x, one), axis=None),
        "embedding": lambda: ref.embedding(codes.astype(x.dtype), x),
        "embedding_backward": lambda: ref.embedding_backward(table_gradient, codes, x, 1),
        "embedding_bag": lambda: ref.embedding_bag(codes.astype(x.dtype), x.copy(), max_norm=1.0, mode="max"),
        "embedding_bag_backward": lambda: ref.embedding_bag_backward(g, codes, x),
        "normalize": lambda: ref.normalize(x),
        "normalize_backward": lambda: ref.normalize_backward(g, x, 3.0),
        "pairwise_distance": lambda: ref.pairwise_distance(x, g, 3.0),
        "pairwise_distance_backward": lambda: ref.pairwise_distance_backward(g[:, 0], x, g)[1],
        "cosine_similarity": lambda: ref.cosine_similarity(x, g),
        "cosine_similarity_backward": lambda: ref.cosine_similarity_backward(g[:, 0], x, g)[1],
        "bilinear": lambda: ref.bilinear(x, g, np.ones((2, 3, 3), x.dtype), x[0, :2]),
        "bilinear_backward": lambda: ref.bilinear_backward(g[:, :2], x, g, np.ones((2, 3, 3), x.dtype))[2],
        "group_norm": lambda: ref.group_norm(x, 3, x[0], x[1]),
        "group_norm_backward": lambda: ref.group_norm_backward(g, x, 3, x[0])[0],
        "instance_norm": lambda: ref.instance_norm(x[..., None].repeat(2, -1), np.zeros_like(x[0]), np.ones_like(x[0])),
        "instance_norm_backward": lambda: ref.instance_norm_backward(*[x[..., None].repeat(2, -1)] * 2)[0],
        "normal": lambda: ref.normal(2**64 - 1, 2**64 - 1, 2**62, 5, x.dtype),
    }


def test_gates_by_hand():
    x = np.array([[3.0, -4.0, 0.0, 0.0]])
    np.testing.assert_array_equal(ref.glu(x), [[1.5, -2]])
    np.testing.assert_array_equal(ref.glu_backward(np.array([[2.0, 4.0]]), x), [[1, 2, 1.5, -4]])
    np.testing.assert_array_equal(ref.swiglu(x[:, ::-1]), [[0, 0]])
    np.testing.assert_array_equal(ref.swiglu_backward(np.array([[2.0, 4.0]]), x[:, ::-1]), [[-4, 6, 0, 0]])
    np.testing.assert_array_equal(ref.maxout(x), [[3, 0]])
    np.testing.assert_array_equal(ref.maxout_backward(np.array([[2.0, 4.0]]), x), [[2, 0, 4, 0]])
    np.testing.assert_array_equal(ref.maxout(x, 4), [[3]])


def test_slopes_by_hand():
    x, g = np.array([[-2.0, 4.0], [-1.0, -3.0]]), np.array([[1.0, 10.0], [5.0, 7.0]])
    np.testing.assert_array_equal(ref.prelu(x, np.array([0.5, 2.0])), [[-1, 4], [-0.5, -6]])
    grad_x, grad_weight = ref.prelu_backward(g, x, np.array([0.5, 2.0]))
    np.testing.assert_array_equal(grad_x, [[0.5, 10], [2.5, 14]])
    np.testing.assert_array_equal(grad_weight, [-7, -21])
    np.testing.assert_array_equal(ref.prelu_backward(g, x, np.array([0.5]))[1], [-28])
    grad_x, grad_temperature = ref.temperature_scale_backward(g, x, np.array([2.0]))
    np.testing.assert_array_equal(grad_x, g / 2)
    np.testing.assert_array_equal(grad_temperature, [(2 - 40 + 5 + 21) / 4])


def test_tables_by_hand():
    weight, codes = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([[2, 0], [2, 2]])
    np.testing.assert_array_equal(ref.embedding(codes, weight), [[[5, 6], [1, 2]], [[5, 6], [5, 6]]])
    g = np.arange(8.0).reshape(2, 2, 2)
    np.testing.assert_array_equal(ref.embedding_backward(g, codes, weight), [[2, 3], [0, 0], [10, 13]])
    np.testing.assert_array_equal(ref.embedding_backward(g, codes, weight, -1), [[2, 3], [0, 0], [0, 0]])


def test_alpha_dropout_by_hand():
    """The formula of Klambauer et al. in their own words: alpha', a and b."""
    x, p, low = np.random.default_rng(0).normal(size=500), 0.3, -1.7580993408473766
    q = 1 - p
    a = (q + low**2 * q * (1 - q)) ** -0.5
    kept = ref.dropout(np.ones(500), p, seed=1) != 0
    expected = a * np.where(kept, x, low) - a * (1 - q) * low
    np.testing.assert_allclose(ref.alpha_dropout(x, p, seed=1), expected, rtol=1e-12)
    np.testing.assert_allclose(ref.alpha_dropout_backward(x, p, seed=1), np.where(kept, a * x, 0), rtol=1e-12)
