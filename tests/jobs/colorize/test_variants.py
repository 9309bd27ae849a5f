"""Variants of each photograph, and the sheet of them."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

import run
from tests.jobs.colorize.photographs import files_below

NAMES = ("calm", "as_is", "vivid", "sagan", "chromagan", "pix2pix")


@pytest.fixture
def color(here, weights, monkeypatch):
    """Writes two gray photographs, and returns a function that colors their folder.

    The weights `sagan` ship, and no others.
    """
    for name in ("a.png", "sub/b.jpg"):
        path = here / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.linear_gradient("L").resize((64, 48)).save(path)
    shutil.copytree(weights, here / "pretrained/sagan")
    monkeypatch.setattr("jobs.common.pretrained_colorizers.PRETRAINED_WEIGHTS", here / "pretrained")

    def call(*arguments, weights=weights):
        return run.main(
            ["--images", "photos", "--weights", weights, "--output_dir", "out", *arguments]
        )

    return call


def chroma(path):
    return np.hypot(*np.moveaxis(rgb2lab(np.asarray(Image.open(path)))[..., 1:], -1, 0)).mean()


def test_files_and_a_sheet_are_written_beside_the_result(color, here, capsys):
    assert color("--variants", "3", "--saturation", "0.5", "--suffix", "_c", "--comparison") == 0
    endings = ["", "_comparison", "_variants", *(f"_{name}" for name in NAMES[:3])]
    assert files_below(here / "out") == {
        *(f"a_c{ending}.png" for ending in endings),
        *(f"sub/b_c{ending}.jpg" for ending in endings),
    }
    paler, calm, as_is, vivid = (
        chroma(here / f"out/a_c{ending}.png") for ending in ("", "_calm", "_as_is", "_vivid")
    )
    assert paler == pytest.approx(0.5 * as_is, rel=0.1)
    assert calm < as_is < vivid
    width, height = Image.open(here / "out/a_c_variants.png").size
    assert width > 3 * 64
    assert height > 48
    assert "2 colored, 0 skipped" in capsys.readouterr().out


def test_what_is_there_is_kept_and_what_is_missing_is_added(color, here, capsys):
    assert color("--variants", "2") == 0
    before = {path: os.stat(here / "out" / path).st_mtime_ns for path in files_below(here / "out")}
    assert color("--variants", "2") == 0
    assert "0 colored, 2 skipped" in capsys.readouterr().out
    os.remove(here / "out/a_calm.png")
    assert color("--variants", "2") == 0
    assert "1 colored, 1 skipped" in capsys.readouterr().out
    after = {path: os.stat(here / "out" / path).st_mtime_ns for path in files_below(here / "out")}
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {"a_calm.png", "a_variants.png"}
    assert color("--variants", "2", "--overwrite") == 0
    assert "2 colored, 0 skipped" in capsys.readouterr().out


@pytest.mark.parametrize("options", [["--suffix", "_c"], ["--format", "webp"]])
def test_earlier_variants_and_sheets_are_no_photographs(color, here, options):
    beside = ["--output_dir", "photos", *options]
    assert color("--variants", "2", *beside) == 0
    written = files_below(here / "photos")
    # Results of this format without a suffix are taken for photographs whose result they are.
    assert color(*beside, "--variants", "2") == ("--format" in options)
    assert files_below(here / "photos") == written


def test_weights_that_are_missing_are_left_out_with_a_note(color, here, weights, capsys):
    assert color("--variants", "5") == 0
    assert "the variant chromagan is left out, because its weights are" in capsys.readouterr().err
    assert {"a_sagan.png", "a_variants.png"} <= files_below(here / "out")
    assert "a_chromagan.png" not in files_below(here / "out")
    for name, said in (("as_is", weights), ("sagan", "sagan")):
        xmp = Image.open(here / f"out/a_{name}.png").info["xmp"]
        assert f"{os.path.basename(said)}, SHA-256".encode() in xmp


def test_more_variants_than_there_are_is_a_one_line_error(color, here, capsys):
    assert color("--variants", "7") == 2
    error = capsys.readouterr().err
    assert f"there are 6 variants of these weights ({', '.join(NAMES)}); give at most 6" in error
    # The weights that color are no variant of themselves.
    assert color("--variants", "6", weights="pretrained/sagan") == 2
    assert "there are 5 variants" in capsys.readouterr().err
    assert not (here / "out").exists()


def test_a_file_of_hints_asks_for_a_variant(color, here, capsys):
    assert color("--variants", "4") == 0
    for name in ("vivid", "sagan"):
        hints = {"version": 1, "variant": name}
        (here / "photos/a.png.hints.json").write_text(json.dumps(hints))
        assert color("--output_dir", name) == 0
        wanted = (here / f"out/a_{name}.png").read_bytes()
        assert (here / name / "a.png").read_bytes() == wanted
    (here / "photos/a.png.hints.json").write_text('{"version": 1, "variant": "pix2pix"}')
    capsys.readouterr()
    assert color("--overwrite") == 1
    [line] = [line for line in capsys.readouterr().err.splitlines() if "failed" in line]
    assert "a.png.hints.json: the weights pix2pix are not at" in line


def test_a_photograph_that_fails_is_named_once(color, here, capsys):
    (here / "photos/a.png").write_text("no photograph")
    assert color("--variants", "2") == 1
    captured = capsys.readouterr()
    assert captured.err.count("failed: ") == 1
    assert "1 colored, 0 skipped because they already exist, 1 failed" in captured.out
    assert files_below(here / "out") == {
        f"sub/b{ending}.jpg" for ending in ("", "_calm", "_as_is", "_variants")
    }


def test_shards_have_each_photograph_with_all_of_its_variants(color, here):
    for part in ("1/2", "2/2"):
        assert color("--variants", "2", "--shard", part) == 0
    assert len(files_below(here / "out")) == 8
