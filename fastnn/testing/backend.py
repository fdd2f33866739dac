"""Somebody else's implementation, checked operation by operation against the float64 reference."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from xml.etree import ElementTree

import numpy as np

from .. import _validation as check
from .cases.records import Call, Op
from .measure import ulp_errors
from .runs import Case, cases_of, mapped, operations, run, truth_of

DTYPES = ("float32", "float64")
FACTOR, FLOOR = 4.0, 4.0  # errors may be this times ours, and so many ULP beside


@dataclass(frozen=True)
class Failure:
    """The first case in which an operation is wrong.

    Attributes
    ----------
    case : str
        Which one, in words.
    reason : str
        What is wrong.
    snippet : str
        A program that makes the call and shows what is expected.
    """

    case: str
    reason: str
    snippet: str


@dataclass
class Result:
    """How an operation did.

    Attributes
    ----------
    operation : str
    cases : int
    failed : int
    skipped : int
        Cases for which the implementation raised NotImplementedError.
    worst_ulp : float
        The largest error of all results, in units in the last place of the result or of its largest term.
    failure : Failure or None
    explained : str
        Why it differs, if that is known.
    """

    operation: str
    cases: int = 0
    failed: int = 0
    skipped: int = 0
    worst_ulp: float = 0.0
    failure: Failure | None = None
    explained: str = ""


@dataclass
class Report:
    """What `check_backend` returns: print it.

    Attributes
    ----------
    results : list of Result
    missing : list of str
        Operations that the implementation does not have.
    """

    results: list[Result] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether no operation failed."""
        return not self.failures

    @property
    def failures(self) -> list[Result]:
        """The operations that failed, but for those that are explained."""
        return [result for result in self.results if result.failed and not result.explained]

    def to_json(self) -> str:
        """The report as JSON."""
        return json.dumps(asdict(self) | {"passed": self.passed}, indent=1)

    def to_junit(self) -> str:
        """The report as JUnit's XML: a test case for each operation."""
        suite = ElementTree.Element(
            "testsuite", name="fastnn.testing", tests=str(len(self.results)), failures=str(len(self.failures))
        )
        for result in self.results:
            case = ElementTree.SubElement(suite, "testcase", classname="fastnn", name=result.operation)
            if result.failure is not None and not result.explained:
                failure = ElementTree.SubElement(case, "failure", message=result.failure.reason)
                failure.text = result.failure.snippet
        return ElementTree.tostring(suite, encoding="unicode")

    def __str__(self) -> str:
        width = max([9, *(len(result.operation) for result in self.results)])
        lines = [f"{'operation':{width}}  cases  failed  worst ULP"]
        lines += [
            f"{r.operation:{width}}  {r.cases:5d}  {r.failed:6d}  {r.worst_ulp:9.3g}"
            + ("" if r.failure is None else f"  {r.explained or f'{r.failure.case}: {r.failure.reason}'}")
            for r in self.results
        ]
        done = f"{len(self.results)} operations, {len(self.failures)} failed"
        return "\n".join([*lines, f"{done}, {len(self.missing)} are not there" if self.missing else done])


def check_backend(
    implementation: Any,
    ops: Iterable[str] | None = None,
    dtypes: Iterable[str] | None = None,
    seed: int = 0,
    *,
    factor: float = FACTOR,
    explained: Mapping[str, str] | None = None,
) -> Report:
    """Check functions of somebody else's implementation against the NumPy reference in the next wider dtype.

    Parameters
    ----------
    implementation : module, object or mapping
        Functions with the names and arguments of `fastnn.functional` and `fastnn.optim.functional`, of NumPy arrays;
        see `torch_functions` and `jax_functions` for others. Operations that it does not have are listed as missing.
    ops : iterable of str, optional
        Names of operations, by default all.
    dtypes : iterable of str, optional
        Of {"float32", "float64"}, by default both.
    seed : int, default 0
        Of the arguments.
    factor : float, default 4
        Errors may be so many times those that fastnn's own kernels are allowed, and 4 ULP beside: others add in other
        orders.

    explained : mapping of str to str, optional
        Reasons, by operation, why an implementation is known to differ: such failures do not count.

    Returns
    -------
    report : Report

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.

    Notes
    -----
    Each operation is called with all its options for rows and columns of none, one, and tails of registers, with
    columns that are strided, elementwise ones with NaN, infinities, zeros of both signs, tiny and huge numbers;
    gradients are operations of their own. Results must have the shape and dtype of the reference, NaN in the same
    places, and the values within the allowed error. Updates are made for three steps, with their states. A function
    that raises NotImplementedError leaves that case out.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.testing import check_backend
    >>> report = check_backend({"relu": lambda x, out=None: np.where(x > 0, x, 0)}, ops=["relu"])  # loses NaN
    >>> report.passed, report.failures[0].failure.case
    (False, 'relu(float32, special values)')
    """
    dtypes = DTYPES if dtypes is None else tuple(dtypes)
    for dtype in dtypes:
        check.check_choice("dtypes", dtype, DTYPES)
    factor = check.check_number("factor", factor, at_least=0.0)
    find = _finder(implementation)
    report = Report()
    by_name: dict[str, Result] = {}
    for op in operations(ops, lambda name: True):
        function = find(op.name)
        if function is None:
            if op.name not in report.missing:
                report.missing.append(op.name)
            continue
        if op.name not in by_name:
            by_name[op.name] = Result(op.name, explained=(explained or {}).get(op.name, ""))
            report.results.append(by_name[op.name])
        _check_operation(function, op, dtypes, check.check_seed(seed), factor, by_name[op.name])
    return report


