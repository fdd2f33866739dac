"""The operations of fastnn.functional and fastnn.optim.functional, one record each: what generic tests need to know.

An operation without a record, and a kernel of kernels.def that no record covers, is a failing test (test_dispatch.py).
Errors in ULP are the largest over all instruction sets, sizes, options and some seeds, rounded up. Sums have 16 partial
sums, so that an error of n / 32 ULP is in order where n numbers are added, one large and all others small.
"""

from . import loss_scales as s
from . import records as r
from . import scales as t
from .records import Op, arrays, loss, numbers
from .update_ops import MATRIX_UPDATES, PARAMETERS, UPDATES

REDUCTIONS = (
    {},
    {"reduction": "sum"},
    {"reduction": "none"},
    {"weighted": True},
    {"weighted": True, "reduction": "none"},
)
AXES = ({}, {"axis": 0}, {"temperature": 0.5}, {"temperature": 3.0})


def _activation(
    name,
    ulp,
    backward_ulp,
    options=({},),
    kinks=(),
    draw=numbers,
    output=None,
    kernels=("",),
    scale=None,
    backward_scale=None,
):
    """Forward and gradient; `output` draws outputs for a gradient that takes those."""
    suffixed = tuple(name + suffix for suffix in kernels)
    backward = f"{name}_backward"
    return (
        Op(name, "elementwise", arrays(draw), ulp, suffixed, options, backward, output is not None, kinks, scale),
        Op(backward, "elementwise", arrays(numbers, output or draw), backward_ulp,
           tuple(f"{kernel}_backward" for kernel in suffixed), options, scale=backward_scale),
    )  # fmt: skip


def _gated(name, ulp, backward_ulp, **more):
    return _activation(name, ulp, backward_ulp, backward_scale=t.gated_terms(name), **more)


def _loss(
    name,
    ulp,
    backward_ulp,
    draws=(numbers, numbers),
    extra=(),
    kernel=None,
    kinks=(),
    label="",
    scales=(None, None),
    rows=False,
    kernels=(),
):
    """Value and gradient; by rows if the targets are labels or probabilities of classes, or vectors."""
    kind = "class loss" if draws[1] in r.ROW_TARGETS else "loss" if len(draws) == 2 else "pair loss"
    kind = "row loss" if rows else kind
    options, kernels = (*REDUCTIONS, *extra), kernels or (kernel or name,)
    backward = f"{name}_backward"
    return (
        Op(name, kind, loss(*draws, rows=rows), ulp, kernels, options, backward, False, kinks, scales[0], label),
        Op(
            backward,
            kind,
            loss(*draws, gradient=True, rows=rows),
            backward_ulp,
            kernels,
            options,
            scale=scales[1],
            label=label,
        ),
    )


def _by_column(name):
    """Options with one number for each column."""
    return {"by_column": name}, {"by_column": name, "weighted": True, "reduction": "none"}


def _class_loss(name, ulp, backward_ulp, extra=(), draw_input=numbers, draw_target=r.labels, label="", scales=()):
    by_class, ignored = {"by_column": "weight"}, {"ignore_index": 1} if draw_target is r.labels else {}
    options = (by_class, by_class | {"reduction": "none"}, by_class | {"weighted": True} | ignored, *extra)
    draws = (draw_input, draw_target)
    return _loss(name, ulp, backward_ulp, draws, options, label=label, scales=scales or (None, None))


def _cross_entropy(draw_target, label):
    options = {"label_smoothing": 0.25}, {"label_smoothing": 0.25, "by_column": "weight", "weighted": True}
    scales = s.cross_entropy_terms, s.cross_entropy_gradient_terms
    return _class_loss("cross_entropy", (16, 16), (130, 130), options, numbers, draw_target, label, scales)


