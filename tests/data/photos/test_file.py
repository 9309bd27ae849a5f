"""Photographs of all formats are read whatever their names, and broken ones are reported."""

import contextlib
import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import ExifTags, Image

from data.image_io import UnreadableImageError
from data.photos import file as file_module
from data.photos.file import PhotoFile
from tests.data.photos import samples
from tests.data.photos.samples import (
    HEIGHT,
    WIDTH,
    assert_is_reason,
    exif_of,
    parsed,
    pixels_in,
    pixels_of,
    solid,
    why,
)

ORANGE = (200, 100, 50)


def noise(*size, **options):
    return samples.noise(*size, **options).squeeze()


def image(mode):
    """Noise in a Pillow mode that stores it exactly."""
    return Image.fromarray(noise(channels=len(mode)))


# --- formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.tif", {}),
        ("a.tif", {"compression": "tiff_lzw"}),
        ("a.tif", {"compression": "tiff_adobe_deflate"}),
    ],
)
def test_eight_bits_are_read_exactly(tmp_path, name, options, mode):
    image(mode).save(tmp_path / name, **options)
    photo = PhotoFile(tmp_path / name)
    [page] = photo.pages
    assert (page.depth, page.has_alpha) == (8, mode.endswith("A"))
    assert (page.height, page.width) == (HEIGHT, WIDTH)
    np.testing.assert_array_equal(pixels_of(page).squeeze(), noise(channels=len(mode)))
    assert photo.notes == []


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("a.bmp", "RGB", {}),
        ("a.bmp", "L", {}),
        ("a.webp", "RGB", {"lossless": True}),
        ("a.webp", "RGBA", {"lossless": True, "exact": True}),
        ("a.ppm", "RGB", {}),
        ("a.tga", "LA", {}),
        ("a.tga", "RGBA", {}),
    ],
)
def test_other_lossless_formats_are_read_exactly(tmp_path, name, mode, options):
    image(mode).save(tmp_path / name, **options)
    pixels = pixels_in(tmp_path / name)
    if name == "a.tga" and mode == "LA":
        # A gray image with alpha is converted to RGBA.
        pixels = pixels[..., [0, -1]]
    np.testing.assert_array_equal(pixels.squeeze(), noise(channels=len(mode)))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("options", [{}, {"compression": "deflate", "predictor": True}])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bit_tiff_is_read_exactly(tmp_path, channels, options, order):
    pixels = noise(channels=channels, depth=16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, byteorder=order, **options)
    [page] = PhotoFile(tmp_path / "a.tif").pages
    assert page.depth == 16
    np.testing.assert_array_equal(pixels_of(page).squeeze(), pixels)


