"""The process that times one contender."""

import importlib

import pytest

from bench.test_cases import NETWORKS
from fastnn.bench import cases
from fastnn.bench.runner import Contender, ContenderError, Process
from fastnn.bench.worker import Worker


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


def test_the_worker_reports_what_goes_wrong():
    worker = Worker(importlib.import_module("fastnn.bench.contenders.numpy"))
    assert worker.answer({"time": 1}) == {"error": "RuntimeError: nothing is prepared"}
    assert worker.answer({"prepare": cases.linear(2, 3, 4).to_json()}) == {"ok": True}
    assert worker.answer({"time": 2})["seconds"] > 0
    assert worker.answer({"prepare": cases.fit(NETWORKS[0]).to_json()}) == {"unsupported": True}
    assert "error" in worker.answer({"prepare": {}})