ELEMENTARY = (
    *_activation("exp", (1.5, 1.5), (0.5, 0.5), output=r.positive),
    *_activation("expm1", (1.5, 1.5), (2.5, 2.5)),
    *_activation("log", (1.5, 1.5), (0.5, 0.5), draw=r.positive),
    *_activation("log1p", (1.5, 1.5), (1.5, 1.5), draw=r.above_minus_one),
    *_activation("erf", (2, 2), (4, 4)),
    *(
        Op(name, "elementwise", arrays(numbers, numbers), (0.5, 0.5), (name,))
        for name in ("add", "subtract", "multiply", "divide")
    ),
    *_activation("affine", (1, 1), (0.5, 0.5), ({}, {"scale": -1.5, "shift": 0.75}), scale=t.affine_terms),
    *_activation("reciprocal", (0.5, 0.5), (2.5, 2.5), ({}, {"scale": -1.5})),
)

ACTIVATIONS = (
    *_activation("sigmoid", (2, 2), (2.5, 2.5), output=r.between_0_and_1),
    *_activation("tanh", (2, 2), (2, 2), output=r.between_minus_1_and_1, backward_scale=t.tanh_gradient_terms),
    *_activation("relu", (0, 0), (0, 0), kinks=(0,)),
    *_activation("leaky_relu", (1, 1), (1, 1), ({}, {"negative_slope": 0.1}), kinks=(0,)),
    *_activation("elu", (2, 2), (3, 3), ({}, {"alpha": 1.5}), kinks=(0,)),
    *_activation("selu", (2.5, 2.5), (3, 3), kinks=(0,)),
    *_activation("celu", (2, 2), (2.5, 2.5), ({}, {"alpha": 0.5})),
    *_gated("gelu", (6, 6), (8, 8), options=({}, {"approximate": "tanh"}), kernels=("", "_tanh"), draw=r.moderate,
            scale=t.gelu_terms),
    *_gated("silu", (3, 3), (5, 5)),
    *_gated("mish", (5, 5), (5, 5)),
    *_activation("softplus", (2, 2), (3, 3), ({}, {"beta": 2.0, "threshold": 5.0})),
    *_activation("softsign", (2, 2), (4, 4)),
    *_activation("hardsigmoid", (1.5, 1.5), (1, 1), kinks=(-3, 3)),
    *_gated("hardswish", (2, 2), (2, 2), kinks=(-3, 3)),
    *_activation("hardtanh", (0, 0), (0, 0), ({}, {"min_val": -0.5, "max_val": 2.0}), kinks=(-1, -0.5, 1, 2)),
    *_activation("relu6", (0, 0), (0, 0), kinks=(0, 6)),
    *_activation("logit", (4, 4), (3, 3), ({}, {"eps": 0.125}), kinks=(0.125, 0.875), draw=r.between_0_and_1),
    *_activation("logsigmoid", (2.5, 2.5), (3, 3)),
    *_activation("threshold", (0, 0), (0, 0), ({}, {"threshold": -1.0, "value": 2.5}), kinks=(0, -1)),
    *_activation("tanhshrink", (5, 5), (6, 6)),
    *_activation("softshrink", (0.5, 0.5), (0, 0), ({}, {"lambd": 1.5}), kinks=(-1.5, -0.5, 0.5, 1.5)),
    *_activation("hardshrink", (0, 0), (0, 0), ({}, {"lambd": 1.5}), kinks=(-1.5, -0.5, 0.5, 1.5)),
)  # fmt: skip

