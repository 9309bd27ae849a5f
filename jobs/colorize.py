"""Colors photographs.

python run.py --images demo
python run.py --images shoebox/ aunt.jpg --output_dir colored/
"""

import contextlib
import hashlib
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Thread

from tqdm import tqdm

from data.photos.file import PhotoFile
from data.photos.writer import FORMATS
from data.pictures import PICTURE_SUFFIXES, is_heif_supported
from data.strip_joiner import StripJoiner
from errors import InputError, InterruptedBySignalError, shown
from jobs.folders import make_folder
from jobs.photo_line import COLORED, DROPPED, FAILED, SKIPPED, PhotoLine, Task, Work
from jobs.photographs import find_photographs
from jobs.runtime import prepare_keras
from jobs.settings import Settings
from jobs.signals import SignalWatch
from jobs.trained_colorizer import load_colorizer, weights_folders
from models.photo_colorizer import PhotoColorizer

_SOME_FAILED = 1

# What stands behind the name of a comparison.
_COMPARISON = "_comparison"


def colorize(settings: Settings) -> int:
    """Colors all photographs that the settings name.

    One that cannot be read or written is named on standard error, and the others go on.

    Returns:
        The exit status: 0, or 1 when some photographs failed.

    Raises:
        ColorizerError: nothing could be begun, or a signal ended the work.
    """
    tasks = list_tasks(settings)
    mine = [task for task in tasks if _is_mine(task, settings)]
    if not mine:
        print(f"none of {len(tasks)} photographs is in part {settings.shard[0]}")
        return 0
    prepare_keras(settings.precision, settings.seed)
    [folder] = weights_folders(settings)
    joiner = StripJoiner()
    # Compiling takes a second, and the other core has nothing to do while the network is built.
    Thread(target=_prepare, args=(joiner, mine)).start()
    colorizer = load_colorizer(folder, settings, settings.render_size, joiner)
    # Only now: what cannot begin leaves no folder.
    make_folder(settings.output_dir, "output_dir")
    tally = Counter()
    try:
        with SignalWatch() as watch:
            works = _works(tasks, settings, watch)
            _color_all(works, len(mine), colorizer, settings, tally, watch)
    finally:
        if not settings.quiet:
            print(
                f"{tally[COLORED]} colored, {tally[SKIPPED]} skipped because they are there "
                f"already, {tally[FAILED]} failed; in {shown(settings.output_dir)}"
            )
    if watch.received:
        raise InterruptedBySignalError(
            watch.received, "the same command, without --overwrite, does the rest"
        )
    return _SOME_FAILED if tally[FAILED] else 0


def list_tasks(settings: Settings) -> list[Task]:
    """Finds the photographs and where their colored twins shall stand.

    The tree of a folder is mirrored below the output folder. The format is kept where it can hold
    color, else it becomes PNG, unless the settings choose one.

    Raises:
        InputError: a path is not there, there is no photograph at all, or the format cannot be
            written here.
    """
    if settings.format == "heic" and not is_heif_supported():
        raise InputError("--format heic: it is written by pillow-heif: pip install pillow-heif")
    output_dir = Path(settings.output_dir)
    # By source and target, as one photograph may be named twice.
    tasks = {}
    for name in settings.images:
        for source, place, problem in find_photographs(name, output_dir):
            target = output_dir / _target(place, settings.format, settings.suffix)
            comparison = target.with_stem(target.stem + _COMPARISON)
            task = Task(source, target, comparison if settings.comparison else None, problem)
            tasks.setdefault((os.path.realpath(source), target), task)
    tasks = list(tasks.values())
    if settings.suffix:
        tasks = _without_earlier_results(tasks, settings)
    if not tasks:
        raise InputError(
            f"--images {' '.join(map(shown, settings.images))}: no picture in it; looked, in "
            f"subfolders too, for names that end in {' '.join(PICTURE_SUFFIXES)}"
        )
    return tasks


def _without_earlier_results(tasks: list[Task], settings: Settings) -> list[Task]:
    """Leaves out what earlier calls with the same suffix wrote beside the photographs."""
    colored = {Path(os.path.realpath(task.target)).with_suffix("") for task in tasks}
    results = colored | {path.with_name(path.name + _COMPARISON) for path in colored}
    kept = [
        task for task in tasks if Path(os.path.realpath(task.source)).with_suffix("") not in results
    ]
    if len(kept) < len(tasks) and not settings.quiet:
        print(
            f"note: {len(tasks) - len(kept)} files are named like colored ones "
            f"(...{settings.suffix}) and are left out",
            file=sys.stderr,
        )
    return kept


