"""Recognizes the format of an image by the first bytes of its file."""

# The number of first bytes that are enough.
HEAD = 64

_SIGNATURES = {
    **{b"\xff\xd8\xff": ".jpg", b"\x89PNG\r\n\x1a\n": ".png", b"GIF8": ".gif"},
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), ".tif"),
    **dict.fromkeys((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"), ".jp2"),
    **{b"P%d%c" % (kind, end): ".pnm" for kind in range(1, 7) for end in b"\n\r "},
    b"\x01\xda": ".sgi",
}
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (
    *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
    *(b"mif1", b"msf1"),
)


def suffix_by_contents(head: bytes) -> str | None:
    """The usual suffix for a file that begins with these bytes, or None if it is not an image.

    Args:
        head: bytes, the first `HEAD` bytes of the file, or all if it has fewer.

    Example:
        suffix_by_contents(b"GIF89a")       # ".gif"
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ".webp"
    # The two bytes after the size of a bitmap are zero; "BM" alone also begins texts.
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return ".bmp"
    if head[4:8] == b"ftyp":
        end = int.from_bytes(head[:4], "big")
        brands = [head[start : start + 4] for start in (8, *range(16, min(end, HEAD), 4))]
        if any(brand in _AVIF_BRANDS for brand in brands):
            return ".avif"
        return ".heic" if any(brand in _HEIF_BRANDS for brand in brands) else None
    return next((suffix for start, suffix in _SIGNATURES.items() if head.startswith(start)), None)
