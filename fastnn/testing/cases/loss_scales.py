"""Natural scales of losses and their gradients, for the records of ops.py: the sum of the magnitudes of the terms."""

import numpy as np

from ... import reference
from ...reference._losses import reduced, upstream
from ...reference.class_losses import _counts, _distribution
from ...reference.multilabel_losses import multi_hot
from .scales import row_max


def logit_terms(x, target, reduction="mean", sample_weight=None, pos_weight=None, weight=None):
    """max(x, 0) - x t + log(1 + exp(-|x|)), with + for the -; with pos_weight nothing cancels."""
    if pos_weight is not None:
        return reference.binary_cross_entropy_with_logits(x, target, reduction, sample_weight, pos_weight, weight)
    return reference.binary_cross_entropy_with_logits(np.abs(x), -target, reduction, sample_weight, None, weight)


def logit_gradient_terms(g, x, target, reduction="mean", sample_weight=None, pos_weight=None, weight=None):
    gradient = reference.binary_cross_entropy_with_logits_backward
    if pos_weight is not None:
        return np.abs(gradient(g, x, target, reduction, sample_weight, -pos_weight, weight))
    return np.abs(gradient(g, x, -target, reduction, sample_weight, None, weight))


def _focus(x, target, alpha, gamma):
    """(1 - p_t)^gamma alpha_t, whose exponential multiplies the error of a logarithm; and 1 - p_t."""
    miss = reference.sigmoid(x) * (1 - target) + reference.sigmoid(-x) * target
    balance = alpha * target + (1 - alpha) * (1 - target) if alpha >= 0 else 1
    with np.errstate(all="ignore"):
        amplified = miss**gamma * (1 + gamma * np.abs(np.log(miss)))
    return balance * np.where(miss > 0, amplified, 0 if gamma else 1), miss


def focal_terms(x, target, reduction="mean", sample_weight=None, alpha=0.25, gamma=2.0):
    return reduced(logit_terms(x, target, "none") * _focus(x, target, alpha, gamma)[0], reduction, sample_weight)


def focal_gradient_terms(g, x, target, reduction="mean", sample_weight=None, alpha=0.25, gamma=2.0):
    focus, miss = _focus(x, target, alpha, gamma)
    p, q = reference.sigmoid(x), reference.sigmoid(-x)
    with np.errstate(all="ignore"):
        change = gamma * logit_terms(x, target, "none") * np.where(miss == 0, 0, p * q / miss)
    return np.abs(upstream(g, x, reduction, sample_weight)) * focus * (p + target + change)


def hinge_terms(x, target, reduction="mean", sample_weight=None, margin=1.0, squared=False):
    terms = margin + np.abs(target * x)
    return reduced(2 * terms**2 if squared else terms, reduction, sample_weight)


def hinge_gradient_terms(g, x, target, reduction="mean", sample_weight=None, margin=1.0, squared=False):
    terms = 2 * (margin + np.abs(target * x)) if squared else 1
    return np.abs(upstream(g, x, reduction, sample_weight)) * terms


@np.errstate(all="ignore")
def poisson_terms(x, target, reduction="mean", sample_weight=None, log_input=True, full=False, eps=1e-8):
    terms = np.exp(x) + np.abs(target * x) if log_input else np.abs(x) + target * (1 + np.abs(np.log(x + eps)))
    stirling = np.abs(target * np.log(target)) + target + 1
    return reduced(terms + (np.where(target > 1, stirling, 0) if full else 0), reduction, sample_weight)


@np.errstate(all="ignore")
def poisson_gradient_terms(g, x, target, reduction="mean", sample_weight=None, log_input=True, full=False, eps=1e-8):
    terms = np.exp(x) + target if log_input else 1 + np.abs(target / (x + eps))
    return np.abs(upstream(g, x, reduction, sample_weight)) * terms


def msle_terms(x, target, reduction="mean", sample_weight=None, eps=1e-7):
    a, b = (np.log1p(np.maximum(v, eps)) for v in (x, target))
    return reduced((a + b) ** 2, reduction, sample_weight)


def msle_gradient_terms(g, x, target, reduction="mean", sample_weight=None, eps=1e-7):
    a, b = (np.log1p(np.maximum(v, eps)) for v in (x, target))
    return np.abs(upstream(g, x, reduction, sample_weight)) * 2 * (a + b) / (1 + np.maximum(x, eps))


