"""XMP is adapted to the colored, upright photograph, and does not point to what is not copied."""

import pytest

from data.photos.xmp import XmpPacket, field
from data.photos.xmp_upright import upright_xmp
from tests.data.photos.samples import HEIGHT, WIDTH, XMP, name_of, value, xmp_of

# Where a point at (0.2, 0.1) of the stored image is once the image is upright.
TURNS = pytest.mark.parametrize(
    ("orientation", "x", "y"),
    [
        (1, "0.2", "0.1"),
        (2, "0.8", "0.1"),
        (3, "0.8", "0.9"),
        (4, "0.2", "0.9"),
        (5, "0.1", "0.2"),
        (6, "0.9", "0.2"),
        (7, "0.9", "0.8"),
        (8, "0.1", "0.8"),
    ],
)


def turned(xmp, orientation):
    """The packet of a stored photograph of WIDTH x HEIGHT, upright."""
    height, width = (WIDTH, HEIGHT) if orientation >= 5 else (HEIGHT, WIDTH)
    after, notes = upright_xmp(xmp, height, width, orientation=orientation)
    assert notes == []
    return XmpPacket(after)


def fields_in(packet, *names):
    """The fields of the only structure that has the first of them."""
    [holder] = [one for one in packet.root.iter() if field(one, name_of(names[0])) is not None]
    return tuple(field(holder, name_of(name)) for name in names)


# --- turned ------------------------------------------------------------------------------------

AREAS = [
    '<mwg-rs:Area stArea:x="0.2" stArea:y="0.1" stArea:w="0.3" stArea:h="0.04" '
    'stArea:unit="normalized"/>',
    '<mwg-rs:Area rdf:parseType="Resource"><stArea:x>0.2</stArea:x><stArea:y>0.1</stArea:y>'
    "<stArea:w>0.3</stArea:w><stArea:h>0.04</stArea:h></mwg-rs:Area>",
    '<mwg-rs:Area><rdf:Description stArea:x="0.2" stArea:y="0.1" stArea:w="0.3" stArea:h="0.04"/>'
    "</mwg-rs:Area>",
]


