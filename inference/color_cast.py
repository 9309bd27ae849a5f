"""Distinguishes color photographs from tinted ones."""

import numpy as np

# In units of ab. Nine in ten of 150 color photographs are above it. Toned sepia and saved as JPEG,
# they have a median of 2.6 and a maximum of 4.5.
_COLOR_THRESHOLD = 5.0


def has_colors(lab100: np.ndarray) -> bool:
    """Whether an image has colors beyond a tint.

    The tint of a print (sepia, cyanotype, yellowed paper) is a curve: ab is a function of L. An
    image has colors if ab deviates by more than 5 (root mean square) from the parabola over L that
    fits it best.

    Args:
        lab100: float array of shape (height, width, 3), CIE Lab.

    Returns:
        bool.

    Example:
        gray = np.zeros((32, 32, 3))
        gray[..., 0] = np.linspace(0.0, 100.0, 32)
        has_colors(gray)    # False
    """
    lightness, ab = lab100[..., 0].reshape(-1), lab100[..., 1:].reshape(-1, 2)
    if not ab.any():
        return False
    tint = np.stack([np.ones_like(lightness), lightness / 100, (lightness / 100) ** 2], axis=-1)
    residual = ab - tint @ np.linalg.lstsq(tint, ab, rcond=None)[0]
    return float(np.sqrt(np.mean(np.sum(residual**2, axis=-1)))) > _COLOR_THRESHOLD
