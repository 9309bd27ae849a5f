"""Tests of `run.py --images`: files and folders of photographs, and what cannot be colored."""

import contextlib
import errno
import hashlib
import io
import itertools
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from skimage import color

import inference
import run
from data import image_io as images
from data.datasets.folder import demo_images
from inference import pipeline as colorization_pipeline
from inference.photo_colorizer import PhotoColorizer
from jobs.colorize import colorize
from jobs.common.signals import SignalWatch

RUN = Path(__file__).resolve().parents[3] / "run.py"

# HEIC is tested only where its optional library is installed.
HEIC = ["heic"] if images.is_heif_supported() else []

not_for_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")


@pytest.fixture(scope="module")
def load_once():
    """Loads each colorizer only once: compiling it takes longer than all the rest."""
    loaded = {}
    load = colorize.load_colorizer

    def call(folder, settings, render_size):
        if folder.path not in loaded:
            loaded[folder.path] = load(folder, settings, render_size)
        loaded[folder.path].batch_size = settings.batch_size
        return loaded[folder.path]

    return call


@pytest.fixture
def prepared(monkeypatch):
    """The kinds of strips that a job prepared for; nothing is compiled in advance."""
    kinds = []
    monkeypatch.setattr(colorize, "prepare_recombination", lambda *kind: kinds.append(kind))
    return kinds


@pytest.fixture
def color_photographs(weights, here, load_once, prepared, monkeypatch):
    monkeypatch.setattr(colorize, "load_colorizer", load_once)

    def call(*arguments):
        return run.main(["--weights", weights, "--precision", "float32", "--images", *arguments])

    return call


