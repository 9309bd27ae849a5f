"""Images that stand in a folder in gray and beside it in color.

Some published sets have each image twice, as the question and as the answer.
"""

import bisect
import os
from collections.abc import Iterator

from data.color.colorfulness import colorfulness
from data.image_io import UnreadableImageError, part_by_part, read_rgb

# Sets of paired grayscale have two folders or four; a thousand are the classes of something.
_MOST_FOLDERS = 8
# Images of a folder that are looked at to know whether it is one of paired grayscale.
_LOOKS = 16
_LOOK_SIDE = 64
# So many of these must be what is expected: sets have odd images.
_MAJORITY = 0.75


def find_paired_grayscale(
    folder: str, paths: list[str], least_color: float
) -> dict[str, list[str]]:
    """Finds the subfolders whose images are those of another one, but for the color.

    Only a few images of folders with the same names are read.

    Args:
        folder: str, where the images lie.
        paths: all of them, below the folder, sorted part by part.
        least_color: float, the colorfulness below which an image has no color.

    Returns:
        By the subfolder with the colors, the paths of their paired grayscale.
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
    """The few subfolders of each folder, with the images below each."""
    folders: dict[str, dict[str, list[str]]] = {}
    for path in paths:
        folder = os.path.dirname(path)
        while folder:
            parent = os.path.dirname(folder)
            siblings = folders.setdefault(parent, {})
            # One more than can be paired is enough to know that there are too many.
            if folder in siblings or len(siblings) <= _MOST_FOLDERS:
                siblings.setdefault(folder, []).append(path)
            folder = parent
    return [siblings for siblings in folders.values() if 2 <= len(siblings) <= _MOST_FOLDERS]


def _paired_folder(
    folder: str, gray: str, siblings: dict[str, list[str]], least_color: float
) -> str | None:
    """The sibling that has the images of this subfolder in color, or None."""
    images = siblings[gray]
    few = images[:: -(-len(images) // _LOOKS)]
    # Where several have the same names, the one with as many images first.
    for color in sorted(siblings, key=lambda each: abs(len(siblings[each]) - len(images))):
        if color == gray:
            continue
        pairs = [
            (path, partner)
            for path in few
            for partner in _with_stem(color + _stem(path).removeprefix(gray), siblings[color])[:1]
        ]
        if len(pairs) >= _MAJORITY * len(few) and _share_in_color(
            folder, [path for path, _ in pairs], least_color
        ) <= 1.0 - _MAJORITY < _share_in_color(
            folder, [partner for _, partner in pairs], least_color
        ):
            return color
    return None


def _stem(path: str) -> str:
    return os.path.splitext(path)[0]


def _with_stem(stem: str, paths: list[str]) -> list[str]:
    """The paths that are this one but for the suffix."""
    return [path for path in _beginning_with(stem + ".", paths) if _stem(path) == stem]


def _beginning_with(beginning: str, paths: list[str]) -> Iterator[str]:
    """Those of the paths, which are sorted part by part, that begin so."""
    place = bisect.bisect_left(paths, part_by_part(beginning), key=part_by_part)
    while place < len(paths) and paths[place].startswith(beginning):
        yield paths[place]
        place += 1


def _share_in_color(folder: str, paths: list[str], least_color: float) -> float:
    """The share of images with color among those that can be read; NaN when none can."""
    measured = []
    for path in paths:
        try:
            pixels = read_rgb(os.path.join(folder, path), _LOOK_SIDE)
        except UnreadableImageError:
            continue
        measured.append(float(colorfulness(pixels.astype("float32"))))
    in_color = sum(each >= least_color for each in measured)
    return in_color / len(measured) if measured else float("nan")
