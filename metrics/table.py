"""Formats the metrics of colorizers as a table."""

import math
from collections.abc import Mapping, Sequence

# The columns: the name in `Evaluator.results`, the heading with the better direction, the decimals,
# and the name of the standard deviation.
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
    """Formats the metrics of several colorizers, one row each.

    Args:
        rows: dict, the results of an `Evaluator` by the name of the row.
        footnotes: sequence of str, lines below the table. Defaults to `()`.

    Returns:
        Lines to print. `^` marks columns in which higher is better and `v` those in which lower is
        better; a dash is a metric that cannot be computed. Metrics that are in no row have no
        column.

    Example:
        print(format_table({"sagan": {"psnr": 23.82, "lpips": 0.1598}, "gray": {"psnr": 23.06}}))
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
    deviation = None if spread is None else numbers[spread]
    return text if deviation is None else f"{text} +-{_rounded(deviation, decimals)}"


def _rounded(number: float, decimals: int) -> str:
    if math.isinf(number):
        return "inf"
    # Adding 0 makes -0 a 0.
    return f"{round(number, decimals) + 0.0:.{decimals}f}"
