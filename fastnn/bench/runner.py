"""The runner: starts a process for each contender, and takes their samples in turn."""

from __future__ import annotations

import json
import os
import selectors
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from .cases import Case

SAMPLE_SECONDS = 2e-3  # length of a sample, at least
MIN_ROUNDS, MAX_ROUNDS = 5, 200
# A pause after a sample on several threads: in some libraries they spin for tens of milliseconds after a parallel
# region.
REST_SECONDS = 0.05
TIMEOUT = 120.0  # seconds without an answer, after which a contender is stopped

# Variables from which libraries read the number of threads at import.
THREAD_VARIABLES = (
    "FASTNN_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def environment(threads: int) -> dict[str, str]:
    """The environment of a process that uses this number of threads."""
    eigen = "true" if threads > 1 else "false"
    xla = f"--xla_cpu_multi_thread_eigen={eigen} intra_op_parallelism_threads={threads}"
    return os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)) | {"XLA_FLAGS": xla, "JAX_PLATFORMS": "cpu"}


class ContenderError(Exception):
    """A contender failed; the message says why."""


@dataclass(frozen=True)
class Contender:
    """A contender with its number of threads. `name` is a module of `contenders`, or with a dot any module.

    With `within`, it runs in the process of the contender with that number of threads, which sets the number before
    each sample: two numbers of threads are then compared without the variation between processes.
    """

    name: str
    threads: int = 1
    within: int = 0

    @property
    def host(self) -> Contender:
        """The contender whose process it runs in."""
        return Contender(self.name, self.within or self.threads)

    def __str__(self) -> str:
        within = f"/{self.within}" if self.within else ""
        return self.name if self.threads == 1 and not within else f"{self.name}@{self.threads}{within}"

    @staticmethod
    def parse(text: str) -> Contender:
        """The contender of a string returned by str()."""
        name, _, numbers = text.partition("@")
        threads, _, within = numbers.partition("/")
        return Contender(name, int(threads or 1), int(within or 0))


@dataclass
class Result:
    """Samples of one contender for a case, in seconds per part; or the problem that it had."""

    samples: list[float] = field(default_factory=list)
    problem: str = ""

    @contextmanager
    def keeping_problems(self) -> Iterator[None]:
        """Store a ContenderError as the problem of this result; the other contenders are still measured."""
        try:
            yield
        except ContenderError as error:
            self.problem = str(error)

    @property
    def min(self) -> float:
        """The minimum of the samples."""
        return min(self.samples)

    @property
    def median(self) -> float:
        """The median of the samples."""
        return statistics.median(self.samples)


class Process:
    """The process of a contender, which works only while it answers a request."""

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        # The new process gets the import path of this one.
        start = f"import sys; sys.path[:] = {sys.path!r}; from fastnn.bench.worker import main; main(sys.argv[1])"
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", start, contender.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=environment(contender.threads),
        )
        self._greeting: dict[str, Any] | None = None
        # Used in place of process.poll(): a Ctrl-C during poll() may leave its lock held, and close() would then block.
        self.closed = False

    @property
    def greeting(self) -> dict[str, Any]:
        """The first message of the process: "version", or the reason why it is "missing"."""
        if self._greeting is None:
            self._greeting = self._read()
        return self._greeting

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and return the answer."""
        assert self.greeting
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        return self._read()

    def _read(self) -> dict[str, Any]:
        """The next answer, a line of JSON; ContenderError for an error, or if none comes within TIMEOUT."""
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(TIMEOUT):
                self.close()
                raise ContenderError(f"took more than {TIMEOUT:g} s")
        line = self.process.stdout.readline()
        if not line:
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ContenderError(answer["error"])
        return answer

    def _ended(self) -> ContenderError:
        """The error for a process that ended, with its exit code and the last line of its error output."""
        code = self.process.wait()
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        self.close()
        return ContenderError(" ".join([f"ended with code {code}:", *lines[-1:]]).rstrip(":"))

    def close(self) -> None:
        """End the process."""
        self.closed = True
        self.process.kill()
        self.process.communicate()
        self.errors.close()


class Runner:
    """Measures cases by contenders, each in a process that lives until the runner is closed.

    `versions` has the versions of the contenders that have started, `missing` the reasons why others could not start.
    """

    def __init__(self, contenders: Sequence[Contender] = ()) -> None:
        self.processes: dict[Contender, Process] = {}
        self.versions: dict[Contender, str] = {}
        self.missing: dict[Contender, str] = {}
        self.start(contenders)

    def start(self, contenders: Sequence[Contender]) -> None:
        """Start those of the contenders that have not started yet, all at once."""
        new = [host for host in dict.fromkeys(c.host for c in contenders) if host not in self.processes]
        try:
            self.processes |= {contender: Process(contender) for contender in new}
            for contender in new:
                self._greet(contender)
        except BaseException:
            self.close()
            raise

    def _greet(self, contender: Contender) -> None:
        try:
            greeting = self.processes[contender].greeting
        except ContenderError as error:
            greeting = {"missing": str(error)}
        if "version" in greeting:
            self.versions[contender] = greeting["version"]
        else:
            self.missing[contender] = greeting["missing"]

    def measure(self, case: Case, seconds: float, contenders: Sequence[Contender] = ()) -> dict[Contender, Result]:
        """Take samples of a case for this many seconds, by the given contenders or all, if they support it."""
        self.start(contenders)
        results = {c: Result() for c in contenders or self.processes if c.host in self.versions}
        repetitions = {}
        for contender, result in results.items():
            with result.keeping_problems():
                repetitions[contender] = self._calibrate(contender, case)
        deadline = time.monotonic() + seconds
        for rounds in range(MAX_ROUNDS):
            if rounds >= MIN_ROUNDS and time.monotonic() > deadline:
                break
            for contender, n in repetitions.items():
                if n and not results[contender].problem:
                    with results[contender].keeping_problems():
                        results[contender].samples.append(self._sample(contender, case, n))
        return {c: result for c, result in results.items() if result.samples or result.problem}

    def _calibrate(self, contender: Contender, case: Case) -> int:
        """Prepare a case; return the repetitions that make a sample, 0 if the contender does not support the case."""
        host = contender.host
        if self.processes[host].closed:
            self.processes[host] = Process(host)
        if "ok" not in self.processes[host].ask(prepare=case.to_json()):
            return 0
        n = 1
        while (seconds := min(self._seconds(contender, n) for _ in range(2))) < SAMPLE_SECONDS / 2:
            n *= 2
        return max(1, round(n * SAMPLE_SECONDS / seconds))

    def _seconds(self, contender: Contender, n: int) -> float:
        """Seconds of n repetitions of the prepared case."""
        request = {"time": n} | ({"threads": contender.threads} if contender.within else {})
        seconds: float = self.processes[contender.host].ask(**request)["seconds"]
        return seconds

    def _sample(self, contender: Contender, case: Case, n: int) -> float:
        """Take a sample; return the seconds per part."""
        seconds = self._seconds(contender, n)
        if contender.threads > 1 and not contender.within:
            time.sleep(REST_SECONDS)
        return seconds / n / case.parts

    def close(self) -> None:
        """End all processes."""
        for process in self.processes.values():
            process.close()

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
