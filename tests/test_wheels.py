"""The tools that finish and check wheels, on small wheels made here; `make wheel` runs them on the real one."""

import json
import sys
import zipfile
from pathlib import Path

import pytest

TOOLS = Path(__file__).parent.parent / "tools"
INFO = "fastnn_core-0.2.0.dist-info"
NAME = "fastnn_core-0.2.0-cp311-cp311-manylinux_2_28_x86_64.whl"
METADATA = """Metadata-Version: 2.4
Name: fastnn-core
Version: 0.2.0
License-Expression: BSD-3-Clause AND CC-BY-4.0
Requires-Dist: numpy>=2
Requires-Dist: onnx>=1.19; extra == "onnx"
"""
FILES = {
    "fastnn/__init__.py": b"",
    "fastnn/py.typed": b"",
    "fastnn/_core/rules.pyi": b"",
    "fastnn/_core/rules.cpython-311-x86_64-linux-gnu.so": b"...\0_cython_3_3_1\0...",
    "fastnn/data/digits.npz": b"PK",
    f"{INFO}/METADATA": METADATA.encode(),
    f"{INFO}/WHEEL": b"Wheel-Version: 1.0\n",
    f"{INFO}/licenses/LICENSE": b"BSD",
    f"{INFO}/licenses/fastnn/data/LICENSE.digits": b"CC-BY",
    f"{INFO}/RECORD": b"old",
}


@pytest.fixture
def tools(monkeypatch):
    """The modules of tools/, which is no package."""
    monkeypatch.syspath_prepend(str(TOOLS))
    import check_wheel
    import finish_wheel

    yield finish_wheel, check_wheel
    for name in ("check_wheel", "finish_wheel", "sbom"):
        sys.modules.pop(name, None)


def write(path, files, mode=0o644, date=(2001, 2, 3, 4, 5, 6)):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, date)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return path


def test_equal_contents_are_equal_bytes_whatever_order_date_and_permissions(tools, tmp_path):
    finish, _ = tools
    first = write(tmp_path / "first.whl", FILES)
    second = write(tmp_path / "second.whl", dict(reversed(FILES.items())), 0o600, (1999, 1, 1, 0, 0, 0))
    for wheel in (first, second):
        finish.finish(wheel, 1_700_000_000)
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert {info.date_time for info in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}
        assert archive.namelist()[-1] == f"{INFO}/RECORD"


def test_the_bill_of_materials_says_what_is_in_it_and_what_it_needs(tools, tmp_path):
    finish, _ = tools
    wheel = write(tmp_path / NAME, FILES)
    finish.finish(wheel, 0)
    bill = json.loads(finish.read_members(wheel)[f"{INFO}/sboms/fastnn.cdx.json"])
    itself = bill["metadata"]["component"]
    assert itself["purl"] == "pkg:pypi/fastnn-core@0.2.0"
    assert itself["licenses"] == [{"expression": "BSD-3-Clause AND CC-BY-4.0"}]
    assert [part["bom-ref"] for part in itself["components"]] == ["pkg:pypi/Cython@3.3.1", "fastnn/data/digits.npz"]
    assert [(part["name"], part["properties"][0]["value"]) for part in bill["components"]] == [("numpy", "numpy>=2")]
    assert bill["dependencies"][0] == {"ref": itself["bom-ref"], "dependsOn": ["pkg:pypi/numpy"]}


def test_the_bill_of_materials_is_valid(tools, tmp_path):
    pytest.importorskip("jsonschema", exc_type=ImportError)
    validators = pytest.importorskip("cyclonedx.validation.json", exc_type=ImportError)
    schema = pytest.importorskip("cyclonedx.schema", exc_type=ImportError)
    finish, _ = tools
    wheel = write(tmp_path / NAME, FILES)
    finish.finish(wheel, 0)
    bill = finish.read_members(wheel)[f"{INFO}/sboms/fastnn.cdx.json"].decode()
    assert validators.JsonStrictValidator(schema.SchemaVersion.V1_6).validate_str(bill) is None


def test_a_finished_wheel_has_nothing_wrong(tools, tmp_path, capsys):
    finish, check = tools
    wheel = write(tmp_path / NAME, FILES)
    finish.finish(wheel, 0)
    assert check.check(wheel) == []
    assert check.main([str(tmp_path)]) == 0 and NAME in capsys.readouterr().out


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"tests/test_it.py": b""}, "tests/test_it.py is no part of the package"),
        ({"fastnn/_core/rules.c": b""}, "fastnn/_core/rules.c is not used at run time"),
        ({"fastnn/playground/page.js": b""}, "fastnn/playground/page.js is not used at run time"),
        ({"fastnn_core.libs/libgomp.so.1": b""}, "fastnn_core.libs/libgomp.so.1 is no part of the package"),
        ({"fastnn/_core/rules.cpython-311-x86_64-linux-gnu.so": b"\0libgomp.so.1\0"}, "loads libgomp.so.1"),
        ({"fastnn/_core/losses.pyi": b""}, "fastnn/_core/losses has a stub and no extension"),
        ({f"{INFO}/licenses/LICENSE": None}, "licence LICENSE is missing"),
        ({"fastnn/py.typed": None}, "fastnn/py.typed is missing"),
        ({f"{INFO}/METADATA": METADATA.replace(" AND CC-BY-4.0", "").encode()}, "License-Expression is BSD-3-Clause"),
    ],
)
def test_what_is_wrong_is_said(tools, tmp_path, files, complaint):
    finish, check = tools
    wheel = write(tmp_path / NAME, {name: text for name, text in (FILES | files).items() if text is not None})
    finish.finish(wheel, 0)
    assert any(complaint in line for line in check.check(wheel))


def test_size_tag_record_and_bill_are_checked(tools, tmp_path):
    finish, check = tools
    assert "it has no bill of materials" in check.check(write(tmp_path / NAME, FILES))
    wheel = write(tmp_path / NAME, FILES | {"fastnn/large.py": bytes(i * i % 251 for i in range(10))})
    finish.finish(wheel, 0)
    members = finish.read_members(wheel)
    finish.write_members(wheel, members | {"fastnn/large.py": b"changed"}, 0)
    assert check.check(wheel) == ["RECORD does not list the files as they are"]
    other = wheel.rename(tmp_path / NAME.replace("manylinux_2_28", "linux"))
    assert any("is none that PyPI takes" in line for line in check.check(other))
    check.MOST_BYTES = 100
    assert any("100 are the most" in line for line in check.check(other))


def test_a_folder_without_wheels_is_an_error(tools, tmp_path):
    finish, _ = tools
    with pytest.raises(SystemExit, match="no wheel in"):
        finish.wheels_of([str(tmp_path)])
