"""Samples of any depth are scaled to 8 or 16 bits, of which the largest number is white."""

import numpy as np
import pytest

from data.photos.deep_samples import scale_floats, scale_integers, scale_to_white


@pytest.mark.parametrize(
    ("bits", "samples", "expected"),
    [
        (1, [0, 1], [0, 255]),
        (6, [0, 32, 63], [0, 130, 255]),
        (8, [0, 99, 255], [0, 99, 255]),
        (12, [0, 2048, 4095], [0, 32776, 65535]),
        (32, [0, 2**31, 2**32 - 1], [0, 32768, 65535]),
    ],
)
def test_largest_number_of_the_bits_is_white(bits, samples, expected):
    scaled, note = scale_integers(np.array(samples, "uint32"), bits)
    assert scaled.dtype == ("uint8" if bits <= 8 else "uint16")
    assert scaled.tolist() == expected
    assert note == ""


def test_numbers_above_white_are_white():
    assert scale_to_white(np.array([0, 100, 101], "uint16"), 100)[0].tolist() == [0, 255, 255]


def test_white_of_32_bits_is_the_largest_number_if_all_are_dark():
    scaled, note = scale_integers(np.array([0, 500, 1000], "uint32"), 32)
    assert scaled.tolist() == [0, 32768, 65535]
    assert note == "its numbers reach only 1000 of 4294967295, which is taken for white"


@pytest.mark.parametrize(
    ("samples", "expected", "note"),
    [
        ([0.0, 0.5, 1.0], [0, 32768, 65535], ""),
        ([0.0, 20.0, 40.0], [0, 32768, 65535], "its largest number, 40, is taken for white"),
        ([-1.0, np.nan, 1.0], [0, 0, 65535], "numbers below 0 or not finite are taken for black"),
    ],
)
def test_floats_are_scaled_with_a_note_of_what_is_odd(samples, expected, note):
    scaled, received = scale_floats(np.array(samples, "float32"))
    assert scaled.tolist() == expected
    assert received == note
