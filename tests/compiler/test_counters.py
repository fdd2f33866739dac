"""What the compiled loop counts for metrics."""

import numpy as np
import pytest

import fastnn
from fastnn import data, nn, optim
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
