"""The rows of an evaluation: truth, gray, constant ab, weights, and predictions."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf

from data.color.gamut import pull_into_gamut
from data.color.lab import (
    LIGHTNESS_SCALE,
    join_lab,
    lab100_to_rgb1,
    lightness1_to_gray_rgb1,
    rgb1_to_lab100,
    rgb1_to_rgb255,
    rgb255_to_rgb1,
)
from data.photos.page import page_of_pixels
from errors import InputError, shown
from inference.photo_colorizer import PhotoColorizer
from jobs.common.progress_bar import progress_bar
from jobs.evaluate.images import Batch, EvaluationImages
from jobs.evaluate.metric_factory import MetricFactory
from metrics.evaluator import Evaluator

TRUTH, GRAY, CONSTANT = "truth", "gray", "constant ab"
WEIGHTS, PREDICTIONS = "weights", "predictions"

# See `EvaluationRow.color`.
_Color = Callable[[Batch, np.ndarray], np.ndarray]


@dataclass
class EvaluationRow:
    """One row of the table.

    Attributes:
        name: str, the label of the row.
        kind: str, one of `TRUTH`, `GRAY`, `CONSTANT`, `WEIGHTS` and `PREDICTIONS`.
        path: str, the folder of the weights or of the predictions, or empty.
        color: function of a batch and of its lightness, float32 of shape (batch, height, width, 1)
            in [0, 100]. Returns the images of this row, uint8 of shape (batch, height, width, 3).
        evaluator: `Evaluator` of the row.
        render_size: int or None, the size at which the network is run.
        samples: list of arrays, the first images of the row, for the sheet.
    """

    name: str
    kind: str
    path: str
    color: _Color
    evaluator: Evaluator
    render_size: int | None = None
    samples: list[np.ndarray] = field(default_factory=list)


def make_rows(
    colorizers: Mapping[Path, PhotoColorizer],
    images: EvaluationImages,
    metric_factory: MetricFactory,
) -> list[EvaluationRow]:
    """Makes the rows in the order of the table. With ground truth, its row is the first.

    Args:
        colorizers: dict, the colorizers to evaluate by the folders of their weights.
        images: `EvaluationImages`.
        metric_factory: `MetricFactory`, makes the evaluators of the rows.
    """
    found: list[tuple[str, Path | None, _Color]] = []
    if images.has_truth:
        found.append((TRUTH, None, lambda batch, lightness: batch.rgb255))
    found.append((GRAY, None, _gray))
    if images.has_truth:
        found.append((CONSTANT, None, _constant(_mean_ab(images))))
    found += [(WEIGHTS, path, _network(path, network)) for path, network in colorizers.items()]
    found += [
        (PREDICTIONS, Path(path), _prediction(number))
        for number, path in enumerate(images.predictions)
    ]
    names = [kind for kind, path, _ in found if path is None]
    names += short_names([path for _, path, _ in found if path], names)
    rows: list[EvaluationRow] = []
    for name, (kind, path, color) in zip(names, found, strict=True):
        evaluator = metric_factory.new_evaluator(rows[0].evaluator if rows else None)
        size = colorizers[path].render_size if path and kind == WEIGHTS else None
        rows.append(EvaluationRow(name, kind, str(path or ""), color, evaluator, size))
    return rows


def short_names(paths: Sequence[Path], taken: Iterable[str] = ()) -> list[str]:
    """Shortens each path to the fewest trailing parts that distinguish it from the others.

    Args:
        paths: sequence of `Path`, different folders.
        taken: iterable of str, names that must not be used.

    Returns:
        List of str, a name for each path.

    Example:
        short_names([Path("a/sagan"), Path("b/sagan"), Path("other")])
        # ["a/sagan", "b/sagan", "other"]
    """
    whole = [Path(os.path.abspath(path)).parts for path in paths]
    names = []
    for parts in whole:
        for count in range(1, len(parts) + 1):
            suffix = parts[-count:]
            is_unique = sum(other[-count:] == suffix for other in whole) == 1
            name = shown(os.path.join(*suffix))
            if is_unique and name not in taken:
                break
        names.append(name)
    return names


def _gray(batch: Batch, lightness: np.ndarray) -> np.ndarray:
    # Not converted through Lab, whose rounding leaves a trace of color.
    return np.asarray(rgb1_to_rgb255(lightness1_to_gray_rgb1(lightness / LIGHTNESS_SCALE - 1.0)))


def _constant(ab: np.ndarray) -> _Color:
    def color(batch: Batch, lightness: np.ndarray) -> np.ndarray:
        return _recombine(lightness, np.broadcast_to(ab, (*lightness.shape[:-1], 2)))

    return color


def _network(path: Path, colorizer: PhotoColorizer) -> _Color:
    def color(batch: Batch, lightness: np.ndarray) -> np.ndarray:
        # The same steps as with --images, from shrinking to the input size to coloring in strips.
        pages = [page_of_pixels(rgb255) for rgb255 in batch.rgb255]
        small_lightness = [colorizer.lab_at_render_size(page)[..., :1] for page in pages]
        ab = colorizer.predict(small_lightness)
        if not np.isfinite(ab).all():
            raise InputError(
                f"{shown(path)}: the output of this network is NaN or infinite; its training "
                "diverged, or the file is damaged"
            )
        colored = map(colorizer.strips, pages, small_lightness, ab)
        return np.stack([np.concatenate(list(strips)) for strips in colored])

    return color


def _prediction(number: int) -> _Color:
    return lambda batch, lightness: batch.predictions[number]


def _mean_ab(images: EvaluationImages) -> np.ndarray:
    """The mean ab of all images, float32 of shape (2,)."""
    mean_of = tf.function(
        lambda rgb255: tf.reduce_mean(rgb1_to_lab100(rgb255_to_rgb1(rgb255))[..., 1:], axis=(1, 2)),
        jit_compile=True,
    )
    mean, count = np.zeros(2, "float64"), 0
    with progress_bar("mean color", len(images)) as bar:
        for batch in images.batches():
            count += len(batch.rgb255)
            mean += (mean_of(batch.rgb255).numpy() - mean).sum(axis=0) / count
            bar.update(len(batch.rgb255))
    return mean.astype("float32")


@tf.function(jit_compile=True)
def _recombine(lightness, ab):
    """Images of this lightness and ab, pulled into the sRGB gamut, as uint8."""
    return rgb1_to_rgb255(lab100_to_rgb1(pull_into_gamut(join_lab(lightness, ab))))
