"""Draws the curves of a training as one image."""

import math
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from data.atomic import write_beside

# Panels per row, and the width and height of each in inches.
_COLUMNS, _WIDTH, _HEIGHT = 3, 4.0, 2.6
# Curves of fewer points get a marker at each point.
_FEW = 20

# The runs of TensorBoard, with their labels and styles.
_RUNS = {
    "train": {"label": "training", "color": "C0"},
    "validation": {"label": "validation", "color": "C1"},
}
_TRUE = {"label": "true images", "color": "0.5", "linestyle": "--"}
_TRUE_PREFIX = "true_"

# Measures the machine, not the training.
_NOT_DRAWN = ("images_per_second",)

Curves = dict[str, dict[str, list[tuple[int, float]]]]


def draw_curves(log_dir: str | os.PathLike, target: str | os.PathLike) -> bool:
    """Draws all scalars that a training wrote to TensorBoard, except its speed.

    Args:
        log_dir: str or path, the folder of the records, with subfolders `train` and `validation`.
        target: str or path, the PNG to write.

    Returns:
        Whether there was anything to draw.
    """
    curves = read_curves(log_dir)
    if not curves:
        return False
    # The import takes half a second, and most calls of the program draw nothing.
    from matplotlib.figure import Figure

    # A metric of the true images shares a panel with the same metric of the colored images.
    panels = list(dict.fromkeys(name.removeprefix(_TRUE_PREFIX) for name in curves))
    rows = -(-len(panels) // _COLUMNS)
    figure = Figure((_COLUMNS * _WIDTH, rows * _HEIGHT), layout="constrained")
    for number, name in enumerate(panels, start=1):
        axes = figure.add_subplot(rows, _COLUMNS, number)
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
    # A line through a single point is invisible.
    marker = "o" if len(points) < _FEW else None
    axes.plot(*zip(*points, strict=True), marker=marker, markersize=3, **style)


def read_curves(log_dir: str | os.PathLike) -> Curves:
    """Reads the scalars from the records of TensorBoard.

    Args:
        log_dir: str or path, the folder of the records.

    Returns:
        A dict from tags to dicts from runs (`train`, `validation`) to lists of (step, value),
        sorted by step. If a training was resumed from before its last record, or another training
        was started in the same folder, later records replace earlier ones from their first step
        on.
    """
    curves: Curves = defaultdict(dict)
    for run in _RUNS:
        points: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for scalars in _files(Path(log_dir) / run):
            first = min((step for _, step, _ in scalars), default=math.inf)
            for name in points:
                points[name] = [point for point in points[name] if point[0] < first]
            for name, step, value in scalars:
                points[name].append((step, value))
        for name in points:
            if points[name]:
                curves[name][run] = points[name]
    return {name: curves[name] for name in sorted(curves) if name not in _NOT_DRAWN}


def _files(folder: Path) -> Iterator[list[tuple[str, int, float]]]:
    """Yields the tag, step and value of all scalars in each file, oldest file first."""
    import tensorflow as tf
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    paths = folder.glob("events.out.tfevents.*")
    files = [list(EventFileLoader(str(path)).Load()) for path in paths]
    # Sorted by the time written in the records, which copying a file does not change.
    for events in sorted(filter(None, files), key=lambda events: events[-1].wall_time):
        yield [
            (value.tag, event.step, float(tf.make_ndarray(value.tensor)))
            for event in events
            for value in event.summary.value
            if value.metadata.plugin_data.plugin_name == "scalars"
        ]
