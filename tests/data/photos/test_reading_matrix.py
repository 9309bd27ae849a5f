"""Coloring and training read the same pixels, and the right ones, from every kind of file.

Each cell of the matrix is a file of a few pixels that is written here or by Pillow. Its pixels are
known: they are made as numbers from 0 to 1, stored, and compared with what both readers return. The
TIFFs are written byte by byte, because no library writes all of their kinds.
"""

import io
import itertools
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from data.photos.file import PhotoFile
from data.photos.profiles import srgb_profile
from data.photos.read_rgb import read_rgb
from tests.data.photos.samples import P3

HEIGHT, WIDTH = 9, 14
GRAY_WHITE_IS_ZERO, GRAY, RGB = 0, 1, 2
UNSPECIFIED, PREMULTIPLIED, ALPHA = 0, 1, 2


def numbers(channels, seed=0):
    """Random numbers from 0 to 1, with black and white among them."""
    random = np.random.default_rng(seed).uniform(size=(HEIGHT, WIDTH, channels))
    random[0, 0], random[0, 1] = 0.0, 1.0
    return random


def upright(pixels, orientation):
    """Turns stored pixels as TIFF 6.0 defines the eight orientations."""
    if orientation >= 5:
        pixels = np.swapaxes(pixels, 0, 1)
    down, across = {
        **{1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1)},
        **{5: (1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)},
    }[orientation]
    return pixels[::down, ::across]


