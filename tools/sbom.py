"""What a wheel of fastnn consists of and needs, as a CycloneDX bill of materials: read from the wheel alone."""

from __future__ import annotations

import re
import time
from email.parser import BytesParser
from typing import Any

SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
CYTHON = re.compile(rb"_cython_(\d+(?:_\d+)+)")  # of the module in which Cython's classes are shared
NAME = re.compile(r"[A-Za-z0-9._-]+")


def package(name: str, version: str | None, licence: str | None, **more: Any) -> dict[str, Any]:
    """Return a component that is a package of PyPI."""
    purl = f"pkg:pypi/{name}" + (f"@{version}" if version else "")
    component = {"type": "library", "bom-ref": purl, "name": name, "purl": purl} | more
    if version:
        component["version"] = version
    if licence:
        component["licenses"] = [{"expression": licence}]
    return component


def dependencies_of(requirements: list[str]) -> list[dict[str, Any]]:
    """Return the packages that are needed at run time, and not only for an extra; any version in the range will do."""
    components = []
    for requirement in requirements:
        if "extra ==" in requirement:
            continue
        name = NAME.match(requirement)
        assert name is not None, requirement
        ranges = [{"name": "fastnn:requirement", "value": requirement}]
        components.append(package(name[0], None, None, scope="required", properties=ranges))
    return components


def compiled_in(members: dict[str, bytes]) -> list[dict[str, Any]]:
    """Return what of others is part of the files: Cython's code in the extensions, and the digits."""
    extensions = [content for name, content in members.items() if name.endswith((".so", ".pyd"))]
    versions = {match[1].decode().replace("_", ".") for content in extensions for match in CYTHON.finditer(content)}
    components = [
        package("Cython", version, "Apache-2.0", description="code that Cython writes into each extension")
        for version in sorted(versions)
    ]
    digits = {
        "type": "data",
        "bom-ref": "fastnn/data/digits.npz",
        "name": "Optical Recognition of Handwritten Digits",
        "licenses": [{"expression": "CC-BY-4.0"}],
        "externalReferences": [{"type": "website", "url": "https://doi.org/10.24432/C50P49"}],
    }
    return [*components, digits] if "fastnn/data/digits.npz" in members else components


def bill_of_materials(members: dict[str, bytes], info: str, epoch: int) -> dict[str, Any]:
    """Return the bill of a wheel whose files are `members` and whose metadata is in the folder `info`."""
    metadata = BytesParser().parsebytes(members[f"{info}/METADATA"])
    itself = package(metadata["Name"], metadata["Version"], metadata["License-Expression"])
    parts = compiled_in(members)
    needed = dependencies_of(metadata.get_all("Requires-Dist", []))
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch)),
            "component": itself | {"components": parts},
        },
        "components": needed,
        "dependencies": [
            {"ref": itself["bom-ref"], "dependsOn": [component["bom-ref"] for component in needed]},
            *({"ref": component["bom-ref"]} for component in needed),
        ],
    }
