"""Natural scales of results, for the records of ops.py: the sum of the magnitudes of the terms.

They are measures of error where terms cancel, or where a rounding error is multiplied.
"""

import numpy as np

from ... import reference


def gated_terms(name):
    """F = x w(x) has the derivative w + x w'. Left of 0 the argument of w's exponential carries a rounding error."""

    def scale(g, x, **options):
        gate = getattr(reference, name)(x, **options) / x
        slope = getattr(reference, f"{name}_backward")(np.ones_like(x), x, **options)
        return np.abs(g) * (np.abs(gate) + np.abs(slope - gate)) * _argument_error(x)

    return scale


def _argument_error(x):
    return 1 + np.fmax(-x, 0) ** 2


def gelu_terms(x, **options):
    return np.abs(reference.gelu(x, **options)) * _argument_error(x)


def affine_terms(x, scale=1.0, shift=0.0):
    return np.abs(scale * x) + abs(shift)


def tanh_gradient_terms(g, y):
    return np.abs(g) * (1 + y * y)


def row_max(x, axis=-1):
    return np.abs(x).max(axis=axis, keepdims=True, initial=0)


def prelu_gradient_terms(g, x, weight):
    return np.abs(g), reference.prelu_backward(-np.abs(g), np.fmin(x, 0), weight)[1]


def temperature_scale_gradient_terms(g, x, temperature):
    return tuple(map(np.abs, reference.temperature_scale_backward(np.abs(g), np.abs(x), temperature)))


def swiglu_gradient_terms(g, x):
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([gated_terms("silu")(g * b, a), np.abs(g * reference.silu(a))], axis=-1)


def embedding_gradient_terms(g, codes, weight, padding_idx=None):
    return reference.embedding_backward(np.abs(g), codes, weight, padding_idx)


def bag_terms(codes, weight, **options):
    """Of a sum or mean; the largest is not rounded."""
    samples = options.pop("per_sample_weights", None)
    samples = None if samples is None else np.abs(samples)
    return reference.embedding_bag(codes, np.abs(weight), per_sample_weights=samples, **options)


def bag_gradient_terms(g, codes, weight, **options):
    samples = options.pop("per_sample_weights", None)
    samples = None if samples is None else np.abs(samples)
    weight = weight if options.get("mode") == "max" else np.abs(weight)
    return reference.embedding_bag_backward(np.abs(g), codes, weight, per_sample_weights=samples, **options)


def normalize_gradient_terms(g, x, p=2.0, dim=1, **options):
    length = reference.pairwise_distance(np.moveaxis(x, dim, -1), np.moveaxis(0 * x, dim, -1), p, 0.0)
    length, y = np.expand_dims(np.maximum(length, 1e-12), dim), np.abs(reference.normalize(x, p, dim))
    along = np.abs(g * y).sum(axis=dim, keepdims=True)
    return (np.abs(g) + along * (y if p == 2 else 1)) / length


