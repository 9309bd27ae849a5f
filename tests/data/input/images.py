"""Images to load in tests: each can be recognized in any batch."""

import os

import numpy as np
from PIL import Image

from data.color.lab import join_lab, lab1_to_rgb1
from data.datasets.image_files import ImageFiles
from data.datasets.image_source import ImageSource
from data.image_io import UnreadableImageError
from data.input.batches import training_batches
from data.input.disk_cache import DiskCache
from data.input.image_loader import ImageLoader
from data.input.memory_cache import MemoryCache
from data.input.skipped_images import SkippedImages

COLORS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255)]


def write_solid(folder, colors=COLORS, size=(20, 16)):
    """Writes an image of each color, so that it can be recognized in any batch."""
    paths = [str(folder / f"{number}.png") for number in range(len(colors))]
    for path, rgb in zip(paths, colors, strict=True):
        Image.new("RGB", size, rgb).save(path)
    return paths


def write_noise(folder, count=4, height=24, width=32):
    paths = [str(folder / f"noise{number}.png") for number in range(count)]
    for seed, path in enumerate(paths):
        values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype="uint8")
        Image.fromarray(values).save(path)
    return paths


def write_broken(folder, count):
    paths = [str(folder / f"broken{number}.jpg") for number in range(count)]
    for path in paths:
        with open(path, "w") as file:
            file.write("not an image")
    return paths


def loader_of(images, folder, short_side=16, total=None, **options):
    """Makes a loader of a list of files or of any other source."""
    source = images if isinstance(images, ImageSource) else ImageFiles("", images)
    skipped = SkippedImages(folder / "skipped_images.tsv", total or len(source))
    return ImageLoader(source, short_side, skipped, **options)


def cache_of(kind, folder):
    return MemoryCache() if kind == "memory" else DiskCache(folder / "cache")


class Album(ImageSource):
    """Single-color images that are stored together in one file."""

    def __init__(self, path, colors=COLORS, torn=(), unlabeled=()):
        super().__init__(tuple("abcdefghij"))
        self.path = str(path)
        self.torn = torn
        self.unlabeled = unlabeled
        self.readings = []
        self.write(colors)

    def write(self, colors):
        """Writes the file with a new modification time, however soon after the last write."""
        modified = os.stat(self.path).st_mtime_ns + 1 if os.path.exists(self.path) else 0
        with open(self.path, "wb") as file:
            np.save(file, np.tile(np.array(colors, "uint8")[:, None, None], (1, 16, 16, 1)))
        os.utime(self.path, ns=(modified, modified))

    def __len__(self):
        return len(np.load(self.path))

    def name(self, number):
        return f"{self.path}#{number}"

    def file(self, number):
        return self.path

    def read_rgb(self, number, short_side=None):
        self.readings.append(int(number))
        if number in self.torn:
            raise UnreadableImageError("the page is torn")
        return np.load(self.path)[number]

    def label(self, number):
        if number in self.unlabeled:
            raise UnreadableImageError("the caption is torn off")
        return 9 - int(number)


def stream(loader, batches, **options):
    """The first batches of a training stream as one array of Lab images in [-1, 1]."""
    options = {"resolution": 8, "batch_size": 2, "seed": 0, **options}
    taken = training_batches(loader, **options).take(batches)
    return np.concatenate([join_lab(lightness, ab).numpy() for lightness, ab in taken])


def stream_with_labels(loader, batches, **options):
    """The colors of the images in the first batches, and their labels."""
    options = {"resolution": 8, "batch_size": 2, "seed": 0, **options}
    return colors_and_labels(
        training_batches(loader, extra_target=loader.labels, **options).take(batches)
    )


def colors_and_labels(batches):
    batches = list(batches)
    images = np.concatenate([join_lab(lightness, ab) for lightness, ab, _ in batches])
    return colors_of(images), np.concatenate([label for _, _, label in batches]).tolist()


def colors_of(images):
    """The index in `COLORS` of each single-color image."""
    rgb255 = np.asarray(lab1_to_rgb1(images)).mean(axis=(1, 2)) * 255.0
    return np.abs(rgb255[:, None] - np.array(COLORS)).sum(axis=-1).argmin(axis=-1).tolist()


def pixels(seed=0, height=5, width=7):
    """Noise, as a decoded image."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype="uint8")
