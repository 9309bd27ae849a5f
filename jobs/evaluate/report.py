"""Where the numbers of an evaluation go: lines to print, CSV, JSON and TensorBoard."""

import csv
import dataclasses
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from data.atomic import write_beside


@dataclass(frozen=True)
class EvaluationRecord:
    """The outcome of an evaluation.

    Attributes:
        title: str, by which images was judged.
        table: str, lines to print, footnotes included.
        footnotes: list of str, what is to be said of the numbers.
        images: int, how many there were.
        rows: a dictionary for each row: its name, kind and path, `render_size`, at which a network
            saw the images, and its numbers by name; None is a number that cannot be computed.
        feature_network: str or None, what FID, KID and the Inception Score were computed with.
        settings: those of the evaluation, by name.
        versions: of Python and of packages, by name.
    """

    title: str
    table: str
    footnotes: list[str]
    images: int
    rows: list[dict[str, Any]]
    feature_network: str | None
    settings: dict[str, Any]
    versions: dict[str, str]

    def text(self) -> str:
        """What to print."""
        return f"{self.title}\n\n{self.table}\n"


def write_csv(path: str | os.PathLike, record: EvaluationRecord) -> None:
    """Writes a line for each row. What cannot be computed is empty; the truth's PSNR is `inf`."""
    resolution = record.settings["resolution"]
    with (
        write_beside(path) as temporary,
        open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        table = csv.DictWriter(file, [*record.rows[0], "images", "resolution"], lineterminator="\n")
        table.writeheader()
        for row in record.rows:
            table.writerow({**row, "images": record.images, "resolution": resolution})


def write_json(path: str | os.PathLike, record: EvaluationRecord) -> None:
    """Writes all but the table. What cannot be computed is null; the truth's PSNR is "inf"."""
    contents = dataclasses.asdict(record)
    del contents["table"]
    contents["rows"] = [_for_json(row) for row in contents["rows"]]
    with write_beside(path) as temporary:
        temporary.write_text(json.dumps(contents, indent=2, allow_nan=False) + "\n", "utf-8")


def _for_json(row: Mapping[str, Any]) -> dict[str, Any]:
    # JSON has no infinity.
    return {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def write_to_tensorboard(
    log_dir: str | os.PathLike, record: EvaluationRecord, sheet: np.ndarray
) -> None:
    """Writes the sheet to the page of images, and the table to that of text.

    Args:
        log_dir: the folder.
        record: the outcome.
        sheet: uint8 array of shape (height, width, 3).
    """
    writer = tf.summary.create_file_writer(os.fsencode(log_dir))
    with writer.as_default(step=0):
        tf.summary.image("sheet", sheet[None])
        # Markdown's sign for text that keeps its columns.
        lines = "\n".join(f"    {line}" for line in record.table.splitlines())
        tf.summary.text("table", f"{record.title}\n\n{lines}")
    writer.close()