ROWS = (
    Op("softmax", "rows", arrays(numbers), (130, 130), ("softmax",), AXES, "softmax_backward", True,
       scale=t.softmax_terms),
    Op("softmax_backward", "rows", arrays(numbers, r.rows_of_probabilities), (16, 16), ("softmax_backward",), AXES,
       scale=t.softmax_gradient_terms),
    Op("softmax_temperature_backward", "rows", arrays(numbers, r.rows_of_probabilities, numbers), (16, 16),
       ("dot",), AXES, scale=t.temperature_terms(t.softmax_gradient_terms)),
    Op("softmin", "rows", arrays(numbers), (130, 130), ("softmin",), AXES, "softmin_backward", True,
       scale=t.softmin_terms),
    Op("softmin_backward", "rows", arrays(numbers, r.rows_of_probabilities), (16, 16), ("softmin_backward",), AXES,
       scale=t.softmax_gradient_terms),
    Op("softmin_temperature_backward", "rows", arrays(numbers, r.rows_of_probabilities, numbers), (16, 16),
       ("dot",), AXES, scale=t.temperature_terms(t.softmax_gradient_terms)),
    Op("log_softmax", "rows", arrays(numbers), (130, 130), ("log_softmax",), AXES, "log_softmax_backward", True,
       scale=t.log_softmax_terms),
    Op("log_softmax_backward", "rows", arrays(numbers, r.log_probabilities), (16, 16),
       ("log_softmax_backward", "sum"), AXES, scale=t.log_softmax_gradient_terms),
    Op("log_softmax_temperature_backward", "rows", arrays(numbers, r.log_probabilities, numbers), (16, 16),
       ("dot",), AXES, scale=t.temperature_terms(t.log_softmax_gradient_terms)),
    Op("entropy", "rows", arrays(r.rows_of_probabilities), (16, 16), ("entropy",), ({}, {"axis": 0}),
       "entropy_backward"),
    Op("entropy_backward", "rows", r.entropy_gradient_arguments, (3, 3), ("entropy_backward",), ({}, {"axis": 0}),
       scale=t.entropy_gradient_terms),
    Op("entropy_with_logits", "rows", arrays(numbers), (16, 16), ("entropy_with_logits",), AXES,
       "entropy_with_logits_backward", scale=s.entropy_of_logits_terms),
    Op("entropy_with_logits_backward", "rows", r.entropy_of_logits_arguments, (16, 16),
       ("entropy_with_logits_backward",), AXES, scale=s.entropy_of_logits_gradient_terms),
)  # fmt: skip

PARAMETRIC = (
    *(
        op
        for label, draw in (("prelu", r.slopes), ("prelu of one slope", r.one_slope))
        for op in (
            Op("prelu", "rows", r.slope_arguments(draw), (1, 1), ("prelu", "leaky_relu"), ({},), "prelu_backward",
               kinks=(0,), label=label),
            Op("prelu_backward", "rows", r.slope_arguments(draw, gradient=True), (16, 16),
               ("prelu_backward", "prelu_slopes", "prelu_slope"), scale=t.prelu_gradient_terms, label=label),
        )
    ),
    Op("temperature_scale", "rows", r.slope_arguments(r.one_temperature), (1, 1), ("temperature_scale",), ({},),
       "temperature_scale_backward"),
    Op("temperature_scale_backward", "rows", r.slope_arguments(r.one_temperature, gradient=True), (16, 16), ("dot",),
       scale=t.temperature_scale_gradient_terms),
)  # fmt: skip


def _gate(name, ulp, backward_ulp, options=({},), backward_scale=None):
    backward = f"{name}_backward"
    return (
        Op(name, "rows", r.gate_arguments(), ulp, (name,), options, backward),
        Op(backward, "rows", r.gate_arguments(gradient=True), backward_ulp, (backward,), options, scale=backward_scale),
    )


GATES = (
    *_gate("glu", (3, 3), (6, 6)),
    *_gate("swiglu", (4, 4), (6, 6), backward_scale=t.swiglu_gradient_terms),
    *_gate("maxout", (0, 0), (0, 0), ({}, {"pool_size": 3}, {"pool_size": 1})),
)

EMBEDDING = (
    Op("embedding", "embedding", r.embedding_arguments(), (0, 0), ("embedding", "bad_code"), ({}, {"padding_idx": 2}),
       "embedding_backward", constants=1),
    Op("embedding_backward", "embedding", r.embedding_arguments(gradient=True), (16, 16), ("embedding_backward",),
       ({}, {"padding_idx": 2}, {"padding_idx": -1}), scale=t.embedding_gradient_terms),
)  # fmt: skip

_BAGS = (
    {},
    {"mode": "sum", "weighted": True},
    {"mode": "sum", "padding_idx": 2, "scale_grad_by_freq": True},
    {"mode": "max"},
)

