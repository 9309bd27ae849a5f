"""A folder of pictures, and the demo photographs."""

import bisect
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from data.colorfulness import colorfulness
from data.dataset_name import DEMO, names_like
from data.pictures import (
    PICTURE_SUFFIXES,
    UnreadablePictureError,
    list_picture_paths,
    part_by_part,
    read_rgb,
)
from data.sources.data_set import DataSet, SplitOptions, split_by_name
from data.sources.picture_files import PictureFiles
from errors import InputError, shown

# The color photographs of everyday things in scikit-image's wheel; the others are microscope
# pictures, textures and drawings.
_DEMO_FILES = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")

_TRAINING_FOLDER = "train"
_VALIDATION_FOLDERS = ("validation", "val")

# Sets of gray twins have two folders or four; a thousand are the classes of something.
_MOST_TWINS = 8
# Pictures of a folder that are looked at to know whether it is one of gray twins.
_LOOKS = 16
_LOOK_SIDE = 64


def folder_set(name: str, folder: str, options: SplitOptions, least_color: float) -> DataSet:
    """The pictures of a folder, searched deep.

    A folder with the subfolders `train` and `validation` (or `val`) is split as it says. Any other
    is split by a hash of each file's name below the folder. A subfolder whose pictures are the
    same as in the one beside it, but for the color, is left out.

    Args:
        name: str, for the table and for errors.
        folder: str, the path.
        options: `SplitOptions`.
        least_color: float, the colorfulness below which a picture has no color.

    Raises:
        InputError: it is no folder, or there is no picture in it.
    """
    paths = list_folder(name, folder)
    if not paths:
        raise InputError(
            f"--dataset {name}: no picture in it; looked, in subfolders too, for names that end "
            f"in {' '.join(PICTURE_SUFFIXES)}"
        )
    left_out = Counter()
    for gray, color in _gray_twins(folder, paths, least_color):
        kept = [path for path in paths if not path.startswith(gray + os.sep)]
        left_out[f"no color, twins of {shown(color)}"] += len(paths) - len(kept)
        paths = kept
    return _split(name, folder, paths, left_out, options)


def demo_set(options: SplitOptions) -> DataSet:
    """The demo photographs as a data set.

    Raises:
        InputError: scikit-image has none of them.
    """
    pictures = demo_pictures()
    folder = str(pictures[0].parent)
    return _split(DEMO, folder, [picture.name for picture in pictures], {}, options)


def demo_pictures() -> list[Path]:
    """The natural color photographs that scikit-image installs.

    Raises:
        InputError: this scikit-image has none of them.
    """
    import skimage

    folder = Path(skimage.data_dir)
    pictures = [folder / name for name in _DEMO_FILES if (folder / name).exists()]
    if not pictures:
        raise InputError(
            f"scikit-image has no demo photographs in {folder}: install it again, or give a folder"
        )
    return pictures


def list_folder(name: str, folder: str) -> list[str]:
    """The paths below a folder of the pictures in it.

    Raises:
        InputError: it is no folder, or cannot be read.
    """
    if not os.path.isdir(folder):
        exists = os.path.exists(folder)
        what = "is a file" if exists else f"does not exist{names_like(folder)}"
        raise InputError(f"--dataset {name}: {what}; give a folder of pictures, or {DEMO}")
    try:
        return list_picture_paths(folder)
    except OSError as error:
        raise InputError(f"--dataset {name}: {error.strerror}; give a readable folder") from error


def _split(
    name: str, folder: str, paths: list[str], left_out: dict[str, int], options: SplitOptions
) -> DataSet:
    tops = {path.split(os.sep, 1)[0] for path in paths if os.sep in path}
    validation_folder = next((top for top in _VALIDATION_FOLDERS if top in tops), None)
    if _TRAINING_FOLDER in tops and validation_folder:
        sides = {_TRAINING_FOLDER: [], validation_folder: []}
        for path in paths:
            sides.get(path.split(os.sep, 1)[0], []).append(path)
        training, validation = (PictureFiles(folder, side) for side in sides.values())
        beside = len(paths) - len(training) - len(validation)
        if beside:
            what = f"beside {_TRAINING_FOLDER} and {validation_folder}"
            left_out = {**left_out, what: beside}
    else:
        names = (path.replace(os.sep, "/") for path in paths)
        training, validation = split_by_name(PictureFiles(folder, paths), names, options)
    return DataSet(name, training, validation, left_out)


def _gray_twins(folder: str, paths: list[str], least_color: float) -> list[tuple[str, str]]:
    """Subfolders whose pictures stand in color in another one: (gray, color), both below `folder`.

    Some published sets have each picture twice, as the question and as the answer.
    """
    twins = []
    for siblings in _groups_of_siblings(paths):
        for gray in siblings:
            pictures = _a_few(siblings[gray])
            for color in siblings:
                same = color != gray and _same_pictures(pictures, gray, color, siblings[color])
                if (
                    same
                    and _has_color(folder, pictures, least_color) is False
                    and _has_color(folder, same, least_color)
                ):
                    twins.append((gray, color))
                    break
    return twins


def _groups_of_siblings(paths: list[str]) -> list[dict[str, list[str]]]:
    """The few subfolders of each folder, with the pictures below each."""
    folders: dict[str, dict[str, list[str]]] = {}
    for path in paths:
        folder = os.path.dirname(path)
        while folder:
            parent = os.path.dirname(folder)
            siblings = folders.setdefault(parent, {})
            # One more than can be twins is enough to know that there are too many.
            if folder in siblings or len(siblings) <= _MOST_TWINS:
                siblings.setdefault(folder, []).append(path)
            folder = parent
    return [siblings for siblings in folders.values() if 2 <= len(siblings) <= _MOST_TWINS]


def _a_few(paths: list[str]) -> list[str]:
    return paths[:: -(-len(paths) // _LOOKS)]


def _same_pictures(pictures: list[str], gray: str, color: str, colored: list[str]) -> list[str]:
    """The twins in `color` of all these pictures in `gray`, or none when one has no twin."""
    twins = []
    for picture in pictures:
        stem = _stem(color + picture.removeprefix(gray))
        found = [path for path in _beginning_with(stem + ".", colored) if _stem(path) == stem]
        if not found:
            return []
        twins.append(found[0])
    return twins


def _stem(path: str) -> str:
    return os.path.splitext(path)[0]


def _beginning_with(beginning: str, paths: list[str]) -> Iterator[str]:
    """Those of the paths, which are sorted part by part, that begin so."""
    place = bisect.bisect_left(paths, part_by_part(beginning), key=part_by_part)
    while place < len(paths) and paths[place].startswith(beginning):
        yield paths[place]
        place += 1


def _has_color(folder: str, paths: list[str], least_color: float) -> bool | None:
    """Whether any of these pictures has color, or None when none of them can be read."""
    has_color = None
    for path in paths:
        try:
            pixels = read_rgb(os.path.join(folder, path), _LOOK_SIDE)
        except UnreadablePictureError:
            continue
        if float(colorfulness(pixels.astype("float32"))) >= least_color:
            return True
        has_color = False
    return has_color
