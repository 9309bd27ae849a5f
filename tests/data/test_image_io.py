"""Images of all common formats are read, and broken ones are reported."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from data.image_io import (
    UnreadableImageError,
    is_heif_supported,
    list_image_paths,
    shrink_rgb,
    write_rgb,
)
from data.photos.read_rgb import decode_rgb, read_rgb

ORANGE = (200, 100, 50)


def noise(height=20, width=30, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype="uint8")


def solid(color=ORANGE, height=20, width=30):
    return np.full((height, width, 3), color, "uint8")


def ramp(height, width):
    """A smooth image, which shrinking hardly changes."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return (np.stack([x, y, 1 - x], axis=-1) * 255).astype("uint8")


def palette_image():
    """A palette image whose left half is red and whose right half is green."""
    image = Image.fromarray(np.repeat([[0, 0, 1, 1]], 4, axis=0).astype("uint8"), "P")
    image.putpalette([255, 0, 0, 0, 255, 0])
    return image


# --- formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.png", "a.bmp"])
def test_lossless_rgb_is_read_exactly(tmp_path, name):
    Image.fromarray(noise()).save(tmp_path / name)
    pixels = read_rgb(tmp_path / name)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, noise())


def test_webp_is_read(tmp_path):
    Image.fromarray(noise()).save(tmp_path / "a.webp", lossless=True)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.webp"), noise())


@pytest.mark.parametrize("short_side", [None, 10])
@pytest.mark.parametrize(
    ("mode", "expected"),
    # The inks of CMYK are shown as they are printed.
    [("RGB", ORANGE), ("CMYK", (194, 110, 73)), ("L", (124, 124, 124))],
)
def test_jpeg_of_every_color_space_is_read(tmp_path, mode, expected, short_side):
    Image.fromarray(solid(height=80, width=120)).convert(mode).save(tmp_path / "a.jpg", quality=95)
    pixels = read_rgb(tmp_path / "a.jpg", short_side)
    assert pixels.shape == ((80, 120, 3) if short_side is None else (10, 15, 3))
    assert np.abs(pixels.astype(int) - expected).max() <= 3


def test_gray_png_is_read_as_three_equal_channels(tmp_path):
    gray = noise()[..., 0]
    Image.fromarray(gray).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), np.stack([gray] * 3, axis=-1))


def test_sixteen_bit_gray_is_scaled_and_not_clipped(tmp_path):
    levels = np.arange(256, dtype="uint16").reshape(16, 16)
    Image.fromarray(levels * 257).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "I;16"
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png")[..., 1], levels)


def test_sixteen_bit_gray_is_rounded(tmp_path):
    Image.fromarray(np.array([[128, 129, 65535]], "uint16")).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png")[0, :, 0], [0, 1, 255])


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.gif"])
def test_palette_is_resolved(tmp_path, name):
    palette_image().save(tmp_path / name)
    pixels = read_rgb(tmp_path / name)
    assert pixels.shape == (4, 4, 3)
    np.testing.assert_array_equal(pixels[:, :2], solid((255, 0, 0), 4, 2))
    np.testing.assert_array_equal(pixels[:, 2:], solid((0, 255, 0), 4, 2))


def test_transparent_palette_color_is_white(tmp_path):
    palette_image().save(tmp_path / "a.png", transparency=1)
    pixels = read_rgb(tmp_path / "a.png")
    np.testing.assert_array_equal(pixels[:, :2], solid((255, 0, 0), 4, 2))
    np.testing.assert_array_equal(pixels[:, 2:], solid((255, 255, 255), 4, 2))


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [
        ("RGBA", (255, 0, 0, 255), (255, 0, 0)),
        ("RGBA", (255, 0, 0, 128), (255, 127, 127)),
        ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
        ("LA", (100, 255), (100, 100, 100)),
        ("LA", (100, 0), (255, 255, 255)),
    ],
)
def test_transparent_parts_are_laid_on_white(tmp_path, mode, color, expected):
    Image.new(mode, (4, 3), color).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), solid(expected, 3, 4))


@pytest.mark.parametrize("name", ["a.png", "a.bmp"])
def test_one_bit_is_black_and_white(tmp_path, name):
    Image.fromarray(np.eye(8, dtype=bool)).save(tmp_path / name)
    np.testing.assert_array_equal(read_rgb(tmp_path / name)[..., 2], np.eye(8) * 255)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_first_frame_of_an_animation_is_read(tmp_path, name):
    frames = [Image.new("RGB", (6, 5), color) for color in ("red", "lime", "blue")]
    options = {"lossless": True} if name == "a.webp" else {}
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
    np.testing.assert_array_equal(read_rgb(tmp_path / name), solid((255, 0, 0), 5, 6))


