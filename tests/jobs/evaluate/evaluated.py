"""Helpers of the tests of evaluations: weights, images, and which of them are evaluated."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from config.parser import parse
from data.datasets.dataset_name import absolute_name
from data.datasets.dataset_options import DatasetOptions
from data.datasets.find_images import find_images
from data.image_io import write_rgb
from errors import InputError
from jobs.common.contact_sheet import draw_contact_sheet
from jobs.common.load_colorizer import weights_folders
from jobs.evaluate.images import EvaluationImages
from models.checkpoints.folder import WeightsFolder

FEW = ["--resolution", "16", "--batch_size", "5", "--precision", "float32", "--render_size", "16"]
ALL = [f"{number}.png" for number in range(10)]


def evaluated(*arguments, log_dir="logs"):
    settings, explicit = parse(["--evaluate", "--resolution", "16", *arguments])
    return EvaluationImages(settings, explicit, weights_folders(settings), log_dir)


def names_of(images):
    return [name for batch in images.batches() for name in batch.names]


def held_out(folder, share, seed):
    """The names of the images that training with these settings does not train on."""
    options = DatasetOptions(validation_share=share, seed=seed)
    names = find_images([folder], options).validation.names()
    return sorted(map(os.path.basename, names))


def trained(path, *datasets, share=0.3, seed=0, pretrained=None):
    """Writes the settings of weights that were trained on these datasets, and returns the path."""
    names = [absolute_name(dataset) for dataset in datasets]
    settings = {"dataset": names, "validation_share": share, "seed": seed}
    settings["pretrained"] = pretrained
    WeightsFolder(path).write_settings({"architecture": {}, "settings": settings})
    return path


def solid(path, color=(200, 90, 80), size=(20, 24)):
    write_rgb(path, np.full((*size, 3), color, "uint8"))


def error_message(*arguments):
    with pytest.raises(InputError) as caught:
        evaluated(*arguments)
    message = str(caught.value)
    assert message.count("\n") == 0
    return message


def record_drawn_images(patch):
    """Returns a dict of the images that are drawn on a sheet, by the names of their rows."""
    recorded = {}

    def record(rows, captions=None):
        recorded.update(rows, captions=captions)
        return draw_contact_sheet(rows, captions)

    patch.setattr("jobs.evaluate.evaluate.draw_contact_sheet", record)
    return recorded


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


def files_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def all_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def error_line(capsys):
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert message.count("\n") == 1
    return message


def rows_of(path):
    return json.loads(Path(path).read_text())["rows"]
