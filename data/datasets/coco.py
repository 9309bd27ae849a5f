"""Images with annotations in COCO's format, chosen by the objects in them.

    annotations/instances_train2017.json        which images there are, and what is in them
    train2017/000000000009.jpg                  the images; also below images/

A part whose name begins with `val` is for validation. https://cocodataset.org/#format-data
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
from data.datasets.folder import list_folder
from data.datasets.image_files import ImageFiles
from data.datasets.split_options import SplitOptions, split_by_name
from errors import InputError, first_line

_PREFIX = "instances_"
# A file that takes some seconds to read.
_LARGE = 100e6


@dataclass(frozen=True)
class _Part:
    """What one file of annotations says.

    Attributes:
        images: the path of each image, by its number.
        objects: for each object the numbers of its image and its category.
        categories: the number, the name and the supercategory of each.
    """

    images: dict[int, str]
    objects: set[tuple[int, int]]
    categories: list[tuple[int, str, str]]

    def images_with(self, asked_for: Sequence[str]) -> set[int]:
        """The images with an object of one of these categories or supercategories."""
        wanted = {name.casefold() for name in asked_for}
        numbers = {
            number
            for number, *names in self.categories
            if wanted.intersection(name.casefold() for name in names)
        }
        return {image for image, category in self.objects if category in numbers}


def coco_set(name: str, folder: str, categories: Sequence[str], options: SplitOptions) -> Dataset:
    """The annotated images of a folder.

    Args:
        name: str, for the table and for errors.
        folder: str, where `annotations` lies.
        categories: names of categories or supercategories; images with an object of one of them
            are kept. All images, when there is none.
        options: `SplitOptions`, for annotations without a part for validation.

    Raises:
        InputError: a part of the layout is missing or malformed, or there is no such category.
    """
    names = _names_of_parts(name, folder)
    folders = {part: _folder_of(name, folder, part) for part in names}
    parts = {part: _read(name, folder, part) for part in names}
    _check_categories(name, categories, parts.values())
    skipped = Counter()
    sides = {False: [], True: []}
    taken = defaultdict(set)
    # Validation first: an image to judge by is not learned from, and none comes twice.
    for part in sorted(names, key=_is_validation, reverse=True):
        wanted = _wanted(parts[part], categories, skipped)
        there = set(list_folder(name, folders[part])) & _below(wanted, folders[part])
        skipped["annotated, but not there"] += len(wanted) - len(there)
        new = there - taken[folders[part]]
        skipped["in another part"] += len(there) - len(new)
        taken[folders[part]] |= new
        sides[_is_validation(part)].append(ImageFiles(folders[part], sorted(new)))
    if all(sides.values()):
        return Dataset(
            name, ConcatenatedImages(sides[False]), ConcatenatedImages(sides[True]), skipped
        )
    images = ConcatenatedImages(sides[False] or sides[True])
    below = (os.path.relpath(path, folder).replace(os.sep, "/") for path in images.names())
    return Dataset(name, *split_by_name(images, below, options), skipped)


def _names_of_parts(name: str, folder: str) -> list[str]:
    """`train2017`, `val2017` and such."""
    pattern = os.path.join(glob.escape(folder), "annotations", _PREFIX + "*.json")
    files = [os.path.basename(file) for file in sorted(glob.glob(pattern))]
    if not files:
        what = f"annotations/{_PREFIX}*.json is not in {folder}"
        if not os.path.isdir(folder):
            what = f"{folder} is no folder{names_like(folder)}"
        raise InputError(
            f"--dataset {name}: {what}; give the folder that holds annotations and the images"
        )
    return [file.removeprefix(_PREFIX).removesuffix(".json") for file in files]


def _is_validation(part: str) -> bool:
    return part.startswith("val")


def _below(paths: set[str], folder: str) -> set[str]:
    """The paths below the folder of images; some annotations begin with its name."""
    return {path.removeprefix(os.path.basename(folder) + os.sep) for path in paths}


def _folder_of(name: str, folder: str, part: str) -> str:
    """Where the images of a part lie."""
    places = [os.path.join(folder, part), os.path.join(folder, "images", part)]
    for place in (*places, os.path.join(folder, "images")):
        if os.path.isdir(place):
            return place
    raise InputError(
        f"--dataset {name}: the images of annotations/{_PREFIX}{part}.json are neither in "
        f"{places[0]} nor in {places[1]}; put them there, or move the annotations away"
    )


def _read(name: str, folder: str, part: str) -> _Part:
    path = os.path.join(folder, "annotations", f"{_PREFIX}{part}.json")
    if os.path.exists(path) and os.path.getsize(path) > _LARGE:
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
            f"--dataset {name}: {path} cannot be read: {first_line(error)}; unpack the "
            "annotations again"
        ) from error
    except KeyError as error:
        raise InputError(
            f"--dataset {name}: {path} is not in COCO's format: {error} is missing; give "
            "annotations of objects (instances)"
        ) from error
    except (AttributeError, TypeError) as error:
        raise InputError(
            f"--dataset {name}: {path} is not in COCO's format: {first_line(error)}; give "
            "annotations of objects (instances)"
        ) from error


def _category(entry: dict[str, Any]) -> tuple[int, str, str]:
    number, name, group = entry["id"], entry["name"], entry.get("supercategory") or ""
    if not (isinstance(number, int | str) and isinstance(name, str) and isinstance(group, str)):
        raise TypeError("a category should have a number for `id` and text for `name`")
    return number, name.strip(), group.strip()


def _without_outline(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of the file; of an object only what is asked for: outlines are most of 0.5 GB."""
    if "image_id" in entry and "category_id" in entry:
        return {"image_id": entry["image_id"], "category_id": entry["category_id"]}
    return entry


def _wanted(part: _Part, categories: Sequence[str], skipped: Counter) -> set[str]:
    """The paths of the images that are listed and have an object of these categories."""
    images = part.images_with(categories) if categories else {image for image, _ in part.objects}
    listed = images.intersection(part.images)
    skipped["annotated, but not listed"] += len(images - listed)
    if not categories:
        return set(part.images.values())
    skipped[f"without {' or '.join(categories)}"] += len(part.images) - len(listed)
    return {part.images[image] for image in listed}


def _check_categories(name: str, asked_for: Sequence[str], parts: Iterable[_Part]) -> None:
    """Raises InputError for a category that is in no part; those that are, the closest first."""
    existing = {each for part in parts for _, *names in part.categories for each in names} - {""}
    for asked in asked_for:
        if asked.casefold() in {each.casefold() for each in existing}:
            continue
        closeness = difflib.SequenceMatcher(b=asked.casefold())

        def key(each: str, closeness=closeness) -> tuple[float, str]:
            closeness.set_seq1(each.casefold())
            return -closeness.ratio(), each

        shown = (f"'{each}'" if " " in each else each for each in sorted(existing, key=key))
        raise InputError(
            f"--categories {asked}: {name} has no such category; it has "
            f"{', '.join(shown) or 'none at all'}"
        )
