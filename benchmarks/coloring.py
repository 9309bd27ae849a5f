"""Measures photographs colored per second, beside a plain loop, and where the time goes.

    python -m benchmarks.coloring
    python -m benchmarks.coloring --counts 200 --render_size 256

Gray JPEGs, made from scikit-image's photographs, are colored with the weights that ship: 200 of 1
megapixel and 20 of 24 megapixels. The pipeline of `python run.py --images` and a plain loop are
measured in turn; the loop reads one photograph after the other, colors it with the same network and
writes it. Then each stage is measured alone for one photograph: the sum of the stages, divided by
the number of cores, is a lower bound of the time per photograph. At the end the whole command is
run for one photograph, beside the import of TensorFlow.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.in_turn import ROOT, print_machine, seconds_of, show

# Width and height of the photographs of each count.
SIZES = ((1200, 900), (5640, 4230))
ROUNDS = 3
COMMANDS = 5


def main() -> None:
    """Prints photographs per second, milliseconds of each stage, and seconds of the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--render_size", type=int, help="as for run.py (default: the weights' own)")
    parser.add_argument("--weights", help="as for run.py (default: those that ship)")
    parser.add_argument(
        "--counts",
        nargs="+",
        type=int,
        default=[200, 20],
        help="number of photographs of 1 megapixel, and of 24 megapixels",
    )
    arguments = parser.parse_args()
    print_machine("pillow")
    colorizer = _load_colorizer(arguments.weights, arguments.render_size)
    print(f"network input {colorizer.render_size} px, batches of {colorizer.batch_size}")
    for count, (width, height) in zip(arguments.counts, SIZES, strict=False):
        with tempfile.TemporaryDirectory() as folder:
            files = _make_photographs(Path(folder, "gray"), count, width, height)
            print(f"\n{count} gray JPEGs of {width} x {height}, seconds for all")
            ways = {
                "one after the other": lambda files=files: _color_one_by_one(colorizer, files),
                "pipeline": lambda files=files, folder=folder: _color(
                    colorizer, files, Path(folder)
                ),
            }
            seconds = seconds_of(ways, ROUNDS)
            show(seconds, "s", beside="one after the other")
            pipeline = statistics.median(seconds["pipeline"])
            print(f"pipeline: {count / pipeline:.2f} photographs/s")
            _measure_stages(colorizer, files[0], pipeline / count)
    _measure_command()


def _color_one_by_one(colorizer, files: list[Path]) -> None:
    from data.photos.file import PhotoFile
    from data.photos.writer import write_photo

    for file in files:
        page = PhotoFile(file).pages[0]
        lightness = colorizer.lab_at_render_size(page)[..., :1]
        [ab] = colorizer.predict([lightness])
        target = file.parent.parent / file.name
        write_photo(target, [(page, colorizer.strips(page, lightness, ab))])


def _measure_stages(colorizer, file: Path, seconds: float) -> None:
    """Prints the processor time of each stage, and how close the pipeline comes to their sum."""
    from data.photos.file import PhotoFile
    from data.photos.writer import write_photo
    from inference.guided_upsampling import GuidedUpsampling
    from inference.lab_recombiner import allocate_planes, recombine, upsample

    page = PhotoFile(file).pages[0]
    lightness = colorizer.lab_at_render_size(page)[..., :1]
    batch = [lightness] * colorizer.batch_size
    [ab, *_] = colorizer.predict(batch)
    read = [rgb for rgb, _ in page.strips()]
    buffers = [allocate_planes(rgb) for rgb in read]
    tops = np.cumsum([0, *map(len, read[:-1])])

    def upsampled() -> list:
        upsampling = GuidedUpsampling(lightness, ab, page.height, page.width)
        return [
            upsample(upsampling, int(top), rgb, planes)
            for top, rgb, planes in zip(tops, read, buffers, strict=True)
        ]

    large = upsampled()
    colored = list(colorizer.strips(page, lightness, ab))
    stages: dict[str, Callable] = {
        "decode small, to lightness": lambda: colorizer.lab_at_render_size(page),
        "network, its share of a batch": lambda: colorizer.predict(batch),
        "decode at full size": lambda: list(page.strips()),
        "upsample ab": upsampled,
        "to Lab and back": lambda: [
            recombine(rgb, part) for rgb, part in zip(read, large, strict=True)
        ],
        "encode": lambda: write_photo(file.parent.parent / "stage.jpg", [(page, colored)]),
    }
    # The processor time of all threads together, spinning included.
    with threadpool_limits(1, user_api="blas"):
        found = seconds_of(stages, 3 * ROUNDS, clock=time.process_time)
    milliseconds = {name: [1e3 * value for value in values] for name, values in found.items()}
    network = "network, its share of a batch"
    milliseconds[network] = [value / len(batch) for value in milliseconds[network]]
    show(milliseconds, "ms of processor time")
    best = sum(map(statistics.median, milliseconds.values())) / os.cpu_count()
    print(
        f"sum, divided by the cores: {best:.1f} ms; measured per photograph: "
        f"{1e3 * seconds:.1f} ms, x {1e3 * seconds / best:.2f}"
    )


def _measure_command() -> None:
    """Prints how long a user waits for the first photograph."""
    with tempfile.TemporaryDirectory() as folder:
        [file] = _make_photographs(Path(folder, "gray"), 1, *SIZES[0])
        output = ["--output_dir", f"{folder}/colored", "--overwrite"]
        commands = {
            "one photograph": ["run.py", "--images", str(file), *output],
            "import tensorflow": ["-c", "import tensorflow"],
        }
        ways = {
            name: lambda command=command: subprocess.run(
                [sys.executable, *command], cwd=ROOT, check=True, capture_output=True
            )
            for name, command in commands.items()
        }
        print("\nfrom a cold start")
        show(seconds_of(ways, COMMANDS), "s")


def _make_photographs(folder: Path, count: int, width: int, height: int) -> list[Path]:
    """Writes gray JPEGs, made from the photographs of the dataset `demo`."""
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


def _load_colorizer(weights: str | None = None, render_size: int | None = None):
    """Builds the `PhotoColorizer` of the weights in a folder; by default, of those that ship."""
    from jobs.common.runtime import import_tensorflow_quietly

    import_tensorflow_quietly()
    from config.groups.presets import PRETRAINED_WEIGHTS
    from inference.photo_colorizer import PhotoColorizer

    return PhotoColorizer.from_folder(weights or PRETRAINED_WEIGHTS / "sagan", render_size)


def _color(colorizer, files: Sequence[Path], folder: Path) -> None:
    """Colors photographs in the pipeline, into a folder."""
    from inference.pipeline import COLORED, ColorizationPipeline, Job

    jobs = [Job(file, folder / file.name) for file in files]
    assert all(job.outcome == COLORED for job in ColorizationPipeline(colorizer).run(jobs))


if __name__ == "__main__":
    main()
