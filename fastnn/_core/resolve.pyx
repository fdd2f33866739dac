"""An operation of a program (fastnn/compiler/operations.py) as a C struct: numbers for names, pointers for arrays."""

from fastnn._core cimport arrays, dispatch
from fastnn._core.normalization cimport find_norm
from fastnn._core.operations cimport (
    ACTIVATION, ACTIVATION_BACKWARD, ARITHMETIC, AVERAGE, BATCH_NORM, BATCH_NORM_BACKWARD, GROUP_NORM,
    GROUP_NORM_BACKWARD, LAYER_NORM, LAYER_NORM_BACKWARD, LINEAR, LINEAR_BACKWARD, LOSS, NOISE, NOISE_BACKWARD, PYTHON,
    RMS_NORM, RMS_NORM_BACKWARD, ROW_LOSS, ROWS, ROWS_BACKWARD, UPDATE, Op,
)
from fastnn._core.optimizers cimport make_update

from fastnn._core.activations import cost_of
from fastnn._core.operations import OPTION_NAMES, number_of
from fastnn._core.targets import target_kind
from fastnn._core.parameters import check_average

NO_OPTIONS = dict.fromkeys(OPTION_NAMES, 0)
# The group of kernels that a kind runs, and the one of elementwise kernels that is fused with it.
GROUPS = {
    ACTIVATION: "map1", ACTIVATION_BACKWARD: "map2", ARITHMETIC: "map2", ROWS: "rows1", ROWS_BACKWARD: "rows2",
    LOSS: "loss", ROW_LOSS: "row_loss", NOISE: "noise", NOISE_BACKWARD: "noise",
}
FUSED = {
    LINEAR: "map1", LAYER_NORM: "map1", RMS_NORM: "map1", BATCH_NORM: "map1", LINEAR_BACKWARD: "map2",
    GROUP_NORM: "map1", GROUP_NORM_BACKWARD: "map2",
    LAYER_NORM_BACKWARD: "map2", RMS_NORM_BACKWARD: "map2", BATCH_NORM_BACKWARD: "map2",
}


cdef resolve(Op *op, operation, list keep):
    """Fill in an operation; `keep` is given what must outlive it. Arguments of the run stay NULL."""
    op.kind = number_of(operation.kind)
    op.n_in, op.n_out = operation.n_in, operation.n_out
    op.flag, op.options = operation.flag, NO_OPTIONS | operation.options
    op.kernel = op.epilogue.kernel = -1
    if len(operation.params) > 3:
        raise ValueError(f"{operation.label} has {len(operation.params)} parameters, there is room for 3")
    for j, value in enumerate(operation.params):
        op.params[j] = value
    for name, array in operation.arrays.items():
        if array is not None and not hasattr(array, "argument"):
            op.p[<int> number_of(name)] = arrays.data(array)
            keep.append(array)
    resolve_kernel(op, operation, keep)


cdef str group_of(Op *op, operation):
    """The group of its kernel; a gradient of noise that takes `saved`, too, has a kernel of two arrays."""
    if op.kind == NOISE_BACKWARD and operation.arrays.get("saved") is not None:
        return "noise2"
    return GROUPS[op.kind]


cdef resolve_kernel(Op *op, operation, list keep):
    """Find the kernel of an operation, and what its kind takes besides."""
    if op.kind == PYTHON:
        keep.append(operation.call)
        op.call = len(keep) - 1
    elif op.kind == AVERAGE:
        check_average(operation.arrays["s0"], operation.arrays["weight"], operation.arrays["hyper"],
                      operation.arrays["step"])
    elif op.kind == UPDATE:
        op.update = make_update(operation.kernel, operation.arrays)
    elif op.kind in FUSED:
        if op.kind not in (LINEAR, LINEAR_BACKWARD):
            op.norm = find_norm(operation.kind.removesuffix("_backward").replace("group_norm", "layer_norm"))
        if op.kind in (GROUP_NORM, GROUP_NORM_BACKWARD):
            op.norm.groups, op.norm.length = op.options.groups, op.options.length
        if operation.kernel is not None:
            op.epilogue.kernel = dispatch.kernel_index(operation.kernel, FUSED[op.kind])
            op.epilogue.params = op.params
    elif op.kind in GROUPS:
        op.kernel = dispatch.kernel_index(operation.kernel, group_of(op, operation))
        op.cost = cost_of(operation.kernel)
        op.targets = target_kind(operation.kernel, operation.params)
        op.seed, op.stream = operation.seed, operation.stream
