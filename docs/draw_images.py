"""Draws the README's images: the demo photographs in gray, as the models color them, and true.

    python -m docs.draw_images

All demo photographs are shown: none was chosen by its result.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from jobs.common.runtime import import_tensorflow_quietly

_HERE = Path(__file__).resolve().parent
_HEIGHT = 240
_GAP = 6
_LINE = 24


def draw() -> None:
    """Writes `before_after.jpg`, with the default weights, and `gallery.jpg`, with all weights."""
    from data.color.lab import lightness1_to_gray_rgb1, rgb1_to_rgb255, rgb255_to_lab1
    from data.datasets.folder import demo_images
    from data.photos.read_rgb import read_rgb

    true = [read_rgb(path) for path in demo_images()]
    gray = [
        np.asarray(rgb1_to_rgb255(lightness1_to_gray_rgb1(rgb255_to_lab1(pixels)[..., :1])))
        for pixels in true
    ]
    sagan = _colored_by("sagan")
    _write("before_after.jpg", [_row(gray), _row(sagan)])
    rows = {
        "gray": gray,
        "sagan, the default": sagan,
        "pix2pix": _colored_by("pix2pix"),
        "chromagan": _colored_by("chromagan"),
        "true": true,
    }
    _write("gallery.jpg", [_titled(name, _row(images)) for name, images in rows.items()])


def _colored_by(model: str) -> list[np.ndarray]:
    """The demo photographs, colored by `--images` with the weights that ship for a model."""
    import run
    from data.datasets.folder import demo_images
    from data.photos.read_rgb import read_rgb

    with tempfile.TemporaryDirectory() as folder:
        status = run.main(["--images", "demo", "--model", model, "--output_dir", folder])
        if status:
            sys.exit(status)
        return [read_rgb(Path(folder, path.name)) for path in demo_images()]


def _row(images: list[np.ndarray]) -> np.ndarray:
    small = [_small(pixels) for pixels in images]
    gap = _white(_HEIGHT, _GAP)
    return np.concatenate([part for pixels in small for part in (pixels, gap)][:-1], axis=1)


def _titled(title: str, row: np.ndarray) -> np.ndarray:
    line = Image.fromarray(_white(_LINE, row.shape[1]))
    font = ImageFont.load_default(_LINE * 3 // 4)
    ImageDraw.Draw(line).text((0, 0), title, "black", font)
    return np.concatenate([np.asarray(line), row])


def _write(name: str, parts: list[np.ndarray]) -> None:
    from data.image_io import write_rgb

    gap = _white(_GAP, parts[0].shape[1])
    image = np.concatenate([piece for part in parts for piece in (part, gap)][:-1])
    write_rgb(_HERE / name, image, quality=88)


def _small(pixels: np.ndarray) -> np.ndarray:
    height, width, _ = pixels.shape
    size = (round(width * _HEIGHT / height), _HEIGHT)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def _white(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 255, "uint8")


if __name__ == "__main__":
    import_tensorflow_quietly()
    draw()
