"""The examples in docstrings, in the README and in docs/library.md run.

An example may use the public names of its module, `np`, `tf`, `keras` and `ops`, the arrays of
`arrays` and the files of `files` below; all else it makes itself.
"""

import ast
import importlib
import re
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from PIL import Image

from data.image_io import write_rgb

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("callbacks", "config", "data", "inference", "jobs", "losses", "metrics", "models")


def docstrings(path):
    """The name and the docstring of a module, and of its classes and functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield getattr(node, "name", ""), ast.get_docstring(node) or ""


def example_of(docstring):
    """The code below the line `Example:`, or nothing."""
    _, found, rest = f"\n{docstring}\n".partition("\nExample:\n")
    lines = []
    for line in rest.splitlines() if found else ():
        if line and not line.startswith(" "):
            break
        lines.append(line)
    return textwrap.dedent("\n".join(lines))


def examples():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).glob("**/*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for name, docstring in docstrings(path):
                if code := example_of(docstring):
                    yield pytest.param(module, code, id=f"{module}:{name}".rstrip(":"))


def examples_of_pages():
    for page in ("README.md", "docs/library.md"):
        text = (ROOT / page).read_text("utf-8")
        for number, code in enumerate(re.findall(r"```python\n(.*?)```", text, re.DOTALL), start=1):
            yield pytest.param(code, id=f"{page} {number}")


@pytest.mark.usefixtures("without_graphs")
@pytest.mark.parametrize("code", examples_of_pages())
def test_an_example_of_a_page_runs(code, files, here):
    names = {}
    exec(compile(code, "<example of a page>", "exec"), names)
    if (here / "colored.jpg").exists():
        with Image.open(here / "colored.jpg") as colored:
            assert (colored.size, colored.mode) == ((64, 48), "RGB")
    if "colored" in names:
        assert (names["colored"].shape, names["colored"].dtype) == ((512, 512, 3), "uint8")


@pytest.fixture
def files(here, vgg19_weights, lpips_weights, feature_network):
    """Makes a photograph, a folder of six, and weights, where the example runs."""
    random = np.random.default_rng(0)
    for number in range(6):
        colors = random.uniform(0, 255, (1, 1, 3)) + random.normal(0, 20, (48, 64, 3))
        path = here / "my_photographs" / f"{number}.jpg"
        write_rgb(path, colors.clip(0, 255).astype("uint8"))
    gray = random.uniform(0, 255, (48, 64, 1)).repeat(3, axis=2)
    write_rgb(here / "gray.jpg", gray.astype("uint8"))
    write_rgb(here / "beach.jpg", random.uniform(0, 255, (48, 64, 3)).astype("uint8"))
    (here / "weights").mkdir()
    (here / "weights" / "pretrained").symlink_to(ROOT / "weights" / "pretrained")
    (here / "vgg19.npz").symlink_to(vgg19_weights)
    (here / "lpips_alexnet.npz").symlink_to(lpips_weights)
    (here / "features.keras").symlink_to(feature_network)


def arrays():
    """Two images of 32 px, as the networks and as the metrics have them, by name."""
    random = np.random.default_rng(0)
    shapes = {"lightness": 1, "true_ab": 2, "colored_ab": 2, "true_rgb1": 3, "colored_rgb1": 3}
    return {
        name: tf.constant(random.uniform(0.0, 1.0, (2, 32, 32, channels)), tf.float32)
        for name, channels in shapes.items()
    }


@pytest.mark.usefixtures("files", "without_graphs")
@pytest.mark.parametrize(("module", "code"), list(examples()))
def test_an_example_runs(module, code):
    public = {
        name: value
        for name, value in vars(importlib.import_module(module)).items()
        if not name.startswith("_")
    }
    keras.utils.set_random_seed(0)
    exec(
        compile(code, f"<example of {module}>", "exec"),
        {**public, "np": np, "tf": tf, "keras": keras, "ops": ops, **arrays()},
    )
