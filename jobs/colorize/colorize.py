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

from config.settings import Settings
from data.image_io import IMAGE_SUFFIXES, is_heif_supported
from data.photos.file import PhotoFile
from data.photos.writer import FORMATS
from errors import InputError, InterruptedBySignalError, shown
from inference.lab_recombiner import LabRecombiner
from inference.photo_colorizer import PhotoColorizer
from inference.pipeline import (
    COLORED,
    DROPPED,
    FAILED,
    SKIPPED,
    ColorizationPipeline,
    Job,
    JobState,
)
from jobs.colorize.find_photos import find_photographs
from jobs.common.folders import make_folder
from jobs.common.load_colorizer import load_colorizer, weights_folders
from jobs.common.runtime import prepare_keras
from jobs.common.signals import SignalWatch

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
    jobs = list_jobs(settings)
    mine = [job for job in jobs if _is_mine(job, settings)]
    if not mine:
        print(f"none of {len(jobs)} photographs is in part {settings.shard[0]}")
        return 0
    prepare_keras(settings.precision, settings.seed)
    [folder] = weights_folders(settings)
    recombiner = LabRecombiner()
    # Compiling takes a second, and the other core has nothing to do while the network is built.
    Thread(target=_prepare, args=(recombiner, mine)).start()
    colorizer = load_colorizer(folder, settings, settings.render_size, recombiner)
    # Only now: what cannot begin leaves no folder.
    make_folder(settings.output_dir, "output_dir")
    tally = Counter()
    try:
        with SignalWatch() as watch:
            states = _states(jobs, settings, watch)
            _color_all(states, len(mine), colorizer, settings, tally, watch)
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


def list_jobs(settings: Settings) -> list[Job]:
    """Finds the photographs and where their colored versions are to stand.

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
    jobs = {}
    for name in settings.images:
        for source, place, problem in find_photographs(name, output_dir):
            target = output_dir / _target(place, settings.format, settings.suffix)
            comparison = target.with_stem(target.stem + _COMPARISON)
            job = Job(source, target, comparison if settings.comparison else None, problem)
            jobs.setdefault((os.path.realpath(source), target), job)
    jobs = list(jobs.values())
    if settings.suffix:
        jobs = _without_earlier_results(jobs, settings)
    if not jobs:
        raise InputError(
            f"--images {' '.join(map(shown, settings.images))}: no image in it; looked, in "
            f"subfolders too, for names that end in {' '.join(IMAGE_SUFFIXES)}"
        )
    return jobs


def _without_earlier_results(jobs: list[Job], settings: Settings) -> list[Job]:
    """Leaves out what earlier calls with the same suffix wrote beside the photographs."""
    colored = {Path(os.path.realpath(job.target)).with_suffix("") for job in jobs}
    results = colored | {path.with_name(path.name + _COMPARISON) for path in colored}
    kept = [
        job for job in jobs if Path(os.path.realpath(job.source)).with_suffix("") not in results
    ]
    if len(kept) < len(jobs) and not settings.quiet:
        print(
            f"note: {len(jobs) - len(kept)} files are named like colored ones "
            f"(...{settings.suffix}) and are left out",
            file=sys.stderr,
        )
    return kept


def _is_mine(job: Job, settings: Settings) -> bool:
    """Whether the photograph is in the part that is asked for.

    That depends on where its result stands below the output folder and on nothing else: not on
    the machine, nor on what comes and goes beside it. What shares a result is in one part.
    """
    if settings.shard is None:
        return True
    part, parts = settings.shard
    place = os.path.relpath(job.target, settings.output_dir).replace(os.sep, "/")
    digest = hashlib.sha256(os.fsencode(place)).digest()
    return int.from_bytes(digest) % parts == part - 1


def _prepare(recombiner: LabRecombiner, jobs: list[Job]) -> None:
    """Compiles for the first photograph; most folders hold one kind."""
    # What is wrong with it is said when its turn comes.
    with contextlib.suppress(Exception):
        recombiner.prepare(*PhotoFile(jobs[0].source).pages[0].kind())


def _targets(job: Job) -> list[Path]:
    return [job.target, job.comparison] if job.comparison else [job.target]


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
    states: Iterator[JobState],
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
        line = ColorizationPipeline(
            colorizer,
            settings.quality,
            while_waiting=lambda job: bar.set_postfix_str(shown(job.source.name)),
            is_stopped=lambda: watch.received is not None,
        )
        for state in line.run(states):
            if state.outcome == DROPPED:
                continue
            tally[state.outcome] += 1
            bar.set_postfix_str(shown(state.job.source.name), refresh=False)
            bar.update()
            _report(state, bar, settings.quiet)
            if state.had_colors and state.outcome == COLORED:
                in_color.append(state.job.source)
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


def _report(state: JobState, bar: tqdm, quiet: bool) -> None:
    name = shown(state.job.source)
    if state.outcome == FAILED:
        bar.write(f"failed: {name}: {state.reason}", file=sys.stderr)
    elif not quiet:
        for note in state.notes:
            bar.write(f"note: {name}: {note}", file=sys.stderr)


def _states(jobs: list[Job], settings: Settings, watch: SignalWatch) -> Iterator[JobState]:
    """Puts the photographs on the line, those to be left alone with their outcome.

    Those of other parts are looked at too: every machine finds the same ones at fault.
    """
    claims = {}
    sources = {os.path.realpath(job.source) for job in jobs}
    for job in jobs:
        if watch.received:
            return
        state = JobState(job)
        reason = job.problem or _loss(job, claims, sources)
        if not _is_mine(job, settings):
            continue
        if reason:
            state.outcome, state.reason = FAILED, reason
        elif not settings.overwrite and os.path.isfile(job.target):
            state.is_there = True
            if all(map(os.path.isfile, _targets(job))):
                state.outcome = SKIPPED
        yield state


def _loss(job: Job, claims: dict[str, Path], sources: Iterable[str]) -> str:
    """What writing the results would destroy: a photograph or another result."""
    targets = {os.path.realpath(target): target for target in _targets(job)}
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
    claims.update(dict.fromkeys(targets, job.source))
    return ""
