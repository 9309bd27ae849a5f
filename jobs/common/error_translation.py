"""Translates errors of lower floors into advice about the command line."""

import contextlib
import sys
from collections.abc import Iterator

import tensorflow as tf

from data.input.skipped_images import SkippedImages
from errors import InputError


@contextlib.contextmanager
def about_option(name: str) -> Iterator[None]:
    """Names the option that an error is about.

    Args:
        name: str, the name of the option, without hyphens.

    Raises:
        InputError: the block raised one; its message now begins with the option.
    """
    try:
        yield
    except InputError as error:
        raise InputError(f"--{name}: {error}") from error


@contextlib.contextmanager
def translate_errors(skipped: SkippedImages, batch_size: int, resolution: int) -> Iterator[None]:
    """Translates TensorFlow's errors about images, and reports the skipped images at the end.

    Args:
        skipped: `SkippedImages`, the list of skipped images.
        batch_size: int, the number of images in a step, for the message.
        resolution: int, the side of the images in pixels, for the message.

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
        # TensorFlow wraps an `InputError` raised inside the pipeline in an error of its own.
        if skipped.failure:
            raise skipped.failure from error
        raise
    finally:
        if len(skipped) and not skipped.failure:
            print(f"warning: {skipped.summary()}", file=sys.stderr)
