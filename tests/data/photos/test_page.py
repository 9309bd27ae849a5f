"""Pages are read upright, in sRGB and at their depth, in strips or shrunk."""

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import ExifTags, Image, ImageCms, ImageOps

from data.image_io import UnreadableImageError
from data.photos import page as page_module
from data.photos.file import PhotoFile
from data.photos.metadata import PhotoMetadata
from data.photos.page import PhotoPage, interpreted, page_of_pixels, to_depth
from data.photos.profiles import profile_to_srgb, srgb_profile
from tests.data.photos.samples import CMYK, HEIGHT, P3, WIDTH, noise, page_of, smooth


def page_in(path):
    [page] = PhotoFile(path).pages
    return page


def joined(page):
    """All strips of a page as one array each of colors and alpha."""
    colors, alphas = zip(*page.strips(), strict=True)
    return np.concatenate(colors), np.concatenate(alphas) if page.has_alpha else None


def turned(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


# --- strips ------------------------------------------------------------------------------------


def save_kinds(folder):
    """Saves photographs that take different paths through libvips and Pillow."""
    rgb, rgba = Image.fromarray(noise()), Image.fromarray(noise(channels=4))
    rgb.save(folder / "rgb.jpg")
    rgb.save(folder / "progressive.jpg", progressive=True)
    rgb.convert("CMYK").save(folder / "cmyk.jpg")
    rgb.save(folder / "turned.jpg", exif=turned(6))
    rgb.save(folder / "profile.png", icc_profile=P3)
    rgba.save(folder / "rgba.png", icc_profile=P3)
    rgba.save(folder / "turned.png", exif=turned(7))
    rgba.save(folder / "rgba.webp", lossless=True, exact=True)
    rgb.save(folder / "rgb.bmp")
    rgb.convert("P").save(folder / "palette.gif")
    tifffile.imwrite(folder / "16.tif", noise(depth=16), photometric="rgb", rowsperstrip=5)
    tiles = {"tile": (16, 16), "compression": "deflate"}
    tifffile.imwrite(folder / "tiles.tif", noise(depth=16), photometric="rgb", **tiles)
    return sorted(folder.iterdir())


def test_strips_equal_the_whole(tmp_path, monkeypatch):
    for path in save_kinds(tmp_path):
        whole = joined(page_in(path))
        assert len(list(page_in(path).strips())) == 1
        page = page_in(path)
        with monkeypatch.context() as patch:
            patch.setattr(page_module, "PIXELS_IN_A_STRIP", 5 * page.width)
            heights = [len(colors) for colors, _ in page.strips()]
            assert heights == [5] * (page.height // 5) + [page.height % 5] * (page.height % 5 > 0)
            for part, expected in zip(joined(page_in(path)), whole, strict=True):
                np.testing.assert_array_equal(part, expected, err_msg=path.name)


def test_kind_is_that_of_the_strips(tmp_path):
    Image.fromarray(noise()[..., 0]).save(tmp_path / "gray.png")
    kinds = set()
    for path in [*save_kinds(tmp_path), tmp_path / "gray.png"]:
        [(colors, _)] = page_in(path).strips()
        assert page_in(path).kind() == (colors.shape[2], colors.dtype), path.name
        kinds.add(page_in(path).kind())
    assert kinds == {(1, "uint8"), (3, "uint8"), (3, "uint16")}


def test_page_wider_than_a_strip_is_read_in_single_rows(tmp_path, monkeypatch):
    Image.fromarray(noise()).save(tmp_path / "a.png")
    monkeypatch.setattr(page_module, "PIXELS_IN_A_STRIP", 1)
    strips = [colors for colors, _ in page_in(tmp_path / "a.png").strips()]
    assert len(strips) == HEIGHT
    np.testing.assert_array_equal(np.concatenate(strips), noise())


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp"])
def test_page_can_be_read_repeatedly(tmp_path, name):
    Image.fromarray(noise()).save(tmp_path / name)
    page = page_in(tmp_path / name)
    first = joined(page)[0]
    small = page.shrunk(5, 6)
    np.testing.assert_array_equal(joined(page)[0], first)
    np.testing.assert_array_equal(page.shrunk(5, 6), small)
    np.testing.assert_array_equal(page_in(tmp_path / name).shrunk(5, 6), small)


def test_unfinished_strips_do_not_affect_others(tmp_path, monkeypatch):
    Image.fromarray(noise()).save(tmp_path / "a.png")
    monkeypatch.setattr(page_module, "PIXELS_IN_A_STRIP", 5 * WIDTH)
    page = page_in(tmp_path / "a.png")
    begun = page.strips()
    next(begun)
    np.testing.assert_array_equal(joined(page)[0], noise())
    np.testing.assert_array_equal(next(begun)[0], noise()[5:10])


@pytest.mark.parametrize(("channels", "depth"), [(1, 8), (3, 8), (1, 16), (3, 16)])
def test_page_of_pixels_is_the_image(channels, depth):
    # Not contiguous, like a part of a batch.
    pixels = noise(20, 30, 6, depth)[::2, ::-3, :channels]
    page = page_of_pixels(pixels)
    assert (page.height, page.width, page.depth, page.has_alpha) == (10, 10, depth, False)
    # The strips can be read repeatedly.
    for _ in range(2):
        np.testing.assert_array_equal(joined(page)[0], pixels)
    np.testing.assert_array_equal(page.shrunk(10, 10), pixels)


# --- attributes of a page ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channels", "depth", "interpretation", "has_alpha", "size"),
    [
        (1, 8, "b-w", False, 3),
        (2, 8, "b-w", True, 4),
        (1, 16, "grey16", False, 6),
        (3, 8, "srgb", False, 3),
        (4, 8, "srgb", True, 4),
        (4, 16, "rgb16", True, 8),
        (4, 8, "cmyk", False, 3),
        (5, 8, "cmyk", True, 4),
    ],
)
def test_page_has_depth_alpha_and_size(channels, depth, interpretation, has_alpha, size):
    page = page_of(noise(channels=channels, depth=depth), interpretation)
    assert (page.height, page.width) == (HEIGHT, WIDTH)
    assert (page.depth, page.has_alpha) == (depth, has_alpha)
    assert page.size == HEIGHT * WIDTH * size
    colors, alpha = joined(page)
    assert colors.dtype == f"uint{depth}"
    assert colors.shape == (HEIGHT, WIDTH, 1 if channels < 3 else 3)
    if has_alpha:
        assert alpha.dtype == f"uint{depth}"
        np.testing.assert_array_equal(alpha, noise(channels=channels, depth=depth)[..., -1:])
    assert page.shrunk(5, 6).shape == (5, 6, 1 if channels < 3 else 3)


@pytest.mark.parametrize(
    ("kind", "interpretation"),
    [("float32", "srgb"), ("int32", "b-w"), ("uint32", "rgb16"), ("uint8", "lab")],
)
def test_pixels_of_other_types_are_refused_with_a_reason(kind, interpretation):
    with pytest.raises(ValueError, match="8 or 16 bits can be colored"):
        page_of(noise().astype(kind), interpretation)


def test_decoder_that_fails_without_a_reason_is_reported_as_damaged():
    # All threads share the error buffer of libvips: another one may have taken the reason.
    def open_image():
        raise pyvips.Error("unable to load")

    pyvips.Error("takes what was said before")
    with pytest.raises(UnreadableImageError, match="damaged"):
        PhotoPage(open_image, PhotoMetadata())


# --- upright -----------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp"])
def test_page_is_upright_as_with_pillow(tmp_path, name, mode, orientation):
    options = {"lossless": True, "exact": True} if name == "a.webp" else {}
    image = Image.fromarray(noise(channels=len(mode)))
    image.save(tmp_path / name, exif=turned(orientation), **options)
    # Turned in memory, because Pillow garbles some TIFFs that it turns while they are mapped.
    image.getexif()[ExifTags.Base.Orientation] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image))
    page = page_in(tmp_path / name)
    assert (page.height, page.width) == expected.shape[:2]
    parts = [part for part in joined(page) if part is not None]
    np.testing.assert_array_equal(np.concatenate(parts, axis=-1), expected)


