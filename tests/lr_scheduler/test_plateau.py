"""ReduceLROnPlateau: what counts as better, whatever the sign, and which way is."""

import pytest

from fastnn import optim
from fastnn.nn.parameters import Parameters
from fastnn.optim import lr_scheduler as schedulers


def make_optimizer():
    return optim.SGD(Parameters({"p": (3,)}, "float64"), lr=0.3)


@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("level", [-1e6, -2.0, -1e-3, 1e-3, 2.0, 1e6])
def test_better_is_better_whatever_the_sign(level, mode, threshold_mode):
    """A value that is better by more than the margin counts, one by less does not, and no worse one ever."""
    margin, way = (0.1 * abs(level) if threshold_mode == "rel" else 0.1), 1 if mode == "max" else -1
    for change, counts in ((1.01, True), (0.99, False), (0.0, False), (-0.5, False), (-1.5, False)):
        optimizer = make_optimizer()
        plateau = schedulers.ReduceLROnPlateau(
            optimizer, mode, patience=0, threshold=0.1, threshold_mode=threshold_mode
        )
        plateau.step(level)
        plateau.step(level + way * change * margin)
        assert (optimizer.lr == 0.3) == counts


def test_a_threshold_of_nothing_or_more_than_all():
    for threshold in (0.0, 1.0, 2.0):
        plateau = schedulers.ReduceLROnPlateau(make_optimizer(), threshold=threshold)
        plateau.step(5.0)
        assert plateau.best == 5.0
        plateau.step(-20.0)
        assert plateau.best == -20.0


def test_a_plateau_tells_its_mode_by_the_name_or_asks():
    for name, mode in (("val_loss", "min"), ("val_mcc", "max"), ("head_IoU", "max"), ("val_mape", "min")):
        assert schedulers.ReduceLROnPlateau(make_optimizer(), monitor=name).mode == mode
    with pytest.raises(ValueError, match="mode must be 'min' or 'max' for 'val_spread'"):
        schedulers.ReduceLROnPlateau(make_optimizer(), monitor="val_spread")
    assert schedulers.ReduceLROnPlateau(make_optimizer(), "max", monitor="val_spread").mode == "max"
