"""Measures how many training images per second the input pipeline yields, beside a plain loop.

    python -m benchmarks.pipeline DIR

Both do the same work on the same files: decode, take a random square crop of half the area or
more, flip, resize, convert to Lab and batch. The plain loop uses Pillow and scikit-image in one
process.
"""

import argparse
import math
import os
import tempfile
import time
from collections.abc import Iterator

import numpy as np

from benchmarks.in_turn import print_machine, show
from jobs.common.runtime import import_tensorflow_quietly

BATCH_SIZE = 16
ROUNDS = 5
SECONDS = 3.0
# Batches to discard first, more than the pipeline prepares ahead.
_READY = 8
CROP_SCALE = 0.5


def main() -> None:
    """Prints medians, ranges and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="DIR", help="a folder of images, with its subfolders")
    parser.add_argument("--resolutions", nargs="+", type=int, default=[64, 128, 256])
    arguments = parser.parse_args()
    import_tensorflow_quietly()
    from data.datasets.find_images import find_images

    source = find_images([arguments.folder]).training
    print_machine("pillow", "scikit-image")
    print(f"{len(source):,} images, batches of {BATCH_SIZE}")
    for resolution in arguments.resolutions:
        print(f"\n{resolution} px")
        loop = "Pillow and scikit-image"
        streams = {
            "pipeline": training_stream(source, resolution),
            loop: _loop(list(source.names()), resolution),
        }
        speeds: dict[str, list[float]] = {name: [] for name in streams}
        for _ in range(ROUNDS):
            for name, stream in streams.items():
                speeds[name].append(images_per_second(stream))
        show(speeds, "images/s", beside=loop)


def images_per_second(stream: Iterator, batch_size: int = BATCH_SIZE) -> float:
    """The number of images per second in a stream, without the batches prepared ahead."""
    for _ in range(_READY):
        next(stream)
    images, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        next(stream)
        images += batch_size
    return images / (time.perf_counter() - begun)


def training_stream(source, resolution: int, batch_size: int = BATCH_SIZE) -> Iterator:
    """The endless stream of random crops that a training has.

    Args:
        source: the images, as `find_images` lists them for training.
        resolution: int, side of the crops after resizing, in pixels.
        batch_size: int, images in each batch. Defaults to `16`.
    """
    from data.input.batches import training_batches
    from data.input.image_loader import ImageLoader, crop_source_side
    from data.input.skipped_images import SkippedImages

    skipped = SkippedImages(os.path.join(tempfile.mkdtemp(), "skipped_images.tsv"), len(source))
    loader = ImageLoader(source, crop_source_side(resolution, CROP_SCALE), skipped)
    return iter(training_batches(loader, resolution, batch_size, seed=0, crop_scale=CROP_SCALE))


def _loop(files: list[str], resolution: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The plain loop: batches of (lightness, ab)."""
    from PIL import Image
    from skimage import color

    random = np.random.default_rng(0)
    while True:
        images = []
        for file in random.choice(files, BATCH_SIZE):
            image = Image.open(file).convert("RGB")
            side = round(min(image.size) * math.sqrt(random.uniform(CROP_SCALE, 1.0)))
            left, top = (random.integers(0, length - side + 1) for length in image.size)
            box = (left, top, left + side, top + side)
            size = (resolution, resolution)
            pixels = np.asarray(image.resize(size, Image.Resampling.BILINEAR, box))
            images.append(pixels[:, ::-1] if random.random() < 0.5 else pixels)
        lab = color.rgb2lab(np.stack(images)).astype("float32")
        yield lab[..., :1] / 50.0 - 1.0, lab[..., 1:] / 110.0


if __name__ == "__main__":
    main()
