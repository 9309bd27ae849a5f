"""Random crops and rotations of images in the `tf.data` graph."""

import math

import tensorflow as tf


def random_square(
    image: tf.Tensor, resolution: int, crop_scale: float, chance: tf.Tensor
) -> tf.Tensor:
    """Crops a random square from an image and resizes it.

    Args:
        image: tensor of shape (height, width, 3).
        resolution: int, the side of the result.
        crop_scale: float in (0, 1], the smallest area of the crop, as a share of the largest square
            in the image.
        chance: float32 tensor of at least three random numbers in [0, 1): for the area of the crop
            and for its vertical and horizontal position.

    Returns:
        Tensor of shape (resolution, resolution, 3).
    """
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    largest = tf.cast(tf.minimum(height, width), tf.float32)
    share = crop_scale + (1.0 - crop_scale) * chance[0]
    side = tf.maximum(tf.cast(tf.round(largest * tf.sqrt(share)), tf.int32), 1)
    top = tf.cast(chance[1] * tf.cast(height - side + 1, tf.float32), tf.int32)
    left = tf.cast(chance[2] * tf.cast(width - side + 1, tf.float32), tf.int32)
    return _resize(image[top : top + side, left : left + side], resolution)


def central_square(image: tf.Tensor, resolution: int) -> tf.Tensor:
    """Crops the largest central square from an image and resizes it."""
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    side = tf.minimum(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return _resize(image[top : top + side, left : left + side], resolution)


def _resize(image: tf.Tensor, side: int) -> tf.Tensor:
    resized = tf.image.resize(image, [side, side], method="bilinear", antialias=True)
    return tf.ensure_shape(resized, [side, side, 3])


def rotate(image: tf.Tensor, degrees: tf.Tensor) -> tf.Tensor:
    """Rotates an image about its center; empty corners are filled by reflection."""
    angle = degrees * (math.pi / 180.0)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    center_y, center_x = (size[0] - 1.0) / 2.0, (size[1] - 1.0) / 2.0
    # The transform maps positions in the result to positions in the image.
    from_x = center_x - cosine * center_x + sine * center_y
    from_y = center_y - sine * center_x - cosine * center_y
    transform = tf.stack([cosine, -sine, from_x, sine, cosine, from_y, 0.0, 0.0])
    rotated = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(image[None], tf.float32),
        transforms=transform[None],
        output_shape=tf.shape(image)[:2],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
    return rotated[0]
