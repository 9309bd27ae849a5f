"""Recognizes the raw files of cameras, whose only ordinary images are small previews.

Reference: the lists of signatures of ExifTool and dcraw; DNG 1.7, chapter 4.
"""

RAW = "a raw file of a camera or scanner: develop it to TIFF or JPEG first"

_SIGNATURES = (
    *(b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"\0MRM", b"FOVb"),
    b"II\x1a\0\0\0HEAPCCDR",
)
# What follows the head of a TIFF: Canon's CR2 and Phase One's IIQ.
_AFTER_TIFF = (b"CR", b"IIII", b"MMMM")
_CR3 = b"ftypcrx "

# Mosaics of a sensor, linear data of a sensor, and the compressions of Nikon, Sony, Pentax, Kodak.
_PHOTOMETRICS = (32803, 34892)
_COMPRESSIONS = (32767, 32769, 32770, 32867, 34713, 65000, 65535)


def is_raw_file(head: bytes) -> bool:
    """Whether a file of this head, at least 16 bytes, is raw by its signature."""
    after = head[8:12] if head[:2] in (b"II", b"MM") else b""
    is_known = head.startswith(_SIGNATURES) or head[4:12] == _CR3
    return is_known or after.startswith(_AFTER_TIFF)


def is_raw_image(photometric: int, compression: int) -> bool:
    """Whether an image in a TIFF is raw by its tags."""
    return photometric in _PHOTOMETRICS or compression in _COMPRESSIONS