def test_negative_of_sixteen_bits_is_read_as_it_looks(tmp_path):
    pixels = noise(channels=1, depth=16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    np.testing.assert_array_equal(pixels_in(tmp_path / "a.tif")[..., 0], 65535 - pixels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bit_png_is_read_exactly(tmp_path, channels):
    pixels = noise(channels=channels, depth=16).reshape(HEIGHT, WIDTH, channels)
    image = pyvips.Image.new_from_array(pixels)
    image.copy(interpretation="grey16" if channels < 3 else "rgb16").pngsave(tmp_path / "a.png")
    [page] = PhotoFile(tmp_path / "a.png").pages
    assert (page.depth, page.has_alpha) == (16, channels in (2, 4))
    np.testing.assert_array_equal(pixels_of(page), pixels)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
def test_one_bit_is_black_and_white(tmp_path, name):
    Image.fromarray(np.eye(8, dtype=bool)).save(tmp_path / name)
    pixels = pixels_in(tmp_path / name)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, np.broadcast_to(np.eye(8)[..., None] * 255, pixels.shape))


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.gif", "a.tif"])
def test_palette_is_resolved(tmp_path, name):
    palette = image("RGB").quantize(200)
    palette.save(tmp_path / name)
    np.testing.assert_array_equal(pixels_in(tmp_path / name), palette.convert("RGB"))


@pytest.mark.parametrize("name", ["a.png", "a.gif"])
def test_transparent_color_of_a_palette_becomes_alpha(tmp_path, name):
    palette = Image.fromarray(np.repeat([[0, 0, 1, 1]], 4, axis=0).astype("uint8"), "P")
    palette.putpalette([255, 0, 0, 0, 255, 0])
    palette.save(tmp_path / name, transparency=1)
    pixels = pixels_in(tmp_path / name)
    np.testing.assert_array_equal(pixels[:, :2], solid((255, 0, 0, 255), 4, 2))
    np.testing.assert_array_equal(pixels[:, 2:, 3], np.zeros((4, 2)))


@pytest.mark.parametrize(
    ("mode", "near"), [("L", (124,)), ("RGB", ORANGE), ("CMYK", ORANGE), ("YCbCr", ORANGE)]
)
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_jpeg_of_every_color_space_is_read(tmp_path, mode, near, options):
    Image.fromarray(solid(ORANGE)).convert(mode).save(tmp_path / "a.jpg", quality=95, **options)
    [page] = PhotoFile(tmp_path / "a.jpg").pages
    assert (page.depth, page.has_alpha) == (8, False)
    pixels = pixels_of(page).astype(int)
    assert pixels.shape == (HEIGHT, WIDTH, len(near))
    # The colors of CMYK without a profile are not defined; here they are those of a press.
    assert np.abs(pixels - near).max() <= (45 if mode == "CMYK" else 3)


def test_cmyk_jpeg_is_not_inverted(tmp_path):
    for color, light in (((0, 0, 0, 0), True), ((0, 0, 0, 255), False)):
        Image.new("CMYK", (WIDTH, HEIGHT), color).save(tmp_path / "a.jpg")
        assert (pixels_in(tmp_path / "a.jpg").mean() > 128) == light


@pytest.mark.parametrize("compression", ["jpeg", "tiff_ccitt", "group4", "packbits"])
def test_compressed_tiff_is_read(tmp_path, compression):
    lines = Image.fromarray(np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 7 == 0)
    stored = Image.fromarray(solid(ORANGE)) if compression == "jpeg" else lines
    stored.save(tmp_path / "a.tif", compression=compression)
    pixels = pixels_in(tmp_path / "a.tif").astype(int)
    expected = np.asarray(stored.convert("RGB" if compression == "jpeg" else "L")).astype(int)
    assert np.abs(pixels.squeeze() - expected).max() <= 3


@pytest.mark.parametrize("channels", [4, 5])
@pytest.mark.parametrize("depth", [8, 16])
def test_cmyk_tiff_is_read(tmp_path, depth, channels):
    white = np.zeros((HEIGHT, WIDTH, channels), f"uint{depth}")
    white[:10, :, 3] = 2**depth - 1
    white[..., 4:] = 99
    extra = ["unassalpha"] * (channels - 4)
    tifffile.imwrite(
        tmp_path / "a.tif", white, photometric="separated", extrasamples=extra, metadata=None
    )
    [page] = PhotoFile(tmp_path / "a.tif").pages
    assert page.depth == depth
    pixels = pixels_of(page) / (2**depth - 1)
    assert pixels[10:, :, :3].min() > 0.99
    assert pixels[:10, :, :3].max() < 0.25
    assert (pixels[..., 3:] == 99 / (2**depth - 1)).all()


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_first_frame_of_an_animation_is_read(tmp_path, name):
    frames = [Image.new("RGB", (6, 5), color) for color in ("red", "lime", "blue")]
    options = {"lossless": True} if name == "a.webp" else {}
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
    np.testing.assert_array_equal(pixels_in(tmp_path / name)[..., :3], solid((255, 0, 0), 5, 6))


def test_first_image_of_a_jpeg_from_a_phone_is_read(tmp_path):
    # Phones save two images in one file; the second is often a depth map.
    first, second = Image.fromarray(solid(ORANGE)), Image.new("L", (8, 6))
    options = {"save_all": True, "append_images": [second], "quality": 95}
    first.save(tmp_path / "a.jpg", "MPO", **options)
    photo = PhotoFile(tmp_path / "a.jpg")
    assert photo.notes == ["only the first of the 2 images in it is colored"]
    [page] = photo.pages
    assert np.abs(pixels_of(page).astype(int) - ORANGE).max() <= 3


def test_suffix_does_not_matter(tmp_path):
    image("RGB").save(tmp_path / "a.jpg", "PNG")
    image("RGB").save(tmp_path / "b.png", "TIFF")
    for name in ("a.jpg", "b.png"):
        np.testing.assert_array_equal(pixels_in(tmp_path / name), noise())


# --- HEIC --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_heic_is_read(tmp_path, pillow_heif, mode):
    color = (200, 100, 50, 120)[: len(mode)]
    Image.new(mode, (64, 48), color if len(mode) > 1 else 120).save(tmp_path / "a.heic")
    [page] = PhotoFile(tmp_path / "a.heic").pages
    assert (page.depth, page.has_alpha) == (8, mode == "RGBA")
    expected = color if len(mode) > 1 else (120,)
    assert np.abs(pixels_of(page).astype(int) - expected).max() <= 4


@pytest.mark.parametrize("channels", [3, 4])
def test_deep_heic_keeps_its_bits(tmp_path, pillow_heif, channels):
    levels = np.linspace(0, 65535, 256 * 64).astype("uint16").reshape(64, 256)
    pixels = np.repeat(levels[..., None], channels, axis=-1)
    heif = pillow_heif.from_bytes("RGBA"[:channels] + ";16", (256, 64), pixels.tobytes())
    heif.save(tmp_path / "a.heic", quality=100, chroma=444)
    [page] = PhotoFile(tmp_path / "a.heic").pages
    assert (page.depth, page.has_alpha) == (16, channels == 4)
    read = pixels_of(page)
    assert np.abs(read.astype(int) - pixels).max() < 65535 * 0.01
    assert len(np.unique(read[..., 1])) > 500


def test_heic_is_upright_whatever_its_exif_says(tmp_path, pillow_heif):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    upright = np.concatenate([solid((255, 0, 0), 32, 64), solid((0, 0, 255), 64, 64)])
    heif = pillow_heif.from_pillow(Image.fromarray(upright))
    heif.save(tmp_path / "a.heic", exif=exif.tobytes())
    with Image.open(tmp_path / "a.heic") as opened:
        expected = np.asarray(opened.convert("RGB")).astype(int)
    [page] = PhotoFile(tmp_path / "a.heic").pages
    assert (page.height, page.width) == expected.shape[:2]
    assert np.abs(pixels_of(page) - expected).max() <= 2
    read = Image.Exif()
    read.load(page.metadata.exif)
    assert read.get(ExifTags.Base.Orientation, 1) == 1


# --- names -------------------------------------------------------------------------------------

NAMES = [
    b"a b.tif",
    b"scan[page=1].tif",
    b"scan[1].png",
    b"[n=-1].gif",
    b"a{}%d.jpg",
    b"two\nlines.png",
    "Großmutter.tif".encode(),
    b"caf\xe9.tif",
    b"\xff\xfe.png",
    b"\xff\xfe.jpg",
    b"\xff\xfe.bmp",
    b"\xff[0].webp",
    b"two\nlines.heic",
    b"\xff\xfe.heic",
]


def path_of(folder, name):
    path = folder / os.fsdecode(name)
    try:
        path.touch()
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_file_may_have_any_name(request, tmp_path, name):
    if name.endswith(b"heic"):
        request.getfixturevalue("pillow_heif")
    path = path_of(tmp_path, name)
    Image.new("RGB", (WIDTH, HEIGHT), "red").save(path)
    [page] = PhotoFile(path).pages
    assert np.abs(pixels_of(page)[..., :3] - solid((255, 0, 0)).astype(int)).max() <= 3
    assert page.shrunk(5, 6).shape == (5, 6, 3)


# --- unreadable photographs --------------------------------------------------------------------


@pytest.mark.parametrize("kept", [20, 100, 0.5, 0.9])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.bmp", "a.gif", "a.heic"])
def test_truncated_photograph_is_unreadable(request, tmp_path, name, kept):
    if name == "a.heic":
        request.getfixturevalue("pillow_heif")
    Image.fromarray(noise(100, 100)).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    length = kept if isinstance(kept, int) else int(kept * len(whole))
    (tmp_path / name).write_bytes(whole[:length])
    assert_is_reason(why(tmp_path / name), tmp_path / name)


def test_broken_photographs_that_are_read_together_are_reported_as_damaged(tmp_path):
    # libvips has one error buffer for all threads; a thread may take the message of another.
    paths = [tmp_path / "a.jpg", tmp_path / "b.png", tmp_path / "c.gif"]
    for path in paths:
        Image.fromarray(noise(100, 100)).save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with ThreadPoolExecutor(8) as pool:
        reasons = list(pool.map(why, paths * 40))
    assert all(reason.startswith("damaged") for reason in reasons)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_truncated_photograph_is_not_read_in_part(tmp_path, name, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    options = {"compression": "tiff_adobe_deflate"} if name == "a.tif" else {}
    Image.fromarray(noise(100, 100)).save(tmp_path / name, exif=exif, **options)
    whole = (tmp_path / name).read_bytes()
    if name == "a.tif":
        # Its directory is at the end, so the pixels are overwritten instead.
        half = len(whole) // 2
        (tmp_path / name).write_bytes(whole[:1000] + bytes(half - 1000) + whole[half:])
    else:
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    for read in (lambda page: page.shrunk(10, 10), lambda page: list(page.strips())):
        with pytest.raises(UnreadableImageError):
            read(PhotoFile(tmp_path / name).pages[0])


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.bmp", "a.gif"])
def test_random_bytes_raise_nothing_but_unreadable_image_errors(tmp_path, monkeypatch, name):
    # Random bytes in the size of the image could otherwise fill the memory.
    monkeypatch.setattr(file_module, "MAXIMUM_PIXELS", 10**6)
    image("RGB").save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(50):
        content = bytearray(whole)
        # The first bytes contain sizes and offsets.
        end = generator.choice([100, len(whole)])
        for position in generator.integers(0, end, generator.integers(1, 5)):
            content[position % len(content)] = generator.integers(256)
        (tmp_path / name).write_bytes(content)
        with contextlib.suppress(UnreadableImageError):
            pages = PhotoFile(tmp_path / name).pages
            for page in pages:
                with contextlib.suppress(UnreadableImageError):
                    pixels_of(page)


@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "a.png"])
@pytest.mark.parametrize(
    "content", [b"", b"I", b"This is a letter.\n" * 50, b"II, not a TIFF. " * 9, b"\x89PNG" * 99]
)
def test_file_that_is_not_a_photograph_is_unreadable(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableImageError, match=r"not an image|is empty"):
        PhotoFile(tmp_path / name)


