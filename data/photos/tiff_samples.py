"""Reads the images in a TIFF that libvips refuses or misreads: odd depths, large numbers, CIE Lab.

libtiff is given a copy in which each row is so many bytes of gray, and decompresses it; what the
bytes mean is worked out here.

Reference: TIFF 6.0, sections 14 (predictor), 15 (tiles) and 23 (CIE Lab); Adobe Photoshop TIFF
Technical Note 3 (floating point predictor).
"""

import mmap
import struct
from pathlib import Path

import numpy as np
import pyvips

from data.photos.deep_samples import scale_floats, scale_integers
from data.photos.exif import Directory, Entry, write_directory
from data.photos.tiff_images import (
    BLACK_IS_ZERO,
    CIELAB,
    LAB,
    PALETTE,
    RGB,
    WHITE_IS_ZERO,
    TiffImage,
)

_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_FORMATS = {_UNSIGNED: "", _SIGNED: "signed ", _FLOAT: "floating-point "}

# The compressions that keep bytes: none, LZW, deflate, PackBits, LZMA, Zstandard.
_LOSSLESS = (1, 5, 8, 32946, 32773, 34925, 50000)
_HORIZONTAL, _FLOATING = 2, 3
_SEPARATE = 2

_SHORT, _LONG = 3, 4

# The kind of extra sample by which the colors are multiplied.
PREMULTIPLIED = 1

# Samples that are unpacked at a time; unpacking takes 16 times their memory.
_CHUNK = 2**22


def is_plain(image: TiffImage) -> bool:
    """Whether libvips reads an image rightly, and in strips."""
    if image.number_format != _UNSIGNED or len(set(image.bits)) > 1:
        return False
    if image.photometric in LAB:
        return False
    is_gray = image.samples == 1 and image.photometric != RGB
    return image.bits[0] in ((1, 2, 4, 8, 16) if is_gray else (8, 16))


def check_readable(image: TiffImage) -> None:
    """Checks that the samples of an image that is not plain can be read.

    Raises:
        ValueError: they cannot; the message names their type.
    """
    kind = _FORMATS.get(image.number_format, "complex or untyped ")
    bits = "+".join(map(str, dict.fromkeys(image.bits)))
    reason = f"its pixels are of a kind that cannot be decoded: {kind}{bits} bits a sample"
    lab = image.photometric in LAB
    colors = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB)
    if not (lab or image.photometric in colors):
        name = "a palette" if image.photometric == PALETTE else f"color space {image.photometric}"
        raise ValueError(f"{reason}, {name}")
    if image.compression not in _LOSSLESS:
        raise ValueError(f"{reason} with compression {image.compression}")
    is_known = (
        image.bits[0] in (8, 16)
        if lab
        else image.bits[0] in (16, 32, 64)
        if image.number_format == _FLOAT
        else image.number_format == _UNSIGNED and image.bits[0] <= 32
    )
    if len(set(image.bits)) > 1 or not is_known:
        raise ValueError(reason)


def depth(image: TiffImage) -> int:
    """The bits of the samples that `read_samples` returns, 8 or 16."""
    return 8 if image.bits[0] <= 8 else 16


def read_samples(path: Path, image: TiffImage) -> tuple[np.ndarray, str]:
    """Reads an image whose samples can be read by `check_readable`.

    Args:
        path: the TIFF.
        image: `TiffImage`.

    Returns:
        Tuple of a uint8 or uint16 array of shape (height, width, samples), gray or sRGB with its
        extra samples, of which 0 is black, and a note, or an empty string.

    Raises:
        ValueError, pyvips.Error: the data is damaged.
    """
    samples = _decode(path, image)
    if image.photometric in LAB:
        return _lab_to_srgb(samples, image), ""
    if image.number_format == _FLOAT:
        pixels, note = scale_floats(samples)
    else:
        pixels, note = scale_integers(samples, image.bits[0])
    if image.photometric == WHITE_IS_ZERO:
        pixels[..., 0] = np.iinfo(pixels.dtype).max - pixels[..., 0]
    if PREMULTIPLIED in image.extra_samples:
        _divide_by_alpha(pixels, image.colors + image.extra_samples.index(PREMULTIPLIED))
    return pixels, note