def photograph(path, size=(40, 30), mode="RGB", seed=None, **options):
    """Writes a gray gradient or, with a seed, gray noise."""
    pixels = np.linspace(60, 200, size[0] * size[1])
    if seed is not None:
        pixels = np.random.default_rng(seed).integers(0, 256, size[0] * size[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    gray = Image.fromarray(pixels.astype("uint8").reshape(size[1], size[0]))
    gray.convert(mode).save(path, **options)
    return path


def truncate(path):
    """Truncates a file to half its size."""
    os.truncate(path, path.stat().st_size // 2)


def write_bombs(folder):
    """Writes small files whose headers claim 30,000 x 30,000 pixels."""
    head = b"IHDR" + struct.pack(">LLBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    chunks = [
        struct.pack(">L", len(chunk) - 4) + chunk + struct.pack(">L", zlib.crc32(chunk))
        for chunk in (head, b"IDAT", b"IEND")
    ]
    (folder / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    tiff = photograph(folder / "bomb.tif", size=(40, 30), mode="L")
    content = tiff.read_bytes()
    for tag, side in ((256, 40), (257, 30)):
        small, huge = (struct.pack("<HHLL", tag, 4, 1, pixels) for pixels in (side, 30_000))
        assert small in content
        content = content.replace(small, huge)
    tiff.write_bytes(content)


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def lightness_of(path):
    return color.rgb2lab(pixels_of(path).astype("uint8"))[..., 0]


def files_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def summary(colored=0, skipped=0, failed=0, output_dir="results"):
    return (
        f"{colored} colored, {skipped} skipped because they already exist, {failed} failed; "
        f"output in {output_dir}\n"
    )


# --- what is written -----------------------------------------------------------------------------


def test_folder_trees_are_mirrored_and_formats_preserved(color_photographs, here, capsys):
    formats = {
        "a.jpg": "JPEG",
        "deep/b.PNG": "PNG",
        "deep/c.webp": "WEBP",
        "deep/er/d.bmp": "BMP",
        "e.TIF": "TIFF",
        **{f"f.{suffix}": "HEIF" for suffix in HEIC},
    }
    for name in formats:
        photograph(here / "in" / name)
    photograph(here / "in/g.gif", mode="L")
    photograph(here / "h.jpeg", mode="L")
    # The palette of a GIF cannot hold the colors, so its result is a PNG.
    formats |= {"g.png": "PNG", "h.jpeg": "JPEG"}
    assert color_photographs("in", "h.jpeg", "--output_dir", "out") == 0
    assert files_below(here / "out") == set(formats)
    for name, format in formats.items():
        assert Image.open(here / "out" / name).format == format
    assert capsys.readouterr().out.endswith(summary(colored=len(formats), output_dir="out"))


def test_size_and_lightness_are_those_of_the_photograph(color_photographs, here):
    for suffix in ("jpg", "png", "webp", "bmp", "tif"):
        photograph(here / f"in/a.{suffix}", size=(61, 47))
    assert color_photographs("in") == 0
    for source in (here / "in").iterdir():
        assert pixels_of(here / "results" / source.name).shape == (47, 61, 3)
        difference = lightness_of(source) - lightness_of(here / "results" / source.name)
        assert np.abs(difference).mean() < 0.5


def test_python_colors_as_the_command_line_does(weights, here):
    gray = photograph(here / "a.png", size=(61, 47), seed=0)
    assert run.main(["--weights", weights, "--images", "a.png"]) == 0
    colorizer = PhotoColorizer.from_folder(weights)
    assert colorizer.color("a.png", "python/a.png") == []
    assert (here / "python/a.png").read_bytes() == (here / "results/a.png").read_bytes()
    colored = colorizer.color_array(pixels_of(gray).astype("uint8"))
    np.testing.assert_array_equal(colored, pixels_of(here / "results/a.png"))


def test_xmp_names_the_weights_in_every_file_unless_that_is_left_out(
    color_photographs, here, weights
):
    photograph(here / "in/a.jpg")
    photograph(here / "in/b.png")
    names = {"a.jpg", "a_comparison.jpg", "b.png", "b_comparison.png"}
    assert color_photographs("in", "--comparison") == 0
    digest = hashlib.sha256((Path(weights) / "generator.weights.h5").read_bytes()).hexdigest()
    for name in names:
        with Image.open(here / "results" / name) as image:
            xmp = image.info["xmp"].decode()
        assert "digitalsourcetype/compositeWithTrainedAlgorithmicMedia" in xmp
        assert f"Colorizer {inference.__version__}" in xmp
        assert f"{Path(weights).name}, SHA-256 {digest[:12]}" in xmp
    plain = ("--comparison", "--no_provenance", "--output_dir", "plain")
    assert color_photographs("in", *plain) == 0
    for name in names:
        with Image.open(here / "plain" / name) as image:
            assert "xmp" not in image.info
        np.testing.assert_array_equal(
            pixels_of(here / "plain" / name), pixels_of(here / "results" / name)
        )


def test_results_have_the_requested_format(color_photographs, here):
    photograph(here / "in/a.gif", mode="L")
    photograph(here / "in/b.JPEG")
    formats = {
        "jpg": "JPEG",
        "png": "PNG",
        "tif": "TIFF",
        "webp": "WEBP",
        "bmp": "BMP",
        **dict.fromkeys(HEIC, "HEIF"),
    }
    for suffix, format in formats.items():
        assert color_photographs("in", "--output_dir", suffix, "--format", suffix) == 0
        # A suffix that already means the format keeps its spelling.
        names = {f"a.{suffix}", "b.JPEG" if suffix == "jpg" else f"b.{suffix}"}
        assert files_below(here / suffix) == names
        for name in names:
            with Image.open(here / suffix / name) as image:
                assert (image.format, image.size) == (format, (40, 30))


def test_formats_that_cannot_hold_color_become_png(color_photographs, here, capsys):
    for name in ("a.jp2", "b.avif", "c.pgm", "d.gif"):
        photograph(here / "in" / name, mode="L")
    photograph(here / "in/e.jpg").rename(here / "in/e")
    photograph(here / "in/x.gif", mode="L", size=(8, 8))
    photograph(here / "in/x.png", mode="L", size=(9, 9))
    for _ in range(2):
        assert color_photographs("in") == 0
        names = {"a.png", "b.png", "c.png", "d.png", "e.jpg", "x.png", "x.gif.png"}
        assert files_below(here / "results") == names
        assert "note: the result of in/x.gif is named x.gif.png, " in capsys.readouterr().err
    assert Image.open(here / "results/x.gif.png").size == (8, 8)
    assert Image.open(here / "results/x.png").size == (9, 9)
    assert Image.open(here / "results/e.jpg").format == "JPEG"


@pytest.mark.skipif(bool(HEIC), reason="HEIC can be written")
def test_a_jpeg_with_a_name_of_heic_is_colored(color_photographs, here):
    photograph(here / "in/a.jpg").rename(here / "in/a.HEIC")
    assert color_photographs("in") == 0
    assert files_below(here / "results") == {"a.jpg"}


def test_other_files_are_counted(color_photographs, here, capsys):
    photograph(here / "in/a.png")
    for name in ("1.txt", "deep/2.TXT", "3.mov", "README", ".hidden", "Thumbs.db", "out/4.csv"):
        (here / "in" / name).parent.mkdir(exist_ok=True)
        (here / "in" / name).write_text("no image")
    assert color_photographs("in", "--output_dir", "in/out") == 0
    line = "note: 4 other files were passed over: 2 .txt, 1 .mov, 1 without a suffix\n"
    assert capsys.readouterr().err == line
    assert color_photographs("in", "--output_dir", "in/out", "--quiet") == 0
    assert capsys.readouterr().err == ""


def test_quality_affects_only_lossy_formats(color_photographs, here):
    for suffix in ("jpg", "png", "tif", "bmp", *HEIC):
        photograph(here / f"in/a.{suffix}", seed=0)
    photograph(here / "in/a.webp", seed=0, lossless=False)
    photograph(here / "in/exact.webp", seed=0, lossless=True)
    for quality in ("30", "95"):
        assert color_photographs("in", "--output_dir", quality, "--quality", quality) == 0
    for name in os.listdir(here / "in"):
        low, high = ((here / quality / name).read_bytes() for quality in ("30", "95"))
        if name in ("a.jpg", "a.heic", "a.webp"):
            assert len(low) < 0.8 * len(high)
        else:
            assert low == high


def test_every_page_of_a_tiff_is_colored(color_photographs, here):
    sizes = [(40, 30), (12, 50), (33, 8)]
    pages = [Image.new("L", size, 60 + 60 * page) for page, size in enumerate(sizes)]
    pages[0].save(here / "a.tif", save_all=True, append_images=pages[1:])
    # There are more pages than fit into one batch.
    assert color_photographs("a.tif", "--batch_size", "2") == 0
    with Image.open(here / "results/a.tif") as colored:
        assert colored.n_frames == 3
        for page, size in enumerate(sizes):
            colored.seek(page)
            assert colored.size == size
            lightness = color.rgb2lab(np.asarray(colored.convert("RGB")))[..., 0]
            expected = color.rgb2lab(np.full((1, 1, 3), 60 + 60 * page, "uint8"))[..., 0]
            assert np.abs(lightness - expected).max() < 1


def test_suffix_allows_results_beside_their_photographs(color_photographs, here, capsys):
    photograph(here / "in/a.png")
    photograph(here / "in/deep/b.jpg")
    originals = {name: (here / "in" / name).read_bytes() for name in files_below(here / "in")}
    command = ["in", "--output_dir", "in", "--suffix", "_colored", "--comparison"]
    assert color_photographs(*command) == 0
    results = {"a_colored.png", "a_colored_comparison.png"}
    results |= {"deep/b_colored.jpg", "deep/b_colored_comparison.jpg"}
    assert files_below(here / "in") == results | originals.keys()
    # The second run does not color the results of the first.
    assert color_photographs(*command) == 0
    assert files_below(here / "in") == results | originals.keys()
    assert capsys.readouterr().out.endswith(summary(skipped=2, output_dir="in"))
    assert all((here / "in" / name).read_bytes() == content for name, content in originals.items())


def test_comparison_shows_gray_and_colored_side_by_side(color_photographs, here, capsys):
    source = photograph(here / "a.png", size=(40, 30), seed=0)
    photograph(here / "strip.jpg", size=(3200, 10))
    command = ["a.png", "strip.jpg", "--comparison"]
    assert color_photographs(*command) == 0
    both = pixels_of(here / "results/a_comparison.png")
    assert both.shape == (30, 40 + 8 + 40, 3)
    np.testing.assert_array_equal(both[:, :40], pixels_of(source))
    assert (both[:, 40:48] == 255).all()
    np.testing.assert_array_equal(both[:, 48:], pixels_of(here / "results/a.png"))
    assert np.ptp(both[:, 48:], axis=-1).mean() > 10
    # A comparison that is larger than a screen is shrunk.
    assert pixels_of(here / "results/strip_comparison.jpg").shape == (5, 1600 + 8 + 1600, 3)

    assert color_photographs(*command) == 0
    assert capsys.readouterr().out.endswith(summary(skipped=2))


def test_a_comparison_that_is_requested_later_leaves_the_result_unchanged(color_photographs, here):
    photograph(here / "a.png")
    assert color_photographs("a.png") == 0
    retouched = photograph(here / "results/a.png", seed=1).read_bytes()
    assert color_photographs("a.png", "--comparison") == 0
    assert files_below(here / "results") == {"a.png", "a_comparison.png"}
    assert (here / "results/a.png").read_bytes() == retouched


def test_batch_size_does_not_change_the_results(color_photographs, here):
    sizes = [(40, 30), (30, 40), (1, 1), (500, 3), (3, 500), (64, 64), (7, 9)]
    for seed, size in enumerate(sizes):
        photograph(here / f"in/{seed}.png", size=size, seed=seed)
    for count in ("1", "16"):
        assert color_photographs("in", "--output_dir", count, "--batch_size", count) == 0
    for seed, size in enumerate(sizes):
        alone, together = (pixels_of(here / count / f"{seed}.png") for count in ("1", "16"))
        assert alone.shape == (size[1], size[0], 3)
        assert np.abs(alone - together).max() <= 1


def test_order_and_counts_are_preserved_across_batches(color_photographs, here, capsys):
    kinds = {"bad": [], "done": [], "new": []}
    for number in range(41):
        kind = "bad" if number % 5 == 0 else "done" if number % 7 == 3 else "new"
        kinds[kind].append(f"{number:02}.png")
        path = here / "in" / kinds[kind][-1]
        photograph(path)
        Image.new("L", (20, 10), 50 + 4 * number).save(path)
        if kind == "bad":
            path.write_text("no image")
        elif kind == "done":
            (here / "results" / path.name).parent.mkdir(exist_ok=True)
            (here / "results" / path.name).write_bytes(b"done")
    assert color_photographs("in", "--batch_size", "4") == 1
    captured = capsys.readouterr()
    count = {kind: len(names) for kind, names in kinds.items()}
    assert captured.out.endswith(summary(count["new"], count["done"], count["bad"]))
    named = re.findall(r"^failed: in/(.*): not an image", captured.err, re.MULTILINE)
    assert named == kinds["bad"]
    assert files_below(here / "results") == {*kinds["done"], *kinds["new"]}
    # Each result has the lightness of its own photograph.
    for name in kinds["new"]:
        difference = lightness_of(here / "results" / name) - lightness_of(here / "in" / name)
        assert np.abs(difference).max() < 1


def test_photographs_in_color_are_colored_from_their_lightness(color_photographs, here, capsys):
    lightness = np.random.default_rng(0).uniform(40, 60, (30, 40))
    columns = np.linspace(-40, 40, 40)[None, :]
    tints = {
        "gray": (0, 0),
        "red_to_green": (columns, 10),
        "blue_to_yellow": (5, columns),
        # The tint of a print does not count as color.
        "sepia": (3, 12),
    }
    for name, (a, b) in tints.items():
        lab = np.stack(np.broadcast_arrays(lightness, a, b), axis=-1)
        pixels = np.round(color.lab2rgb(lab) * 255).astype("uint8")
        (here / "in").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(here / f"in/{name}.png")
    assert color_photographs("in") == 0
    [note] = capsys.readouterr().err.splitlines()
    assert note.startswith("note: in/blue_to_yellow.png and 1 more had colors already")
    gray = pixels_of(here / "results/gray.png")
    assert np.ptp(gray, axis=-1).mean() > 10
    for name in tints:
        assert np.abs(pixels_of(here / f"results/{name}.png") - gray).mean() < 2


# --- existing files ------------------------------------------------------------------------------


def test_finished_files_are_skipped_unless_overwrite(color_photographs, here, capsys):
    photograph(here / "a.png")
    assert color_photographs("a.png") == 0
    done = here / "results/a.png"
    done.write_bytes(b"touched")
    assert color_photographs("a.png") == 0
    assert done.read_bytes() == b"touched"
    assert "1 skipped" in capsys.readouterr().out
    assert color_photographs("a.png", "--overwrite") == 0
    assert Image.open(done).size == (40, 30)


def test_a_folder_at_the_path_of_a_result_is_a_failure(color_photographs, here, capsys):
    photograph(here / "in/a.png")
    photograph(here / "in/b.png")
    photograph(here / "results/a.png/inside.png")
    for arguments in (["in"], ["in", "--overwrite"]):
        assert color_photographs(*arguments) == 1
        assert capsys.readouterr().err.count("failed: in/a.png: ") == 1
        assert files_below(here / "results") == {"a.png/inside.png", "b.png"}


def test_no_photograph_and_no_result_is_ever_lost(color_photographs, here, capsys):
    # a.bmp sorts before a.png, and a.webp after it.
    names = ("a.bmp", "a.png", "a.webp", "a_comparison.png")
    originals = {name: photograph(here / "in" / name).read_bytes() for name in names}
    command = ["in", "--format", "png", "--output_dir"]
    assert color_photographs(*command, "in", "--overwrite") == 1
    captured = capsys.readouterr()
    assert captured.err.count("its result would replace the photograph in/a.png") == 3
    # Beside a.png, a_comparison.png is named like what an earlier run would have written.
    assert "note: 1 files are named like results and are skipped" in captured.err
    assert captured.out.endswith(summary(failed=3, output_dir="in"))
    assert {
        name: (here / "in" / name).read_bytes() for name in files_below(here / "in")
    } == originals

    assert color_photographs(*command, "out", "--comparison") == 1
    captured = capsys.readouterr()
    # a.png and a.webp for the result of a.bmp, and a_comparison.png for its comparison.
    assert captured.err.count("its result would replace that of in/a.bmp") == 3
    assert captured.out.endswith(summary(colored=1, failed=3, output_dir="out"))
    assert files_below(here / "out") == {"a.png", "a_comparison.png"}


def test_photographs_of_the_same_name_in_two_folders_do_not_replace_each_other(
    color_photographs, here, capsys
):
    photograph(here / "one/a.png", size=(10, 10))
    photograph(here / "two/a.png", size=(20, 20))
    for arguments in ([], ["--overwrite"]):
        assert color_photographs("one/a.png", "two/a.png", *arguments) == 1
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith("failed: two/a.png: its result would replace that of one/a.png")
        assert pixels_of(here / "results/a.png").shape == (10, 10, 3)


def test_results_below_the_input_are_not_colored_again(color_photographs, here, capsys):
    photograph(here / "a.png")
    # The output folder may be a link, as to another disk; here its target is in the input as well.
    (here / "disk").mkdir()
    (here / "link").symlink_to("disk", target_is_directory=True)
    for folder in ("results", "link"):
        assert color_photographs(".", "--output_dir", folder) == 0
        assert color_photographs(".", "--output_dir", folder) == 0
        assert capsys.readouterr().out.endswith(summary(skipped=1, output_dir=folder))
        assert files_below(here / folder) == {"a.png"}
        (here / folder / "a.png").unlink()
    assert (here / "link").is_symlink()


def test_results_may_be_written_above_the_input(color_photographs, here):
    photograph(here / "shoebox/1950/a.png")
    assert color_photographs("shoebox/1950", "--output_dir", "shoebox") == 0
    assert color_photographs("shoebox/1950", "--output_dir", ".") == 0
    assert (here / "shoebox/a.png").exists()
    assert (here / "a.png").exists()


# --- bad input -----------------------------------------------------------------------------------


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


# --- a disk that fills ---------------------------------------------------------------------------


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


# --- errors before the first photograph ----------------------------------------------------------


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


# --- memory, signals and messages ----------------------------------------------------------------


def test_out_of_memory_makes_batches_smaller(
    color_photographs, here, capsys, monkeypatch, load_once
):
    for seed in range(6):
        photograph(here / f"in/{seed:02}.png", seed=seed)
    batch_sizes = []

    def load_scarce(*arguments, **options):
        colorizer = load_once(*arguments, **options)
        color = colorizer._color

        def scarce(batch):
            if len(batch) > 2:
                raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
            batch_sizes.append(len(batch))
            return color(batch)

        monkeypatch.setattr(colorizer, "_color", scarce)
        return colorizer

    assert color_photographs("in", "--output_dir", "ample") == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(colorize, "load_colorizer", load_scarce)
    assert color_photographs("in", "--batch_size", "4") == 0
    captured = capsys.readouterr()
    assert captured.out.endswith(summary(colored=6))
    [line] = captured.err.splitlines()
    assert line == "warning: memory ran out; the network now colors at most 2 photographs at once"
    assert batch_sizes == [2] * 3
    for name in os.listdir(here / "ample"):
        difference = pixels_of(here / "ample" / name) - pixels_of(here / "results" / name)
        assert np.abs(difference).max() <= 1


@pytest.fixture
def send_signal(monkeypatch):
    """Sends this process a signal, from any thread, and waits until its handler has run."""
    handled = threading.Event()
    remember = SignalWatch._remember

    def remember_and_notify(watch, number, frame):
        try:
            remember(watch, number, frame)
        finally:
            handled.set()

    monkeypatch.setattr(SignalWatch, "_remember", remember_and_notify)

    def call(number):
        handled.clear()
        os.kill(os.getpid(), number)
        assert handled.wait(10)

    return call


@pytest.fixture
def at_first_write(monkeypatch):
    """Calls a function before the first photograph is written; the other writers wait for it."""

    def patch(function):
        count, is_done = itertools.count(), threading.Event()
        write = colorization_pipeline.write_photo

        def write_later(*arguments):
            if next(count) == 0:
                function()
                is_done.set()
            assert is_done.wait(10)
            write(*arguments)

        monkeypatch.setattr(colorization_pipeline, "write_photo", write_later)

    return patch


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow),
    ],
)
def test_a_signal_finishes_started_files_and_drops_the_rest(
    color_photographs, here, capsys, send_signal, at_first_write, number, status
):
    for seed in range(40):
        photograph(here / f"in/{seed:02}.png", seed=seed)
    at_first_write(lambda: send_signal(number))
    assert color_photographs("in") == status
    written = files_below(here / "results")
    assert 1 <= len(written) <= colorization_pipeline._THREADS
    for name in written:
        assert pixels_of(here / "results" / name).shape == (30, 40, 3)
    captured = capsys.readouterr()
    assert captured.out.endswith(summary(colored=len(written)))
    assert captured.err == "stopped: run the same command without --overwrite to color the rest\n"
    # The same command colors the rest.
    assert color_photographs("in") == 0
    assert capsys.readouterr().out.endswith(
        summary(colored=40 - len(written), skipped=len(written))
    )
    assert files_below(here / "results") == files_below(here / "in")


def test_a_signal_drops_photographs_that_are_only_read(
    color_photographs, here, capsys, monkeypatch, send_signal
):
    for name in "abc":
        photograph(here / f"in/{name}.png")

    class InterruptedPhotoFile(colorization_pipeline.PhotoFile):
        def __init__(self, path):
            if path.name == "b.png":
                send_signal(signal.SIGINT)
            super().__init__(path)

    monkeypatch.setattr(colorization_pipeline, "PhotoFile", InterruptedPhotoFile)
    assert color_photographs("in") == 130
    assert files_below(here / "results") == set()
    captured = capsys.readouterr()
    assert captured.out.endswith(summary())
    assert captured.err.startswith("stopped: ")


def test_a_second_ctrl_c_leaves_whole_files_and_a_summary_too(
    color_photographs, here, capsys, send_signal, at_first_write
):
    for seed in range(20):
        photograph(here / f"in/{seed:02}.png", seed=seed)

    def twice():
        send_signal(signal.SIGINT)
        time.sleep(0.1)
        send_signal(signal.SIGINT)

    at_first_write(twice)
    assert color_photographs("in") == 130
    captured = capsys.readouterr()
    assert captured.err == "interrupted\n"
    assert re.search(r"^\d+ colored, 0 skipped", captured.out, re.MULTILINE)
    for name in files_below(here / "results"):
        assert pixels_of(here / "results" / name).shape == (30, 40, 3)


def test_quiet_prints_only_failures(color_photographs, here, capsys):
    photograph(here / "in/a.png")
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), "uint8")
    Image.fromarray(noise).save(here / "in/in_color.png")
    (here / "in/text.png").write_text("no image")
    assert color_photographs("in", "--quiet") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "failed: in/text.png: not an image, or of an unknown format\n"
    assert files_below(here / "results") == {"a.png", "in_color.png"}


