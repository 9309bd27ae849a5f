"""Says in XMP that the colors of a photograph were made by a program.

Reference: IPTC Photo Metadata Standard 2024.1, digital source type; XMP Specification Part 2, media
management.
"""

from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from data.photos.xmp import RDF, XmpPacket, field

_SOURCE_TYPE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
_EDITED_BY_A_MODEL = (
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
)
_HISTORY = "{http://ns.adobe.com/xap/1.0/mm/}History"
_EVENT = "{http://ns.adobe.com/xap/1.0/sType/ResourceEvent#}"
_AGENT, _PARAMETERS = f"{_EVENT}softwareAgent", f"{_EVENT}parameters"


@dataclass(frozen=True)
class Provenance:
    """What made the colors of a photograph.

    Attributes:
        program: str, the program and its version.
        weights: str, the name and a hash of the weights.

    Example:
        xmp = Provenance("Colorizer 1.0", "sagan").added_to(b"")
    """

    program: str
    weights: str

    def added_to(self, xmp: bytes) -> bytes:
        """Adds the digital source type and an entry of the history, without a time.

        The entry names the digital source type that it replaces. If the last entry says the same
        already, because a colored photograph is colored again, no other is added.

        Args:
            xmp: bytes of a packet that is not broken, or empty.

        Returns:
            Bytes of the packet with both, which are the same for the same `xmp`.
        """
        packet = XmpPacket(xmp)
        before = packet.value(_SOURCE_TYPE)
        parameters = f"colors by the weights {self.weights}"
        if not self._is_last(packet, parameters):
            if before and before != _EDITED_BY_A_MODEL:
                parameters += f"; the digital source type was {before}"
            event = ElementTree.SubElement(_events(packet), f"{RDF}li")
            event.set(f"{_EVENT}action", "edited")
            event.set(_AGENT, self.program)
            event.set(_PARAMETERS, parameters)
        if before != _EDITED_BY_A_MODEL:
            packet.remove(_SOURCE_TYPE.__eq__)
            packet.add().set(_SOURCE_TYPE, _EDITED_BY_A_MODEL)
        return packet.to_bytes()

    def _is_last(self, packet: XmpPacket, parameters: str) -> bool:
        history = _history(packet)
        events = [] if history is None else list(history.iter(f"{RDF}li"))
        if not events:
            return False
        found = field(events[-1], _PARAMETERS) or ""
        return field(events[-1], _AGENT) == self.program and (
            found == parameters or found.startswith(f"{parameters};")
        )


def _history(packet: XmpPacket) -> Element | None:
    return next((element for _, name, element in packet.properties() if name == _HISTORY), None)


def _events(packet: XmpPacket) -> Element:
    """The list of the events of a packet's history, which is added if there is none."""
    history = _history(packet)
    if history is None:
        history = ElementTree.SubElement(packet.add(), _HISTORY)
    for kind in ("Seq", "Bag", "Alt"):
        events = history.find(f"{RDF}{kind}")
        if events is not None:
            return events
    return ElementTree.SubElement(history, f"{RDF}Seq")