def _is_mine(task: Task, settings: Settings) -> bool:
    """Whether the photograph is in the part that is asked for.

    That depends on where its result stands below the output folder and on nothing else: not on
    the machine, nor on what comes and goes beside it. What shares a result is in one part.
    """
    if settings.shard is None:
        return True
    part, parts = settings.shard
    place = os.path.relpath(task.target, settings.output_dir).replace(os.sep, "/")
    digest = hashlib.sha256(os.fsencode(place)).digest()
    return int.from_bytes(digest) % parts == part - 1


def _prepare(joiner: StripJoiner, tasks: list[Task]) -> None:
    """Compiles for the first photograph; most folders hold one kind."""
    # What is wrong with it is said when its turn comes.
    with contextlib.suppress(Exception):
        joiner.prepare(*PhotoFile(tasks[0].source).pages[0].kind())


def _targets(task: Task) -> list[Path]:
    return [task.target, task.comparison] if task.comparison else [task.target]


def _target(place: Path, format: str | None, suffix: str) -> Path:
    own = place.suffix.lower()
    wanted = f".{format}" if format else own
    if FORMATS.get(wanted) is None:
        extension = ".png"
    elif FORMATS.get(own) == FORMATS[wanted]:
        extension = place.suffix
    else:
        extension = wanted
    return place.with_name(place.stem + suffix + extension)


def _color_all(
    works: Iterator[Work],
    count: int,
    colorizer: PhotoColorizer,
    settings: Settings,
    tally: Counter,
    watch: SignalWatch,
) -> None:
    in_color = []
    batch_size = colorizer.batch_size
    is_warned = False
    with tqdm(
        total=count,
        unit="photo",
        file=sys.stdout,
        dynamic_ncols=True,
        disable=settings.quiet,
    ) as bar:
        line = PhotoLine(
            colorizer,
            settings.quality,
            while_waiting=lambda task: bar.set_postfix_str(shown(task.source.name)),
            is_stopped=lambda: watch.received is not None,
        )
        for work in line.run(works):
            if work.outcome == DROPPED:
                continue
            tally[work.outcome] += 1
            bar.set_postfix_str(shown(work.task.source.name), refresh=False)
            bar.update()
            _report(work, bar, settings.quiet)
            if work.had_colors and work.outcome == COLORED:
                in_color.append(work.task.source)
            if colorizer.batch_size < batch_size and not is_warned:
                is_warned = True
                bar.write(
                    f"warning: memory ran out; the network sees {colorizer.batch_size} photographs "
                    f"at once from now on",
                    file=sys.stderr,
                )
    if in_color and not settings.quiet:
        others = f" and {len(in_color) - 1} more" if len(in_color) > 1 else ""
        print(
            f"note: {shown(in_color[0])}{others} had colors already; only the lightness was used",
            file=sys.stderr,
        )


def _report(work: Work, bar: tqdm, quiet: bool) -> None:
    name = shown(work.task.source)
    if work.outcome == FAILED:
        bar.write(f"failed: {name}: {work.reason}", file=sys.stderr)
    elif not quiet:
        for note in work.notes:
            bar.write(f"note: {name}: {note}", file=sys.stderr)


def _works(tasks: list[Task], settings: Settings, watch: SignalWatch) -> Iterator[Work]:
    """Puts the photographs on the line, those to be left alone with their outcome.

    Those of other parts are looked at too: every machine finds the same ones at fault.
    """
    claims = {}
    sources = {os.path.realpath(task.source) for task in tasks}
    for task in tasks:
        if watch.received:
            return
        work = Work(task)
        reason = task.problem or _loss(task, claims, sources)
        if not _is_mine(task, settings):
            continue
        if reason:
            work.outcome, work.reason = FAILED, reason
        elif not settings.overwrite and os.path.isfile(task.target):
            work.is_there = True
            if all(map(os.path.isfile, _targets(task))):
                work.outcome = SKIPPED
        yield work


def _loss(task: Task, claims: dict[str, Path], sources: Iterable[str]) -> str:
    """What writing the results would destroy: a photograph or another result."""
    targets = {os.path.realpath(target): target for target in _targets(task)}
    for real, target in targets.items():
        if real in sources:
            return (
                f"its result would replace the photograph {shown(target)}; give another "
                f"--output_dir or a --suffix"
            )
        if real in claims:
            return (
                f"its result would replace that of {shown(claims[real])}; color it into another "
                f"--output_dir"
            )
    claims.update(dict.fromkeys(targets, task.source))
    return ""
