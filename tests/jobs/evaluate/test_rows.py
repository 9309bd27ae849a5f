"""Rows have short, unique names, and color as the program does."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import run
from data.image_io import write_rgb
from jobs.evaluate.rows import CONSTANT, GRAY, TRUTH, short_names
from tests.jobs.evaluate.evaluated import FEW, pixels_of, rows_of

FIXED = (TRUTH, GRAY, CONSTANT)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["weights/sagan"], ["sagan"]),
        (["weights/a", "weights/b"], ["a", "b"]),
        (["a/sagan", "b/sagan", "other"], ["a/sagan", "b/sagan", "other"]),
        (["1/x/sagan", "2/x/sagan", "3/sagan"], ["1/x/sagan", "2/x/sagan", "3/sagan"]),
        (["/home/me/sagan", "/home/you/sagan"], ["me/sagan", "you/sagan"]),
        (["here/sagan", "here/sagan/sagan"], ["here/sagan", "sagan/sagan"]),
        (["my weights/", "./x/../theirs"], ["my weights", "theirs"]),
        ([], []),
    ],
)
def test_names_are_the_shortest_path_endings_that_tell_folders_apart(paths, names):
    assert short_names(list(map(Path, paths)), FIXED) == names


def test_dots_are_resolved_to_the_name_of_the_folder(tmp_path, monkeypatch):
    (tmp_path / "mine" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "mine" / "deep")
    assert short_names([Path("."), Path("..")]) == ["deep", "mine"]


@pytest.mark.parametrize("taken", FIXED)
def test_no_folder_has_the_name_of_a_fixed_row(taken):
    assert short_names([Path("one", taken), Path("two")], FIXED) == [f"one/{taken}", "two"]
    assert short_names([Path("one", taken)]) == [taken]


def test_folders_below_the_root_are_named_by_their_path():
    names = short_names([Path("/weights"), Path("/old/weights"), Path("/gray")], FIXED)
    assert names == ["/weights", "old/weights", "/gray"]


def test_weights_run_at_their_own_render_size(evaluate, images, weights):
    options = ["--weights", weights, "--images", "images/0.png", "--json"]
    assert run.main(["--evaluate", *FEW[:-2], *options]) == 0
    sizes = [row["render_size"] for row in rows_of("results/evaluation.json")]
    # Gray has no network.
    assert sizes == [None, 32]


def test_weights_color_images_as_they_color_photographs(evaluate, images, drawn, weights, here):
    size = ["--render_size", "24"]
    assert evaluate("--dataset", "images", "--sample_count", "9", *size) == 0
    [evaluated] = [drawn[name] for name in drawn if name == Path(weights).name]
    true = drawn["truth"]
    for number, pixels in enumerate(true):
        write_rgb(here / "squares" / f"{number}.png", pixels)
    options = [*size, "--weights", weights, "--precision", "float32", "--output_dir", "colored"]
    assert run.main(["--images", "squares", *options]) == 0
    for number, pixels in enumerate(evaluated):
        np.testing.assert_array_equal(pixels_of(here / "colored" / f"{number}.png"), pixels)


def test_hints_have_rows_of_their_own_and_bring_colors_nearer_to_the_truth(
    evaluate, images, weights
):
    assert evaluate("--dataset", "images", "--hint_counts", "0", "40", "--seed", "3", "--json") == 0
    rows = {row["name"]: row for row in rows_of("results/evaluation.json")}
    name = os.path.basename(weights)
    assert [(name, row["hints"]) for name, row in rows.items()] == [
        ("truth", 0),
        ("gray", 0),
        ("constant ab", 0),
        (name, 0),
        (f"{name}, 40 hints", 40),
        (f"{name}, hints spread, 40 hints", 40),
        ("gray, hints spread, 40 hints", 40),
    ]
    assert rows[f"{name}, 40 hints"]["psnr"] > rows[name]["psnr"] + 1.0
    assert rows["gray, hints spread, 40 hints"]["psnr"] > rows["gray"]["psnr"] + 1.0


def test_weights_of_the_same_name_have_rows_of_their_own(evaluate, images, weights, here):
    for path in ("one/gray", "two/gray"):
        shutil.copytree(weights, here / path)
    shutil.copytree(images, here / "truth")
    options = ("--weights", "one/gray", "two/gray", "--predictions", "truth", "--json")
    assert evaluate("--images", "images", *options) == 0
    rows = rows_of("results/evaluation.json")
    assert [row["name"] for row in rows] == ["gray", "one/gray", "two/gray", "truth"]
    assert rows[1]["colorfulness"] == rows[2]["colorfulness"] > rows[0]["colorfulness"]


@pytest.mark.parametrize("option", ["--weights", "--predictions"])
def test_a_folder_that_is_named_twice_is_one_row(evaluate, images, weights, here, option):
    shutil.copytree(weights if option == "--weights" else images, here / "mine")
    names = ("mine", "./mine/", str(here / "mine"))
    assert evaluate("--images", "images", option, *names, "--json") == 0
    names = [row["name"] for row in rows_of("results/evaluation.json")]
    assert names[-1] == "mine"
    assert len(names) == (2 if option == "--weights" else 3)