def _decode(path: Path, image: TiffImage) -> np.ndarray:
    """The numbers in an image, of shape (height, width, samples)."""
    planes = image.samples if image.integer(284, 1) == _SEPARATE else 1
    together = image.samples // planes
    bits = image.bits[0]
    # The columns of a tile; a strip is a tile as wide as the image.
    columns = image.integer(322) or image.width
    tiles = -(-image.width // columns)
    size = -(-columns * together * bits // 8)
    rows = _as_bytes(path, image, planes, tiles * size, size)
    result = np.empty((image.height, image.width, image.samples), _type(image))
    step = max(1, _CHUNK // (tiles * columns * image.samples))
    for top in range(0, image.height, step):
        for plane in range(planes):
            part = rows[top : top + step, :, plane].reshape(-1, tiles, size)
            numbers = _numbers(part, image, columns, together)
            numbers = numbers.reshape(len(part), tiles * columns, together)[:, : image.width]
            result[top : top + step, :, plane : plane + together] = numbers
    return result


def _as_bytes(path: Path, image: TiffImage, planes: int, width: int, tile_width: int) -> np.ndarray:
    """The decompressed bytes of an image, uint8 of shape (height, width, planes)."""
    order, directory = image.order, Directory()
    tiled = bool(image.integer(322))
    offsets = image.integers(324 if tiled else 273)
    sizes = image.integers(325 if tiled else 279)
    if not offsets or len(offsets) != len(sizes):
        raise ValueError("damaged: the positions of its strips are missing")
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        parts = [data[start : start + size] for start, size in zip(offsets, sizes, strict=True)]
    starts = np.cumsum([8, *map(len, parts)])

    def put(tag: int, kind: int, *values: int) -> None:
        code = {_SHORT: "H", _LONG: "L"}[kind]
        directory.entries[tag] = Entry(kind, struct.pack(f"{order}{len(values)}{code}", *values))

    put(256, _LONG, width)
    put(257, _LONG, image.height)
    put(258, _SHORT, *[8] * planes)
    put(259, _SHORT, image.compression)
    put(262, _SHORT, BLACK_IS_ZERO)
    put(266, _SHORT, image.integer(266, 1))
    put(277, _SHORT, planes)
    put(284, _SHORT, _SEPARATE if planes > 1 else 1)
    put(324 if tiled else 273, _LONG, *map(int, starts[:-1]))
    put(325 if tiled else 279, _LONG, *map(len, parts))
    if tiled:
        put(322, _LONG, tile_width)
        put(323, _LONG, image.integer(323))
    else:
        put(278, _LONG, image.integer(278, image.height))
    begin = int(starts[-1]) + int(starts[-1]) % 2
    table, _ = write_directory(directory, order, begin)
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, begin)
    copy = b"".join([header, *parts, bytes(begin - int(starts[-1])), table])
    pixels = pyvips.Image.new_from_buffer(copy, "", fail_on="error").numpy()
    return pixels.reshape(image.height, width, planes)


def _type(image: TiffImage) -> str:
    if image.number_format == _FLOAT:
        return f"float{image.bits[0]}"
    return "uint8" if image.bits[0] <= 8 else "uint16" if image.bits[0] <= 16 else "uint32"


def _numbers(part: np.ndarray, image: TiffImage, columns: int, together: int) -> np.ndarray:
    """The numbers in the bytes of rows of tiles: (rows, tiles, columns, samples)."""
    rows, tiles, _ = part.shape
    bits, predictor = image.bits[0], image.integer(317, 1)
    shape = rows, tiles, columns, together
    size, kind = bits // 8, f"{image.order}{'f' if image.number_format == _FLOAT else 'u'}"
    if predictor == _FLOATING:
        # The most significant bytes of a row come first, all as differences.
        planes = np.cumsum(part.reshape(rows, tiles, -1, together), axis=2, dtype="uint8")
        planes = planes.reshape(rows, tiles, size, columns * together)
        part = np.ascontiguousarray(np.moveaxis(planes, 2, 3))
        return part.view(f">f{size}").reshape(shape)
    if bits in (8, 16, 32, 64):
        numbers = np.ascontiguousarray(part).view(f"{kind}{size}").reshape(shape)
        if predictor == _HORIZONTAL:
            as_integers = numbers.view(f"{image.order}u{size}").astype(f"u{size}")
            numbers = np.cumsum(as_integers, axis=2, dtype=f"u{size}").view(f"{kind[1:]}{size}")
        return numbers
    return _unpacked(part, bits, image.order, shape, predictor)


def _unpacked(
    part: np.ndarray, bits: int, order: str, shape: tuple[int, ...], predictor: int
) -> np.ndarray:
    """Numbers of any bits, the most significant first, without gaps in a row."""
    rows, tiles, columns, together = shape
    count = columns * together
    if bits % 8 == 0 and order == "<":
        part = part.reshape(rows, tiles, -1, bits // 8)[..., ::-1].reshape(part.shape)
    digits = np.unpackbits(part, axis=2)[:, :, : count * bits].reshape(rows, tiles, count, bits)
    numbers = np.zeros((rows, tiles, count), "uint32")
    for digit in range(bits):
        numbers = (numbers << 1) | digits[..., digit]
    numbers = numbers.reshape(shape)
    if predictor == _HORIZONTAL:
        numbers = np.cumsum(numbers, axis=2, dtype="uint32") & np.uint32(2**bits - 1)
    return numbers


def _divide_by_alpha(pixels: np.ndarray, alpha: int) -> None:
    white = np.iinfo(pixels.dtype).max
    share = np.maximum(pixels[..., alpha, None], 1) / white
    for color in range(min(alpha, 3)):
        quotient = np.round(pixels[..., color] / share[..., 0])
        pixels[..., color] = np.minimum(quotient, white)


def _lab_to_srgb(samples: np.ndarray, image: TiffImage) -> np.ndarray:
    """CIE Lab, relative to D50, as sRGB of the same depth."""
    bits = image.bits[0]
    white = 2**bits - 1
    colors = samples[..., : image.colors]
    if image.photometric == CIELAB:
        lightness = colors[..., :1] * (100.0 / white)
        ab = colors[..., 1:].view(f"int{bits}") / 2.0 ** (bits - 8)
    else:
        lightness = colors[..., :1] * (100.0 / (white if bits == 8 else 0xFF00))
        ab = colors[..., 1:] / 2.0 ** (bits - 8) - 128.0
    if not ab.shape[2]:
        ab = np.zeros((*lightness.shape[:2], 2))
    lab = np.concatenate([lightness, ab], axis=-1).astype("float32")
    vips = pyvips.Image.new_from_array(lab).copy(interpretation="lab")
    rgb = vips.icc_export(output_profile="srgb", intent="relative", depth=depth(image)).numpy()
    return np.concatenate([rgb, samples[..., image.colors :]], axis=-1)