@pytest.mark.parametrize("orientation", [3, 6])
def test_tall_page_is_upright(tmp_path, monkeypatch, orientation):
    # More rows than a decoder that reads from top to bottom buffers.
    monkeypatch.setattr(page_module, "PIXELS_IN_A_STRIP", 1000)
    image = Image.fromarray(noise(4000, 8))
    image.save(tmp_path / "a.png", exif=turned(orientation))
    image.getexif()[ExifTags.Base.Orientation] = orientation
    page = page_in(tmp_path / "a.png")
    np.testing.assert_array_equal(joined(page)[0], ImageOps.exif_transpose(image))
    assert page.shrunk(10, 10).shape == (10, 10, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg_is_upright_as_with_pillow(tmp_path, orientation):
    Image.fromarray(smooth()).save(
        tmp_path / "a.jpg", exif=turned(orientation), quality=95, subsampling=0
    )
    with Image.open(tmp_path / "a.jpg") as image:
        expected = np.asarray(ImageOps.exif_transpose(image)).astype(int)
    page = page_in(tmp_path / "a.jpg")
    assert np.abs(joined(page)[0] - expected).max() <= 2
    assert np.abs(page.shrunk(*expected.shape[:2]) - expected).max() <= 2
    assert page.metadata.orientation == 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_shrunk_page_is_upright(tmp_path, name, orientation):
    options = {"exif": turned(orientation)}
    Image.fromarray(smooth(height=400, width=640)).save(tmp_path / name, **options)
    with Image.open(tmp_path / name) as image:
        upright = ImageOps.exif_transpose(image)
    expected = np.asarray(upright.resize((40, 30), Image.Resampling.BILINEAR)).astype(int)
    shrunk = page_in(tmp_path / name).shrunk(30, 40)
    assert shrunk.shape == (30, 40, 3)
    assert np.abs(shrunk - expected).max() <= 4


def test_page_is_turned_only_by_the_orientation_of_its_metadata(tmp_path):
    # The decoder may have turned the image already, as for HEIC.
    page = page_of(noise(), "srgb", exif=turned(6).tobytes().removeprefix(b"Exif\0\0"))
    assert (page.height, page.width) == (HEIGHT, WIDTH)
    np.testing.assert_array_equal(joined(page)[0], noise())


# --- shrunk ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size", [(192, 192), (100, 100), (37, 211), (1, 1), (3, 400), (400, 3), (300, 500)]
)
@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
@pytest.mark.parametrize("stored", [(333, 250), (97, 401), (50, 50)])
def test_shrunk_page_has_exactly_the_requested_size(tmp_path, name, stored, size):
    Image.fromarray(smooth(height=stored[0], width=stored[1])).save(tmp_path / name)
    assert page_in(tmp_path / name).shrunk(*size).shape == (*size, 3)


