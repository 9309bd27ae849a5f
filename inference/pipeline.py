"""Colors photographs in a pipeline in which reading, the network and writing overlap.

Each photograph is read twice: shrunk, for the network, and again in strips once its colors are
known. A batch therefore holds no full-size pixels, and memory does not grow with the size or the
number of the photographs.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf
from threadpoolctl import threadpool_limits

from data.color.lab import lightness1_to_gray_rgb1, rgb1_to_rgb255, rgb255_to_lab1
from data.image_io import first_reason
from data.photos.file import PhotoFile
from data.photos.page import page_of_pixels, to_depth
from data.photos.provenance import Provenance
from data.photos.writer import what_is_lost, write_photo
from errors import shown
from inference.color_cast import has_colors
from inference.hints import HintSquare
from inference.hints_file import HintsFile
from inference.look import AS_SET, Look
from inference.memory_budget import MemoryBudget
from inference.photo_colorizer import PhotoColorizer

COLORED, SKIPPED, FAILED, DROPPED = "colored", "skipped", "failed", "dropped"

# Bytes of colored pixels in progress at a time: one photograph of 100 megapixels and 8 bits, or
# many small ones.
_BUDGET = 2**29

# Including photographs that were skipped or failed.
_LONGEST_BATCH = 64

_THREADS = min(8, os.cpu_count() or 1)

# Seconds between two calls of `while_waiting`.
_BLINK = 0.5

# The longer side of each half of a comparison, in pixels: enough to fill a screen.
_COMPARISON_SIDE = 1600
_GAP = 8


@dataclass(eq=False)
class Job:
    """One photograph to color, and how far it is.

    Attributes:
        source: `Path` of the photograph.
        target: `Path` of the colored photograph.
        comparison: `Path` of an image with both side by side, or None.
        hints_file: `Path` of a file of hints, or None.
        variant: `Look` to color it as, or None for what the file of hints asks for.
        variants: list of `Job`, the same photograph in other ways. The pipeline does not read it.
        outcome: str, `COLORED`, `SKIPPED`, `FAILED` or `DROPPED`; empty while in progress.
        reason: str, why it failed.
        notes: list of str, defects of the file, and what the result cannot hold.
        had_colors: bool, whether the photograph was in color.
        is_colored: bool, whether the result exists already and only the comparison is missing.
        photo: `PhotoFile` while in progress, otherwise None.
        lightness: list of arrays, the network's input for each page.
        squares: list of lists of `HintSquare`, the hints of each page.
        colorizer: `PhotoColorizer` that colors it while in progress, otherwise None.
        look: `Look`, the saturation, calm and palette of its colors.
        colors: list of arrays, the network's output (ab) for each page.
    """

    source: Path
    target: Path
    comparison: Path | None = None
    hints_file: Path | None = None
    variant: Look | None = None
    variants: list["Job"] = field(default_factory=list)
    outcome: str = ""
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    had_colors: bool = False
    is_colored: bool = False
    photo: PhotoFile | None = None
    lightness: list[np.ndarray] = field(default_factory=list)
    squares: list[list[HintSquare]] = field(default_factory=list)
    colorizer: PhotoColorizer | None = None
    look: Look = AS_SET
    colors: list[np.ndarray] = field(default_factory=list)

    def fail(self, error: Exception) -> "Job":
        """Marks the photograph as failed because of an error, and returns the job."""
        self.outcome, self.reason = FAILED, _reason(error, self)
        return self


class ColorizationPipeline:
    """Colors photographs in order, with reading, the network and writing at the same time.

    Args:
        colorizer: `PhotoColorizer`.
        quality: int, quality of lossy formats. Defaults to `95`.
        says_provenance: bool, whether the XMP of the results says that their colors are
            machine-made, and by which weights. Defaults to `True`.
        with_weights: function of the name of pretrained weights that returns a `PhotoColorizer`,
            called on any thread for variants that need others. Defaults to `None`: these fail.
        while_waiting: function of a `Job`, called twice a second with the job that was started
            last, on the thread that waits for results. Defaults to a function without effect.
        is_stopped: function without arguments, called often. Once it returns True, photographs
            that are being written are finished and all others are dropped. Defaults to a function
            that returns False.
    """

    def __init__(
        self,
        colorizer: PhotoColorizer,
        quality: int = 95,
        says_provenance: bool = True,
        with_weights: Callable[[str], PhotoColorizer] | None = None,
        while_waiting: Callable[[Job], None] = lambda job: None,
        is_stopped: Callable[[], bool] = lambda: False,
    ):
        self._colorizer = colorizer
        self._quality = quality
        self._says_provenance = says_provenance
        self._with_weights = with_weights
        self._while_waiting = while_waiting
        self._is_stopped = is_stopped
        self._started: Job | None = None
        self._budget = MemoryBudget(_BUDGET)

    def run(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Colors photographs.

        Args:
            jobs: iterable of `Job`. Those that already have an outcome are passed through.

        Yields:
            The same jobs in the same order, with their outcomes. A photograph that fails, for
            whatever reason, does not end the pipeline.
        """
        readers, writers = ThreadPoolExecutor(_THREADS), ThreadPoolExecutor(_THREADS)
        try:
            # NumPy's BLAS threads would wait for each other and take time from these threads.
            with threadpool_limits(1, user_api="blas"):
                # Traced while the first photographs are read.
                readers.submit(self._colorizer.trace)
                read = self._ahead(readers, self._read, jobs, self._colorizer.batch_size)
                colored = self._color(read)
                # The writers need work while the network colors the next batch.
                count = max(2 * _THREADS, self._colorizer.batch_size)
                yield from self._ahead(writers, self._write, colored, count)
        finally:
            for pool in (readers, writers):
                pool.shutdown(cancel_futures=True)

    def _read(self, job: Job) -> Job:
        if self._is_over(job):
            return job
        # Decoders raise exceptions of any type for a broken file.
        try:
            job.photo = PhotoFile(job.source)
            if not self._read_hints(job):
                return job
            assert job.colorizer is not None
            lost = what_is_lost(job.target, job.photo.pages, self._provenance_of(job))
            for page in job.photo.pages:
                with self._budget.share(page.size):
                    if self._is_over(job):
                        return job
                    lab = job.colorizer.lab_at_render_size(page)
                job.lightness.append(lab[..., :1].copy())
                job.had_colors = job.had_colors or has_colors(lab)
            job.notes += job.photo.notes + lost
        except Exception as error:
            return job.fail(error)
        return job

    def _read_hints(self, job: Job) -> bool:
        """Reads the hints, finds the weights and places the hints, or lets the job fail."""
        assert job.photo is not None
        hints = HintsFile()
        try:
            if job.hints_file:
                hints = HintsFile.read(job.hints_file)
            job.look = job.variant or hints.look()
            job.colorizer = self._colorizer_of(job.look)
            job.colorizer.check(job.look)
            job.squares = job.colorizer.place(hints.hints, job.photo.pages)
        except (OSError, ValueError) as error:
            if not job.hints_file:
                raise
            job.outcome = FAILED
            job.reason = f"{shown(job.hints_file)}: {first_reason(error, job.hints_file)}"
        return not job.outcome

    def _colorizer_of(self, look: Look) -> PhotoColorizer:
        if look.weights is None:
            return self._colorizer
        if self._with_weights is None:
            raise ValueError(f"the variant {look.name} needs other weights")
        return self._with_weights(look.weights)

    def _provenance_of(self, job: Job) -> Provenance | None:
        return job.colorizer.provenance if job.colorizer and self._says_provenance else None

    def _color(self, jobs: Iterable[Job]) -> Iterator[Job]:
        for batch in self._batches(jobs):
            todo = [job for job in batch if not job.outcome]
            by_colorizer: dict[PhotoColorizer, list[Job]] = {}
            for job in todo:
                assert job.colorizer is not None
                by_colorizer.setdefault(job.colorizer, []).append(job)
            for colorizer, own in by_colorizer.items():
                try:
                    _predict(colorizer, own)
                except (tf.errors.ResourceExhaustedError, MemoryError) as error:
                    for job in own:
                        job.fail(error)
            yield from batch

    def _batches(self, jobs: Iterable[Job]) -> Iterator[list[Job]]:
        batch = []
        for job in jobs:
            batch.append(job)
            pages = sum(len(job.lightness) for job in batch)
            if pages >= self._colorizer.batch_size or len(batch) >= _LONGEST_BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def _write(self, job: Job) -> Job:
        if self._is_over(job):
            return job
        assert job.photo is not None
        assert job.colorizer is not None
        pages = job.photo.pages
        try:
            with self._budget.share(max(page.size for page in pages)):
                # The pipeline may have been stopped while this waited for memory.
                if self._is_over(job):
                    return job
                self._started = job
                if not job.is_colored:
                    parts = zip(pages, job.lightness, job.colors, strict=True)
                    colored = ((part[0], job.colorizer.strips(*part)) for part in parts)
                    write_photo(job.target, colored, self._quality, self._provenance_of(job))
                if job.comparison:
                    self._write_comparison(job)
            job.outcome = COLORED
        except Exception as error:
            job.fail(error)
        # No longer needed; frees their memory.
        job.photo, job.lightness, job.squares, job.colors = None, [], [], []
        job.colorizer = None
        return job

    def _write_comparison(self, job: Job) -> None:
        """Writes the photograph in gray beside the colored one."""
        assert job.photo is not None
        assert job.comparison is not None
        page = job.photo.pages[0]
        scale = min(1.0, _COMPARISON_SIDE / max(page.height, page.width))
        height, width = (max(1, round(side * scale)) for side in (page.height, page.width))
        before, after = (
            np.broadcast_to(to_depth(page.shrunk(height, width), 8), (height, width, 3))
            for page in (page, PhotoFile(job.target).pages[0])
        )
        gray = rgb1_to_rgb255(lightness1_to_gray_rgb1(rgb255_to_lab1(before)[..., :1]))
        gap = np.full((height, _GAP, 3), 255, "uint8")
        both = np.concatenate([gray, gap, after], axis=1)
        pages = [(page_of_pixels(both), [both])]
        write_photo(job.comparison, pages, self._quality, self._provenance_of(job))

    def _ahead(
        self, pool: ThreadPoolExecutor, function: Callable, items: Iterable, count: int
    ) -> Iterator:
        """Calls a function on each item in a pool, `count` items ahead, and yields in order."""
        waiting: deque[Future] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > count:
                yield self._result(waiting.popleft())
        while waiting:
            yield self._result(waiting.popleft())

    def _result(self, future: Future) -> Job:
        while not wait([future], timeout=_BLINK).done:
            if self._started:
                self._while_waiting(self._started)
        return future.result()

    def _is_over(self, job: Job) -> bool:
        """Whether the job has an outcome already, or gets one because the pipeline is stopped."""
        if not job.outcome and self._is_stopped():
            job.outcome = DROPPED
        return bool(job.outcome)


def _predict(colorizer: PhotoColorizer, jobs: Sequence[Job]) -> None:
    pages = [(job, number) for job in jobs for number in range(len(job.lightness))]
    colors = colorizer.predict(
        [job.lightness[number] for job, number in pages],
        [job.squares[number] for job, number in pages],
        [job.look for job, _ in pages],
    )
    for (job, _), ab in zip(pages, colors, strict=True):
        job.colors.append(ab)


def _reason(error: Exception, job: Job) -> str:
    if isinstance(error, (MemoryError, tf.errors.ResourceExhaustedError)):
        return "it does not fit into memory"
    if isinstance(error, OSError) and error.filename and Path(error.filename) != job.source:
        return f"{shown(job.target)} cannot be written: {error.strerror}"
    return first_reason(error, job.source)
