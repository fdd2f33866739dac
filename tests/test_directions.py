"""Whether less or more of a record is better, by its name."""

import pytest

import fastnn
from fastnn import callbacks
from fastnn.optim.directions import direction

pytestmark = pytest.mark.usefixtures("backend")


@pytest.mark.parametrize(
    ("name", "larger"),
    [("val_loss", False), ("val_accuracy", True), ("f1_macro", True), ("val_top_3_accuracy", True), ("roc_auc", True),
     ("r2", True), ("val_mae", False), ("rmse", False), ("seconds", False), ("val_mcc", True), ("val_kappa", True),
     ("val_iou", True), ("val_mIoU", True), ("val_R2", True), ("val_AUC", True), ("policy_loss", False),
     ("policy_accuracy", True), ("val_policy_F1_weighted", True), ("accuracy_loss", False), ("val_log_loss", False),
     ("neg_mean_squared_error", True), ("MeanSquaredError", False), ("balanced_accuracy_score", True), ("Acc@1", True),
     ("error_rate", False), ("val_d2_absolute_error_score", True), ("average_precision", True), ("precision@5", True),
     ("val_brier_score", False), ("false_positive_rate", False), ("top_5_accuracy", True), ("val_perplexity", False)],
)  # fmt: skip
def test_the_mode_is_known_by_the_name(name, larger):
    assert callbacks.EarlyStopping(name).monitor.larger == larger
    assert not callbacks.EarlyStopping(name, mode="min").monitor.larger


@pytest.mark.parametrize("name", ["val_spread", "score", "lr", "accuracy_gap", "grad_norm", "val_", "", "los", "f1ne"])
def test_a_name_that_is_not_known_asks_for_the_mode(name):
    for make_one in (callbacks.EarlyStopping, lambda name, **kw: callbacks.ModelCheckpoint("a", name, **kw)):
        with pytest.raises(ValueError, match=f"mode must be 'min' or 'max' for '{name}'"):
            make_one(name)
        assert [make_one(name, mode=mode).monitor.larger for mode in ("min", "max")] == [False, True]


def test_all_metrics_of_this_package_are_known():
    for name in fastnn.metrics.__all__:
        if name[0].islower() and name not in ("classification_report", "confusion_matrix"):
            direction(name)
