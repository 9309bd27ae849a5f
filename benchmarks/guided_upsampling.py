"""Measures how close upsampled color is to the true color, beside edges and in whole photographs.

    python -m benchmarks.guided_upsampling

The color and the lightness of scikit-image's photographs are shrunk by averaging and upsampled
again by four methods. The error is the mean distance in ab, as a ratio to that of bilinear
interpolation: below 1 is better. No network is run, so its errors are not included.
"""

from collections.abc import Callable

import numpy as np
from scipy import ndimage
from skimage import color, data

from benchmarks.in_turn import print_machine
from jobs.common.runtime import import_tensorflow_quietly

FACTOR = 8
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "stereo_motorcycle")

# The percentile of the gradient above which a pixel belongs to a strong edge, and the side of the
# square of pixels around it that count as beside it.
EDGE_PERCENTILE = 95
BESIDE = 5

# The smallest window of the original fast guided filter: larger ones have larger errors.
ORIGINAL_WINDOW = 3
ORIGINAL_EPSILON = 8.0

# A function from a small Lab image and the lightness at full size to ab at full size.
Way = Callable[[np.ndarray, np.ndarray], np.ndarray]


def main() -> None:
    """Prints a table of ratios."""
    import_tensorflow_quietly()
    ways = {
        "bilinear": bilinear,
        "bicubic": _bicubic,
        "original": _original_guided_filter,
        "ours": ours,
    }
    print_machine("scikit-image")
    print(f"shrunk {FACTOR} times; error in ab, as a ratio to bilinear")
    print(f"{'':18}{'beside edges':^40}  {'whole photograph':^40}")
    print(" " * 18 + "  ".join("".join(f"{name:>10}" for name in ways) for _ in range(2)))
    table = [_ratios(photograph(name), ways) for name in PHOTOGRAPHS]
    for name, ratios in zip((*PHOTOGRAPHS, "mean"), [*table, np.mean(table, axis=0)], strict=True):
        cells = ("".join(f"{ratio:10.3f}" for ratio in part) for part in ratios)
        print(f"{name:18}" + "  ".join(cells))


def photograph(name: str) -> np.ndarray:
    """A photograph of scikit-image in CIE Lab, cropped to sides that are multiples of `FACTOR`."""
    pixels = getattr(data, name)()
    if name.startswith("stereo"):
        pixels = pixels[0]
    height, width = (side // FACTOR * FACTOR for side in pixels.shape[:2])
    return color.rgb2lab(pixels[:height, :width]).astype("float32")


def shrunk(image: np.ndarray) -> np.ndarray:
    """Shrinks an image by averaging squares of `FACTOR` x `FACTOR` pixels."""
    height, width, channels = image.shape
    squares = image.reshape(height // FACTOR, FACTOR, width // FACTOR, FACTOR, channels)
    return squares.mean(axis=(1, 3))


def beside_edges(lightness: np.ndarray) -> np.ndarray:
    """A mask (height, width) of the pixels beside strong edges, where colors bleed."""
    steepness = ndimage.gaussian_gradient_magnitude(lightness[..., 0], 1.0)
    is_edge = steepness > np.percentile(steepness, EDGE_PERCENTILE)
    return ndimage.binary_dilation(is_edge, np.ones((BESIDE, BESIDE)))


def errors(lab100: np.ndarray, way: Way) -> np.ndarray:
    """The distances (height, width) in ab between a Lab image and its upsampled version."""
    ab = way(shrunk(lab100), lab100[..., :1])
    return np.linalg.norm(ab - lab100[..., 1:], axis=-1)


def bilinear(small: np.ndarray, lightness: np.ndarray) -> np.ndarray:
    """Upsamples by bilinear interpolation, the baseline."""
    return _resized(small[..., 1:], lightness, "bilinear")


def ours(small: np.ndarray, lightness: np.ndarray) -> np.ndarray:
    """Upsamples by `inference.guided_upsampling`, in one strip."""
    from inference.guided_upsampling import GuidedUpsampling, follow_lightness

    height, width = lightness.shape[:2]
    upsampling = GuidedUpsampling(small[..., :1], small[..., 1:], height, width)
    return np.stack(follow_lightness(lightness[..., 0], upsampling.strip(0, height)), axis=-1)


def _bicubic(small: np.ndarray, lightness: np.ndarray) -> np.ndarray:
    return _resized(small[..., 1:], lightness, "bicubic")


def _original_guided_filter(small: np.ndarray, lightness: np.ndarray) -> np.ndarray:
    """Upsamples by algorithm 2 of He and Sun, "Fast Guided Filter", 2015."""
    guide, ab = small[..., :1], small[..., 1:]
    mean_guide, mean_ab = _box(guide), _box(ab)
    variance = _box(guide * guide) - mean_guide * mean_guide
    slope = (_box(guide * ab) - mean_guide * mean_ab) / (variance + ORIGINAL_EPSILON)
    offset = mean_ab - slope * mean_guide
    slope, offset = (_resized(_box(part), lightness, "bilinear") for part in (slope, offset))
    return slope * lightness + offset


def _box(image: np.ndarray) -> np.ndarray:
    return ndimage.uniform_filter(image, (ORIGINAL_WINDOW, ORIGINAL_WINDOW, 1), mode="nearest")


def _resized(small: np.ndarray, lightness: np.ndarray, method: str) -> np.ndarray:
    import tensorflow as tf

    return tf.image.resize(small, lightness.shape[:2], method).numpy()


def _ratios(lab100: np.ndarray, ways: dict[str, Way]) -> np.ndarray:
    """The ratios to bilinear, of shape (2, ways): beside edges and in the whole photograph."""
    edges = beside_edges(lab100[..., :1])
    distances = [errors(lab100, way) for way in ways.values()]
    means = np.array([[part[edges].mean(), part.mean()] for part in distances]).T
    return means / means[:, list(ways).index("bilinear")][:, None]


if __name__ == "__main__":
    main()