@pytest.mark.parametrize("name", [b"two\nlines.%s", b"\xff[0].%s", b"%s.%s"])
@pytest.mark.parametrize("suffix", [b"jpg", b"png", b"tif", b"bmp", b"gif", b"webp"])
def test_reason_is_one_line_without_the_name(tmp_path, name, suffix):
    path = path_of(tmp_path, name.replace(b"%s", suffix))
    image("RGB").save(path)
    path.write_bytes(path.read_bytes()[:60])
    reason = why(path)
    assert len(reason.splitlines()) == 1
    assert str(tmp_path) not in reason
    assert "lines" not in reason


def test_missing_files_and_folders_are_unreadable(tmp_path):
    (tmp_path / "a.jpg").mkdir()
    for name, reason in (("a.jpg", "directory"), ("b.jpg", "no such file")):
        with pytest.raises(UnreadableImageError, match=reason):
            PhotoFile(tmp_path / name)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.bmp", "a.gif"])
def test_too_many_pixels_are_unreadable(tmp_path, monkeypatch, name):
    image("RGB").save(tmp_path / name)
    monkeypatch.setattr(file_module, "MAXIMUM_PIXELS", HEIGHT * WIDTH)
    assert len(PhotoFile(tmp_path / name).pages) == 1
    monkeypatch.setattr(file_module, "MAXIMUM_PIXELS", HEIGHT * WIDTH - 1)
    # The message gives the width first, as usual.
    with pytest.raises(UnreadableImageError, match="30 x 20 pixels"):
        PhotoFile(tmp_path / name)


