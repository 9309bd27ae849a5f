"""Measures conversions between sRGB and Lab in pixels per second, beside scikit-image and OpenCV.

    python -m pip install opencv-python-headless
    python -m benchmarks.lab

Our conversions are compiled by XLA, as the input pipeline and coloring call them; those of
scikit-image and OpenCV run as they are. All convert float32, once with one thread and once with as
many threads as each takes by default. Without OpenCV only the others are measured.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from benchmarks.in_turn import measure, print_machine, python_of, serve, show

PIXELS = (1000, 1000)
ROUNDS = 7


def main() -> None:
    """Prints a table for each direction and number of threads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        program, way, threads = arguments.worker
        serve(_measured(PROGRAMS[program](int(threads))[way]))
        return
    print_machine("scikit-image", "opencv-python-headless")
    for threads, words in ((1, "one thread"), (0, "all threads")):
        for way in ("rgb to lab", "lab to rgb"):
            print(f"\n{way}, {words}; million pixels per second")
            commands = {
                program: python_of("benchmarks.lab", "--worker", program, way, str(threads))
                for program in PROGRAMS
            }
            show(measure(commands, ROUNDS), "Mpixel/s", beside="scikit-image")


def _measured(convert: Callable[[], None]) -> Callable[[], float]:
    def measured() -> float:
        begun, times = time.perf_counter(), 0
        while time.perf_counter() - begun < 0.5:
            convert()
            times += 1
        return times * PIXELS[0] * PIXELS[1] / 1e6 / (time.perf_counter() - begun)

    return measured


def _rgb1() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 1, (*PIXELS, 3)).astype("float32")


def _ours(threads: int) -> dict[str, Callable]:
    from jobs.common.runtime import import_tensorflow_quietly

    import_tensorflow_quietly()
    import tensorflow as tf

    # TensorFlow refuses this once it has computed anything.
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    from data.color.lab import lab100_to_rgb1, rgb1_to_lab100

    rgb1 = tf.constant(_rgb1())
    lab100 = rgb1_to_lab100(rgb1)
    to_lab = tf.function(rgb1_to_lab100, jit_compile=True)
    to_rgb = tf.function(lab100_to_rgb1, jit_compile=True)
    return {
        "rgb to lab": lambda: to_lab(rgb1).numpy(),
        "lab to rgb": lambda: to_rgb(lab100).numpy(),
    }


def _skimage(threads: int) -> dict[str, Callable]:
    # `threads` is unused: scikit-image converts in one thread.
    from skimage import color

    rgb1 = _rgb1()
    lab100 = color.rgb2lab(rgb1)
    return {
        "rgb to lab": lambda: color.rgb2lab(rgb1),
        "lab to rgb": lambda: color.lab2rgb(lab100),
    }


def _opencv(threads: int) -> dict[str, Callable]:
    import cv2

    cv2.setNumThreads(threads or -1)
    rgb1 = _rgb1()
    lab100 = cv2.cvtColor(rgb1, cv2.COLOR_RGB2LAB)
    return {
        "rgb to lab": lambda: cv2.cvtColor(rgb1, cv2.COLOR_RGB2LAB),
        "lab to rgb": lambda: cv2.cvtColor(lab100, cv2.COLOR_LAB2RGB),
    }


PROGRAMS = {"ours": _ours, "scikit-image": _skimage, "OpenCV": _opencv}


if __name__ == "__main__":
    main()
