"""Evaluates colorizers: a table of metrics, and a sheet of the same images as each colors them.

python run.py --evaluate --dataset my_photographs/
python run.py --evaluate --dataset DIR --weights weights/sagan weights/other --predictions theirs/
python run.py --evaluate --images shoebox/ --predictions theirs/       without ground truth
"""

import os
import time
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from config.settings import Settings, fields
from data.color.lab import rgb1_to_lab100, rgb255_to_rgb1
from data.image_io import write_rgb
from errors import InputError, shown
from inference.lab_recombiner import LabRecombiner
from jobs.common.contact_sheet import draw_contact_sheet
from jobs.common.error_translation import translate_errors
from jobs.common.folders import check_folder, make_folder
from jobs.common.load_colorizer import load_colorizer, weights_folders
from jobs.common.runtime import installed_versions, prepare_keras
from jobs.evaluate.images import SHEET, Batch, EvaluationImages
from jobs.evaluate.metric_factory import MetricFactory
from jobs.evaluate.report import EvaluationRecord, write_csv, write_json, write_to_tensorboard
from jobs.evaluate.rows import EvaluationRow, make_rows
from metrics.table import format_table

_WRITERS = {"csv": write_csv, "json": write_json}


@dataclass(frozen=True)
class _OutputPaths:
    """Where the results are written.

    Attributes:
        sheet: str, the path of the contact sheet.
        log_dir: str, the folder of TensorBoard's event files.
        numbers: dict, the paths of the CSV and JSON files, by the options that request them.
    """

    sheet: str
    log_dir: str
    numbers: dict[str, str]

    @property
    def folders(self) -> dict[str, str]:
        """All folders that are written to, by the options that name them."""
        files = {"output_dir": self.sheet, **self.numbers}
        folders = {option: os.path.dirname(path) or "." for option, path in files.items()}
        return {**folders, "log_dir": self.log_dir}


@dataclass
class _Tally:
    """Counts of the evaluated images, and the names for the sheet.

    Attributes:
        count: int, the number of evaluated images.
        enlarged: int, how many of them are smaller than the squares that are evaluated.
        names: list of str, the names of the first images, which are shown on the sheet.
    """

    count: int = 0
    enlarged: int = 0
    names: list[str] = field(default_factory=list)


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
    _compute_exactly(settings)
    folders = weights_folders(settings)
    images = EvaluationImages(settings, explicit, folders, paths.log_dir)
    metric_factory = MetricFactory(settings, images.has_truth)
    # Shared, so that it is compiled only once.
    recombiner = LabRecombiner()
    colorizers = {
        folder.path: load_colorizer(folder, settings, settings.render_size, recombiner)
        for folder in folders
    }
    # Not earlier: a run that cannot start should leave no folders behind.
    for option, folder in paths.folders.items():
        make_folder(folder, option)
    with translate_errors(images.skipped, settings.batch_size, settings.resolution):
        rows = make_rows(colorizers, images, metric_factory)
        tally = _measure(rows, images, metric_factory, settings.sample_count)
    record = _record(rows, tally, images, metric_factory, settings)
    print(record.text())
    sheet = draw_contact_sheet({row.name: np.stack(row.samples) for row in rows}, tally.names)
    _write(record, sheet, paths)
    return 0


def _choose_paths(settings: Settings) -> _OutputPaths:
    """Chooses the paths of the results and checks that all of them can be written.

    Raises:
        InputError: one of them cannot be written.
    """
    sheet = os.path.join(settings.output_dir, SHEET)
    if os.path.isdir(sheet):
        raise InputError(f"{shown(sheet)} is a folder at the path of the sheet; rename it")
    now = time.strftime("%Y-%m-%d_%H-%M-%S")
    log_dir = settings.log_dir or os.path.join("logs", "evaluation", now)
    paths = _OutputPaths(sheet, log_dir, _paths_of_numbers(settings, sheet))
    for option, folder in paths.folders.items():
        check_folder(folder, option)
    return paths


