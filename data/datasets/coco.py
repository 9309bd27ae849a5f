"""Images with annotations in COCO format, selected by the objects in them.

    annotations/instances_train2017.json        the list of images and the objects in them
    train2017/000000000009.jpg                  the images, here or below `images/`

Parts whose name begins with `val` are used for validation.

Reference: https://cocodataset.org/#format-data
"""

import difflib
import glob
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from data.datasets.concatenated_images import ConcatenatedImages
from data.datasets.dataset import Dataset
from data.datasets.dataset_name import names_like
from data.datasets.dataset_options import DatasetOptions
from data.datasets.folder import list_folder
from data.datasets.image_files import ImageFiles
from data.datasets.split_by_name import split_by_name
from errors import InputError, first_line

_PREFIX = "instances_"
# In bytes. Larger files take some seconds to read, which is announced.
LARGE = 100e6

# Some programs write the numbers of images and categories as text.
_Id = int | str


@dataclass(frozen=True)
class _Part:
    """The contents of one annotation file.

    Attributes:
        images: dict from image id to path.
        objects: set of (image id, category id).
        categories: list of (id, name, supercategory).
    """

    images: dict[_Id, str]
    objects: set[tuple[_Id, _Id]]
    categories: list[tuple[_Id, str, str]]


def coco_set(name: str, folder: str, options: DatasetOptions) -> Dataset:
    """Finds the annotated images of a folder.

    Args:
        name: str, the dataset's name in the table.
        folder: str, the folder that contains `annotations`.
        options: `DatasetOptions`. Only images with an object of one of its categories are used, and
            it says how to split annotations that are not of both training and validation parts.

    Returns:
        `Dataset`.

    Raises:
        InputError: if part of the layout is missing or malformed, or a category does not exist.
    """
    names = _names_of_parts(folder)
    folders = {part: _folder_of(folder, part) for part in names}
    parts = {
        part: _read(os.path.join(folder, "annotations", f"{_PREFIX}{part}.json")) for part in names
    }
    _check_categories(options.categories, parts.values())
    skipped: Counter[str] = Counter()
    sides: dict[bool, list[ImageFiles]] = {False: [], True: []}
    taken: defaultdict[str, set[str]] = defaultdict(set)
    # Validation parts come first, so that an image listed in both is not trained on.
    for part in sorted(names, key=_is_validation, reverse=True):
        wanted = _wanted(parts[part], options.categories, skipped)
        # The paths of some annotations begin with the name of the folder.
        below = os.path.basename(folders[part]) + os.sep
        present = {path.removeprefix(below) for path in wanted}.intersection(
            list_folder(folders[part])
        )
        skipped["annotated, but missing"] += len(wanted) - len(present)
        new = present - taken[folders[part]]
        skipped["in another part"] += len(present) - len(new)
        taken[folders[part]] |= new
        sides[_is_validation(part)].append(ImageFiles(folders[part], sorted(new)))
    if all(sides.values()):
        return Dataset(
            name, ConcatenatedImages(sides[False]), ConcatenatedImages(sides[True]), skipped
        )
    images = ConcatenatedImages(sides[False] or sides[True])
    paths = (os.path.relpath(path, folder).replace(os.sep, "/") for path in images.names())
    return Dataset(name, *split_by_name(images, paths, options), skipped)


def _names_of_parts(folder: str) -> list[str]:
    """Returns the names of the parts, such as `train2017` and `val2017`."""
    pattern = os.path.join(glob.escape(folder), "annotations", _PREFIX + "*.json")
    files = [os.path.basename(file) for file in sorted(glob.glob(pattern))]
    if not files:
        what = f"there is no annotations/{_PREFIX}*.json in {folder}"
        if not os.path.isdir(folder):
            what = f"{folder} is not a folder{names_like(folder)}"
        raise InputError(f"{what}; give the folder that contains `annotations` and the images")
    return [file.removeprefix(_PREFIX).removesuffix(".json") for file in files]


def _is_validation(part: str) -> bool:
    return part.startswith("val")


def _folder_of(folder: str, part: str) -> str:
    """Returns the folder with the images of a part."""
    candidates = [os.path.join(folder, part), os.path.join(folder, "images", part)]
    for candidate in (*candidates, os.path.join(folder, "images")):
        if os.path.isdir(candidate):
            return candidate
    raise InputError(
        f"the images of annotations/{_PREFIX}{part}.json are neither in {candidates[0]} nor in "
        f"{candidates[1]}; put them there, or remove the annotations"
    )


def _read(path: str) -> _Part:
    if os.path.getsize(path) > LARGE:
        print(f"reading {path}", flush=True)
    try:
        with open(path, encoding="utf-8-sig") as file:
            entries = json.load(file, object_hook=_without_outline)
        return _Part(
            {image["id"]: os.path.normpath(image["file_name"]) for image in entries["images"]},
            {(entry["image_id"], entry["category_id"]) for entry in entries["annotations"]},
            list(map(_category, entries["categories"])),
        )
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{path} cannot be read: {first_line(error)}; unpack the annotations again"
        ) from error
    except (AttributeError, KeyError, TypeError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else first_line(error)
        raise InputError(
            f"{path} is not in COCO format: {what}; give annotations of objects (instances)"
        ) from error


def _category(entry: dict[str, Any]) -> tuple[_Id, str, str]:
    number, name, group = entry["id"], entry["name"], entry.get("supercategory") or ""
    if not (isinstance(number, int | str) and isinstance(name, str) and isinstance(group, str)):
        raise TypeError("a category needs a number as `id` and text as `name`")
    return number, name.strip(), group.strip()


def _without_outline(entry: dict[str, Any]) -> dict[str, Any]:
    """Drops the outlines of objects, which make up most of a 0.5 GB file."""
    if "image_id" in entry and "category_id" in entry:
        return {"image_id": entry["image_id"], "category_id": entry["category_id"]}
    return entry


def _wanted(part: _Part, categories: Sequence[str], skipped: Counter[str]) -> set[str]:
    """Returns the paths of the listed images with an object of these (super)categories."""
    wanted = {name.casefold() for name in categories}
    numbers = {
        number
        for number, *names in part.categories
        if wanted.intersection(map(str.casefold, names))
    }
    images = {image for image, number in part.objects if number in numbers or not categories}
    listed = images.intersection(part.images)
    skipped["annotated, but not listed"] += len(images - listed)
    if not categories:
        return set(part.images.values())
    skipped[f"without {' or '.join(categories)}"] += len(part.images) - len(listed)
    return {part.images[image] for image in listed}


def _check_categories(asked_for: Sequence[str], parts: Iterable[_Part]) -> None:
    """Raises `InputError` for an unknown category; it lists the existing ones, closest first."""
    existing = {text for part in parts for _, *names in part.categories for text in names} - {""}
    folded = set(map(str.casefold, existing))
    for asked in asked_for:
        if asked.casefold() not in folded:
            matcher = difflib.SequenceMatcher(b=asked.casefold())
            likeness = {}
            for category in existing:
                matcher.set_seq1(category.casefold())
                likeness[category] = -matcher.ratio()
            ordered = sorted(existing, key=lambda category: (likeness[category], category))
            shown = (f"'{category}'" if " " in category else category for category in ordered)
            raise InputError(f"there is no category {asked}; it has {', '.join(shown) or 'none'}")
