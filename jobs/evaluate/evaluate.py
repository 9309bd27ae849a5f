"""Evaluates colorizers: a table of metrics, and a sheet of the same images as each colors them.

python run.py --evaluate --dataset my_photographs/
python run.py --evaluate --dataset DIR --weights weights/sagan weights/other --predictions theirs/
python run.py --evaluate --images shoebox/ --predictions theirs/       without ground truth
"""

import os
import time

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from config.settings import Settings, fields
from data.color.lab import rgb1_to_lab100, rgb255_to_rgb1
from data.image_io import write_rgb
from errors import InputError, quoted, shown
from jobs.common.contact_sheet import draw_contact_sheet
from jobs.common.error_translation import translate_errors
from jobs.common.folders import check_folder, make_folder
from jobs.common.load_colorizer import load_colorizer, weights_folders
from jobs.common.progress_bar import progress_bar
from jobs.common.runtime import installed_versions, prepare_keras
from jobs.evaluate.images import SHEET, EvaluationImages
from jobs.evaluate.metric_factory import MetricFactory
from jobs.evaluate.report import EvaluationRecord, write_csv, write_json, write_to_tensorboard
from jobs.evaluate.rows import EvaluationRow, make_rows
from metrics.table import format_table

_WRITERS = {"csv": write_csv, "json": write_json}


def evaluate(settings: Settings, explicit: set[str]) -> int:
    """Evaluates the weights, and the predictions of other programs, that the settings name.

    All of them color the same images batch by batch, so memory does not grow with the number of
    images.

    Args:
        settings: `Settings`.
        explicit: set of str, the names of the settings that the user gave.

    Returns:
        The exit status, 0.

    Raises:
        ColorizerError: one of its subclasses; see `errors`.
    """
    paths = _choose_paths(settings)
    now = time.strftime("%Y-%m-%d_%H-%M-%S")
    log_dir = settings.log_dir or os.path.join("logs", "evaluation", now)
    written = {option: os.path.dirname(path) or "." for option, path in paths.items()}
    written["log_dir"] = log_dir
    for option, folder in written.items():
        check_folder(folder, option)
    _compute_exactly(settings)
    folders = weights_folders(settings)
    images = EvaluationImages(settings, explicit, folders, log_dir)
    metric_factory = MetricFactory(settings, images.has_truth)
    colorizers = {
        folder.path: load_colorizer(folder, settings, settings.render_size) for folder in folders
    }
    # Not earlier: a run that cannot start should leave no folders behind.
    for option, folder in written.items():
        make_folder(folder, option)
    with translate_errors(images.skipped, settings.batch_size, settings.resolution):
        rows = make_rows(
            colorizers, images, metric_factory, settings.hint_counts or (), settings.seed
        )
        names, enlarged = _measure(rows, images, metric_factory, settings.sample_count)
    record = _record(rows, enlarged, images, metric_factory, settings)
    print(record.text())
    sheet = draw_contact_sheet({row.name: np.stack(row.samples) for row in rows}, names)
    write_rgb(paths["output_dir"], sheet)
    write_to_tensorboard(log_dir, record, sheet)
    for option in paths.keys() & _WRITERS:
        _WRITERS[option](paths[option], record)
    saved = ", ".join(map(shown, paths.values()))
    print(f"saved {saved}; to view: tensorboard --logdir {quoted(log_dir)}")
    return 0


def _choose_paths(settings: Settings) -> dict[str, str]:
    """The paths of the sheet and of the requested CSV and JSON files, by the options for them.

    Raises:
        InputError: one of them is a folder, or two are the same.
    """
    paths = {"output_dir": os.path.join(settings.output_dir, SHEET)}
    for option in _WRITERS:
        path = getattr(settings, option)
        if path is not None:
            paths[option] = path or os.path.join(settings.output_dir, f"evaluation.{option}")
    taken: dict[str, str] = {}
    for option, path in paths.items():
        if os.path.isdir(path):
            raise InputError(f"--{option}: {shown(path)} is a folder; give the path of a file")
        other = taken.setdefault(os.path.realpath(path), option)
        if other != option:
            raise InputError(
                f"--{option}: {shown(path)} is also the path of --{other}; give another one"
            )
    return paths