# --- problems that do not prevent coloring -----------------------------------------------------


def test_same_note_of_several_pages_is_given_once(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for _ in range(3):
            writer.write(noise(), photometric="rgb", iccprofile=b"garbage" * 30)
    photo = PhotoFile(tmp_path / "a.tif")
    assert len(photo.pages) == 3
    assert len(photo.notes) == 1
    assert "profile" in photo.notes[0]


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_photograph_with_broken_exif_is_read(tmp_path, name):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Nikon"
    broken = exif.tobytes()[:14] + b"\xff\xff broken"
    image("RGB").save(tmp_path / name, exif=broken)
    photo = PhotoFile(tmp_path / name)
    [page] = photo.pages
    assert pixels_of(page).shape == (HEIGHT, WIDTH, 3)
    assert page.metadata.exif == b""
    assert len(photo.notes) == 1
    assert "EXIF" in photo.notes[0]


def save_tiff_with_tag(path, tag, kind, value):
    """Saves a TIFF with a tag that tifffile does not write, in place of another tag."""
    other = 65000
    extra = [(other, 4, 1, value)]
    tifffile.imwrite(path, noise(), photometric="rgb", extratags=extra, metadata=None)
    content = path.read_bytes()
    before, after = (
        struct.pack("<HHLL", *entry) for entry in ((other, 4, 1, value), (tag, kind, 1, value))
    )
    assert content.count(before) == 1
    path.write_bytes(content.replace(before, after))


@pytest.mark.parametrize("tag", [0x8769, 0x8825])
@pytest.mark.parametrize(("kind", "value"), [(4, 0), (4, 10**6), (4, 8), (2, 0), (3, 65535)])
def test_tiff_with_broken_exif_is_read(tmp_path, tag, kind, value):
    save_tiff_with_tag(tmp_path / "a.tif", tag, kind, value)
    np.testing.assert_array_equal(pixels_in(tmp_path / "a.tif"), noise())


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_invalid_orientation_is_ignored(tmp_path, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image("RGB").save(tmp_path / "a.png", exif=exif)
    # Some scanners write 0.
    save_tiff_with_tag(tmp_path / "a.tif", 274, 3, orientation)
    for name in ("a.png", "a.tif"):
        np.testing.assert_array_equal(pixels_in(tmp_path / name), noise())


def test_metadata_is_read_and_upright(tmp_path):
    image("RGB").save(tmp_path / "a.png", exif=exif_of(orientation=8))
    [page] = PhotoFile(tmp_path / "a.png").pages
    read = parsed(page.metadata.exif)
    assert read[ExifTags.Base.Orientation] == 1
    assert read.get_ifd(ExifTags.IFD.Exif)[0xA002] == HEIGHT == page.width


def test_jpeg_with_exif_is_not_taken_for_a_tiff(tmp_path):
    # A TIFF is recognized by its first bytes. EXIF begins with the same bytes, but inside a JPEG.
    exif = struct.pack("<2sHLHL", b"II", 42, 8, 0, 0)
    image("RGB").save(tmp_path / "a.jpg", exif=b"Exif\0\0" + exif)
    assert pixels_in(tmp_path / "a.jpg").shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
def test_file_that_changes_between_two_readings_is_unreadable(tmp_path, name):
    image("RGB").save(tmp_path / name)
    [page] = PhotoFile(tmp_path / name).pages
    page.shrunk(4, 4)
    image("RGB").resize((WIDTH, HEIGHT // 2)).save(tmp_path / name)
    with pytest.raises(UnreadableImageError, match="it changed while it was being read"):
        list(page.strips())


def test_images_that_are_not_colored_are_noted(tmp_path):
    frames = [Image.new("L", (WIDTH, HEIGHT), gray) for gray in (10, 100, 200)]
    for name in ("a.png", "a.gif", "a.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        assert PhotoFile(tmp_path / name).notes == [
            "only the first of the 3 images in it is colored"
        ]


def test_damaged_profile_of_a_png_is_noted(tmp_path):
    profile = b"iCCP" + b"ICC profile\0\0" + b"not compressed"
    chunk = struct.pack(">L", len(profile) - 4) + profile + struct.pack(">L", zlib.crc32(profile))
    image("RGB").save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[:33] + chunk + whole[33:])
    assert PhotoFile(tmp_path / "a.png").notes == [
        "its color profile is broken or does not match its pixels, and is ignored"
    ]
