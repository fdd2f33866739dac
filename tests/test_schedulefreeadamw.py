"""Schedule-free AdamW in training: which of its sequences the network has, and when."""

import copy

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, nn, optim


def data(rows=48):
    rng = np.random.default_rng(3)
    return rng.normal(size=(rows, 3)).astype("float32"), rng.normal(size=(rows, 2)).astype("float32")


def make(**settings):
    net = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 2), seed=0)
    optimizer = optim.ScheduleFreeAdamW(net.parameters(), lr=0.05, warmup_steps=3, **settings)
    return fastnn.Trainer(net, nn.MSELoss(), optimizer)


def bits(trainer):
    return trainer.net.parameters().data.tobytes()


def test_eval_and_train_are_there_and_back_with_the_same_bits(backend):
    x, y = data()
    trainer = make()
    optimizer = trainer.optimizer
    optimizer.eval()
    optimizer.train()  # before the first step x is y
    for _ in range(5):
        trainer.step(x, y)
    before, params = bits(trainer), trainer.net.parameters().data
    trained, z = params.copy(), optimizer.states["z"].copy()
    optimizer.eval()
    optimizer.eval()
    assert optimizer.evaluating
    np.testing.assert_allclose(params, trained + (1 - 1 / 0.9) * (z - trained), rtol=1e-5, atol=1e-7)
    optimizer.train()
    assert bits(trainer) == before and not optimizer.evaluating


def test_a_step_of_what_is_evaluated_is_an_error_and_a_trainer_switches_back(backend):
    x, y = data()
    trainer, twin = make(), make()
    for _ in range(3):
        trainer.step(x, y)
        twin.step(x, y)
        trainer.optimizer.eval()
        with pytest.raises(RuntimeError, match=r"call optimizer\.train\(\)"):
            trainer.optimizer.step()
    trainer.step(x, y)
    twin.step(x, y)
    assert bits(trainer) == bits(twin)


def test_evaluation_is_that_of_the_average_and_changes_nothing():
    x, y = data()
    trainer = make()
    for _ in range(6):
        trainer.step(x, y)
    before = bits(trainer)
    scores = trainer.evaluate(x, y)
    assert bits(trainer) == before
    trainer.optimizer.eval()
    assert scores["loss"] == trainer.evaluate(x, y)["loss"] == pytest.approx(trainer.loss(trainer.net.predict(x), y)[0])
    trainer.optimizer.train()
    assert trainer.loss(trainer.net.predict(x), y)[0] != pytest.approx(scores["loss"], rel=1e-6)


