"""TFDS datasets are found, prepared and read image by image, or refused in one line."""

import errno
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow_datasets as tfds

from data.datasets.tfds_builder import BuilderImages
from data.image_io import UnreadableImageError
from tests.data.datasets.found import find_dataset, refusal

FORMATS = ["tfrecord", "array_record"]

# The number of images in the splits of each config.
SPLITS = {
    "with_test": {"train": 12, "test": 3},
    "with_validation": {"test": 3, "train": 12, "validation": 4},
    "training_only": {"train": 60},
    "test_only": {"test": 60},
    "other_names": {"queries": 3, "gallery": 4},
}


class Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """The base of the builders of these tests."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(self.feature_types)
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(4)}

    def _generate_examples(self, count):
        raise AssertionError("this builder is never prepared")


class PaintedTiles(Builder):
    """Images of noise, of different heights."""

    BUILDER_CONFIGS = [tfds.core.BuilderConfig(name=name) for name in SPLITS]
    feature_types = {
        "image": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
        "label": tfds.features.ClassLabel(names=["cat", "dog", "cow"]),
        # An image too, but not one to color.
        "mask": tfds.features.Image(shape=(None, None, 1), encoding_format="png"),
        "number": np.int64,
    }

    def _split_generators(self, dl_manager):
        splits = SPLITS[self.builder_config.name]
        return {split: self._generate_examples(count) for split, count in splits.items()}

    def _generate_examples(self, count):
        for number in range(count):
            pixels = tile(number)
            yield (
                number,
                {"image": pixels, "label": number % 3, "mask": pixels[..., :1], "number": number},
            )


class PlainPhotos(Builder):
    """Images in a feature of an unusual name, with two class features."""

    feature_types = {
        "photo": tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg"),
        "place": tfds.features.ClassLabel(num_classes=3),
        "season": tfds.features.ClassLabel(num_classes=4),
    }

    def _generate_examples(self, count):
        for number in range(count):
            yield number, {"photo": np.full((24, 16, 3), 90, "uint8"), "place": 1, "season": 2}


class SomeVerses(Builder):
    """Text without images."""

    feature_types = {"text": tfds.features.Text(), "label": tfds.features.ClassLabel(num_classes=2)}


class GrayDigits(Builder):
    """Images without color."""

    feature_types = {"image": tfds.features.Image(shape=(28, 28, 1)), "label": np.int64}


class SignedPhotos(Builder):
    """Images that must be downloaded manually."""

    MANUAL_DOWNLOAD_INSTRUCTIONS = "Sign the contract.\n  Then put photos.tar\nhere."
    feature_types = {"image": tfds.features.Image(shape=(None, None, 3))}

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(dl_manager.manual_dir)}


class RemotePhotos(Builder):
    """Images that would be downloaded."""

    feature_types = {"image": tfds.features.Image(shape=(None, None, 3))}

    def _split_generators(self, dl_manager):
        dl_manager.download("http://localhost/photos.tar")


def tile(number):
    shape = (20 + number % 7, 30, 3)
    return np.random.default_rng(number).integers(0, 256, shape, dtype="uint8")


def tile_number(pixels):
    """Returns the number of a tile. TFDS shuffles the examples."""
    [number] = [number for number in range(60) if np.array_equal(tile(number), pixels)]
    return number


@pytest.fixture(scope="module", params=FORMATS)
def prepared(request, tmp_path_factory):
    """A folder with all configs, prepared in one file format."""
    folder = str(tmp_path_factory.mktemp(request.param))
    for config in SPLITS:
        PaintedTiles(
            config=config, data_dir=folder, file_format=request.param
        ).download_and_prepare(download_config=tfds.download.DownloadConfig(num_shards=3))
    PlainPhotos(data_dir=folder, file_format=request.param).download_and_prepare()
    return folder


def painted(folder, config="with_test", **options):
    return find_dataset(f"tfds:painted_tiles/{config}", data_dir=folder, **options)


def refused(name, folder):
    return refusal(f"tfds:{name}", data_dir=str(folder))


# --- reading -----------------------------------------------------------------------------------


def test_images_and_labels_are_those_of_the_builder(prepared):
    found = painted(prepared)
    for images, count in ((found.training, 12), (found.validation, 3)):
        assert images.classes == ("cat", "dog", "cow")
        numbers = [tile_number(images.read_rgb(index)) for index in range(count)]
        assert sorted(numbers) == list(range(count))
        assert [images.label(index) for index in range(count)] == [number % 3 for number in numbers]


def test_images_have_unique_names_and_an_existing_file(prepared):
    found = painted(prepared)
    names = [*found.training.names(), *found.validation.names()]
    assert len(set(names)) == 15
    assert names[0] == "painted_tiles/with_test/1.0.0/train#0"
    assert os.path.isfile(found.training.file(0))


@pytest.mark.parametrize(("short_side", "smaller"), [(10, True), (200, False)])
def test_short_side_shrinks_and_never_enlarges(prepared, short_side, smaller):
    training = painted(prepared).training
    whole, shrunk = training.read_rgb(0), training.read_rgb(0, short_side)
    assert min(shrunk.shape[:2]) == (10 if smaller else min(whole.shape[:2]))


def test_images_are_read_by_many_threads_at_once(prepared):
    training = painted(prepared).training
    expected = [training.read_rgb(number) for number in range(12)]
    order = np.random.default_rng(0).integers(0, 12, 200)
    fresh = painted(prepared).training
    with ThreadPoolExecutor(8) as threads:
        for number, pixels in zip(order, threads.map(fresh.read_rgb, order), strict=True):
            np.testing.assert_array_equal(pixels, expected[number])


def test_number_may_be_a_numpy_integer(prepared):
    training = painted(prepared).training
    np.testing.assert_array_equal(training.read_rgb(np.int64(3)), training.read_rgb(3))
    assert type(training.label(np.int64(3))) is int


def test_unusual_name_of_the_image_feature_is_shown(prepared):
    found = find_dataset("tfds:plain_photos", data_dir=prepared, validation_share=0.25)
    assert found.name == "tfds:plain_photos (photo)"
    assert found.training.read_rgb(0).shape == (24, 16, 3)
    assert np.abs(found.training.read_rgb(0).astype(int) - 90).max() <= 2


def test_several_class_features_give_no_labels(prepared):
    found = find_dataset("tfds:plain_photos", data_dir=prepared)
    assert found.training.classes is None
    assert found.training.label(0) == -1


# --- splits ------------------------------------------------------------------------------------


def test_split_test_is_used_for_validation(prepared):
    found = painted(prepared, "with_test")
    assert found.name == "tfds:painted_tiles/with_test"
    assert (len(found.training), len(found.validation)) == (12, 3)
    assert found.validation.name(0) == "painted_tiles/with_test/1.0.0/test#0"


def test_split_validation_is_preferred_to_test(prepared):
    found = painted(prepared, "with_validation")
    assert (len(found.training), len(found.validation)) == (12, 4)
    assert found.validation.name(0) == "painted_tiles/with_validation/1.0.0/validation#0"


@pytest.mark.parametrize("config", ["training_only", "test_only"])
def test_single_split_is_divided_by_the_share(prepared, config):
    found = painted(prepared, config, validation_share=0.3)
    names = [*found.training.names(), *found.validation.names()]
    assert len(set(names)) == len(names) == 60
    assert 8 <= len(found.validation) <= 30


def test_division_is_reproducible_and_depends_on_the_seed(prepared):
    names = [
        [*painted(prepared, "training_only", validation_share=0.3, seed=seed).validation.names()]
        for seed in (1, 1, 2)
    ]
    assert names[0] == names[1] != names[2]


def test_share_does_not_change_existing_splits(prepared):
    assert len(painted(prepared, "with_test", validation_share=0.5).validation) == 3


def test_splits_of_other_names_are_refused_and_listed(prepared):
    message = refused("painted_tiles/other_names", prepared)
    assert "it has no split train; its splits with examples are: " in message
    assert "gallery" in message
    assert "queries" in message


# --- names -------------------------------------------------------------------------------------


def test_name_may_have_a_version(prepared):
    name = "painted_tiles/with_test:1.0.0"
    assert len(find_dataset(f"tfds:{name}", data_dir=prepared).training) == 12


def test_data_dir_may_start_with_a_tilde(prepared, monkeypatch):
    monkeypatch.setenv("HOME", os.path.dirname(prepared))
    assert len(painted(f"~/{os.path.basename(prepared)}").training) == 12


class ForeignTiles(PaintedTiles, skip_registration=True):
    """Is not registered, like a dataset that was prepared by other code."""


def test_prepared_files_need_no_registered_builder(tmp_path):
    ForeignTiles(config="with_test", data_dir=tmp_path).download_and_prepare()
    name = "foreign_tiles/with_test"
    found = find_dataset(f"tfds:{name}", data_dir=str(tmp_path))
    assert sorted(tile_number(found.training.read_rgb(number)) for number in range(12)) == [
        *range(12)
    ]


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("cifar1", "cifar10"), ("painted_tile", "painted_tiles"), ("imagenete", "imagenette")],
)
def test_closest_names_are_shown(tmp_path, typo, meant):
    message = refused(typo, tmp_path)
    assert f"TensorFlow Datasets has no {typo} (did you mean " in message
    assert meant in message


def test_closest_configs_are_shown(tmp_path):
    message = refused("painted_tiles/with_tset", tmp_path)
    assert "painted_tiles has no config with_tset (did you mean with_test" in message


def test_configs_are_shown_where_none_is_close(tmp_path):
    message = refused("painted_tiles/xyz", tmp_path)
    assert f"painted_tiles has no config xyz; it has {', '.join(SPLITS)}" in message


def test_config_of_a_dataset_without_configs_is_refused(tmp_path):
    assert "cifar10 has no config large; it has none" in refused("cifar10/large", tmp_path)


@pytest.mark.parametrize("name", ["painted_tiles:7.0.0", "painted_tiles/with_test:7.0.0"])
def test_missing_version_is_refused(tmp_path, name):
    assert "7.0.0" in refused(name, tmp_path)


@pytest.mark.parametrize("name", ["", "/", ":", "a b", "../up", "a:b:c", "nobody:set", "x" * 300])
def test_invalid_name_is_refused(tmp_path, name):
    refused(name, tmp_path)


@pytest.mark.parametrize(
    "error", [ModuleNotFoundError("No module named 'pandas'\nInstall it.\n"), OSError("broken")]
)
def test_builder_that_cannot_be_imported_is_refused(tmp_path, monkeypatch, error):
    # The builder `dices` fails like this without pandas.
    def fail(name):
        raise error

    monkeypatch.setattr(tfds.core.load, "builder_cls", fail)
    monkeypatch.setattr(tfds, "builder_cls", fail)
    assert str(error).splitlines()[0] in refused("painted_tiles", tmp_path)


# --- no color images --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("builder", "shown"),
    [("some_verses", "text, label"), ("gray_digits", "image, label"), ("glue/cola", "sentence")],
)
def test_dataset_without_color_images_is_refused_before_it_is_prepared(
    tmp_path, monkeypatch, builder, shown
):
    monkeypatch.delattr(tfds.core.DatasetBuilder, "download_and_prepare")
    message = refused(builder, tmp_path)
    assert f"it has no color images, only {shown}" in message
    assert "give another dataset" in message
    assert os.listdir(tmp_path) == []


def test_prepared_dataset_without_color_images_is_refused(tmp_path, monkeypatch):
    verses = ({"text": f"Verse {number}", "label": 0} for number in range(3))
    monkeypatch.setattr(SomeVerses, "_generate_examples", lambda self, count: enumerate(verses))
    tfds.builder("some_verses", data_dir=tmp_path).download_and_prepare()
    assert "it has no color images, only text, label" in refused("some_verses", tmp_path)


# --- preparing ---------------------------------------------------------------------------------


def test_dataset_is_prepared_once_and_its_folder_is_printed(tmp_path, capsys, monkeypatch):
    for _ in range(2):
        found = painted(str(tmp_path))
        assert len(found.training) == 12
    expected = (
        "preparing painted_tiles/with_test with TensorFlow Datasets in "
        f"{tmp_path}/painted_tiles/with_test/1.0.0"
    )
    assert capsys.readouterr().out.count(expected) == 1


def test_dataset_that_needs_a_manual_download_is_refused(tmp_path):
    message = refused("signed_photos", tmp_path)
    assert "Sign the contract. Then put photos.tar here." in message
    assert f"put the prepared files into {tmp_path}/signed_photos/1.0.0" in message


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionError("refused\n  by\nlocalhost"), "refused by localhost"),
        (TimeoutError(), "TimeoutError"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (RuntimeError("x" * 5000), "x" * 300),
    ],
    ids=["connection", "no message", "disk", "long message"],
)
def test_failing_download_is_refused(tmp_path, monkeypatch, error, reason):
    def fail(self, url):
        raise error

    monkeypatch.setattr(tfds.download.DownloadManager, "download", fail)
    message = refused("remote_photos", tmp_path)
    assert f"TensorFlow Datasets cannot prepare it: {reason}" in message.replace("[Errno 28] ", "")
    assert f"; fix this, or put the prepared files into {tmp_path}/remote_photos" in message
    assert len(message) < 600 + 2 * len(str(tmp_path))


def test_failed_preparation_is_tried_again(tmp_path, monkeypatch):
    def fail(self, count):
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(PaintedTiles, "_generate_examples", fail)
        assert "the disk is full" in refused("painted_tiles/with_test", tmp_path)
    assert len(painted(str(tmp_path)).training) == 12


@pytest.mark.parametrize("name", ["dataset_info.json", "features.json"])
@pytest.mark.parametrize("builder", [PaintedTiles, ForeignTiles])
def test_damaged_description_is_refused(tmp_path, name, builder):
    builder(config="with_test", data_dir=tmp_path).download_and_prepare()
    folder = tmp_path / builder.name / "with_test" / "1.0.0"
    os.truncate(folder / name, 30)
    # TFDS does not read the features of a builder that is registered.
    if name == "features.json" and builder is PaintedTiles:
        assert len(painted(str(tmp_path)).training) == 12
    else:
        refused(f"{builder.name}/with_test", tmp_path)


# --- damaged records ---------------------------------------------------------------------------


@pytest.fixture
def own_copy(prepared, tmp_path):
    """A copy of the prepared files to damage, and the first of three shards."""
    shutil.copytree(os.path.join(prepared, "painted_tiles"), tmp_path / "painted_tiles")
    [shard] = tmp_path.glob("painted_tiles/with_test/1.0.0/*-train.*-00000-of-00003")
    return tmp_path, shard


def unreadable(images):
    """Counts the images that cannot be read, and checks all others."""
    count = 0
    for number in range(len(images)):
        try:
            tile_number(images.read_rgb(number))
        except UnreadableImageError as error:
            count += 1
            # Unreadable images are listed in one line each.
            if len(str(error).splitlines()) != 1:
                raise
    return count


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_images_of_a_truncated_shard_are_unreadable_and_the_others_are_not(own_copy, share):
    folder, shard = own_copy
    os.truncate(shard, int(share * os.path.getsize(shard)))
    found = painted(str(folder))
    assert unreadable(found.training) == 4
    assert unreadable(found.validation) == 0


def test_images_of_a_missing_shard_are_unreadable_and_the_others_are_not(own_copy):
    folder, shard = own_copy
    shard.unlink()
    assert unreadable(painted(str(folder)).training) == 4


def test_label_of_a_truncated_shard_is_unreadable_too(own_copy):
    folder, shard = own_copy
    os.truncate(shard, 10)
    training = painted(str(folder)).training
    with pytest.raises(UnreadableImageError):
        training.label(0)
    assert training.label(11) in (0, 1, 2)


def test_damaged_image_is_unreadable_and_the_others_are_not(tmp_path):
    PaintedTiles(config="with_test", data_dir=tmp_path).download_and_prepare()
    [shard] = tmp_path.glob("painted_tiles/with_test/1.0.0/*-train.*")
    content = shard.read_bytes()
    # The image and the mask of an example are stored side by side.
    assert content.count(b"\x89PNG") == 24
    shard.write_bytes(content.replace(b"\x89PNG", b"XXXX", 2))
    assert unreadable(painted(str(tmp_path)).training) == 1


def test_format_without_access_to_individual_records_is_refused(tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise NotImplementedError("no random access\nto this format")

    PaintedTiles(
        config="with_test", data_dir=tmp_path, file_format="array_record"
    ).download_and_prepare()
    monkeypatch.setattr(tfds.core.DatasetBuilder, "as_data_source", fail)
    message = refused("painted_tiles/with_test", tmp_path)
    assert "is prepared as array_record, which cannot be read record by record" in message


# --- mock data ---------------------------------------------------------------------------------


def write_description(folder, name, splits):
    """Writes the description of a prepared TFDS dataset without its data files."""
    builder = tfds.builder(name, data_dir=folder, file_format="array_record")
    template = tfds.core.ShardedFileTemplate(
        dataset_name=builder.name, data_dir=builder.data_path, filetype_suffix="array_record"
    )
    builder.info.set_splits(
        tfds.core.SplitDict(
            [
                tfds.core.SplitInfo(
                    name=split, shard_lengths=[count], num_bytes=1, filename_template=template
                )
                for split, count in splits.items()
            ]
        )
    )
    builder.data_path.mkdir(parents=True)
    builder.info.write_to_directory(builder.data_path)


@pytest.mark.parametrize(
    ("name", "splits", "sides"),
    [
        ("cifar10", {"train": 50_000, "test": 10_000}, (32, 32)),
        ("imagenette/160px-v2", {"train": 12_894, "validation": 500}, None),
        ("oxford_flowers102", {"train": 1020, "test": 6149, "validation": 1020}, None),
    ],
)
def test_datasets_of_tfds_are_read(tmp_path, name, splits, sides):
    write_description(tmp_path, name, splits)
    with tfds.testing.mock_data(num_examples=5, data_dir=str(tmp_path)):
        found = find_dataset(f"tfds:{name}", data_dir=str(tmp_path))
        assert len(found.training) == len(found.validation) == 5
        for number in range(5):
            pixels = found.training.read_rgb(number)
            assert pixels.dtype == np.uint8
            assert pixels.shape[2] == 3
            assert sides in (None, pixels.shape[:2])
            assert 0 <= found.training.label(number) < len(found.training.classes)


def test_images_of_a_builder_are_read_without_a_dataset(prepared):
    builder = tfds.builder("painted_tiles/with_test", data_dir=prepared)
    images = BuilderImages(builder, "test", "image", None)
    assert len(images) == 3
    assert images.classes is None
    assert images.label(0) == -1
    assert tile_number(images.read_rgb(0)) in range(3)