@np.errstate(all="ignore")
def tweedie_terms(x, target, reduction="mean", sample_weight=None, power=1.5, log_input=False):
    """The powers of the formula, each with the error of its exponential, which is that of its argument."""
    m, log_m, log_t = (np.exp(x), x, np.log(target)) if log_input else (x, np.log(x), np.log(target))
    grown = (1 + np.abs(log_m)) * (1 + np.abs(log_t)) * (1 + np.abs(power))
    if power == 0:
        terms = (m + target) ** 2
    elif power in (1, 2):
        terms = (target if power == 1 else 1) * (np.abs(log_t) + np.abs(log_m) + 1) + (m if power == 1 else target / m)
    else:
        near, far = target * m ** (1 - power) / abs(1 - power), m ** (2 - power) / abs(2 - power)
        terms = near + far + target ** (2 - power) / abs((1 - power) * (2 - power))
    return reduced(2 * terms * grown, reduction, sample_weight)


@np.errstate(all="ignore")
def tweedie_gradient_terms(g, x, target, reduction="mean", sample_weight=None, power=1.5, log_input=False):
    m = np.exp(x) if log_input else x
    terms = 2 * (m + target) * m ** (log_input - power) * (1 + np.abs(np.log(m))) * (1 + np.abs(power))
    return np.abs(upstream(g, x, reduction, sample_weight)) * terms


def gamma_terms(x, target, reduction="mean", sample_weight=None, log_input=False):
    return tweedie_terms(x, target, reduction, sample_weight, 2.0, log_input)


def gamma_gradient_terms(g, x, target, reduction="mean", sample_weight=None, log_input=False):
    return tweedie_gradient_terms(g, x, target, reduction, sample_weight, 2.0, log_input)


@np.errstate(all="ignore")
def kl_terms(x, target, reduction="mean", sample_weight=None, log_target=False):
    if log_target:
        return reduced(np.exp(target) * (np.abs(target) + np.abs(x)), reduction, sample_weight)
    terms = np.where(target == 0, 0, np.abs(target * np.log(target))) + np.abs(target * x)
    return reduced(terms, reduction, sample_weight)


@np.errstate(all="ignore")
def gaussian_terms(x, target, var, reduction="mean", sample_weight=None, full=False, eps=1e-6):
    v = np.maximum(var, eps)
    return reduced(0.5 * (np.abs(np.log(v)) + (x - target) ** 2 / v) + full, reduction, sample_weight)


@np.errstate(all="ignore")
def gaussian_gradient_terms(g, x, target, var, reduction="mean", sample_weight=None, full=False, eps=1e-6):
    v = np.maximum(var, eps)
    above, error = np.abs(upstream(g, x, reduction, sample_weight)), np.abs(x - target)
    return above * error / v, above * 0.5 * (1 + error * error / v) / v


def _lengths(x, target):
    return [np.sqrt((a * a).sum(axis=1, keepdims=True)) for a in (x, target)]


@np.errstate(all="ignore")
def cosine_terms(x, target, reduction="mean", sample_weight=None, eps=1e-8):
    a, b = _lengths(x, target)
    terms = 1 + np.nan_to_num(np.abs(x * target) / (a * b)).sum(axis=1)
    return reduced(terms, reduction, sample_weight)


@np.errstate(all="ignore")
def cosine_gradient_terms(g, x, target, reduction="mean", sample_weight=None, eps=1e-8):
    a, b = _lengths(x, target)
    above = np.abs(upstream(g, x.sum(axis=1), reduction, sample_weight))[:, np.newaxis]
    return above * (np.abs(x) / a + np.abs(target) / b) / a


def cross_entropy_terms(
    x, target, reduction="mean", sample_weight=None, label_smoothing=0.0, weight=None, ignore_index=-100
):
    """A log-probability is a difference of entries of its row, and a logarithm of what is at least 1."""
    mass = _distribution(target, x, label_smoothing, weight, ignore_index).sum(axis=1)
    counts = _counts(target, x, weight, ignore_index)
    return reduced(mass * (1 + row_max(x)[:, 0]), reduction, sample_weight, counts)


