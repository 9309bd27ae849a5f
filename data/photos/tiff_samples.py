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

_TILE_WIDTH, _TILE_HEIGHT = 322, 323

_SHORT, _LONG = 3, 4
_CODES = {_SHORT: "H", _LONG: "L"}

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
    if PREMULTIPLIED in image.extra_samples and len(image.extra_samples) > 1:
        # libvips divides other extra samples by alpha too.
        return False
    # libvips misreads most separate planes, but not those of RGB and CMYK in strips.
    is_gray_with_more = image.colors == 1 < image.samples
    is_misread = is_gray_with_more or image.bits[0] < 8 or image.integer(_TILE_WIDTH)
    if image.integer(284, 1) == _SEPARATE and is_misread:
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
    # A strip is a tile as wide as the image.
    is_tiled = bool(image.integer(_TILE_WIDTH))
    columns = image.integer(_TILE_WIDTH) or image.width
    size = -(-columns * together * image.bits[0] // 8)
    result = np.empty((image.height, image.width, image.samples), _type(image))
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for plane in range(planes):
            rows = _decompress(data, image, plane, planes, size)
            channels = result[..., plane : plane + together]
            if is_tiled:
                _join_tiles(rows, image, columns, channels)
            else:
                _unpack_into(rows, image, channels)
    return result


def _join_tiles(rows: np.ndarray, image: TiffImage, columns: int, channels: np.ndarray) -> None:
    """Puts tiles, which lie one below the other, where they belong."""
    height, tiles = image.integer(_TILE_HEIGHT), -(-image.width // columns)
    for number in range(len(rows) // height):
        top, left = number // tiles * height, number % tiles * columns
        target = channels[top : top + height, left : left + columns]
        tile = np.empty((height, columns, channels.shape[2]), channels.dtype)
        _unpack_into(rows[number * height :][:height], image, tile)
        target[:] = tile[: target.shape[0], : target.shape[1]]


def _unpack_into(rows: np.ndarray, image: TiffImage, numbers: np.ndarray) -> None:
    """Works out the numbers (rows, columns, channels) in bytes (rows, bytes), part by part."""
    step = max(1, _CHUNK // (numbers.shape[1] * numbers.shape[2]))
    for top in range(0, len(numbers), step):
        part = numbers[top : top + step]
        part[:] = _numbers(rows[top : top + step], image, part.shape)


def _decompress(
    data: mmap.mmap, image: TiffImage, plane: int, planes: int, size: int
) -> np.ndarray:
    """The decompressed bytes of a plane, uint8 of shape (rows, size); tiles one below the other."""
    is_tiled = bool(image.integer(_TILE_WIDTH))
    offsets = image.integers(324 if is_tiled else 273)
    sizes = image.integers(325 if is_tiled else 279)
    count = len(offsets) // planes
    if not count or len(offsets) != len(sizes):
        raise ValueError("damaged: the positions of its strips are missing")
    own = slice(plane * count, (plane + 1) * count)
    parts = [data[at : at + length] for at, length in zip(offsets[own], sizes[own], strict=True)]
    rows = image.integer(_TILE_HEIGHT) if is_tiled else image.integer(278, image.height)
    height = count * rows if is_tiled else image.height
    starts = np.cumsum([8, *map(len, parts)]).tolist()
    begin = starts[-1] + starts[-1] % 2
    tags = {
        256: (_LONG, [size]),
        257: (_LONG, [height]),
        258: (_SHORT, [8]),
        259: (_SHORT, [image.compression]),
        262: (_SHORT, [BLACK_IS_ZERO]),
        266: (_SHORT, [image.integer(266, 1)]),
        273: (_LONG, starts[:-1]),
        277: (_SHORT, [1]),
        278: (_LONG, [min(rows, height)]),
        279: (_LONG, list(map(len, parts))),
    }
    directory = Directory(
        {
            tag: Entry(kind, struct.pack(f"{image.order}{len(values)}{_CODES[kind]}", *values))
            for tag, (kind, values) in tags.items()
        }
    )
    table, _ = write_directory(directory, image.order, begin)
    head = b"II" if image.order == "<" else b"MM"
    head += struct.pack(image.order + "HL", 42, begin)
    copy = b"".join([head, *parts, bytes(begin - starts[-1]), table])
    return pyvips.Image.new_from_buffer(copy, "", fail_on="error").numpy().reshape(height, size)


def _type(image: TiffImage) -> str:
    if image.number_format == _FLOAT:
        return f"float{image.bits[0]}"
    return "uint8" if image.bits[0] <= 8 else "uint16" if image.bits[0] <= 16 else "uint32"


def _numbers(part: np.ndarray, image: TiffImage, shape: tuple[int, ...]) -> np.ndarray:
    """The numbers (rows, columns, channels) in the bytes (rows, bytes) of strips or a tile."""
    rows, columns, channels = shape
    bits, predictor = image.bits[0], image.integer(317, 1)
    size, code = bits // 8, "f" if image.number_format == _FLOAT else "u"
    if predictor == _FLOATING:
        # The most significant bytes of a row come first, all as differences.
        differences = part.reshape(rows, -1, channels)
        planes = np.cumsum(differences, axis=1, dtype="uint8").reshape(rows, size, -1)
        joined = np.ascontiguousarray(np.swapaxes(planes, 1, 2))
        return joined.view(f">f{size}").reshape(shape)
    if bits not in (8, 16, 32, 64):
        numbers = _unpacked(part, bits, image.order, rows, columns * channels).reshape(shape)
        if predictor == _HORIZONTAL:
            numbers = np.cumsum(numbers, axis=1, dtype="uint32") & np.uint32(2**bits - 1)
        return numbers
    numbers = np.ascontiguousarray(part).view(f"{image.order}{code}{size}").reshape(shape)
    if predictor == _HORIZONTAL:
        integers = numbers.view(f"{image.order}u{size}")
        numbers = np.cumsum(integers, axis=1, dtype=f"u{size}").view(f"{code}{size}")
    return numbers


def _unpacked(part: np.ndarray, bits: int, order: str, rows: int, count: int) -> np.ndarray:
    """Numbers (rows, count) of any bits, the most significant first, without gaps in a row."""
    if bits % 8 == 0 and order == "<":
        part = part.reshape(rows, -1, bits // 8)[..., ::-1].reshape(rows, -1)
    digits = np.unpackbits(part, axis=1)[:, : count * bits].reshape(rows, count, bits)
    numbers = np.zeros((rows, count), "uint32")
    for digit in range(bits):
        numbers = (numbers << 1) | digits[..., digit]
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