@pytest.mark.parametrize("size", [(40, 64), (64, 64), (150, 200)])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_shrunk_page_is_close_to_that_of_pillow(tmp_path, name, size):
    # Noise on the ramp: a filter that skips pixels would let it through.
    pixels = smooth(height=400, width=640) // 2 + noise(400, 640) // 2
    options = {"quality": 100, "subsampling": 0} if name == "a.jpg" else {}
    Image.fromarray(pixels).save(tmp_path / name, **options)
    expected = Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BILINEAR)
    difference = page_in(tmp_path / name).shrunk(*size).astype(int) - np.asarray(expected)
    assert np.abs(difference).mean() <= 2
    assert np.abs(difference).max() <= 16


def test_shrunk_page_keeps_sixteen_bits(tmp_path):
    pixels = np.linspace(0, 65535, 200 * 200).astype("uint16").reshape(200, 200)
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    shrunk = page_in(tmp_path / "a.tif").shrunk(50, 50)
    assert shrunk.dtype == np.uint16
    means = pixels.reshape(50, 4, 50, 4).mean((1, 3))
    assert np.abs(shrunk[..., 0] - means).max() < 300
    assert len(np.unique(shrunk)) > 2000


@pytest.mark.parametrize(
    ("size", "expected"),
    [((400, 640), 1), ((110, 640), 1), ((100, 160), 2), ((40, 64), 4), ((5, 5), 8)],
)
def test_jpeg_is_shrunk_while_decoding(size, expected):
    image = interpreted(pyvips.Image.new_from_array(smooth(height=400, width=640)))
    asked = []

    def open_shrunk(shrink):
        asked.append(shrink)
        return image.shrink(shrink, shrink), "a note"

    page = PhotoPage(lambda: image, PhotoMetadata(), open_shrunk=open_shrunk)
    assert page.notes == []
    page.shrunk(*size)
    assert (asked, page.notes) == ([expected], ["a note"])


# --- profiles ----------------------------------------------------------------------------------


def test_image_without_a_profile_is_not_converted(tmp_path):
    Image.fromarray(noise()).save(tmp_path / "a.png")
    page = page_in(tmp_path / "a.png")
    colors, _ = joined(page)
    np.testing.assert_array_equal(colors, noise())
    np.testing.assert_array_equal(page.from_srgb(colors), noise())
    assert (page.metadata.profile, page.notes) == (b"", [])