def _compute_exactly(settings: Settings) -> None:
    """Makes results equal across machines: float32, unless another precision is requested."""
    precision = "float32" if settings.precision == "auto" else settings.precision
    prepare_keras(precision, settings.seed)
    # Since Ampere, GPUs round the factors of float32 convolutions to 10 bits by default.
    tf.config.experimental.enable_tensor_float_32_execution(False)


def _measure(
    rows: list[EvaluationRow],
    images: EvaluationImages,
    metric_factory: MetricFactory,
    sample_count: int,
) -> tuple[list[str], int]:
    """Colors all images with every row, updates the metrics, and saves the first samples.

    Returns:
        The names of the samples, and the number of images that are smaller than the squares that
        are evaluated.
    """
    names: list[str] = []
    enlarged = 0
    with progress_bar("evaluating", len(images), leave=True) as bar:
        for batch in images.batches():
            lightness = _lightness_of(batch.rgb255).numpy()
            colored = [row.color(batch, lightness) for row in rows]
            features = [metric_factory.features_of(rgb255) for rgb255 in colored]
            missing = max(0, sample_count - len(names))
            names += map(shown, batch.names[:missing])
            for row, rgb255, row_features in zip(rows, colored, features, strict=True):
                row.evaluator.update(row_features, features[0] if images.has_truth else None)
                row.samples.extend(rgb255[:missing])
            enlarged += int((batch.short_sides < batch.rgb255.shape[1]).sum())
            bar.update(len(batch.rgb255))
    if not rows[0].evaluator.count:
        images.skipped.fail("no image can be evaluated")
    return names, enlarged


@tf.function(jit_compile=True)
def _lightness_of(rgb255):
    return rgb1_to_lab100(rgb255_to_rgb1(rgb255))[..., :1]


def _record(
    rows: list[EvaluationRow],
    enlarged: int,
    images: EvaluationImages,
    metric_factory: MetricFactory,
    settings: Settings,
) -> EvaluationRecord:
    """The metrics of all rows, with the title and the footnotes of the table."""
    count = rows[0].evaluator.count
    footnotes = metric_factory.footnotes(count)
    if enlarged:
        footnotes.append(
            f"{enlarged:,} of the images are smaller than {settings.resolution} px and were "
            "enlarged"
        )
    numbers = {}
    for row in tqdm(rows, desc="distances", unit="row", leave=False, disable=None):
        numbers[row.name] = row.evaluator.results()
    return EvaluationRecord(
        title=_title(count, images, settings),
        table=format_table(numbers, footnotes),
        footnotes=footnotes,
        images=count,
        rows=[
            {
                **{"name": row.name, "kind": row.kind, "path": row.path},
                **{"render_size": row.render_size, "hints": row.hints},
                **numbers[row.name],
            }
            for row in rows
        ],
        feature_network=metric_factory.feature_network,
        settings={
            entry.name: getattr(settings, entry.name)
            for entry in fields()
            if "evaluate" in entry.metadata["jobs"]
        },
        versions=installed_versions(),
    )


def _title(count: int, images: EvaluationImages, settings: Settings) -> str:
    """The evaluated images, and the settings that differ from the defaults."""
    counts = f"{count:,}"
    if count < images.total:
        counts += f" of {images.total:,}"
    noun = "image" if counts == "1" else "images"
    parts = [f"{counts} {noun} of {images.description} at {settings.resolution} px"]
    if settings.precision not in ("auto", "float32"):
        parts.append(settings.precision)
    if settings.render_size:
        parts.append(f"networks run at {settings.render_size} px")
    if settings.saturation != 1.0:
        parts.append(f"saturation {settings.saturation:g}")
    if settings.calm:
        parts.append(f"calm {settings.calm:g}")
    if settings.flip_average:
        parts.append("averaged with mirrored images")
    return "; ".join(parts)
