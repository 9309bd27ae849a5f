"""Small photographs, metadata and profiles that the tests of photographs share."""

import struct

import numpy as np
import pytest
import pyvips
from PIL import ExifTags, Image

from data.image_io import UnreadableImageError, first_reason
from data.photos.file import PhotoFile
from data.photos.metadata import PhotoMetadata
from data.photos.page import PhotoPage, interpreted
from data.photos.xmp import XmpPacket

HEIGHT, WIDTH = 20, 30
ORDERS = pytest.mark.parametrize("order", ["<", ">"])
MAKE, DESCRIPTION, ORIENTATION = 271, 270, 274
EXIF, GPS_INFO = ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo
GPS = {1: "N", 2: (48.0, 12.0, 30.5), 3: "E", 4: (16.0, 22.0, 15.25)}
# Like the notes of a camera: offsets, zeros, and an odd number of bytes.
NOTES = b"Nikon\0\2\x10" + bytes(range(256)) + b"\0\0\1"
_NAMESPACES = {
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "Item": "http://ns.google.com/photos/1.0/container/item/",
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
}


def xmp_of(elements="", attributes=""):
    """An XMP packet with properties written as elements or as attributes."""
    used = [prefix for prefix in _NAMESPACES if f"{prefix}:" in elements + attributes]
    declared = " ".join(f'xmlns:{prefix}="{_NAMESPACES[prefix]}"' for prefix in used)
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {declared} {attributes}>{elements}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def name_of(qualified):
    """The name of a property such as `dc:title`, as `XmpPacket` has it."""
    prefix, _, local = qualified.partition(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}"


def value(xmp, qualified):
    """The value of a property such as `dc:title` in a packet; None if it has no such property."""
    return XmpPacket(xmp).value(name_of(qualified))


XMP = xmp_of(attributes='dc:source="Großmutter"')
P3 = bytes(pyvips.Operation.call("profile_load", "p3"))
CMYK = bytes(pyvips.Operation.call("profile_load", "cmyk"))


def noise(height=HEIGHT, width=WIDTH, channels=3, depth=8, seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 2**depth, (height, width, channels), f"uint{depth}")


def smooth(channels=3, depth=8, height=HEIGHT, width=WIDTH):
    """An image that lossy formats and shrinking hardly change."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    pixels = np.stack([x, y, 1 - x, 0.5 + y / 2], axis=-1)[..., :channels]
    return np.round(pixels * (2**depth - 1)).astype(f"uint{depth}")


def in_strips(pixels, rows=7):
    return (pixels[top : top + rows] for top in range(0, len(pixels), rows))


def page_of(pixels, kind=None, **metadata):
    """A page without a file, in the color space `kind` of libvips or in sRGB."""
    image = pyvips.Image.new_from_array(pixels)
    image = image.copy(interpretation=kind) if kind else interpreted(image)
    return PhotoPage(lambda: image, PhotoMetadata(**metadata))


def exif_of(order="<", orientation=None, width=WIDTH, height=HEIGHT, notes=NOTES, **tags):
    """EXIF as Pillow writes it, without the prefix in a JPEG."""
    exif = Image.Exif()
    exif.endian = order
    exif[MAKE] = "Nikon"
    if orientation is not None:
        exif[ORIENTATION] = orientation
    exif[EXIF] = {0xA002: width, 0xA003: height, 0x927C: notes}
    exif[GPS_INFO] = GPS
    for name, value in tags.items():
        exif[ExifTags.Base[name]] = value
    return exif.tobytes().removeprefix(b"Exif\0\0")


def parsed(exif):
    """EXIF as Pillow reads it."""
    read = Image.Exif()
    read.load(exif)
    return read


def resource(number, content, name=b""):
    """A Photoshop resource, padded to even sizes."""
    parts = bytes([len(name)]) + name, struct.pack(">L", len(content)) + content
    padded = b"".join(part + bytes(len(part) % 2) for part in parts)
    return b"8BIM" + struct.pack(">H", number) + padded


CAPTION = resource(1028, b"\x1c\x02\x78\0\x0bGrandmother")
THUMBNAILS = resource(1036, b"a thumbnail of odd size", b"odd"), resource(1033, b"gray", b"even")
RESOLUTION = resource(1005, struct.pack(">LHHLHH", 300 << 16, 1, 1, 300 << 16, 1, 1), b"size")


def app13(*parts):
    """The segments of a JPEG with parts of Photoshop's resources."""
    parts = [b"Photoshop 3.0\0" + part for part in parts]
    return b"".join(b"\xff\xed" + struct.pack(">H", len(part) + 2) + part for part in parts)


def pixels_of(page):
    """Colors and alpha of a page as one array."""
    strips = page.strips()
    return np.concatenate([c if a is None else np.dstack([c, a]) for c, a in strips])


def pixels_in(path):
    [page] = PhotoFile(path).pages
    return pixels_of(page)


def solid(color, height=HEIGHT, width=WIDTH):
    return np.full((height, width, len(color)), color, "uint8")


def why(path):
    """The reason why a photograph cannot be read, found in its head or in its pixels."""
    with pytest.raises(UnreadableImageError) as error:
        [pixels_of(page) for page in PhotoFile(path).pages]
    return first_reason(error.value, path)


def assert_is_reason(reason, path):
    """Asserts that a reason is one useful line without the name, which is printed before it."""
    assert len(reason.splitlines()) == 1
    assert path.name not in reason
    assert str(path.parent) not in reason
    # libvips names the failed function in the first line and gives the reason below.
    assert not reason.startswith("unable to")
