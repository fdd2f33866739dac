"""The extensions. Everything static is in pyproject.toml."""

import os
import platform
import shutil
import sys
import tempfile
from glob import glob

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

MODULES = [
    "dispatch",
    "arrays",
    "threads",
    "random",
    "activations",
    "parametric",
    "softmax",
    "embedding",
    "embedding_bag",
    "distances",
    "columns",
    "linear",
    "targets",
    "weights",
    "losses",
    "metrics",
    "batches",
    "dropout",
    "normalization",
    "group_norm",
    "parameters",
    "resolve",
    "rules",
    "matrix_rules",
    "optimizers",
    "operations",
    "loss_operations",
    "interpreter",
    "peak",
    "rows",
    "sparse",
    "int8",
    "lanes",
    "loops",
    "program",
]
# The C floor that a module links; `dispatch` holds the kernels, the others reach them through its table.
C_SOURCES = {
    "dispatch": ["src_c/dispatch.c", *sorted(glob("src_c/isa/*.c"))],
    "threads": ["src_c/process.c", "src_c/pool.c"],
    "random": ["src_c/random.c"],
    "metrics": ["src_c/metrics.c"],
    "batches": ["src_c/batches.c"],
    "rows": ["src_c/rows.c"],
    "columns": ["src_c/columns.c"],
    "targets": ["src_c/targets.c"],
    "weights": ["src_c/weights.c"],
    "losses": ["src_c/losses.c"],
    "embedding": ["src_c/embedding.c"],
    "parameters": ["src_c/parameters.c"],
    "rules": ["src_c/rules.c"],
}
C_HEADERS = sorted(glob("src_c/**/*.h", recursive=True) + glob("src_c/**/*.def", recursive=True))
SHARED = "fastnn._core.cython_shared"  # Cython's own classes and helpers, once instead of in every module
# -fno-trapping-math lets GCC turn selects into vector code. Nothing here relaxes a result: FMAs are written out, and
# -ffast-math and its kin would also change the floating-point mode of the whole process when linked.
FLAGS = ["-g0", "-std=gnu11", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
# Modules that run over elements or over the operations of a step; those that only call them, which are a tenth smaller.
LOOPS, GLUE = ["-O3", *FLAGS], ["-O2", *FLAGS]
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "embedsignature": True,
    "freethreading_compatible": True,
}


def refuse_other_machines():
    """Say so before anything is compiled; src_c/fastnn.h does where the compiler is for another machine than Python."""
    machine, bits = platform.machine(), 64 if sys.maxsize > 2**32 else 32
    if machine not in ("x86_64", "AMD64", "aarch64", "arm64") or bits != 64 or sys.byteorder != "little":
        raise SystemExit(
            "fastnn has kernels for x86-64 and aarch64, both of 64 bits and little-endian; this Python is for "
            f"{machine}, {bits} bits, {sys.byteorder}-endian"
        )


def extension(module):
    return Extension(
        f"fastnn._core.{module}",
        [f"fastnn/_core/{module}.pyx", *C_SOURCES.get(module, [])],
        depends=C_HEADERS,
        include_dirs=["src_c", numpy.get_include()],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
        extra_compile_args=list(LOOPS if module in C_SOURCES or module == "program" else GLUE),
    )


class Build(build_ext):
    """Compile in parallel. FASTNN_OPENMP=1 shares work by OpenMP's threads instead of those of src_c/pool.c."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def build_extensions(self):
        wanted = os.environ.get("FASTNN_OPENMP", "0") != "0"
        if wanted and not self.compiles_openmp():
            raise SystemExit(
                "FASTNN_OPENMP is set, but the compiler does not link OpenMP: install it, or unset FASTNN_OPENMP"
            )
        flag = "-fopenmp" if wanted else "-pthread"
        for ext in self.extensions:
            if ext.name.endswith(".threads"):
                ext.extra_compile_args.append(flag)
                ext.extra_link_args.append(flag)
        if self.compiler.compiler_type == "msvc":
            self.use_clang_cl()
        super().build_extensions()

    def use_clang_cl(self):
        """Microsoft's compiler has neither vector types nor attributes of functions: clang stands in for it."""
        self.compiler.initialize()
        self.compiler.cc = shutil.which("clang-cl")
        if self.compiler.cc is None:
            raise SystemExit(
                "fastnn needs clang-cl on Windows: the component 'C++ Clang tools' of Visual Studio, or LLVM"
            )
        for ext in self.extensions:
            ext.extra_compile_args = [f"/clang:{flag}" for flag in ext.extra_compile_args if flag != "-pthread"]
            ext.extra_link_args = [flag for flag in ext.extra_link_args if flag != "-pthread"]

    def compiles_openmp(self):
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, "probe.c")
            with open(source, "w") as file:
                file.write("#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n")
            try:
                objects = self.compiler.compile([source], output_dir=folder, extra_postargs=["-fopenmp"])
                self.compiler.link_executable(objects, os.path.join(folder, "probe"), extra_postargs=["-fopenmp"])
            except Exception:  # every compiler class of setuptools has its own
                return False
        return True


refuse_other_machines()
setup(
    ext_modules=cythonize(
        [*(extension(m) for m in MODULES), Extension(SHARED, [], extra_compile_args=["-Os", *FLAGS])],
        shared_utility_qualified_name=SHARED,
        compiler_directives=DIRECTIVES,
        nthreads=os.cpu_count(),
    ),
    cmdclass={"build_ext": Build},
)
