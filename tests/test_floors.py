"""The rooms of the package stand on floors: imports go down, also lazy ones and those of annotations, in no circle."""

import ast
from pathlib import Path

import pytest

import fastnn

PACKAGE = Path(fastnn.__file__).parent
# From the lowest on; a module may import from floors below its own, and from its own room.
FLOORS = (
    ("_core", "_version", "_plugged", "_pytest_plugin"),
    ("_validation", "_locks", "_frames", "_html", "_threadpools"),
    ("_schema", "_settings", "files", "reference"),
    ("functional",),
    ("compiler",),
    ("nn",),
    ("gradcheck", "optim"),
    ("data", "metrics", "distributed"),
    ("training",),
    ("c_source", "callbacks", "onnx", "testing"),
    ("torch", "keras", "jax", "thinc", "sklearn", "viz"),
    ("many",),
    ("bench", "course", "playground"),
    ("cli", "launch"),
    ("", "__main__"),  # `import fastnn`
)
HEIGHT = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}


def name_of(path):
    """The module of a file, below `fastnn`, as a tuple of names."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(name, path):
    """The modules of the package that a file imports, at its head, within functions and for annotations."""
    package = name if path.name == "__init__.py" else name[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1] + tuple((node.module or "").split(".")) * bool(node.module)
            for alias in node.names:
                yield (*base, alias.name) if (*base, alias.name) in MODULES else base
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "fastnn":
            base = tuple(node.module.split(".")[1:])
            for alias in node.names:
                yield (*base, alias.name) if (*base, alias.name) in MODULES else base


GRAPH = {name: set(imports(name, path)) - {name} for name, path in MODULES.items()}


@pytest.mark.parametrize("room", sorted({name[0] if name else "" for name in MODULES}))
def test_a_room_imports_from_floors_below_only(room):
    assert room in HEIGHT, f"give {room} a floor"
    up = {
        (".".join(name), ".".join(target))
        for name, targets in GRAPH.items()
        for target in targets
        if (name[0] if name else "") == room != (target[0] if target else "")
        and HEIGHT[target[0] if target else ""] >= HEIGHT[room]
    }
    assert not up


def test_no_file_imports_itself_in_a_circle():
    """Files from which a circle starts are those that are left when those without imports are taken away in turn."""
    graph = {name: {target for target in targets if target in GRAPH} for name, targets in GRAPH.items()}
    while True:
        leaves = {name for name, targets in graph.items() if not targets & graph.keys()}
        if not leaves:
            break
        graph = {name: targets for name, targets in graph.items() if name not in leaves}
    circles = {".".join(name): sorted(".".join(t) for t in targets & graph.keys()) for name, targets in graph.items()}
    assert not circles
