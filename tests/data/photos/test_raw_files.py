"""Raw files are known by their signatures."""

import pytest

from data.image_io import UnreadableImageError
from data.photos.file import PhotoFile


@pytest.mark.parametrize(
    "head",
    [
        *(b"IIRO\x08\0\0\0", b"IIRS\x08\0\0\0", b"MMOR\0\0\0\x08", b"IIU\0\x18\0\0\0"),
        *(b"FUJIFILMCCD-RAW 0201", b"\0\0\0\x18ftypcrx \0\0\0\1", b"II*\0\x10\0\0\0CR\2\0"),
        *(b"\0MRM\0\0", b"FOVb\0\0", b"II\x1a\0\0\0HEAPCCDR", b"MM\0*\0\0\0\x08MMMM"),
    ],
)
def test_raw_file_is_known_by_its_signature(tmp_path, head):
    (tmp_path / "a.tif").write_bytes(head + bytes(99))
    with pytest.raises(UnreadableImageError, match=r"^a raw file of a camera"):
        PhotoFile(tmp_path / "a.tif")
