"""Profiles that no library makes: gray ones, and one of a scanner without the reverse; HEIC."""

import struct

import numpy as np
import pytest

_WHITE = (0.9642, 1.0, 0.8249)
_SRGB_TO_XYZ = [[0.4360, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]]


@pytest.fixture(scope="session")
def make_gray_profile():
    """A function of a gamma that makes a gray profile."""

    def make(gamma):
        curve = b"curv" + struct.pack(">LLH", 0, 1, round(gamma * 256))
        return _icc(b"GRAY", b"mntr", {b"kTRC": curve})

    return make


@pytest.fixture(scope="session")
def scanner_profile():
    """An RGB profile with a table for gamma 1.8, which converts to XYZ but not back."""
    levels = np.round(np.linspace(0, 1, 256) ** 1.8 * 65535)
    corners = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), axis=-1).reshape(-1, 3)
    tables = [
        *[levels] * 3,
        np.round(corners @ np.transpose(_SRGB_TO_XYZ) * 2**15).ravel(),
        *[[0, 65535]] * 3,
    ]
    head = b"mft2" + bytes(4) + bytes([3, 3, 2, 0]) + _numbers(*np.eye(3).ravel())
    head += struct.pack(">HH", 256, 2)
    return _icc(b"RGB ", b"scnr", {b"A2B0": head + np.concatenate(tables).astype(">u2").tobytes()})


@pytest.fixture
def pillow_heif():
    """The optional library of HEIC, which Pillow then uses."""
    module = pytest.importorskip("pillow_heif")
    module.register_heif_opener()
    return module


def _icc(space, device, tags):
    """Makes a profile.

    Reference: ICC.1:2001-04, sections 6.1 and 6.2.
    """
    tags = {
        b"desc": b"desc" + struct.pack(">LL5s", 0, 5, b"test\0") + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": b"XYZ " + bytes(4) + _numbers(*_WHITE),
        **tags,
    }
    table, body = struct.pack(">L", len(tags)), b""
    for tag, value in tags.items():
        offset = 128 + 4 + 12 * len(tags) + len(body)
        table += struct.pack(">4sLL", tag, offset, len(value))
        body += value + bytes(-len(value) % 4)
    size = 128 + len(table) + len(body)
    head = struct.pack(">LLL4s4s4s", size, 0, 0x02400000, device, space, b"XYZ ")
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp"
    return head.ljust(68, b"\0") + _numbers(*_WHITE).ljust(60, b"\0") + table + body


def _numbers(*values):
    """Encodes numbers as s15Fixed16Number of ICC, with 16 fractional bits."""
    return b"".join(struct.pack(">l", round(value * 65536)) for value in values)
