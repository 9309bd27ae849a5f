"""Coloring as a person does it: files, folders, the bad ones among them."""

import json
import os
import signal

import numpy as np
import pytest
from PIL import Image
from skimage import color

import run
from data import pictures
from jobs.settings import SHIPPED_WEIGHTS
from models.sagan import SAGAN
from models.weights_folder import WeightsFolder

ARCHITECTURE = {
    "filters": 2,
    "depth": 2,
    "attention_level": 1,
    "norm": "batch",
    "encoder": "none",
    "discriminator_filters": 2,
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights of a tiny untrained network."""
    folder = WeightsFolder(tmp_path_factory.mktemp("weights"))
    folder.write_settings({"model": "sagan", "architecture": ARCHITECTURE, "render_size": 32})
    folder.save_generator(SAGAN.build_generator(ARCHITECTURE))
    return str(folder.path)


@pytest.fixture
def color_photographs(weights, here):
    def call(*arguments):
        return run.main(["--weights", weights, "--precision", "float32", "--images", *arguments])

    return call


def photograph(path, size=(40, 30), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    gradient = np.linspace(60, 200, size[0] * size[1]).reshape(size[1], size[0]).astype("uint8")
    Image.fromarray(gradient).convert(mode).save(path)
    return path


def test_trees_are_mirrored_and_formats_kept(color_photographs, here, capsys):
    photograph(here / "in/a.jpg")
    photograph(here / "in/deep/b.PNG")
    photograph(here / "in/deep/c.webp")
    photograph(here / "d.jpeg", mode="L")
    assert color_photographs("in", "d.jpeg", "--output_dir", "out") == 0
    made = {path.relative_to(here / "out").as_posix() for path in (here / "out").rglob("*.*")}
    assert made == {"a.jpg", "deep/b.PNG", "deep/c.png", "d.jpeg"}
    assert Image.open(here / "out/a.jpg").format == "JPEG"
    assert Image.open(here / "out/deep/b.PNG").format == "PNG"
    assert "4 colored, 0 skipped" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_size_and_lightness_are_the_photographs_own(color_photographs, here, name):
    source = photograph(here / name, size=(61, 47))
    assert color_photographs(name) == 0
    before = color.rgb2lab(np.asarray(Image.open(source).convert("RGB")))
    after = color.rgb2lab(np.asarray(Image.open(here / "results" / name)))
    assert before.shape == after.shape
    assert np.abs(before[..., 0] - after[..., 0]).mean() < 0.5


def test_one_bad_photograph_does_not_stop_the_rest(color_photographs, here, capsys):
    photograph(here / "in/good.jpg")
    (here / "in/empty.jpg").write_bytes(b"")
    (here / "in/text.png").write_text("no picture")
    whole = photograph(here / "in/cut.jpg", size=(200, 200)).read_bytes()
    (here / "in/cut.jpg").write_bytes(whole[: len(whole) // 2])
    assert color_photographs("in") == 1
    captured = capsys.readouterr()
    assert "1 colored, 0 skipped because they are there already, 3 failed" in captured.out
    for name in ("empty.jpg", "text.png", "cut.jpg"):
        assert f"failed: {os.path.join('in', name)}: " in captured.err
    assert os.listdir(here / "results") == ["good.jpg"]


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


def test_no_photograph_and_no_result_is_ever_lost(color_photographs, here, capsys):
    original = photograph(here / "in/a.png").read_bytes()
    # One sorts before it and one behind.
    photograph(here / "in/a.bmp")
    photograph(here / "in/a.webp")
    assert color_photographs("in", "--output_dir", "in", "--overwrite") == 1
    message = capsys.readouterr().err
    assert message.count("its result would replace the photograph in/a.png") == 3
    assert (here / "in/a.png").read_bytes() == original

    assert color_photographs("in", "--output_dir", "out") == 1
    message = capsys.readouterr().err
    assert message.count("its result would replace that of in/a.bmp") == 2


def test_results_below_the_input_are_not_colored_again(color_photographs, here, capsys):
    photograph(here / "a.png")
    assert color_photographs(".") == 0
    assert color_photographs(".") == 0
    assert "0 colored, 1 skipped" in capsys.readouterr().out
    assert [path.name for path in (here / "results").iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["absent.jpg"], "--images absent.jpg: there is no such file or folder"),
        (["empty"], "--images empty: no picture in it"),
        (["a.png", "--output_dir", "a.png"], "--output_dir a.png: File exists"),
    ],
)
def test_nothing_begun_is_one_line(color_photographs, here, capsys, arguments, words):
    (here / "empty").mkdir()
    photograph(here / "a.png")
    assert color_photographs(*arguments) == 2
    message = capsys.readouterr().err
    assert words in message
    assert message.count("\n") == 1


@pytest.mark.parametrize("settings", ["{}", "[]", '{"architecture": {}}', "{"])
def test_settings_that_describe_no_network_are_one_line(here, capsys, settings):
    photograph(here / "a.png")
    (here / "w").mkdir()
    (here / "w/settings.json").write_text(settings)
    assert run.main(["--images", "a.png", "--weights", "w"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_weights_that_are_not_there_are_one_line(here, capsys):
    photograph(here / "a.png")
    assert run.main(["--images", "a.png", "--weights", "absent"]) == 2
    assert "absent is not a folder of weights" in capsys.readouterr().err
    assert run.main(["--images", "a.png", "--load_weights"]) == 2
    assert "weights/sagan is not a folder of weights" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_whole_files_and_a_summary(
    color_photographs, here, capsys, monkeypatch, number, status
):
    for name in "abc":
        photograph(here / f"in/{name}.png")
    open_picture = Image.open

    def interrupted(path):
        if path.name == "b.png":
            os.kill(os.getpid(), number)
        return open_picture(path)

    # In the middle of decoding: the photograph in work is finished, no other is begun.
    monkeypatch.setattr(pictures.Image, "open", interrupted)
    assert color_photographs("in") == status
    assert sorted(os.listdir(here / "results")) == ["a.png", "b.png"]
    captured = capsys.readouterr()
    assert "2 colored" in captured.out
    assert "stopped: the same command" in captured.err


def test_demo_is_colored_by_the_weights_that_ship(here):
    settings = json.loads((SHIPPED_WEIGHTS / "sagan" / "settings.json").read_text())
    assert settings["model"] == "sagan"
    assert run.main(["--images", "demo"]) == 0
    cat = np.asarray(Image.open(here / "results/chelsea.png"))
    ab = color.rgb2lab(cat)[..., 1:]
    # Color, not gray; and not one tint over all.
    assert np.abs(ab).mean() > 3
    assert ab.std(axis=(0, 1)).max() > 2
