"""The engine of `fastnn bench`: contenders that compute the same, processes that take turns, tables, the command."""

import dataclasses
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import cli
from fastnn.bench import cases, data, machine, report, runner
from fastnn.bench.cases import Case, Network
from fastnn.bench.contenders import NAMES
from fastnn.bench.contenders.common import quickest
from fastnn.bench.machine import Peak
from fastnn.bench.report import Measurement
from fastnn.bench.runner import Contender, ContenderError, Process, Result, Runner
from fastnn.bench.suite import suite
from fastnn.bench.worker import Worker, load

# -- cases -------------------------------------------------------------------------------------------------------------

NETWORKS = (
    Network((5, 7, 3), 4, "Tanh"),
    Network((5, 7, 1), 4, "Sigmoid", "MSELoss", "SGD"),
    Network((5, 7, 3), 4, "ELU", "CrossEntropyLoss", "RMSprop"),
    Network((5, 7, 3), 4, "GELU", "CrossEntropyLoss", "AdamW"),
    Network((5, 7, 2), 4, "ReLU", "MSELoss", "SGD", momentum=0.9),
    Network((5, 7, 3), 4, "ReLU", "CrossEntropyLoss", "Adagrad"),
)
ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus")
ACTIVATIONS += ("softsign", "hardsigmoid", "hardswish", "hardtanh", "relu6")
LOSSES = ("l1_loss", "mse_loss", "huber_loss", "smooth_l1_loss", "binary_cross_entropy")


def small_cases(dtype):
    """A case of every sort."""
    for network in NETWORKS:
        yield dataclasses.replace(cases.fit(network, dtype), parts=3)
        yield dataclasses.replace(cases.scheduled_fit(network, dtype), parts=3)
        yield cases.step(network, dtype)
        yield cases.predict(network, dtype)
    yield cases.linear(3, 5, 4, dtype)
    yield cases.linear_backward(3, 5, 4, dtype)
    yield cases.cross_entropy(3, 5, dtype)
    for name in ("softmax", "log_softmax"):
        yield cases.softmax(name, 3, 5, dtype)
    for name in ACTIVATIONS:
        yield cases.activation(name, 50, dtype)
        yield cases.activation_backward(name, 50, dtype)
    for name in ("exp", "expm1", "log", "log1p", "erf"):
        yield cases.function("elementary functions", name, (50,), ("uniform",), 2, dtype)
    for name in cases.UPDATES:
        yield cases.update(name, 50, dtype)
    for name in LOSSES:
        yield cases.function("losses", name, (50,), ("uniform", "uniform"), 2, dtype)


def flat(result):
    """All numbers of a result, whatever library it is of."""
    if isinstance(result, tuple | list):
        return np.concatenate([flat(part) for part in result])
    return np.asarray(result.detach() if hasattr(result, "detach") else result).ravel()


@pytest.fixture(scope="module", params=[name for name in NAMES if name != "reference"])
def contender(request):
    """The module of a contender; in this process, so with as many threads as there are."""
    library = {"native": "fastnn", "torch_default": "torch"}.get(request.param, request.param)
    pytest.importorskip(library)
    if library == "onnxruntime":
        pytest.importorskip("onnx")
    return load(request.param)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_contenders_compute_the_same(contender, dtype):
    reference, compared = load("reference"), 0
    for case in small_cases(dtype):
        prepare = getattr(contender, case.kind, None)
        run = prepare and prepare(case)
        is_sklearn = contender.__name__.endswith("sklearn")
        if run is None or (is_sklearn and case.kind == "predict"):  # which gives probabilities
            continue
        got, expected = flat(run(1)), flat(getattr(reference, case.kind)(case)(1))
        expected = expected / 2 if is_sklearn and case.network.loss == "MSELoss" else expected
        np.testing.assert_allclose(got, expected, rtol=2e-4, atol=1e-5, err_msg=f"{case.kind} {case}")
        compared += 1
    assert compared > 0


def test_results_of_repetitions_are_those_of_the_last():
    case = cases.activation("relu", 7)
    for name in ("native", "reference", "numpy"):
        assert np.array_equal(load(name).function(case)(3), fastnn.functional.relu(data.arguments(case)[0]))


def test_cases_survive_json():
    for case in [*suite(), *small_cases("float64"), cases.startup()]:
        assert Case.from_json(json.loads(json.dumps(case.to_json()))) == case


def test_the_cases_of_the_command_are_different_ones():
    names = [f"{case.section}: {case}" for case in suite()]
    assert len(set(names)) == len(names)


