"""Streams of batches contain the right images in the right order, and are reproducible."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from skimage import color

from data.color.lab import join_lab, lab1_to_lab100, lab1_to_rgb1
from data.datasets.image_files import ImageFiles
from data.datasets.image_source import ImageSource
from data.input.batches import (
    comparison_batches,
    training_batches,
    training_images,
    validation_batches,
)
from data.input.extra_target import ExtraTarget
from data.input.image_loader import ImageLoader
from data.input.input_shard import InputShard
from data.input.memory_cache import MemoryCache
from data.input.skipped_images import SkippedImages
from errors import InputError
from tests.data.input.images import (
    COLORS,
    Album,
    cache_of,
    loader_of,
    write_broken,
    write_noise,
    write_solid,
)


def labeled(files, labels):
    return ImageFiles("", files, labels, classes=tuple("abcdefghij"))


def stream(loader, batches, **options):
    """The first batches of a training stream as one array of Lab images in [-1, 1]."""
    options = {"resolution": 8, "batch_size": 2, "seed": 0, **options}
    taken = training_batches(loader, **options).take(batches)
    return np.concatenate([join_lab(lightness, ab).numpy() for lightness, ab in taken])


def stream_with_labels(loader, batches, **options):
    """The colors of the images in the first batches, and their labels."""
    options = {"resolution": 8, "batch_size": 2, "seed": 0, **options}
    return colors_and_labels(
        training_batches(loader, extra_target=loader.labels, **options).take(batches)
    )


def colors_and_labels(batches):
    batches = list(batches)
    images = np.concatenate([join_lab(lightness, ab) for lightness, ab, _ in batches])
    return colors_of(images), np.concatenate([label for _, _, label in batches]).tolist()


def colors_of(images):
    """The index in `COLORS` of each single-color image."""
    rgb255 = np.asarray(lab1_to_rgb1(images)).mean(axis=(1, 2)) * 255.0
    return np.abs(rgb255[:, None] - np.array(COLORS)).sum(axis=-1).argmin(axis=-1).tolist()


class ImpatientSkippedImages(SkippedImages):
    """Raises an error if the search for a usable image is endless."""

    asked = 0

    def reason(self, image, file=None):
        self.asked += 1
        if self.asked > 2000:
            raise RuntimeError("the search goes on without end")
        return super().reason(image, file)


@pytest.mark.parametrize(
    ("workers", "replicas"),
    [(1, 2), (2, 4), *(pytest.param(each, each, marks=pytest.mark.slow) for each in (2, 3))],
)
def test_shards_of_all_workers_make_up_the_whole_batches(tmp_path, workers, replicas):
    loader = loader_of(write_solid(tmp_path), tmp_path)
    whole = stream(loader, 3, batch_size=12, start=12).reshape(3, 12, 8, 8, 3)
    rows = []
    for worker in range(workers):
        shard = InputShard(worker, workers, replicas)
        # One batch for each of the worker's replicas.
        batches = 3 * replicas // workers
        part = stream(loader, batches, batch_size=12, start=12, shard=shard)
        rows.append(part.reshape(3, 12 // workers, 8, 8, 3))
    np.testing.assert_array_equal(np.concatenate(rows, axis=1), whole)


def test_worker_reads_only_its_own_images(tmp_path, monkeypatch):
    loader = loader_of(write_noise(tmp_path, count=40), tmp_path)
    read, load = set(), loader.load
    monkeypatch.setattr(loader, "load", lambda number: (read.add(number), load(number))[1])
    per_worker = []
    for worker in range(2):
        read.clear()
        # One epoch.
        for _ in training_batches(loader, 8, 4, seed=0, shard=InputShard(worker, 2, 2)).take(10):
            pass
        per_worker.append(set(read))
    # Images of the next epoch are read ahead, in which a worker may have any image.
    assert 20 <= len(per_worker[0]) < 40
    assert per_worker[0] | per_worker[1] == set(range(40))


@pytest.mark.parametrize("replicas", [6, pytest.param(3, marks=pytest.mark.slow)])
def test_validation_shards_contain_each_image_once(tmp_path, replicas):
    loader = loader_of(write_solid(tmp_path) + write_broken(tmp_path, 1), tmp_path)
    shown = []
    for worker in range(3):
        batches = list(validation_batches(loader, 8, 6, shard=InputShard(worker, 3, replicas)))
        assert all(len(lightness) <= 6 // replicas for lightness, _ in batches)
        shown += [each for batch in batches for each in colors_of(join_lab(*batch))]
    assert sorted(shown) == list(range(6))


# --- the training stream -----------------------------------------------------------------------


def test_batches_have_shape_dtype_and_range(tmp_path):
    loader = loader_of(write_noise(tmp_path), tmp_path, short_side=24)
    batches = training_batches(loader, resolution=8, batch_size=3, seed=0)
    assert batches.element_spec == (
        tf.TensorSpec((3, 8, 8, 1), tf.float32),
        tf.TensorSpec((3, 8, 8, 2), tf.float32),
    )
    for lightness, ab in batches.take(3):
        assert np.abs(lightness).max() <= 1.0
        assert np.abs(ab).max() <= 1.0
        assert np.std(ab) > 0.01


def test_lab_of_a_batch_equals_skimage(tmp_path):
    files = write_noise(tmp_path, 1, 16, 16)
    expected = color.rgb2lab(np.asarray(Image.open(files[0])))
    images = stream(loader_of(files, tmp_path), 1, resolution=16, crop_scale=1.0, flip=False)
    np.testing.assert_allclose(lab1_to_lab100(images), [expected] * 2, atol=2e-3)


def test_targets_may_have_stronger_colors_within_srgb(tmp_path):
    files = write_noise(tmp_path, 1, 16, 16)
    options = {"resolution": 16, "crop_scale": 1.0, "flip": False}
    true, *_ = lab1_to_lab100(stream(loader_of(files, tmp_path), 1, **options))
    lab, *_ = lab1_to_lab100(stream(loader_of(files, tmp_path), 1, saturation=1.3, **options))
    np.testing.assert_allclose(lab[..., 0], true[..., 0], atol=1e-4)
    wanted = color.lab2rgb(np.asarray(true) * [1.0, 1.3, 1.3], channel_axis=-1)
    is_shown = np.all((wanted > 0.001) & (wanted < 0.999), axis=-1)
    assert 0.2 < is_shown.mean() < 0.9
    np.testing.assert_allclose(lab[is_shown], true[is_shown] * [1.0, 1.3, 1.3], atol=0.01)
    # The other colors are as strong as sRGB allows: between the original and the requested ones.
    ratio = np.linalg.norm(lab[..., 1:], axis=-1) / np.linalg.norm(true[..., 1:], axis=-1)
    assert ratio[~is_shown].min() > 0.99
    assert ratio[~is_shown].max() < 1.3


def test_no_stream_is_autotuned(tmp_path):
    loader = loader_of(write_noise(tmp_path), tmp_path)
    streams = [
        training_batches(loader, 16, 2, seed=1),
        validation_batches(loader, 16, 2),
        comparison_batches([loader], 16, 2),
    ]
    for batches in streams:
        # A dataset inherits the options of the stream that it is made from.
        assert batches.take(1).options().autotune.enabled is False


def test_same_seed_gives_the_same_batches(tmp_path):
    loader = loader_of(write_noise(tmp_path), tmp_path, short_side=24)
    options = {"seed": 3, "rotation": 10.0}
    np.testing.assert_array_equal(stream(loader, 8, **options), stream(loader, 8, **options))


def test_other_seed_gives_other_batches(tmp_path):
    loader = loader_of(write_noise(tmp_path), tmp_path, short_side=24)
    assert (stream(loader, 2, seed=3) != stream(loader, 2, seed=4)).any()


def test_each_epoch_shows_each_image_once_in_an_order_of_its_own(tmp_path):
    shown = colors_of(stream(loader_of(write_solid(tmp_path), tmp_path), 12))
    epochs = [shown[start : start + 6] for start in range(0, 24, 6)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(6))] * 4
    assert len(set(map(tuple, epochs))) == 4


def test_epochs_that_end_within_a_batch_show_each_image_once(tmp_path):
    shown = colors_of(stream(loader_of(write_solid(tmp_path), tmp_path), 6, batch_size=4))
    assert sorted(shown) == sorted(list(range(6)) * 4)
    assert sorted(shown[6:12]) == list(range(6))


def test_every_epoch_has_crops_of_its_own(tmp_path):
    loader = loader_of(write_noise(tmp_path, 1), tmp_path, short_side=24)
    crops = stream(loader, 4, flip=False)
    assert len({crop.tobytes() for crop in crops}) == 8


@pytest.mark.parametrize("start", [0, 5])
def test_weighted_datasets_have_the_same_images_in_every_stream(tmp_path, start):
    files = write_solid(tmp_path)
    loader = loader_of([*files[:4], *write_broken(tmp_path, 1), *files[4:]], tmp_path)
    options = {"seed": 4, "mixture": [(5, 1.0), (2, 3.0)]}
    shown = colors_of(stream(loader, 5, batch_size=4, start=start, **options))
    # The broken image of the first dataset is replaced by one of its own.
    for batch in np.reshape(shown, [5, 4]):
        assert np.isin(batch, [4, 5]).sum() == 3
    names = training_images(loader, 4, range(start, start + 20), options["mixture"])
    assert [files.index(name) for name in names] == shown
    for worker in range(2):
        shard = InputShard(worker, 2, 2)
        part = colors_of(stream(loader, 5, batch_size=4, start=start, shard=shard, **options))
        assert part == np.reshape(shown, [5, 2, 2])[:, worker].flatten().tolist()


def test_images_of_weighted_datasets_have_their_own_vectors(tmp_path):
    loader = loader_of(write_solid(tmp_path), tmp_path)
    options = {"extra_target": vectors_of(range(6)), "mixture": [(4, 1.0), (2, 2.0)]}
    batches = training_batches(loader, 8, 3, seed=0, **options).take(4)
    shown, vectors = colors_and_vectors(batches)
    np.testing.assert_array_equal(vectors, VECTORS[shown])


@pytest.mark.parametrize("start", [1, 4, 9])
def test_stream_resumes_exactly_where_it_was_interrupted(tmp_path, start):
    loader = loader_of(write_noise(tmp_path), tmp_path, short_side=24)
    options = {"batch_size": 1, "rotation": 5.0}
    whole = stream(loader, 12, **options)
    np.testing.assert_array_equal(stream(loader, 12 - start, start=start, **options), whole[start:])


def test_images_are_whole_when_crops_are_off(tmp_path):
    files = write_noise(tmp_path, 1, 16, 16)
    images = stream(loader_of(files, tmp_path), 10, resolution=16, crop_scale=1.0, flip=False)
    np.testing.assert_array_equal(images, images[:1].repeat(20, axis=0))


def test_flip_mirrors_half_of_the_images(tmp_path):
    files = write_noise(tmp_path, 1, 16, 16)
    options = {"resolution": 16, "crop_scale": 1.0}
    upright = stream(loader_of(files, tmp_path), 1, flip=False, **options)[0]
    images = stream(loader_of(files, tmp_path), 25, flip=True, **options)
    mirrored = np.array([np.allclose(each, upright[:, ::-1], atol=1e-5) for each in images])
    unchanged = np.array([np.allclose(each, upright, atol=1e-5) for each in images])
    assert (mirrored ^ unchanged).all()
    assert 15 <= mirrored.sum() <= 35


def test_smallest_crop_has_the_requested_share_of_the_area(tmp_path):
    # On a ramp of 64 levels, the range of the levels in a crop is its side.
    levels = np.tile(np.arange(64, dtype="uint8")[:, None, None] * 4, (1, 64, 3))
    Image.fromarray(levels).save(tmp_path / "ramp.png")
    loader = loader_of([str(tmp_path / "ramp.png")], tmp_path, short_side=64)
    images = stream(loader, 50, resolution=64, crop_scale=0.25)
    gray = np.asarray(lab1_to_rgb1(images))[:, :, 0, 0] * 255.0 / 4.0
    sides = gray[:, -1] - gray[:, 0] + 1
    assert sides.min() >= 31.0
    assert sides.max() <= 64.5
    assert sides.max() - sides.min() > 20.0


def test_rotation_keeps_shape_and_range(tmp_path):
    loader = loader_of(write_noise(tmp_path), tmp_path, short_side=24)
    images = stream(loader, 6, rotation=45.0)
    assert images.shape == (12, 8, 8, 3)
    assert np.isfinite(images).all()
    assert np.abs(images).max() <= 1.0


def test_rotation_turns_images(tmp_path):
    loader = loader_of(write_noise(tmp_path), tmp_path, short_side=24)
    assert (stream(loader, 2, rotation=20.0) != stream(loader, 2)).any()


def test_rotation_brings_in_no_color_from_outside(tmp_path):
    loader = loader_of(write_solid(tmp_path), tmp_path)
    images = stream(loader, 6, rotation=180.0)
    np.testing.assert_allclose(
        images, images.mean(axis=(1, 2), keepdims=True) + 0 * images, atol=1e-5
    )
    assert sorted(colors_of(images)) == sorted(list(range(6)) * 2)


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_cache_changes_nothing(tmp_path, kind):
    files = write_noise(tmp_path)
    cache = cache_of(kind, tmp_path)
    plain = stream(loader_of(files, tmp_path, 16), 8)
    np.testing.assert_array_equal(stream(loader_of(files, tmp_path, 16, cache=cache), 8), plain)
    np.testing.assert_array_equal(stream(loader_of(files, tmp_path, 16, cache=cache), 8), plain)


# --- images that cannot be used ----------------------------------------------------------------


def test_stream_replaces_bad_images_with_others(tmp_path):
    bad = write_broken(tmp_path, 2) + write_solid(tmp_path, [(80, 80, 80)])
    (tmp_path / "good").mkdir()
    good = write_solid(tmp_path / "good")
    loader = loader_of(bad + good, tmp_path, minimum_colorfulness=2.0)
    shown = colors_of(stream(loader, 9))
    assert len(shown) == 18
    assert all(loader.skipped.reason(file) is not None for file in bad)
    assert all(loader.skipped.reason(file) is None for file in good)
    # Two epochs of nine positions: each good image has its own position in both.
    assert all(
        shown[start : start + 9].count(number) >= 1 for start in (0, 9) for number in range(6)
    )


def test_stream_with_bad_images_is_reproducible(tmp_path):
    files = write_broken(tmp_path, 2) + write_noise(tmp_path)
    first = stream(loader_of(files, tmp_path), 9)
    np.testing.assert_array_equal(stream(loader_of(files, tmp_path), 9), first)


def test_more_than_half_bad_ends_training_with_an_error(tmp_path):
    loader = loader_of(write_broken(tmp_path, 5) + write_noise(tmp_path, 4), tmp_path)
    with pytest.raises(tf.errors.OpError, match="more than half"):
        stream(loader, 20)
    with pytest.raises(InputError, match="5 of 9 skipped"):
        loader.skipped.raise_if_too_many()


def test_more_than_half_bad_ends_validation_with_an_error(tmp_path):
    loader = loader_of(write_broken(tmp_path, 5) + write_noise(tmp_path, 4), tmp_path)
    with pytest.raises(tf.errors.OpError, match="more than half"):
        list(validation_batches(loader, 8, 2))
    with pytest.raises(InputError, match="5 of 9 skipped"):
        loader.skipped.raise_if_too_many()


@pytest.mark.parametrize("good", [0, 3])
def test_more_than_half_bad_in_an_earlier_run_ends_with_an_error(tmp_path, good):
    files = write_broken(tmp_path, 5) + write_noise(tmp_path, good)
    earlier = SkippedImages(tmp_path / "skipped_images.tsv", total=1000)
    for file in files[:5]:
        earlier.add(file, "unreadable: not an image")
    skipped = ImpatientSkippedImages(tmp_path / "skipped_images.tsv", len(files))
    with pytest.raises(tf.errors.OpError, match="more than half"):
        stream(ImageLoader(ImageFiles("", files), 16, skipped), 10)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_all_bad_ends_with_an_error(tmp_path, count):
    files = write_broken(tmp_path, count)
    skipped = ImpatientSkippedImages(tmp_path / "skipped_images.tsv", count)
    with pytest.raises(tf.errors.OpError, match="more than half"):
        stream(ImageLoader(ImageFiles("", files), 16, skipped), 10)


def test_stream_that_ended_with_an_error_ends_with_it_again(tmp_path):
    files = write_broken(tmp_path, 3)
    skipped = ImpatientSkippedImages(tmp_path / "skipped_images.tsv", 3)
    loader = ImageLoader(ImageFiles("", files), 16, skipped)
    for _ in range(2):
        with pytest.raises(tf.errors.OpError, match="more than half"):
            stream(loader, 10)


def test_all_training_images_bad_ends_with_an_error(tmp_path):
    # They are less than half of the dataset: the rest is for validation.
    files = write_broken(tmp_path, 3)
    skipped = ImpatientSkippedImages(tmp_path / "skipped_images.tsv", total=10)
    with pytest.raises(tf.errors.OpError) as error:
        stream(ImageLoader(ImageFiles("", files), 16, skipped), 10)
    assert "without end" not in str(error.value)


# --- validation --------------------------------------------------------------------------------


def test_validation_shows_each_image_once_in_order(tmp_path):
    loader = loader_of(write_solid(tmp_path), tmp_path)
    batches = [join_lab(*batch) for batch in validation_batches(loader, 8, 4)]
    assert [tuple(batch.shape) for batch in batches] == [(4, 8, 8, 3), (2, 8, 8, 3)]
    assert colors_of(np.concatenate(batches)) == list(range(6))


def test_validation_skips_bad_images(tmp_path):
    bad = write_broken(tmp_path, 2)
    good = write_solid(tmp_path)
    loader = loader_of([*good[:3], *bad, *good[3:]], tmp_path)
    batches = [join_lab(*batch) for batch in validation_batches(loader, 8, 5)]
    assert [len(batch) for batch in batches] == [5, 1]
    assert colors_of(np.concatenate(batches)) == list(range(6))
    assert len(loader.skipped) == 2


def test_validation_is_reproducible(tmp_path):
    loader = loader_of(write_noise(tmp_path), tmp_path)
    twice = [list(validation_batches(loader, 8, 2).as_numpy_iterator()) for _ in range(2)]
    for first, second in zip(*twice, strict=True):
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize("size", [(16, 32), (32, 16)])
def test_validation_shows_the_central_square(tmp_path, size):
    image = Image.new("RGB", size, COLORS[2])
    left, top = (size[0] - 16) // 2, (size[1] - 16) // 2
    image.paste(COLORS[0], (left, top, left + 16, top + 16))
    image.save(tmp_path / "a.png")
    loader = loader_of([str(tmp_path / "a.png")], tmp_path)
    ((lightness, ab),) = validation_batches(loader, 16, 1)
    rgb255 = np.asarray(lab1_to_rgb1(join_lab(lightness, ab))) * 255.0
    np.testing.assert_allclose(rgb255, np.full((1, 16, 16, 3), COLORS[0]), atol=0.1)


def test_validation_image_smaller_than_the_resolution_is_enlarged(tmp_path):
    loader = loader_of(write_solid(tmp_path, COLORS[:1], size=(5, 3)), tmp_path)
    ((lightness, ab),) = validation_batches(loader, 16, 1)
    assert lightness.shape == (1, 16, 16, 1)
    assert ab.shape == (1, 16, 16, 2)


# --- labels ------------------------------------------------------------------------------------

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


# --- other extra targets -----------------------------------------------------------------------

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


# --- comparison --------------------------------------------------------------------------------


def subfolder(folder, name):
    (folder / name).mkdir()
    return folder / name


def write_waves(path, size):
    """Writes the same scene at any size; a shift or a stretch of it is visible."""
    across, down = (8.0 * np.pi * (np.arange(side) + 0.5) / side for side in size)
    across, down = np.meshgrid(across, down)
    waves = np.stack([np.sin(across), np.sin(down), np.sin(across + down)], axis=-1)
    Image.fromarray(np.round(127.5 + 120.0 * waves).astype("uint8")).save(path)
    return str(path)


def loaders_of(folder, *images, short_side=16, least_color=0.0):
    """Makes loaders that share one list of skipped images; only the first requires color."""
    skipped = SkippedImages(folder / "skipped_images.tsv", len(images[0]), "look at the list")
    sources = [each if isinstance(each, ImageSource) else ImageFiles("", each) for each in images]
    return [
        ImageLoader(source, short_side, skipped, 0.0 if number else least_color)
        for number, source in enumerate(sources)
    ]


def compared(loaders, resolution=8):
    """The numbers of the images, and the images of all loaders in one array."""
    batches = comparison_batches(loaders, resolution, 4).as_numpy_iterator()
    numbers, _, rgb255 = zip(*batches, strict=True)
    return np.concatenate(numbers).tolist(), np.concatenate(rgb255)


def difference_of_waves(folder, *sizes):
    """The mean difference in levels between the squares of two images of one scene."""
    files = [[write_waves(folder / f"{number}.png", size)] for number, size in enumerate(sizes)]
    _, rgb255 = compared(loaders_of(folder, *files, short_side=64), resolution=64)
    return np.abs(rgb255[0, 0].astype("int") - rgb255[0, 1]).mean()


def solid_colors(rgb255):
    """The color of each single-color image, by loader."""
    np.testing.assert_array_equal(rgb255.min(axis=(2, 3)), rgb255.max(axis=(2, 3)))
    return [list(map(tuple, colors)) for colors in rgb255[:, :, 0, 0].swapaxes(0, 1).tolist()]


def test_comparison_shows_the_same_images_of_all_loaders_in_order(tmp_path):
    orders = [COLORS, COLORS[::-1], COLORS[2:] + COLORS[:2]]
    files = [
        write_solid(subfolder(tmp_path, str(number)), colors)
        for number, colors in enumerate(orders)
    ]
    numbers, rgb255 = compared(loaders_of(tmp_path, *files))
    assert numbers == list(range(6))
    assert solid_colors(rgb255) == orders


def test_comparison_has_shape_and_dtype_and_a_smaller_last_batch(tmp_path):
    files = write_noise(tmp_path, 5)
    batches = comparison_batches(loaders_of(tmp_path, files, files, files), 8, 2)
    assert batches.element_spec == (
        tf.TensorSpec((None,), tf.int64),
        tf.TensorSpec((None,), tf.int32),
        tf.TensorSpec((None, 3, 8, 8, 3), tf.uint8),
    )
    shapes = [tuple(each.shape for each in batch) for batch in batches]
    assert shapes == [((count,), (count,), (count, 3, 8, 8, 3)) for count in (2, 2, 1)]


def test_comparison_has_the_short_sides_of_the_first_loader(tmp_path):
    sizes = [(12, 20), (30, 14), (9, 9)]
    files = [
        [
            write_waves(subfolder(tmp_path, f"{part}{number}") / "a.png", np.multiply(size, scale))
            for number, size in enumerate(sizes)
        ]
        for part, scale in (("true", 1), ("theirs", 2))
    ]
    [(_, short_sides, _)] = comparison_batches(loaders_of(tmp_path, *files, short_side=None), 8, 4)
    assert short_sides.numpy().tolist() == [12, 14, 9]


@pytest.mark.parametrize("size", [(16, 16), (24, 32), (33, 24), (17, 40), (11, 10)])
def test_comparison_shows_the_squares_that_validation_shows(tmp_path, size):
    loaders = loaders_of(tmp_path, write_noise(tmp_path, 3, *size))
    _, rgb255 = compared(loaders, resolution=12)
    ((lightness, ab),) = validation_batches(loaders[0], 12, 4)
    validated = np.asarray(lab1_to_rgb1(join_lab(lightness, ab))) * 255.0
    np.testing.assert_allclose(rgb255[:, 0], validated, atol=0.51)


def test_comparison_with_one_loader_shows_its_images(tmp_path):
    numbers, rgb255 = compared(loaders_of(tmp_path, write_solid(tmp_path)))
    assert numbers == list(range(6))
    assert solid_colors(rgb255) == [COLORS]


def test_comparison_is_reproducible(tmp_path):
    files = write_noise(tmp_path, 4) + write_broken(tmp_path, 2)
    loaders = loaders_of(tmp_path, files, files[::-1][2:] + files[:2])
    batches = comparison_batches(loaders, 8, 3)
    passes = [list(each.as_numpy_iterator()) for each in (batches, batches)]
    passes.append(list(comparison_batches(loaders, 8, 3).as_numpy_iterator()))
    for each in passes[1:]:
        for first, second in zip(passes[0], each, strict=True):
            np.testing.assert_array_equal(first[0], second[0])
            np.testing.assert_array_equal(first[1], second[1])
    assert len(loaders[0].skipped) == 2


@pytest.mark.parametrize("bad", [0, 1, 2])
@pytest.mark.parametrize("kind", ["broken", "missing"])
def test_image_that_one_loader_cannot_read_is_shown_by_none(tmp_path, bad, kind):
    files = [write_solid(subfolder(tmp_path, str(number))) for number in range(3)]
    [files[bad][2]] = write_broken(tmp_path, 1) if kind == "broken" else [str(tmp_path / "x.png")]
    loaders = loaders_of(tmp_path, *files)
    numbers, rgb255 = compared(loaders)
    assert numbers == [0, 1, 3, 4, 5]
    assert solid_colors(rgb255) == [COLORS[:2] + COLORS[3:]] * 3
    assert len(loaders[0].skipped) == 1
    assert loaders[0].skipped.reason(files[bad][2]).startswith("unreadable")


def test_image_that_two_loaders_cannot_read_counts_once(tmp_path):
    files = write_broken(tmp_path, 2) + write_solid(tmp_path, COLORS[:2])
    others = write_broken(subfolder(tmp_path, "others"), 2) + files[2:]
    assert compared(loaders_of(tmp_path, files, others))[0] == [2, 3]


def test_image_without_color_is_shown_by_none_if_its_loader_requires_color(tmp_path):
    gray = (90, 90, 90)
    files = write_solid(subfolder(tmp_path, "truth"), [COLORS[0], gray, COLORS[2]])
    others = write_solid(subfolder(tmp_path, "colored"), [gray, COLORS[1], COLORS[3]])
    loaders = loaders_of(tmp_path, files, others, least_color=2.0)
    numbers, rgb255 = compared(loaders)
    assert numbers == [0, 2]
    assert solid_colors(rgb255) == [[COLORS[0], COLORS[2]], [gray, COLORS[3]]]
    assert loaders[0].skipped.reason(others[0]) is None
    assert loaders[0].skipped.reason(files[1]) == "no color: colorfulness 0.0"


def test_images_in_one_file_are_compared_with_files(tmp_path):
    album = Album(tmp_path / "album.npy", torn=[4])
    loaders = loaders_of(tmp_path, album, write_solid(tmp_path, size=(16, 16)))
    numbers, rgb255 = compared(loaders)
    assert numbers == [0, 1, 2, 3, 5]
    assert solid_colors(rgb255) == [COLORS[:4] + COLORS[5:]] * 2
    assert loaders[0].skipped.reason(album.name(4)) == "unreadable: the page is torn"


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        ((16, 16), "another shape: width / height 1.000 instead of 2.000"),
        ((16, 32), "another shape: width / height 0.500 instead of 2.000"),
        ((64, 36), "another shape: width / height 1.750 instead of 2.000"),
    ],
    ids=["square", "turned", "16:9"],
)
def test_image_of_another_aspect_ratio_is_skipped_with_both_ratios(tmp_path, size, reason):
    files = write_solid(subfolder(tmp_path, "truth"), COLORS[:3], size=(32, 16))
    others = write_solid(subfolder(tmp_path, "colored"), COLORS[:3], size=(32, 16))
    Image.new("RGB", size, COLORS[1]).save(others[1])
    loaders = loaders_of(tmp_path, files, others)
    assert compared(loaders)[0] == [0, 2]
    assert len(loaders[0].skipped) == 1
    assert loaders[0].skipped.reason(others[1]) == reason


@pytest.mark.parametrize("size", [(500, 375), (1000, 750), (512, 384), (252, 189), (250, 188)])
def test_other_sizes_of_the_same_aspect_ratio_show_the_same(tmp_path, size):
    assert difference_of_waves(tmp_path, (500, 375), size) < 1.5
    assert difference_of_waves(tmp_path, (375, 500), size[::-1]) < 1.5


@pytest.mark.parametrize("size", [(512, 384), (496, 376), (496, 368), (504, 376), (250, 188)])
def test_rounded_aspect_ratios_count_as_the_same(tmp_path, size):
    files = [write_waves(tmp_path / "truth.png", (500, 375))]
    others = [write_waves(tmp_path / "colored.png", size)]
    loaders = loaders_of(tmp_path, files, others, short_side=256)
    assert compared(loaders, resolution=256)[0] == [0]
    assert len(loaders[0].skipped) == 0


@pytest.mark.parametrize("size", [(496, 376), (496, 368), (512, 376), (80, 60), (48, 36)])
def test_rounded_aspect_ratios_and_small_sizes_show_the_same(tmp_path, size):
    assert difference_of_waves(tmp_path, (500, 375), size) < 1.5
    assert difference_of_waves(tmp_path, (375, 500), size[::-1]) < 1.5


def test_upright_copy_of_a_turned_photograph_shows_the_same(tmp_path):
    upright = write_waves(tmp_path / "colored.png", (48, 36))
    orientation = Image.Exif()
    orientation[0x0112] = 6
    lying = Image.open(upright).transpose(Image.Transpose.ROTATE_90)
    lying.save(tmp_path / "truth.png", exif=orientation)
    _, rgb255 = compared(loaders_of(tmp_path, [str(tmp_path / "truth.png")], [upright]))
    np.testing.assert_array_equal(rgb255[:, 0], rgb255[:, 1])


def test_image_of_another_shape_is_compared_again_in_the_next_run(tmp_path):
    files = write_solid(subfolder(tmp_path, "truth"), COLORS[:3], size=(32, 16))
    others = write_solid(subfolder(tmp_path, "colored"), COLORS[:3], size=(16, 16))
    others[1:] = files[1:]
    assert compared(loaders_of(tmp_path, files, others))[0] == [1, 2]
    Image.new("RGB", (16, 16), COLORS[0]).save(files[0])
    assert compared(loaders_of(tmp_path, files, others))[0] == [0, 1, 2]


@pytest.mark.parametrize("kind", ["unreadable", "another shape"])
def test_more_than_half_skipped_ends_a_comparison_with_an_error(tmp_path, kind):
    files = write_solid(subfolder(tmp_path, "truth"), size=(32, 16))
    others = write_solid(subfolder(tmp_path, "colored"), size=(16, 16))
    others[4:] = files[4:]
    if kind == "unreadable":
        others[:4] = write_broken(tmp_path, 4)
    loaders = loaders_of(tmp_path, files, others)
    with pytest.raises(tf.errors.OpError, match="more than half"):
        compared(loaders)
    message = str(loaders[0].skipped.failure)
    assert message.startswith("more than half of the images cannot be used: 4 of 6 skipped")
    assert f"(4 {kind})" in message
    assert message.endswith("; look at the list")
    assert message.splitlines() == [message]


def test_half_skipped_is_no_error(tmp_path):
    files = write_solid(tmp_path)
    loaders = loaders_of(tmp_path, files, write_broken(tmp_path, 3) + files[3:])
    assert compared(loaders)[0] == [3, 4, 5]
    assert loaders[0].skipped.failure is None
