"""XMP packets: read in every form that programs write, changed, and written as UTF-8.

Reference: ISO 16684-1; XMP Specification Part 3 (Adobe, 2020), section 1.1.3.1, extended XMP.
"""

import codecs
import hashlib
import itertools
from collections.abc import Callable, Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
XMP_NOTE = "{http://ns.adobe.com/xmp/note/}"
HAS_EXTENDED_XMP = f"{XMP_NOTE}HasExtendedXMP"

_META = "{adobe:ns:meta/}xmpmeta"
_ABOUT = f"{RDF}about"
_NOT_PROPERTIES = (_ABOUT, "{http://www.w3.org/XML/1998/namespace}lang")

# The prefixes of new properties; other namespaces must be in the packet.
_PREFIXES = {
    "adobe:ns:meta/": "x",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://ns.adobe.com/xmp/note/": "xmpNote",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#": "stEvt",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
}
# This prefix is never declared.
_XML = {"http://www.w3.org/XML/1998/namespace": "xml"}

_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_TAIL = '\n<?xpacket end="w"?>'

# XMP of programs is a tenth as deep; Python's stack would not hold a thousand levels.
_DEEPEST = 100

_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_IN_ATTRIBUTE = _IN_TEXT | str.maketrans({'"': "&quot;", "\n": "&#xA;", "\t": "&#x9;"})


class XmpPacket:
    """The properties of an XMP packet.

    Names are written as in `xml.etree`: `{URI of the namespace}name`.

    Args:
        packet: bytes of the packet, with or without its wrapper. Defaults to `b""`, a packet
            without properties.

    Attributes:
        root: `xml.etree.ElementTree.Element`, the whole tree.
        is_changed: bool, whether a property was changed. Whoever changes the tree sets it.

    Raises:
        ValueError: the packet is broken.

    Example:
        packet = XmpPacket(b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')
        packet.update({"{http://ns.adobe.com/tiff/1.0/}Orientation": "1"})
        xmp = packet.to_bytes()         # as before: it has no orientation
    """

    def __init__(self, packet: bytes = b""):
        self.is_changed = False
        builder = _TreeBuilder()
        text = _decode(packet) or f'<x:xmpmeta xmlns:x="{_META[1:].partition("}")[0]}"/>'
        if "<!DOCTYPE" in text:
            # No program writes one; its entities can fill the memory.
            raise ValueError("it has a document type")
        parser = ElementTree.XMLParser(target=builder)
        try:
            parser.feed(text)
            self.root: Element = parser.close()
        except (ElementTree.ParseError, UnicodeError) as error:
            raise ValueError(f"it is no XML: {error}") from error
        self._prefixes = builder.prefixes
        found = next(self.root.iter(f"{RDF}RDF"), None)
        if found is None:
            if self.root.tag.rpartition("}")[2] not in ("xmpmeta", "xapmeta"):
                raise ValueError("it contains no RDF")
            found = ElementTree.SubElement(self.root, f"{RDF}RDF")
        self._rdf = found

    def properties(self) -> Iterator[tuple[Element, str, Element | None]]:
        """Yields all properties.

        Yields:
            Tuples of the element that describes the photograph, the name of a property, and the
            property's own element, or None if it is an attribute.
        """
        for description in list(self._rdf):
            for name in list(description.keys()):
                if name not in _NOT_PROPERTIES:
                    yield description, name, None
            for element in list(description):
                yield description, element.tag, element

    def value(self, name: str) -> str | None:
        """The text or the resource of a property; None if there is no such property."""
        for description, found, element in self.properties():
            if found == name:
                if element is None:
                    return description.get(name)
                return element.get(f"{RDF}resource") or "".join(element.itertext()).strip()
        return None

    def update(self, values: dict[str, str]) -> None:
        """Gives properties other values, if the packet has these properties.

        Args:
            values: dict of str to str, the values by name.
        """
        for description, name, element in self.properties():
            if name not in values or self.value(name) == values[name]:
                continue
            if element is None:
                description.set(name, values[name])
            else:
                tail = element.tail
                element.clear()
                element.text, element.tail = values[name], tail
            self.is_changed = True

    def remove(self, is_unwanted: Callable[[str], bool]) -> list[tuple[str, Element | None]]:
        """Removes properties.

        Args:
            is_unwanted: function of the name of a property.

        Returns:
            List of the names of the removed properties, and their elements or None.
        """
        removed = []
        for description, name, element in self.properties():
            if is_unwanted(name):
                if element is None:
                    del description.attrib[name]
                else:
                    description.remove(element)
                removed.append((name, element))
        self.is_changed = self.is_changed or bool(removed)
        return removed

    def add(self) -> Element:
        """Adds a description of the photograph, without properties, and returns it."""
        self.is_changed = True
        about = next((text for one in self._rdf if (text := one.get(_ABOUT))), "")
        return ElementTree.SubElement(self._rdf, f"{RDF}Description", {_ABOUT: about})

    def merge(self, other: "XmpPacket") -> None:
        """Adds the properties of another packet that this one does not have."""
        own = {name for _, name, _ in self.properties()}
        other.remove(own.__contains__)
        self._rdf.extend(other._rdf)
        self._prefixes = other._prefixes | self._prefixes
        self.is_changed = True

    def to_bytes(self, is_wrapped: bool = True) -> bytes:
        """The packet in UTF-8, without padding.

        Args:
            is_wrapped: bool, whether the packet begins and ends with the processing instructions
                by which programs find it. Defaults to `True`.
        """
        text = self._to_text()
        return (_HEAD + text + _TAIL if is_wrapped else text).encode()

    def split(self, largest: int) -> tuple[bytes, bytes]:
        """The packet in two, for JPEG, whose segments are small.

        Args:
            largest: int, the number of bytes that the first part may have, at least 1000.

        Returns:
            Tuple of the packet with the smallest properties, which names the second by its MD5, and
            the second with all others, without a wrapper.
        """
        rest, first = XmpPacket(self.to_bytes()), XmpPacket()
        first._prefixes = rest._prefixes
        names = _Names(rest._prefixes)
        texts = [
            f' {names[name]}="{one.get(name, "").translate(_IN_ATTRIBUTE)}"'
            if element is None
            else _serialize(element, names)
            for one, name, element in rest.properties()
        ]
        small = first.add()
        # The name of the second part is added, and perhaps every namespace is declared.
        room = largest - len(first.to_bytes() + names.declarations().encode()) - 200
        sized = zip((len(text.encode()) for text in texts), rest.properties(), strict=True)
        for size, (description, name, element) in sorted(sized, key=lambda pair: pair[0]):
            room -= size
            if room < 0:
                break
            small.set(_ABOUT, description.get(_ABOUT, ""))
            if element is None:
                small.set(name, description.attrib.pop(name))
            else:
                description.remove(element)
                small.append(element)
        second = rest.to_bytes(is_wrapped=False)
        digest = hashlib.md5(second, usedforsecurity=False).hexdigest().upper()
        first.add().set(HAS_EXTENDED_XMP, digest)
        return first.to_bytes(), second

    def _to_text(self) -> str:
        names = _Names(self._prefixes)
        text = _serialize(self.root, names)
        head = f"<{names[self.root.tag]}"
        return head + names.declarations() + text[len(head) :]


