"""XMP is read in every form, changed, and written so that nothing else changes."""

import hashlib

import pytest

from data.photos.xmp import HAS_EXTENDED_XMP, XmpPacket, field, merge_packets, set_field
from tests.data.photos.samples import XMP, name_of, value, xmp_of

HEAD, TAIL = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n', '\n<?xpacket end="w"?>'


def values_in(xmp):
    """The names of the properties with their values."""
    packet = XmpPacket(xmp)
    return {name: packet.value(name) for _, name, _ in packet.properties()}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]
)
@pytest.mark.parametrize(("before", "after"), [("", ""), (HEAD, TAIL), ("\n ", " " * 99 + "\0")])
def test_every_encoding_and_wrapper_is_read(encoding, before, after):
    packet = (before + XMP.decode() + after).encode(encoding)
    assert value(packet, "dc:source") == "Großmutter"


def test_packet_may_be_rdf_alone():
    rdf = XMP[XMP.index(b"<rdf:RDF") : XMP.index(b"</x:")]
    assert value(rdf, "dc:source") == "Großmutter"


@pytest.mark.parametrize(
    "broken",
    [
        XMP[:-5],
        XMP.replace(b"</rdf:Description>", b"<a></rdf:Description>"),
        XMP.replace(b"xmlns:dc", b"xmlns:dd"),
        XMP.replace(b"\xc3\x9f", b"\xdf"),
        b"\xff\xfe<",
        b"no XML",
        b"<svg/>",
        b"<a>" * 2000 + b"</a>" * 2000,
        b'<!DOCTYPE a [<!ENTITY b "c">]>' + XMP,
    ],
)
def test_broken_packet_is_a_value_error(broken):
    with pytest.raises(ValueError, match=r"^it "):
        XmpPacket(broken)


def test_everything_is_written_as_it_was_read():
    unknown = (
        '<a:b xmlns:a="urn:unknown" a:c="x&#xA;&#9;&quot;&amp;y">'
        '<d xmlns="urn:default" xml:lang="de">&lt;&#xD;Großvater</d> <a:e/></a:b>'
        '<a:b xmlns:a="urn:another">the same prefix</a:b>'
    )
    packet = XmpPacket(xmp_of(unknown))
    again = XmpPacket(packet.to_bytes())
    assert [
        (element.tag, element.text, element.tail, element.attrib) for element in again.root.iter()
    ] == [
        (element.tag, element.text, element.tail, element.attrib) for element in packet.root.iter()
    ]
    assert again.to_bytes() == packet.to_bytes()
    assert packet.to_bytes() == (HEAD + packet.to_bytes(is_wrapped=False).decode() + TAIL).encode()
    outer = next(again.root.iter("{urn:unknown}b"))
    assert outer.get("{urn:unknown}c") == 'x\n\t"&y'
    assert outer[0].text == "<\rGroßvater"


@pytest.mark.parametrize(
    "xmp",
    [
        xmp_of(attributes='tiff:Make="Nikon"'),
        xmp_of("<tiff:Make>Nikon</tiff:Make>"),
        xmp_of('<tiff:Make rdf:resource="Nikon"/>'),
        xmp_of("<tiff:Make><rdf:Seq>\n<rdf:li>Nikon</rdf:li>\n</rdf:Seq></tiff:Make>"),
    ],
)
def test_property_is_read_set_and_removed_in_every_form(xmp):
    make = name_of("tiff:Make")
    packet = XmpPacket(xmp)
    assert packet.value(make) == "Nikon"
    packet.update({make: "Nikon", name_of("dc:source"): "not added"})
    assert packet.remove(lambda name: name == name_of("dc:source")) == []
    assert not packet.is_changed
    packet.update({make: "Leica"})
    assert packet.is_changed
    assert values_in(packet.to_bytes()) == {make: "Leica"}
    [(removed, _)] = packet.remove(make.__eq__)
    assert removed == make
    assert values_in(packet.to_bytes()) == {}
    # The namespace of nothing is not declared.
    assert b"adobe.com/tiff" not in packet.to_bytes()


def test_new_description_is_of_the_same_photograph():
    packet = XmpPacket(xmp_of("<dc:source>1932</dc:source>").replace(b'about=""', b'about="u:1"'))
    set_field(packet.add(), name_of("xmpMM:DocumentID"), "1")
    assert packet.to_bytes().count(b'rdf:about="u:1"') == 2
    assert value(packet.to_bytes(), "xmpMM:DocumentID") == "1"


@pytest.mark.parametrize("content", ['dc:source="1932"/>', "><dc:source>1932</dc:source></rdf:li>"])
def test_field_is_an_attribute_or_an_element(content):
    packet = XmpPacket(xmp_of(f"<dc:date><rdf:Seq><rdf:li {content}</rdf:Seq></dc:date>"))
    holder = next(packet.root.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"))
    name = name_of("dc:source")
    assert (field(holder, name), field(holder, name_of("dc:title"))) == ("1932", None)
    set_field(holder, name, "1933")
    assert field(holder, name) == "1933"
    assert len([*holder.items(), *holder]) == 1


def test_packets_are_merged_and_the_first_has_precedence():
    packets = [xmp_of(attributes=f'dc:source="{n}" tiff:Make="{n}" dc:r{n}="{n}"') for n in "12"]
    merged = values_in(merge_packets(packets))
    names = {name.rpartition("}")[2]: text for name, text in merged.items()}
    assert names == {"source": "1", "Make": "1", "r1": "1", "r2": "2"}
    assert merge_packets([]) == b""
    assert merge_packets(packets[:1]) == packets[0]
    assert merge_packets([packets[0], b"broken"]) == packets[0]


@pytest.mark.parametrize("size", [2000, 5000, 60_000])
def test_large_packet_is_split_and_its_largest_properties_are_moved(size):
    attributes = 'dc:source="Großmutter" xmp:Rating="5" tiff:Make="' + "a" * 3000 + '"'
    xmp = xmp_of(f"<dc:title>{'ß' * 40_000}</dc:title>", attributes)
    first, second = XmpPacket(xmp).split(size)
    assert len(first) <= size
    assert value(first, "dc:source") == "Großmutter"
    assert XmpPacket(first).value(HAS_EXTENDED_XMP) == hashlib.md5(second).hexdigest().upper()
    assert name_of("dc:title") in values_in(second)
    assert (name_of("tiff:Make") in values_in(second)) == (size < 3000)
    joined = XmpPacket(first)
    joined.merge(XmpPacket(second))
    joined.remove(HAS_EXTENDED_XMP.__eq__)
    assert values_in(joined.to_bytes()) == values_in(xmp)
