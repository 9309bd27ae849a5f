"""ImageNet classes have the numbers that networks for ImageNet give them."""

import json
import random

import numpy as np
import pytest

from data.datasets.imagenet_classes import downsampled_imagenet_ids, imagenet_numbers
from errors import InputError

IDS = tuple(sorted(downsampled_imagenet_ids()))


@pytest.fixture(autouse=True)
def _keras_cache(tmp_path, monkeypatch):
    """Sets an empty cache folder of Keras."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


def index_of(ids):
    return {str(number): [wordnet_id, "a word"] for number, wordnet_id in enumerate(ids)}


def write_index(path, index):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(index), "utf-8")
    return path


def shuffled(seed=0):
    return random.Random(seed).sample(IDS, len(IDS))


def error_of(*arguments):
    with pytest.raises(InputError) as caught:
        imagenet_numbers(*arguments)
    message = str(caught.value)
    assert message.splitlines() == [message]
    return message


def test_classes_have_the_numbers_of_imagenet_networks():
    # Tench, goldfish, tabby, golden retriever, both cranes, toilet tissue.
    numbers = {
        "n01440764": 0,
        "n01443537": 1,
        "n02123045": 281,
        "n02099601": 207,
        "n02012849": 134,
        "n03126707": 517,
        "n15075141": 999,
    }
    found = imagenet_numbers(list(numbers))
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, list(numbers.values()))


def test_all_classes_are_numbered_by_their_ids():
    np.testing.assert_array_equal(imagenet_numbers(IDS), np.arange(1000))


def test_repeated_class_has_repeated_numbers():
    np.testing.assert_array_equal(imagenet_numbers(["n01443537"] * 2), [1, 1])


def test_empty_list_of_classes_gives_an_empty_array():
    found = imagenet_numbers([])
    assert (found.shape, found.dtype) == ((0,), np.int64)


def test_downsampled_imagenet_has_the_same_classes_in_another_order():
    ids = downsampled_imagenet_ids()
    assert len(set(ids)) == len(ids) == 1000
    # Kit fox, English setter and Siberian husky are its labels 1 to 3, and dumbbell is 1000.
    assert ids[:3] == ("n02119789", "n02100735", "n02110185")
    assert ids[-1] == "n03255030"
    assert sorted(imagenet_numbers(ids)) == list(range(1000))


def test_explicit_index_is_used(tmp_path):
    ids = shuffled()
    path = write_index(tmp_path / "my index.json", index_of(ids))
    np.testing.assert_array_equal(imagenet_numbers(ids, path), np.arange(1000))
    np.testing.assert_array_equal(imagenet_numbers(ids, str(path)), np.arange(1000))


def test_index_in_keras_cache_is_used(tmp_path):
    ids = shuffled()
    write_index(tmp_path / "keras" / "models" / "imagenet_class_index.json", index_of(ids))
    np.testing.assert_array_equal(imagenet_numbers(ids), np.arange(1000))


def test_index_in_the_home_folder_is_used(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    ids = shuffled()
    write_index(tmp_path / ".keras" / "models" / "imagenet_class_index.json", index_of(ids))
    np.testing.assert_array_equal(imagenet_numbers(ids), np.arange(1000))


def test_explicit_index_is_preferred_to_the_one_in_keras_cache(tmp_path):
    cached = tmp_path / "keras" / "models" / "imagenet_class_index.json"
    write_index(cached, index_of(shuffled(seed=1)))
    ids = shuffled(seed=2)
    explicit = write_index(tmp_path / "index.json", index_of(ids))
    np.testing.assert_array_equal(imagenet_numbers(ids, explicit), np.arange(1000))


def test_order_of_the_lines_in_the_index_does_not_matter(tmp_path):
    rows = list(index_of(IDS).items())
    random.Random(0).shuffle(rows)
    path = write_index(tmp_path / "index.json", dict(rows))
    np.testing.assert_array_equal(imagenet_numbers(IDS, path), np.arange(1000))


@pytest.mark.parametrize("unknown", ["n99999999", "cat", "", "N01443537", "n01443537 "])
def test_unknown_class_is_shown_and_counted(unknown):
    message = error_of(["n01443537", unknown, "n00000000"])
    assert message.startswith("2 of 3 classes are not among the 1000 ImageNet classes")
    assert f"for example {unknown}" in message


@pytest.mark.parametrize(
    "index",
    [
        [],
        {},
        None,
        1000,
        "text",
        list(index_of(IDS).values()),
        index_of(IDS[:999]),
        {**index_of(IDS), "7": []},
        {**index_of(IDS), "7": None},
        {**index_of(IDS), "7": 5},
        {**index_of(IDS), "7": {"id": "n01440764"}},
    ],
    ids=[
        *("a list", "nothing", "null", "a number", "text", "no numbers", "a class is missing"),
        *("an empty class", "a class of null", "a class of 5", "a class by name"),
    ],
)
def test_index_of_another_form_is_reported(tmp_path, index):
    path = write_index(tmp_path / "index.json", index)
    message = error_of(IDS, path)
    assert message.startswith(f"{path} is not of the form")


def test_class_that_is_in_the_index_twice_is_an_error(tmp_path):
    path = write_index(tmp_path / "index.json", index_of([*IDS[:999], IDS[0]]))
    assert "twice" in error_of(IDS, path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not JSON",
        b'{"0": ["n01440764", "tench"],',
        b"\xff\xfe\x00",
        b'{"0":\n["n01440764"\n"tench"]}',
        b"[" * 200_000,
    ],
    ids=["empty", "no JSON", "cut off", "not UTF-8", "no comma", "endless brackets"],
)
def test_damaged_index_is_reported(tmp_path, content):
    path = tmp_path / "index.json"
    path.write_bytes(content)
    message = error_of(IDS, path)
    assert message.startswith(f"{path} is not of the form")
    assert "give a file like Keras' imagenet_class_index.json" in message


@pytest.mark.parametrize("name", ["nowhere.json", ".", "index\nof classes.json"])
def test_missing_index_is_reported(tmp_path, name):
    assert "give a file like Keras' imagenet_class_index.json" in error_of(IDS, tmp_path / name)


def test_damaged_index_in_keras_cache_is_reported(tmp_path):
    path = tmp_path / "keras" / "models" / "imagenet_class_index.json"
    write_index(path, {})
    assert str(path) in error_of(IDS)
