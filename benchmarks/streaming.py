"""Measures the time and memory that a large dataset takes before and while it streams.

    python -m benchmarks.streaming --images 1000 100000

Folders with this many links to a few JPEGs are listed, split and streamed, each in a process of its
own. The table shows the seconds until the list is complete, the seconds from then to the first
batch, and the peak memory of the process before there is any data, after the listing and after
the stream.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jobs.common.runtime import import_tensorflow_quietly

BATCHES = 500
BATCH_SIZE = 16
RESOLUTION = 64
# Images per subfolder, as in datasets with a folder per class.
FOLDER = 1000
# File systems limit the links to one file to some tens of thousands.
LINKS = 30_000


def main() -> None:
    """Prints a row for each number of images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=[1_000, 100_000], metavar="N")
    parser.add_argument("--measure", metavar="DIR", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        _measure(arguments.measure)
        return
    print("images     list, s  first batch, s   MB at start   with list   after the stream")
    for count in arguments.images:
        with tempfile.TemporaryDirectory() as folder:
            _link(Path(folder), count)
            command = [sys.executable, "-m", "benchmarks.streaming", "--measure", folder]
            row = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            print(f"{count:9,}  {row.strip()}", flush=True)


def _link(folder: Path, count: int) -> None:
    """Makes this many images in subfolders, most of them hard links."""
    from PIL import Image

    from data.datasets.folder import demo_images

    originals = [Image.open(path).convert("RGB").resize((200, 150)) for path in demo_images()]
    for number in range(count):
        parent = folder / f"{number // FOLDER:04d}"
        if number % FOLDER == 0:
            parent.mkdir()
        file = parent / f"{number:07d}.jpg"
        if number % LINKS == 0:
            original = file
            originals[number // LINKS % len(originals)].save(file, quality=90)
        else:
            os.link(original, file)


def _measure(folder: str) -> None:
    import_tensorflow_quietly()
    from data.datasets.find_images import find_images
    from data.input.batches import training_batches
    from data.input.image_loader import ImageLoader, crop_source_side
    from data.input.skipped_images import SkippedImages

    at_start = _megabytes()
    begun = time.perf_counter()
    lists = find_images([folder])
    listed = time.perf_counter() - begun
    with_list = _megabytes()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as log:
        skipped = SkippedImages(os.path.join(log, "skipped_images.tsv"), len(lists))
        loader = ImageLoader(lists.training, crop_source_side(RESOLUTION, 0.5), skipped)
        stream = iter(training_batches(loader, RESOLUTION, BATCH_SIZE, seed=0))
        next(stream)
        first = time.perf_counter() - begun
        for _ in range(BATCHES):
            next(stream)
    print(f"{listed:10.2f} {first:14.2f} {at_start:14.0f} {with_list:11.0f} {_megabytes():14.0f}")


def _megabytes() -> float:
    """The peak memory of the process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
