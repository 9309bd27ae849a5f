"""Adapts XMP to the colored, upright photograph.

Reference: MWG Guidelines for Handling Image Metadata 2.0, section 5.9 (regions); IPTC Photo
Metadata Standard 2024.1 (image region); Ultra HDR Image Format 1.1; Motion Photo format 1.0.
"""

from xml.etree.ElementTree import Element

from data.photos.exif import RGB, YCBCR, turned_point
from data.photos.xmp import HAS_EXTENDED_XMP, RDF, XmpPacket, field, set_field

_TIFF = "{http://ns.adobe.com/tiff/1.0/}"
_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
_CAMERA_RAW = "{http://ns.adobe.com/camera-raw-settings/1.0/}"
_THUMBNAILS = "{http://ns.adobe.com/xap/1.0/}Thumbnails"
_PHOTOSHOP_RGB = "3"

# Structures of regions, of MWG and ACDSee: their namespace, and those of their areas and sizes.
_REGIONS = {
    "{http://www.metadataworkinggroup.com/schemas/regions/}": (
        "{http://ns.adobe.com/xmp/sType/Area#}",
        "{http://ns.adobe.com/xap/1.0/sType/Dimensions#}",
    ),
    "{http://ns.acdsee.com/regions/}": (
        "{http://ns.acdsee.com/sType/Area#}",
        "{http://ns.acdsee.com/sType/Dimensions#}",
    ),
}
_MICROSOFT_RECTANGLE = "{http://ns.microsoft.com/photo/1.2/t/Region#}Rectangle"
_IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"

# What points to parts of the file that are not copied.
_PROVENANCE = "{http://purl.org/dc/terms/}provenance"
# Archives write texts about former owners there.
_IN_CREDENTIALS = ("jumbf", "c2pa", "manifest")
_CONTAINER = "{http://ns.google.com/photos/1.0/container/}"
_SEMANTIC = "{http://ns.google.com/photos/1.0/container/item/}Semantic"
_GAIN_MAPS = ("{http://ns.adobe.com/hdr-gain-map/1.0/}", "{http://ns.apple.com/HDRGainMap/1.0/}")
_OTHER_POINTERS = ("{http://ns.xiaomi.com/photos/1.0/camera/}XMPMeta", _CONTAINER)
# The local names of several phones' makers begin so.
_VIDEOS = ("MotionPhoto", "MicroVideo", "OLivePhoto")

NO_VIDEO = "its video (motion photo) is not copied"
NO_GAIN_MAP = "its gain map (HDR) is not copied"
NO_CREDENTIALS = (
    "its content credentials (C2PA) are not copied: their signature does not hold for the colored "
    "photograph"
)
_PART_IS_MISSING = "a part of its XMP is missing (extended XMP)"


def upright_xmp(
    xmp: bytes,
    height: int,
    width: int,
    channels: int = 3,
    orientation: int = 1,
    is_marked_turned: bool = False,
    keeps_profile: bool = True,
) -> tuple[bytes, list[str]]:
    """Adapts an XMP packet to the colored, upright photograph.

    Size, orientation, regions and the kind of colors are updated where the packet contains them.
    Thumbnails, which show the original photograph, and what points to parts of the file that are
    not copied are removed. A packet that needs no change remains as it is, byte for byte.

    Args:
        xmp: bytes of the packet.
        height: int, the height of the upright photograph.
        width: int, the width of the upright photograph.
        channels: int, 3, or 4 with alpha. Defaults to `3`.
        orientation: int, 1 to 8, by which the stored pixels are turned. Defaults to `1`.
        is_marked_turned: bool, whether the EXIF of the stored photograph has an orientation other
            than 1, which the XMP repeats; alone in XMP it has no effect. Defaults to `False`.
        keeps_profile: bool, whether the photograph keeps its color profile. Defaults to `True`.

    Returns:
        Tuple of bytes of the adapted packet and a list of str, notes about what was dropped.

    Raises:
        ValueError: the packet is broken.
    """
    packet = XmpPacket(xmp)
    notes = _remove_pointers(packet)
    if orientation != 1:
        _turn(packet, orientation, height, width)
    values = {
        f"{_TIFF}ImageWidth": str(width),
        f"{_TIFF}ImageLength": str(height),
        f"{_EXIF}PixelXDimension": str(width),
        f"{_EXIF}PixelYDimension": str(height),
        f"{_TIFF}SamplesPerPixel": str(channels),
        f"{_PHOTOSHOP}ColorMode": _PHOTOSHOP_RGB,
        # With this setting, Lightroom would show the photograph in gray.
        f"{_CAMERA_RAW}ConvertToGrayscale": "False",
    }
    if orientation != 1 or is_marked_turned:
        values[f"{_TIFF}Orientation"] = "1"
    if packet.value(f"{_TIFF}PhotometricInterpretation") != str(YCBCR):
        values[f"{_TIFF}PhotometricInterpretation"] = str(RGB)
    packet.update(values)
    unwanted = {_THUMBNAILS, *_wrong_bits(packet, channels)}
    if not keeps_profile:
        unwanted.add(f"{_PHOTOSHOP}ICCProfile")
    packet.remove(unwanted.__contains__)
    return packet.to_bytes() if packet.is_changed else xmp, notes