def test_data_are_the_same_every_time():
    case = cases.update("adam", 100)
    assert all(map(np.array_equal, data.arguments(case), data.arguments(case)))
    assert [a.dtype for a in data.arguments(cases.cross_entropy(3, 5))] == ["float32", "int64"]


def test_labels_of_networks_and_sizes():
    assert str(Network((2, 4, 2, 1), 32, "Tanh", "MSELoss", "SGD")) == "32 x 2-4-2-1 Tanh MSE SGD"
    assert str(Network((128,) * 9, 64, momentum=0.9)) == "64 x 128-7x128-128 ReLU CE momentum"
    assert [cases.count(n) for n in (37, 128, 1000, 10_000, 1024, 2 * 10**7, 1500)] == [
        "37", "128", "1k", "10k", "1024", "20M", "1.5k",
    ]  # fmt: skip


def test_flops_count_the_products():
    network = Network((3, 4, 2), 10)
    assert network.flops(training=False) == 2 * 10 * (3 * 4 + 4 * 2)
    assert network.flops(training=True) == 2 * 10 * (2 * 3 * 4 + 3 * 4 * 2)  # no gradient of the input


def test_quickest_chooses_the_quickest():
    called = []
    run = quickest(lambda: time.sleep(0.003) or called.append("slow"), lambda: called.append("quick"))
    called.clear()
    run(2)
    assert called == ["quick", "quick"]


# -- processes ---------------------------------------------------------------------------------------------------------

FAKES = {
    "steady": """
        import os, time
        print("this is not an answer")
        VERSION = f"{os.environ['OMP_NUM_THREADS']} threads, {len(os.sched_getaffinity(0))} cores"
        def function(case):
            def run(n):
                time.sleep(n * 2e-4)
                with open(case.options["log"], "a") as log:
                    log.write(f"{os.getpid()}\\n")
            return run
        """,
    "dying": """
        import os, sys
        VERSION, calls = "1", []
        def function(case):
            def run(n):
                calls.append(n)
                if len(calls) > 2:
                    print("what a pity", file=sys.stderr, flush=True)
                    os._exit(3)
            return run
        """,
    "failing": """
        VERSION = "1"
        def function(case):
            raise ValueError("no such luck")
        """,
    "hanging": """
        import time
        VERSION = "1"
        def function(case):
            return lambda n: time.sleep(100)
        """,
    "absent": "import a_library_that_nobody_has",
}


@pytest.fixture
def fakes(tmp_path, monkeypatch):
    """Contenders that misbehave; returns a case whose log they write."""
    package = tmp_path / "fakes"
    package.mkdir()
    for name, text in FAKES.items():
        (package / f"{name}.py").write_text(re.sub(r"^ {8}", "", text, flags=re.M))
    monkeypatch.syspath_prepend(tmp_path)
    return cases.function("section", "nothing", (10,), (), 1, log=str(tmp_path / "log"))


def test_processes_answer_in_lines_of_json(fakes):
    process = Process(Contender("fakes.steady"))
    try:
        assert process.greeting == {"version": "1 threads, 1 cores"}
        with pytest.raises(ContenderError, match="nothing is prepared"):
            process.ask(time=1)
        assert process.ask(prepare=fakes.to_json()) == {"ok": True}
        assert 0.002 < process.ask(time=10)["seconds"] < 1
        assert process.ask(prepare=cases.step(NETWORKS[0]).to_json()) == {"unsupported": True}
    finally:
        process.close()
    assert process.closed


def test_contenders_take_turns(fakes):
    with Runner([Contender("fakes.steady"), Contender("fakes.steady", 2)]) as running:
        results = running.measure(fakes, 0.1)
        pids = [str(process.process.pid) for process in running.processes.values()]
    assert all(len(result.samples) >= runner.MIN_ROUNDS for result in results.values())
    runs = Path(fakes.options["log"]).read_text().split()
    turns = [pid for i, pid in enumerate(runs) if i == 0 or pid != runs[i - 1]]  # with what warms up
    rounds = len(results[Contender("fakes.steady")].samples)
    assert turns[-2 * rounds :] == pids * rounds


def test_the_time_is_that_of_a_part(fakes):
    with Runner([Contender("fakes.steady")]) as running:
        whole = running.measure(fakes, 0.01)[Contender("fakes.steady")].min
        part = running.measure(dataclasses.replace(fakes, parts=10), 0.01)[Contender("fakes.steady")].min
    assert 5 < whole / part < 20


