"""Tells a photograph in color from a tinted one."""

import numpy as np

# In units of ab. Of 150 photographs nine in ten have more; toned sepia and saved as JPEG they have
# 2.6 in the median and 4.5 at the most.
_OF_A_COLOR_PHOTOGRAPH = 5.0


def has_colors(lab100: np.ndarray) -> bool:
    """Whether an image has colors beyond a tint.

    The tint of a print (sepia, cyanotype, a yellowed sheet) is one curve: the color follows from
    the lightness. What is left of ab when the best parabola over L is taken off are colors.

    Args:
        lab100: float array of shape (height, width, 3), CIE Lab.
    """
    lightness, ab = lab100[..., 0].reshape(-1), lab100[..., 1:].reshape(-1, 2)
    tint = np.stack([np.ones_like(lightness), lightness / 100, (lightness / 100) ** 2], axis=-1)
    left = ab - tint @ np.linalg.lstsq(tint, ab, rcond=None)[0]
    return float(np.sqrt(np.mean(np.sum(left**2, axis=-1)))) > _OF_A_COLOR_PHOTOGRAPH
