"""Measures the cost of one image as the folder, the image and the batch grow by 10 and by 100.

    python -m benchmarks.scaling
    python -m benchmarks.scaling --only folder image --sizes 1 10

These numbers should stay constant: the time per photograph of a folder, per megapixel of a
photograph and per image of a batch, and the memory for a folder. Coloring uses the weights that
ship, training and inference the default networks.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.in_turn import measure, peak_megabytes, print_machine, python_of, serve
from benchmarks.photographs import color, load_colorizer, make_photographs

ROUNDS = 3
RESOLUTION = 64


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=TABLES, help="only these tables")
    parser.add_argument("--sizes", nargs="+", type=float, help="instead of those of each table")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        _work(*arguments.worker)
        return
    print_machine()
    for name in arguments.only or TABLES:
        title, of, sizes, _ = TABLES[name]
        print(f"\n{title}\n{of:>16}  {'ms for each':>16} (range)             x   peak MB")
        first = None
        for size in arguments.sizes or sizes:
            costs, [peak] = (_measured(name, size, what) for what in ("time", "peak"))
            cost = float(np.median(costs))
            first = first or cost
            print(
                f"{size:16g}  {cost:16.3f} ({min(costs):8.3f} to {max(costs):8.3f})  "
                f"{cost / first:5.2f}  {peak:8.0f}",
                flush=True,
            )


def _measured(name: str, size: float, what: str) -> list[float]:
    command = python_of("benchmarks.scaling", "--worker", name, str(size), what)
    return measure({name: command}, ROUNDS if what == "time" else 1)[name]


def _work(name: str, size: str, what: str) -> None:
    """Measures one size of one table, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        run = TABLES[name][-1](float(size), Path(folder))

        def milliseconds() -> float:
            begun = time.perf_counter()
            run()
            return 1e3 * (time.perf_counter() - begun) / float(size)

        def peak() -> float:
            run()
            return peak_megabytes()

        serve(peak if what == "peak" else milliseconds)


def _folder(photographs: float, folder: Path) -> Callable[[], None]:
    files = make_photographs(folder / "gray", int(photographs), 200, 150)
    colorizer = load_colorizer()
    return lambda: color(colorizer, files, folder)


def _listing(images: float, folder: Path) -> Callable[[], None]:
    from jobs.common.runtime import import_tensorflow_quietly

    import_tensorflow_quietly()
    from data.datasets.find_images import find_images

    make_photographs(folder / "images", int(images), 20, 15)
    return lambda: find_images([str(folder)])


def _image(megapixels: float, folder: Path) -> Callable[[], None]:
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    files = make_photographs(folder / "gray", 1, height * 4 // 3, height)
    colorizer = load_colorizer()
    return lambda: color(colorizer, files, folder)


def _batch(images: float, folder: Path) -> Callable[[], None]:
    tf, model = _model()
    shape = (int(images), RESOLUTION, RESOLUTION)
    data = (tf.random.uniform((*shape, 1), -1, 1), tf.random.uniform((*shape, 2), -1, 1))
    step = tf.function(model.train_step)
    # Reading a loss waits until the step is done.
    return lambda: float(step(data)["generator_loss"])


def _inference(images: float, folder: Path) -> Callable[[], None]:
    tf, model = _model()
    lightness = tf.random.uniform((int(images), RESOLUTION, RESOLUTION, 1), -1, 1)
    generate = tf.function(lambda: model.generator(lightness, training=False))
    return lambda: generate().numpy()


def _model():
    from jobs.common.runtime import import_tensorflow_quietly

    import_tensorflow_quietly()
    import keras
    import tensorflow as tf

    from losses import HingeAdversarial, Reconstruction
    from models.sagan import SAGAN

    model = SAGAN()
    adams = [keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.9) for rate in (1e-4, 4e-4)]
    model.compile(*adams, Reconstruction({"l1": 10.0}), HingeAdversarial())
    return tf, model


TABLES = {
    "folder": ("coloring a folder", "photographs", (10, 100, 1000), _folder),
    "listing": ("listing a dataset", "images", (10, 100, 1000), _listing),
    "image": ("coloring a photograph", "megapixels", (0.3, 3, 30), _image),
    "batch": ("a training step", "batch size", (1, 10, 100), _batch),
    "inference": ("the generator alone", "batch size", (1, 10, 100), _inference),
}


if __name__ == "__main__":
    main()
