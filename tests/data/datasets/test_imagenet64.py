"""The batches of the downsampled ImageNet are found, checked and read as images."""

import functools
import os
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from data.image_io import UnreadableImageError
from tests.data.datasets.found import find_dataset, refusal

SIDE = 64


def random_rows(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 3 * SIDE * SIDE), dtype="uint8")


def write_batch(folder, name, rows, labels, protocol=4):
    folder.mkdir(parents=True, exist_ok=True)
    content = {"data": rows, "labels": labels}
    (folder / name).write_bytes(pickle.dumps(content, protocol))


def write_dataset(folder, numbers=range(1, 11), count=7):
    """Writes batches, each with other images and other labels."""
    for number in numbers:
        name = f"train_data_batch_{number}"
        write_batch(folder, name, random_rows(count, number), [number * 10] * count)
    write_batch(folder, "val_data", random_rows(3, 99), [1, 2, 1000])
    return str(folder)


def find(folder):
    return find_dataset(f"imagenet64:{folder}")


def refused(folder):
    return refusal(f"imagenet64:{folder}")


def as_image(row):
    return np.stack(np.split(row, 3), axis=-1).reshape(SIDE, SIDE, 3)


# --- reading -----------------------------------------------------------------------------------


def test_batches_are_joined_in_the_order_of_their_numbers(tmp_path):
    found = find(write_dataset(tmp_path))
    assert found.name == f"imagenet64:{tmp_path}"
    assert len(found.training) == 70
    assert len(found.validation) == 3
    labels = [found.training.label(number) for number in range(70)]
    assert labels == [batch * 10 - 1 for batch in range(1, 11) for _ in range(7)]
    np.testing.assert_array_equal(found.training.read_rgb(69), as_image(random_rows(7, 10)[6]))
    np.testing.assert_array_equal(found.validation.read_rgb(2), as_image(random_rows(3, 99)[2]))


def test_labels_are_classes_by_wordnet_id(tmp_path):
    validation = find(write_dataset(tmp_path)).validation
    assert [validation.label(number) for number in range(3)] == [0, 1, 999]
    # The kit fox is the first class in the list of the dataset.
    assert validation.classes[validation.label(0)] == "n02119789"
    assert len(set(validation.classes)) == 1000


def test_images_have_unique_names_and_the_file_of_their_batch(tmp_path):
    found = find(write_dataset(tmp_path))
    names = [*found.training.names(), *found.validation.names()]
    assert len(set(names)) == 73
    assert names[-1] == f"{tmp_path}/val_data#2"
    assert found.training.file(0) == f"{tmp_path}/train_data_batch_1"
    assert found.training.file(69) == f"{tmp_path}/train_data_batch_10"


def test_planes_become_the_channels_of_an_image(tmp_path):
    across = np.tile(np.arange(SIDE, dtype="uint8"), (SIDE, 1))
    planes = np.stack([across, across.T + 100, np.full_like(across, 7)])
    write_batch(tmp_path, "train_data_batch_1", planes.reshape(1, -1), [1])
    write_batch(tmp_path, "val_data", random_rows(1), [1])
    pixels = find(tmp_path).training.read_rgb(0)
    assert pixels.shape == (SIDE, SIDE, 3)
    assert pixels.dtype == np.uint8
    assert pixels[2, 5].tolist() == [5, 102, 7]
    np.testing.assert_array_equal(pixels[..., 0], across)
    np.testing.assert_array_equal(pixels[..., 1], across.T + 100)


@pytest.mark.parametrize(
    ("short_side", "side"), [(16, 16), (63, 63), (64, 64), (200, 64), (None, 64)]
)
def test_short_side_shrinks_and_never_enlarges(tmp_path, short_side, side):
    rows = np.repeat(np.array([[10, 130, 250]], "uint8"), SIDE * SIDE, axis=1)
    write_batch(tmp_path, "train_data_batch_1", rows, [1])
    write_batch(tmp_path, "val_data", rows, [1])
    pixels = find(tmp_path).training.read_rgb(0, short_side)
    assert pixels.shape == (side, side, 3)
    assert (pixels == [10, 130, 250]).all()


