"""Helpers of the tests of datasets: they write files, and say what is found among them."""

import json

import numpy as np
import pytest
from PIL import Image

from data.datasets.dataset_options import DatasetOptions
from data.datasets.find_images import find_images
from errors import InputError

LEAST_COLOR = 2.0
CLASSES = ("n01443537", "n01629819", "n01944390")


def numbered(count, prefix="", suffix=".jpg"):
    return [f"{prefix}{number:04}{suffix}" for number in range(count)]


def touch(folder, names):
    """Creates empty files and returns the folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return str(folder)


def find_dataset(name, **options):
    """Returns the `Dataset` of this name."""
    [dataset] = find_images([name], DatasetOptions(**options)).sets
    return dataset


def refusal(name, **options):
    """Returns the one-line message that a dataset is refused with, after its name."""
    with pytest.raises(InputError) as caught:
        find_images([name], DatasetOptions(**options))
    message = str(caught.value)
    assert message.isprintable()
    return message.removeprefix(f"{name}: ")


def relative_names(source, folder):
    return [name.removeprefix(f"{folder}/") for name in source.names()]


def used(found, folder):
    return sorted(relative_names(found.training, folder) + relative_names(found.validation, folder))


def skipped_counts(found):
    return {why: count for why, count in found.skipped.items() if count}


def write_image(path, gray):
    """Writes a small image that depends only on its name, in color or in gray."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(path.stem.encode("utf-8", "surrogateescape"))
    pixels = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), dtype="uint8")
    colored = Image.fromarray(pixels).resize((16, 16), Image.Resampling.NEAREST)
    (colored.convert("L").convert("RGB") if gray else colored).save(path)


def write_images(folder, names, gray=False):
    for name in names:
        write_image(folder / name, gray)


def find_folder(folder, share=0.05, least_color=LEAST_COLOR, seed=0):
    return find_dataset(
        str(folder), validation_share=share, minimum_colorfulness=least_color, seed=seed
    )


def find_lists(names, **options):
    return find_images(names, DatasetOptions(**options))


def tiny_imagenet(folder, classes=CLASSES):
    """Writes three training images and one validation image of each class."""
    for wordnet_id in classes:
        touch(folder / "train" / wordnet_id / "images", numbered(3, f"{wordnet_id}_"))
        touch(folder / "val" / "images", [f"val_{wordnet_id}.jpg"])
    lines = [f"val_{wordnet_id}.jpg\t{wordnet_id}\n" for wordnet_id in classes]
    (folder / "val" / "val_annotations.txt").write_text("".join(lines))
    (folder / "wnids.txt").write_text("\n".join(classes))
    (folder / "words.txt").touch()
    return f"tiny-imagenet:{folder}"


def coco(folder, training, validation):
    """Writes images, given by name with the category of the one object in each."""
    for part, contents in (("train", training), ("val", validation)):
        annotations = {
            "images": [{"id": name, "file_name": name} for name in contents],
            "annotations": [
                {"image_id": name, "category_id": category} for name, category in contents.items()
            ],
            "categories": [{"id": name, "name": name} for name in ("cat", "dog")],
        }
        (folder / "annotations").mkdir(parents=True, exist_ok=True)
        path = folder / "annotations" / f"instances_{part}.json"
        path.write_text(json.dumps(annotations))
        (folder / part).mkdir()
        touch(folder / part, contents)
    return f"coco:{folder}"


def one_line(caught):
    message = str(caught.value)
    assert message.splitlines() == [message]
    return message
