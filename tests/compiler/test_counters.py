"""What the compiled loop counts for metrics."""

import numpy as np
import pytest

import fastnn
from fastnn import data, nn, optim
from fastnn.compiler.counters import CLASSES, ERRORS, SUMS, Counting
from support.runs import At
from test_metrics import REGRESSION, N, inputs, trainer_for

pytestmark = pytest.mark.usefixtures("backend")


def test_counting_does_not_change_the_training(dtype):
    x, y = data.make_moons(90, noise=0.2, seed=0, dtype=dtype)
    results = []
    for chosen in ((), ("f1", "top_k_accuracy", "roc_auc")):
        net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 2), seed=0, dtype=dtype)
        trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()), metrics=chosen)
        history = trainer.fit(x, y, epochs=3, validation_split=0.2)
        step = trainer.step(x, y), trainer.step(x, y, np.ones(90))
        results.append((net.parameters().data.tobytes(), history["loss"], history["val_loss"], step))
    assert results[0] == results[1]


def test_counts_go_on_from_a_saved_state():
    rng, x, _ = inputs()
    y, kept = rng.standard_normal((N, 1)), []
    trainer = trainer_for(nn.MSELoss(), 1, REGRESSION)
    keep = At("on_batch_end", lambda run: kept.append(run.state_dict()) if run.batch == 3 else None)
    whole = trainer.fit(x, y, batch_size=8, seed=0, callbacks=[keep])

    def load(run):
        run.load_state_dict(kept[0] | {"callbacks": {"0.At": {}}})

    again = trainer.fit(x, y, batch_size=8, seed=0, callbacks=[At("on_train_begin", load)])
    for name in REGRESSION:
        assert again[name] == whole[name]
    other = trainer_for(nn.MSELoss(), 1, ["mae", "f1"])
    message = r"metrics must be \['mae', 'mse', 'rmse', 'r2'\] as in the run to go on with, got \['mae', 'f1'\]"
    with pytest.raises(ValueError, match=message):
        other.fit(x, y, batch_size=8, seed=0, callbacks=[At("on_train_begin", load)])
    with pytest.raises(ValueError, match="sums have no room"):
        other.engine.run("step", other.engine.data(x, y), None, 0, 8, 8, np.zeros(9))


def test_counts_of_parts_are_merged_to_those_of_the_whole():
    """The mean and the squared distances of targets far from 0, in parts of any size, one of them without weight."""
    rng = np.random.default_rng(0)
    counting = Counting({CLASSES: slice(SUMS, SUMS + 6), ERRORS: slice(SUMS + 6, SUMS + 6 + 2 + 5 * 2)})

    def counted(y, w):
        sums = np.zeros(counting.size)
        sums[:SUMS], sums[SUMS : SUMS + 8] = [9, w.sum(), len(w), 1, 2], [*range(6), w.sum(), len(w)]
        mean = (w[:, None] * y).sum(0) / w.sum() if w.sum() else np.zeros(2)
        columns = [y.sum(0), (y**2).sum(0), mean, (w[:, None] * (y - mean) ** 2).sum(0), np.full(2, w.sum())]
        sums[SUMS + 8 :] = np.concatenate(columns)
        return sums

    y, w = 1e3 + rng.normal(size=(40, 2)), rng.uniform(1, 2, 40)
    w[5:9] = 0
    total = counted(y[:5], w[:5])
    for part in (slice(5, 9), slice(9, 10), slice(10, 40)):
        counting.merge(total, counted(y[part], w[part]))
    right = counted(y, w)
    right[3:5], right[SUMS : SUMS + 6] = 4 * right[3:5], 4 * right[SUMS : SUMS + 6]
    np.testing.assert_allclose(total, right, rtol=1e-11)
    few = np.ones(SUMS)
    counting.merge(few, np.ones(SUMS))
    assert few.tolist() == [1, 2, 2, 2, 2]  # the last loss is no sum
