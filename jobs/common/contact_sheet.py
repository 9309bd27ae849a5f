"""Contact sheets: images side by side, with column headings and captions."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

# Narrower images are enlarged by a whole factor, so that their pixels can be seen.
_SMALLEST = 112
_COLUMNS = 2
# The widest sheet, in pixels, that a screen still shows without much shrinking.
_WIDEST = 2400
_GAP = 4
_MARGIN = 24
_TEXT = 14
_LINE = 20


def draw_contact_sheet(
    kinds: dict[str, np.ndarray], captions: Sequence[str] | None = None
) -> np.ndarray:
    """Draws a row for each image with its kinds side by side, in two columns if there is room.

    Args:
        kinds: dict from headings to images, uint8 arrays of shape (count, height, width, 3), all
            of the same shape.
        captions: sequence of str, a line of text below each image, or None. Defaults to `None`.

    Returns:
        uint8 array of shape (total height, total width, 3).
    """
    rows = np.stack(list(kinds.values()), axis=1)
    factor = -(-_SMALLEST // rows.shape[3])
    rows = rows.repeat(factor, axis=2).repeat(factor, axis=3)
    count, _, height, width, _ = rows.shape
    step_x = len(kinds) * (width + _GAP) - _GAP + _MARGIN
    step_y = height + _GAP + (_LINE if captions else 0)
    columns = max(1, min(_COLUMNS, count, _WIDEST // step_x))
    lines = -(-count // columns)
    sheet = Image.new(
        "RGB", (columns * step_x + _MARGIN, lines * step_y + _LINE + 2 * _GAP), "white"
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_TEXT)
    for column in range(columns):
        for number, heading in enumerate(kinds):
            left = _MARGIN + column * step_x + number * (width + _GAP)
            draw.text((left, _GAP), _shortened(heading, width, font), "black", font)
    for index, row in enumerate(rows):
        left = _MARGIN + index // lines * step_x
        top = _LINE + _GAP + index % lines * step_y
        for number, image in enumerate(row):
            sheet.paste(Image.fromarray(image), (left + number * (width + _GAP), top))
        if captions:
            caption = _shortened(captions[index], step_x - _MARGIN, font)
            draw.text((left, top + height + 1), caption, "black", font)
    return np.asarray(sheet)


def _shortened(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """The text, cut off with "..." where it is wider than `width` pixels."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