EMBEDDING += (
    # It changes the table, so each call of a test would get another one: test_embedding_bag.py has its tests.
    Op("embedding", "in place", r.embedding_arguments(), (2, 2), ("row_scales", "scale_rows"),
       ({"max_norm": 1.0}, {"max_norm": 2.0, "norm_type": 1.0}), label="embedding of limited norm", constants=1),
    # The rows of a bag, here thousands, are added in one chain, as in PyTorch; so are the terms of norms in float64.
    Op("embedding_bag", "embedding", r.bag_arguments(), (512, 512), ("embedding_bag",), _BAGS, "embedding_bag_backward",
       scale=t.bag_terms, constants=1),
    Op("embedding_bag_backward", "embedding", r.bag_arguments(gradient=True), (512, 512),
       ("embedding_bag_backward", "count_codes"), _BAGS, scale=t.bag_gradient_terms),
)  # fmt: skip

_NORMS = {}, {"p": 1.0}, {"p": 3.0}, {"p": float("inf")}

DISTANCES = (
    Op("normalize", "rows", arrays(numbers), (3, 32), ("normalize",), (*_NORMS, {"dim": 0}), "normalize_backward"),
    Op("normalize_backward", "rows", arrays(numbers, numbers), (8, 32), ("normalize_backward",), (*_NORMS, {"dim": 0}),
       scale=t.normalize_gradient_terms),
    Op("pairwise_distance", "rows", arrays(numbers, numbers), (3, 32), ("pairwise_distance",),
       (*_NORMS, {"eps": 0.5, "keepdim": True}), "pairwise_distance_backward", scale=t.distance_terms),
    Op("pairwise_distance_backward", "rows", r.pair_gradient_arguments, (8, 32), ("pairwise_distance_backward",),
       (*_NORMS, {"eps": 0.5}), scale=t.distance_gradient_terms),
    Op("cosine_similarity", "rows", arrays(numbers, numbers), (8, 8), ("cosine_similarity",), ({}, {"eps": 0.5}),
       "cosine_similarity_backward", scale=t.cosine_similarity_terms),
    Op("cosine_similarity_backward", "rows", r.pair_gradient_arguments, (8, 8), ("cosine_similarity_backward",),
       ({}, {"eps": 0.5}), scale=t.cosine_similarity_gradient_terms),
    Op("bilinear", "linear", r.bilinear_arguments(), (16, 16), ("bilinear",), ({},), "bilinear_backward",
       scale=t.bilinear_terms),
    Op("bilinear_backward", "linear", r.bilinear_arguments(gradient=True), (16, 16), ("bilinear_backward",),
       scale=t.bilinear_gradient_terms),
    Op("one_hot", "labels", r.label_arguments, (0, 0)),
)  # fmt: skip

LINEAR = (
    Op("linear", "linear", r.linear_arguments, (16, 16), ("matmul",), ({}, {"activation": "relu"}), "linear_backward",
       scale=t.linear_terms, kinks=(0,)),
    Op("linear_backward", "linear", r.linear_gradient_arguments, (16, 16), ("matmul", "column_sums"),
       scale=t.linear_gradient_terms),
)  # fmt: skip

EPSILONS = {"eps": 1e-6}, {"eps": 0.5}  # that of rms_norm depends on the dtype unless it is given
MODES = {}, {"eps": 0.5}, {"training": True}

NORMALIZATION = (
    Op("layer_norm", "norm", r.norm_arguments(r.about_1, numbers), (5, 5), ("layer_norm",), EPSILONS,
       "layer_norm_backward", scale=t.layer_norm_terms),
    Op("layer_norm_backward", "norm", r.norm_arguments(r.about_1, gradient=True), (5, 5),
       ("layer_norm", "layer_norm_backward", "norm_gradients"), EPSILONS, scale=t.layer_norm_gradient_terms),
    Op("rms_norm", "norm", r.norm_arguments(r.about_1), (5, 5), ("rms_norm",), EPSILONS, "rms_norm_backward"),
    Op("rms_norm_backward", "norm", r.norm_arguments(r.about_1, gradient=True), (5, 5),
       ("rms_norm", "rms_norm_backward", "norm_gradients"), EPSILONS, scale=t.rms_norm_gradient_terms),
    Op("batch_norm", "norm", r.norm_arguments(numbers, r.about_1, r.about_1, numbers), (5, 5),
       ("batch_norm", "batch_statistics", "running_statistics", "update_running"), MODES, "batch_norm_backward",
       scale=t.batch_norm_terms),
    Op("batch_norm_backward", "norm", r.norm_arguments(numbers, r.about_1, r.about_1, gradient=True), (8, 8),
       ("batch_norm_backward", "batch_norm_gradients"), MODES, scale=t.batch_norm_gradient_terms),
)  # fmt: skip

