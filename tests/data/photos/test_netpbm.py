"""Netpbm images of every kind and depth are read rightly, for coloring and for training."""

import numpy as np
import pytest

from data.photos.file import PhotoFile
from tests.data.photos.matrix import ALPHA, HEIGHT, WIDTH, mismatch, numbers


def netpbm_cells():
    for maximum in (1, 15, 100, 255, 1023, 4095, 65535):
        for magic in ("P2", "P3", "P5", "P6", "P7"):
            for channels in (1, 2, 3, 4) if magic == "P7" else (3 if magic in ("P3", "P6") else 1,):
                yield magic, channels, maximum


def netpbm(magic, stored, maximum):
    height, width, channels = stored.shape
    if magic == "P7":
        kind = ("GRAYSCALE", "GRAYSCALE_ALPHA", "RGB", "RGB_ALPHA")[channels - 1]
        fields = f"WIDTH {width}\nHEIGHT {height}\nDEPTH {channels}\nMAXVAL {maximum}"
        head = f"P7\n{fields}\nTUPLTYPE {kind}\nENDHDR\n"
    else:
        head = f"{magic}\n# a scanner\n{width} {height}\n{maximum}\n"
    if magic in ("P2", "P3"):
        return head.encode() + " ".join(map(str, stored.ravel())).encode()
    return head.encode() + stored.astype(">u2" if maximum > 255 else "u1").tobytes()


def test_netpbm_of_every_depth_is_read_rightly(tmp_path):
    wrong = {}
    for cell in netpbm_cells():
        magic, channels, maximum = cell
        stored = np.round(numbers(channels) * maximum).astype(int)
        (tmp_path / "a.pnm").write_bytes(netpbm(magic, stored, maximum))
        has_alpha = channels in (2, 4)
        colors, alpha = np.split(stored / maximum, [channels - has_alpha], axis=2)
        if problem := mismatch(tmp_path / "a.pnm", colors, alpha, (ALPHA,) * has_alpha):
            wrong[cell] = problem
    assert wrong == {}


@pytest.mark.parametrize("largest", [1.0, 40.0])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3])
def test_portable_float_map_is_read_rightly(tmp_path, channels, order, largest):
    colors = numbers(channels)
    head = f"P{'F' if channels == 3 else 'f'}\n{WIDTH} {HEIGHT}\n{-1.0 if order == '<' else 1.0}\n"
    stored = (colors[::-1] * largest).astype(f"{order}f4")
    (tmp_path / "a.pfm").write_bytes(head.encode() + stored.tobytes())
    assert mismatch(tmp_path / "a.pfm", colors) is None
    photo = PhotoFile(tmp_path / "a.pfm")
    list(photo.pages[0].strips())
    expected = ["its largest number, 40, is taken for white"] if largest > 1 else []
    assert photo.notes == expected


def test_there_are_so_many_kinds_of_netpbm_images():
    assert len(list(netpbm_cells())) == 56