def p3_to_srgb(rgb):
    """Display P3 as sRGB: the curve is the same, and the primaries are others."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_srgb = [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]
    linear = np.clip(linear @ np.transpose(to_srgb), 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def mismatch(path, colors, extra=None, kinds=(), tolerance=0.0):
    """What is wrong with how a file is read, or None.

    Args:
        path: the file.
        colors: the expected colors from 0 to 1, (height, width, 1 or 3).
        extra: the expected extra samples, or None.
        kinds: the kinds of the extra samples.
        tolerance: the largest difference beside rounding.
    """
    [page] = PhotoFile(path).pages
    parts = list(page.strips())
    read = np.concatenate([part for part, _ in parts])
    read = read / np.iinfo(read.dtype).max
    if read.shape[:2] != colors.shape[:2]:
        return f"{read.shape} instead of {colors.shape}"
    if np.abs(read - colors).max() > tolerance + 0.51 / 255:
        return f"colors differ by {np.abs(read - colors).max():.3f}"
    if page.extra_samples != tuple(kinds):
        return f"extra samples of the kinds {page.extra_samples}"
    if kinds:
        others = np.concatenate([part for _, part in parts])
        if np.abs(others / np.iinfo(others.dtype).max - extra).max() > 0.51 / 255:
            return "extra samples differ"
    expected = np.broadcast_to(colors, (*colors.shape[:2], 3))
    transparent = [number for number, kind in enumerate(kinds) if kind != UNSPECIFIED]
    if transparent:
        alpha = extra[..., transparent[0], None]
        expected = expected * alpha + 1.0 - alpha
    learned = read_rgb(path)
    if learned.shape != expected.shape:
        return f"{learned.shape} is learned instead of {expected.shape}"
    if np.abs(learned / 255 - expected).max() > tolerance + 1.51 / 255:
        return f"what is learned differs by {np.abs(learned / 255 - expected).max():.3f}"
    return None


# --- TIFF --------------------------------------------------------------------------------------


def tiff(samples, bits, photometric, kinds=None, **options):
    """A TIFF of unsigned integers or floats.

    Args:
        samples: array (height, width, channels) of integers, or of floats.
        bits: the bits of each sample.
        photometric: TIFF's number of the color space.
        kinds: the kinds of the extra samples, or None for no tag.
        **options: order, planar, predictor, tiled, big, deflate and orientation.
    """
    order, big = options.get("order", "<"), options.get("big", False)
    separate, tiled = options.get("planar", False), options.get("tiled", False)
    predictor, deflate = options.get("predictor", 1), options.get("deflate", False)
    height, width, channels = samples.shape
    planes = [samples[..., [number]] for number in range(channels)] if separate else [samples]
    blocks = []
    for plane in planes:
        if tiled:
            # Tiles are whole.
            rows, columns = -height % 16, -width % 16
            whole = np.pad(plane, [(0, rows), (0, columns), (0, 0)], "edge")
            starts = itertools.product(range(0, height, 16), range(0, width, 16))
            blocks += [whole[top : top + 16, left : left + 16] for top, left in starts]
        else:
            blocks += [plane[top : top + 4] for top in range(0, height, 4)]
    data = [packed(block, bits, order, predictor) for block in blocks]
    if deflate:
        data = [zlib.compress(block) for block in data]
    entries = {
        256: ("L", [width]),
        257: ("L", [height]),
        258: ("H", [bits] * channels),
        259: ("H", [8 if deflate else 1]),
        262: ("H", [photometric]),
        274: ("H", [options.get("orientation", 1)]),
        277: ("H", [channels]),
        284: ("H", [2 if separate else 1]),
        317: ("H", [predictor]),
        339: ("H", [3 if samples.dtype.kind == "f" else 1] * channels),
    }
    if kinds:
        entries[338] = "H", kinds
    if tiled:
        entries |= {322: ("L", [16]), 323: ("L", [16])}
    else:
        entries[278] = "L", [4]
    head = (b"II" if order == "<" else b"MM") + (
        struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HL", 42, 8)
    )
    count, link, inline = ("Q", "Q", 8) if big else ("H", "L", 4)
    offsets, sizes = (324, 325) if tiled else (273, 279)
    entries |= {offsets: ("L", [0] * len(data)), sizes: ("L", list(map(len, data)))}
    table_size = struct.calcsize("=" + count) + len(entries) * (4 + 2 * inline) + inline
    values_begin = len(head) + table_size
    values_size = sum(
        struct.calcsize(f"={len(values)}{code}")
        for code, values in entries.values()
        if struct.calcsize(f"={len(values)}{code}") > inline
    )
    first = values_begin + values_size
    starts = [first + sum(map(len, data[:number])) for number in range(len(data))]
    entries[offsets] = "L", starts
    table, values_after = struct.pack(order + count, len(entries)), b""
    for tag, (code, values) in sorted(entries.items()):
        value = struct.pack(f"{order}{len(values)}{code}", *values)
        if len(value) > inline:
            position, values_after = values_begin + len(values_after), values_after + value
            value = struct.pack(order + link, position)
        kind = {"H": 3, "L": 4}[code]
        table += struct.pack(order + "HH" + link, tag, kind, len(values)) + value.ljust(
            inline, b"\0"
        )
    return head + table + bytes(inline) + values_after + b"".join(data)


def packed(block, bits, order, predictor):
    """The bytes of a strip or a tile."""
    rows, columns, channels = block.shape
    if block.dtype.kind == "f":
        stored = block.astype(f">f{bits // 8}")
        if predictor == 3:
            as_bytes = stored.view("uint8").reshape(rows, columns * channels, bits // 8)
            spread = np.moveaxis(as_bytes, 2, 1).reshape(rows, -1, channels)
            return np.diff(spread, axis=1, prepend=np.uint8(0)).tobytes()
        return stored.astype(f"{order}f{bits // 8}").tobytes()
    if predictor == 2:
        block = np.diff(block.astype("int64"), axis=1, prepend=0) % 2**bits
    block = block.astype("uint64").reshape(rows, columns * channels)
    if bits in (8, 16, 24, 32):
        as_bytes = block.astype(order + "u8").view("uint8").reshape(rows, -1, 8)
        part = as_bytes[..., : bits // 8] if order == "<" else as_bytes[..., 8 - bits // 8 :]
        return part.tobytes()
    digits = (block[..., None] >> np.arange(bits - 1, -1, -1).astype("uint64")) & np.uint64(1)
    return np.packbits(digits.reshape(rows, -1).astype("uint8"), axis=1).tobytes()


def tiff_cells(depth):
    """The kinds of TIFF of a depth: its colors, extra samples and layout."""
    colors = (GRAY_WHITE_IS_ZERO, GRAY, RGB)
    extras = (None, (UNSPECIFIED,), (PREMULTIPLIED,), (ALPHA,), (ALPHA, UNSPECIFIED), "no tag")
    layouts = [
        {},
        {"order": ">"},
        {"planar": True},
        {"planar": True, "order": ">", "deflate": True},
        {"tiled": True},
        {"tiled": True, "planar": True, "deflate": True},
        {"big": True},
        {"big": True, "order": ">", "orientation": 6},
        {"deflate": True, "order": ">"},
    ]
    predictor = 3 if isinstance(depth, str) else 2
    if depth in (8, 16, 32, "f2", "f4", "f8"):
        layouts += [
            {"deflate": True, "predictor": predictor, "order": ">"},
            {"deflate": True, "predictor": predictor, "tiled": True},
            {"deflate": True, "predictor": predictor, "planar": True},
        ]
    # What alpha does to colors of which 0 is white is not defined.
    return [
        cell
        for cell in itertools.product(colors, extras, layouts)
        if cell[:2] != (GRAY_WHITE_IS_ZERO, (PREMULTIPLIED,))
    ]


DEPTHS = (1, 2, 4, 6, 8, 10, 12, 14, 16, 24, 32, "f2", "f4", "f8")


# Every fifth kind has each color, extra sample and layout, because five divides none of their
# numbers; which kinds these are differs between the depths.
@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("depth", DEPTHS)
def test_every_kind_of_tiff_is_read_rightly(tmp_path, depth, step):
    wrong = {}
    for cell in tiff_cells(depth)[DEPTHS.index(depth) % step :: step]:
        photometric, kinds, layout = cell
        extra_kinds = (UNSPECIFIED,) if kinds == "no tag" else kinds or ()
        is_float = isinstance(depth, str)
        bits = 8 * int(depth[1]) if is_float else depth
        white = 1.0 if is_float else 2**bits - 1
        every = numbers((3 if photometric == RGB else 1) + len(extra_kinds))
        colors = every[..., : every.shape[2] - len(extra_kinds)]
        extra = every[..., colors.shape[2] :]
        if PREMULTIPLIED in extra_kinds:
            extra = 0.5 + extra / 2
            extra = extra if is_float else np.round(extra * white) / white
            stored = np.concatenate([colors * extra, extra], axis=-1)
        else:
            stored = every
        stored = stored if is_float else np.round(stored * white)
        # A premultiplied color has the precision of its alpha.
        tolerance = 2.0 / white if PREMULTIPLIED in extra_kinds and not is_float else 0.0
        if not is_float and PREMULTIPLIED not in extra_kinds:
            colors, extra = np.split(stored / white, [colors.shape[2]], axis=2)
        if photometric == GRAY_WHITE_IS_ZERO:
            colors = 1.0 - colors
        tag = None if kinds == "no tag" else kinds
        encoded = tiff(
            stored.astype(depth if is_float else "uint64"), bits, photometric, tag, **layout
        )
        (tmp_path / "a.tif").write_bytes(encoded)
        orientation = layout.get("orientation", 1)
        expected = (upright(part, orientation) for part in (colors, extra))
        try:
            problem = mismatch(tmp_path / "a.tif", *expected, extra_kinds, tolerance)
        except Exception as error:
            problem = repr(error)
        if problem:
            wrong[str(cell)] = problem
    assert wrong == {}


# --- other formats -----------------------------------------------------------------------------

# The modes and depths of each format, and how far its pixels are from what was saved.
FORMATS = {
    "png": (("L", "LA", "RGB", "RGBA", "I;16"), 0.0, {}),
    "webp": (("RGB", "RGBA"), 0.0, {"lossless": True, "exact": True}),
    "jpg": (("L", "RGB"), 0.02, {"quality": 100, "subsampling": 0}),
    "tif": (("L", "RGB", "RGBA", "I;16"), 0.0, {}),
    "avif": (("RGB",), 0.06, {"quality": 100, "subsampling": "4:4:4"}),
}
PROFILES = {"none": b"", "sRGB": srgb_profile(), "P3": P3}
CELLS = [
    (suffix, mode, profile, orientation)
    for suffix, (modes, _, _) in FORMATS.items()
    for mode in modes
    for profile in PROFILES
    for orientation in range(1, 9)
]


@pytest.mark.parametrize("suffix", FORMATS)
def test_modes_profiles_and_orientations_are_read_rightly(tmp_path, suffix):
    wrong = {}
    for cell in CELLS:
        if cell[0] != suffix:
            continue
        _, mode, profile, orientation = cell
        _, tolerance, options = FORMATS[suffix]
        has_alpha = mode.endswith("A")
        every = numbers(2 if mode == "LA" else len(mode) if mode != "I;16" else 1)
        if suffix in ("jpg", "avif"):
            # Smooth, because these formats are not exact.
            y, x = np.mgrid[:HEIGHT, :WIDTH]
            every = np.stack([y / HEIGHT, x / WIDTH, 0.5 + 0.0 * x], axis=-1)[..., : every.shape[2]]
        white = 65535 if mode == "I;16" else 255
        stored = np.round(every * white).astype("uint16" if mode == "I;16" else "uint8")
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = Image.fromarray(stored.squeeze())
        image.save(
            tmp_path / f"a.{suffix}", exif=exif, icc_profile=PROFILES[profile] or None, **options
        )
        colors, alpha = np.split(stored / white, [stored.shape[2] - has_alpha], axis=2)
        if profile == "P3":
            colors = p3_to_srgb(np.broadcast_to(colors, (HEIGHT, WIDTH, 3)))
            tolerance += 0.02
        expected = [upright(part, orientation) for part in (colors, alpha)]
        try:
            kinds = (ALPHA,) * has_alpha
            problem = mismatch(tmp_path / f"a.{suffix}", *expected, kinds, tolerance)
        except Exception as error:
            problem = repr(error)
        if problem:
            wrong[cell] = problem
    assert wrong == {}


def netpbm_cells():
    for maximum in (1, 15, 100, 255, 1023, 4095, 65535):
        for magic in ("P2", "P3", "P5", "P6", "P7"):
            for channels in (1, 2, 3, 4) if magic == "P7" else (3 if magic in ("P3", "P6") else 1,):
                yield magic, channels, maximum


def netpbm(magic, stored, maximum):
    height, width, channels = stored.shape
    if magic == "P7":
        kind = ("GRAYSCALE", "GRAYSCALE_ALPHA", "RGB", "RGB_ALPHA")[channels - 1]
        fields = f"WIDTH {width}\nHEIGHT {height}\nDEPTH {channels}\nMAXVAL {maximum}"
        head = f"P7\n{fields}\nTUPLTYPE {kind}\nENDHDR\n"
    else:
        head = f"{magic}\n# a scanner\n{width} {height}\n{maximum}\n"
    if magic in ("P2", "P3"):
        return head.encode() + " ".join(map(str, stored.ravel())).encode()
    return head.encode() + stored.astype(">u2" if maximum > 255 else "u1").tobytes()


def test_netpbm_of_every_depth_is_read_rightly(tmp_path):
    wrong = {}
    for cell in netpbm_cells():
        magic, channels, maximum = cell
        stored = np.round(numbers(channels) * maximum).astype(int)
        (tmp_path / "a.pnm").write_bytes(netpbm(magic, stored, maximum))
        has_alpha = channels in (2, 4)
        colors, alpha = np.split(stored / maximum, [channels - has_alpha], axis=2)
        if problem := mismatch(tmp_path / "a.pnm", colors, alpha, (ALPHA,) * has_alpha):
            wrong[cell] = problem
    assert wrong == {}


@pytest.mark.parametrize("largest", [1.0, 40.0])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3])
def test_portable_float_map_is_read_rightly(tmp_path, channels, order, largest):
    colors = numbers(channels)
    head = f"P{'F' if channels == 3 else 'f'}\n{WIDTH} {HEIGHT}\n{-1.0 if order == '<' else 1.0}\n"
    stored = (colors[::-1] * largest).astype(f"{order}f4")
    (tmp_path / "a.pfm").write_bytes(head.encode() + stored.tobytes())
    assert mismatch(tmp_path / "a.pfm", colors) is None
    photo = PhotoFile(tmp_path / "a.pfm")
    list(photo.pages[0].strips())
    expected = ["its largest number, 40, is taken for white"] if largest > 1 else []
    assert photo.notes == expected


@pytest.mark.parametrize("white", [1023, 4095, 65535])
def test_jpeg_2000_of_deep_gray_is_read_rightly(tmp_path, white):
    image = Image.fromarray(np.round(numbers(1)[..., 0] * 65535).astype("uint16"))
    file = io.BytesIO()
    image.save(file, "JPEG2000")
    (tmp_path / "a.jp2").write_bytes(file.getvalue())
    assert mismatch(tmp_path / "a.jp2", numbers(1)) is None


def test_matrix_has_so_many_cells():
    tiffs = sum(len(tiff_cells(depth)) for depth in DEPTHS)
    assert (tiffs, len(CELLS), len(list(netpbm_cells()))) == (2448, 336, 56)
