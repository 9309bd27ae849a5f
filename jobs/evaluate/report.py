"""Writes the results of an evaluation as text, CSV and JSON, and to TensorBoard."""

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
    """The results of an evaluation.

    Attributes:
        title: str, the evaluated images, and the settings that differ from the defaults.
        table: str, lines to print, including the footnotes.
        footnotes: list of str, remarks on the metrics.
        images: int, the number of evaluated images.
        rows: list of dict, one for each row: its name, kind and path; `render_size`, the size at
            which its network was run, or None; `hints`, how many each image got; and its metrics
            by name, None where one could not be computed.
        feature_network: str or None, the network that FID, KID and the Inception Score were
            computed with.
        settings: dict, the settings of the evaluation by name.
        versions: dict, the versions of Python and of the packages by name.
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
        """The text to print."""
        return f"{self.title}\n\n{self.table}\n"


def write_csv(path: str | os.PathLike, record: EvaluationRecord) -> None:
    """Writes one line for each row. A missing metric is empty; the truth's PSNR is `inf`."""
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
    """Writes all but the table. A missing metric is null; the truth's PSNR is "inf"."""
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
    """Writes the sheet as an image summary and the table as a text summary.

    Args:
        log_dir: str or path, the folder of the event files.
        record: `EvaluationRecord`.
        sheet: uint8 array of shape (height, width, 3).
    """
    writer = tf.summary.create_file_writer(os.fsencode(log_dir))
    with writer.as_default(step=0):
        tf.summary.image("sheet", sheet[None])
        # In Markdown, four spaces mark a code block, which keeps the columns aligned.
        lines = "\n".join(f"    {line}" for line in record.table.splitlines())
        tf.summary.text("table", f"{record.title}\n\n{lines}")
    writer.close()
