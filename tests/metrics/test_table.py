"""The table shows every metric, and a dash for one that cannot be computed."""

import math

from metrics.table import format_table

NUMBERS = {
    "psnr": 23.456,
    "pooled_psnr": 22.1,
    "ssim": 0.98765,
    "lpips": 0.12345,
    "fid": 8.7,
    "kid": 0.00123,
    "kid_deviation": 0.0004,
    "inception_score": 12.3,
    "inception_score_deviation": 0.5,
    "least_hue": 0.456,
    "blotches": 0.01234,
    "colorfulness": 31.6,
    "delta_colorfulness": 8.04,
}


def row_of(numbers, name="ours"):
    heading, row = format_table({name: numbers}).splitlines()
    assert len(heading) == len(row)
    return row.removeprefix(name).split("  ")


def cells_of(numbers):
    return [cell.strip() for cell in row_of(numbers) if cell.strip()]


def test_every_metric_is_shown():
    assert cells_of(NUMBERS) == [
        *("23.46", "22.10", "0.9877", "0.1235", "8.70", "0.0012 +-0.0004"),
        *("12.30 +-0.50", "0.46", "0.0123", "31.6", "8.0"),
    ]


def test_metrics_that_cannot_be_computed_are_dashes():
    missing = dict.fromkeys(("lpips", "fid", "kid", "inception_score"))
    assert cells_of({**NUMBERS, **missing})[3:7] == ["-"] * 4


def test_psnr_without_error_is_inf():
    assert cells_of({**NUMBERS, "psnr": math.inf})[0] == "inf"


def test_columns_are_aligned():
    table = format_table({"a": NUMBERS, "a longer name": {**NUMBERS, "psnr": 5.0}})
    lines = table.splitlines()
    assert {len(line) for line in lines} == {len(lines[0])}
    ends = [
        line.index(number) + 5 for line, number in zip(lines[1:], ["23.46", " 5.00"], strict=True)
    ]
    assert ends[0] == ends[1] == lines[0].index("PSNR dB ^") + len("PSNR dB ^")


def test_headings_show_whether_higher_or_lower_is_better():
    heading = format_table({"ours": NUMBERS}).splitlines()[0]
    assert all(
        part in heading for part in ("PSNR dB ^", "SSIM ^", "LPIPS v", "FID v", "delta CF v")
    )


def test_footnotes_are_below_the_table():
    assert format_table({"ours": NUMBERS}, ["FID by X", "no LPIPS"]).endswith(
        "\nFID by X\nno LPIPS"
    )
