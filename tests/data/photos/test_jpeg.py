"""Damages of a JPEG are found, in coloring and in training alike, and nothing else is."""

import io

import numpy as np
import pytest
from PIL import Image

from data.image_io import UnreadableImageError
from data.photos.file import PhotoFile
from data.photos.jpeg import DAMAGED, NO_END, JpegImage
from data.photos.read_rgb import decode_rgb, read_rgb

END = b"\xff\xd9"
KINDS = {
    "baseline": {},
    "gray": {"mode": "L"},
    "restarts": {"restart_marker_rows": 1},
    "progressive": {"progressive": True},
    "CMYK": {"mode": "CMYK"},
}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def photograph(height=160, width=200):
    """Waves with some noise, which compress like a photograph."""
    y, x = np.mgrid[:height, :width] / 9.0
    waves = np.stack([np.sin(x), np.cos(y), np.sin(x + y)], axis=-1) * 80 + 128
    noise = np.random.default_rng(0).normal(0, 6, waves.shape)
    return np.clip(waves + noise, 0, 255).astype("uint8")


def jpeg(kind="baseline", pixels=None):
    file = io.BytesIO()
    options = {"quality": 90, **KINDS[kind]}
    image = Image.fromarray(photograph() if pixels is None else pixels)
    image.convert(options.pop("mode", "RGB")).save(file, "JPEG", **options)
    return file.getvalue()


def with_hole(data, middle):
    return data[:middle] + data[middle + 900 :]


def with_lost_sector(data, middle):
    return data[:middle] + bytes(512) + data[middle + 512 :]


def with_early_end(data, middle):
    return data[:middle] + END + END + data[middle + 4 :]


def with_other_data(data, middle):
    return data[:middle] + np.random.default_rng(1).bytes(512) + data[middle + 512 :]


def notes_of(folder, encoded):
    """The notes about the pixels of a photograph that were read."""
    (folder / "a.jpg").write_bytes(encoded)
    photo = PhotoFile(folder / "a.jpg")
    [page] = photo.pages
    page.shrunk(20, 25)
    assert sum(len(colors) for colors, _ in page.strips()) == page.height
    return [note for note in photo.notes if note in (DAMAGED, NO_END)]


@EVERY_KIND
@pytest.mark.parametrize("damage", [with_hole, with_lost_sector, with_early_end, with_other_data])
def test_damage_in_the_middle_is_found(tmp_path, kind, damage):
    whole = jpeg(kind)
    damaged = damage(whole, len(whole) * 2 // 3)
    if damage is with_other_data and kind == "progressive":
        # The bytes contain a marker that cannot be read.
        with pytest.raises(UnreadableImageError):
            notes_of(tmp_path, damaged)
    else:
        assert notes_of(tmp_path, damaged) == [DAMAGED]
    with pytest.raises(UnreadableImageError):
        decode_rgb(damaged)
    with pytest.raises(UnreadableImageError):
        read_rgb(tmp_path / "a.jpg", 40)


def test_short_lost_sector_is_found_by_its_zeros():
    # Half of them leave as many blocks as there were, with other colors after them.
    whole = jpeg()
    for start in range(len(whole) // 2, len(whole) // 2 + 640, 64):
        damaged = whole[:start] + bytes(64) + whole[start + 64 :]
        assert JpegImage(damaged).decode()[1] == DAMAGED


@EVERY_KIND
@pytest.mark.parametrize(
    "padding",
    [b"", bytes(700), bytes(range(256)) * 9, END, b"\0\0\0\x18ftypmp42" + bytes(99)],
    ids=["nothing", "zeros", "bytes", "a second end", "a video"],
)
def test_what_follows_the_end_is_no_damage(tmp_path, kind, padding):
    whole = jpeg(kind)
    assert notes_of(tmp_path, whole + padding) == []
    np.testing.assert_array_equal(decode_rgb(whole + padding), decode_rgb(whole))


@pytest.mark.parametrize("kind", ["baseline", "gray"])
@pytest.mark.parametrize("filling", [b"\0" * 40, b"\xff" * 3, b"\0"])
def test_filling_before_the_end_is_no_damage(tmp_path, kind, filling):
    whole = jpeg(kind)
    assert notes_of(tmp_path, whole.removesuffix(END) + filling + END) == []


@EVERY_KIND
@pytest.mark.parametrize("size", [(40, 50), (160, 200), (161, 203)])
def test_missing_end_marker_is_noted_whatever_the_size(tmp_path, kind, size):
    whole = jpeg(kind, photograph(*size))
    without = whole.removesuffix(END)
    assert notes_of(tmp_path, without) == [NO_END]
    np.testing.assert_array_equal(decode_rgb(without), decode_rgb(whole))


@EVERY_KIND
@pytest.mark.parametrize("missing", [100, 1000])
def test_missing_pixels_at_the_end_are_a_failure(tmp_path, kind, missing):
    (tmp_path / "a.jpg").write_bytes(jpeg(kind)[:-missing])
    with pytest.raises(UnreadableImageError, match="truncated"):
        PhotoFile(tmp_path / "a.jpg").pages[0].shrunk(20, 25)
    with pytest.raises(UnreadableImageError, match="truncated"):
        read_rgb(tmp_path / "a.jpg")


def test_zeros_of_a_flat_image_are_no_damage():
    # With tables made for it, every block of a flat image is a few zeros.
    file = io.BytesIO()
    Image.new("L", (900, 900), 255).save(file, "JPEG", optimize=True)
    assert bytes(48) in file.getvalue()
    assert JpegImage(file.getvalue()).decode()[1] == ""


@EVERY_KIND
@pytest.mark.parametrize("shrink", [1, 2, 8])
def test_image_is_shrunk_as_by_pillow(kind, shrink):
    with Image.open(io.BytesIO(jpeg(kind))) as image:
        image.draft(None, (200 // shrink, 160 // shrink))
        expected = np.asarray(image)
    decoded, defect = JpegImage(jpeg(kind)).decode(shrink)
    assert defect == ""
    np.testing.assert_array_equal(np.asarray(decoded), expected)
