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


def load_colorizer(*options: str):
    """Builds the `PhotoColorizer` of run.py with these options, such as `--weights PATH`."""
    from jobs.common.runtime import import_tensorflow_quietly, prepare_keras

    import_tensorflow_quietly()
    from config.parser import parse
    from jobs.common import load_colorizer

    settings, _ = parse(["--images", "demo", *options])
    prepare_keras(settings.precision, settings.seed)
    [folder] = load_colorizer.weights_folders(settings)
    return load_colorizer.load_colorizer(folder, settings, settings.render_size)


def color(colorizer, files: Sequence[Path], folder: Path) -> None:
    """Colors photographs in the pipeline, into a folder."""
    from inference.pipeline import COLORED, ColorizationPipeline, Job, JobState

    states = [JobState(Job(file, folder / file.name)) for file in files]
    assert all(state.outcome == COLORED for state in ColorizationPipeline(colorizer).run(states))
