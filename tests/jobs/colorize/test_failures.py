"""What cannot be colored or written is reported on one line, and the rest is colored."""

import contextlib
import errno
import itertools
import os
import re
import resource
import sys
from pathlib import Path

import pytest
from PIL import Image

import run
from data import image_io as images
from tests.jobs.colorize.photographs import (
    HEIC,
    files_below,
    not_for_root,
    photograph,
    summary,
    truncate,
    write_bombs,
)


def test_bad_photographs_do_not_stop_the_rest(color_photographs, here, capsys):
    inputs = here / "in"
    good = {
        "dot.png": (1, 1),
        "good.jpg": (40, 30),
        "strip.png": (20000, 10),
        "upright_strip.jpg": (10, 20000),
    }
    for name, size in good.items():
        photograph(inputs / name, size=size, mode="L")
    bad = {
        "bomb.png": "pixels",
        "bomb.tif": "pixels",
        "cut.jpg": "",
        "dangling.jpg": "there is no such file",
        "deep/below_a_file.png": "",
        # Not a regular file, like a pipe, but reading it would not block.
        "device.jpg": "not a regular file",
        "empty.jpg": "empty",
        "loop.jpg": "symbolic links",
        "text.jpg": "not an image",
    }
    truncate(photograph(inputs / "cut.jpg", size=(200, 200)))
    (inputs / "empty.jpg").write_bytes(b"")
    (inputs / "text.jpg").write_text("no image")
    (inputs / "loop.jpg").symlink_to("loop.jpg")
    (inputs / "dangling.jpg").symlink_to("absent.jpg")
    (inputs / "device.jpg").symlink_to(os.devnull)
    photograph(inputs / "deep/below_a_file.png", mode="L")
    (here / "results").mkdir()
    (here / "results/deep").write_text("no folder")
    write_bombs(inputs)

    assert color_photographs("in") == 1
    captured = capsys.readouterr()
    assert captured.out.endswith(summary(colored=4, failed=9))
    lines = captured.err.splitlines()
    assert len(lines) == len(bad)
    for line, (name, reason) in zip(lines, sorted(bad.items()), strict=True):
        prefix = f"failed: in/{name}: "
        assert line.startswith(prefix)
        assert reason in line
        assert len(line) > len(prefix)
    assert files_below(here / "results") == {"deep", *good}
    for name, size in good.items():
        assert Image.open(here / "results" / name).size == size


def test_the_reason_for_a_failure_is_in_plain_words(color_photographs, here, capsys):
    suffixes = sorted(["bmp", "gif", "jpg", "png", "tif", "webp", *HEIC])
    for suffix in suffixes:
        options = {"compression": "tiff_lzw"} if suffix == "tif" else {}
        truncate(photograph(here / f"in/{suffix}.{suffix}", size=(200, 200), seed=0, **options))
    assert color_photographs("in") == 1
    captured = capsys.readouterr()
    assert captured.out.endswith(summary(failed=len(suffixes)))
    assert files_below(here / "results") == set()
    lines = captured.err.splitlines()
    for line, suffix in zip(lines, suffixes, strict=True):
        assert line.startswith(f"failed: in/{suffix}.{suffix}: ")
        # "unable to write to memory" does not explain that a file ends too early.
        assert not re.search(r"unable to|VipsForeign|decoder object", line)


