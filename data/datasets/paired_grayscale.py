"""Detection of paired grayscale: folders with gray versions of the images in another folder.

Some published datasets contain each image twice, in gray as the input and in color as the target.
"""

import bisect
import os
from collections.abc import Iterable

from data.color.colorfulness import colorfulness
from data.image_io import UnreadableImageError, part_by_part
from data.photos.read_rgb import read_rgb

# Datasets with paired grayscale have two or four folders; a thousand folders are classes.
_MOST_FOLDERS = 8
# The number of images that are read to decide whether a folder is paired grayscale, and the length
# that their shorter side is shrunk to.
_SAMPLE_SIZE = 16
_SAMPLE_SIDE = 64
# The share of these images that must be as expected; datasets contain some odd images.
_MAJORITY = 0.75


def find_paired_grayscale(
    folder: str, paths: list[str], least_color: float
) -> dict[str, list[str]]:
    """Finds subfolders that contain gray versions of the images in a sibling folder.

    Only a few images are read, and only in sibling folders whose files have the same names.

    Args:
        folder: str, the folder that contains the images.
        paths: list of str, the paths of all images relative to the folder, sorted part by part.
        least_color: float, the colorfulness below which an image counts as gray.

    Returns:
        Dict from the subfolder with the color images to the paths of its paired grayscale.
    """
    paired: dict[str, list[str]] = {}
    for siblings in _groups_of_siblings(paths):
        for gray, images in siblings.items():
            color = _paired_folder(folder, gray, siblings, least_color)
            if color is not None:
                stems = {_stem(path).removeprefix(color) for path in siblings[color]}
                found = [path for path in images if _stem(path).removeprefix(gray) in stems]
                paired.setdefault(color, []).extend(found)
    return paired


def _groups_of_siblings(paths: list[str]) -> list[dict[str, list[str]]]:
    """Returns, for each folder with few subfolders, its subfolders and the images below each."""
    folders: dict[str, dict[str, list[str]]] = {}
    for path in paths:
        folder = os.path.dirname(path)
        while folder:
            parent = os.path.dirname(folder)
            siblings = folders.setdefault(parent, {})
            # One more than the maximum is enough to know that there are too many.
            if folder in siblings or len(siblings) <= _MOST_FOLDERS:
                siblings.setdefault(folder, []).append(path)
            folder = parent
    return [siblings for siblings in folders.values() if 2 <= len(siblings) <= _MOST_FOLDERS]


def _paired_folder(
    folder: str, gray: str, siblings: dict[str, list[str]], least_color: float
) -> str | None:
    """Returns the sibling with the color versions of the images of a subfolder, or None."""
    images = siblings[gray]
    few = images[:: -(-len(images) // _SAMPLE_SIZE)]
    # The sibling with the most similar number of images comes first.
    for color in sorted(siblings, key=lambda sibling: abs(len(siblings[sibling]) - len(images))):
        if color == gray:
            continue
        partners = {
            path: _partner(color + _stem(path).removeprefix(gray), siblings[color]) for path in few
        }
        pairs = {path: partner for path, partner in partners.items() if partner is not None}
        if len(pairs) >= _MAJORITY * len(few) and _share_in_color(
            folder, pairs.keys(), least_color
        ) <= 1.0 - _MAJORITY < _share_in_color(folder, pairs.values(), least_color):
            return color
    return None


def _stem(path: str) -> str:
    return os.path.splitext(path)[0]


def _partner(stem: str, paths: list[str]) -> str | None:
    """Returns the path that equals this stem except for its suffix; paths are sorted by part."""
    index = bisect.bisect_left(paths, part_by_part(stem + "."), key=part_by_part)
    while index < len(paths) and paths[index].startswith(stem + "."):
        if _stem(paths[index]) == stem:
            return paths[index]
        index += 1
    return None


def _share_in_color(folder: str, paths: Iterable[str], least_color: float) -> float:
    """Returns the share of color images among the readable ones, or NaN if none is readable."""
    measured = []
    for path in paths:
        try:
            pixels = read_rgb(os.path.join(folder, path), _SAMPLE_SIDE)
        except UnreadableImageError:
            continue
        measured.append(float(colorfulness(pixels.astype("float32"))))
    in_color = sum(value >= least_color for value in measured)
    return in_color / len(measured) if measured else float("nan")
