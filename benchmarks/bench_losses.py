"""Losses and their gradients: sets COST and ROW_COST in fastnn/_core/losses.pyx."""

from common import LENGTHS, MATRICES, operation

ROW_TARGETS = ("labels", "distributions", "some_labels")
BY_ROWS = (
    "cosine_loss",
    "dice_loss",
    "multilabel_soft_margin_loss",
    "cosine_embedding_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "info_nce_loss",
)


def value_and_gradient(name, input, *targets, kernel=None, label=None, **options):
    """Records of a loss and its gradient; on matrices if the targets are classes, or the loss is computed by rows."""
    by_rows = targets[0] in ROW_TARGETS or name in BY_ROWS
    reads = 1 if targets[0] in ("labels", "some_labels") else 1 + len(targets)
    shared = {"shapes": MATRICES if by_rows else LENGTHS, "kernels": (kernel or name,), **options}
    label = label or name
    return [
        *operation("losses", name, (input, *targets), reads, label=label, **shared),
        *operation(
            "losses", f"{name}_backward", ("one", input, *targets), reads + 1, label=f"{label}_backward", **shared
        ),
    ]


BCE = "binary_cross_entropy_with_logits"
RECORDS = [
    *value_and_gradient("l1_loss", "normal", "normal"),
    *value_and_gradient("mse_loss", "normal", "normal"),
    *value_and_gradient("rmse_loss", "normal", "normal", kernel="mse_loss"),
    *value_and_gradient("huber_loss", "normal", "normal"),
    *value_and_gradient("smooth_l1_loss", "normal", "normal"),
    *value_and_gradient("quantile_loss", "normal", "normal"),
    *value_and_gradient("log_cosh_loss", "normal", "normal"),
    *value_and_gradient("mape_loss", "normal", "normal"),
    *value_and_gradient("msle_loss", "uniform", "uniform"),
    *value_and_gradient("tweedie_loss", "uniform", "uniform"),
    *value_and_gradient("gamma_loss", "uniform", "uniform", kernel="tweedie_loss"),
    *value_and_gradient("cosine_loss", "normal", "normal"),
    *value_and_gradient("binary_cross_entropy", "uniform", "uniform"),
    *value_and_gradient(BCE, "normal", "uniform"),
    *value_and_gradient(
        BCE, "normal", "uniform", kernel=f"{BCE}_pos_weight", label=f"{BCE} pos_weight", pos_weight=3.0
    ),
    *value_and_gradient("sigmoid_focal_loss", "normal", "uniform"),
    *value_and_gradient("hinge_loss", "normal", "signs"),
    *value_and_gradient("soft_margin_loss", "normal", "signs"),
    *value_and_gradient("poisson_nll_loss", "normal", "uniform"),
    *value_and_gradient("kl_div", "normal", "uniform"),
    *value_and_gradient("gaussian_nll_loss", "normal", "normal", "uniform"),
    *value_and_gradient("cross_entropy", "normal", "labels"),
    *value_and_gradient("cross_entropy", "normal", "distributions", label="cross_entropy_of_probabilities"),
    *value_and_gradient("nll_loss", "log_distributions", "labels"),
    *value_and_gradient("softmax_focal_loss", "normal", "labels"),
    *value_and_gradient("multi_margin_loss", "normal", "labels"),
    *value_and_gradient("dice_loss", "uniform", "uniform"),
    *value_and_gradient("multilabel_margin_loss", "normal", "some_labels"),
    *value_and_gradient("multilabel_soft_margin_loss", "normal", "uniform"),
    *value_and_gradient("hinge_embedding_loss", "normal", "signs"),
    *value_and_gradient("margin_ranking_loss", "normal", "normal", "signs"),
    *value_and_gradient("cosine_embedding_loss", "normal", "normal", "row_signs"),
    *value_and_gradient("triplet_margin_loss", "normal", "normal", "normal"),
    *value_and_gradient("triplet_margin_with_distance_loss", *["normal"] * 3, kernel="triplet_margin_loss"),
    *value_and_gradient("info_nce_loss", "normal", "normal", kernel="matmul"),
]


def bench_losses(turn, replay):
    replay(turn)
