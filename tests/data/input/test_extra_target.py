"""Labels and vectors come with their own images, in every stream."""

import numpy as np
import pytest
import tensorflow as tf

from data.color.lab import join_lab
from data.datasets.image_files import ImageFiles
from data.input.batches import training_batches, validation_batches
from data.input.extra_target import ExtraTarget
from data.input.memory_cache import MemoryCache
from tests.data.input.images import (
    Album,
    colors_and_labels,
    colors_of,
    loader_of,
    stream,
    stream_with_labels,
    write_broken,
    write_noise,
    write_solid,
)


def labeled(files, labels):
    return ImageFiles("", files, labels, classes=tuple("abcdefghij"))


LABELS = [3, 1, 4, 1, 5, 9]


def test_labels_do_not_change_the_images(tmp_path):
    loader = loader_of(labeled(write_noise(tmp_path), LABELS[:4]), tmp_path, short_side=24)
    options = {"resolution": 8, "batch_size": 2, "seed": 3, "rotation": 10.0}
    labeled_batches = training_batches(loader, extra_target=loader.labels, **options).take(4)
    images = np.concatenate([join_lab(lightness, ab) for lightness, ab, _ in labeled_batches])
    np.testing.assert_array_equal(images, stream(loader, 4, **options))


def test_replacement_of_a_bad_image_has_its_own_label(tmp_path):
    files = write_broken(tmp_path, 3) + write_solid(tmp_path)
    loader = loader_of(labeled(files, [0, 0, 0, *LABELS]), tmp_path)
    shown, labels = stream_with_labels(loader, 9)
    assert len(loader.skipped) == 3
    assert labels == [LABELS[number] for number in shown]


def test_each_validation_image_has_its_own_label(tmp_path):
    files = write_solid(tmp_path)
    files[2:2] = write_broken(tmp_path, 2)
    loader = loader_of(labeled(files, [*LABELS[:2], 0, 0, *LABELS[2:]]), tmp_path)
    batches = list(validation_batches(loader, 8, 4, extra_target=loader.labels))
    assert [len(label) for _, _, label in batches] == [4, 2]
    assert colors_and_labels(batches) == (list(range(6)), LABELS)


def test_images_in_one_file_have_their_own_labels(tmp_path):
    loader = loader_of(Album(tmp_path / "album.npy", torn=[2]), tmp_path, cache=MemoryCache())
    shown, labels = stream_with_labels(loader, 9)
    assert set(shown) == {0, 1, 3, 4, 5}
    assert labels == [9 - number for number in shown]


def test_images_without_labels_are_labeled_minus_one(tmp_path):
    loader = loader_of(write_solid(tmp_path), tmp_path)
    assert stream_with_labels(loader, 1)[1] == [-1, -1]


def test_labels_are_not_read_unless_requested(tmp_path):
    loader = loader_of(Album(tmp_path / "album.npy", unlabeled=range(6)), tmp_path)
    assert len(stream(loader, 2)) == 4
    assert len(list(validation_batches(loader, 8, 2))) == 3


def test_image_whose_label_cannot_be_read_is_skipped(tmp_path):
    loader = loader_of(Album(tmp_path / "album.npy", unlabeled=[2]), tmp_path)
    shown, labels = stream_with_labels(loader, 6)
    assert set(shown) == {0, 1, 3, 4, 5}
    assert labels == [9 - number for number in shown]
    batches = validation_batches(loader, 8, 6, extra_target=loader.labels)
    assert colors_and_labels(batches) == ([0, 1, 3, 4, 5], [9, 8, 6, 5, 4])
    assert "the caption is torn off" in loader.skipped.reason(loader.source.name(2))


# One vector per image, which identifies the image.
VECTORS = np.random.default_rng(0).uniform(0, 1, (6, 5)).astype("float32")


def vectors_of(numbers, without=()):
    """An extra target: `VECTORS[numbers[i]]` for image i, or nothing if i is in `without`."""
    read = lambda number: None if number in without else VECTORS[numbers[number]]  # noqa: E731
    return ExtraTarget(read, "float32", (5,))


def colors_and_vectors(batches):
    shown, vectors = colors_and_labels(batches)
    return shown, np.array(vectors, "float32")


def test_vectors_have_the_declared_shape_and_type(tmp_path):
    loader = loader_of(write_solid(tmp_path), tmp_path)
    extra_target = vectors_of(range(6))
    for batches, count in (
        (training_batches(loader, 8, 3, seed=0, extra_target=extra_target), 3),
        (validation_batches(loader, 8, 3, extra_target=extra_target), None),
    ):
        assert batches.element_spec[2] == tf.TensorSpec((count, 5), tf.float32)
        for _, _, vectors in batches.take(2):
            assert (vectors.shape, vectors.dtype) == ((3, 5), tf.float32)


@pytest.mark.parametrize("start", [0, 1, 7])
def test_each_image_has_its_own_vector_wherever_the_stream_starts(tmp_path, start):
    loader = loader_of(write_solid(tmp_path), tmp_path)
    options = {"seed": 2, "extra_target": vectors_of(range(6))}
    batches = training_batches(loader, 8, 4, start=start, **options).take(4)
    shown, vectors = colors_and_vectors(batches)
    np.testing.assert_array_equal(vectors, VECTORS[shown])
    # The order is the same as without an extra target.
    assert shown == colors_of(stream(loader, 4, seed=2, batch_size=4, start=start))


def test_image_without_a_vector_is_skipped(tmp_path):
    loader = loader_of(write_solid(tmp_path), tmp_path)
    extra_target = vectors_of(range(6), without=(1, 4))
    shown, vectors = colors_and_vectors(
        training_batches(loader, 8, 4, seed=0, extra_target=extra_target).take(6)
    )
    assert set(shown) == {0, 2, 3, 5}
    np.testing.assert_array_equal(vectors, VECTORS[shown])
    shown, vectors = colors_and_vectors(validation_batches(loader, 8, 4, extra_target))
    assert shown == [0, 2, 3, 5]
    np.testing.assert_array_equal(vectors, VECTORS[shown])


def test_vector_of_a_skipped_image_is_not_read(tmp_path):
    loader = loader_of(write_broken(tmp_path, 1) + write_solid(tmp_path), tmp_path)
    asked = []
    read = lambda number: asked.append(number) or VECTORS[number - 1]  # noqa: E731
    extra_target = ExtraTarget(read, "float32", (5,))
    assert colors_and_labels(validation_batches(loader, 8, 7, extra_target))[0] == list(range(6))
    assert sorted(asked) == [1, 2, 3, 4, 5, 6]


def test_images_of_weighted_datasets_have_their_own_vectors(tmp_path):
    loader = loader_of(write_solid(tmp_path), tmp_path)
    options = {"extra_target": vectors_of(range(6)), "mixture": [(4, 1.0), (2, 2.0)]}
    batches = training_batches(loader, 8, 3, seed=0, **options).take(4)
    shown, vectors = colors_and_vectors(batches)
    np.testing.assert_array_equal(vectors, VECTORS[shown])