def test_only_one_thread_prints(color_photographs, here, capsys, monkeypatch):
    # When printing fails (a closed pipe, a full disk), tqdm does not release its lock, and another
    # thread would wait for it forever.
    for seed in range(8):
        photograph(here / f"in/{seed}.png")
    threads = set()
    write = sys.stdout.write

    def recording(text):
        threads.add(threading.current_thread())
        return write(text)

    monkeypatch.setattr(sys.stdout, "write", recording)
    assert color_photographs("in") == 0
    assert threads == {threading.main_thread()}


def test_photographs_are_colored_without_a_terminal(color_photographs, here, monkeypatch):
    photograph(here / "a.png")
    # A notebook replaces the output stream; a program without a console has none.
    for folder, stdout in (("notebook", io.StringIO()), ("window", None)):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stdout)
            assert color_photographs("a.png", "--output_dir", folder) == 0
        assert files_below(here / folder) == {"a.png"}


def test_names_are_printed_even_if_the_terminal_cannot_encode_them_and_nothing_else(weights, here):
    photograph(here / "in/müller.png")
    (here / "in/łódź.png").write_text("no image")
    done = subprocess.run(
        [sys.executable, RUN, "--weights", weights, "--images", "in", "--output_dir", "größer"],
        # The program may be called from any folder, and keeps the messages of TensorFlow back.
        env={
            **{name: value for name, value in os.environ.items() if "LOG_LEVEL" not in name},
            "PYTHONIOENCODING": "ascii",
        },
        capture_output=True,
        text=True,
        # A deadlock would never end.
        timeout=300,
    )
    assert done.returncode == 1, done.stderr
    assert files_below(here / "größer") == {"müller.png"}
    assert "1 colored, 0 skipped because they already exist, 1 failed" in done.stdout
    [line] = done.stderr.splitlines()
    assert line.startswith(r"failed: in/\u0142\xf3d\u017a.png: not an image")