def test_the_reason_for_a_failure_is_that_of_the_photograph_itself(color_photographs, here, capsys):
    # Several photographs are read at once, but libvips has one error buffer for all of them.
    suffixes = ("gif", "jpg", "png", "tif")
    for seed, suffix in itertools.product(range(12), suffixes):
        options = {"compression": "tiff_lzw"} if suffix == "tif" else {}
        truncate(
            photograph(here / f"in/{seed}_{suffix}.{suffix}", (100, 100), seed=seed, **options)
        )
    assert color_photographs("in") == 1
    failures = re.findall(
        r"^failed: in/\d+_(\w+)\.\w+: (.*)$", capsys.readouterr().err, re.MULTILINE
    )
    assert len(failures) == 12 * len(suffixes)
    reasons = {
        suffix: {reason for failed, reason in failures if failed == suffix} for suffix in suffixes
    }
    # Positions and counts in the messages may differ.
    assert all(len({re.sub(r"\d+", "N", r) for r in found}) == 1 for found in reasons.values()), (
        reasons
    )


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_odd_names_are_colored_and_shown_on_one_line(color_photographs, here, capsys):
    names = [
        os.fsdecode(name) for name in (b"line\nbreak", b"\xff\xfe", b"\x1b[2J", b"m\xc3\xbcller")
    ]
    for name in names:
        photograph(here / f"in/{name}.jpg", mode="L")
        photograph(here / f"in/{name}.tif", mode="L")
        (here / f"in/{name}.webp").write_text("no image")
    assert color_photographs("in", "--comparison", "--suffix", "_colored") == 1
    endings = ("_colored.jpg", "_colored_comparison.jpg", "_colored.tif", "_colored_comparison.tif")
    assert files_below(here / "results") == {name + end for name in names for end in endings}
    captured = capsys.readouterr()
    assert captured.out.endswith(summary(colored=8, failed=4))
    lines = captured.err.splitlines()
    reason = "not an image, or of an unknown format"
    assert lines == [
        rf"failed: in/\x1b[2J.webp: {reason}",
        rf"failed: in/line\nbreak.webp: {reason}",
        f"failed: in/müller.webp: {reason}",
        rf"failed: in/\xff\xfe.webp: {reason}",
    ]


def test_a_name_that_becomes_too_long_fails_alone(color_photographs, here, capsys):
    long = "x" * 245 + ".png"
    photograph(here / "in" / long)
    photograph(here / "in/y.png")
    assert color_photographs("in", "--suffix", "_colored") == 1
    captured = capsys.readouterr()
    assert captured.out.endswith(summary(colored=1, failed=1))
    expected = (
        f"failed: in/{long}: results/{long[:-4]}_colored.png cannot be written: File name too long"
    )
    assert expected in captured.err


@not_for_root
def test_files_and_folders_without_read_permission_are_reported(color_photographs, here, capsys):
    photograph(here / "in/a.png").chmod(0)
    photograph(here / "in/b.png")
    assert color_photographs("in") == 1
    captured = capsys.readouterr()
    assert "failed: in/a.png: Permission denied" in captured.err
    assert captured.out.endswith(summary(colored=1, failed=1))
    (here / "in").chmod(0)
    assert color_photographs("in") == 2
    assert "--images in: Permission denied" in capsys.readouterr().err
    (here / "in").chmod(0o700)


def test_heic_without_its_library_says_what_to_install(
    color_photographs, here, capsys, monkeypatch
):
    (here / "in").mkdir()
    (here / "in/a.heic").write_bytes(b"\0\0\0\x18ftypheic")
    photograph(here / "in/b.png")
    monkeypatch.setattr(images, "pillow_heif", None)
    assert color_photographs("in") == 1
    captured = capsys.readouterr()
    [line] = captured.err.splitlines()
    assert line.startswith("failed: in/a.heic: ")
    assert "pip install pillow-heif" in line
    assert captured.out.endswith(summary(colored=1, failed=1))

    assert color_photographs("in/b.png", "--format", "heic", "--output_dir", "heic") == 2
    message = capsys.readouterr().err
    assert "pip install pillow-heif" in message
    assert message.count("\n") == 1
    assert not (here / "heic").exists()


