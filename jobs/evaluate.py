"""Judges colorizers: one table of metrics, and a sheet of the same pictures under each of them.

python run.py --evaluate --dataset my_photographs/
python run.py --evaluate --dataset DIR --weights weights/sagan weights/other --predictions theirs/
python run.py --evaluate --images shoebox/ --predictions theirs/       without truth
"""

import os
import time

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from data.lab import rgb1_to_lab100, rgb255_to_rgb1
from data.pictures import write_rgb
from errors import InputError, shown
from jobs.contact_sheet import draw_contact_sheet
from jobs.evaluation_records import EvaluationRecord, write_csv, write_json, write_to_tensorboard
from jobs.evaluation_rows import EvaluationRow, make_rows
from jobs.folders import make_folder
from jobs.judged_pictures import JudgedPictures
from jobs.plain_words import errors_in_plain_words
from jobs.ruler import Ruler
from jobs.runtime import prepare_keras
from jobs.settings import Settings
from jobs.trained_colorizer import weights_folders
from metrics.table import format_table

_SHEET = "evaluation.png"
_WRITERS = {"csv": write_csv, "json": write_json}


def evaluate(settings: Settings, given: set[str]) -> int:
    """Judges the weights, and the predictions of other programs, that the settings name.

    All of them color the same pictures, batch by batch, so that memory does not grow with the
    number of pictures.

    Args:
        settings: all settings.
        given: the names of those that stood on the command line.

    Returns:
        The exit status, 0.

    Raises:
        ColorizerError: one of its kinds; see `errors`.
    """
    targets = _targets(settings)
    log_dir = settings.log_dir or os.path.join(
        "logs", "evaluation", time.strftime("%Y-%m-%d_%H-%M-%S")
    )
    prepare_keras(settings.precision, settings.seed)
    folders = weights_folders(settings)
    pictures = JudgedPictures(settings, given, folders, log_dir)
    ruler = Ruler(settings, pictures.has_truth)
    with errors_in_plain_words(pictures.left_out, settings.batch_size, settings.resolution):
        rows = make_rows(settings, folders, pictures, ruler)
        for folder, option in ((settings.output_dir, "output_dir"), (log_dir, "log_dir")):
            make_folder(folder, option)
        names = _judge(rows, pictures, ruler, settings.sample_count)
    record = _record(rows, pictures, ruler, settings.resolution)
    print(record.text())
    sheet = draw_contact_sheet({row.name: np.stack(row.samples) for row in rows}, names)
    path = os.path.join(settings.output_dir, _SHEET)
    write_rgb(path, sheet)
    write_to_tensorboard(log_dir, record, sheet)
    for target, write in targets.items():
        write(target, record)
    written = ", ".join(map(shown, (path, *targets)))
    print(f"in {written}; tensorboard --logdir {shown(log_dir)}")
    return 0


def _targets(settings: Settings) -> dict[str, object]:
    """The files of numbers that were asked for, each with the function that writes it."""
    targets = {}
    for option, write in _WRITERS.items():
        path = getattr(settings, option)
        if path is None:
            continue
        path = path or os.path.join(settings.output_dir, f"evaluation.{option}")
        if os.path.isdir(path):
            raise InputError(f"--{option} {shown(path)}: this is a folder; give the path of a file")
        make_folder(os.path.dirname(path) or ".", option)
        targets[path] = write
    return targets


def _judge(
    rows: list[EvaluationRow], pictures: JudgedPictures, ruler: Ruler, sample_count: int
) -> list[str]:
    """Colors all pictures with every row, measures them, and keeps the first ones.

    Returns:
        The names of the pictures that are kept.
    """
    lightness_of = tf.function(
        lambda rgb255: rgb1_to_lab100(rgb255_to_rgb1(rgb255))[..., :1], jit_compile=True
    )
    names = []
    with tqdm(
        total=len(pictures), desc="judging", unit="picture", dynamic_ncols=True, disable=None
    ) as bar:
        for batch in pictures.batches():
            lightness = lightness_of(batch.rgb255).numpy()
            colored = [row.color(batch, lightness) for row in rows]
            ruler.measure([row.judge for row in rows], colored)
            missing = sample_count - len(names)
            for row, each in zip(rows, colored, strict=True):
                row.samples.extend(each[:missing] if missing > 0 else ())
            names.extend(batch.names[: max(missing, 0)])
            bar.update(len(batch.rgb255))
    if not names:
        pictures.left_out.fail("no picture can be judged")
    return names


def _record(
    rows: list[EvaluationRow], pictures: JudgedPictures, ruler: Ruler, resolution: int
) -> EvaluationRecord:
    """The numbers of all rows with what is to be said of them."""
    count = rows[0].judge.count
    numbers = {row.name: row.judge.results() for row in rows}
    footnotes = ruler.footnotes(count)
    return EvaluationRecord(
        title=f"{count:,} pictures of {pictures.description} at {resolution} px",
        table=format_table(numbers, footnotes),
        footnotes=footnotes,
        pictures=count,
        resolution=resolution,
        rows=[
            {"name": row.name, "kind": row.kind, "path": row.path, **numbers[row.name]}
            for row in rows
        ],
    )
