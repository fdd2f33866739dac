"""State dicts and safetensors files, in PyTorch's layout, both ways."""

import numpy as np
import pytest

import fastnn
from fastnn import nn

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from safetensors.torch import load_file as load_tensors  # noqa: E402
from safetensors.torch import save_file as save_tensors  # noqa: E402

from fastnn.torch import load_file, load_state_dict, save_file, state_dict, to_torch  # noqa: E402


def make(seed=0):
    return nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Residual(nn.Linear(4, 4)), nn.Linear(4, 2), seed=seed)


def test_state_dicts_go_both_ways():
    net, twin = make(), make(1)
    state = state_dict(net)
    assert state["3.weight"].shape == (2, 4)
    module = to_torch(twin)
    module.load_state_dict(state)
    load_state_dict(twin, module.state_dict())
    np.testing.assert_array_equal(twin.parameters().data, net.parameters().data)
    load_state_dict(twin, dict(module.named_parameters()), strict=False)  # tensors that require gradients
    state["0.weight"].zero_()
    assert net[0].weight.any()


def test_files_go_both_ways(tmp_path):
    net, twin, path = make(), make(1), tmp_path / "state.safetensors"
    save_file(net, path)
    module = to_torch(twin)
    module.load_state_dict(load_tensors(path))
    save_tensors(module.state_dict(), tmp_path / "back.safetensors")
    load_file(twin, tmp_path / "back.safetensors")
    np.testing.assert_array_equal(twin.parameters().data, net.parameters().data)


def test_a_pickle_is_refused_with_the_way_out(tmp_path):
    path = tmp_path / "model.pt"
    torch.save(to_torch(make()).state_dict(), path)
    with pytest.raises(fastnn.FileFormatError, match=r"model\.pt is a pickle .*torch\.load\(.*weights_only=True\)"):
        load_file(make(), path)
    torch.save(to_torch(make()).state_dict(), path, _use_new_zipfile_serialization=False)
    with pytest.raises(fastnn.FileFormatError, match=r"can run code: read it with torch\.load"):
        load_file(make(), path)
    with pytest.raises(TypeError, match=r"got str: read it with torch\.load"):
        load_state_dict(make(), str(path))


def test_what_does_not_fit_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"missing .*3\.weight.*unexpected \['4\.weight'\]"):
        load_state_dict(make(), {"4.weight": torch.zeros(1)})
    path = tmp_path / "odd"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(fastnn.FileFormatError, match="is no safetensors file, or damaged"):
        load_file(make(), path)
