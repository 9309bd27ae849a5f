"""Every kind of samples in a TIFF is read rightly, for coloring and for training.

The TIFFs are written byte by byte, because no library writes all of their kinds.
"""

import itertools
import struct
import zlib

import numpy as np
import pytest
import tifffile

from tests.data.photos.matrix import (
    ALPHA,
    GRAY,
    GRAY_WHITE_IS_ZERO,
    PREMULTIPLIED,
    RGB,
    UNSPECIFIED,
    mismatch,
    numbers,
    upright,
)
from tests.data.photos.samples import HEIGHT, WIDTH, assert_is_reason, why


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


def test_there_are_so_many_kinds_of_tiff():
    assert sum(len(tiff_cells(depth)) for depth in DEPTHS) == 2448


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("int8", "signed 8 bits"),
        ("int16", "signed 16 bits"),
        ("int32", "signed 32 bits"),
        ("uint64", "64 bits"),
        ("complex64", "complex or untyped 64 bits"),
    ],
)
def test_tiff_of_other_types_is_unreadable(tmp_path, kind, reason):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((HEIGHT, WIDTH), kind))
    assert_is_reason(why(tmp_path / "a.tif"), tmp_path / "a.tif")
    assert f"of a kind that cannot be decoded: {reason} a sample" in why(tmp_path / "a.tif")
