"""Colors photographs.

python run.py --images demo
python run.py --images shoebox/ aunt.jpg --output_dir colored/
"""

import contextlib
import hashlib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Thread

from tqdm import tqdm

from config.settings import Settings
from data.image_io import (
    IMAGE_SUFFIXES,
    describe_passed_over,
    is_heif_supported,
    suffix_of_file,
)
from data.photos.file import PhotoFile
from data.photos.writer import FORMATS
from errors import InputError, InterruptedBySignalError, shown
from inference.hints_file import HINTS_SUFFIX, find_hints_file
from inference.lab_recombiner import prepare_recombination
from inference.photo_colorizer import PhotoColorizer
from inference.pipeline import (
    COLORED,
    DROPPED,
    FAILED,
    SKIPPED,
    ColorizationPipeline,
    Job,
)
from jobs.colorize.find_photos import find_photographs
from jobs.colorize.variants import (
    ENDINGS,
    add_variants,
    choose_variants,
    sheet_path,
    write_sheet,
)
from jobs.common.folders import make_folder
from jobs.common.load_colorizer import load_colorizer, weights_folders
from jobs.common.pretrained_colorizers import PretrainedColorizers
from jobs.common.runtime import prepare_keras
from jobs.common.signals import SignalWatch

_SOME_FAILED = 1

# Between two lines on the progress where there is no terminal for a bar.
_SECONDS = 60.0

# Appended to the name of a comparison.
_COMPARISON = "_comparison"


def colorize(settings: Settings) -> int:
    """Colors all photographs that the settings name.

    A photograph that cannot be read or written is reported on standard error; the others are still
    colored.

    Args:
        settings: `Settings`.

    Returns:
        The exit status: 0, or 1 if some photographs failed.

    Raises:
        ColorizerError: the job could not start, or was stopped by a signal.
    """
    jobs = list_jobs(settings)
    jobs_of_shard = [job for job in jobs if _is_in_shard(job, settings)]
    if settings.shard and not jobs_of_shard:
        print(f"none of {len(jobs)} photographs is in shard {settings.shard[0]}")
        return 0
    prepare_keras(settings.precision, settings.seed)
    [folder] = weights_folders(settings)
    if settings.variants:
        variants = choose_variants(settings.variants, folder)
        for job in jobs:
            add_variants(job, variants)
    # Compiling takes a second, during which another core builds the network.
    Thread(target=_prepare, args=(jobs_of_shard,)).start()
    colorizer = load_colorizer(folder, settings, settings.render_size)
    # Not earlier: a run that cannot start should leave no folder behind.
    make_folder(settings.output_dir, "output_dir")
    tally: Counter[str] = Counter()
    try:
        with SignalWatch() as watch:
            todo = _in_order(jobs, settings, watch)
            others = PretrainedColorizers(settings, folder, colorizer)
            _color_all(todo, len(jobs_of_shard), colorizer, others, settings, tally, watch)
    finally:
        if not settings.quiet:
            print(
                f"{tally[COLORED]} colored, {tally[SKIPPED]} skipped because they already exist, "
                f"{tally[FAILED]} failed; output in {shown(settings.output_dir)}"
            )
    if watch.received:
        raise InterruptedBySignalError(
            watch.received, "run the same command without --overwrite to color the rest"
        )
    return _SOME_FAILED if tally[FAILED] else 0


def list_jobs(settings: Settings) -> list[Job]:
    """Lists the photographs to color, with the paths of their results.

    The tree of a folder is mirrored below the output folder. Unless the settings choose a format,
    results keep the format of the photograph, or become PNG if it cannot hold color.

    Args:
        settings: `Settings`.

    Raises:
        InputError: a path does not exist, no photograph was found, or the format cannot be
            written by this installation.
    """
    if settings.format == "heic" and not is_heif_supported():
        raise InputError("--format heic: this format needs pillow-heif; pip install pillow-heif")
    if settings.hints is not None and not os.path.exists(settings.hints):
        raise InputError(
            f"--hints {shown(settings.hints)}: there is no such file or folder; give a file of "
            "hints, or a folder of them that is built like that of the photographs"
        )
    output_dir = Path(settings.output_dir)
    # Keyed by source and target, because a photograph may be named twice.
    found: dict[tuple[str, Path], Job] = {}
    passed_over: Counter[str] = Counter()
    names = settings.images or ()
    for name in names:
        for source, path, problem in find_photographs(name, output_dir, passed_over):
            target = output_dir / result_path(source, path, settings.format, settings.suffix)
            job = Job(source, target, hints_file=find_hints_file(source, path, settings.hints))
            if problem:
                job.outcome, job.reason = FAILED, problem
            found.setdefault((os.path.realpath(source), target), job)
    jobs = list(found.values())
    renamed = _rename_converted(jobs)
    if settings.comparison:
        for job in jobs:
            job.comparison = job.target.with_stem(job.target.stem + _COMPARISON)
    jobs = _without_earlier_results(jobs, settings)
    if not jobs:
        others = f" ({describe_passed_over(passed_over)})" if passed_over else ""
        raise InputError(
            f"--images {' '.join(map(shown, names))}: no images found{others}; names must "
            f"end in one of {' '.join(IMAGE_SUFFIXES)}, and subfolders are searched too"
        )
    if settings.hints is not None:
        _check_hints(settings.hints, jobs)
    if not settings.quiet:
        _note_names(renamed, passed_over)
    return jobs


