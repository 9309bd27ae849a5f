"""Tests of the curves of a training, which are read from TensorBoard's records and drawn."""

import os

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure
from PIL import Image

from jobs.train.curves import draw_curves, read_curves


@pytest.fixture
def write(tmp_path):
    """Returns a function that writes a file of records and returns its path.

    The function takes the name of the run and a dict from tags to dicts from steps to values.
    """
    # The modification times have the order of writing, however quickly the files are written.
    written = []

    def call(run, values, image=False):
        folder = tmp_path / "logs" / run
        before = set(folder.glob("*"))
        writer = tf.summary.create_file_writer(str(folder))
        with writer.as_default():
            for tag, by_step in values.items():
                for step, value in by_step.items():
                    tf.summary.scalar(tag, value, step=step)
            if image:
                tf.summary.image("sample", np.zeros((1, 4, 4, 3)), step=1)
        writer.close()
        (path,) = set(folder.glob("*")) - before
        written.append(path)
        os.utime(path, (1e9 + len(written), 1e9 + len(written)))
        return path

    return call


@pytest.fixture
def logs(tmp_path):
    return tmp_path / "logs"


@pytest.fixture
def drawn(monkeypatch):
    """A list of the figures that were saved."""
    figures, save = [], Figure.savefig

    def remember(self, *arguments, **options):
        figures.append(self)
        save(self, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", remember)
    return figures


# --- reading -------------------------------------------------------------------------------------


def test_values_are_those_that_were_written(write, logs):
    values = np.random.default_rng(0).normal(0, 1e3, 30).astype("float32")
    write("train", {"l1": {10 * step: value for step, value in enumerate(values)}})
    assert read_curves(logs) == {
        "l1": {"train": [(10 * step, float(value)) for step, value in enumerate(values)]}
    }


def test_a_tag_of_both_runs_has_one_curve_for_each(write, logs):
    write("validation", {"l1": {2: 5.0}, "psnr": {2: 20.0}})
    write("train", {"l1": {1: 3.0, 2: 4.0}, "generator_loss": {1: 1.0}})
    curves = read_curves(logs)
    assert list(curves) == ["generator_loss", "l1", "psnr"]
    assert curves["l1"] == {"train": [(1, 3.0), (2, 4.0)], "validation": [(2, 5.0)]}
    assert list(curves["l1"]) == ["train", "validation"]
    assert curves["psnr"] == {"validation": [(2, 20.0)]}


def test_several_files_of_a_run_make_one_curve(write, logs):
    write("train", {"l1": {1: 1.0, 2: 2.0}})
    write("train", {"l1": {3: 3.0}})
    write("train", {"l1": {4: 4.0}})
    expected = [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]
    assert read_curves(logs)["l1"]["train"] == expected


def test_later_records_replace_earlier_ones_of_a_resumed_training(write, logs):
    write("train", {"l1": {1: 1.0, 2: 2.0, 3: 3.0}})
    write("train", {"l1": {2: 20.0, 3: 30.0, 4: 40.0}})
    expected = [(1, 1.0), (2, 20.0), (3, 30.0), (4, 40.0)]
    assert read_curves(logs)["l1"]["train"] == expected


def test_later_records_replace_earlier_ones_in_a_copy_too(write, logs):
    earlier = write("train", {"l1": {1: 1.0, 2: 2.0}})
    write("train", {"l1": {2: 20.0}})
    os.utime(earlier, (2e9, 2e9))
    assert read_curves(logs)["l1"]["train"] == [(1, 1.0), (2, 20.0)]


def test_images_and_speed_are_not_curves(write, logs):
    write("train", {"l1": {1: 1.0}, "images_per_second": {1: 9.0}}, image=True)
    write("samples", {"psnr": {1: 20.0}}, image=True)
    assert list(read_curves(logs)) == ["l1"]


def test_a_truncated_file_is_read_up_to_the_last_complete_record(write, logs):
    path = write("train", {"l1": {1: 1.0, 2: 2.0, 3: 3.0}})
    path.write_bytes(path.read_bytes()[:-5])
    write("train", {"l1": {4: 4.0}})
    assert read_curves(logs)["l1"]["train"] == [(1, 1.0), (2, 2.0), (4, 4.0)]


@pytest.mark.parametrize("name", ["logs", "logs/train"])
def test_without_records_there_are_no_curves(tmp_path, name):
    assert read_curves(tmp_path / "logs") == {}
    (tmp_path / name).mkdir(parents=True)
    assert read_curves(tmp_path / "logs") == {}


# --- drawing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tags", "rows"), [(1, 1), (3, 1), (4, 2)])
def test_image_has_a_row_for_every_three_curves(write, logs, tmp_path, tags, rows):
    write("train", {f"loss_{number}": {1: 1.0, 2: 2.0} for number in range(tags)})
    assert draw_curves(logs, tmp_path / "new/curves.png") is True
    with Image.open(tmp_path / "new/curves.png") as image:
        assert image.format == "PNG"
        assert image.size == (1200, 260 * rows)
        # The image is not blank.
        assert len(image.convert("RGB").getcolors(1 << 20)) > 10
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["curves.png"]


def test_runs_are_two_lines_of_one_panel(write, logs, tmp_path, drawn):
    write("train", {"generator_loss": {1: 3.0, 2: 2.0}})
    write("validation", {"generator_loss": {2: 4.0}, "psnr": {2: 20.0}})
    draw_curves(logs, tmp_path / "curves.png")
    (figure,) = drawn
    first, second = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["generator loss", "psnr"]
    training, validation = first.get_lines()
    assert training.get_label() == "training"
    assert training.get_xydata().tolist() == [[1.0, 3.0], [2.0, 2.0]]
    assert validation.get_label() == "validation"
    assert validation.get_xydata().tolist() == [[2.0, 4.0]]
    assert training.get_color() != validation.get_color()
    assert [line.get_label() for line in second.get_lines()] == ["validation"]
    assert second.get_lines()[0].get_color() == validation.get_color()


def test_few_points_are_marked_and_many_are_not(write, logs, tmp_path, drawn):
    # A line through a single point is invisible.
    write("train", {"few": {1: 1.0}, "many": dict.fromkeys(range(20), 1.0)})
    draw_curves(logs, tmp_path / "curves.png")
    few, many = (axes.get_lines()[0] for axes in drawn[0].axes)
    assert few.get_marker() == "o"
    assert many.get_marker() == "None"


def test_true_colorfulness_shares_a_panel_with_that_of_the_colored_images(
    write, logs, tmp_path, drawn
):
    values = {"colorfulness": {1: 5.0}, "true_colorfulness": {1: 30.0}, "psnr": {1: 20.0}}
    write("validation", values)
    draw_curves(logs, tmp_path / "curves.png")
    colorfulness, psnr = drawn[0].axes
    assert [axes.get_title() for axes in drawn[0].axes] == ["colorfulness", "psnr"]
    lines = {line.get_label(): line.get_ydata().tolist() for line in colorfulness.get_lines()}
    assert lines == {"validation": [5.0], "true images": [30.0]}
    assert len(psnr.get_lines()) == 1


def test_true_colorfulness_alone_has_a_panel(write, logs, tmp_path, drawn):
    write("validation", {"true_colorfulness": {1: 30.0}})
    draw_curves(logs, tmp_path / "curves.png")
    (axes,) = drawn[0].axes
    assert axes.get_title() == "colorfulness"
    assert [line.get_label() for line in axes.get_lines()] == ["true images"]


def test_nothing_is_drawn_without_records(write, logs, tmp_path):
    target = tmp_path / "curves.png"
    assert draw_curves(logs, target) is False
    write("train", {"images_per_second": {1: 9.0}}, image=True)
    assert draw_curves(logs, target) is False
    assert not target.exists()


def test_image_is_replaced_completely_or_not_at_all(write, logs, tmp_path, monkeypatch):
    target = tmp_path / "curves.png"
    target.write_bytes(b"the earlier one")
    write("train", {"l1": {1: 1.0}})

    def fail(self, path, **options):
        path.write_bytes(b"half")
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Figure, "savefig", fail)
        with pytest.raises(OSError, match="No space"):
            draw_curves(logs, target)
    assert target.read_bytes() == b"the earlier one"
    assert draw_curves(logs, target) is True
    assert Image.open(target).format == "PNG"
    assert {path.name for path in tmp_path.iterdir()} == {"logs", "curves.png"}


def test_drawing_leaves_no_figures_to_pyplot(write, logs, tmp_path):
    from matplotlib import _pylab_helpers

    write("train", {"l1": {1: 1.0}})
    draw_curves(logs, tmp_path / "curves.png")
    # Figures that pyplot manages would stay in memory and could open windows.
    assert _pylab_helpers.Gcf.get_all_fig_managers() == []