NORMALIZATION += (
    Op("group_norm", "groups", r.group_arguments(num_groups=2), (5, 5), ("layer_norm",), ({}, {"eps": 0.5}),
       "group_norm_backward", scale=t.group_terms),
    Op("group_norm_backward", "groups", r.group_arguments(gradient=True, num_groups=2), (8, 8),
       ("layer_norm", "layer_norm_backward", "norm_gradients", "sum"), scale=t.group_gradient_terms),
    Op("instance_norm", "groups", r.group_arguments(), (5, 5), ("layer_norm",), ({}, {"eps": 0.5}),
       "instance_norm_backward", scale=t.group_terms),
    Op("instance_norm_backward", "groups", r.group_arguments(gradient=True), (8, 8), ("layer_norm_backward",),
       scale=t.group_gradient_terms),
)  # fmt: skip

LOSSES = (
    *_loss("l1_loss", (6, 6), (8, 8), kinks=(0,)),
    *_loss("mse_loss", (6, 6), (8, 8)),
    *_loss("rmse_loss", (6, 6), (8, 8), kernel="mse_loss"),
    *_loss("huber_loss", (6, 6), (8, 8), extra=({"delta": 0.5, "reduction": "none"},)),
    *_loss("smooth_l1_loss", (6, 6), (8, 8), extra=tuple({"beta": b, "reduction": "none"} for b in (0.0, 0.5)),
           kinks=(0,)),
    *_loss("binary_cross_entropy", (6, 6), (8, 8), (r.between_0_and_1, r.between_0_and_1), _by_column("weight")),
    *_loss("binary_cross_entropy_with_logits", (4, 4), (8, 8), (numbers, r.between_0_and_1),
           scales=(s.logit_terms, s.logit_gradient_terms)),
    *_loss("binary_cross_entropy_with_logits", (6, 6), (8, 8), (numbers, r.between_0_and_1),
           ({"pos_weight": 3.0}, *_by_column("pos_weight"), *_by_column("weight")),
           label="binary_cross_entropy_with_logits and pos_weight",
           kernel="binary_cross_entropy_with_logits_pos_weight", scales=(s.logit_terms, s.logit_gradient_terms)),
    *_loss("sigmoid_focal_loss", (16, 16), (16, 16), (numbers, r.between_0_and_1),
           ({"alpha": -1.0, "gamma": 0.0}, {"alpha": 0.75, "gamma": 1.5, "reduction": "none"}),
           scales=(s.focal_terms, s.focal_gradient_terms)),
    *_loss("hinge_loss", (4, 4), (4, 4), (numbers, r.signs),
           ({"margin": 0.5, "squared": True}, {"squared": True, "reduction": "none"}), kinks=(0,),
           scales=(s.hinge_terms, s.hinge_gradient_terms)),
    *_loss("soft_margin_loss", (6, 6), (8, 8), (numbers, r.signs)),
    *_loss("quantile_loss", (6, 6), (8, 8), extra=({"q": 0.9, "reduction": "none"}, *_by_column("q")), kinks=(0,)),
    *_loss("log_cosh_loss", (6, 6), (8, 8)),
    *_loss("mape_loss", (6, 6), (8, 8), extra=({"eps": 0.5, "reduction": "none"},), kinks=(0,)),
    *_loss("msle_loss", (6, 6), (8, 8), (r.rates, r.rates), ({"eps": 0.0, "reduction": "none"},),
           scales=(s.msle_terms, s.msle_gradient_terms)),
    *_loss("tweedie_loss", (16, 16), (16, 16), (r.rates, r.rates),
           tuple({"power": p, "log_input": log, "reduction": "none"} for log, powers in
                 ((False, (-1.0, 0.0, 1.0, 2.0, 3.0)), (True, (0.0, 1.0, 1.5, 2.0, 3.0))) for p in powers),
           scales=(s.tweedie_terms, s.tweedie_gradient_terms)),
    *_loss("gamma_loss", (16, 16), (16, 16), (r.rates, r.rates), ({"log_input": True},), kernel="tweedie_loss",
           scales=(s.gamma_terms, s.gamma_gradient_terms)),
    *_loss("cosine_loss", (16, 16), (16, 16), (r.vectors, r.vectors), ({"eps": 1e-3},),
           scales=(s.cosine_terms, s.cosine_gradient_terms)),
    *_loss("poisson_nll_loss", (6, 6), (8, 8), (r.rates, r.rates),
           ({"log_input": False, "full": True}, {"log_input": False, "eps": 0.5, "reduction": "none"}),
           scales=(s.poisson_terms, s.poisson_gradient_terms)),
    *_loss("kl_div", (6, 6), (8, 8), (r.log_probabilities, r.between_0_and_1),
           ({"reduction": "batchmean", "weighted": True}, {"log_target": True}), scales=(s.kl_terms, None)),
    *_loss("gaussian_nll_loss", (6, 6), (8, 8), (numbers, numbers, r.rates), ({"full": True, "eps": 1e-3},),
           scales=(s.gaussian_terms, s.gaussian_gradient_terms)),
    *_cross_entropy(r.labels, "cross_entropy"),
    *_cross_entropy(r.rows_of_probabilities, "cross_entropy of probabilities"),
    *_class_loss("nll_loss", (8, 8), (8, 8), draw_input=r.log_probabilities),
    *_class_loss("softmax_focal_loss", (130, 130), (130, 130), ({"gamma": 0.5}, {"gamma": 0.0}),
                 scales=(s.softmax_focal_terms, s.softmax_focal_gradient_terms)),
    *_class_loss("multi_margin_loss", (6, 6), (16, 16), ({"p": 2, "margin": 0.5},),
                 scales=(s.multi_margin_terms, s.multi_margin_gradient_terms)),
)  # fmt: skip