@contextlib.contextmanager
def limited_files(size):
    """Limits the size of files, in bytes, so that writing fails as it does on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    # Limited only in this block: the output of the tests may be redirected to a larger file.
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_disk_that_fills_leaves_no_part_of_a_file(color_photographs, here, capsys):
    suffixes = sorted(["bmp", "jpg", "png", "tif", "webp", *HEIC])
    for suffix in suffixes:
        photograph(here / f"in/large_{suffix}.{suffix}", size=(200, 200), seed=0)
        photograph(here / f"in/small_{suffix}.{suffix}", size=(20, 20), seed=0)
    with limited_files(20_000):
        status = color_photographs("in")
    assert status == 1
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    expected = [f"failed: in/large_{suffix}.{suffix}: File too large" for suffix in suffixes]
    note = "note: in/small_bmp.bmp: BMP cannot store that the colors are machine-made"
    assert lines == [*expected, note]
    assert captured.out.endswith(summary(colored=len(suffixes), failed=len(suffixes)))
    assert files_below(here / "results") == {f"small_{suffix}.{suffix}" for suffix in suffixes}


@pytest.mark.parametrize("name", ["a.jpg", pytest.param("a.bmp", marks=pytest.mark.slow)])
def test_a_disk_without_room_for_the_last_bytes_leaves_no_part_of_a_file(
    color_photographs, here, name
):
    # Small photographs: an encoder that writes only once has no later write to report the failure.
    photograph(here / name, size=(60, 60), seed=0)
    comparison = "a_comparison" + Path(name).suffix
    assert color_photographs(name, "--comparison", "--output_dir", "whole") == 0
    sizes = {file: (here / "whole" / file).stat().st_size for file in (name, comparison)}
    assert sizes[name] < sizes[comparison] - 100
    for full, remaining in ((name, set()), (comparison, {name})):
        with limited_files(sizes[full] - 100):
            status = color_photographs(name, "--comparison", "--output_dir", f"without_{full}")
        assert status == 1
        assert files_below(here / f"without_{full}") == remaining


def test_a_failed_fsync_leaves_no_new_file(color_photographs, here, capsys, monkeypatch):
    photograph(here / "in/a.png")
    photograph(here / "in/b.jpg")
    before = photograph(here / "results/a.png", seed=1).read_bytes()

    def disk_is_full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", disk_is_full)
    assert color_photographs("in", "--overwrite") == 1
    captured = capsys.readouterr()
    assert captured.err.count(": No space left on device") == 2
    assert captured.out.endswith(summary(failed=2))
    assert files_below(here / "results") == {"a.png"}
    assert (here / "results/a.png").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["absent.jpg"], "--images absent.jpg: there is no such file or folder"),
        (["a.png", "absent.jpg"], "--images absent.jpg: there is no such file or folder"),
        (["a.png", "absent\n.jpg"], r"--images absent\n.jpg: there is no such file or folder"),
        (["empty"], "--images empty: no images found"),
        (["empty", "letters"], "--images empty letters: no images found"),
        (["a.png", "--output_dir", "a.png"], "--output_dir a.png: File exists"),
        (["a.png", "--output_dir", "a.png/b"], "--output_dir a.png/b: Not a directory"),
        (["a.png", "--output_dir", "a.png/b\nc"], r"--output_dir a.png/b\nc: Not a directory"),
        (["a.png", "--output_dir", "nowhere"], "--output_dir nowhere: File exists"),
    ],
)
def test_invalid_arguments_are_a_one_line_error_and_leave_no_files(
    color_photographs, here, capsys, arguments, words
):
    (here / "empty").mkdir()
    (here / "letters").mkdir()
    (here / "letters/a.txt").write_text("no image")
    (here / "nowhere").symlink_to("absent")
    photograph(here / "a.png")
    before = files_below(here)
    assert color_photographs(*arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out
    assert files_below(here) == before
    assert not (here / "results").exists()


@not_for_root
def test_a_folder_without_write_permission_is_a_one_line_error(color_photographs, here, capsys):
    photograph(here / "a.png")
    (here / "closed").mkdir(mode=0o500)
    for path in ("closed", "closed/new"):
        assert color_photographs("a.png", "--output_dir", path) == 2
        message = capsys.readouterr().err
        assert message.startswith(f"error: --output_dir {path}: ")
        assert message.count("\n") == 1


@pytest.mark.parametrize("settings", ["{}", "[]", '{"architecture": {}}', "{"])
def test_settings_that_describe_no_network_are_a_one_line_error(here, capsys, settings):
    photograph(here / "a.png")
    (here / "w").mkdir()
    (here / "w/settings.json").write_text(settings)
    assert run.main(["--images", "a.png", "--weights", "w"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_missing_weights_are_reported_and_no_files_are_written(here, capsys):
    photograph(here / "a.png")
    assert run.main(["--images", "a.png", "--weights", "absent"]) == 2
    assert "absent is not a folder of weights" in capsys.readouterr().err
    assert run.main(["--images", "a.png", "--load_weights"]) == 2
    assert "weights/sagan is not a folder of weights" in capsys.readouterr().err
    assert run.main(["--images", "a.png", "--weights", "a.png"]) == 2
    message = "error: --weights a.png: it is a file; give the folder that a training wrote\n"
    assert capsys.readouterr().err == message
    assert os.listdir(here) == ["a.png"]
