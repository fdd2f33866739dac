"""The time until `import fastnn` is done, in a new process, beside NumPy's, which is part of it."""

import subprocess
import sys

from common import Record, run


def prepare(module, size, dtype):
    return lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True)


RECORDS = (Record("import", prepare, {"": None}, None, contenders=("fastnn", "numpy"), dtypes=("",)),)


def bench_import(case, benchmark):
    run(case, benchmark)
