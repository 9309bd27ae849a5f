"""What TensorFlow raises of pictures becomes one line, and what was left out is counted."""

import pytest
import tensorflow as tf

from data.left_out import LeftOut
from errors import InputError
from jobs.plain_words import errors_in_plain_words


@pytest.fixture
def left_out(tmp_path):
    return LeftOut(tmp_path / "left_out.tsv", total=4)


def test_memory_that_ran_out_says_what_to_lower(left_out, capsys):
    error = tf.errors.ResourceExhaustedError(None, None, "OOM when\nallocating a tensor")
    with pytest.raises(InputError) as caught, errors_in_plain_words(left_out, 16, 256):
        raise error
    assert str(caught.value) == (
        "a step of 16 pictures of 256 px does not fit into memory; lower --batch_size or "
        "--resolution"
    )
    assert caught.value.__cause__ is error
    assert capsys.readouterr().err == ""


def test_an_error_of_ours_inside_the_pipeline_comes_out_as_itself(left_out, capsys):
    def give_up(number):
        left_out.add("a.png", "unreadable: torn")
        left_out.fail("no picture can be used")

    stream = tf.data.Dataset.range(3).map(lambda n: tf.numpy_function(give_up, [n], tf.int64))
    with (
        pytest.raises(InputError, match="no picture can be used: 1 of 4 left out") as caught,
        errors_in_plain_words(left_out, 16, 256),
    ):
        list(stream)
    assert caught.value is left_out.failure
    # The error itself counts them.
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "error", [tf.errors.InternalError(None, None, "a defect"), ValueError("a defect")]
)
def test_other_errors_are_not_hidden(left_out, error):
    with pytest.raises(type(error)) as caught, errors_in_plain_words(left_out, 16, 256):
        raise error
    assert caught.value is error


def test_what_was_left_out_is_counted_when_the_work_is_done(left_out, capsys):
    with errors_in_plain_words(left_out, 16, 256):
        left_out.add("a.png", "unreadable: torn")
        left_out.add("b.png", "no color: colorfulness 0.1")
        assert capsys.readouterr().err == ""
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: 2 of 4 left out (1 unreadable, 1 no color), listed in ")


def test_nothing_is_said_of_nothing(left_out, capsys):
    with errors_in_plain_words(left_out, 16, 256):
        pass
    assert capsys.readouterr() == ("", "")


def test_what_was_left_out_is_counted_when_the_work_is_broken_off(left_out, capsys):
    left_out.add("a.png", "unreadable: torn")
    with pytest.raises(KeyboardInterrupt), errors_in_plain_words(left_out, 16, 256):
        raise KeyboardInterrupt
    assert capsys.readouterr().err.startswith("warning: 1 of 4 left out")
