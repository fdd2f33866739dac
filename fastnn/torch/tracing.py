"""Modules with a forward of their own: the graph of torch.fx becomes the steps of a `nn.GraphModule`."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import torch
from torch import fx

from .. import functional as F
from ..nn.graph_module import FUNCTIONS
from ..nn.unsupported import Unsupported

BINARY = {
    "add": "add", "iadd": "add", "sub": "subtract", "isub": "subtract", "subtract": "subtract", "mul": "multiply",
    "imul": "multiply", "multiply": "multiply", "truediv": "divide", "itruediv": "divide", "div": "divide",
    "divide": "divide", "true_divide": "divide", "pow": "power",
}  # fmt: skip
UNARY = {"neg": "negative", "negative": "negative", "contiguous": "identity", "clone": "identity", "detach": ""}
REDUCTIONS = {"sum": "sum", "mean": "mean", "amax": "max"}
FLAT = ("flatten", "view", "reshape")
WITHOUT_MEANING = ("inplace", "_stacklevel", "dtype")


class Weight(NamedTuple):
    """A parameter in a forward, and whether it is transposed there."""

    name: str
    transposed: bool


class Meta:
    """The shape of a value, or a part of it: only for view and reshape."""


class Failed:
    """A value that cannot be computed here."""


def traced(module: torch.nn.Module) -> tuple[list[Any], dict[str, torch.nn.Module], dict[str, torch.nn.Parameter]]:
    """The steps of a module's forward, the modules that they call and the parameters of the module, by name.

    Raises
    ------
    Unsupported
        If torch.fx cannot trace it, or it does what a `GraphModule` does not.
    """
    training = {part: part.training for part in module.modules()}
    module.train()  # so that F.dropout(x, p, self.training) is seen
    try:
        graph = fx.Tracer().trace(module)
    except Exception as error:  # of torch.fx, or of the forward
        raise Unsupported(f"{type(module).__name__}, which torch.fx cannot trace: {error!s:.300}") from error
    finally:
        for part, mode in training.items():
            part.training = mode
    steps = Steps(module)
    for node in graph.nodes:
        steps.read(node)
    if steps.problems:
        raise Unsupported(", ".join(f"{type(module).__name__}: {p}" for p in dict.fromkeys(steps.problems)))
    return steps.steps, steps.leaves, steps.parameters


class Steps:
    """The steps that are made of the nodes of a graph."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module
        self.steps: list[Any] = []
        self.values: dict[fx.Node, Any] = {}  # "%i", a `Weight`, a row of numbers, a `Meta`, or a tuple of chunks
        self.leaves: dict[str, torch.nn.Module] = {}
        self.parameters: dict[str, torch.nn.Parameter] = {}
        self.names: dict[int, str] = {}  # of leaves, by id: one that is called under two names is one layer
        self.problems: list[str] = []

    def read(self, node: fx.Node) -> None:
        """Read one node; what cannot be read is noted among the problems."""
        if any(isinstance(self.values[of], Failed) for of in node.all_input_nodes):
            self.values[node] = Failed()  # what it is computed from is among the problems
            return
        try:
            self.values[node] = getattr(self, f"_{node.op}")(node)
        except Unsupported as problem:
            self.problems.append(str(problem))
            self.values[node] = Failed()

    def _placeholder(self, node: fx.Node) -> str:
        if len(self.values) > 0:
            raise Unsupported(f"a second input, {node.target}")
        return "%0"

    def _output(self, node: fx.Node) -> Any:
        value = self._of(node.args[0])
        if not isinstance(value, str):
            raise Unsupported("an output that is not one matrix")
        if value != f"%{len(self.steps)}" or not self.steps:
            self._step("identity", value)
        return value

    def _get_attr(self, node: fx.Node) -> Any:
        name = str(node.target)
        value: Any = self.module
        for part in name.split("."):
            value = getattr(value, part)
        if not isinstance(value, torch.nn.Parameter):
            if value.ndim > 1:
                raise Unsupported(f"the buffer {name} of shape {tuple(value.shape)}")
            return value.tolist() if value.ndim else [value.item()]
        owner = self.module.get_submodule(name.rpartition(".")[0])
        if type(owner).__module__.startswith("torch.nn."):
            layer = self._leaf(name.rpartition(".")[0], owner)
            return Weight(f"{layer}.{name.rpartition('.')[2]}", isinstance(owner, torch.nn.Linear))
        self.parameters[name] = value
        return Weight(name, False)

    def _leaf(self, name: str, module: torch.nn.Module) -> str:
        name = self.names.setdefault(id(module), name)
        self.leaves[name] = module
        return name

    def _call_module(self, node: fx.Node) -> str:
        name = str(node.target)
        if len(node.args) != 1 or node.kwargs:
            raise Unsupported(f"{name} with several arguments")
        return self._step("layer", self._leaf(name, self.module.get_submodule(name)), self._matrix(node.args[0]))

    def _call_method(self, node: fx.Node) -> Any:
        return self._call(node, str(node.target))

    def _call_function(self, node: fx.Node) -> Any:
        return self._call(node, getattr(node.target, "__name__", str(node.target)))

    # -- functions and methods, by name --------------------------------------------------------------------------------

    def _call(self, node: fx.Node, name: str) -> Any:
        name = name.rstrip("_") if not name.startswith("_") else name
        args = [self._of(arg) for arg in node.args]
        kwargs = {key: self._of(value) for key, value in node.kwargs.items()}
        if name in BINARY and len(args) == 2 and not kwargs:
            return self._step(BINARY[name], *map(self._operand, args))
        if UNARY.get(name) and len(args) == 1:
            return self._step(UNARY[name], self._matrix(args[0]))
        if name in REDUCTIONS:
            return self._reduction(name, args, kwargs)
        method = getattr(self, f"_{name}_call", None)
        if method is not None:
            return method(args, kwargs)
        if name in FLAT:
            return self._flat(name, args, kwargs)
        if name in FUNCTIONS:
            return self._function(name, args, kwargs)
        raise Unsupported(f"the function {name}")

    def _function(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> str:
        """An elementwise function, softmax or gate, whose numbers come in the order of `functional`."""
        parameters = list(inspect.signature(getattr(F, name)).parameters)[1:]
        parameters = parameters[: parameters.index("out")] if "out" in parameters else parameters
        given = dict(zip(parameters, args[1:], strict=False))
        for key, value in kwargs.items():
            key = "axis" if key == "dim" else key
            if key in parameters:
                given[key] = value
            elif key not in WITHOUT_MEANING:
                raise Unsupported(f"{name}({key}=)")
        if "axis" in given or name == "glu":
            axis = given.pop("axis", kwargs.get("dim", -1))
            if axis not in (-1, 1, None):
                raise Unsupported(f"{name} over dim={axis}")
            return self._step(name, self._matrix(args[0]))
        defaults = inspect.signature(getattr(F, name)).parameters
        numbers = [given.get(key, defaults[key].default) for key in parameters] if given else []
        return self._step(name, self._matrix(args[0]), *numbers)

    def _reduction(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> str:
        given = dict(zip(("x", "dim", "keepdim"), args, strict=False)) | kwargs
        dim = given.get("dim")
        dim = dim[0] if isinstance(dim, (list, tuple)) and len(dim) == 1 else dim
        if dim not in (-1, 1) or not given.get("keepdim"):
            raise Unsupported(f"{name} but over the features, with keepdim=True")
        return self._step(REDUCTIONS[name], self._matrix(given["x"]))

    def _flat(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> str:
        rest = [*args[1:], *kwargs.values()]
        if (name == "flatten" and rest in ([1], [1, -1])) or (len(rest) == 2 and rest[1] == -1):
            return self._step("identity", self._matrix(args[0]))
        raise Unsupported(f"{name}, but to one row for each sample")

    def _cat_call(self, args: list[Any], kwargs: dict[str, Any]) -> str:
        dim = kwargs.get("dim", kwargs.get("axis", args[1] if len(args) > 1 else 0))
        if dim not in (-1, 1):
            raise Unsupported(f"cat along dim={dim}")
        parts = args[0] if args else kwargs["tensors"]
        return self._step("concat", *(self._matrix(part) for part in parts))

    _concat_call = _concatenate_call = _cat_call

    def _chunk_call(self, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, ...]:
        dim = kwargs.get("dim", args[2] if len(args) > 2 else 0)
        chunks = kwargs.get("chunks", args[1] if len(args) > 1 else None)
        if dim not in (-1, 1) or not isinstance(chunks, int):
            raise Unsupported(f"chunk along dim={dim}")
        return tuple(self._step("chunk", self._matrix(args[0]), chunks, i) for i in range(chunks))

    def _getitem_call(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        x, key = args
        if isinstance(x, Meta):
            return x
        if isinstance(x, tuple):
            return x[key]
        if not (isinstance(key, tuple) and len(key) == 2 and key[0] in (slice(None), Ellipsis)):
            raise Unsupported("an index but of columns, x[:, a:b]")
        which = key[1]
        if isinstance(which, slice):
            return self._step("columns", self._matrix(x), which.start, which.stop, which.step)
        if isinstance(which, list):
            return self._step("take", self._matrix(x), which)
        raise Unsupported("x[:, i], which has one dimension")

    def _getattr_call(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if args[1] == "shape":
            return Meta()
        if args[1] in ("T", "mT"):
            return self._t_call(args[:1], {})
        raise Unsupported(f"the attribute {args[1]}")

    def _size_call(self, args: list[Any], kwargs: dict[str, Any]) -> Meta:
        return Meta()

    def _t_call(self, args: list[Any], kwargs: dict[str, Any]) -> Weight:
        if not isinstance(args[0], Weight):
            raise Unsupported("the transpose of a value")
        return Weight(args[0].name, not args[0].transposed)

    def _linear_call(self, args: list[Any], kwargs: dict[str, Any]) -> str:
        given = dict(zip(("input", "weight", "bias"), args, strict=False)) | kwargs
        return self._product(given["input"], self._t_call([given["weight"]], {}), given.get("bias"))

    def _matmul_call(self, args: list[Any], kwargs: dict[str, Any]) -> str:
        return self._product(*args)

    _mm_call = _matmul_call

    def _product(self, x: Any, weight: Any, bias: Any = None) -> str:
        """x W + b; the weights of `nn.Linear` are stored as (in, out) here, so that `transposed` is of that."""
        if not isinstance(weight, Weight) or not (bias is None or isinstance(bias, Weight)):
            raise Unsupported("a product with something else than parameters")
        operands = [self._matrix(x), f"@{weight.name}"] + ([] if bias is None else [f"@{bias.name}"])
        return self._step("linear_t" if weight.transposed else "linear", *operands)

    def _dropout_call(self, args: list[Any], kwargs: dict[str, Any]) -> str:
        given = dict(zip(("input", "p", "training"), args, strict=False)) | kwargs
        if not given.get("training", True):
            return self._matrix(given["input"])
        return self._step("dropout", self._matrix(given["input"]), given.get("p", 0.5))

    # -- operands ------------------------------------------------------------------------------------------------------

    def _step(self, name: str, *operands: Any) -> str:
        self.steps.append([name, *operands])
        return f"%{len(self.steps)}"

    def _of(self, argument: Any) -> Any:
        """What stands for an argument of a node."""
        if isinstance(argument, fx.Node):
            return self.values[argument]
        if isinstance(argument, (tuple, list)):
            return type(argument)(self._of(item) for item in argument)
        return argument

    def _operand(self, value: Any) -> Any:
        """A matrix, a row or a number."""
        if isinstance(value, Weight):
            return f"@{value.name}"
        if isinstance(value, (str, int, float)) or (isinstance(value, list) and value):
            return value
        raise Unsupported(f"an operand {value!r:.40}")

    def _matrix(self, argument: Any) -> str:
        value = self._of(argument)
        if not isinstance(value, str):
            raise Unsupported("a function of something else than a matrix")
        return value
