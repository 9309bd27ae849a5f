"""Colors photographs.

python run.py --images demo
python run.py --images shoebox/ aunt.jpg --output_dir colored/
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf
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
from jobs.signals import SignalWatch
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
        with SignalWatch() as watch:
            _color_all(tasks, colorizer, settings.overwrite, tally, watch)
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
            files = _without_results(_pictures_in(name), name, output_dir)
            places = [(file, file.relative_to(name)) for file in files]
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


def _without_results(files: list[Path], folder: str, output_dir: Path) -> list[Path]:
    """Leaves out what earlier calls made, where the output folder lies below the input."""
    results = os.path.realpath(output_dir)
    if results == os.path.realpath(folder):
        return files
    return [file for file in files if not os.path.realpath(file).startswith(results + os.sep)]


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
    try:
        generator = COLORIZERS[saved["model"]].build_generator(saved["architecture"])
        render_size = settings.render_size or saved["render_size"]
    except KeyError as error:
        raise InputError(
            f"the settings.json in {folder.path} does not describe a network of this program: "
            f"{error}"
        ) from error
    folder.load_generator(generator)
    return PhotoColorizer(generator, render_size)


def _color_all(
    tasks: list[Task],
    colorizer: PhotoColorizer,
    overwrite: bool,
    tally: Tally,
    watch: SignalWatch,
) -> None:
    claims = {}
    sources = {os.path.realpath(task.source) for task in tasks}
    with tqdm(tasks, unit="photo", file=sys.stdout, dynamic_ncols=True) as bar:
        for task in bar:
            if watch.received:
                raise InterruptedBySignalError(
                    watch.received, "the same command, without --overwrite, does the rest"
                )
            bar.set_postfix_str(task.source.name)
            try:
                _refuse_to_lose(task, claims, sources)
                if task.target.exists() and not overwrite:
                    tally.skipped += 1
                    continue
                write_rgb(task.target, colorizer(read_rgb(task.source)))
                tally.colored += 1
            except tf.errors.ResourceExhaustedError:
                tally.failed += 1
                reason = "it does not fit into memory; give a smaller --render_size"
                bar.write(f"failed: {task.source}: {reason}", file=sys.stderr)
            except (UnreadablePictureError, OSError) as error:
                tally.failed += 1
                bar.write(f"failed: {task.source}: {error}", file=sys.stderr)


def _refuse_to_lose(task: Task, claims: dict[Path, Path], sources: set[str]) -> None:
    """Raises where writing a result would destroy a photograph or another result."""
    if os.path.realpath(task.target) in sources:
        raise FileExistsError(
            f"its result would replace the photograph {task.target}; give another --output_dir"
        )
    other = claims.setdefault(task.target, task.source)
    if other != task.source:
        raise FileExistsError(
            f"its result would replace that of {other}; color it into another --output_dir"
        )
