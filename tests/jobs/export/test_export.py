"""Exported networks are read back, compared, and come with a sample that colors a photograph.

The tests of a runtime that is not installed are skipped.
"""

import dataclasses
import functools
import os
import re
import runpy
import shutil
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import color, data

import run
from config.groups.presets import PRETRAINED_WEIGHTS
from errors import InputError
from inference.photo_colorizer import PhotoColorizer
from jobs.export.formats import FORMATS

SIDE = 64

# Drops a file on the page, as a person does.
DROP = """([bytes, name]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name));
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
}"""

# The pixels of the colored photograph on the page.
PIXELS = """() => {
  const canvas = document.getElementById("colored");
  return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
}"""


def export(output_dir, *arguments):
    return run.main(["--export", *arguments, "--output_dir", str(output_dir)])


@pytest.fixture(scope="module")
def gray(tmp_path_factory):
    """The path of a photograph in gray, not square."""
    path = tmp_path_factory.mktemp("photographs") / "gray.png"
    Image.fromarray(data.coffee()).convert("L").resize((300, 200)).save(path)
    return path


def ab_of(path_or_pixels):
    if not isinstance(path_or_pixels, np.ndarray):
        with Image.open(path_or_pixels) as image:
            path_or_pixels = np.asarray(image.convert("RGB"))
    return color.rgb2lab(path_or_pixels)[..., 1:]


@pytest.fixture(scope="module")
def saved_model(weights, tmp_path_factory):
    """The folder of an exported SavedModel."""
    folder = tmp_path_factory.mktemp("exported")
    assert export(folder, "saved_model", "--weights", weights) == 0
    return folder / "saved_model"


def test_what_lies_beside_a_network(saved_model):
    assert {path.name for path in saved_model.iterdir()} == {"README.md", "color.py", "colorizer"}
    assert [path.name for path in saved_model.parent.iterdir()] == ["saved_model"]
    readme = (saved_model / "README.md").read_text()
    assert "| input | `lightness` | 1 x 32 x 32 x 1 | L / 50 - 1: from -1, black," in readme
    assert "| output | `ab` | 1 x 32 x 32 x 2 | a / 110 and b / 110, each in [-1, 1] |" in readme


def test_a_sample_colors_like_the_program(saved_model, weights, gray):
    sample = runpy.run_path(str(saved_model / "color.py"))
    with Image.open(gray) as image:
        colored = np.asarray(sample["color"](image))
    true = PhotoColorizer.from_folder(weights).color_array(np.asarray(Image.open(gray)))
    # The program upsamples colors along edges, and pales those that no screen shows.
    assert np.abs(ab_of(colored) - ab_of(true)).mean() < 2.0
    assert np.abs(color.rgb2lab(colored)[..., 0] - color.rgb2lab(true)[..., 0]).mean() < 1.0


def test_a_later_export_takes_the_place_of_an_earlier_one(saved_model, weights, here, capsys):
    folder = here / "out" / "saved_model"
    shutil.copytree(saved_model, folder)
    (folder / "notes.txt").write_text("mine")
    assert export("out", "saved_model", "--weights", weights, "--export_size", "16") == 0
    printed = capsys.readouterr().out
    difference = re.search(r"ab differs from that of Keras (by at most [\d.e-]+, .*)\n", printed)
    readme = (folder / "README.md").read_text()
    assert "1 x 16 x 16 x 1" in readme
    assert difference[1] in " ".join(readme.split())
    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("predict", "words"),
    [
        # NaN, which no bound is below, is removed too.
        pytest.param(
            "ab + 0.01",
            "ab differs by up to 1.1, and 0.05 is the bound; it is removed",
            marks=pytest.mark.slow,
        ),
        ("ab * float('nan')", "ab differs by up to nan, and 0.05 is the bound; it is removed"),
        ("no_such_name", "cannot be converted, or not be read back: name 'no_such_name' is"),
    ],
)
def test_what_colors_otherwise_than_keras_is_removed(
    weights, here, monkeypatch, capsys, predict, words
):
    original = FORMATS["saved_model"]
    code = original.predict.replace("return ", "ab = ") + f"\n    return {predict}"
    monkeypatch.setitem(FORMATS, "saved_model", dataclasses.replace(original, predict=code))
    assert export("out", "saved_model", "--weights", weights) == 2
    errors = capsys.readouterr().err
    assert words in errors
    assert errors.startswith("error: --export saved_model: ")
    assert errors.count("\n") == 1
    assert not list((here / "out").iterdir())


