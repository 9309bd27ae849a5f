"""The photographs that benchmarks color, and the pipeline of `python run.py --images`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np


def make_photographs(folder: Path, count: int, width: int, height: int) -> list[Path]:
    """Writes gray JPEGs, made from the photographs of the dataset `demo`.

    Args:
        folder: `pathlib.Path`, created if it does not exist.
        count: int, the number of photographs.
        width, height: int, their size in pixels.

    Returns:
        list of `pathlib.Path`.
    """
    from PIL import Image

    from data.datasets.folder import demo_images

    folder.mkdir(exist_ok=True)
    images = [Image.open(path).convert("L") for path in demo_images()]
    random = np.random.default_rng(0)
    files = []
    for number in range(count):
        image = images[number % len(images)].resize((width, height))
        # Film grain: without it, JPEGs of enlarged images are decoded too fast.
        pixels = np.asarray(image) + random.normal(0, 4, (height, width))
        files.append(folder / f"{number:04d}.jpg")
        Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(files[-1], quality=90)
    return files


def load_colorizer(weights: str | None = None, render_size: int | None = None):
    """Builds the `PhotoColorizer` of the weights in a folder; by default, of those that ship."""
    from jobs.common.runtime import import_tensorflow_quietly

    import_tensorflow_quietly()
    from config.groups.presets import PRETRAINED_WEIGHTS
    from inference.photo_colorizer import PhotoColorizer

    return PhotoColorizer.from_folder(weights or PRETRAINED_WEIGHTS / "sagan", render_size)


def color(colorizer, files: Sequence[Path], folder: Path) -> None:
    """Colors photographs in the pipeline, into a folder."""
    from inference.pipeline import COLORED, ColorizationPipeline, Job

    jobs = [Job(file, folder / file.name) for file in files]
    assert all(job.outcome == COLORED for job in ColorizationPipeline(colorizer).run(jobs))
