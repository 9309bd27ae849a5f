"""Each format is read by its runtime alone.

The tests of a runtime that is not installed are skipped.
"""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from jobs.export.formats import FORMATS
from tests.jobs.export.exported import ab_of, export, true_ab


def test_a_package_that_is_missing_is_named(weights, here, monkeypatch, capsys):
    packages = {"no_such_module": "no-such-package", "numpy": "numpy"}
    monkeypatch.setitem(FORMATS, "onnx", dataclasses.replace(FORMATS["onnx"], packages=packages))
    assert export("out", "onnx", "--weights", weights) == 2
    assert capsys.readouterr().err == (
        "error: --export: ONNX Runtime needs packages that are not installed; python -m pip "
        "install no-such-package\n"
    )
    assert not (here / "out").exists()


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
