"""Batches for comparisons show the same part of the same images from all loaders."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data.color.lab import join_lab, lab1_to_rgb1
from data.datasets.image_files import ImageFiles
from data.datasets.image_source import ImageSource
from data.input.batches import comparison_batches, validation_batches
from data.input.image_loader import ImageLoader
from data.input.skipped_images import SkippedImages
from tests.data.input.images import COLORS, Album, write_broken, write_noise, write_solid


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