def test_a_contender_that_fails_leaves_the_others_alone(fakes):
    names = ("steady", "dying", "failing", "absent")
    steady, dying, failing, absent = (Contender(f"fakes.{name}") for name in names)
    with Runner([steady, dying, failing, absent]) as running:
        assert "a_library_that_nobody_has" in running.missing[absent]
        for _ in range(2):  # who died is started again
            results = running.measure(fakes, 0.05)
            assert len(results[steady].samples) >= runner.MIN_ROUNDS
            assert not results[steady].problem
            assert results[dying].problem == "ended with code 3: what a pity"
            assert results[failing].problem == "ValueError: no such luck"
            assert absent not in results
        table = "\n".join(report.table([Measurement(fakes, results)], Peak()))
    assert "nothing 10: fakes.dying: ended with code 3: what a pity" in table
    assert "failed" in table


def test_a_contender_that_hangs_is_given_up(fakes, monkeypatch):
    hanging = Contender("fakes.hanging")
    with Runner([hanging]) as running:
        monkeypatch.setattr(runner, "TIMEOUT", 0.2)
        assert running.measure(fakes, 0.05)[hanging].problem == "took more than 0.2 s"
        assert running.processes[hanging].closed


def test_what_no_one_knows_has_no_results(fakes):
    with Runner([Contender("fakes.steady")]) as running:
        assert running.measure(cases.step(NETWORKS[0]), 0.01) == {}


def test_numbers_of_threads_within_one_process():
    two, one = Contender("native", 2, within=2), Contender("native", 1, within=2)
    for contender in (two, one, Contender("native"), Contender("native", 2)):
        assert Contender.parse(str(contender)) == contender
    with Runner() as running:
        results = running.measure(cases.step(NETWORKS[0]), 0.01, (two, one))
        assert list(running.processes) == [Contender("native", 2)]
    assert all(result.samples and not result.problem for result in results.values())
    assert list(results) == [two, one]


def test_the_worker_reports_what_goes_wrong():
    worker = Worker(importlib.import_module("fastnn.bench.contenders.numpy"))
    assert worker.answer({"time": 1}) == {"error": "RuntimeError: nothing is prepared"}
    assert worker.answer({"prepare": cases.linear(2, 3, 4).to_json()}) == {"ok": True}
    assert worker.answer({"time": 2})["seconds"] > 0
    assert worker.answer({"prepare": cases.fit(NETWORKS[0]).to_json()}) == {"unsupported": True}
    assert "error" in worker.answer({"prepare": {}})


# -- tables ------------------------------------------------------------------------------------------------------------

OURS, THEIRS, OTHERS = Contender("native"), Contender("jax"), Contender("torch_default")


def measurement(label="a", theirs=3e-6, **changes):
    case = Case("function", "things", label, work=4e3, unit="B")
    return Measurement(
        dataclasses.replace(case, **changes), {OURS: Result([2e-6, 1e-6]), THEIRS: Result([theirs, 1.0])}
    )


def test_a_table():
    peak = Peak({}, {1000: 16e9, 2000: 8e9, 5000: 1e9})
    failed = measurement("other", dtype="float64")
    failed.results[OTHERS] = Result([], "it broke")
    assert report.table([measurement(), failed], peak) == [
        "things          fastnn  GB/s  peak           jax  torch default",
        "a              1.00 us  4.00   50%  3.00 us 3.00              -",
        "other float64  1.00 us  4.00   50%  3.00 us 3.00         failed",
        "  other float64: torch default: it broke",
    ]


def test_columns_say_threads_where_they_differ_and_go_where_they_are_empty():
    results = {Contender("native", 2): Result([1e-3]), OURS: Result([0.123])}
    assert report.table([Measurement(Case("startup", "import", "import"), results)], Peak()) == [
        "import  fastnn x2    fastnn x1",
        "import    1.00 ms  123 ms  123",
    ]


def test_numbers_have_three_digits():
    shown = [report.three_digits(x) for x in (0.01234, 0.9999, 1.0, 9.999, 12.34, 99.96, 123.4, 999.4, 999.7, 12345.0)]
    assert shown == ["0.0123", "1.00", "1.00", "10.0", "12.3", "100", "123", "999", "1000", "12345"]
    durations = [report.duration(Result([seconds])) for seconds in (2.5, 1e-3, 3.2e-5, 4e-9)]
    assert durations == ["2.50 s", "1.00 ms", "32.0 us", "4.00 ns"]


