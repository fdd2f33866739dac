"""Schedules that scale the base rates."""

from fastnn.optim import lr_scheduler as schedulers
from lr_scheduler.test_base import follow, make_optimizer


def test_a_scale_that_was_zero_can_end():
    """Where PyTorch divides by 0."""
    optimizer = make_optimizer()
    parts = [schedulers.ConstantLR(optimizer, 0.0, 3), schedulers.ExponentialLR(optimizer, 1.0)]
    assert schedulers.ChainedScheduler(parts).table(5)[:, 0].tolist() == [0, 0, 0, 0.3, 0.3]


def test_lambdas_are_called_in_order_and_no_further():
    seen = []
    scheduler = schedulers.MultiplicativeLR(make_optimizer(), lambda step: seen.append(step) or 0.5)
    follow(scheduler, 4)
    scheduler.table(3)
    scheduler.state_dict()
    assert seen == [1, 2, 3, 4, 5]
