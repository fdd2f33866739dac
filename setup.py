"""The extensions. Everything static is in pyproject.toml."""

import os
import platform
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
    "columns",
    "linear",
    "losses",
    "metrics",
    "batches",
    "dropout",
    "normalization",
    "parameters",
    "optimizers",
    "operations",
    "peak",
    "rows",
    "program",
]
# The C floor that a module links; `dispatch` holds the kernels, the others reach them through its table.
C_SOURCES = {
    "dispatch": ["src_c/dispatch.c", *sorted(glob("src_c/isa/*.c"))],
    "threads": ["src_c/process.c"],
    "random": ["src_c/random.c"],
}
C_HEADERS = sorted(glob("src_c/**/*.h", recursive=True) + glob("src_c/**/*.def", recursive=True))
# -fno-trapping-math lets GCC turn selects into vector code. Nothing here relaxes a result: FMAs are written out, and
# -ffast-math and its kin would also change the floating-point mode of the whole process when linked.
FLAGS = ["-O3", "-g0", "-std=gnu11", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "embedsignature": True,
    "freethreading_compatible": True,
}


def extension(module):
    return Extension(
        f"fastnn._core.{module}",
        [f"fastnn/_core/{module}.pyx", *C_SOURCES.get(module, [])],
        depends=C_HEADERS,
        include_dirs=["src_c", numpy.get_include()],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
        extra_compile_args=list(FLAGS),
    )


class Build(build_ext):
    """Compile in parallel, with OpenMP where the compiler has it (FASTNN_OPENMP=0 builds without)."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def build_extensions(self):
        if platform.machine() not in ("x86_64", "AMD64", "aarch64", "arm64"):
            raise SystemExit(f"fastnn has kernels for x86-64 and aarch64, not for {platform.machine()}")
        if os.environ.get("FASTNN_OPENMP", "1") != "0" and self.compiles_openmp():
            for ext in self.extensions:
                ext.extra_compile_args.append("-fopenmp")
                ext.extra_link_args.append("-fopenmp")
        else:
            self.warn("building without OpenMP: fastnn will use one thread")
        super().build_extensions()

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


setup(
    ext_modules=cythonize([extension(m) for m in MODULES], compiler_directives=DIRECTIVES, nthreads=os.cpu_count()),
    cmdclass={"build_ext": Build},
)
