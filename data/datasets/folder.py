"""Datasets from a folder of images, and the demo photographs."""

import os
from pathlib import Path

from data.datasets.dataset import Dataset
from data.datasets.dataset_name import DEMO, names_like
from data.datasets.dataset_options import DatasetOptions
from data.datasets.image_files import ImageFiles
from data.datasets.paired_grayscale import find_paired_grayscale
from data.datasets.split_by_name import split_by_name
from data.image_io import IMAGE_SUFFIXES, list_image_paths
from errors import InputError, shown

# The natural color photographs in scikit-image's wheel; its other images are microscope images,
# textures and drawings.
_DEMO_FILES = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")

_TRAINING_FOLDER = "train"
_VALIDATION_FOLDERS = ("validation", "val")


def folder_set(name: str, folder: str, options: DatasetOptions) -> Dataset:
    """Finds the images of a folder and its subfolders.

    A folder with the subfolders `train` and `validation` (or `val`) is split accordingly. Any
    other folder is split by a hash of each file's relative path. Paired grayscale, a subfolder
    with gray versions of the images in a sibling folder, is skipped.

    Args:
        name: str, the dataset's name in the table.
        folder: str, the path of the folder.
        options: `DatasetOptions`.

    Returns:
        `Dataset`.

    Raises:
        InputError: if the folder does not exist, is a file or contains no images.
    """
    paths = list_folder(folder)
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
    return _split(name, folder, [path for path in paths if path not in gray], skipped, options)


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
    import skimage

    folder = Path(skimage.data_dir)
    images = [folder / name for name in _DEMO_FILES if (folder / name).exists()]
    if not images:
        raise InputError(
            f"scikit-image has no demo photographs in {folder}; reinstall it, or give a folder"
        )
    return images


def list_folder(folder: str) -> list[str]:
    """Lists the images of a folder and its subfolders, as paths relative to the folder.

    Raises:
        InputError: if the folder does not exist, is a file or cannot be read.
    """
    if not os.path.isdir(folder):
        what = "is a file" if os.path.exists(folder) else f"does not exist{names_like(folder)}"
        raise InputError(f"{what}; give a folder of images, or {DEMO}")
    try:
        return list_image_paths(folder)
    except OSError as error:
        raise InputError(f"{error.strerror}; give a readable folder") from error


def _split(
    name: str, folder: str, paths: list[str], skipped: dict[str, int], options: DatasetOptions
) -> Dataset:
    tops = {path.split(os.sep, 1)[0] for path in paths if os.sep in path}
    validation_folder = next((top for top in _VALIDATION_FOLDERS if top in tops), None)
    if _TRAINING_FOLDER not in tops or validation_folder is None:
        names = (path.replace(os.sep, "/") for path in paths)
        return Dataset(name, *split_by_name(ImageFiles(folder, paths), names, options), skipped)
    training, validation = (
        ImageFiles(folder, [path for path in paths if path.startswith(side + os.sep)])
        for side in (_TRAINING_FOLDER, validation_folder)
    )
    outside = f"outside {_TRAINING_FOLDER} and {validation_folder}"
    skipped = {**skipped, outside: len(paths) - len(training) - len(validation)}
    return Dataset(name, training, validation, skipped)