# Of rows of several labels, masks or vectors.
ROW_LOSSES = (
    *_loss("dice_loss", (16, 16), (32, 32), (r.between_0_and_1, r.masks), ({"smooth": 1.0, "eps": 0.5},), rows=True,
           scales=(s.dice_terms, s.dice_gradient_terms)),
    *_loss("multilabel_margin_loss", (16, 16), (16, 16), (numbers, r.some_labels), rows=True,
           scales=(s.multilabel_margin_terms, s.multilabel_margin_gradient_terms)),
    *_loss("multilabel_soft_margin_loss", (8, 8), (8, 8), (numbers, r.between_0_and_1), _by_column("weight"), rows=True,
           scales=(s.multilabel_soft_terms, s.multilabel_soft_gradient_terms)),
    *_loss("hinge_embedding_loss", (6, 6), (8, 8), (numbers, r.signs), ({"margin": 2.5, "reduction": "none"},),
           scales=(s.hinge_embedding_terms, None)),
    *_loss("margin_ranking_loss", (6, 6), (8, 8), (numbers, numbers, r.signs), ({"margin": 0.5},),
           scales=(s.ranking_terms, None)),
    *_loss("cosine_embedding_loss", (16, 16), (32, 32), (numbers, numbers, r.row_signs), ({"margin": 0.25},), rows=True,
           scales=(s.cosine_embedding_terms, s.cosine_embedding_gradient_terms)),
    *_loss("triplet_margin_loss", (32, 32), (64, 64), (numbers, numbers, numbers),
           (*({"p": p, "margin": 3.0} for p in (1.0, 1.5, 3.0, float("inf"))), {"swap": True}), rows=True,
           scales=(s.triplet_terms, s.triplet_gradient_terms)),
    *_loss("triplet_margin_with_distance_loss", (32, 32), (64, 64), (numbers, numbers, numbers),
           ({"distance_function": r.square_distances}, {"distance_function": r.square_distances, "swap": True}),
           rows=True, kernels=("margin_ranking_loss",),
           scales=(s.triplet_of_distance_terms, s.triplet_of_distance_gradient_terms)),
    *_loss("info_nce_loss", (130, 130), (130, 130), (numbers, numbers), ({"symmetric": True, "temperature": 0.5},),
           rows=True, kernels=("matmul", "cross_entropy", "rms_norm"),
           scales=(s.info_nce_terms, s.info_nce_gradient_terms)),
)  # fmt: skip

