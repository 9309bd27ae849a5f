"""The curves of a training as one image."""

import math
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from data.atomic import write_beside

# Panels beside each other, and the size of each in inches.
_COLUMNS, _WIDTH, _HEIGHT = 3, 4.0, 2.6
# Of fewer points each is marked.
_FEW = 20

# The runs with what they are called and how they are drawn.
_RUNS = {
    "train": {"label": "training", "color": "C0"},
    "validation": {"label": "validation", "color": "C1"},
}
_TRUE = {"label": "true images", "color": "0.5", "linestyle": "--"}
_TRUE_PREFIX = "true_"

# Of the machine, and not of what is learned.
_NOT_DRAWN = ("images_per_second",)

Curves = dict[str, dict[str, list[tuple[int, float]]]]


def draw_curves(log_dir: str | os.PathLike, target: str | os.PathLike) -> bool:
    """Draws everything that the training wrote to TensorBoard as numbers.

    Args:
        log_dir: where the records are, in the folders `train` and `validation`.
        target: the PNG to write.

    Returns:
        Whether there was anything to draw.
    """
    curves = read_curves(log_dir)
    if not curves:
        return False
    # It takes half a second to import, and most calls of the program draw nothing.
    from matplotlib.figure import Figure

    # What is measured of the true images is drawn beside what is of the colored ones.
    panels = list(dict.fromkeys(name.removeprefix(_TRUE_PREFIX) for name in curves))
    rows = -(-len(panels) // _COLUMNS)
    figure = Figure((_COLUMNS * _WIDTH, rows * _HEIGHT), layout="constrained")
    for place, name in enumerate(panels, start=1):
        axes = figure.add_subplot(rows, _COLUMNS, place)
        for run, points in curves.get(name, {}).items():
            _draw_line(axes, points, _RUNS[run])
        for points in curves.get(_TRUE_PREFIX + name, {}).values():
            _draw_line(axes, points, _TRUE)
        axes.set_title(name.replace("_", " "), fontsize=10)
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.3)
        axes.locator_params(axis="x", integer=True)
        axes.legend(fontsize=8)
    figure.supxlabel("steps", fontsize=9)
    with write_beside(target) as temporary:
        figure.savefig(temporary, dpi=100)
    return True


def _draw_line(axes, points: list[tuple[int, float]], style: dict) -> None:
    # A single point is no line.
    marker = "o" if len(points) < _FEW else None
    axes.plot(*zip(*points, strict=True), marker=marker, markersize=3, **style)


def read_curves(log_dir: str | os.PathLike) -> Curves:
    """The numbers of TensorBoard's records.

    Args:
        log_dir: the folder of a training.

    Returns:
        For every tag, and for each of the runs `train` and `validation` that has it, the steps and
        values in the order of steps. Where a training went on from before its last record, or
        another one began in the same folder, what was written before counts up to there.
    """
    curves = defaultdict(dict)
    for run in _RUNS:
        points = defaultdict(list)
        for numbers in _files(Path(log_dir) / run):
            first = min((step for _, step, _ in numbers), default=math.inf)
            for name in points:
                points[name] = [each for each in points[name] if each[0] < first]
            for name, step, value in numbers:
                points[name].append((step, value))
        for name in points:
            if points[name]:
                curves[name][run] = points[name]
    return {name: curves[name] for name in sorted(curves) if name not in _NOT_DRAWN}


def _files(folder: Path) -> Iterator[list[tuple[str, int, float]]]:
    """Tag, step and value of all that was written, for each file, the oldest first."""
    import tensorflow as tf
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    paths = folder.glob("events.out.tfevents.*")
    files = [list(EventFileLoader(str(path)).Load()) for path in paths]
    # By the time that is written in them, which a copy does not change.
    for events in sorted(filter(None, files), key=lambda events: events[-1].wall_time):
        yield [
            (value.tag, event.step, float(tf.make_ndarray(value.tensor)))
            for event in events
            for value in event.summary.value
            if value.metadata.plugin_data.plugin_name == "scalars"
        ]
