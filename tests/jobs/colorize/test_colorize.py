"""Tests of `run.py --images`: what is written for files and folders of photographs."""

import hashlib
import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from skimage import color

import inference
import run
from data.datasets.folder import demo_images
from inference.photo_colorizer import PhotoColorizer
from jobs.colorize import colorize
from tests.jobs.colorize.photographs import (
    HEIC,
    files_below,
    lightness_of,
    photograph,
    pixels_of,
    summary,
)

RUN = Path(__file__).resolve().parents[3] / "run.py"


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


# --- memory and messages -------------------------------------------------------------------------


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
