"""Scales samples of any depth to 8 or 16 bits."""

import numpy as np

_WHITE_16 = 65535

# Below this share of the largest possible number, an image of 32 bits would be nearly black.
_LEAST_SHARE = 1 / 256


def scale_integers(samples: np.ndarray, bits: int) -> tuple[np.ndarray, str]:
    """Scales unsigned integers to 8 bits, or to 16 if they have more.

    Args:
        samples: array of unsigned integers.
        bits: int, the bits of each sample, of which the largest number is white. Of more than 16
            bits, it is the largest number in the image if nothing is brighter than 1/256 of white.

    Returns:
        Tuple of the array, uint8 or uint16, and a note, or an empty string.
    """
    return scale_to_white(samples, 2**bits - 1)


def scale_to_white(samples: np.ndarray, white: int) -> tuple[np.ndarray, str]:
    """Scales unsigned integers, of which `white` is white, as `scale_integers` does."""
    note = ""
    largest = int(samples.max(initial=0))
    if white > _WHITE_16 and 0 < largest <= white * _LEAST_SHARE:
        note = f"its numbers reach only {largest} of {white}, which is taken for white"
        white = largest
    if white <= 255:
        return _divided(samples, white, 255).astype("uint8"), note
    return _divided(samples, white, _WHITE_16).astype("uint16"), note


def scale_floats(samples: np.ndarray) -> tuple[np.ndarray, str]:
    """Scales floats to 16 bits: 1 is white, or the largest number if it is larger.

    Returns:
        Tuple of the uint16 array, and a note, or an empty string.
    """
    finite = samples[np.isfinite(samples)]
    largest, least = (float(finite.max(initial=0.0)), float(finite.min(initial=0.0)))
    notes = []
    if largest > 1.0:
        notes.append(f"its largest number, {largest:g}, is taken for white")
    if least < 0.0 or finite.size < samples.size:
        notes.append("numbers below 0 or not finite are taken for black")
    clean = np.nan_to_num(samples, nan=0.0, posinf=largest, neginf=0.0)
    scale = _WHITE_16 / max(largest, 1.0)
    scaled = np.clip(np.round(clean.astype("float64") * scale), 0, _WHITE_16)
    return scaled.astype("uint16"), "; ".join(notes)


def _divided(samples: np.ndarray, white: int, scale: int) -> np.ndarray:
    if white == scale:
        return samples
    clipped = np.minimum(samples, white).astype("uint64")
    return (clipped * np.uint64(scale) + np.uint64(white // 2)) // np.uint64(white)
