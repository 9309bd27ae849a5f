"""Tests of error translation and of the warning that counts the skipped images."""

import pytest
import tensorflow as tf

from data.input.skipped_images import SkippedImages
from errors import InputError
from jobs.common.error_translation import translate_errors


@pytest.fixture
def skipped(tmp_path):
    return SkippedImages(tmp_path / "skipped_images.tsv", total=4)


def test_out_of_memory_error_says_what_to_lower(skipped, capsys):
    error = tf.errors.ResourceExhaustedError(None, None, "OOM when\nallocating a tensor")
    with pytest.raises(InputError) as caught, translate_errors(skipped, 16, 256):
        raise error
    assert str(caught.value) == (
        "a step of 16 images of 256 px does not fit into memory; lower --batch_size or --resolution"
    )
    assert caught.value.__cause__ is error
    assert capsys.readouterr().err == ""


def test_an_input_error_inside_the_pipeline_is_raised_unchanged(skipped, capsys):
    def fail(number):
        skipped.add("a.png", "unreadable: torn")
        skipped.fail("no image can be used")

    stream = tf.data.Dataset.range(3).map(lambda n: tf.numpy_function(fail, [n], tf.int64))
    with (
        pytest.raises(InputError, match="no image can be used: 1 of 4 skipped") as caught,
        translate_errors(skipped, 16, 256),
    ):
        list(stream)
    assert caught.value is skipped.failure
    # The error already counts them, so there is no warning.
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "error", [tf.errors.InternalError(None, None, "a defect"), ValueError("a defect")]
)
def test_other_errors_are_not_hidden(skipped, error):
    with pytest.raises(type(error)) as caught, translate_errors(skipped, 16, 256):
        raise error
    assert caught.value is error


def test_skipped_images_are_counted_when_the_job_ends(skipped, capsys):
    with translate_errors(skipped, 16, 256):
        skipped.add("a.png", "unreadable: torn")
        skipped.add("b.png", "no color: colorfulness 0.1")
        assert capsys.readouterr().err == ""
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: 2 of 4 skipped (1 unreadable, 1 no color), listed in ")


def test_nothing_is_printed_without_skipped_images(skipped, capsys):
    with translate_errors(skipped, 16, 256):
        pass
    assert capsys.readouterr() == ("", "")


def test_skipped_images_are_counted_when_the_job_is_interrupted(skipped, capsys):
    skipped.add("a.png", "unreadable: torn")
    with pytest.raises(KeyboardInterrupt), translate_errors(skipped, 16, 256):
        raise KeyboardInterrupt
    assert capsys.readouterr().err.startswith("warning: 1 of 4 skipped")
