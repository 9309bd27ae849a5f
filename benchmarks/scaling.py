"""Measures the cost of one image as the folder, the image and the batch grow by 10 and by 100.

    python -m benchmarks.scaling
    python -m benchmarks.scaling --only folder image

These numbers should stay constant: the time per photograph of a folder, per megapixel of a
photograph and per image of a batch, and the memory for a folder. Coloring uses the weights that
ship, training and inference the default networks.
"""

import argparse
import atexit
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.in_turn import measure, print_machine, python_of, serve

ROUNDS = 3
FOLDERS = (10, 100, 1000)
MEGAPIXELS = (0.3, 3, 30)
BATCHES = (1, 10, 100)
RESOLUTION = 64

TABLES = {
    "folder": ("coloring a folder", "photographs", FOLDERS, "ms/photograph"),
    "listing": ("listing a dataset", "images", FOLDERS, "ms/image"),
    "image": ("coloring a photograph", "megapixels", MEGAPIXELS, "ms/megapixel"),
    "batch": ("a training step", "batch size", BATCHES, "ms/image"),
    "inference": ("the generator alone", "batch size", BATCHES, "ms/image"),
}


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=TABLES, help="only these tables")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        what, size = arguments.worker
        WORKERS[what](float(size))
        return
    print_machine()
    for what in arguments.only or TABLES:
        _table(what, *TABLES[what])


def _table(what: str, title: str, of: str, sizes: tuple, unit: str) -> None:
    print(f"\n{title}\n{of:>16}  {unit:>16} (range)             x   peak MB")
    first = None
    for size in sizes:
        costs = _measured(what, size, ROUNDS)
        [peak] = _measured(f"{what} peak", size, 1)
        cost = float(np.median(costs))
        first = first or cost
        print(
            f"{size:16g}  {cost:16.3f} ({min(costs):8.3f} to {max(costs):8.3f})  "
            f"{cost / first:5.2f}  {peak:8.0f}",
            flush=True,
        )


def _measured(what: str, size: float, rounds: int) -> list[float]:
    command = python_of("benchmarks.scaling", "--worker", what, str(size))
    return measure({what: command}, rounds)[what]


def _serve_peak(cost: Callable[[], float]) -> None:
    def peak() -> float:
        cost()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3

    serve(peak)


def _folder(photographs: float) -> Callable[[], float]:
    folder = _new_folder()
    _write_images(folder, int(photographs), (150, 200))
    color = _coloring()

    def cost() -> float:
        begun = time.perf_counter()
        color(sorted(folder.glob("*.jpg")))
        return 1e3 * (time.perf_counter() - begun) / photographs

    return cost


def _listing(images: float) -> Callable[[], float]:
    from jobs.common.runtime import import_tensorflow_quietly

    import_tensorflow_quietly()
    from data.datasets.find_images import find_images

    folder = _new_folder()
    _write_images(folder, int(images), (15, 20))

    def cost() -> float:
        begun = time.perf_counter()
        find_images([str(folder)])
        return 1e3 * (time.perf_counter() - begun) / images

    return cost


def _image(megapixels: float) -> Callable[[], float]:
    folder = _new_folder()
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    _write_images(folder, 1, (height, height * 4 // 3))
    color = _coloring()

    def cost() -> float:
        begun = time.perf_counter()
        color(list(folder.glob("*.jpg")))
        return 1e3 * (time.perf_counter() - begun) / megapixels

    return cost


def _batch(images: float) -> Callable[[], float]:
    tf, model = _model()
    shape = (int(images), RESOLUTION, RESOLUTION)
    data = (tf.random.uniform((*shape, 1), -1, 1), tf.random.uniform((*shape, 2), -1, 1))
    step = tf.function(model.train_step)

    def cost() -> float:
        begun = time.perf_counter()
        # Reading a loss waits until the step is done.
        float(step(data)["generator_loss"])
        return 1e3 * (time.perf_counter() - begun) / images

    return cost


def _inference(images: float) -> Callable[[], float]:
    tf, model = _model()
    lightness = tf.random.uniform((int(images), RESOLUTION, RESOLUTION, 1), -1, 1)
    generate = tf.function(lambda: model.generator(lightness, training=False))

    def cost() -> float:
        begun = time.perf_counter()
        generate().numpy()
        return 1e3 * (time.perf_counter() - begun) / images

    return cost


def _model():
    from jobs.common.runtime import import_tensorflow_quietly

    import_tensorflow_quietly()
    import keras
    import tensorflow as tf

    from losses.adversarial.hinge_adversarial import HingeAdversarial
    from losses.reconstruction import Reconstruction
    from models.sagan import SAGAN

    model = SAGAN()
    adams = [keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.9) for rate in (1e-4, 4e-4)]
    model.compile(*adams, Reconstruction({"l1": 10.0}), HingeAdversarial())
    return tf, model


def _coloring() -> Callable[[list[Path]], None]:
    from jobs.common.runtime import import_tensorflow_quietly

    import_tensorflow_quietly()
    from config.settings import PRETRAINED_WEIGHTS
    from inference.photo_colorizer import PhotoColorizer
    from inference.pipeline import COLORED, ColorizationPipeline, Job

    colorizer = PhotoColorizer.from_folder(PRETRAINED_WEIGHTS / "sagan")

    def color(files: list[Path]) -> None:
        jobs = [Job(file, file.with_suffix(".out.jpeg")) for file in files]
        assert all(job.outcome == COLORED for job in ColorizationPipeline(colorizer).run(jobs))

    return color


def _new_folder() -> Path:
    folder = tempfile.TemporaryDirectory()
    # The folder is removed when the process ends.
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _write_images(folder: Path, count: int, size: tuple[int, int]) -> None:
    from PIL import Image

    random = np.random.default_rng(0)
    # Smooth, with film grain: JPEGs of pure noise would take unusually long to decode and encode.
    small = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype="uint8"))
    smooth = np.asarray(small.resize(size[::-1], Image.Resampling.BICUBIC), "float32")
    for number in range(count):
        pixels = np.clip(smooth + random.normal(0, 4, (*size, 1)), 0, 255).astype("uint8")
        Image.fromarray(pixels).save(folder / f"{number}.jpg", quality=90)


WORKERS = {}
for _name, _make in (
    ("folder", _folder),
    ("listing", _listing),
    ("image", _image),
    ("batch", _batch),
    ("inference", _inference),
):
    WORKERS[_name] = lambda size, make=_make: serve(make(size))
    WORKERS[f"{_name} peak"] = lambda size, make=_make: _serve_peak(make(size))


if __name__ == "__main__":
    main()
