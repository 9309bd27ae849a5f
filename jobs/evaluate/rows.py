"""The rows of an evaluation: truth, gray, constant ab, weights, hints, and predictions."""

import os
import zlib
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
from inference.hints import HintSquare, square_at
from inference.photo_colorizer import PhotoColorizer
from jobs.common.progress_bar import progress_bar
from jobs.evaluate.images import Batch, EvaluationImages
from jobs.evaluate.metric_factory import MetricFactory
from metrics.evaluator import Evaluator

TRUTH, GRAY, CONSTANT = "truth", "gray", "constant ab"
WEIGHTS, PREDICTIONS = "weights", "predictions"
# Hints that are spread over the colors of weights, or over gray, without a network.
SPREAD, GRAY_SPREAD = "hints spread", "gray, hints spread"

# The side in pixels of the squares of true color that are given as hints.
_HINT_SIDE = 7

# See `EvaluationRow.color`.
_Color = Callable[[Batch, np.ndarray], np.ndarray]


@dataclass
class EvaluationRow:
    """One row of the table.

    Attributes:
        name: str, the label of the row.
        kind: str, one of `TRUTH`, `GRAY`, `CONSTANT`, `WEIGHTS`, `SPREAD`, `GRAY_SPREAD` and
            `PREDICTIONS`.
        path: str, the folder of the weights or of the predictions, or empty.
        color: function of a batch and of its lightness, float32 of shape (batch, height, width, 1)
            in [0, 100]. Returns the images of this row, uint8 of shape (batch, height, width, 3).
        evaluator: `Evaluator` of the row.
        render_size: int or None, the size at which the network is run.
        hints: int, how many hints each image gets.
        samples: list of arrays, the first images of the row, for the sheet.
    """

    name: str
    kind: str
    path: str
    color: _Color
    evaluator: Evaluator
    render_size: int | None = None
    hints: int = 0
    samples: list[np.ndarray] = field(default_factory=list)


def make_rows(
    colorizers: Mapping[Path, PhotoColorizer],
    images: EvaluationImages,
    metric_factory: MetricFactory,
    hint_counts: Sequence[int] = (),
    seed: int = 0,
) -> list[EvaluationRow]:
    """Makes the rows in the order of the table. With ground truth, its row is the first.

    Args:
        colorizers: dict, the colorizers to evaluate by the folders of their weights.
        images: `EvaluationImages`.
        metric_factory: `MetricFactory`, makes the evaluators of the rows.
        hint_counts: sequence of int, the numbers of hints for which weights have a row each, and
            rows of the same hints without a network beside them. Defaults to none: one row for all
            weights, without hints.
        seed: int, the seed of the places of hints. Defaults to `0`.
    """
    found: list[tuple[str, Path | None, _Color, int]] = []
    if images.has_truth:
        found.append((TRUTH, None, lambda batch, lightness: batch.rgb255, 0))
    found.append((GRAY, None, _gray, 0))
    if images.has_truth:
        found.append((CONSTANT, None, _constant(_mean_ab(images)), 0))
    for count in hint_counts or (0,):
        for folder, network in colorizers.items():
            kinds = (WEIGHTS, SPREAD, GRAY_SPREAD) if count else (WEIGHTS,)
            found += [
                (kind, folder, _network(kind, folder, network, count, seed), count)
                for kind in kinds
                # One row of gray is enough.
                if kind != GRAY_SPREAD or network is next(iter(colorizers.values()))
            ]
    found += [
        (PREDICTIONS, Path(path), _prediction(number), 0)
        for number, path in enumerate(images.predictions)
    ]
    plain = [kind for kind, path, _, _ in found if path is None]
    paths = list(dict.fromkeys(path for _, path, _, _ in found if path))
    names = dict(zip(paths, short_names(paths, plain), strict=True))
    rows: list[EvaluationRow] = []
    for kind, path, color, count in found:
        name = kind if path is None or kind == GRAY_SPREAD else names[path]
        name += f", {SPREAD}" if kind == SPREAD else ""
        name += f", {count} {'hint' if count == 1 else 'hints'}" if count else ""
        evaluator = metric_factory.new_evaluator(rows[0].evaluator if rows else None)
        size = colorizers[path].render_size if path and kind != PREDICTIONS else None
        rows.append(EvaluationRow(name, kind, str(path or ""), color, evaluator, size, count))
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


def _network(kind: str, path: Path, colorizer: PhotoColorizer, hints: int, seed: int) -> _Color:
    def color(batch: Batch, lightness: np.ndarray) -> np.ndarray:
        # The same steps as with --images, from shrinking to the input size to coloring in strips.
        pages = [page_of_pixels(rgb255) for rgb255 in batch.rgb255]
        small_lightness = [colorizer.lab_at_render_size(page)[..., :1] for page in pages]
        squares = [_true_hints(rgb255, hints, seed, colorizer) for rgb255 in batch.rgb255]
        ab = colorizer.predict(small_lightness, squares if kind == WEIGHTS else None)
        if kind == GRAY_SPREAD:
            ab = [np.zeros_like(each) for each in ab]
        if kind != WEIGHTS:
            ab = list(map(colorizer.spread, small_lightness, ab, squares))
        if not np.isfinite(ab).all():
            raise InputError(
                f"{shown(path)}: the output of this network is NaN or infinite; its training "
                "diverged, or the file is damaged"
            )
        colored = map(colorizer.strips, pages, small_lightness, ab)
        return np.stack([np.concatenate(list(strips)) for strips in colored])

    return color


def _true_hints(
    rgb255: np.ndarray, count: int, seed: int, colorizer: PhotoColorizer
) -> list[HintSquare]:
    """Squares of the true mean color at random places, the same for every row of an image."""
    # Drawn from the image itself, so that they do not depend on the batch size.
    random = np.random.default_rng([seed, zlib.crc32(rgb255.tobytes())])
    side = len(rgb255)
    size = min(_HINT_SIDE, side)
    if not count:
        return []
    true_ab = np.asarray(rgb1_to_lab100(rgb255_to_rgb1(rgb255)))[..., 1:]
    squares = []
    for row, column in random.integers(0, side - size + 1, (count, 2)):
        ab = true_ab[row : row + size, column : column + size].mean(axis=(0, 1))
        center = ((row + size / 2) / side, (column + size / 2) / side)
        radii = (size / 2 / side, size / 2 / side)
        squares.append(square_at(center, radii, ab, colorizer.render_size, colorizer.color_stride))
    return squares


def _prediction(number: int) -> _Color:
    return lambda batch, lightness: batch.predictions[number]


def _mean_ab(images: EvaluationImages) -> np.ndarray:
    """The mean ab of all images, float32 of shape (2,)."""
    mean, count = np.zeros(2, "float64"), 0
    with progress_bar("mean color", len(images)) as bar:
        for batch in images.batches():
            count += len(batch.rgb255)
            mean += (_mean_ab_of_each(batch.rgb255).numpy() - mean).sum(axis=0) / count
            bar.update(len(batch.rgb255))
    return mean.astype("float32")


@tf.function(jit_compile=True)
def _mean_ab_of_each(rgb255):
    return tf.reduce_mean(rgb1_to_lab100(rgb255_to_rgb1(rgb255))[..., 1:], axis=(1, 2))


@tf.function(jit_compile=True)
def _recombine(lightness, ab):
    """Images of this lightness and ab, pulled into the sRGB gamut, as uint8."""
    return rgb1_to_rgb255(lab100_to_rgb1(pull_into_gamut(join_lab(lightness, ab))))
