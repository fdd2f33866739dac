"""What is written down more than once agrees: versions, tools, names of targets; other machines are refused."""

import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import fastnn

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WORKFLOWS = sorted((ROOT / ".github").rglob("*.yml"))


def test_the_distribution_has_another_name_than_the_import():
    assert PROJECT["project"]["name"] == "fastnn-core"
    texts = [path.read_text() for folder in ("fastnn", "docs") for path in (ROOT / folder).rglob("*.[pm][yd]")]
    texts.append((ROOT / "README.md").read_text())
    wrong = [found for text in texts for found in re.findall(r'pip install "?fastnn(?![-\w.])[^`]{0,20}', text)]
    assert all("would bring another project" in text for text in texts if "pip install fastnn`" in text), wrong
    assert all(found == "pip install fastnn" for found in wrong)


def test_the_files_agree_on_the_version(tmp_path):
    pytest.importorskip("packaging.version")
    problems = runpy.run_path(ROOT / "tools/check_release.py")["release_problems"]
    wrong = [line for line in problems(ROOT) if "what is unreleased" not in line]
    assert wrong == []
    for name in ("fastnn/_version.py", "CITATION.cff", "CHANGELOG.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "CITATION.cff").write_text("version: 0.0.9\n")
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n\n## Unreleased\n\n- something\n\n## 0.0.8\n")
    assert problems(tmp_path) == [
        f"CITATION.cff has version 0.0.9, fastnn/_version.py has {fastnn.__version__}",
        f"CHANGELOG.md: what is unreleased belongs under {fastnn.__version__}",
        f"CHANGELOG.md: the newest release is 0.0.8, not {fastnn.__version__}",
    ]


def test_hooks_before_a_commit_have_the_versions_of_the_tools():
    pinned = dict(item.split("==") for item in PROJECT["project"]["optional-dependencies"]["dev"] if "==" in item)
    text = (ROOT / ".pre-commit-config.yaml").read_text()
    hooks = dict(re.findall(r"repo: \S+/(?:mirrors-)?([\w-]+?)(?:-pre-commit)?\n    rev: v(\S+)", text))
    assert len(hooks) == 4 and hooks == {name: pinned[name] for name in hooks}


def test_workflows_are_yaml_and_test_every_python_that_gets_a_wheel():
    yaml = pytest.importorskip("yaml")
    loaded = {path.name: yaml.safe_load(path.read_text()) for path in WORKFLOWS}
    assert set(loaded) >= {"tests.yml", "docs.yml", "wheels.yml", "instructions.yml", "bug.yml"}
    versions = loaded["tests.yml"]["jobs"]["suite"]["strategy"]["matrix"]["python"]
    built = [name.removeprefix("cp3").removesuffix("-*") for name in PROJECT["tool"]["cibuildwheel"]["build"]]
    assert versions == [f"3.{name}" for name in built]
    assert f">={versions[0]}" == PROJECT["project"]["requires-python"]


def test_workflows_run_targets_that_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets = {
        name for path in WORKFLOWS for name in re.findall(r"make PYTHON=python ([a-z -]+)$", path.read_text(), re.M)
    }
    targets |= set(re.findall(r"`make ([\w-]+)`", (ROOT / "docs/releasing.md").read_text()))
    for target in " ".join(targets).split():
        assert target == "docs" or re.search(rf"^{target}:", makefile, re.M), target


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("platform.machine = lambda: 's390x'; sys.byteorder = 'big'", "s390x, 64 bits, big-endian"),
        ("platform.machine = lambda: 'armv7l'; sys.maxsize = 2**31 - 1", "armv7l, 32 bits, little-endian"),
        ("sys.maxsize = 2**31 - 1", "32 bits"),
    ],
)
def test_other_machines_are_refused_before_anything_is_compiled(change, said):
    for needed in ("Cython.Build", "setuptools"):
        pytest.importorskip(needed)
    code = f"import platform, runpy, sys\nimport numpy, Cython.Build, setuptools\n{change}\nrunpy.run_path('setup.py')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("fastnn has kernels for x86-64 and aarch64"), done.stderr
    assert said in done.stderr


@pytest.mark.skipif(not shutil.which("gcc"), reason="no gcc")
@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["-U__SIZEOF_POINTER__", "-UUINTPTR_MAX", "-DTEST_32"], "fastnn needs 64-bit addresses"),
        (["-U__BYTE_ORDER__", "-D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__"], "fastnn needs a little-endian processor"),
    ],
)
def test_compilers_for_other_machines_are_refused(tmp_path, flags, said):
    source = tmp_path / "probe.c"
    source.write_text(
        "#include <stdint.h>\n#ifdef TEST_32\n#undef UINTPTR_MAX\n#define UINTPTR_MAX UINT32_MAX\n#endif\n"
        '#include "fastnn.h"\n'
    )
    command = ["gcc", "-w", *flags, "-fsyntax-only", f"-I{ROOT / 'src_c'}", source]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0 and said in done.stderr
