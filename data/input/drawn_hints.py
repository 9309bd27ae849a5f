"""Draws the hints that training images get, from their own true colors."""

import tensorflow as tf

from data.color.ab_bins import ab1_to_palette

# As in Zhang et al. 2017, section 3.1: the number is geometric with p = 1/8, places are normal
# around the center, patches have 1 to 9 px, and one image in a hundred is fully revealed.
_MOST_HINTS = 100
_P = 1.0 / 8.0
_DEVIATION = 0.25
_LARGEST_PATCH = 9
_REVEALED = 0.01

# Half of the images get more hints (32 in the mean) anywhere in the image, as people give them who
# touch up a whole photograph; with Zhang's alone, one in a thousand has 50.
_P_OF_MANY = 1.0 / 32.0

# The random numbers of an image: five of its own, and four of each hint.
_OF_IMAGE = 5
CHANCES = _OF_IMAGE + 4 * _MOST_HINTS

# The share of the images with hints that also get their palette.
_WITH_PALETTE = 0.25


def draw_palettes(ab: tf.Tensor, chances: tf.Tensor, share: float) -> tf.Tensor:
    """Gives some images, with or without hints, the palette of their true colors.

    Args:
        ab, chances, share: as in `draw_hints`.

    Returns:
        float32 tensor of shape (batch, 529), as `ab1_to_palette` makes it, zeros for the others.
    """
    gets_palette = (chances[:, 2] < share) & (chances[:, 4] < _WITH_PALETTE)
    palettes = ab1_to_palette(ab)
    return tf.where(gets_palette[:, None], palettes, tf.zeros_like(palettes))


def draw_hints(ab: tf.Tensor, chances: tf.Tensor, share: float) -> tf.Tensor:
    """Draws hints as a user would give them: patches of a few pixels with their mean color.

    Args:
        ab: float32 tensor of shape (batch, height, width, 2), the true ab.
        chances: float32 tensor of shape (batch, `CHANCES`), random numbers in [0, 1).
        share: float, the share of the images that get hints, by chance none of them.

    Returns:
        float32 tensor of shape (batch, height, width, 3): ab, and 1 where there is a hint.

    Reference: Zhang et al., "Real-Time User-Guided Image Colorization with Learned Deep Priors",
    SIGGRAPH 2017.
    """
    batch, height, width = tf.unstack(tf.shape(ab)[:3])
    of_image = chances[:, :_OF_IMAGE]
    of_hints = tf.reshape(chances[:, _OF_IMAGE:], (batch, 4, _MOST_HINTS))
    gets_many = of_image[:, 0] < 0.5
    p = tf.where(gets_many, _P_OF_MANY, _P)
    # The inverse of the geometric distribution from 0 on.
    number = tf.floor(tf.math.log1p(-of_image[:, 1]) / tf.math.log1p(-p))
    number = tf.where(of_image[:, 2] < share, number, 0.0)
    is_drawn = tf.cast(tf.range(_MOST_HINTS), tf.float32) < number[:, None]

    uniform = of_hints[:, :2]
    # The inverse of the normal distribution; 1e-6 keeps it finite.
    normal = tf.math.ndtri(tf.clip_by_value(uniform, 1e-6, 1.0 - 1e-6)) * _DEVIATION + 0.5
    places = tf.where(gets_many[:, None, None], uniform, tf.clip_by_value(normal, 0.0, 1.0))
    sizes = 1.0 + tf.floor(of_hints[:, 2] * _LARGEST_PATCH)
    rows = _covered(places[:, 0], sizes, height) * tf.cast(is_drawn, tf.float32)[..., None]
    columns = _covered(places[:, 1], sizes, width)

    # Of each patch: its area and its mean color; of each pixel: the mean of the patches there.
    sums = tf.einsum("bkh,bhwc->bkwc", rows, ab)
    sums = tf.einsum("bkwc,bkw->bkc", sums, columns)
    areas = tf.reduce_sum(rows, axis=2) * tf.reduce_sum(columns, axis=2)
    colors = sums / tf.maximum(areas, 1.0)[..., None]
    colored = tf.concat([colors, tf.ones_like(colors[..., :1])], axis=-1)
    hints = tf.einsum("bkhc,bkw->bhwc", rows[..., None] * colored[:, :, None], columns)
    hints = tf.concat(
        [hints[..., :2] / tf.maximum(hints[..., 2:], 1.0), tf.minimum(hints[..., 2:], 1.0)], axis=-1
    )
    revealed = tf.concat([ab, tf.ones_like(ab[..., :1])], axis=-1)
    is_revealed = (of_image[:, 2] < share) & (of_image[:, 3] < _REVEALED)
    return tf.where(is_revealed[:, None, None, None], revealed, hints)


def _covered(places: tf.Tensor, sizes: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
    """1 for each pixel of a row or column in each patch, whole within the image.

    `places` and `sizes` have the shape (batch, hints), the result (batch, hints, side).
    """
    side_length = tf.cast(side, tf.float32)
    first = tf.floor(places * (side_length - sizes + 1.0))
    first = tf.clip_by_value(first, 0.0, side_length - sizes)[..., None]
    pixels = tf.cast(tf.range(side), tf.float32)
    return tf.cast((pixels >= first) & (pixels < first + sizes[..., None]), tf.float32)