def _check_hints(path: str, jobs: list[Job]) -> None:
    if os.path.isfile(path) and len(jobs) > 1:
        raise InputError(
            f"--hints {shown(path)}: a file of hints is for one photograph; received {len(jobs)}; "
            "give a folder of such files"
        )
    if not any(job.hints_file for job in jobs):
        raise InputError(
            f"--hints {shown(path)}: no file in it is named like a photograph, as in "
            f"{shown(jobs[0].source.name + HINTS_SUFFIX)}"
        )


def _note_names(renamed: list[Job], passed_over: Counter[str]) -> None:
    if renamed:
        others = f" and {len(renamed) - 1:,} more" if len(renamed) > 1 else ""
        print(
            f"note: the result of {shown(renamed[0].source)} is named "
            f"{shown(renamed[0].target.name)}{others}, because another result has the shorter name",
            file=sys.stderr,
        )
    if passed_over:
        print(f"note: {describe_passed_over(passed_over)}", file=sys.stderr)


def _rename_converted(jobs: list[Job]) -> list[Job]:
    """Gives photographs whose format cannot be written a longer name if others have theirs.

    The result of `x.gif` is `x.png`, but `x.gif.png` beside the photograph `x.png`.

    Returns:
        The jobs whose results have a longer name.
    """
    claims = Counter(job.target for job in jobs)
    renamed = []
    for job in jobs:
        suffix = job.source.suffix
        if claims[job.target] > 1 and not _is_writable(suffix.lower()):
            job.target = job.target.with_name(job.target.stem + suffix + job.target.suffix)
            renamed.append(job)
    return renamed


def _without_earlier_results(jobs: list[Job], settings: Settings) -> list[Job]:
    """Excludes the results that earlier runs with the same suffix wrote beside the photographs."""
    colored = {os.path.splitext(os.path.realpath(job.target))[0] for job in jobs}
    results = {path + ending for path in colored for ending in (_COMPARISON, *ENDINGS)}
    # Without a suffix, the photographs themselves are named so.
    results |= colored if settings.suffix else set()
    kept = [job for job in jobs if os.path.splitext(os.path.realpath(job.source))[0] not in results]
    if len(kept) < len(jobs) and not settings.quiet:
        named = f" (...{settings.suffix})" if settings.suffix else ""
        print(
            f"note: {len(jobs) - len(kept)} files are named like results{named} and are skipped",
            file=sys.stderr,
        )
    return kept


def _is_in_shard(job: Job, settings: Settings) -> bool:
    """Whether the photograph is in the requested shard.

    The shard depends only on the path of the result below the output folder, so it is the same on
    every machine, whatever files are added or removed. Photographs with the same result are in
    the same shard.
    """
    if settings.shard is None:
        return True
    shard, shards = settings.shard
    path = os.path.relpath(job.target, settings.output_dir).replace(os.sep, "/")
    digest = hashlib.sha256(os.fsencode(path)).digest()
    return int.from_bytes(digest) % shards == shard - 1


def _prepare(jobs: list[Job]) -> None:
    """Compiles for the kind of the first photograph; most folders hold one kind."""
    # An error is reported when the photograph is colored.
    with contextlib.suppress(Exception):
        prepare_recombination(*PhotoFile(jobs[0].source).pages[0].kind())


def _targets(job: Job) -> list[Path]:
    return [job.target, job.comparison] if job.comparison else [job.target]


def _all_targets(job: Job) -> list[Path]:
    if not job.variants:
        return _targets(job)
    return [*_targets(job), *(each.target for each in job.variants), sheet_path(job)]


def result_path(source: Path, path: Path, format: str | None, suffix: str = "") -> Path:
    """The path of the result of a photograph, which keeps its format if that can hold color.

    Args:
        source: `Path` of the photograph, whose contents say what it is if its name does not.
        path: `Path` that the result would have with the name of the photograph.
        format: str or None, the format that was asked for.
        suffix: str, appended to the name. Defaults to none.
    """
    own = path.suffix.lower() or suffix_of_file(source) or ""
    wanted = f".{format}" if format else own
    if wanted not in FORMATS:
        extension = ".png"
    elif not _is_writable(wanted):
        # What can be read without the library of HEIC is a JPEG with a wrong name.
        extension = ".jpg"
    elif FORMATS.get(own) == FORMATS[wanted]:
        extension = path.suffix or own
    else:
        extension = wanted
    return path.with_name(path.stem + suffix + extension)