def _paths_of_numbers(settings: Settings, sheet: str) -> dict[str, str]:
    """The paths of the requested CSV and JSON files, by the options that request them."""
    paths, taken = {}, {os.path.realpath(sheet): "the sheet"}
    for option in _WRITERS:
        path = getattr(settings, option)
        if path is None:
            continue
        path = path or os.path.join(settings.output_dir, f"evaluation.{option}")
        if os.path.isdir(path):
            raise InputError(f"--{option} {shown(path)}: this is a folder; give the path of a file")
        other = taken.setdefault(os.path.realpath(path), f"--{option}")
        if other != f"--{option}":
            raise InputError(f"--{option} {shown(path)}: {other} has this path; give another one")
        paths[option] = path
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
) -> _Tally:
    """Colors all images with every row, updates the metrics, and saves the first samples."""
    lightness_of = tf.function(
        lambda rgb255: rgb1_to_lab100(rgb255_to_rgb1(rgb255))[..., :1], jit_compile=True
    )
    tally = _Tally()
    with tqdm(
        total=len(images), desc="evaluating", unit="image", dynamic_ncols=True, disable=None
    ) as bar:
        for batch in images.batches():
            lightness = lightness_of(batch.rgb255).numpy()
            colored = [row.color(batch, lightness) for row in rows]
            features = [metric_factory.features_of(rgb255) for rgb255 in colored]
            for row, row_features in zip(rows, features, strict=True):
                row.evaluator.update(row_features, features[0] if images.has_truth else None)
            _keep_samples(rows, colored, batch, tally, sample_count)
            tally.count += len(batch.rgb255)
            tally.enlarged += int((batch.short_sides < batch.rgb255.shape[1]).sum())
            bar.update(len(batch.rgb255))
    if not tally.count:
        images.skipped.fail("no image can be evaluated")
    return tally


def _keep_samples(
    rows: list[EvaluationRow],
    colored: list[np.ndarray],
    batch: Batch,
    tally: _Tally,
    sample_count: int,
) -> None:
    missing = max(0, sample_count - len(tally.names))
    tally.names += map(shown, batch.names[:missing])
    for row, rgb255 in zip(rows, colored, strict=True):
        row.samples.extend(rgb255[:missing])


def _record(
    rows: list[EvaluationRow],
    tally: _Tally,
    images: EvaluationImages,
    metric_factory: MetricFactory,
    settings: Settings,
) -> EvaluationRecord:
    """The metrics of all rows, with the title and the footnotes of the table."""
    footnotes = metric_factory.footnotes(tally.count)
    if tally.enlarged:
        footnotes.append(
            f"{tally.enlarged:,} of the images are smaller than {settings.resolution} px and "
            "were enlarged"
        )
    numbers = {}
    for row in tqdm(rows, desc="distances", unit="row", leave=False, disable=None):
        numbers[row.name] = row.evaluator.results()
    return EvaluationRecord(
        title=_title(tally, images, settings),
        table=format_table(numbers, footnotes),
        footnotes=footnotes,
        images=tally.count,
        rows=[
            {
                **{"name": row.name, "kind": row.kind, "path": row.path},
                "render_size": row.render_size,
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


def _write(record: EvaluationRecord, sheet: np.ndarray, paths: _OutputPaths) -> None:
    write_rgb(paths.sheet, sheet)
    write_to_tensorboard(paths.log_dir, record, sheet)
    for option, path in paths.numbers.items():
        _WRITERS[option](path, record)
    written = ", ".join(map(shown, (paths.sheet, *paths.numbers.values())))
    print(f"saved {written}; to view: tensorboard --logdir {shown(paths.log_dir)}")


def _title(tally: _Tally, images: EvaluationImages, settings: Settings) -> str:
    """The evaluated images, and the settings that differ from the defaults."""
    count = f"{tally.count:,}"
    if tally.count < images.total:
        count += f" of {images.total:,}"
    noun = "image" if count == "1" else "images"
    parts = [f"{count} {noun} of {images.description} at {settings.resolution} px"]
    if settings.precision not in ("auto", "float32"):
        parts.append(settings.precision)
    if settings.render_size:
        parts.append(f"networks run at {settings.render_size} px")
    if settings.saturation != 1.0:
        parts.append(f"saturation {settings.saturation:g}")
    if settings.flip_average:
        parts.append("averaged with mirrored images")
    return "; ".join(parts)
