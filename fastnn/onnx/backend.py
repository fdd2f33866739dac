"""ONNX models run by fastnn, with the interface of `onnx.backend.base`.

Operators of `new_ops` are computed by the kernels of fastnn, in float32 and float64; everything else in a model by the
reference implementation of the onnx package. So any model runs that that implementation runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, helper, inliner
from onnx.backend.base import Backend, BackendRep, Device, DeviceType
from onnx.reference import ReferenceEvaluator

from .operators import new_ops

__all__ = ["FastnnBackend", "is_compatible", "prepare", "run_model", "run_node", "supports_device"]


class FastnnRep(BackendRep):  # type: ignore[misc]
    """A model that is ready to run."""

    def __init__(self, model: ModelProto) -> None:
        self._evaluator = ReferenceEvaluator(model, new_ops=new_ops)
        stored = {tensor.name for tensor in model.graph.initializer}
        self._names = [value.name for value in model.graph.input if value.name not in stored]

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Return the outputs.

        Parameters
        ----------
        inputs : sequence of arrays, dict of str to array, or array
            In the order of the inputs of the model, by name, or its only one.

        Returns
        -------
        outputs : tuple
        """
        if isinstance(inputs, np.ndarray):
            inputs = [inputs]
        feeds = dict(inputs) if isinstance(inputs, Mapping) else dict(zip(self._names, inputs, strict=True))
        return tuple(self._evaluator.run(None, feeds))


class FastnnBackend(Backend):  # type: ignore[misc]
    """The backend as a class, for `onnx.backend.test.BackendTest`."""

    @classmethod
    def prepare(cls, model: ModelProto, device: str = "CPU", **kwargs: Any) -> FastnnRep:
        """Return a model that is ready to run.

        Parameters
        ----------
        model : onnx.ModelProto
        device : str, default "CPU"
            Nothing else.

        Returns
        -------
        rep : FastnnRep
            `rep.run(inputs)` returns the outputs.

        Raises
        ------
        onnx.checker.ValidationError
            If the model is not valid.
        ValueError
            If the device is not the CPU.

        Examples
        --------
        >>> import numpy as np
        >>> import fastnn.onnx
        >>> from fastnn import nn
        >>> model = fastnn.onnx.export(nn.Sequential(nn.Linear(2, 1, weight_init=2.0, bias_init=1.0), nn.ReLU()))
        >>> fastnn.onnx.backend.prepare(model).run([np.ones((1, 2), "float32")])[0].tolist()
        [[5.0]]
        """
        if not cls.supports_device(device):
            raise ValueError(f'device must be "CPU", got {device!r}')
        super().prepare(model, device, **kwargs)
        return FastnnRep(inliner.inline_local_functions(model) if model.functions else model)

    @classmethod
    def run_node(
        cls,
        node: NodeProto,
        inputs: Any,
        device: str = "CPU",
        outputs_info: Sequence[tuple[Any, tuple[int, ...]]] | None = None,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Return the outputs of one node.

        Parameters
        ----------
        node : onnx.NodeProto
        inputs : sequence of arrays
            Those that the node names, in order; without those that it leaves out.
        device : str, default "CPU"
        outputs_info : sequence, optional
            Not needed.
        opset_version : int, optional
            The version of the operator; by default the latest.

        Returns
        -------
        outputs : tuple
        """
        version = kwargs.get("opset_version")
        opsets = [helper.make_opsetid(node.domain, version)] if version else None
        names = [name for name in node.input if name]
        arrays = [np.asarray(value) for value in inputs]
        ends = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
            for name, array in zip(names, arrays, strict=True)
        ]
        outputs = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
        if opsets is None and node.domain:
            opsets = [helper.make_opsetid(node.domain, 1)]
        model = helper.make_model(helper.make_graph([node], "node", ends, outputs), opset_imports=opsets)
        evaluator = ReferenceEvaluator(model, new_ops=new_ops)
        return tuple(evaluator.run(None, dict(zip(names, arrays, strict=True))))

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether this is the CPU."""
        try:
            return bool(Device(device).type == DeviceType.CPU)
        except (AttributeError, ValueError):
            return False


prepare = FastnnBackend.prepare
run_model = FastnnBackend.run_model
run_node = FastnnBackend.run_node
supports_device = FastnnBackend.supports_device
is_compatible = FastnnBackend.is_compatible
