"""What `dir` shows of modules and objects is what users call and set, and nothing else."""

import pytest

import fastnn
from fastnn import callbacks, data, functional, metrics, nn, optim

NET = nn.Sequential(nn.Linear(2, 2), seed=0)
OPTIMIZER = optim.SGD(NET.parameters())
LAYER = {
    "add_buffer", "add_parameter", "apply", "array", "backward", "buffer", "buffers", "children", "config", "double",
    "eval", "extra_repr", "float", "forward", "gradient", "in_features_hint", "l1", "l2", "load_state_dict", "max_norm",
    "modules", "named_children", "named_modules", "named_parameters", "out_features_for", "parameter_shapes",
    "parameters", "predict", "register_forward_hook", "requires_grad", "requires_grad_", "save", "state_dict",
    "summary", "train", "training", "zero_grad",
}  # fmt: skip
SHOWN = {
    "a layer": (nn.ReLU(), LAYER | {"kernel", "params"}),
    "Linear": (nn.Linear(1, 1), LAYER | {
        "bias", "bias_init", "dtype", "in_features", "out_features", "seed", "weight", "weight_init"}),
    "a loss": (nn.MSELoss(), {"params", "reduction"}),
    "a loss of classes": (nn.CrossEntropyLoss(), {"params", "reduction", "weight"}),
    "a network": (NET, LAYER | {
        "activations", "append", "compile", "dtype", "extend", "feature_names", "fold", "freeze", "in_features",
        "input_gradient", "input_scale", "insert", "layers", "load_state_dict", "named_buffers", "named_gradients",
        "named_parameters", "parameters", "pop", "predict", "save", "seed", "state_dict", "summary", "zero_grad"}),
    "an optimizer": (OPTIMIZER, {
        "add_param_group", "compat", "dampening", "error_if_nonfinite", "frozen", "grad_norm", "hyperparameters",
        "load_state_dict", "lr",
        "max_grad_norm", "max_grad_value", "maximize", "momentum", "nesterov", "param_groups", "params", "state_dict",
        "states", "step", "step_count", "weight_decay", "zero_grad"}),
    "parameters": (NET.parameters(), {"data", "dtype", "grad", "numel", "penalty", "settings"}),
    "a parameter": (NET.parameters()["0.bias"], {
        "data", "dtype", "grad", "name", "ndim", "numel", "requires_grad", "settings", "shape", "size", "start"}),
    "a trainer": (fastnn.Trainer(NET, nn.MSELoss(), OPTIMIZER), {
        "average", "compile", "evaluate", "find_lr", "fit", "health", "history", "l1", "l2", "load_checkpoint", "loss",
        "metrics", "missing", "net", "optimizer", "paused", "penalty", "run", "save_checkpoint", "scheduler", "step"}),
}  # fmt: skip


@pytest.mark.parametrize("what", SHOWN)
def test_objects_show_their_public_names(what):
    shown, names = SHOWN[what]
    assert {name for name in dir(shown) if not name.startswith("__")} == names


@pytest.mark.parametrize(
    "module",
    [fastnn, nn, nn.init, functional, optim, optim.functional, optim.lr_scheduler, metrics, data, callbacks],
    ids=lambda module: module.__name__,
)
def test_modules_show_what_they_export(module):
    assert dir(module) == sorted(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


def test_a_class_of_a_user_shows_its_own_names():
    class Scale(nn.Module):
        factor = 2.0

    assert {"factor", "forward"} <= set(dir(Scale()))
