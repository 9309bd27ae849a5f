"""What TensorFlow raises, in our words."""

import contextlib
import sys
from collections.abc import Iterator

import tensorflow as tf

from data.input.skipped_images import SkippedImages
from errors import InputError


@contextlib.contextmanager
def translate_errors(skipped: SkippedImages, batch_size: int, resolution: int) -> Iterator[None]:
    """Says what TensorFlow raises of images in our words, and counts what was left out.

    Args:
        skipped: the list of images left out.
        batch_size: int.
        resolution: int.

    Raises:
        InputError: memory ran out, or the images cannot be used.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise InputError(
            f"a step of {batch_size} images of {resolution} px does not fit into memory; lower "
            "--batch_size or --resolution"
        ) from error
    except tf.errors.OpError as error:
        # An error of ours inside the pipeline comes out wrapped in one of TensorFlow's.
        if skipped.failure:
            raise skipped.failure from error
        raise
    finally:
        if len(skipped) and not skipped.failure:
            print(f"warning: {skipped.summary()}", file=sys.stderr)
