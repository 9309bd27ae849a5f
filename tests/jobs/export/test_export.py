"""Exported networks are read back and compared, and what colors otherwise is removed."""

import dataclasses
import re
import shutil

import pytest

from jobs.export.formats import FORMATS
from tests.jobs.export.exported import export


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


def test_a_size_that_the_weights_cannot_have_is_one_line(weights, here, capsys):
    assert export("out", "saved_model", "--weights", weights, "--export_size", "4096") == 2
    assert capsys.readouterr().err.startswith("error: --render_size: images of 4096 px need ")
    assert not (here / "out").exists()
