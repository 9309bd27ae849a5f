"""Every floor of the project imports only from the floors below it."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# From the top to the bottom.
FLOORS = (
    *("run", "jobs", "config", "callbacks", "inference", "metrics", "models", "losses", "data"),
    "lazy_imports",
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
def test_module_imports_only_from_its_floor_and_those_below(path):
    floor = FLOORS.index(path.relative_to(ROOT).parts[0].removesuffix(".py"))
    for name in imported_floors(path):
        assert FLOORS.index(name) >= floor


def imported_folders(path):
    """Yields the folders that a module imports from, or the modules at the top level."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            module = ROOT / node.module.replace(".", "/")
            if module.is_dir():
                yield module
            elif module.with_suffix(".py").exists():
                yield module.parent if module.parent != ROOT else module


def test_folders_have_no_circular_imports():
    folders = {}
    for path in FILES:
        folder = path.parent if path.parent != ROOT else path.with_suffix("")
        folders.setdefault(folder, set()).update(set(imported_folders(path)) - {folder})
    # Raises CycleError, which names the folders.
    assert set(graphlib.TopologicalSorter(folders).static_order()) >= set(folders)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_module_has_a_docstring(path):
    source = path.read_text("utf-8")
    assert not source or ast.get_docstring(ast.parse(source))
