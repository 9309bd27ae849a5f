"""How many photographs a second are colored, and where the time goes.

    python -m benchmarks.coloring

A folder of one-megapixel gray JPEGs, made of scikit-image's photographs, is colored with the
weights that ship, as `python run.py --images` does it. Then each step is measured alone, with
nothing beside it, for one photograph.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from jobs.runtime import import_tensorflow_quietly, prepare_keras

PHOTOGRAPHS = 200
WIDTH, HEIGHT = 1200, 900
ROUNDS = 10


def main() -> None:
    """Prints photographs a second, the network's share, and milliseconds of each step."""
    import_tensorflow_quietly()
    from jobs.command_line import parse
    from jobs.trained_colorizer import load_colorizer, weights_folders

    settings, _ = parse(["--images", "demo"])
    prepare_keras(settings.precision, settings.seed)
    [weights] = weights_folders(settings)
    colorizer = load_colorizer(weights, settings)
    with tempfile.TemporaryDirectory() as folder:
        files = _make_photographs(Path(folder))
        print(f"{len(files)} gray JPEGs of {WIDTH} x {HEIGHT}, {os.cpu_count()} cores")
        _color(colorizer, files[: colorizer.batch_size], Path(folder, "warm"))
        _measure_folder(colorizer, files, Path(folder, "colored"))
        _measure_steps(colorizer, files[0])


def _make_photographs(folder: Path) -> list[Path]:
    from PIL import Image

    from data.sources.folder import demo_pictures

    pictures = [Image.open(path).convert("L") for path in demo_pictures()]
    random = np.random.default_rng(0)
    files = []
    for number in range(PHOTOGRAPHS):
        picture = pictures[number % len(pictures)].resize((WIDTH, HEIGHT))
        # The grain of a film: without it JPEGs of enlarged pictures are decoded too fast.
        grain = random.normal(0, 4, (HEIGHT, WIDTH))
        pixels = np.clip(np.asarray(picture) + grain, 0, 255).astype("uint8")
        files.append(folder / f"{number:03d}.jpg")
        Image.fromarray(pixels).save(files[-1], quality=90)
    return files


def _color(colorizer, files: list[Path], folder: Path) -> None:
    from jobs.photo_line import COLORED, PhotoLine, Task, Work

    works = [Work(Task(file, folder / file.name)) for file in files]
    assert all(work.outcome == COLORED for work in PhotoLine(colorizer).run(works))


def _measure_folder(colorizer, files: list[Path], folder: Path) -> None:
    predict, busy = colorizer.predict, []

    def timed_predict(lightness):
        begun = time.perf_counter()
        colors = predict(lightness)
        busy.append(time.perf_counter() - begun)
        return colors

    colorizer.predict = timed_predict
    begun = time.perf_counter()
    _color(colorizer, files, folder)
    seconds = time.perf_counter() - begun
    del colorizer.predict
    print(f"{len(files) / seconds:.1f} photographs a second")
    print(
        f"the network is at work for {100 * sum(busy) / seconds:.0f} % of the time, "
        f"beside reading and writing"
    )


def _measure_steps(colorizer, file: Path) -> None:
    from data.photos.file import PhotoFile
    from data.photos.writer import write_photo

    page = PhotoFile(file).pages[0]
    lightness = colorizer.look_at(page)[..., :1]
    batch = [lightness] * colorizer.batch_size
    [ab, *_] = colorizer.predict(batch)
    strips = list(colorizer.strips(page, lightness, ab))
    target = file.with_name("step.jpg")
    steps = {
        "read, shrunk for the network": lambda: colorizer.look_at(page),
        "network, a share of the batch": lambda: colorizer.predict(batch),
        "read again and colored": lambda: list(colorizer.strips(page, lightness, ab)),
        "written": lambda: write_photo(target, [(page, strips)]),
    }
    for name, step in steps.items():
        milliseconds = _milliseconds(step)
        if name.startswith("network"):
            milliseconds /= len(batch)
        print(f"{name:32} {milliseconds:6.1f} ms")


def _milliseconds(step) -> float:
    step()
    begun = time.perf_counter()
    for _ in range(ROUNDS):
        step()
    return 1e3 * (time.perf_counter() - begun) / ROUNDS


if __name__ == "__main__":
    sys.exit(main())