def merge_packets(packets: list[bytes]) -> bytes:
    """Joins the XMP packets of a file, of which most have one; the first has precedence.

    Args:
        packets: list of bytes. If one is broken, the first is returned.
    """
    if len(packets) < 2:
        return packets[0] if packets else b""
    try:
        first, *others = map(XmpPacket, packets)
    except ValueError:
        return packets[0]
    for other in others:
        first.merge(other)
    return first.to_bytes()


def field(holder: Element, name: str) -> str | None:
    """A field of a structure, which is an attribute or an element; None if it does not exist."""
    value = holder.get(name)
    return holder.findtext(name) if value is None else value


def set_field(holder: Element, name: str, value: str) -> None:
    """Gives a field of a structure a value."""
    element = holder.find(name)
    if element is None:
        holder.set(name, value)
    else:
        element.text = value


class _TreeBuilder(ElementTree.TreeBuilder):
    """Builds the tree of a packet, and notes the prefixes of its namespaces."""

    def __init__(self):
        super().__init__()
        self.prefixes: dict[str, str] = {}
        self._depth = 0

    def start_ns(self, prefix: str, uri: str) -> None:
        self.prefixes.setdefault(uri, prefix)

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("it is too deep")
        return super().start(tag, attributes)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag)


def _decode(packet: bytes) -> str:
    # The first characters are ASCII or a byte order mark, so their zeros tell the encoding.
    zeros = [byte == 0 for byte in packet[:4]]
    encoding = "utf-8"
    if packet.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)) or sum(zeros) == 3:
        encoding = "utf-32-be" if zeros[0] else "utf-32-le"
    elif packet.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or any(zeros):
        encoding = "utf-16-le" if packet[:1] == b"\xff" or zeros[1] else "utf-16-be"
    try:
        return packet.decode(encoding).strip("\ufeff\0 \t\r\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is no text in {encoding}") from error


class _Names(dict):
    """The names of a packet as they are written, with the prefixes of their namespaces.

    Args:
        prefixes: dict of the prefixes by namespace; they may be empty or ambiguous.
    """

    def __init__(self, prefixes: dict[str, str]):
        super().__init__()
        self._prefixes: dict[str, str] = {}
        taken: set[str] = set()
        for uri, prefix in (_XML | prefixes | _PREFIXES).items():
            numbered = (f"ns{number}" for number in itertools.count(1))
            candidates = itertools.chain([prefix] if prefix else [], numbered)
            self._prefixes[uri] = next(one for one in candidates if one not in taken)
            taken.add(self._prefixes[uri])

    def __missing__(self, name: str) -> str:
        uri, _, local = name[1:].rpartition("}")
        self[name] = f"{self._prefixes[uri]}:{local}" if uri else name
        return self[name]

    def declarations(self) -> str:
        """The declarations of the prefixes that were used."""
        used = dict.fromkeys(name[1:].partition("}")[0] for name in self if name[0] == "{")
        return "".join(
            f' xmlns:{self._prefixes[uri]}="{uri.translate(_IN_ATTRIBUTE)}"'
            for uri in used
            if uri not in _XML
        )


def _serialize(element: Element, names: _Names) -> str:
    tag = names[element.tag]
    attributes = "".join(
        f' {names[name]}="{value.translate(_IN_ATTRIBUTE)}"' for name, value in element.items()
    )
    children = "".join(_serialize(child, names) for child in element)
    text = (element.text or "").translate(_IN_TEXT) + children
    after = (element.tail or "").translate(_IN_TEXT)
    return f"<{tag}{attributes}>{text}</{tag}>{after}" if text else f"<{tag}{attributes}/>{after}"