MASKS = {"seed": 3}, {"p": 0.25, "seed": 2**40, "stream": 7, "start": 5}, {"p": 0.0, "seed": 0}, {"p": 1.0, "seed": 0}

SLOPES = {}, {"training": True, "seed": 3}, {"lower": -0.5, "upper": 0.75, "training": True, "seed": 2**40, "start": 5}

NORMALS = ({"seed": 3}, {"std": 0.25, "seed": 2**40, "stream": 7, "start": 5}, {"std": 0.0, "seed": 0})

DROPOUT = (
    Op("dropout", "dropout", arrays(numbers), (0.501, 0.501), ("dropout",), MASKS, "dropout_backward"),
    Op("dropout_backward", "dropout", arrays(numbers), (0.501, 0.501), ("dropout",), MASKS),
    Op("alpha_dropout", "dropout", arrays(numbers), (2, 2), ("alpha_dropout",), MASKS, "alpha_dropout_backward",
       scale=t.alpha_dropout_terms),
    Op("alpha_dropout_backward", "dropout", arrays(numbers), (0.501, 0.501), ("alpha_dropout_backward",), MASKS),
    Op("gaussian_dropout", "dropout", arrays(numbers), (8, 8), ("gaussian_dropout",), MASKS[:3],
       "gaussian_dropout_backward", scale=t.gaussian_dropout_terms),
    Op("gaussian_dropout_backward", "dropout", arrays(numbers), (8, 8), ("gaussian_dropout",), MASKS[:3],
       scale=t.gaussian_dropout_terms),
    Op("gaussian_noise", "dropout", arrays(numbers), (8, 8), ("gaussian_noise",), NORMALS,
       scale=t.gaussian_noise_terms),
    Op("rrelu", "dropout", arrays(numbers), (1, 1), ("rrelu", "leaky_relu"), SLOPES, "rrelu_backward", kinks=(0,)),
    Op("rrelu_backward", "dropout", arrays(numbers, numbers), (1, 1), ("rrelu_backward", "leaky_relu_backward"),
       SLOPES),
)  # fmt: skip

OPS = (
    *ELEMENTARY,
    *ACTIVATIONS,
    *PARAMETRIC,
    *GATES,
    *ROWS,
    *EMBEDDING,
    *DISTANCES,
    *LINEAR,
    *NORMALIZATION,
    *LOSSES,
    *ROW_LOSSES,
    *DROPOUT,
    *UPDATES,
    *MATRIX_UPDATES,
    *PARAMETERS,
)
SPARSE = {"sparse_linear", "sparse_linear_backward"}  # functions of sparse matrices, and kernels: test_sparse.py
BY_NAME = {"derivative", "target_gradient"} | SPARSE  # functions that take no arrays alone, and have tests of their own
MEASURES = {"multiply_adds", "linear_int8"} | SPARSE  # the kernels that are no operation of arrays; test_int8.py
FUNCTIONS = tuple(op for op in OPS if op.kind not in ("update", "matrix update", "parameters", "labels", "in place"))
CASES = [(op, options) for op in FUNCTIONS for options in op.options]


def case_id(case):
    """The name of a case for pytest."""
    op, options = case if isinstance(case, tuple) else (case, {})
    suffix = "_backward" if op.label and op.name.endswith("_backward") else ""
    return "-".join([(op.label or op.name) + suffix, *(f"{name}={value}" for name, value in options.items())])