@pytest.mark.parametrize("model", ["sagan", "pix2pix", "chromagan"])
def test_the_pretrained_weights_color(model, here):
    [cat] = (path for path in demo_images() if path.name == "chelsea.png")
    assert run.main(["--images", str(cat), "--model", model]) == 0
    ab = color.rgb2lab(np.asarray(Image.open(here / "results/chelsea.png")))[..., 1:]
    # Neither gray nor one tint over the whole image.
    assert np.abs(ab).mean() > 3
    assert ab.std(axis=(0, 1)).max() > 2


def test_demo_photographs_are_colored(color_photographs, here):
    assert color_photographs("demo") == 0
    images = {path.name for path in demo_images()}
    assert set(files_below(here / "results")) == images | {"camera.png"}


def test_earlier_results_with_other_options_are_not_colored_again(color_photographs, here, capsys):
    photograph(here / "in/a.png")
    beside = ("in", "--output_dir", "in", "--suffix", "_c")
    assert color_photographs(*beside, "--comparison") == 0
    assert color_photographs(*beside, "--format", "jpg") == 0
    assert "note: 2 files are named like results (..._c) and are skipped" in (
        capsys.readouterr().err
    )
    assert files_below(here / "in") == {"a.png", "a_c.png", "a_c_comparison.png", "a_c.jpg"}