def cross_entropy_gradient_terms(
    g, x, target, reduction="mean", sample_weight=None, label_smoothing=0.0, weight=None, ignore_index=-100
):
    """Probability minus target, both up to 1, times what reaches the row."""
    mass = _distribution(target, x, label_smoothing, weight, ignore_index).sum(axis=1)
    counts = _counts(target, x, weight, ignore_index)
    above = np.abs(upstream(g, mass, reduction, sample_weight, counts)) * mass
    return above[:, np.newaxis] + np.zeros_like(x)


def softmax_focal_terms(x, target, reduction="mean", sample_weight=None, gamma=2.0, weight=None, ignore_index=-100):
    """As of cross-entropy: the factor (1 - p)^gamma multiplies neither value nor error by more than 1 + gamma."""
    return (1 + gamma) * cross_entropy_terms(x, target, reduction, sample_weight, 0.0, weight, ignore_index)


def softmax_focal_gradient_terms(
    g, x, target, reduction="mean", sample_weight=None, gamma=2.0, weight=None, ignore_index=-100
):
    terms = cross_entropy_gradient_terms(g, x, target, reduction, sample_weight, 0.0, weight, ignore_index)
    return (1 + gamma) ** 2 * (1 + row_max(x)) * terms


def multi_margin_terms(
    x, target, reduction="mean", sample_weight=None, p=1, margin=1.0, weight=None, ignore_index=-100
):
    terms = (margin + 2 * row_max(x)[:, 0]) ** p * p
    if weight is not None:
        terms = terms * np.asarray(weight).max(initial=0)
    return reduced(terms, reduction, sample_weight, _counts(target, x, None, ignore_index))


def multi_margin_gradient_terms(
    g, x, target, reduction="mean", sample_weight=None, p=1, margin=1.0, weight=None, ignore_index=-100
):
    terms = (margin + 2 * row_max(x)[:, 0]) ** (p - 1) * p
    counts = _counts(target, x, None, ignore_index)
    return (np.abs(upstream(g, terms, reduction, sample_weight, counts)) * terms)[:, np.newaxis] + np.zeros_like(x)


def _distance_terms(x, axis, temperature):
    """Probabilities, and how far logits are below the largest, as they are rounded."""
    p = reference.softmax(x, axis, temperature)
    return p, (np.abs(x) + np.abs(row_max(x, axis))) / temperature


def entropy_of_logits_terms(x, axis=-1, temperature=1.0):
    p, distances = _distance_terms(x, axis, temperature)
    return 1 + (p * (1 + distances) * distances).sum(axis=axis)


def entropy_of_logits_gradient_terms(g, x, axis=-1, temperature=1.0):
    p, distances = _distance_terms(x, axis, temperature)
    mean = (p * (1 + distances) * distances).sum(axis=axis, keepdims=True)
    return np.expand_dims(np.abs(g), axis) * p * (1 + distances) * (1 + distances + mean) / temperature


def _rows_scale(x, terms, reduction, sample_weight):
    return reduced(terms * np.ones_like(x[:, 0] if x.shape[1] else x.sum(axis=1)), reduction, sample_weight)


def _above(g, x, reduction, sample_weight):
    """What reaches each row, as a column."""
    return np.abs(upstream(g, x.sum(axis=1), reduction, sample_weight))[:, np.newaxis]


@np.errstate(all="ignore")
def dice_terms(x, target, reduction="mean", sample_weight=None, smooth=0.0, eps=1e-7, axis=1):
    return _rows_scale(x, 2, reduction, sample_weight)


@np.errstate(all="ignore")
def dice_gradient_terms(g, x, target, reduction="mean", sample_weight=None, smooth=0.0, eps=1e-7, axis=1):
    both = (x.sum(axis=1) + target.sum(axis=1) + smooth + eps)[:, np.newaxis]
    return _above(g, x, reduction, sample_weight) * (1 + 2 * target) / both


def _labels_and_largest(x, target):
    counts = multi_hot(target, x)
    return counts.sum(axis=1), 1 + 2 * row_max(x)[:, 0]


def multilabel_margin_terms(x, target, reduction="mean", sample_weight=None):
    labels, largest = _labels_and_largest(x, target)
    return reduced(labels * largest, reduction, sample_weight)


def multilabel_margin_gradient_terms(g, x, target, reduction="mean", sample_weight=None):
    labels, _ = _labels_and_largest(x, target)
    return _above(g, x, reduction, sample_weight) * (1 + labels[:, np.newaxis]) + np.zeros_like(x)


