"""Draws the README's picture: photographs before and after, colored by the weights that ship.

python -m docs.before_after
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from jobs.runtime import import_tensorflow_quietly

_HEIGHT = 240
_GAP = 6
_TARGET = Path(__file__).resolve().parent / "before_after.jpg"


def draw() -> None:
    """Colors the demo photographs and writes them below their gray selves."""
    import run
    from data.lab import lightness1_to_gray_rgb1, rgb1_to_rgb255, rgb255_to_lab1
    from data.pictures import read_rgb, write_rgb
    from data.sources.folder import demo_pictures

    columns = []
    with tempfile.TemporaryDirectory() as folder:
        run.main(["--images", "demo", "--output_dir", folder])
        for path in demo_pictures():
            lightness = rgb255_to_lab1(read_rgb(path))[..., :1]
            gray = _small(np.asarray(rgb1_to_rgb255(lightness1_to_gray_rgb1(lightness))))
            colored = _small(read_rgb(Path(folder, path.name)))
            column = [gray, np.full((_GAP, gray.shape[1], 3), 255, "uint8"), colored]
            columns += [np.concatenate(column, axis=0)]
            columns += [np.full((2 * _HEIGHT + _GAP, _GAP, 3), 255, "uint8")]
    write_rgb(_TARGET, np.concatenate(columns[:-1], axis=1), quality=88)


def _small(pixels: np.ndarray) -> np.ndarray:
    height, width, _ = pixels.shape
    size = (round(width * _HEIGHT / height), _HEIGHT)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


if __name__ == "__main__":
    import_tensorflow_quietly()
    sys.exit(draw())