def _finder(implementation: Any) -> Callable[[str], Any]:
    """How a function is found by its name."""
    if isinstance(implementation, Mapping):
        return implementation.get
    if isinstance(implementation, (str, int, float, bytes)) or implementation is None:
        raise TypeError(
            f"implementation must be a module or a mapping of functions, got {type(implementation).__name__}"
        )
    return lambda name: getattr(implementation, name, None)


def _check_operation(function: Any, op: Op, dtypes: Iterable[str], seed: int, factor: float, result: Result) -> None:
    """Check all cases of an operation."""
    for case in cases_of(op, dtypes, seed):
        result.cases += 1
        expected = truth_of(op, case.call)
        allowed = factor * op.tolerance[np.dtype(case.dtype)] + FLOOR
        try:
            error, reason = _compare(function, case, expected, allowed)
        except NotImplementedError:
            result.skipped += 1
            continue
        if np.isfinite(error):
            result.worst_ulp = max(result.worst_ulp, error)
        if reason:
            result.failed += 1
            if result.failure is None:
                result.failure = Failure(case.title, reason, snippet(case, [value for value, _ in expected]))


def _compare(function: Any, case: Case, expected: list[Any], allowed: float) -> tuple[float, str]:
    """The largest error in ULP, and what is wrong, "" if nothing is."""
    copies = case.call
    if case.variant != "strided":
        copies = mapped(copies, lambda value: value.copy() if isinstance(value, np.ndarray) else value)
    try:
        with np.errstate(all="ignore"):
            found = run(function, case.op, copies)
    except NotImplementedError:
        raise
    except Exception as problem:  # of somebody else's code
        return 0.0, f"raises {type(problem).__name__}: {problem!s:.200}"
    if len(found) != len(expected):
        return 0.0, f"returns {len(found)} arrays, {len(expected)} are expected"
    worst = 0.0
    for i, (value, (right, scale)) in enumerate(zip(found, expected, strict=True)):
        name = f"result {i}" if len(expected) > 1 else "the result"
        if value.shape != right.shape:
            return worst, f"{name} has shape {value.shape}, {right.shape} is expected"
        if right.dtype.kind != "f" or value.dtype.kind != "f":
            if not np.array_equal(value, right):
                return worst, f"{name} is not what is expected"
            continue
        if value.dtype != case.dtype:
            return worst, f"{name} is {value.dtype}, {case.dtype} is expected"
        errors: Any = ulp_errors(value, right, scale)  # type: ignore[no-untyped-call]
        error = float(errors.max(initial=0))
        worst = max(worst, error) if np.isfinite(error) else worst
        if not error <= allowed:
            place = np.unravel_index(int(np.argmax(errors)), errors.shape)
            at = f"[{', '.join(map(str, place))}]" if place else ""
            return worst, f"{name}{at} is {value[place]!r}, {float(right[place])!r} is expected ({error:.3g} ULP off)"
    return worst, ""


def snippet(case: Case, expected: list[Any]) -> str:
    """A program that makes the call of a case; replace `your` by the module that is checked."""
    with np.printoptions(threshold=10**6, floatmode="unique", linewidth=120):
        call: Call = case.call
        arguments = ", ".join(_code(value) for value in call.args)
        keywords = "".join(f", {name}={_code(value)}" for name, value in call.kwargs.items())
        results = "\n".join(f"# expected: {np.asarray(value, 'float64').tolist()}" for value in expected)
    return (
        "from numpy import array, float32, float64, inf, int64, nan\n\nimport your\n\n"
        f"print(your.{case.op.name}({arguments}{keywords}))\n{results}\n"
    )


def _code(value: Any) -> str:
    """An argument as Python has it."""
    if isinstance(value, np.ndarray):
        return repr(value) if "dtype" in repr(value) else repr(value)[:-1] + f", dtype={value.dtype})"
    if callable(value):
        return f"{value.__module__}.{value.__qualname__}"
    return repr(value)
