"""Streams of batches contain the right images in the right order, and are reproducible."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from skimage import color

from data.color.lab import join_lab, lab1_to_lab100
from data.datasets.image_files import ImageFiles
from data.input.batches import (
    comparison_batches,
    training_batches,
    training_images,
    validation_batches,
)
from data.input.image_loader import ImageLoader
from data.input.input_shard import InputShard
from data.input.skipped_images import SkippedImages
from errors import InputError
from tests.data.input.images import (
    cache_of,
    colors_of,
    loader_of,
    stream,
    write_broken,
    write_noise,
    write_solid,
)


class ImpatientSkippedImages(SkippedImages):
    """Raises an error if the search for a usable image is endless."""

    asked = 0

    def reason(self, image, file=None):
        self.asked += 1
        if self.asked > 2000:
            raise RuntimeError("the search goes on without end")
        return super().reason(image, file)


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


@pytest.mark.parametrize("start", [1, 4, 9])
def test_stream_resumes_exactly_where_it_was_interrupted(tmp_path, start):
    loader = loader_of(write_noise(tmp_path), tmp_path, short_side=24)
    options = {"batch_size": 1, "rotation": 5.0}
    whole = stream(loader, 12, **options)
    np.testing.assert_array_equal(stream(loader, 12 - start, start=start, **options), whole[start:])


def test_flip_mirrors_half_of_the_images(tmp_path):
    files = write_noise(tmp_path, 1, 16, 16)
    options = {"resolution": 16, "crop_scale": 1.0}
    upright = stream(loader_of(files, tmp_path), 1, flip=False, **options)[0]
    images = stream(loader_of(files, tmp_path), 25, flip=True, **options)
    mirrored = np.array([np.allclose(each, upright[:, ::-1], atol=1e-5) for each in images])
    unchanged = np.array([np.allclose(each, upright, atol=1e-5) for each in images])
    assert (mirrored ^ unchanged).all()
    assert 15 <= mirrored.sum() <= 35


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
