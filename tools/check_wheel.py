"""Check what is in a wheel before anybody installs it.

    python tools/check_wheel.py PATH...      wheels, or folders of them

Prints the size, the tag and the number of files; what is wrong with a wheel is said, and ends with status 1.
"""

from __future__ import annotations

import json
import re
import sys
from email.parser import BytesParser
from pathlib import Path, PurePosixPath

from finish_wheel import read_members, record, wheels_of

MOST_BYTES = 3_000_000
LICENCES = ("LICENSE", "fastnn/data/LICENSE.digits")
NEEDED = ("fastnn/py.typed", "fastnn/data/digits.npz")
SUFFIXES = {".py", ".pyi", ".so", ".pyd", ".npz", ".typed"}
PAGE, PAGE_SUFFIXES = "fastnn/playground/static", {".html", ".css", ".js", ".svg"}  # what a browser is sent
# Runtimes of threads: another copy in a process with PyTorch or scikit-learn, each with threads of its own.
RUNTIMES = re.compile(rb"(libgomp|libomp|libiomp|vcomp)[\w.-]*\.(so|dll|dylib)[\w.]*")
TAG = re.compile(r"-(cp3\d+-cp3\d+t?)-((manylinux|musllinux)_\S+|macosx_\S+|win_amd64)\.whl$")


def wrong_names(members: dict[str, bytes], info: str) -> list[str]:
    """Return complaints about files that should not be there, or are missing."""
    complaints = []
    for name in members:
        path = PurePosixPath(name)
        if path.parts[0] not in ("fastnn", info) or {"tests", "test"} & set(path.parts):
            complaints.append(f"{name} is no part of the package")
        elif path.parts[0] == "fastnn" and path.suffix not in (PAGE_SUFFIXES if str(path.parent) == PAGE else SUFFIXES):
            complaints.append(f"{name} is not used at run time")
    stubs = {name.split(".")[0] for name in members if name.startswith("fastnn/_core/") and name.endswith(".pyi")}
    extensions = {name.split(".")[0] for name in members if name.endswith((".so", ".pyd"))}
    complaints += [f"{stub} has a stub and no extension" for stub in sorted(stubs - extensions)]
    complaints += [f"{name} is missing" for name in NEEDED if name not in members]
    return complaints


def wrong_metadata(members: dict[str, bytes], info: str) -> list[str]:
    """Return complaints about licences, the bill of materials and RECORD."""
    metadata = BytesParser().parsebytes(members[f"{info}/METADATA"])
    complaints = [f"licence {name} is missing" for name in LICENCES if f"{info}/licenses/{name}" not in members]
    if metadata["License-Expression"] != "BSD-3-Clause AND CC-BY-4.0":
        complaints.append(f"License-Expression is {metadata['License-Expression']}")
    bill = members.get(f"{info}/sboms/fastnn.cdx.json")
    if bill is None:
        complaints.append("it has no bill of materials")
    else:
        itself = json.loads(bill)["metadata"]["component"]
        if (itself["name"], itself["version"]) != (metadata["Name"], metadata["Version"]):
            complaints.append(f"the bill of materials is that of {itself['name']} {itself['version']}")
    own = f"{info}/RECORD"
    if record({name: content for name, content in members.items() if name != own}, own) != members[own]:
        complaints.append("RECORD does not list the files as they are")
    return complaints


def check(wheel: Path) -> list[str]:
    """Return what is wrong with a wheel, a sentence each."""
    members = read_members(wheel)
    info = next(PurePosixPath(name).parent.name for name in members if name.endswith(".dist-info/RECORD"))
    complaints = wrong_names(members, info) + wrong_metadata(members, info)
    if not TAG.search(wheel.name):
        complaints.append(f"the tag of {wheel.name} is none that PyPI takes")
    if wheel.stat().st_size >= MOST_BYTES:
        complaints.append(f"it has {wheel.stat().st_size} bytes, {MOST_BYTES} are the most")
    for name, content in members.items():
        runtime = name.endswith((".so", ".pyd")) and RUNTIMES.search(content)
        if runtime:
            complaints.append(f"{name} loads {runtime[0].decode()}; threads are our own")
    return complaints


def main(paths: list[str]) -> int:
    """Check each wheel; return the status."""
    found = 0
    for path in wheels_of(paths):
        complaints = check(path)
        print(f"{path.name}: {path.stat().st_size} bytes, {len(read_members(path))} files")
        print("".join(f"  {complaint}\n" for complaint in complaints), end="")
        found += len(complaints)
    return found > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
