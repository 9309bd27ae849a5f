"""Datasets from a folder of images, and the demo photographs."""

import dataclasses
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from data.datasets.dataset import Dataset
from data.datasets.dataset_name import DEMO, names_like
from data.datasets.dataset_options import DatasetOptions
from data.datasets.image_files import ImageFiles
from data.datasets.paired_grayscale import find_paired_grayscale
from data.datasets.split_by_folders import split_by_folders, warn_of_sides, warn_of_test_folders
from data.datasets.split_by_name import split_by_name
from data.image_io import IMAGE_SUFFIXES, describe_passed_over, list_image_paths
from errors import InputError, shown

# The natural color photographs in scikit-image's wheel; its other images are microscope images,
# textures and drawings.
_DEMO_FILES = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")

# A photograph in its wheel that never had color.
_DEMO_GRAY_FILES = ("camera.png",)


def folder_set(name: str, folder: str, options: DatasetOptions) -> Dataset:
    """Finds the images of a folder and its subfolders.

    A folder with subfolders such as `train` and `val` is split accordingly, as `split_by_folders`
    says. Any other folder is split by a hash of each file's relative path. Paired grayscale, a
    subfolder with gray versions of the images in a sibling folder, is skipped.

    Args:
        name: str, the dataset's name in the table.
        folder: str, the path of the folder.
        options: `DatasetOptions`.

    Returns:
        `Dataset`.

    Raises:
        InputError: if the folder does not exist, is a file or contains no images.
    """
    others: list[str] = []
    paths = list_folder(folder, others.append)
    if not paths:
        raise InputError(
            "no images in this folder or its subfolders; supported file extensions: "
            + " ".join(IMAGE_SUFFIXES)
        )
    paired = find_paired_grayscale(folder, paths, options.minimum_colorfulness)
    skipped = {
        f"no color, paired with {shown(color)}": len(grays) for color, grays in paired.items()
    }
    gray = {path for grays in paired.values() for path in grays}
    found = _split(name, folder, [path for path in paths if path not in gray], skipped, options)
    if not others:
        return found
    suffixes = Counter(os.path.splitext(path)[1].lower() for path in others)
    return dataclasses.replace(found, notes=(*found.notes, describe_passed_over(suffixes)))


def demo_set(name: str, _: str, options: DatasetOptions) -> Dataset:
    """Returns the demo photographs as a dataset; the arguments are those of `folder_set`."""
    images = demo_images()
    folder = str(images[0].parent)
    return _split(name, folder, [image.name for image in images], {}, options)


def demo_images() -> list[Path]:
    """Returns the paths of the natural color photographs that ship with scikit-image.

    Raises:
        InputError: if the installed scikit-image has none of them.
    """
    return _find_in_skimage(_DEMO_FILES)


def demo_photographs() -> list[Path]:
    """Returns the photographs to color: those of `demo_images`, and a black-and-white one.

    Raises:
        InputError: if the installed scikit-image has none of them.
    """
    return _find_in_skimage(_DEMO_FILES + _DEMO_GRAY_FILES)


def _find_in_skimage(names: tuple[str, ...]) -> list[Path]:
    import skimage

    folder = Path(skimage.data_dir)
    images = [folder / name for name in names if (folder / name).exists()]
    if not images:
        raise InputError(
            f"scikit-image has no demo photographs in {folder}; reinstall it, or give a folder"
        )
    return images


def list_folder(folder: str, on_other: Callable[[str], None] | None = None) -> list[str]:
    """Lists the images of a folder and its subfolders, as paths relative to the folder.

    Args:
        folder: str, the path of the folder.
        on_other: function or None, as for `list_image_paths`. Defaults to `None`.

    Raises:
        InputError: if the folder does not exist, is a file or cannot be read.
    """
    if not os.path.isdir(folder):
        what = "is a file" if os.path.exists(folder) else f"does not exist{names_like(folder)}"
        raise InputError(f"{what}; give a folder of images, or {DEMO}")
    try:
        return list_image_paths(folder, on_other=on_other)
    except OSError as error:
        raise InputError(f"{error.strerror}; give a readable folder") from error


def _split(
    name: str, folder: str, paths: list[str], skipped: dict[str, int], options: DatasetOptions
) -> Dataset:
    warnings = [warn_of_sides(paths)]
    split = split_by_folders(paths)
    if split is None:
        names = (path.replace(os.sep, "/") for path in paths)
        training, validation = split_by_name(ImageFiles(folder, paths), names, options)
        warnings.append(warn_of_test_folders(paths))
    else:
        training, validation = (
            ImageFiles(folder, side) for side in (split.training, split.validation)
        )
        skipped = {**skipped, split.outside: len(paths) - len(training) - len(validation)}
    return Dataset(
        *(name, training, validation, skipped),
        notes=(split.note,) if split else (),
        warnings=tuple(filter(None, warnings)),
    )
