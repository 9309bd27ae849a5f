"""What cannot be evaluated or written is a line, and leaves what was there before."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from metrics.evaluator import Evaluator
from tests.jobs.evaluate.evaluated import all_below, error_line, files_below, rows_of, solid


def test_unusable_images_are_skipped_in_all_rows_and_counted(evaluate, images, here, drawn, capsys):
    shutil.copytree(images, here / "theirs")
    (here / "theirs" / "0.png").write_text("no image")
    solid(here / "theirs" / "1.png", size=(24, 20))
    (here / "theirs" / "2.png").unlink()
    (images / "3.png").write_text("no image")
    options = ("--predictions", "theirs", "--log_dir", "logs", "--sample_count", "10")
    assert evaluate("--images", "images", *options) == 0
    captured = capsys.readouterr()
    title = "6 of 10 images of images (without ground truth) at 16 px; networks run at 16 px\n"
    assert captured.out.startswith(title)
    lacking, skipped = captured.err.splitlines()
    assert lacking.startswith("warning: theirs lacks 1 of 10 images (2.png)")
    assert skipped == (
        "warning: 3 of 9 skipped (2 unreadable, 1 another shape), listed in logs/skipped_images.tsv"
    )
    assert (here / "logs" / "skipped_images.tsv").read_text().count("\n") == 4
    assert drawn.pop("captions") == [f"{number}.png" for number in range(4, 10)]
    assert {len(pixels) for pixels in drawn.values()} == {6}


@pytest.mark.parametrize("option", ["--dataset", "--images"])
def test_images_that_are_all_unreadable_are_a_one_line_error(evaluate, here, capsys, option):
    (here / "set").mkdir()
    for number in range(6):
        (here / "set" / f"{number}.png").write_text("no image")
    assert evaluate(option, "set", "--log_dir", str(here / "logs")) == 2
    assert "more than half of the images cannot be used: " in error_line(capsys)
    assert not (here / "results" / "evaluation.png").exists()


def test_other_files_are_unchanged(evaluate, images, here):
    shutil.copytree(images, here / "results")
    for name in ("evaluation.csv", "notes.txt"):
        (here / "results" / name).write_text("earlier")
    before = {
        name: (here / "results" / name).read_bytes() for name in files_below(here / "results")
    }
    assert evaluate("--images", "images", "--predictions", "results") == 0
    assert files_below(here / "results") == {*before, "evaluation.png"}
    assert {name: (here / "results" / name).read_bytes() for name in before} == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["--csv", "numbers", "--json", "numbers"],
        ["--csv", "numbers", "--json", "./numbers"],
        ["--json", "results/evaluation.png"],
    ],
)
def test_two_outputs_to_one_file_are_a_one_line_error(evaluate, images, capsys, arguments):
    assert evaluate("--images", "images", *arguments) == 2
    error_line(capsys)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize(
    "name",
    [
        b"line\nbreak",
        *(pytest.param(each, marks=pytest.mark.slow) for each in (b"\xff\xfe", b"\x1b[2J")),
    ],
)
def test_odd_names_are_shown_on_one_line(evaluate, images, weights, here, drawn, capsys, name):
    name = os.fsdecode(name)
    (images / "0.png").rename(images / f"{name}.png")
    shutil.copytree(images, here / name)
    shutil.copytree(weights, here / "w" / name)
    options = ("--weights", f"w/{name}", "--predictions", name, "--output_dir", f"out {name}")
    assert evaluate("--images", "images", *options, "--json", "--sample_count", "10") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    # The title, a blank line, the heading, three rows, a footnote, a blank line, the paths.
    assert len(captured.out.splitlines()) == 9
    assert "\x1b" not in captured.out
    assert all(text.isprintable() for text in (*drawn["captions"], *list(drawn)[:-1]))
    [_, mine, theirs] = rows_of(Path(f"out {name}", "evaluation.json"))
    assert (mine["path"], theirs["path"]) == (f"w/{name}", name)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dataset", "absent"], "--dataset: absent: does not exist"),
        (["--dataset", "images", "absent"], "--dataset: absent: does not exist"),
        (["--dataset", "empty"], "--dataset: empty: no images in this folder or its subfolders"),
        (["--dataset", "file"], "--dataset: file: is a file"),
        (["--dataset", "absent\nline"], r"--dataset: absent\nline: does not exist"),
        (["--images", "absent"], "--images absent: there is no such file or folder"),
        (["--images", "empty"], "--images empty: no images found"),
        (["--weights", "absent"], "absent is not a folder of weights"),
        (["--weights", "empty"], "empty is not a folder of weights"),
        (["--weights", "file"], "--weights file: it is a file"),
        (["--weights", "broken"], "broken/generator.weights.h5 cannot be loaded"),
        (["--load_weights"], "weights/sagan is not a folder of weights"),
        (["--predictions", "absent"], "--predictions absent: No such file or directory"),
        (["--predictions", "file"], "--predictions file: Not a directory"),
        (["--predictions", "empty"], "--predictions empty: no file in it is named like"),
        (
            ["--feature_network", "file"],
            "--feature_network: file: it cannot be read as Keras' weights",
        ),
        (["--feature_network", "absent.keras"], "--feature_network: absent.keras: there is no"),
        (["--output_dir", "file"], "--output_dir file: File exists"),
        (["--output_dir", "file/a"], "--output_dir file/a: Not a directory"),
        (["--csv", "empty"], "--csv: empty is a folder"),
        (["--json", "empty/"], "--json: empty/ is a folder"),
        (["--csv", "file/a.csv"], "--csv file: File exists"),
    ],
)
def test_what_cannot_be_evaluated_is_a_one_line_error_and_leaves_no_files(
    evaluate, images, weights, here, capsys, arguments, words
):
    (here / "empty").mkdir()
    (here / "file").write_text("")
    shutil.copytree(weights, here / "broken")
    (here / "broken" / "generator.weights.h5").write_text("no weights")
    names = [] if {"--dataset", "--images"}.intersection(arguments) else ["--dataset", "images"]
    before = all_below(here)
    assert evaluate(*names, *arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert all_below(here) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["--csv", "--weights", "absent"],
        ["--json", "deep/numbers.json", "--weights", "absent"],
        ["--csv", "deep/numbers.csv", "--json", "empty"],
        ["--log_dir", "file"],
        ["--csv", "deep/numbers.csv", "--output_dir", "file"],
    ],
)
def test_an_error_leaves_no_folder_for_files_that_were_not_written(
    evaluate, images, here, capsys, arguments
):
    (here / "file").write_text("")
    (here / "empty").mkdir()
    before = all_below(here)
    assert evaluate("--images", "images", *arguments) == 2
    error_line(capsys)
    assert all_below(here) == before


@pytest.mark.parametrize("option", ["--output_dir", "--log_dir"])
def test_a_folder_that_cannot_be_written_is_reported_before_the_images_are_read(
    evaluate, here, capsys, option
):
    (here / "file").write_text("")
    (here / "set").mkdir()
    for number in range(6):
        (here / "set" / f"{number}.png").write_text("no image")
    assert evaluate("--dataset", "set", option, "file") == 2
    assert f"{option} file: File exists" in error_line(capsys)


def test_a_folder_at_the_path_of_the_sheet_is_a_one_line_error(evaluate, images, here, capsys):
    solid(here / "results" / "evaluation.png" / "inside.png")
    assert evaluate("--images", "images") == 2
    assert "results/evaluation.png is a folder" in error_line(capsys)
    assert files_below(here / "results") == {"evaluation.png/inside.png"}


def test_out_of_memory_is_a_one_line_error(evaluate, images, capsys, monkeypatch):
    def too_large(*arguments):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    monkeypatch.setattr(Evaluator, "update", too_large)
    assert evaluate("--images", "images") == 2
    assert "a step of 5 images of 16 px does not fit into memory" in error_line(capsys)


def test_ctrl_c_leaves_the_earlier_sheet(evaluate, images, here, capsys, monkeypatch):
    solid(here / "results" / "evaluation.png")
    before = (here / "results" / "evaluation.png").read_bytes()
    monkeypatch.setattr(Evaluator, "update", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    # A shell without job control starts its background processes with the signal ignored.
    previous_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert evaluate("--images", "images", "--csv") == 130
    finally:
        signal.signal(signal.SIGINT, previous_handler)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "interrupted\n")
    assert files_below(here / "results") == {"evaluation.png"}
    assert (here / "results" / "evaluation.png").read_bytes() == before
