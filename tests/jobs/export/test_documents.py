"""A sample and a README lie beside an exported network, and a page that colors in the browser."""

import functools
import os
import runpy
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import color

from inference.photo_colorizer import PhotoColorizer
from tests.jobs.export.exported import ab_of, true_ab

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
