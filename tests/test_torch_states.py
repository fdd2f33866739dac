"""State dicts recorded from PyTorch (tests/recorded/make_torch_states.py), loaded without it."""

from pathlib import Path

import numpy as np
import pytest

from fastnn import nn

RECORDED = np.load(Path(__file__).parent / "recorded" / "torch_states.npz")
NETWORKS = {
    "plain": lambda **k: nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 3), nn.LogSoftmax(), **k),
    "normalized": lambda **k: nn.Sequential(
        nn.Linear(4, 4), nn.BatchNorm1d(4), nn.PReLU(), nn.LayerNorm(4), nn.Sequential(nn.Linear(4, 2), nn.Tanh()), **k
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.usefixtures("backend")
def test_a_state_dict_of_pytorch_gives_its_outputs(name, dtype):
    net = NETWORKS[name](dtype=dtype)
    prefix = f"{name}/state/"
    state = {key.removeprefix(prefix): RECORDED[key] for key in RECORDED.files if key.startswith(prefix)}
    state = {key: value.astype(dtype) if value.dtype == "float64" else value for key, value in state.items()}
    net.load_state_dict(state, layout="torch")
    rtol = {"float32": 1e-5, "float64": 1e-13}[dtype]
    np.testing.assert_allclose(net.predict(RECORDED[f"{name}/x"].astype(dtype)), RECORDED[f"{name}/y"], rtol=rtol)
