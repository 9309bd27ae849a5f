"""Training images in which hints are about one thing alone."""

import math
from collections.abc import Callable

import tensorflow as tf

# An eighth of the images become drawn fields, and of another eighth all that is lighter, or darker,
# than a random level is the thing.
_DRAWN, _ALONE = 0.125, 0.25

# The most fields in a drawing, the largest of their L/50 - 1, and the chroma of things in ab/110.
_FIELDS = 5
_LIGHTEST = 0.8
_STRONGEST = 70.0 / 110.0

# The random numbers of an image: five of its own, and three of each field.
_OF_IMAGE = 5
CHANCES = _OF_IMAGE + 3 * _FIELDS


def about_one_thing(
    lightness: tf.Tensor,
    true_ab: tf.Tensor,
    hints: tf.Tensor,
    palettes: tf.Tensor,
    color: Callable[[tf.Tensor], tf.Tensor],
    chances: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Changes a quarter of the images so that their hints say nothing about the rest of the image.

    In a photograph, the color of one thing says much about the others, and a network that is
    trained on photographs alone changes all of them for a hint. Here, one thing gets a random
    color, of a photograph on top of half of its own; everything else should keep its automatic
    colors, and there is no hint in it.

    Args:
        lightness: float32 tensor of shape (batch, height, width, 1).
        true_ab: float32 tensor of shape (batch, height, width, 2).
        hints: float32 tensor of shape (batch, height, width, 3), as `draw_hints` returns them.
        palettes: float32 tensor of shape (batch, 529), as `draw_palettes` returns them.
        color: function of lightness that returns the automatic ab.
        chances: float32 tensor of shape (batch, `CHANCES`), random numbers in [0, 1).

    Returns:
        Tuple of lightness, ab, hints and palettes. All are in the range of the networks.
    """
    kind = chances[:, 0, None, None, None]
    is_drawn, is_alone = kind < _DRAWN, kind < _ALONE
    drawn, field = _draw_fields(chances, tf.shape(lightness)[1], tf.shape(lightness)[2])
    lightness = tf.where(is_drawn, drawn, lightness)
    thing = tf.where(is_drawn, field, _lighter_or_darker(lightness, chances))
    own = tf.where(is_drawn, tf.zeros_like(true_ab), 0.5 * true_ab)
    changed_ab = tf.where(thing, own + _random_ab(chances), color(lightness))
    share = tf.where(thing, hints[..., 2:], 0.0)
    changed_hints = tf.concat([changed_ab * share, share], axis=-1)
    return (
        lightness,
        tf.where(is_alone, changed_ab, true_ab),
        tf.where(is_alone, changed_hints, hints),
        tf.where(is_alone[:, 0, 0], tf.zeros_like(palettes), palettes),
    )


def _lighter_or_darker(lightness: tf.Tensor, chances: tf.Tensor) -> tf.Tensor:
    """Whether each pixel is lighter (or darker) than 20 to 80 percent of the image."""
    levels = tf.sort(tf.reshape(lightness, (tf.shape(lightness)[0], -1)), axis=1)
    position = (0.2 + 0.6 * chances[:, 1]) * tf.cast(tf.shape(levels)[1] - 1, tf.float32)
    level = tf.gather(levels, tf.cast(position, tf.int32), batch_dims=1)
    wants_lighter = chances[:, 2] < 0.5
    return (lightness > level[:, None, None, None]) == wants_lighter[:, None, None, None]


def _random_ab(chances: tf.Tensor) -> tf.Tensor:
    hue = 2.0 * math.pi * chances[:, 3]
    ab = tf.stack([tf.cos(hue), tf.sin(hue)], axis=-1) * _STRONGEST * chances[:, 4, None]
    return ab[:, None, None]


def _draw_fields(
    chances: tf.Tensor, height: tf.Tensor, width: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws two to five Voronoi fields of one lightness each, and says which pixels are the first.

    Both results have the shape (batch, height, width, 1).
    """
    of_fields = tf.reshape(chances[:, _OF_IMAGE:], (-1, _FIELDS, 3))
    count = 2 + tf.cast(chances[:, 1] * (_FIELDS - 1), tf.int32)
    rows, columns = (
        (tf.range(tf.cast(side, tf.float32)) + 0.5) / tf.cast(side, tf.float32)
        for side in (height, width)
    )
    distances = (rows[None, :, None, None] - of_fields[:, None, None, :, 0]) ** 2
    distances += (columns[None, None, :, None] - of_fields[:, None, None, :, 1]) ** 2
    is_there = tf.range(_FIELDS) < count[:, None]
    distances = tf.where(is_there[:, None, None], distances, 9.0)
    nearest = tf.argmin(distances, axis=-1, output_type=tf.int32)
    levels = _LIGHTEST * (2.0 * of_fields[..., 2] - 1.0)
    lightness = tf.gather(levels, nearest, batch_dims=1)[..., None]
    return lightness, (nearest == 0)[..., None]