@pytest.mark.parametrize(("short_side", "shape"), [(None, (120, 80, 3)), (20, (30, 20, 3))])
def test_orientation_tag_turns_the_image_upright(tmp_path, short_side, shape):
    lying = np.concatenate([solid((255, 0, 0), 80, 60), solid((0, 0, 255), 80, 60)], axis=1)
    exif = Image.Exif()
    exif[0x0112] = 6  # the left edge of the stored image is the top
    Image.fromarray(lying).save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    pixels = read_rgb(tmp_path / "a.jpg", short_side).astype(int)
    assert pixels.shape == shape
    assert np.abs(pixels[: shape[0] // 3] - (255, 0, 0)).max() <= 8
    assert np.abs(pixels[-shape[0] // 3 :] - (0, 0, 255)).max() <= 8


def test_whole_gray_tiff_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    gray = noise()[..., 0]
    Image.fromarray(gray).save(tmp_path / "a.tif", exif=exif)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.tif")[..., 0], np.rot90(gray, -1))


# --- the short side ----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(200, 300), (333, 250), (97, 401)])
@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_larger_images_are_shrunk_to_exactly_the_short_side(tmp_path, name, size):
    Image.fromarray(noise(*size)).save(tmp_path / name)
    for short_side in range(5, min(size), 11):
        assert min(read_rgb(tmp_path / name, short_side).shape[:2]) == short_side


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
@pytest.mark.parametrize("short_side", [20, 21, 500])
def test_smaller_images_are_unchanged(tmp_path, name, short_side):
    Image.fromarray(noise()).save(tmp_path / name)
    np.testing.assert_array_equal(read_rgb(tmp_path / name, short_side), read_rgb(tmp_path / name))


def test_jpeg_is_shrunk_while_decoding(tmp_path, monkeypatch):
    Image.fromarray(ramp(400, 640)).save(tmp_path / "a.jpg")
    sizes = []
    resize = Image.Image.resize
    monkeypatch.setattr(
        Image.Image,
        "resize",
        lambda image, *args, **options: sizes.append(image.size) or resize(image, *args, **options),
    )
    read_rgb(tmp_path / "a.jpg", 90)
    assert sizes == [(160, 100)]


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_shrunk_image_looks_the_same(tmp_path, name):
    Image.fromarray(ramp(400, 640)).save(tmp_path / name, quality=95, subsampling=0)
    difference = read_rgb(tmp_path / name, 40).astype(int) - ramp(40, 64)
    assert np.abs(difference).max() <= 8


# --- unreadable images -------------------------------------------------------------------------


@pytest.mark.parametrize("short_side", [None, 8])
@pytest.mark.parametrize("kept", [100, 0.5, 0.9])
@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_truncated_image_is_unreadable(tmp_path, name, kept, short_side):
    Image.fromarray(noise(100, 100)).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    length = kept if isinstance(kept, int) else int(kept * len(whole))
    (tmp_path / name).write_bytes(whole[:length])
    with pytest.raises(UnreadableImageError, match=r"(?i)truncated"):
        read_rgb(tmp_path / name, short_side)


@pytest.mark.parametrize("content", [b"", b"This is a letter.\n" * 50])
def test_file_that_is_not_an_image_is_unreadable(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(UnreadableImageError, match=r"not an image|is empty"):
        read_rgb(tmp_path / "a.jpg")


def test_missing_file_is_unreadable(tmp_path):
    with pytest.raises(UnreadableImageError, match="no such file"):
        read_rgb(tmp_path / "a.jpg", 16)


def test_folder_with_the_name_of_an_image_is_unreadable(tmp_path):
    (tmp_path / "a.jpg").mkdir()
    with pytest.raises(UnreadableImageError, match="directory"):
        read_rgb(tmp_path / "a.jpg")


def test_reason_does_not_repeat_the_name_of_the_file(tmp_path):
    (tmp_path / "a.jpg").write_text("text")
    with pytest.raises(UnreadableImageError) as error:
        read_rgb(tmp_path / "a.jpg")
    assert str(tmp_path) not in str(error.value)


# --- images that are not files -----------------------------------------------------------------


@pytest.mark.parametrize("short_side", [None, 10, 500])
@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.jpg", "RGB"), ("a.jpg", "CMYK"), ("a.png", "RGBA"), ("a.png", "P"), ("a.webp", "RGB")],
)
def test_bytes_are_decoded_as_a_file_is_read(tmp_path, name, mode, short_side):
    Image.fromarray(noise(80, 120)).convert(mode).save(tmp_path / name)
    pixels = decode_rgb((tmp_path / name).read_bytes(), short_side)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, read_rgb(tmp_path / name, short_side))


def test_decoded_bytes_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise()).save(tmp_path / "a.png", exif=exif)
    pixels = decode_rgb((tmp_path / "a.png").read_bytes())
    np.testing.assert_array_equal(pixels, np.rot90(noise(), -1))


@pytest.mark.parametrize("short_side", [None, 8])
@pytest.mark.parametrize(
    ("encoded", "reason"),
    [(b"", "not an image"), (b"a letter\n" * 50, "not an image"), (None, "(?i)truncated")],
)
def test_bytes_that_are_not_an_image_are_unreadable(tmp_path, encoded, reason, short_side):
    if encoded is None:
        Image.fromarray(noise(100, 100)).save(tmp_path / "a.jpg")
        encoded = (tmp_path / "a.jpg").read_bytes()[:2000]
    with pytest.raises(UnreadableImageError, match=reason) as error:
        decode_rgb(encoded, short_side)
    assert str(error.value).splitlines() == [str(error.value)]


@pytest.mark.parametrize("size", [(200, 300), (333, 250), (97, 401)])
@pytest.mark.parametrize("short_side", [1, 64, 90])
def test_pixels_are_shrunk_as_an_image_is(tmp_path, size, short_side):
    Image.fromarray(noise(*size)).save(tmp_path / "a.png")
    pixels = shrink_rgb(noise(*size), short_side)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, read_rgb(tmp_path / "a.png", short_side))


@pytest.mark.parametrize("short_side", [None, 20, 21, 500])
def test_smaller_pixels_are_unchanged(short_side):
    np.testing.assert_array_equal(shrink_rgb(noise(), short_side), noise())


def test_pixels_may_be_a_view():
    np.testing.assert_array_equal(
        shrink_rgb(noise(40, 60)[::-1, ::2], 10), shrink_rgb(noise(40, 60)[::-1, ::2].copy(), 10)
    )


# --- writing -----------------------------------------------------------------------------------


def test_written_png_is_read_back_exactly(tmp_path):
    write_rgb(tmp_path / "new" / "a.png", noise())
    np.testing.assert_array_equal(read_rgb(tmp_path / "new" / "a.png"), noise())


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG"])
def test_written_jpeg_keeps_color_at_full_resolution(tmp_path, name):
    write_rgb(tmp_path / name, solid())
    with Image.open(tmp_path / name) as image:
        assert image.format == "JPEG"
        assert JpegImagePlugin.get_sampling(image) == 0
    assert np.abs(read_rgb(tmp_path / name).astype(int) - ORANGE).max() <= 3


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_failed_writing_leaves_the_old_image_and_nothing_else(tmp_path, monkeypatch, name):
    write_rgb(tmp_path / name, solid())
    before = (tmp_path / name).read_bytes()

    def disk_is_full(path, contents):
        with open(path, "wb") as file:
            file.write(contents[: len(contents) // 2])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", disk_is_full)
    with pytest.raises(OSError, match="No space left"):
        write_rgb(tmp_path / name, noise())
    assert (tmp_path / name).read_bytes() == before
    assert os.listdir(tmp_path) == [name]


# --- listing -----------------------------------------------------------------------------------


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def names_below(folder):
    return [Path(path).as_posix() for path in list_image_paths(folder)]


def test_images_in_subfolders_are_listed_and_sorted(tmp_path):
    touch(tmp_path, "c.jpg", "b/z.png", "b/d/y.webp", "a/x.bmp", "a.gif", "b.jpeg")
    expected = ["a/x.bmp", "a.gif", "b/d/y.webp", "b/z.png", "b.jpeg", "c.jpg"]
    assert names_below(tmp_path) == expected


def test_suffix_may_be_in_capitals(tmp_path):
    touch(tmp_path, "A.JPG", "b.Png", "c.JpEg")
    assert names_below(tmp_path) == ["A.JPG", "b.Png", "c.JpEg"]


def test_other_files_are_skipped(tmp_path):
    touch(tmp_path, "a.jpg", "notes.txt", "jpg", "a.jpg.part", "b.psd")
    assert names_below(tmp_path) == ["a.jpg"]


def test_hidden_files_and_folders_are_skipped(tmp_path):
    touch(tmp_path, "a.jpg", "._a.jpg", ".hidden/b.jpg", "seen/.c.jpg")
    assert names_below(tmp_path) == ["a.jpg"]


def test_folders_of_thumbnails_and_deleted_files_are_skipped(tmp_path):
    library = "Photos Library.photoslibrary"
    touch(
        tmp_path,
        *("a.jpg", "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg", "#recycle/b.jpg", "lost+found/c.jpg"),
        *("$RECYCLE.BIN/S-1-5/d.jpg", "System Volume Information/e.jpg", "__MACOSX/f.jpg"),
        *("iPod Photo Cache/g.jpg", f"{library}/resources/derivatives/h.jpg"),
        *(f"{library}/originals/0/i.jpg", "resources/j.jpg"),
    )
    assert names_below(tmp_path) == [f"{library}/originals/0/i.jpg", "a.jpg", "resources/j.jpg"]
    assert names_below(tmp_path / library) == ["originals/0/i.jpg"]


@pytest.mark.skipif(is_heif_supported(), reason="pillow-heif is installed")
def test_heic_is_known_by_its_contents(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))
    with pytest.raises(UnreadableImageError, match="need pillow-heif"):
        read_rgb(tmp_path / "a.jpg")
    Image.new("RGB", (8, 8)).save(tmp_path / "b.heic", "JPEG")
    assert read_rgb(tmp_path / "b.heic").shape == (8, 8, 3)


def test_circular_link_is_not_followed(tmp_path):
    touch(tmp_path, "deep/a.jpg")
    (tmp_path / "deep" / "up").symlink_to(tmp_path, target_is_directory=True)
    assert names_below(tmp_path) == ["deep/a.jpg"]


def test_linked_folder_is_followed_once(tmp_path):
    touch(tmp_path, "elsewhere/a.jpg")
    (tmp_path / "here").mkdir()
    for name in ("one", "two"):
        (tmp_path / "here" / name).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert names_below(tmp_path / "here") == ["one/a.jpg"]


def test_missing_folder_is_an_error_and_an_empty_one_has_no_images(tmp_path):
    assert list_image_paths(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        list_image_paths(tmp_path / "nowhere")


def test_paths_are_relative_to_the_folder(tmp_path, monkeypatch):
    touch(tmp_path, "photos/b.jpg", "photos/deep/er/a.png", "photos/notes.txt")
    monkeypatch.chdir(tmp_path)
    for folder in ("photos", "photos/", "./photos", tmp_path / "photos", "photos/deep/.."):
        assert list_image_paths(folder) == ["b.jpg", "deep/er/a.png"]
    monkeypatch.chdir(tmp_path / "photos" / "deep")
    assert list_image_paths(".") == ["er/a.png"]
    assert list_image_paths("..") == ["b.jpg", "deep/er/a.png"]


def test_paths_are_sorted_part_by_part(tmp_path):
    names = [
        "b/a.jpg",
        "b-c/a.jpg",
        "b c/a.jpg",
        "b.jpg",
        "b!.jpg",
        "a/z/z.jpg",
        "a/z.jpg",
        "B.jpg",
    ]
    touch(tmp_path, *names)
    expected = [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*.jpg"))]
    assert list_image_paths(tmp_path) == expected


def test_images_are_listed_whatever_their_names(tmp_path):
    names = [
        "two words.jpg",
        "größe/日本.jpg",
        "#1:[a]*?.jpg",
        "\udcff/\udcfe.jpg",
        "line\nbreak.jpg",
    ]
    touch(tmp_path, *names)
    assert list_image_paths(tmp_path) == sorted(names)


def test_images_that_are_links_are_listed_even_broken_ones(tmp_path):
    touch(tmp_path, "a.jpg")
    (tmp_path / "b.jpg").symlink_to("a.jpg")
    (tmp_path / "c.jpg").symlink_to("nowhere.jpg")
    assert list_image_paths(tmp_path) == ["a.jpg", "b.jpg", "c.jpg"]


def test_folder_named_like_an_image_is_searched(tmp_path):
    touch(tmp_path, "a.jpg/b.png")
    assert list_image_paths(tmp_path) == ["a.jpg/b.png"]


def test_subfolder_that_cannot_be_listed_is_reported(tmp_path, monkeypatch):
    touch(tmp_path, "a.jpg", "closed/b.jpg")
    scandir = os.scandir

    def refuse(folder):
        if os.path.basename(folder) == "closed":
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    errors = []
    assert list_image_paths(tmp_path, errors.append) == ["a.jpg"]
    assert [error.filename for error in errors] == [f"{tmp_path}/closed"]


def test_file_cannot_be_listed(tmp_path):
    touch(tmp_path, "a.jpg")
    with pytest.raises(NotADirectoryError):
        list_image_paths(tmp_path / "a.jpg")
