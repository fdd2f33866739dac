"""The official cases of onnx.backend.test for the operators of fastnn.onnx, and the table in docs/onnx.md.

python -m support.onnx_cases      (in tests/: prints the table)
"""

import re
import warnings
from collections import Counter
from importlib import import_module
from pathlib import Path

import onnx
import onnx.backend.test.case.node as node_cases
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner

import fastnn.onnx
from fastnn.onnx import operators

# Operator, and the module of its cases where that has another name.
MODULES = {"BatchNormalization": "batch_normalization", "SoftmaxCrossEntropyLoss": "softmax_cross_entropy_loss"}
CORE = (
    "Adagrad", "Adam", "Add", "BatchNormalization", "Dropout", "Elu", "Gemm", "LayerNormalization", "LeakyRelu",
    "LogSoftmax", "MatMul", "Momentum", "NegativeLogLikelihoodLoss", "Relu", "Sigmoid", "Softmax",
    "SoftmaxCrossEntropyLoss", "Tanh",
)  # fmt: skip
EXTRA = (
    "Celu", "Clip", "Gelu", "HardSigmoid", "HardSwish", "Hardmax", "Mish", "PRelu", "RMSNormalization", "Selu",
    "Softplus", "Softsign", "Swish", "ThresholdedRelu",
)  # fmt: skip
ELEMENTARY = ("Erf", "Exp", "Log")
VERSION = "1.23.2"  # of onnx, whose cases the table counts

# Models that PyTorch exported once, of layers that fastnn has.
CONVERTED = re.compile(
    r"test_(Linear\w*|ELU|GLU\w*|LeakyReLU\w*|PReLU_\w*|ReLU|SELU|Sigmoid|Soft(max|min|plus|sign)|Tanh|Log[Ss]oftmax|"
    r"log_softmax_\w*|softmax_\w*|BatchNorm\w*|Embedding\w*|PoissonNLLLLoss\w*)"
)
TRACED = re.compile(r"test_operator_(addmm|mm|basic|clip|exp|flatten|params|permute2|selu|view|concat2|chunk|add_\w+)")


def collect():
    """The cases of all operators by name, and the operator of each; those of a function written out too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in (*CORE, *EXTRA, *ELEMENTARY):
            import_module(f"onnx.backend.test.case.node.{MODULES.get(name, name.lower())}")
    cases = {case.name: case for case in node_cases._NodeTestCases}
    alone = {
        name: case.model.graph.node[0].op_type
        for name, case in cases.items()
        if "_expanded" not in name and len(case.model.graph.node) == 1
    }
    wanted = {*CORE, *EXTRA, *ELEMENTARY}
    of = {name: alone.get(name.split("_expanded")[0]) for name in cases}
    return {name: (of[name], case) for name, case in cases.items() if of[name] in wanted}


CASES = collect()
MODELS = {
    case.name: case
    for kind, pattern in (("pytorch-converted", CONVERTED), ("pytorch-operator", TRACED))
    for case in load_model_tests(kind=kind)
    if pattern.fullmatch(case.name)
}


class Counting:
    """Counts the nodes that kernels of fastnn computed, while `Kernel.standard` and `run` are watched."""

    def __init__(self):
        self.passed_on = self.runs = 0

    def __enter__(self):
        self.run, self.standard = operators.Kernel.run, operators.Kernel.standard
        self.training = operators.Training.standard

        def run(kernel, *args, **kwargs):
            self.runs += 1
            return self.run(kernel, *args, **kwargs)

        def counted(standard):
            def passed_on(kernel):
                self.passed_on += 1
                return standard(kernel)

            return passed_on

        operators.Kernel.run = run
        operators.Kernel.standard = counted(self.standard)
        operators.Training.standard = counted(self.training)
        return self

    def __exit__(self, *error):
        operators.Kernel.run, operators.Kernel.standard = self.run, self.standard
        operators.Training.standard = self.training

    @property
    def own(self):
        return self.runs - self.passed_on


def run(case):
    """Run a case and compare by the rules of onnx; the number of nodes that kernels of fastnn computed."""
    with Counting() as counting:
        rep = fastnn.onnx.backend.prepare(case.model)
        for inputs, expected in case.data_sets:
            Runner.assert_similar_outputs(expected, list(rep.run(inputs)), case.rtol, case.atol)
    return counting.own


def run_stored(case):
    """Run a model on disk with its stored inputs."""
    folder = Path(case.model_dir)
    rep = fastnn.onnx.backend.prepare(onnx.load(folder / "model.onnx"))
    for data in sorted(folder.glob("test_data_set_*")):
        sides = [
            [stored(data / f"{side}_{i}.pb") for i in range(len(list(data.glob(f"{side}_*.pb"))))]
            for side in ("input", "output")
        ]
        Runner.assert_similar_outputs(sides[1], list(rep.run(sides[0])), case.rtol, case.atol)


def stored(path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return numpy_helper.to_array(tensor)


def table():
    """The table of docs/onnx.md: every case that it counts passes."""
    alone, written, own = Counter(), Counter(), Counter()
    for name, (op, case) in CASES.items():
        ours = run(case)
        if "_expanded" in name:
            written[op] += 1
        else:
            alone[op] += 1
            own[op] += bool(ours)
    lines = ["| operator | cases | by kernels of fastnn | written out as a function |", "|---|---:|---:|---:|"]
    for group in (CORE, EXTRA, ELEMENTARY):
        for op in group:
            lines.append(f"| {op} | {alone[op]} | {own[op]} | {written[op]} |")
        sums = (sum(counter[op] for op in group) for counter in (alone, own, written))
        lines.append("| **together** | " + " | ".join(f"**{number}**" for number in sums) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