def _remove_pointers(packet: XmpPacket) -> list[str]:
    removed = packet.remove(_is_pointer)
    provenance = packet.value(_PROVENANCE) or ""
    has_credentials = any(word in provenance.lower() for word in _IN_CREDENTIALS)
    if has_credentials:
        packet.remove(_PROVENANCE.__eq__)
    names = [name for name, _ in removed]
    semantics = {
        text
        for _, element in removed
        if element is not None
        for holder in element.iter()
        if (text := field(holder, _SEMANTIC))
    }
    has_video = any(name.rpartition("}")[2].startswith(_VIDEOS) for name in names)
    notes = {
        NO_VIDEO: has_video or "MotionPhoto" in semantics,
        NO_GAIN_MAP: "GainMap" in semantics or any(map(_is_gain_map, names)),
        NO_CREDENTIALS: has_credentials,
        _PART_IS_MISSING: HAS_EXTENDED_XMP in names,
    }
    others = sorted(semantics - {"Primary", "MotionPhoto", "GainMap"})
    notes |= {f"its additional image ({semantic}) is not copied": True for semantic in others}
    return [note for note, is_true in notes.items() if is_true]


def _is_pointer(name: str) -> bool:
    return (
        name == HAS_EXTENDED_XMP
        or _is_gain_map(name)
        or name.startswith(_OTHER_POINTERS)
        or name.rpartition("}")[2].startswith(_VIDEOS)
    )


def _is_gain_map(name: str) -> bool:
    return name.startswith(_GAIN_MAPS)


def _wrong_bits(packet: XmpPacket, channels: int) -> set[str]:
    """The name of the bits of each channel, if they are those of another number of channels."""
    bits = f"{_TIFF}BitsPerSample"
    return {
        name
        for _, name, element in packet.properties()
        if name == bits
        and (element is None or sum(1 for _ in element.iter(f"{RDF}li")) != channels)
    }


def _turn(packet: XmpPacket, orientation: int, height: int, width: int) -> None:
    """Turns the positions in a packet, which refer to the stored pixels."""
    before = packet.to_bytes()
    sides = (float(height), float(width)) if orientation >= 5 else (float(width), float(height))
    for element in list(packet.root.iter()):
        for space, (area, size) in _REGIONS.items():
            if element.tag == f"{space}Regions" and not _is_upright(element, size, sides):
                _turn_regions(
                    element, f"{space}AppliedToDimensions", area, size, orientation, sides
                )
        # The corner at the top left and the sides, as parts of the image.
        if rectangle := field(element, _MICROSOFT_RECTANGLE):
            box = _turned_box(_numbers(rectangle.split(",")), orientation, (1.0, 1.0))
            if box:
                set_field(element, _MICROSOFT_RECTANGLE, ", ".join(map(_text, box)))
        if field(element, f"{_IPTC}rbUnit"):
            _turn_boundary(element, orientation, sides)
        if element.tag in (f"{_EXIF}SubjectArea", f"{_EXIF}SubjectLocation"):
            _turn_subject(element, orientation, sides)
    packet.is_changed = packet.is_changed or packet.to_bytes() != before


