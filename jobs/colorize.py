"""Colors photographs.

python run.py --images demo
python run.py --images shoebox/ aunt.jpg --output_dir colored/
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from data.datasets import DEMO, demo_pictures
from data.photos import (
    PICTURE_SUFFIXES,
    UnreadablePictureError,
    is_jpeg,
    list_pictures,
    read_rgb,
    write_rgb,
)
from errors import InputError, InterruptedBySignalError
from jobs.folders import make_folder
from jobs.runtime import prepare_keras
from jobs.settings import SHIPPED_WEIGHTS, Settings
from models.catalog import COLORIZERS
from models.photo_colorizer import PhotoColorizer
from models.weights_folder import WeightsFolder

_SOME_FAILED = 1


@dataclass(frozen=True)
class Task:
    """One photograph to color.

    Attributes:
        source: its file.
        target: the file of the colored one.
    """

    source: Path
    target: Path


@dataclass
class Tally:
    """How many photographs came to which end."""

    colored: int = 0
    skipped: int = 0
    failed: int = 0


def colorize(settings: Settings) -> int:
    """Colors all photographs that the settings name.

    One that cannot be read or written is named on standard error, and the others go on.

    Returns:
        The exit status: 0, or 1 when some photographs failed.

    Raises:
        ColorizerError: nothing could be begun, or a signal ended the work.
    """
    tasks = list_tasks(settings.images, Path(settings.output_dir))
    make_folder(settings.output_dir, "output_dir")
    prepare_keras(settings.precision, settings.seed)
    colorizer = load_colorizer(settings)
    tally = Tally()
    try:
        with _signals_raise():
            _color_all(tasks, colorizer, settings.overwrite, tally)
    finally:
        print(
            f"{tally.colored} colored, {tally.skipped} skipped because they are there already, "
            f"{tally.failed} failed; in {settings.output_dir}"
        )
    return _SOME_FAILED if tally.failed else 0


def list_tasks(inputs: list[str], output_dir: Path) -> list[Task]:
    """Finds the photographs and where their colored twins shall stand.

    The tree of a folder is mirrored below the output folder. JPEG stays JPEG; every other format
    becomes PNG.

    Raises:
        InputError: a path is not there, or there is no photograph at all.
    """
    tasks = []
    for name in inputs:
        if name == DEMO:
            places = [(file, file.name) for file in demo_pictures()]
        elif os.path.isdir(name):
            places = [(file, file.relative_to(name)) for file in _pictures_in(name)]
        elif os.path.exists(name):
            places = [(Path(name), Path(name).name)]
        else:
            raise InputError(
                f"--images {name}: there is no such file or folder; give photographs, folders of "
                f"them, or {DEMO}"
            )
        tasks += [Task(source, _target(output_dir / place)) for source, place in places]
    if not tasks:
        raise InputError(
            f"--images {' '.join(inputs)}: no picture in it; looked, in subfolders too, for names "
            f"that end in {' '.join(PICTURE_SUFFIXES)}"
        )
    return tasks


def _pictures_in(folder: str) -> list[Path]:
    try:
        return list_pictures(folder)
    except OSError as error:
        raise InputError(f"--images {folder}: {error.strerror}; give a readable folder") from error


def _target(path: Path) -> Path:
    return path if is_jpeg(path) or path.suffix.lower() == ".png" else path.with_suffix(".png")


def load_colorizer(settings: Settings) -> PhotoColorizer:
    """Builds the network from its folder of weights: those that ship, or those of the settings.

    Raises:
        InputError: the folder is no folder of weights, or they cannot be loaded.
    """
    if settings.load_weights:
        folder = WeightsFolder(settings.weights_folder)
    else:
        folder = WeightsFolder(settings.weights or SHIPPED_WEIGHTS / settings.model)
    saved = folder.read_settings()
    generator = COLORIZERS[saved["model"]].build_generator(saved["architecture"])
    folder.load_generator(generator)
    return PhotoColorizer(generator, settings.render_size or saved["render_size"])


def _color_all(tasks: list[Task], colorizer: PhotoColorizer, overwrite: bool, tally: Tally) -> None:
    made = {}
    with tqdm(tasks, unit="photo", file=sys.stdout, dynamic_ncols=True) as bar:
        for task in bar:
            bar.set_postfix_str(task.source.name)
            try:
                _refuse_to_lose(task, made)
                if task.target.exists() and not overwrite:
                    tally.skipped += 1
                    continue
                write_rgb(task.target, colorizer(read_rgb(task.source)))
                tally.colored += 1
            except (UnreadablePictureError, OSError) as error:
                tally.failed += 1
                bar.write(f"failed: {task.source}: {error}", file=sys.stderr)


def _refuse_to_lose(task: Task, made: dict[Path, Path]) -> None:
    """Raises where writing a result would destroy a photograph or another result."""
    other = made.setdefault(task.target, task.source)
    if other != task.source:
        raise FileExistsError(f"its result would replace that of {other}")
    if task.target.exists() and task.target.samefile(task.source):
        raise FileExistsError("its result would replace it; give another --output_dir")


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    """Makes SIGINT and SIGTERM end the block by an exception, so that nothing is left half done."""

    def stop(number, frame):
        raise InterruptedBySignalError(number, "stopped; the same command goes on with the rest")

    numbers = (signal.SIGINT, signal.SIGTERM)
    earlier = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