def distance_terms(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    return reference.pairwise_distance(np.abs(x1), -np.abs(x2), p, abs(eps), keepdim)


def distance_gradient_terms(g, x1, x2, p=2.0, eps=1e-6):
    largest = np.maximum(np.abs(x1 - x2).max(axis=-1, keepdims=True, initial=0), 1e-9)
    terms = np.abs(g)[:, None] * (1 + (np.abs(x1) + np.abs(x2)) / largest)
    return terms, terms


def cosine_similarity_terms(x1, x2, dim=1, eps=1e-8):
    return reference.cosine_similarity(np.abs(x1), np.abs(x2), dim, eps)


def cosine_similarity_gradient_terms(g, x1, x2, dim=1, eps=1e-8):
    lengths = [np.maximum(np.sqrt((x * x).sum(axis=dim, keepdims=True)), eps) for x in (x1, x2)]
    shares = [np.abs(reference.normalize(x, 2.0, dim, eps)) for x in (x1, x2)]
    g = np.abs(np.expand_dims(g, dim))
    return g * (shares[0] + shares[1]) / lengths[0], g * (shares[0] + shares[1]) / lengths[1]


def bilinear_terms(x1, x2, weight, bias):
    return reference.bilinear(np.abs(x1), np.abs(x2), np.abs(weight), np.abs(bias))


def bilinear_gradient_terms(g, x1, x2, weight):
    return reference.bilinear_backward(*map(np.abs, (g, x1, x2, weight)))


def _as_groups(x, groups):
    return x.reshape(len(x) * groups, -1) if x.size else np.empty((0, 1), x.dtype)


def group_terms(x, num_groups=4, weight=None, bias=None, eps=1e-5):
    largest = _deviations(_as_groups(x, num_groups), -1, eps)[1].reshape(x.shape)
    return largest * np.abs(weight)[:, None] + np.abs(bias)[:, None]


def group_gradient_terms(g, x, num_groups=4, weight=None, eps=1e-5):
    rows = _as_groups(x, num_groups)
    scale, largest = _deviations(rows, -1, eps)
    upstream = _as_groups(g * weight[:, None], num_groups)
    grad_x = _norm_gradient_terms(upstream, np.ones(1), scale, largest, -1)[0].reshape(x.shape)
    return grad_x, (np.abs(g) * largest.reshape(x.shape)).sum(axis=(0, 2)), np.abs(g).sum(axis=(0, 2))


def alpha_dropout_terms(x, p=0.5, **stream):
    """The numbers that are scaled, and what is added to them."""
    return np.abs(reference.alpha_dropout_backward(x, p, **stream)) + 1.0


def gaussian_noise_terms(x, std=1.0, **stream):
    """Near 0 a normal number has the absolute error of the probability that it comes from."""
    return np.abs(x) + std * (1 + np.abs(reference.gaussian_noise(np.zeros_like(x), 1.0, **stream)))


def gaussian_dropout_terms(x, p=0.5, **stream):
    return np.abs(x) * gaussian_noise_terms(np.ones_like(x), (p / (1 - p)) ** 0.5, **stream)


def softmax_terms(x, axis=-1, temperature=1.0):
    """exp(z) multiplies the rounding error of z by |z|."""
    z = (x - x.max(axis=axis, keepdims=True, initial=-np.inf)) / temperature
    return (1 + np.abs(z)) * reference.softmax(x, axis, temperature)


def softmin_terms(x, axis=-1, temperature=1.0):
    return softmax_terms(-x, axis, temperature)


def softmax_gradient_terms(g, y, axis=-1, temperature=1.0):
    return np.abs(y) * (np.abs(g) + (np.abs(g) * y).sum(axis=axis, keepdims=True)) / temperature


def log_softmax_terms(x, axis=-1, temperature=1.0):
    return np.zeros_like(x) + row_max(x, axis) / temperature


def log_softmax_gradient_terms(g, y, axis=-1, temperature=1.0):
    return (np.abs(g) + np.exp(y) * np.abs(g).sum(axis=axis, keepdims=True)) / temperature


def temperature_terms(gradient_terms):
    def scale(g, y, x, axis=-1, temperature=1.0):
        return (gradient_terms(g, y, axis, temperature) * np.abs(x)).sum() / temperature

    return scale


def entropy_gradient_terms(g, p, axis=-1):
    return np.expand_dims(np.abs(g), axis) * (1 + np.abs(np.log(p)))


def linear_terms(x, weight, bias, activation=None):
    return np.abs(x) @ np.abs(weight) + np.abs(bias)


def linear_gradient_terms(g, x, weight):
    return reference.linear_backward(np.abs(g), np.abs(x), np.abs(weight))


def _deviations(x, axis, eps, centered=True):
    """Of each row or column the inverse deviation, and its largest difference to the mean in units of the deviation."""
    n = max(x.shape[axis], 1)
    differences = x - x.sum(axis=axis, keepdims=True) / n if centered else x
    scale = 1 / np.sqrt((differences**2).sum(axis=axis, keepdims=True) / n + eps)
    return scale, np.zeros_like(x) + np.abs(differences * scale).max(axis=axis, keepdims=True, initial=0)


def _norm_gradient_terms(g, weight, scale, largest, axis):
    upstream, n = np.abs(g * weight), max(g.shape[axis], 1)
    along = (upstream * largest).sum(axis=axis, keepdims=True) / n
    grad_x = scale * (upstream + upstream.sum(axis=axis, keepdims=True) / n + largest * along)
    return grad_x, (np.abs(g) * largest).sum(axis=0), np.abs(g).sum(axis=0)


def layer_norm_terms(x, weight, bias, eps=1e-5):
    return _deviations(x, -1, eps)[1] * np.abs(weight) + np.abs(bias)


def layer_norm_gradient_terms(g, x, weight, eps=1e-5):
    return _norm_gradient_terms(g, weight, *_deviations(x, -1, eps), -1)


def rms_norm_gradient_terms(g, x, weight, eps=1e-7):
    return _norm_gradient_terms(g, weight, *_deviations(x, -1, eps, centered=False), -1)[:2]


def batch_norm_terms(x, mean, variance, weight, bias, training=False, momentum=0.1, eps=1e-5):
    largest = _deviations(x, 0, eps)[1] if training else np.abs(x - mean) / np.sqrt(variance + eps)
    return largest * np.abs(weight) + np.abs(bias)


def batch_norm_gradient_terms(g, x, mean, variance, weight, training=False, eps=1e-5):
    if training:
        return _norm_gradient_terms(g, weight, *_deviations(x, 0, eps), 0)
    scale = 1 / np.sqrt(variance + eps)
    return scale * np.abs(g * weight), (np.abs(g * (x - mean)) * scale).sum(axis=0), np.abs(g).sum(axis=0)


def adjusted_terms(g, p, scale=1.0, clip_value=np.inf, l1=0.0, l2=0.0):
    return np.minimum(np.abs(scale * g), clip_value) + l1 + l2 * np.abs(p)


def lerp_terms(average, x, weight):
    return np.abs(average) + np.abs(x)
