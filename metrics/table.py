"""The table of all metrics, a row for each colorizer."""

import math
from collections.abc import Mapping, Sequence

# The columns: what `Evaluator` calls the number, the heading with the direction that is better, the
# decimals, and the number that is its standard deviation.
_COLUMNS = (
    ("psnr", "PSNR dB ^", 2, None),
    ("pooled_psnr", "pooled dB ^", 2, None),
    ("ssim", "SSIM ^", 4, None),
    ("lpips", "LPIPS v", 4, None),
    ("fid", "FID v", 2, None),
    ("kid", "KID v", 4, "kid_deviation"),
    ("inception_score", "IS ^", 2, "inception_score_deviation"),
    ("least_hue", "least hue ^", 2, None),
    ("blotches", "blotches v", 4, None),
    ("colorfulness", "CF", 1, None),
    ("delta_colorfulness", "delta CF v", 1, None),
)
_MISSING = "-"


def format_table(
    rows: Mapping[str, Mapping[str, float | None]], footnotes: Sequence[str] = ()
) -> str:
    """Sets the numbers of several colorizers below each other.

    Args:
        rows: by the name of each, what its `Evaluator` gave.
        footnotes: lines to stand below: why some numbers are missing, which network made others.

    Returns:
        Lines to print. `^` marks columns in which more is better, `v` those in which less is; a
        dash is a number that cannot be computed. There is no column for what no judge speaks of.
    """
    columns = [
        column for column in _COLUMNS if any(column[0] in numbers for numbers in rows.values())
    ]
    cells = [("", *(heading for _, heading, _, _ in columns))]
    for name, numbers in rows.items():
        cells.append((name, *(_cell(numbers, *column) for column in columns)))
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in cells
    ]
    return "\n".join([*lines, *footnotes])


def _cell(
    numbers: Mapping[str, float | None], name: str, heading: str, decimals: int, spread: str | None
) -> str:
    number = numbers.get(name)
    if number is None:
        return _MISSING
    text = _rounded(number, decimals)
    return text if spread is None else f"{text} +-{_rounded(numbers[spread], decimals)}"


def _rounded(number: float, decimals: int) -> str:
    if math.isinf(number):
        return "inf"
    # Adding 0 makes -0 a 0.
    return f"{round(number, decimals) + 0.0:.{decimals}f}"