def test_validation_and_the_end_of_fit_have_the_average(tmp_path):
    x, y = data()
    trainer, twin = make(), make()
    history = trainer.fit(x, y, epochs=3, batch_size=16, seed=1, validation_data=(x, y))
    assert trainer.optimizer.evaluating
    assert history["val_loss"][-1] == trainer.evaluate(x, y)["loss"]
    assert trainer.loss(trainer.net.predict(x), y)[0] == pytest.approx(history["val_loss"][-1], rel=1e-5)
    twin.fit(x, y, epochs=3, batch_size=16, seed=1)
    assert bits(trainer) == bits(twin)
    trainer.net.save(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(fastnn.load(tmp_path / "net.safetensors").predict(x), trainer.net.predict(x))


def test_fits_in_a_row_are_one_fit(tmp_path):
    """Also with a checkpoint in between, written when the network has the average."""
    x, y = data()
    whole, parts, other = make(), make(), make()
    whole.fit(x, y, epochs=4, batch_size=16, seed=1)
    parts.fit(x, y, epochs=2, batch_size=16, seed=1)
    parts.save_checkpoint(tmp_path / "half.safetensors")
    other.load_checkpoint(tmp_path / "half.safetensors")
    assert other.optimizer.evaluating and bits(other) == bits(parts)
    twin = copy.deepcopy(parts)
    for trainer in (parts, other, twin):
        trainer.fit(x, y, epochs=4, initial_epoch=2, batch_size=16, seed=1)
        assert bits(trainer) == bits(whole)
    run = make()
    run.fit(x, y, epochs=2, batch_size=16, seed=1, checkpoint=tmp_path / "run.safetensors")
    resumed = make()
    resumed.fit(x, y, epochs=4, batch_size=16, seed=1, checkpoint=tmp_path / "run.safetensors", resume=True)
    assert bits(resumed) == bits(whole)


def test_the_best_epoch_and_saved_files_are_of_the_average(tmp_path):
    x, y = data()
    trainer = make()
    stopping = callbacks.EarlyStopping("val_loss", mode="max", patience=2)  # the first epoch is the best
    path = tmp_path / "net-{epoch}.safetensors"
    saving = callbacks.ModelCheckpoint(path, net_only=True)
    history = trainer.fit(x, y, epochs=9, batch_size=16, validation_data=(x, y), callbacks=[stopping, saving])
    assert stopping.best_epoch == 1
    loss = trainer.loss(trainer.net.predict(x), y)[0]
    assert loss == pytest.approx(history["val_loss"][0], rel=1e-5)
    saved = fastnn.load(tmp_path / "net-1.safetensors")
    np.testing.assert_array_equal(saved.predict(x), trainer.net.predict(x))
    trainer.fit(x, y, epochs=1)  # continues from there


def test_parameters_that_were_not_updated_are_their_average():
    x, y = data()
    trainer = make()
    trainer.net[0].requires_grad_(False)
    before = trainer.net[0].weight.copy()
    for _ in range(3):
        trainer.step(x, y)
    trainer.optimizer.eval()
    np.testing.assert_array_equal(trainer.net[0].weight, before)
    trainer.optimizer.train()
    trainer.net[0].requires_grad_(True)
    for _ in range(3):
        trainer.step(x, y)
    assert np.isfinite(trainer.net.parameters().data).all()
    assert not np.array_equal(trainer.net[0].weight, before)


def test_values_that_were_set_while_evaluating_are_the_new_average():
    x, y = data()
    trainer = make()
    for _ in range(4):
        trainer.step(x, y)
    optimizer, params = trainer.optimizer, trainer.net.parameters()
    optimizer.eval()
    params["0.weight"].data[0, 0] = 5.0
    z = optimizer.states["z"][params.place(params["0.weight"].data)][0]
    optimizer.train()
    assert params["0.weight"].data[0, 0] == pytest.approx(0.9 * 5.0 + 0.1 * z, rel=1e-6)


def test_health_looks_at_what_is_trained_and_changes_nothing():
    x, y = data()
    trainer = make()
    trainer.fit(x, y, epochs=2, batch_size=16)
    before = bits(trainer)
    trainer.health(x, y)
    assert bits(trainer) == before and trainer.optimizer.evaluating


def test_beta1_of_zero_is_refused():
    net = nn.Sequential(nn.Linear(3, 1))
    with pytest.raises(ValueError, match=r"betas\[0\] must be greater than 0"):
        optim.ScheduleFreeAdamW(net.parameters(), betas=(0.0, 0.9))
    optimizer = optim.ScheduleFreeAdamW(net.parameters())
    with pytest.raises(ValueError, match=r"betas\[0\] must be greater than 0"):
        optimizer.betas = 0.0, 0.9
    assert optimizer.betas == (0.9, 0.999)


def test_a_state_whose_trained_weights_do_not_fit_changes_nothing():
    x, y = data()
    trainer = make()
    trainer.step(x, y)
    trainer.optimizer.eval()
    state = trainer.optimizer.state_dict()
    state["states"]["y"] = np.zeros(3, "float32")
    twin = make()
    with pytest.raises(ValueError, match="y must have shape"):
        twin.optimizer.load_state_dict(state)
    assert not twin.optimizer.evaluating