def _is_upright(regions: Element, size: str, sides: tuple[float, float]) -> bool:
    """Whether regions refer to the upright photograph already, as some programs write them."""
    for holder in regions.iter():
        applied = _numbers([field(holder, f"{size}w"), field(holder, f"{size}h")])
        if applied:
            return (applied[0] - applied[1]) * (sides[0] - sides[1]) < 0
    return False


def _turn_regions(
    regions: Element,
    applied: str,
    area: str,
    size: str,
    orientation: int,
    sides: tuple[float, float],
) -> None:
    for part in regions.iter(applied):
        for holder in part.iter():
            width, height = field(holder, f"{size}w"), field(holder, f"{size}h")
            if width and height and orientation >= 5:
                set_field(holder, f"{size}w", height)
                set_field(holder, f"{size}h", width)
    for holder in regions.iter():
        scale = sides if field(holder, f"{area}unit") == "pixel" else (1.0, 1.0)
        _turn_center(holder, [f"{area}{name}" for name in "xywh"], orientation, scale)


def _turn_boundary(boundary: Element, orientation: int, sides: tuple[float, float]) -> None:
    """Turns a rectangle, a circle or a polygon of IPTC."""
    is_relative = field(boundary, f"{_IPTC}rbUnit") == "relative"
    scale = (1.0, 1.0) if is_relative else sides
    names = [f"{_IPTC}rb{name}" for name in "XYWH"]
    for holder in boundary.iter():
        box = _turned_box(_numbers([field(holder, name) for name in names]), orientation, scale)
        if box:
            for name, number in zip(names, box, strict=True):
                set_field(holder, name, _text(number))
        else:
            _turn_center(holder, names[:2], orientation, scale)
    radius = _numbers([field(boundary, f"{_IPTC}rbRx")])
    if radius and is_relative and orientation >= 5:
        # It is a part of the width.
        set_field(boundary, f"{_IPTC}rbRx", _text(radius[0] * sides[0] / sides[1]))


def _turn_subject(subject: Element, orientation: int, sides: tuple[float, float]) -> None:
    """Turns a point, a circle (a point and its diameter) or a rectangle (its center and sides)."""
    items = list(subject.iter(f"{RDF}li"))
    numbers = _numbers([item.text for item in items])
    if len(numbers) < 2:
        return
    x, y, *rest = numbers
    point = turned_point(x, y, orientation, sides[0] - 1, sides[1] - 1)
    rest = rest[::-1] if orientation >= 5 else rest
    for item, number in zip(items, (*point, *rest), strict=True):
        item.text = _text(number)


def _turn_center(
    holder: Element, names: list[str], orientation: int, scale: tuple[float, float]
) -> None:
    """Turns a point, and the sides of the box around it if there are any."""
    point = _numbers([field(holder, name) for name in names[:2]])
    if not point:
        return
    x, y = point
    for name, number in zip(names, turned_point(x, y, orientation, *scale), strict=False):
        set_field(holder, name, _text(number))
    sides = [field(holder, name) for name in names[2:]]
    if orientation >= 5 and sides and all(sides):
        for name, side in zip(names[2:], reversed(sides), strict=True):
            set_field(holder, name, side or "")


def _turned_box(
    box: list[float], orientation: int, scale: tuple[float, float]
) -> tuple[float, ...]:
    """Turns left, top, width and height of a box; empty if these are not four numbers."""
    if len(box) != 4:
        return ()
    left, top, width, height = box
    corners = [
        turned_point(x, y, orientation, *scale)
        for x, y in ((left, top), (left + width, top + height))
    ]
    across, down = zip(*corners, strict=True)
    return min(across), min(down), max(across) - min(across), max(down) - min(down)


def _numbers(texts: list[str | None] | list[str]) -> list[float]:
    """The numbers in texts; empty if one is none."""
    try:
        return [float(text or "") for text in texts]
    except ValueError:
        return []


def _text(number: float) -> str:
    # Not a negative zero.
    return f"{round(number, 9) + 0.0:.9f}".rstrip("0").rstrip(".")
