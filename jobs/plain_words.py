"""What TensorFlow raises, in our words."""

import contextlib
import sys
from collections.abc import Iterator

import tensorflow as tf

from data.left_out import LeftOut
from errors import InputError


@contextlib.contextmanager
def errors_in_plain_words(left_out: LeftOut, batch_size: int, resolution: int) -> Iterator[None]:
    """Says what TensorFlow raises of pictures in our words, and counts what was left out.

    Args:
        left_out: the list of pictures left out.
        batch_size: int.
        resolution: int.

    Raises:
        InputError: memory ran out, or the pictures cannot be used.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise InputError(
            f"a step of {batch_size} pictures of {resolution} px does not fit into memory; lower "
            "--batch_size or --resolution"
        ) from error
    except tf.errors.OpError as error:
        # An error of ours inside the pipeline comes out wrapped in one of TensorFlow's.
        if left_out.failure:
            raise left_out.failure from error
        raise
    finally:
        if len(left_out) and not left_out.failure:
            print(f"warning: {left_out.summary()}", file=sys.stderr)
