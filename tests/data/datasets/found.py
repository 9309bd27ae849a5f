"""Helpers of the tests of datasets: they write files, and say what is found among them."""

import pytest

from data.datasets.dataset_options import DatasetOptions
from data.datasets.find_images import find_images
from errors import InputError


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