def _is_writable(suffix: str) -> bool:
    return suffix in FORMATS and (FORMATS[suffix] != "HEIF" or is_heif_supported())


def _color_all(
    jobs: Iterator[Job],
    count: int,
    colorizer: PhotoColorizer,
    others: PretrainedColorizers,
    settings: Settings,
    tally: Counter,
    watch: SignalWatch,
) -> None:
    in_color = []
    batch_size = colorizer.batch_size
    printed = time.monotonic()
    with tqdm(
        total=count,
        unit="photo",
        file=sys.stdout,
        dynamic_ncols=True,
        # None: drawn only on a terminal.
        disable=settings.quiet or None,
    ) as bar:
        pipeline = ColorizationPipeline(
            colorizer,
            settings.quality,
            settings.provenance,
            others,
            while_waiting=lambda job: bar.set_postfix_str(shown(job.source.name)),
            is_stopped=lambda: watch.received is not None,
        )
        for job in _with_variants(pipeline.run(jobs), colorizer, settings):
            if job.outcome == DROPPED:
                continue
            tally[job.outcome] += 1
            bar.set_postfix_str(shown(job.source.name), refresh=False)
            bar.update()
            if bar.disable and not settings.quiet and time.monotonic() - printed >= _SECONDS:
                printed = time.monotonic()
                print(f"{tally.total():,} of {count:,} photographs are done", flush=True)
            if job.outcome == FAILED:
                bar.write(f"failed: {shown(job.source)}: {job.reason}", file=sys.stderr)
            elif not settings.quiet:
                for note in job.notes:
                    bar.write(f"note: {shown(job.source)}: {note}", file=sys.stderr)
            if job.had_colors and job.outcome == COLORED:
                in_color.append(job.source)
            if colorizer.batch_size < batch_size:
                # Warned of once, with the size at that moment.
                batch_size = 0
                bar.write(
                    "warning: memory ran out; the network now colors at most "
                    f"{colorizer.batch_size} photographs at once",
                    file=sys.stderr,
                )
    if in_color and not settings.quiet:
        more = f" and {len(in_color) - 1} more" if len(in_color) > 1 else ""
        print(
            f"note: {shown(in_color[0])}{more} had colors already; only the lightness was used",
            file=sys.stderr,
        )


def _with_variants(
    results: Iterator[Job], colorizer: PhotoColorizer, settings: Settings
) -> Iterator[Job]:
    """Yields photographs once their variants and the sheet are there, with the outcome of all."""
    provenance = colorizer.provenance if settings.provenance else None
    for job in results:
        done = [job, *(next(results) for _ in job.variants)]
        outcomes = [each.outcome for each in done]
        if FAILED in outcomes:
            failed = done[outcomes.index(FAILED)]
            job.outcome, job.reason = FAILED, failed.reason
        elif DROPPED in outcomes:
            job.outcome = DROPPED
        elif job.variants and (COLORED in outcomes or not os.path.isfile(sheet_path(job))):
            job.outcome = COLORED
            # Results of earlier runs, which may be damaged, are read too.
            try:
                write_sheet(job, settings.quality, provenance)
            except Exception as error:
                job.fail(error)
        yield job


def _in_order(jobs: list[Job], settings: Settings, watch: SignalWatch) -> Iterator[Job]:
    """Yields the photographs of the shard, those that are not to be colored with their outcome.

    Photographs of other shards are checked too, so that all machines report the same conflicts.
    """
    claims: dict[str, Path] = {}
    sources = {os.path.realpath(job.source) for job in jobs}
    for job in jobs:
        if watch.received:
            return
        conflict = "" if job.outcome else _conflict(job, claims, sources)
        if not _is_in_shard(job, settings):
            continue
        if conflict:
            job.outcome, job.reason = FAILED, conflict
        for each in (job, *job.variants):
            if job.outcome == FAILED:
                each.outcome, each.reason = FAILED, job.reason
            elif not settings.overwrite and _is_done(each):
                each.is_colored = True
                if all(map(os.path.isfile, _targets(each))):
                    each.outcome = SKIPPED
        yield from (job, *job.variants)


def _is_done(job: Job) -> bool:
    """Whether the result is there, and no older than the hints."""
    if not os.path.isfile(job.target):
        return False
    if job.hints_file is None or not os.path.isfile(job.hints_file):
        return True
    return os.path.getmtime(job.target) >= os.path.getmtime(job.hints_file)


def _conflict(job: Job, claims: dict[str, Path], sources: Iterable[str]) -> str:
    """The photograph or other result that the results would replace, as a message, or empty."""
    targets = {os.path.realpath(target): target for target in _all_targets(job)}
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