@pytest.mark.parametrize("depth", [8, 16])
def test_srgb_profile_is_copied_and_changes_nothing(tmp_path, depth):
    pixels = noise(depth=depth)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", iccprofile=srgb_profile())
    page = page_in(tmp_path / "a.tif")
    colors, _ = joined(page)
    np.testing.assert_array_equal(colors, pixels)
    np.testing.assert_array_equal(page.from_srgb(colors), pixels)
    assert (page.metadata.profile, page.notes) == (srgb_profile(), [])


@pytest.mark.parametrize(("depth", "near"), [(8, 1), (16, 128)])
def test_pixels_are_converted_from_an_rgb_profile_and_back(tmp_path, depth, near):
    # Dull colors inside sRGB.
    pixels = (noise(depth=depth) // 4 + 2 ** (depth - 2)).astype(f"uint{depth}")
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", iccprofile=P3)
    page = page_in(tmp_path / "a.tif")
    assert (page.metadata.profile, page.notes) == (P3, [])
    colors, _ = joined(page)
    assert colors.dtype == np.uint16
    image = pyvips.Image.new_from_array(pixels)
    image = image.copy(interpretation="srgb" if depth == 8 else "rgb16")
    np.testing.assert_array_equal(colors, profile_to_srgb(image, P3).numpy())
    assert np.abs(colors / 65535 - pixels / (2**depth - 1)).max() > 0.01
    back = page.from_srgb(colors)
    assert back.dtype == f"uint{depth}"
    assert np.abs(back.astype(int) - pixels).max() <= near


@pytest.mark.parametrize("depth", [8, 16])
def test_gray_image_with_an_rgb_profile_is_converted_and_back(tmp_path, depth, gamma_18):
    gray = noise(channels=1, depth=depth)
    tifffile.imwrite(tmp_path / "a.tif", gray, photometric="minisblack", iccprofile=gamma_18)
    page = page_in(tmp_path / "a.tif")
    assert (page.metadata.profile, page.notes, page.depth) == (gamma_18, [], depth)
    colors, _ = joined(page)
    levels = gray / (2**depth - 1)
    # Gamma 1.8 is decoded, then the curve of sRGB is applied.
    linear = levels**1.8
    expected = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert colors.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(colors / 65535 - expected).max() < 1.5 / 255
    back = page.from_srgb(colors)
    assert back.dtype == f"uint{depth}"
    # Up to two steps of 8 bits in the shadows, where the curve is steepest.
    assert np.abs(back / (2**depth - 1) - levels).max() < 2.1 / 255


@pytest.fixture
def gamma_18():
    """An RGB profile with gamma 1.8, as of old Macintoshes and scanners.

    It is the sRGB profile of Pillow with other curves.
    """
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132], "big")
    for row in range(count):
        entry = 132 + 12 * row
        if profile[entry : entry + 4] in (b"rTRC", b"gTRC", b"bTRC"):
            start = int.from_bytes(profile[entry + 4 : entry + 8], "big")
            # A parametric curve of the first type, which has only a gamma.
            profile[start : start + 16] = b"para" + bytes(8) + round(1.8 * 65536).to_bytes(4, "big")
            profile[entry + 8 : entry + 12] = (16).to_bytes(4, "big")
    return bytes(profile)


@pytest.mark.parametrize("gamma", [1.8, 2.2])
def test_gray_profile_is_converted_and_replaced(tmp_path, make_gray_profile, gamma):
    gray = np.arange(256, dtype="uint8").reshape(16, 16)
    Image.fromarray(gray).save(tmp_path / "a.png", icc_profile=make_gray_profile(gamma))
    page = page_in(tmp_path / "a.png")
    colors, _ = joined(page)
    linear = (gray / 255) ** gamma
    expected = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert colors.shape == (16, 16, 3)
    assert np.abs(colors / 65535 - expected[..., None]).max() < 1.5 / 255
    # A gray profile cannot describe colors.
    assert (page.metadata.profile, page.notes) == (srgb_profile(), [])
    np.testing.assert_array_equal(page.from_srgb(colors), to_depth(colors, 8))


