"""Measures photographs colored per second, beside a plain loop, and where the time goes.

    python -m benchmarks.coloring
    python -m benchmarks.coloring --render_size 256
    python -m benchmarks.coloring --render_size 256 --ddcolor DIR --torch_python torch/bin/python

Two folders of gray JPEGs, made from scikit-image's photographs, are colored with the weights that
ship: 200 photographs of 1 megapixel and 20 of 24 megapixels. The pipeline of `python run.py
--images` and a plain loop are measured in turn; the loop reads one photograph after the other,
colors it with the same network and writes it. Then each stage is measured alone for one photograph:
the sum of the stages, divided by the number of cores, is a lower bound of the time per photograph.
At the end the whole command is run for one photograph.

With `--ddcolor`, a clone of github.com/piddnad/DDColor, and a Python with PyTorch and OpenCV, only
photographs per second are measured, of ours and of DDColor's tiny network in its own pipeline, in
turn.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.in_turn import ROOT, measure, print_machine, python_of, serve, show
from jobs.common.runtime import import_tensorflow_quietly

# Number of photographs, their width and their height.
FOLDERS = ((200, 1200, 900), (20, 5640, 4230))
ROUNDS = 3
# Shorter stages are repeated until they take this long.
SECONDS_OF_A_STAGE = 0.5
COMMANDS = 5
# Photographs in a round of ours and of DDColor's, which take about equally long.
BESIDE_DDCOLOR = {"ours": 96, "ddcolor": 12}


def main() -> None:
    """Prints photographs per second, milliseconds of each stage, and seconds of the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--render_size", type=int, help="as for run.py (default: the weights' own)")
    parser.add_argument(
        "--small_only",
        action="store_true",
        help="skip the large photographs and the timing of the command",
    )
    parser.add_argument("--weights", help="as for run.py (default: those that ship)")
    parser.add_argument("--ddcolor", metavar="DIR", help="a clone of DDColor's repository")
    parser.add_argument(
        "--torch_python", metavar="PATH", default=sys.executable, help="a Python with PyTorch"
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ddcolor:
        print_machine()
        _compare_with_ddcolor(arguments)
        return
    colorizer = _load(arguments.render_size, arguments.weights)
    if arguments.worker:
        _serve(colorizer, Path(arguments.worker))
        return
    print_machine("pillow")
    print(f"network input {colorizer.render_size} px, batches of {colorizer.batch_size}")
    for count, width, height in FOLDERS[:1] if arguments.small_only else FOLDERS:
        with tempfile.TemporaryDirectory() as folder:
            files = _make_photographs(Path(folder), count, width, height)
            print(f"\n{count} gray JPEGs of {width} x {height}")
            seconds = _compare(colorizer, files, Path(folder))
            _measure_stages(colorizer, files[0], seconds / count)
    if not arguments.small_only:
        _measure_command()


def _load(render_size: int | None, weights: str | None):
    import_tensorflow_quietly()
    from config.settings import PRETRAINED_WEIGHTS
    from inference.photo_colorizer import PhotoColorizer

    return PhotoColorizer.from_folder(weights or PRETRAINED_WEIGHTS / "sagan", render_size)


def _compare_with_ddcolor(arguments: argparse.Namespace) -> None:
    """Prints photographs per second of both."""
    _, width, height = FOLDERS[0]
    size = str(arguments.render_size or 256)
    weights = ["--weights", arguments.weights] if arguments.weights else []
    with tempfile.TemporaryDirectory() as folder:
        folders = {name: Path(folder, name) for name in BESIDE_DDCOLOR}
        for name, count in BESIDE_DDCOLOR.items():
            folders[name].mkdir()
            _make_photographs(folders[name], count, width, height)
        commands = {
            "ours": python_of(
                "benchmarks.coloring",
                *("--render_size", size, *weights, "--worker", str(folders["ours"])),
            ),
            "ddcolor": python_of(
                "benchmarks.ddcolor",
                *(arguments.ddcolor, size, str(folders["ddcolor"]), folder),
                python=arguments.torch_python,
            ),
        }
        show(measure(commands, ROUNDS), "photographs/s", beside="ddcolor")


def _serve(colorizer, folder: Path) -> None:
    """Measures the pipeline in the process of a worker."""
    files = sorted(folder.iterdir())

    def photographs_per_second():
        begun = time.perf_counter()
        _color_in_pipeline(colorizer, files, folder.parent / "colored")
        return len(files) / (time.perf_counter() - begun)

    serve(photographs_per_second)


def _compare(colorizer, files: list[Path], folder: Path) -> float:
    """Prints photographs per second of both; returns the median seconds of the pipeline."""
    ways = {"pipeline": _color_in_pipeline, "one after the other": _color_one_by_one}
    seconds = {name: [] for name in ways}
    for color in ways.values():
        color(colorizer, files[: min(len(files), colorizer.batch_size)], folder / "warm")
    for _ in range(ROUNDS):
        for name, color in ways.items():
            begun = time.perf_counter()
            color(colorizer, files, folder / "colored")
            seconds[name].append(time.perf_counter() - begun)
    for name, values in seconds.items():
        speeds = sorted(len(files) / value for value in values)
        print(
            f"{name:20} {statistics.median(speeds):7.2f} photographs/s "
            f"({speeds[0]:.2f} to {speeds[-1]:.2f})"
        )
    pipeline, loop = (statistics.median(values) for values in seconds.values())
    print(f"{'ratio':20} {loop / pipeline:7.2f}")
    return pipeline


def _color_in_pipeline(colorizer, files: list[Path], folder: Path) -> None:
    from inference.pipeline import COLORED, ColorizationPipeline, Job

    jobs = [Job(file, folder / file.name) for file in files]
    assert all(job.outcome == COLORED for job in ColorizationPipeline(colorizer).run(jobs))


def _color_one_by_one(colorizer, files: list[Path], folder: Path) -> None:
    from data.photos.file import PhotoFile
    from data.photos.writer import write_photo

    for file in files:
        page = PhotoFile(file).pages[0]
        lightness = colorizer.lab_at_render_size(page)[..., :1]
        [ab] = colorizer.predict([lightness])
        write_photo(folder / file.name, [(page, colorizer.strips(page, lightness, ab))])


def _make_photographs(folder: Path, count: int, width: int, height: int) -> list[Path]:
    from PIL import Image

    from data.datasets.folder import demo_images

    images = [Image.open(path).convert("L") for path in demo_images()]
    random = np.random.default_rng(0)
    files = []
    for number in range(count):
        image = images[number % len(images)].resize((width, height))
        # Film grain: without it, JPEGs of enlarged images are decoded too fast.
        grain = random.normal(0, 4, (height, width))
        pixels = np.clip(np.asarray(image) + grain, 0, 255).astype("uint8")
        files.append(folder / f"{number:03d}.jpg")
        Image.fromarray(pixels).save(files[-1], quality=90)
    return files


def _measure_stages(colorizer, file: Path, seconds: float) -> None:
    """Prints the processor time of each stage, and how close the pipeline comes to their sum."""
    from data.photos.file import PhotoFile
    from data.photos.writer import write_photo
    from inference.guided_upsampling import GuidedUpsampling
    from inference.lab_recombiner import LabRecombiner, allocate_planes, upsample

    page = PhotoFile(file).pages[0]
    lightness = colorizer.lab_at_render_size(page)[..., :1]
    batch = [lightness] * colorizer.batch_size
    [ab, *_] = colorizer.predict(batch)
    read = [rgb for rgb, _ in page.strips()]
    recombiner, buffers = LabRecombiner(), [allocate_planes(rgb) for rgb in read]
    tops = np.cumsum([0, *map(len, read[:-1])])

    def upsampled():
        upsampling = GuidedUpsampling(lightness, ab, page.height, page.width)
        return [
            upsample(upsampling, int(top), rgb, planes)
            for top, rgb, planes in zip(tops, read, buffers, strict=True)
        ]

    large = upsampled()
    colored = list(colorizer.strips(page, lightness, ab))
    target = file.with_name("stage.jpg")
    stages = {
        "decode small, to lightness": lambda: colorizer.lab_at_render_size(page),
        "network, its share of a batch": lambda: colorizer.predict(batch),
        "decode at full size": lambda: list(page.strips()),
        "upsample ab": upsampled,
        "to Lab and back": lambda: [
            recombiner.recombine(rgb, part) for rgb, part in zip(read, large, strict=True)
        ],
        "encode": lambda: write_photo(target, [(page, colored)]),
    }
    total = 0.0
    for name, stage in stages.items():
        with threadpool_limits(1, user_api="blas"):
            milliseconds = _processor_milliseconds(stage)
        if name.startswith("network"):
            milliseconds /= len(batch)
        total += milliseconds
        print(f"{name:32} {milliseconds:8.1f} ms of processor time")
    best = total / os.cpu_count()
    print(f"{'sum, divided by the cores':32} {best:8.1f} ms")
    print(f"{'measured, per photograph':32} {1e3 * seconds:8.1f} ms, x {1e3 * seconds / best:.2f}")


def _processor_milliseconds(stage: Callable) -> float:
    """The median processor time of all threads together, spinning included."""
    begun = time.perf_counter()
    stage()
    repeats = max(1, round(SECONDS_OF_A_STAGE / (time.perf_counter() - begun)))
    found = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(repeats):
            stage()
        found.append(1e3 * (time.process_time() - begun) / repeats)
    return statistics.median(found)


def _measure_command() -> None:
    """Prints how long a user waits for the first photograph."""
    with tempfile.TemporaryDirectory() as folder:
        [file] = _make_photographs(Path(folder), 1, 1200, 900)
        commands = {
            "one photograph": [
                "run.py",
                "--images",
                str(file),
                "--output_dir",
                f"{folder}/colored",
            ],
            "import tensorflow": ["-c", "import tensorflow"],
        }
        print("\nfrom a cold start, seconds")
        for name, command in commands.items():
            found = []
            for _ in range(COMMANDS):
                begun = time.perf_counter()
                subprocess.run(
                    [sys.executable, *command, *(["--overwrite"] if "--images" in command else [])],
                    cwd=ROOT,
                    check=True,
                    capture_output=True,
                )
                found.append(time.perf_counter() - begun)
            print(
                f"{name:20} {statistics.median(found):5.2f} ({min(found):.2f} to {max(found):.2f})"
            )


if __name__ == "__main__":
    sys.exit(main())