def test_a_package_that_is_missing_is_named(weights, here, monkeypatch, capsys):
    packages = {"no_such_module": "no-such-package", "numpy": "numpy"}
    monkeypatch.setitem(FORMATS, "onnx", dataclasses.replace(FORMATS["onnx"], packages=packages))
    assert export("out", "onnx", "--weights", weights) == 2
    assert capsys.readouterr().err == (
        "error: --export: ONNX Runtime needs packages that are not installed; python -m pip "
        "install no-such-package\n"
    )
    assert not (here / "out").exists()


def test_a_size_that_the_weights_cannot_have_is_one_line(weights, here, capsys):
    assert export("out", "saved_model", "--weights", weights, "--export_size", "4096") == 2
    assert capsys.readouterr().err.startswith("error: --render_size: images of 4096 px need ")
    assert not (here / "out").exists()


def require(name, quantize=False):
    try:
        FORMATS[name].check_packages(quantize)
    except InputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Returns a function that exports the default weights once and returns the folder."""
    root = tmp_path_factory.mktemp("exported")

    def make(name, quantize):
        require(name, quantize)
        folder = root / str(quantize)
        if not (folder / name).exists():
            option = ["--quantize"] if quantize else []
            assert export(folder, name, "--export_size", str(SIDE), *option) == 0
        return folder / name

    return make


@functools.cache
def true_ab(gray):
    """The ab of the photograph as the program colors it."""
    colorizer = PhotoColorizer.from_folder(PRETRAINED_WEIGHTS / "sagan", SIDE, "float32")
    with Image.open(gray) as image:
        return ab_of(colorizer.color_array(np.asarray(image)))


@pytest.mark.parametrize(
    ("name", "quantize"),
    [
        *(("onnx", False), ("litert", False), ("openvino", False)),
        *(("onnx", True), ("litert", True)),
    ],
)
def test_a_sample_needs_its_runtime_alone(name, quantize, exported, gray, tmp_path):
    folder = exported(name, quantize)
    code = (
        "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], None, '__main__');"
        "assert not {'tensorflow', 'keras', 'skimage'} & set(sys.modules)"
    )
    colored = tmp_path / "colored.png"
    command = [sys.executable, "-c", code, folder / "color.py", gray, colored]
    subprocess.run(command, check=True, cwd=tmp_path)
    distance = np.abs(ab_of(colored) - true_ab(gray))
    print(f"{name}: ab is {distance.mean():.2f} from that of --images on average")
    # 0.6: the program upsamples colors along edges.
    assert distance.mean() < 1.0


@pytest.mark.parametrize("name", ["onnx", "litert"])
def test_weights_of_8_bits_are_a_quarter(name, exported):
    whole, small = (exported(name, quantize) / FORMATS[name].file for quantize in (False, True))
    assert small.stat().st_size < 0.3 * whole.stat().st_size


@pytest.fixture
def site(exported, tmp_path):
    """The address of a server of the folder of an ONNX file with ONNX Runtime Web."""
    runtime = os.environ.get("ONNXRUNTIME_WEB")
    if not runtime:
        pytest.skip("ONNXRUNTIME_WEB does not name a folder with the npm package onnxruntime-web")
    folder = tmp_path / "onnx"
    shutil.copytree(exported("onnx", True), folder)
    (folder / "ort").mkdir()
    for name in ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"):
        shutil.copy(Path(runtime) / "dist" / name, folder / "ort")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_the_page_colors_a_dropped_photograph(site, browser, gray):
    from playwright.sync_api import expect

    page = browser.new_page()
    problems, asked = [], []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site)
    expect(page.get_by_role("status")).to_have_text("The network is ready.", timeout=60_000)
    page.evaluate(DROP, [list(gray.read_bytes()), "gray.png"])
    expect(page.get_by_role("status")).to_contain_text("gray.png is colored", timeout=60_000)
    pixels = np.array(page.evaluate(PIXELS), "uint8").reshape(200, 300, 4)[..., :3]
    assert np.abs(ab_of(pixels) - true_ab(gray)).mean() < 1.0
    assert not problems
    assert all(url.startswith((site, f"blob:{site}", "data:")) for url in asked)