@pytest.mark.parametrize("labels", [[1, 5, 1000, 5], np.array([1, 5, 1000, 5], "uint16")])
def test_labels_may_be_a_list_or_an_array(tmp_path, labels):
    write_batch(tmp_path, "train_data_batch_1", random_rows(4), labels)
    write_batch(tmp_path, "val_data", random_rows(4), labels)
    training = find(tmp_path).training
    assert [training.label(number) for number in range(4)] == [0, 4, 999, 4]
    assert all(type(training.label(number)) is int for number in range(4))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_batches_may_be_npz(tmp_path, save):
    for number in (1, 2):
        rows = random_rows(5, number)
        save(tmp_path / f"train_data_batch_{number}.npz", data=rows, labels=np.arange(5) + number)
    save(tmp_path / "val_data.npz", data=random_rows(2), labels=np.array([1, 1000]))
    found = find(tmp_path)
    assert [found.training.label(number) for number in range(10)] == [0, 1, 2, 3, 4, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(found.training.read_rgb(9), as_image(random_rows(5, 2)[4]))
    assert found.training.file(9) == f"{tmp_path}/train_data_batch_2.npz"


def test_pickle_is_preferred_to_npz(tmp_path):
    folder = write_dataset(tmp_path, [1])
    np.savez(tmp_path / "train_data_batch_1.npz", data=random_rows(1), labels=[1])
    training = find(folder).training
    assert len(training) == 7
    assert training.file(0) == f"{folder}/train_data_batch_1"


def test_batches_may_be_in_subfolders(tmp_path):
    write_dataset(tmp_path)
    for name, below in (("train_data_batch_3", "a/deep"), ("val_data", "Imagenet64_val")):
        (tmp_path / below).mkdir(parents=True)
        shutil.move(tmp_path / name, tmp_path / below / name)
    found = find(tmp_path)
    assert len(found.training) == 70
    assert found.training.file(14) == f"{tmp_path}/a/deep/train_data_batch_3"


def test_other_files_are_ignored(tmp_path):
    write_dataset(tmp_path)
    for name in ("train_data_batch_1.zip", "train_data_batch_", "val_data.txt", "map_clsloc.txt"):
        (tmp_path / name).write_text("not of the set")
    assert len(find(tmp_path).training) == 70


def test_number_of_batches_is_in_the_name_if_some_are_missing(tmp_path):
    found = find(write_dataset(tmp_path, [1, 2, 3]))
    assert found.name == f"imagenet64:{tmp_path} (3 of 10 batches)"
    assert len(found.training) == 21


def test_images_are_read_by_many_threads_at_once(tmp_path):
    training = find(write_dataset(tmp_path)).training
    order = np.random.default_rng(0).integers(0, 70, 700)
    expected = [as_image(random_rows(7, batch)[row]) for batch in range(1, 11) for row in range(7)]
    with ThreadPoolExecutor(8) as threads:
        for number, pixels in zip(order, threads.map(training.read_rgb, order), strict=True):
            np.testing.assert_array_equal(pixels, expected[number])


# --- missing files -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "missing", [["train_data_batch_1"], ["train_data_batch_3", "train_data_batch_7"]]
)
def test_missing_batches_are_reported(tmp_path, missing):
    write_dataset(tmp_path)
    for name in missing:
        (tmp_path / name).unlink()
    assert f"{tmp_path} lacks {', '.join(missing)}; give the folder" in refused(tmp_path)


def test_missing_validation_is_reported(tmp_path):
    write_dataset(tmp_path)
    (tmp_path / "val_data").unlink()
    message = refused(tmp_path)
    assert "lacks val_data;" in message
    assert "contains train_data_batch_1 to 10 and val_data" in message


def test_error_of_a_folder_without_batches_lists_the_expected_files(tmp_path):
    assert "lacks train_data_batch_1, val_data;" in refused(tmp_path)


def test_missing_folder_is_reported_with_a_similar_name(tmp_path):
    (tmp_path / "imagenet64").mkdir()
    message = refused(tmp_path / "imagenet46")
    assert f"{tmp_path}/imagenet46 is not a folder" in message
    assert "did you mean imagenet64?" in message


def test_file_instead_of_a_folder_is_reported(tmp_path):
    write_dataset(tmp_path)
    assert "val_data is not a folder" in refused(tmp_path / "val_data")


def test_batch_of_number_0_is_not_used_for_validation(tmp_path):
    write_dataset(tmp_path, [1])
    write_batch(tmp_path, "train_data_batch_0", random_rows(7), [500] * 7)
    validation = find(tmp_path).validation
    assert validation.file(0) == f"{tmp_path}/val_data"


# --- damaged files -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["train_data_batch_4", "val_data"])
def test_truncated_batch_is_reported(tmp_path, name):
    write_dataset(tmp_path)
    os.truncate(tmp_path / name, 5000)
    assert f"{tmp_path}/{name} is not a batch: the end is missing" in refused(tmp_path)


@pytest.mark.parametrize(
    "labels",
    [
        [1, 2],
        [1, 2, 3, 4],
        [],
        [0, 1, 2],
        [1, 2, 1001],
        [1, 2, -1],
        [1, 2, 2**70],
        [1, None, 3],
        [1.5, 2, 3],
        ["cat", "dog", "cow"],
        [[1], [2], [3]],
        functools.reduce(lambda inner, _: [inner] * 10, range(7), 1),
        np.array([[1], [2], [3]], "uint8"),
        np.array([1, np.nan, 3]),
        {"a": 1, "b": 2, "c": 3},
        None,
    ],
)
def test_labels_that_do_not_match_are_refused(tmp_path, labels):
    write_dataset(tmp_path)
    write_batch(tmp_path, "train_data_batch_5", random_rows(3), labels)
    message = refused(tmp_path)
    assert f"{tmp_path}/train_data_batch_5: labels do not match" in message
    assert "3 numbers from 1 to 1000" in message


@pytest.mark.parametrize("key", ["data", "labels"])
def test_batch_without_images_or_labels_is_refused(tmp_path, key):
    write_dataset(tmp_path)
    content = {"data": random_rows(3), "labels": [1, 2, 3]}
    del content[key]
    (tmp_path / "val_data").write_bytes(pickle.dumps(content))
    assert f"`{key}` should be" in refused(tmp_path)


def test_images_of_another_size_are_refused(tmp_path):
    write_dataset(tmp_path)
    write_batch(tmp_path, "train_data_batch_1", np.zeros((3, 3072), "uint8"), [1, 2, 3])
    message = refused(tmp_path)
    assert f"{tmp_path}/train_data_batch_1: `data` should be N x 12288 bytes" in message
    assert "received 3072 columns" in message


def test_images_of_a_batch_truncated_meanwhile_are_unreadable(tmp_path):
    training = find(write_dataset(tmp_path)).training
    os.truncate(tmp_path / "train_data_batch_1", 4 * 12288)
    np.testing.assert_array_equal(training.read_rgb(2), as_image(random_rows(7, 1)[2]))
    with pytest.raises(UnreadableImageError, match="is missing"):
        training.read_rgb(6)