@np.errstate(all="ignore")
def multilabel_soft_terms(x, target, reduction="mean", sample_weight=None, weight=None):
    return reduced(logit_terms(x, target, "none", weight=weight).mean(axis=1), reduction, sample_weight)


@np.errstate(all="ignore")
def multilabel_soft_gradient_terms(g, x, target, reduction="mean", sample_weight=None, weight=None):
    terms = logit_gradient_terms(1.0, x, target, "sum", weight=weight) / max(x.shape[1], 1)
    return _above(g, x, reduction, sample_weight) * terms


def hinge_embedding_terms(x, target, reduction="mean", sample_weight=None, margin=1.0):
    return reduced(np.abs(x) + margin, reduction, sample_weight)


def ranking_terms(x, other, target, reduction="mean", sample_weight=None, margin=0.0):
    return reduced(np.abs(x) + np.abs(other) + margin, reduction, sample_weight)


def _directions(x, other):
    return [np.abs(a) / np.sqrt((a * a).sum(axis=1, keepdims=True) + 1e-12) for a in (x, other)]


@np.errstate(all="ignore")
def cosine_embedding_terms(x, other, target, reduction="mean", sample_weight=None, margin=0.0):
    a, b = _directions(x, other)
    return reduced(1 + margin + (a * b).sum(axis=1), reduction, sample_weight)


@np.errstate(all="ignore")
def cosine_embedding_gradient_terms(g, x, other, target, reduction="mean", sample_weight=None, margin=0.0):
    above = _above(g, x, reduction, sample_weight)
    lengths = [np.sqrt((a * a).sum(axis=1, keepdims=True) + 1e-12) for a in (x, other)]
    directions = sum(_directions(x, other))
    return tuple(above * directions / length for length in lengths)


def _far(a, b, c):
    """The largest entries of the vectors of each row: errors of distances are in proportion to them."""
    n = a.shape[1]
    return sum(row_max(x)[:, 0] for x in (a, b, c)) * max(n, 1)


def triplet_terms(a, p_, n, reduction="mean", sample_weight=None, margin=1.0, p=2.0, eps=1e-6, swap=False):
    return reduced(margin + _far(a, p_, n), reduction, sample_weight)


@np.errstate(all="ignore")
def triplet_gradient_terms(g, a, p_, n, reduction="mean", sample_weight=None, margin=1.0, p=2.0, eps=1e-6, swap=False):
    """Differences of near numbers lose digits, in proportion to the largest."""
    above = _above(g, a, reduction, sample_weight)
    least = np.stack([np.abs(x - y + eps).max(axis=1, initial=0) for x, y in ((a, p_), (a, n), (p_, n))]).min(axis=0)
    terms = above * (1 + p if p < np.inf else 1) * (1 + _far(a, p_, n) / least)[:, np.newaxis] + np.zeros_like(a)
    return (terms,) * 3


def triplet_of_distance_terms(
    a, p, n, reduction="mean", sample_weight=None, distance_function=None, margin=1.0, swap=False
):
    power = 1 if distance_function is None else 2
    return reduced(margin + _far(a, p, n) ** power, reduction, sample_weight)


def triplet_of_distance_gradient_terms(
    g, a, p, n, reduction="mean", sample_weight=None, distance_function=None, margin=1.0, swap=False
):
    if distance_function is None:
        return triplet_gradient_terms(g, a, p, n, reduction, sample_weight, margin, swap=swap)
    return (_above(g, a, reduction, sample_weight) * 4 * _far(a, p, n)[:, np.newaxis] + np.zeros_like(a),) * 3


def info_nce_terms(x, other, reduction="mean", sample_weight=None, temperature=0.1, symmetric=False):
    """Cosines of up to 1, divided by the temperature."""
    return _rows_scale(x, 1 + 2 / temperature, reduction, sample_weight)


@np.errstate(all="ignore")
def info_nce_gradient_terms(g, x, other, reduction="mean", sample_weight=None, temperature=0.1, symmetric=False):
    above = np.abs(upstream(g, x.sum(axis=1), reduction, sample_weight)).sum()
    each = 4 * above * (1 + 1 / temperature) / temperature
    return tuple(each / np.sqrt((a * a).sum(axis=1, keepdims=True)) + np.zeros_like(a) for a in (x, other))