def regions(area, width=WIDTH, height=HEIGHT):
    return xmp_of(
        '<mwg-rs:Regions rdf:parseType="Resource">'
        f'<mwg-rs:AppliedToDimensions stDim:w="{width}" stDim:h="{height}" stDim:unit="pixel"/>'
        '<mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name="Mary">'
        f"{area}</rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )


@TURNS
@pytest.mark.parametrize("area", AREAS)
def test_face_regions_turn(area, orientation, x, y):
    packet = turned(regions(area), orientation)
    is_turned = orientation >= 5
    sides = ("0.04", "0.3") if is_turned else ("0.3", "0.04")
    names = [f"stArea:{name}" for name in "xywh"]
    assert fields_in(packet, *names) == (x, y, *sides)
    sizes = (HEIGHT, WIDTH) if is_turned else (WIDTH, HEIGHT)
    assert fields_in(packet, "stDim:w", "stDim:h") == tuple(map(str, sizes))
    assert fields_in(packet, "mwg-rs:Name") == ("Mary",)


def test_regions_of_the_upright_photograph_remain():
    packet = turned(regions(AREAS[0], HEIGHT, WIDTH), 6)
    assert fields_in(packet, "stArea:x", "stArea:y") == ("0.2", "0.1")
    assert fields_in(packet, "stDim:w", "stDim:h") == (str(HEIGHT), str(WIDTH))


@TURNS
def test_regions_of_microsoft_turn(orientation, x, y):
    rectangle = 'MPReg:Rectangle="0.05, 0.08, 0.3, 0.04"'
    packet = turned(
        xmp_of(
            '<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>'
            f"<rdf:li {rectangle}/></rdf:Bag></MPRI:Regions></MP:RegionInfo>"
        ),
        orientation,
    )
    [found] = fields_in(packet, "MPReg:Rectangle")
    left, top, width, height = map(float, found.split(","))
    assert (left + width / 2, top + height / 2) == pytest.approx((float(x), float(y)))
    assert (width, height) == pytest.approx((0.04, 0.3) if orientation >= 5 else (0.3, 0.04))


@TURNS
@pytest.mark.parametrize("unit", ["relative", "pixel"])
def test_rectangles_and_polygons_of_iptc_turn(orientation, x, y, unit):
    scale = (WIDTH, HEIGHT) if unit == "pixel" else (1, 1)
    point = f'Iptc4xmpExt:rbX="{0.2 * scale[0]:g}" Iptc4xmpExt:rbY="{0.1 * scale[1]:g}"'
    sides = 'Iptc4xmpExt:rbW="0" Iptc4xmpExt:rbH="0"'
    upright = scale[::-1] if orientation >= 5 else scale
    expected = pytest.approx((float(x) * upright[0], float(y) * upright[1]))
    for boundary in (
        f'<rdf:li Iptc4xmpExt:rbUnit="{unit}" {point} {sides}/>',
        f'<rdf:li Iptc4xmpExt:rbUnit="{unit}"><Iptc4xmpExt:rbVertices><rdf:Seq><rdf:li {point}/>'
        "</rdf:Seq></Iptc4xmpExt:rbVertices></rdf:li>",
    ):
        xmp = xmp_of(
            f"<Iptc4xmpExt:ImageRegion><rdf:Bag>{boundary}</rdf:Bag></Iptc4xmpExt:ImageRegion>"
        )
        found = fields_in(turned(xmp, orientation), "Iptc4xmpExt:rbX", "Iptc4xmpExt:rbY")
        assert tuple(map(float, found)) == expected


def test_subject_turns():
    items = "".join(f"<rdf:li>{number}</rdf:li>" for number in (5, 3, 8, 2))
    xmp = xmp_of(f"<exif:SubjectArea><rdf:Seq>{items}</rdf:Seq></exif:SubjectArea>")
    # From the left: what was from the bottom.
    [subject] = turned(xmp, 6).root.iter(name_of("exif:SubjectArea"))
    assert [item.text for item in subject[0]] == [str(HEIGHT - 1 - 3), "5", "2", "8"]


@pytest.mark.parametrize("odd", ["nan, x, 1, 2", "1", "", "0.1, 0.2, 0.3"])
def test_broken_regions_do_no_harm(odd):
    xmp = xmp_of(f'<MP:RegionInfo MPReg:Rectangle="{odd}"/>', 'dc:source="1932"')
    assert turned(xmp, 6).value(name_of("dc:source")) == "1932"


# --- sizes and colors --------------------------------------------------------------------------


def test_sizes_and_what_says_gray_are_updated():
    before = {
        "tiff:ImageWidth": "4000",
        "exif:PixelXDimension": "4000",
        "tiff:ImageLength": "3000",
        "exif:PixelYDimension": "3000",
        "tiff:SamplesPerPixel": "1",
        "tiff:PhotometricInterpretation": "1",
        "tiff:BitsPerSample": "8",
        "photoshop:ColorMode": "1",
        "photoshop:ICCProfile": "Dot Gain 20%",
    }
    attributes = " ".join(f'{name}="{text}"' for name, text in before.items())
    after, notes = upright_xmp(xmp_of(attributes=attributes), 20, 30, keeps_profile=False)
    assert {name: value(after, name) for name in before} == {
        "tiff:ImageWidth": "30",
        "exif:PixelXDimension": "30",
        "tiff:ImageLength": "20",
        "exif:PixelYDimension": "20",
        "tiff:SamplesPerPixel": "3",
        "tiff:PhotometricInterpretation": "2",
        "tiff:BitsPerSample": None,
        "photoshop:ColorMode": "3",
        "photoshop:ICCProfile": None,
    }
    assert notes == []


def test_packet_of_a_color_photograph_remains_byte_for_byte():
    bits = "<tiff:BitsPerSample><rdf:Seq>" + "<rdf:li>8</rdf:li>" * 3
    bits += "</rdf:Seq></tiff:BitsPerSample>"
    attributes = (
        'tiff:SamplesPerPixel="3" tiff:PhotometricInterpretation="6" photoshop:ColorMode="3" '
        'photoshop:ICCProfile="Display P3" tiff:ImageWidth="30" tiff:ImageLength="20"'
    )
    xmp = xmp_of(bits, attributes)
    assert upright_xmp(xmp, 20, 30) == (xmp, [])


# --- pointers ----------------------------------------------------------------------------------


def directory(semantic):
    items = "".join(
        f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="{name}"/></rdf:li>'
        for name in ("Primary", semantic)
    )
    return f"<Container:Directory><rdf:Seq>{items}</rdf:Seq></Container:Directory>"


@pytest.mark.parametrize(
    ("elements", "attributes", "word"),
    [
        ("", 'GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1"', "video"),
        ("<GCamera:MicroVideoOffset>2032</GCamera:MicroVideoOffset>", "", "video"),
        (directory("MotionPhoto"), "", "video"),
        (directory("GainMap"), 'hdrgm:Version="1.0"', "gain map"),
        ("<hdrgm:GainMapMax>2</hdrgm:GainMapMax>", "", "gain map"),
        (directory("Depth"), "", "Depth"),
        ("", 'dcterms:provenance="self#jumbf=c2pa/urn:uuid:1"', "C2PA"),
        ("", 'xmpNote:HasExtendedXMP="0123456789ABCDEF0123456789ABCDEF"', "extended"),
    ],
)
def test_what_points_to_parts_that_are_not_copied_is_removed_with_a_note(
    elements, attributes, word
):
    after, [note] = upright_xmp(xmp_of(elements, f'{attributes} dc:source="1932"'), 20, 30)
    assert word in note
    assert [name for _, name, _ in XmpPacket(after).properties()] == [name_of("dc:source")]


@pytest.mark.parametrize("attributes", ['dcterms:provenance="gift of 1931"', 'GCamera:BurstID="1"'])
def test_what_points_to_nothing_remains(attributes):
    xmp = xmp_of(attributes=attributes)
    assert upright_xmp(xmp, 20, 30) == (xmp, [])


def test_broken_packet_is_a_value_error():
    with pytest.raises(ValueError, match="XML"):
        upright_xmp(XMP[:-5], 20, 30)