def test_gray_profile_with_the_curve_of_srgb_leaves_one_channel(tmp_path):
    gray = noise(channels=1)[..., 0]
    profile = bytes(pyvips.Operation.call("profile_load", "sgrey"))
    Image.fromarray(gray).save(tmp_path / "a.png", icc_profile=profile)
    page = page_in(tmp_path / "a.png")
    np.testing.assert_array_equal(joined(page)[0], gray[..., None])
    assert page.metadata.profile == srgb_profile()


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_cmyk_profile_is_converted_and_replaced(tmp_path, name):
    cmyk = Image.new("CMYK", (30, 20), (30, 150, 220, 40))
    cmyk.save(tmp_path / name, icc_profile=CMYK)
    page = page_in(tmp_path / name)
    colors, _ = joined(page)
    expected = profile_to_srgb(
        pyvips.Image.new_from_array(np.asarray(cmyk)).copy(interpretation="cmyk"), CMYK
    ).numpy()
    assert np.abs(colors / 257 - expected / 257).max() <= 3
    assert (page.metadata.profile, page.notes) == (srgb_profile(), [])
    assert page.from_srgb(colors).dtype == np.uint8


@pytest.mark.parametrize(
    "profile", [b"garbage" * 50, P3[:200], srgb_profile()[:100], P3[:252] + bytes(228)]
)
def test_broken_profile_is_skipped_with_a_note(tmp_path, profile):
    Image.fromarray(noise()).save(tmp_path / "a.png", icc_profile=profile)
    page = page_in(tmp_path / "a.png")
    np.testing.assert_array_equal(joined(page)[0], noise())
    assert page.metadata.profile == b""
    assert len(page.notes) == 1
    assert "profile" in page.notes[0]


def test_profile_of_another_kind_is_skipped_with_a_note(tmp_path, make_gray_profile):
    for profile in (CMYK, make_gray_profile(2.2)):
        Image.fromarray(noise()).save(tmp_path / "a.png", icc_profile=profile)
        page = page_in(tmp_path / "a.png")
        np.testing.assert_array_equal(joined(page)[0], noise())
        assert page.metadata.profile == b""
        assert len(page.notes) == 1


def test_photograph_with_a_scanner_profile_can_be_colored(tmp_path, scanner_profile):
    # Such profiles convert from the colors of the scanner but not back to them.
    Image.fromarray(noise()).save(tmp_path / "a.png", icc_profile=scanner_profile)
    page = page_in(tmp_path / "a.png")
    colors, _ = joined(page)
    back = page.from_srgb(colors)
    assert back.dtype == np.uint8
    image = pyvips.Image.new_from_array(back).copy(interpretation="srgb")
    shown = profile_to_srgb(image, page.metadata.profile or srgb_profile()).numpy()
    assert np.abs(shown / 257 - colors / 257).max() <= 2


# --- alpha -------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [8, 16])
def test_alpha_is_not_changed_by_the_profile(tmp_path, depth):
    pixels = noise(channels=4, depth=depth)
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=["unassalpha"], iccprofile=P3
    )
    colors, alpha = joined(page_in(tmp_path / "a.tif"))
    assert colors.dtype == np.uint16
    assert alpha.dtype == f"uint{depth}"
    np.testing.assert_array_equal(alpha, pixels[..., 3:])


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [2, 4])
def test_premultiplied_colors_are_divided_by_alpha(tmp_path, channels, depth):
    white = 2**depth - 1
    alpha = np.linspace(0.5, 1, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH, 1)
    straight = noise(channels=channels - 1, depth=depth)
    multiplied = np.concatenate([straight * alpha, alpha * white], axis=-1)
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.round(multiplied).astype(f"uint{depth}"),
        photometric="minisblack" if channels == 2 else "rgb",
        planarconfig="contig",
        extrasamples=["assocalpha"],
    )
    page = page_in(tmp_path / "a.tif")
    colors, read_alpha = joined(page)
    assert colors.dtype == read_alpha.dtype == f"uint{depth}"
    assert np.abs(colors - straight.astype(int)).max() <= 3
    np.testing.assert_array_equal(read_alpha, np.round(alpha * white))
    small = page.shrunk(HEIGHT, WIDTH)
    assert np.abs(small - straight.astype(int)).max() <= 3


# --- depth -------------------------------------------------------------------------------------


def test_depth_is_changed_by_rounding():
    levels = np.arange(65536, dtype="uint16")
    small = to_depth(levels, 8)
    assert small.dtype == np.uint8
    np.testing.assert_array_equal(small, np.floor(levels / 257 + 0.5))
    np.testing.assert_array_equal(to_depth(levels, 16), levels)


def test_eight_bits_survive_the_conversion_to_sixteen():
    levels = np.arange(256, dtype="uint8")
    large = to_depth(levels, 16)
    assert (large.dtype, large[0], large[255]) == (np.uint16, 0, 65535)
    np.testing.assert_array_equal(to_depth(large, 8), levels)
    np.testing.assert_array_equal(to_depth(levels, 8), levels)
