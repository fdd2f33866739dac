"""Run the suite as other machines would: other BLAS kernels, other instruction sets, busy neighbours, random order.

    python tools/stress.py [--rounds 10] [--minutes 45] [--seed N]

A round is the part of the suite without the marks "slow" and "steady", in a random order, under an OPENBLAS_CORETYPE
and a FASTNN_ISA that this processor has, beside two busy processes. It prints what it takes to have a round again. All
rounds together take `--minutes` at most: one that is not through by then is ended and counts as failed.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

# BLAS kernels and instruction sets, and what a processor must have for them; "" is the best one there is.
V2, V3 = set[str](), {"avx2", "fma"}
CORES = {"Haswell": V3, "Zen": V3, "SkylakeX": V3 | {"avx512f", "avx512vl"}, "Prescott": V2}
ISAS = {"avx2": V3, "sse2": V2, "": V2}
BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"  # and no longer


def environments(rounds: int) -> list[dict[str, str]]:
    """What each round sets: all kernels with each instruction set in turn."""
    flags = set(Path("/proc/cpuinfo").read_text().split())
    cores = [name for name, needed in CORES.items() if needed <= flags]
    isas = [name for name, needed in ISAS.items() if needed <= flags]
    result = []
    for i in range(rounds):
        core, isa = cores[i % len(cores)], isas[(i + i // len(cores)) % len(isas)]
        result.append({"OPENBLAS_CORETYPE": core} | ({"FASTNN_ISA": isa} if isa else {}))
    return result


def run(environment: dict[str, str], seed: int, seconds: float) -> tuple[int, str]:
    """Run one round; return pytest's status, and the end of its output."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        "not slow and not steady",
        "-p",
        "randomly",
        f"--randomly-seed={seed}",
    ]
    words = " ".join(f"{name}={value}" for name, value in environment.items())
    print(f"$ {words} {' '.join(command)}", flush=True)
    try:
        done = subprocess.run(
            command, env=os.environ | environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        return -1, f"ended after {error.timeout:.0f} s"
    failures = re.findall(r"^(?:FAILED|ERROR) .*$", done.stdout, re.MULTILINE)
    summary = (done.stdout.strip().splitlines() or [done.stderr.strip()])[-1]
    return done.returncode, "\n".join([*failures, summary])


def main() -> int:
    """Run all rounds; the status is 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=45.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    end, passed = time.monotonic() + 60 * options.minutes, 0
    neighbours = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(2)]
    try:
        for i, environment in enumerate(environments(options.rounds)):
            status, words = run(environment, options.seed + i, max(1.0, end - time.monotonic()))
            passed += status == 0
            print(f"{words}\n", flush=True)
    finally:
        for neighbour in neighbours:
            neighbour.kill()
            neighbour.wait()
    print(f"{passed} passed, {options.rounds - passed} failed")
    return int(passed < options.rounds)


if __name__ == "__main__":
    sys.exit(main())