def test_a_photograph_that_is_named_twice_is_colored_once(color_photographs, here, capsys):
    photograph(here / "in/a.png")
    assert color_photographs("in", str(here / "in/a.png"), "in/../in") == 0
    assert capsys.readouterr().out.endswith(summary(colored=1))


def test_a_folder_that_cannot_be_read_is_reported(color_photographs, here, capsys, monkeypatch):
    photograph(here / "in/a.png")
    (here / "in/closed").mkdir()
    scandir = os.scandir

    def refusing(path):
        if os.fspath(path).endswith("closed"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert color_photographs("in") == 1
    captured = capsys.readouterr()
    assert captured.err == "failed: in/closed: Permission denied: not searched\n"
    assert captured.out.endswith(summary(colored=1, failed=1))


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", (1, "uint8")), ("RGBA", (3, "uint8")), ("I;16", (1, "uint16")), ("broken", None)],
)
def test_recombination_is_prepared_for_the_first_photograph(here, prepared, mode, kind):
    photograph(here / "a.png", mode="L" if mode == "broken" else mode)
    if mode == "broken":
        (here / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    photograph(here / "b.tif")
    # It does not wait for the weights.
    assert run.main(["--images", "a.png", "b.tif", "--weights", "absent"]) == 2
    wait_for_other_threads()
    assert prepared == [kind] * (mode != "broken")


def wait_for_other_threads():
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(10)


def test_shards_color_every_photograph_exactly_once(color_photographs, here, capsys):
    wanted = {f"{number % 3}/{number}.png" for number in range(9)}
    for name in wanted:
        photograph(here / "gray" / name)
    colored = []
    for shard in (1, 2, 3):
        output = here / f"part{shard}"
        options = ("--shard", f"{shard}/3", "--output_dir", str(output))
        assert color_photographs("gray", *options) == 0
        colored.append({path.relative_to(output).as_posix() for path in output.rglob("*.png")})
        assert f"{len(colored[-1])} colored" in capsys.readouterr().out
    assert set.union(*colored) == wanted
    assert sum(map(len, colored)) == 9
    assert all(colored)

    # A shard stays the same when photographs are added and the folder is renamed.
    (here / "gray").rename(here / "archive")
    for number in range(9, 20):
        photograph(here / "archive" / f"{number}.png")
    assert color_photographs("archive", "--shard", "2/3", "--output_dir", "again") == 0
    again = {
        path.relative_to(here / "again").as_posix() for path in (here / "again").rglob("*.png")
    }
    assert again & wanted == colored[1]


def test_an_empty_shard_ends_at_once(here, capsys):
    photograph(here / "gray" / "1.png")
    statuses = [
        run.main(["--images", "gray", "--shard", f"{shard}/40", "--weights", "absent"])
        for shard in range(1, 41)
    ]
    # The weights are loaded only where there is something to color.
    assert sorted(statuses) == [0] * 39 + [2]
    assert capsys.readouterr().out.count("none of 1 photographs is in shard") == 39


def test_photographs_with_the_same_result_are_in_the_same_shard(color_photographs, here, capsys):
    for number in range(6):
        photograph(here / "gray" / f"{number}.png")
        photograph(here / "gray" / f"{number}.bmp")
    statuses = [
        color_photographs("gray", "--format", "png", "--shard", f"{shard}/2") for shard in (1, 2)
    ]
    assert statuses == [1, 1]
    message = capsys.readouterr().err
    assert message.count("its result would replace that of") == 6
    assert len(list((here / "results").iterdir())) == 6


@pytest.mark.parametrize("wrong", ["0/4", "5/4", "2", "1/0", "a/b", "-1/4", "1/4/2"])
def test_an_invalid_shard_is_a_one_line_error(here, capsys, wrong):
    assert run.main(["--images", "demo", f"--shard={wrong}"]) == 2
    message = capsys.readouterr().err
    assert "is not I/N with I from 1 to N, as in 1/4" in message
    assert message.count("\n") == 1
