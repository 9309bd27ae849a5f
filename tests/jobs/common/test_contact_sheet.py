"""Tests of contact sheets: the layout, the headings and captions, and enlarged images."""

import numpy as np
import pytest

from jobs.common.contact_sheet import draw_contact_sheet

GAP = 4
MARGIN = 24
LINE = 20
TOP = LINE + GAP
LONG = "a class of things whose name is so long that no row of three small images can hold it"


def noise(count, height=16, width=16, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, height, width, 3), dtype="uint8")


def kinds_of(count, *size):
    return {
        name: noise(count, *size, seed=seed) for seed, name in enumerate(("gray", "ab", "color"))
    }


def area(sheet, index, number, lines, size, caption_height=0, kinds=3):
    """Returns the part of a sheet where kind `number` of image `index` should be."""
    height, width = size
    column, row = divmod(index, lines)
    left = MARGIN + column * (kinds * (width + GAP) - GAP + MARGIN) + number * (width + GAP)
    top = TOP + row * (height + GAP + caption_height)
    return sheet[top : top + height, left : left + width]


def has_text(part):
    return part.min() < 64 and part.max() == 255


@pytest.mark.parametrize(
    ("count", "columns", "lines"), [(1, 1, 1), (2, 2, 1), (3, 2, 2), (7, 2, 4), (16, 2, 8)]
)
def test_images_fill_the_first_column_and_then_the_second(count, columns, lines):
    kinds = kinds_of(count, 120, 130)
    sheet = draw_contact_sheet(kinds)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (
        TOP + lines * (120 + GAP) + GAP,
        MARGIN + columns * (3 * (130 + GAP) - GAP + MARGIN),
        3,
    )
    for number, images in enumerate(kinds.values()):
        for index, image in enumerate(images):
            drawn = area(sheet, index, number, lines, (120, 130))
            np.testing.assert_array_equal(drawn, image, err_msg=f"{number} of {index}")


def test_everything_but_images_and_headings_is_white():
    sheet = draw_contact_sheet(kinds_of(3, 120, 120)).copy()
    for index in range(3):
        for number in range(3):
            area(sheet, index, number, 2, (120, 120))[:] = 255
    assert (sheet[TOP:] == 255).all()
    assert (sheet[:, :MARGIN] == 255).all()
    assert (sheet[:, -MARGIN:] == 255).all()


def test_each_kind_has_its_heading_in_each_column():
    sheet = draw_contact_sheet({"gray": noise(2), "ab": noise(2)})
    headings = sheet[:TOP]
    lefts = [MARGIN, MARGIN + 116, 2 * MARGIN + 228, 2 * MARGIN + 228 + 116]
    drawn = [headings[:, left : left + 112] for left in lefts]
    assert all(map(has_text, drawn))
    np.testing.assert_array_equal(drawn[0], drawn[2])
    np.testing.assert_array_equal(drawn[1], drawn[3])
    assert (drawn[0] != drawn[1]).any()


@pytest.mark.parametrize(
    ("size", "factor"),
    [(16, 7), (37, 4), (64, 2), (111, 2), (112, 1), (113, 1), (256, 1)],
)
def test_small_images_are_enlarged_by_a_whole_factor(size, factor):
    kinds = kinds_of(2, size, size)
    sheet = draw_contact_sheet(kinds)
    side = size * factor
    for number, images in enumerate(kinds.values()):
        for index, image in enumerate(images):
            drawn = area(sheet, index, number, 1, (side, side))
            expected = np.kron(image, np.ones((factor, factor, 1), "uint8"))
            np.testing.assert_array_equal(drawn, expected)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_captions_are_below_their_images(count):
    kinds = kinds_of(count, 120, 120)
    captions = [f"class {number}" for number in range(count)]
    sheet = draw_contact_sheet(kinds, captions)
    lines = -(-count // 2)
    below = []
    for index in range(count):
        for number, images in enumerate(kinds.values()):
            drawn = area(sheet, index, number, lines, (120, 120), LINE)
            np.testing.assert_array_equal(drawn, images[index])
        column, row = divmod(index, lines)
        left = MARGIN + column * (3 * 124 - GAP + MARGIN)
        top = TOP + row * (120 + GAP + LINE) + 120
        below.append(sheet[top : top + LINE + GAP, left : left + 120])
    assert all(map(has_text, below))
    assert len({strip.tobytes() for strip in below}) == count


def test_captions_are_not_cut_off():
    # These letters reach below the baseline.
    captions = ["gjpqy", "gjpqy"]
    sheet = draw_contact_sheet(kinds_of(2, 120, 120), captions)
    last = sheet[TOP + 120 :]
    assert has_text(last)
    assert (last[-GAP:] == 255).all()


@pytest.mark.parametrize(
    "caption",
    ["", "Größe", "котёнок", "猫", "قط", "\N{CAT}", "\udcff"],
    ids=["none", "umlaut", "Cyrillic", "Chinese", "Arabic", "emoji", "not UTF-8"],
)
def test_any_caption_leaves_the_images_unchanged(caption):
    kinds = kinds_of(3, 120, 120)
    plain = draw_contact_sheet(kinds, ["", "", ""])
    sheet = draw_contact_sheet(kinds, [caption, "", ""])
    assert sheet.shape == plain.shape
    changed = np.argwhere((sheet != plain).any(axis=-1))
    assert len(changed) or not caption
    strip_top = TOP + 120
    inside = np.all((changed >= (strip_top, MARGIN)) & (changed < (strip_top + LINE + GAP, 384)))
    assert inside


def test_long_caption_stays_below_its_own_images():
    kinds = kinds_of(2)
    plain = draw_contact_sheet(kinds, ["", ""])
    width = 3 * (112 + GAP) - GAP
    for captions, left in (([LONG, ""], MARGIN), (["", LONG], 2 * MARGIN + width)):
        changed = (draw_contact_sheet(kinds, captions) != plain).any(axis=(0, 2))
        columns = np.flatnonzero(changed)
        assert len(columns)
        assert left <= columns.min()
        assert columns.max() < left + width
