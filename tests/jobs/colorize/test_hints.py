"""Coloring with hints from the command line."""

import json
import os

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

import run


@pytest.fixture
def color(here, weights):
    """Writes two gray photographs, and returns a function that colors their folder."""
    for name in ("a.png", "sub/b.png"):
        path = here / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (64, 48), 120).save(path)

    def call(*arguments):
        return run.main(
            ["--images", "photos", "--weights", weights, "--output_dir", "out", *arguments]
        )

    return call


def write_hints(path, color="#a03020", **fields):
    hint = {"x": 0.5, "y": 0.5, "radius": 0.1, "color": color}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": 1, "hints": [hint], **fields}))


def mean_ab(path):
    """The mean ab of the square of the hint."""
    return rgb2lab(np.asarray(Image.open(path)))[20:28, 28:36, 1:].mean(axis=(0, 1))


def test_hints_beside_a_photograph_are_followed_and_outrank_saturation(color, here):
    write_hints(here / "photos/a.png.hints.json", "#806070")
    write_hints(here / "photos/sub/b.hints.json", "gray", saturation=0.5)
    assert color("--saturation", "2") == 0
    wanted = rgb2lab(np.array([[[0x80, 0x60, 0x70]]], "uint8"))[0, 0, 1:]
    np.testing.assert_allclose(mean_ab(here / "out/a.png"), wanted, atol=4.0)
    np.testing.assert_allclose(mean_ab(here / "out/sub/b.png"), 0.0, atol=4.0)


def test_a_folder_of_hints_mirrors_the_photographs(color, here, capsys):
    write_hints(here / "hints/sub/b.png.hints.json", "gray")
    assert color("--hints", "hints", "--flip_average") == 0
    np.testing.assert_allclose(mean_ab(here / "out/sub/b.png"), 0.0, atol=4.0)
    assert np.abs(mean_ab(here / "out/a.png")).max() > 4.0
    assert color("--hints", "out", "--overwrite") == 2
    assert "no file in it is named like a photograph" in capsys.readouterr().err
    assert color("--hints", "hints/sub/b.png.hints.json") == 2
    assert "is for one photograph; received 2; give a folder" in capsys.readouterr().err
    assert color("--hints", "absent") == 2
    assert "--hints absent: there is no such file or folder" in capsys.readouterr().err


def test_bad_hints_fail_their_photograph_alone(color, here, capsys):
    write_hints(here / "photos/a.png.hints.json", "no color")
    assert color() == 1
    captured = capsys.readouterr()
    [line] = [line for line in captured.err.splitlines() if "failed" in line]
    assert "photos/a.png: photos/a.png.hints.json: hint 1: `color` should be" in line
    # Files of hints are no other files.
    assert "passed over" not in captured.err
    assert (here / "out/sub/b.png").exists()
    assert not (here / "out/a.png").exists()


def test_newer_hints_color_a_photograph_again(color, here, capsys):
    assert color() == 0
    write_hints(here / "photos/a.png.hints.json")
    later = os.path.getmtime(here / "out/a.png") + 10
    os.utime(here / "photos/a.png.hints.json", (later, later))
    assert color() == 0
    assert "1 colored, 1 skipped" in capsys.readouterr().out
    os.utime(here / "out/a.png", (later, later))
    assert color() == 0
    assert "0 colored, 2 skipped" in capsys.readouterr().out
