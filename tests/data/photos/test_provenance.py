"""XMP says once for each coloring that the colors are machine-made."""

import pytest

from data.photos.provenance import Provenance
from data.photos.xmp import RDF, XmpPacket, field
from tests.data.photos.samples import XMP, name_of, value, xmp_of

SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSITE = SOURCES + "compositeWithTrainedAlgorithmicMedia"
PROVENANCE = Provenance("Colorizer 1.0", "sagan")
EVENT = {
    "action": "edited",
    "softwareAgent": "Colorizer 1.0",
    "parameters": "colors by the weights sagan",
}


def events_in(xmp):
    """The fields of the entries of the history."""
    [history] = XmpPacket(xmp).root.iter(name_of("xmpMM:History"))
    names = ("action", "when", "softwareAgent", "parameters")
    return [
        {name: text for name in names if (text := field(event, name_of(f"stEvt:{name}")))}
        for event in history.iter(f"{RDF}li")
    ]


@pytest.mark.parametrize("xmp", [b"", XMP, XMP.decode().encode("utf-16")])
def test_source_type_and_an_entry_without_a_time_are_added(xmp):
    said = PROVENANCE.added_to(xmp)
    assert value(said, "Iptc4xmpExt:DigitalSourceType") == COMPOSITE
    assert events_in(said) == [EVENT]
    assert value(said, "dc:source") == ("Großmutter" if xmp else None)
    assert PROVENANCE.added_to(xmp) == said


FORMS = [
    xmp_of(attributes=f'Iptc4xmpExt:DigitalSourceType="{SOURCES}negativeFilm"'),
    xmp_of(f"<Iptc4xmpExt:DigitalSourceType>{SOURCES}negativeFilm</Iptc4xmpExt:DigitalSourceType>"),
    xmp_of(f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{SOURCES}negativeFilm"/>'),
]


@pytest.mark.parametrize("xmp", FORMS)
def test_source_type_of_the_scan_moves_to_the_history(xmp):
    said = PROVENANCE.added_to(xmp)
    assert value(said, "Iptc4xmpExt:DigitalSourceType") == COMPOSITE
    assert said.count(b"Iptc4xmpExt:DigitalSourceType") == 1
    parameters = f"{EVENT['parameters']}; the digital source type was {SOURCES}negativeFilm"
    assert events_in(said) == [{**EVENT, "parameters": parameters}]


EARLIER = 'stEvt:action="created" stEvt:softwareAgent="SilverFast"'


@pytest.mark.parametrize(
    ("history", "earlier"),
    [
        (f"<rdf:Seq><rdf:li {EARLIER}/></rdf:Seq>", 1),
        (f"<rdf:Bag><rdf:li {EARLIER}/></rdf:Bag>", 1),
        ("<rdf:Seq/>", 0),
        ("", 0),
    ],
)
def test_entry_follows_those_that_are_there(history, earlier):
    attributes = 'xmp:CreatorTool="SilverFast"'
    xmp = xmp_of(f"<xmpMM:History>{history}</xmpMM:History>", attributes)
    events = events_in(PROVENANCE.added_to(xmp))
    scanned = {"action": "created", "softwareAgent": "SilverFast"}
    assert events == [scanned] * earlier + [EVENT]
    assert value(PROVENANCE.added_to(xmp), "xmp:CreatorTool") == "SilverFast"


@pytest.mark.parametrize("xmp", [b"", FORMS[0]])
def test_coloring_again_adds_an_entry_for_other_weights_only(xmp):
    once = PROVENANCE.added_to(xmp)
    assert PROVENANCE.added_to(once) == XmpPacket(once).to_bytes() == once
    twice = Provenance("Colorizer 1.0", "sagan, finer").added_to(once)
    assert [event["parameters"] for event in events_in(twice)] == [
        events_in(once)[0]["parameters"],
        "colors by the weights sagan, finer",
    ]


def test_names_are_escaped():
    said = Provenance("Colorizer 1.0", "Anna's \"<&> weights").added_to(b"")
    assert events_in(said)[0]["parameters"] == "colors by the weights Anna's \"<&> weights"