def test_measurements_survive_json():
    before = measurement(theirs=2.5e-6)
    values = json.loads(json.dumps(before.to_json(Peak({}, {1: 8e9}))))
    assert values["share"] == 0.5
    jax = dict(values["results"]["jax"])
    assert (jax.pop("samples"), jax.pop("problem")) == ([2.5e-6, 1.0], "")
    assert jax == pytest.approx({"min": 2.5e-6, "median": 0.5, "ratio": 2.5}, rel=1e-3)
    after = Measurement.from_json(values)
    assert after.case == before.case
    assert after.results == before.results
    assert Contender.parse(str(Contender("torch", 4))) == Contender("torch", 4)


def test_sections_keep_their_order_and_threads_apart():
    first, second = measurement("first"), measurement("second", section="more things")
    third = Measurement(first.case, {Contender("native", 2): Result([1.0])})
    last = measurement("last")
    assert list(report.sections([first, second, third, last])) == [[first, last], [second], [third]]


# -- the machine -------------------------------------------------------------------------------------------------------


def test_the_rate_that_bounds_a_case():
    peak = Peak({"float32": 1e11}, {100: 3e10, 1000: 2e10})
    flops = cases.linear(32, 64, 64)
    assert peak.rate(flops) == 1e11
    assert peak.rate(dataclasses.replace(flops, dtype="float64")) is None
    shapes = {1: 3e10, 30: 3e10, 10**6: 2e10}
    assert {n: peak.rate(cases.activation("relu", n)) for n in shapes} == shapes
    assert peak.rate(cases.startup()) is None


def test_the_machine_is_described():
    about = machine.describe(2)
    assert list(about) == ["date", "processor", "system", "instruction set", "threads"]
    assert about["instruction set"] == fastnn.get_isa()
    assert all(size > 1024 for size in machine.caches().values())
    assert machine.copy_rate(2**18, 1) > 1e8
    assert machine.binary(3 * 2**19) == "1.5 MiB"


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_peak(monkeypatch):
    monkeypatch.setattr(machine, "measure_peak", lambda threads: Peak({"float32": 1e11}, {2**18: 1e10}))


def test_bench_prints_and_writes(no_peak, tmp_path, capsys):
    file = tmp_path / "out.json"
    assert cli.main(["bench", "--only", "softmax 32x10", "--seconds", "0.2", "--json", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 120
    assert [line.split("  ")[0] for line in lines[-3:]] == [
        "softmax and cross-entropy",
        "softmax 32x10",
        "log_softmax 32x10",
    ]
    assert any(re.fullmatch(r"contenders +fastnn .*; NumPy .*", line) for line in lines)
    written = json.loads(file.read_text())
    assert set(written) == {"machine", "peak", "cases"}
    assert written["peak"] == {"flops": {"float32": 1e11}, "copies": {str(2**18): 1e10}}
    for case in written["cases"]:
        own, reference = case["results"]["native"], case["results"]["reference"]
        assert 0 < own["min"] <= own["median"]
        assert reference["ratio"] == pytest.approx(reference["min"] / own["min"])
        assert Case.from_json(case["case"]).operation in ("softmax", "log_softmax")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "["], r"--only must be a regular expression, got '\['"),
        (["--only", "nothing"], "--only 'nothing' matches no case; the sections are a training step inside fit, "),
        (["--json", "/nowhere/at/all.json"], "No such file or directory: '/nowhere/at/all.json'"),
    ],
)
def test_bench_says_what_is_wrong(arguments, message, capsys):
    assert cli.main(["bench", *arguments]) == 1
    assert re.search(message, capsys.readouterr().err)


def test_ctrl_c_leaves_no_process_behind():
    command = [
        sys.executable,
        "-c",
        "from fastnn.cli import main; raise SystemExit(main())",
        "bench",
        "--only",
        "softmax",
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as bench:
        while not bench.stdout.readline().startswith("Times are"):  # the workers have started
            assert bench.poll() is None, bench.stderr.read()
        os.killpg(bench.pid, signal.SIGINT)
        try:
            _, errors = bench.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(bench.pid, signal.SIGKILL)
            raise
    assert bench.returncode == 130
    assert errors.strip().endswith("interrupted")
    with pytest.raises(ProcessLookupError):
        os.killpg(bench.pid, 0)  # nobody of its group is left


def test_bench_is_imported_only_when_it_is_used():
    code = "import sys, fastnn; print(any(name.startswith('fastnn.bench') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
