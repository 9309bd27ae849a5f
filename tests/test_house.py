"""Every floor of the house imports only from floors below it."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# From the street to the ground.
FLOORS = (
    *("run", "jobs", "config", "callbacks", "inference", "metrics", "models", "losses", "data"),
    "errors",
)

FILES = [
    path
    for path in sorted(ROOT.glob("**/*.py"))
    if path.relative_to(ROOT).parts[0].removesuffix(".py") in FLOORS
]


def imported_floors(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        yield from (name.split(".")[0] for name in names if name.split(".")[0] in FLOORS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_go_down(path):
    floor = FLOORS.index(path.relative_to(ROOT).parts[0].removesuffix(".py"))
    for name in imported_floors(path):
        assert FLOORS.index(name) >= floor


def imported_rooms(path):
    """The folders that a module imports from, or the modules at the top level."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            module = ROOT / node.module.replace(".", "/")
            if module.is_dir():
                yield module
            elif module.with_suffix(".py").exists():
                yield module.parent if module.parent != ROOT else module


def test_no_circle_opens_between_rooms():
    rooms = {}
    for path in FILES:
        room = path.parent if path.parent != ROOT else path.with_suffix("")
        rooms.setdefault(room, set()).update(set(imported_rooms(path)) - {room})
    # Raises CycleError, which names the rooms.
    assert set(graphlib.TopologicalSorter(rooms).static_order()) >= set(rooms)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_modules_open_with_what_they_are(path):
    source = path.read_text("utf-8")
    assert not source or ast.get_docstring(ast.parse(source))
