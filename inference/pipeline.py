"""Colors photographs in a pipeline in which reading, the network and writing overlap.

Each photograph is read twice: shrunk, for the network, and again in strips once its colors are
known. A batch therefore holds no full-size pixels, and memory does not grow with the size or the
number of the photographs.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf
from threadpoolctl import threadpool_limits

from data.color.lab import lightness1_to_gray_rgb1, rgb1_to_rgb255, rgb255_to_lab1
from data.image_io import first_reason, write_rgb
from data.photos.file import PhotoFile
from data.photos.page import PhotoPage, to_depth
from data.photos.writer import what_is_lost, write_photo
from errors import shown
from inference.color_cast import has_colors
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


@dataclass(frozen=True)
class Job:
    """One photograph to color.

    Attributes:
        source: `Path` of the photograph.
        target: `Path` of the colored photograph.
        comparison: `Path` of an image with both side by side, or None.
        problem: str, why the photograph cannot be colored, or empty.
    """

    source: Path
    target: Path
    comparison: Path | None = None
    problem: str = ""


@dataclass
class JobState:
    """The state of a photograph in the pipeline.

    Attributes:
        job: `Job`.
        outcome: str, `COLORED`, `SKIPPED`, `FAILED` or `DROPPED`; empty while in progress.
        reason: str, why it failed.
        notes: list of str, defects of the file, and what the result cannot hold.
        had_colors: bool, whether the photograph was in color.
        is_colored: bool, whether the result exists already and only the comparison is missing.
        photo: `PhotoFile` while in progress, otherwise None.
        lightness: list of arrays, the network's input for each page.
        colors: list of arrays, the network's output (ab) for each page.
    """

    job: Job
    outcome: str = ""
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    had_colors: bool = False
    is_colored: bool = False
    photo: PhotoFile | None = None
    lightness: list[np.ndarray] = field(default_factory=list)
    colors: list[np.ndarray] = field(default_factory=list)

    def fail(self, error: Exception) -> "JobState":
        """Marks the photograph as failed because of an error, and returns the state."""
        self.outcome, self.reason = FAILED, _reason(error, self.job)
        return self


class ColorizationPipeline:
    """Colors photographs in order, with reading, the network and writing at the same time.

    Args:
        colorizer: `PhotoColorizer`.
        quality: int, quality of lossy formats. Defaults to `95`.
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
        while_waiting: Callable[[Job], None] = lambda job: None,
        is_stopped: Callable[[], bool] = lambda: False,
    ):
        self._colorizer = colorizer
        self._quality = quality
        self._while_waiting = while_waiting
        self._is_stopped = is_stopped
        self._started: Job | None = None
        self._budget = MemoryBudget(_BUDGET)

    def run(self, states: Iterable[JobState]) -> Iterator[JobState]:
        """Colors photographs.

        Args:
            states: iterable of `JobState`. Those that already have an outcome are passed through.

        Yields:
            The same states in the same order, with their outcomes. A photograph that fails, for
            whatever reason, does not end the pipeline.
        """
        readers, writers = ThreadPoolExecutor(_THREADS), ThreadPoolExecutor(_THREADS)
        try:
            # NumPy's BLAS threads would wait for each other and take time from these threads.
            with threadpool_limits(1, user_api="blas"):
                # Traced while the first photographs are read.
                readers.submit(self._colorizer.trace)
                read = self._ahead(readers, self._read, states, self._colorizer.batch_size)
                colored = self._color(read)
                # The writers need work while the network colors the next batch.
                count = max(2 * _THREADS, self._colorizer.batch_size)
                yield from self._ahead(writers, self._write, colored, count)
        finally:
            for pool in (readers, writers):
                pool.shutdown(cancel_futures=True)

    def _read(self, state: JobState) -> JobState:
        if state.outcome or self._drop(state):
            return state
        # Decoders raise exceptions of any type for a broken file.
        try:
            state.photo = PhotoFile(state.job.source)
            state.notes += state.photo.notes + what_is_lost(state.job.target, state.photo.pages)
            for page in state.photo.pages:
                with self._budget.share(page.size):
                    if self._drop(state):
                        return state
                    lab = self._colorizer.lab_at_render_size(page)
                state.lightness.append(lab[..., :1].copy())
                state.had_colors = state.had_colors or has_colors(lab)
        except Exception as error:
            return state.fail(error)
        return state

    def _color(self, states: Iterable[JobState]) -> Iterator[JobState]:
        for batch in self._batches(states):
            pages = [page for state in batch if not state.outcome for page in state.lightness]
            try:
                colors = iter(self._colorizer.predict(pages))
            except (tf.errors.ResourceExhaustedError, MemoryError) as error:
                for state in batch:
                    yield state if state.outcome else state.fail(error)
                continue
            for state in batch:
                if not state.outcome:
                    state.colors = [next(colors) for _ in state.lightness]
                yield state

    def _batches(self, states: Iterable[JobState]) -> Iterator[list[JobState]]:
        batch = []
        for state in states:
            batch.append(state)
            pages = sum(len(state.lightness) for state in batch)
            if pages >= self._colorizer.batch_size or len(batch) >= _LONGEST_BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def _write(self, state: JobState) -> JobState:
        if state.outcome or self._drop(state):
            return state
        job, photo = state.job, state.photo
        try:
            with self._budget.share(max(page.size for page in photo.pages)):
                # The pipeline may have been stopped while this waited for memory.
                if self._drop(state):
                    return state
                self._started = job
                if not state.is_colored:
                    write_photo(job.target, self._colored_pages(state), self._quality)
                if job.comparison:
                    self._write_comparison(state)
            state.outcome = COLORED
        except Exception as error:
            state.fail(error)
        # No longer needed; frees their memory.
        state.photo, state.lightness, state.colors = None, [], []
        return state

    def _colored_pages(self, state: JobState) -> Iterator:
        for page, lightness, ab in zip(
            state.photo.pages, state.lightness, state.colors, strict=True
        ):
            yield page, self._colorizer.strips(page, lightness, ab)

    def _write_comparison(self, state: JobState) -> None:
        page = state.photo.pages[0]
        scale = min(1.0, _COMPARISON_SIDE / max(page.height, page.width))
        size = max(1, round(page.height * scale)), max(1, round(page.width * scale))
        lightness = rgb255_to_lab1(_shrunk_rgb255(page, *size))[..., :1]
        gray = np.asarray(rgb1_to_rgb255(lightness1_to_gray_rgb1(lightness)))
        colored = _shrunk_rgb255(PhotoFile(state.job.target).pages[0], *size)
        gap = np.full((size[0], _GAP, 3), 255, "uint8")
        pixels = np.concatenate([gray, gap, colored], axis=1)
        write_rgb(state.job.comparison, pixels, self._quality)

    def _ahead(
        self, pool: ThreadPoolExecutor, function: Callable, items: Iterable, count: int
    ) -> Iterator:
        """Calls a function on each item in a pool, `count` items ahead, and yields in order."""
        waiting = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > count:
                yield self._result(waiting.popleft())
        while waiting:
            yield self._result(waiting.popleft())

    def _result(self, future: Future) -> JobState:
        while not wait([future], timeout=_BLINK).done:
            if self._started:
                self._while_waiting(self._started)
        return future.result()

    def _drop(self, state: JobState) -> bool:
        if self._is_stopped():
            state.outcome = DROPPED
        return bool(state.outcome)


def _shrunk_rgb255(page: PhotoPage, height: int, width: int) -> np.ndarray:
    return np.broadcast_to(to_depth(page.shrunk(height, width), 8), (height, width, 3))


def _reason(error: Exception, job: Job) -> str:
    if isinstance(error, (MemoryError, tf.errors.ResourceExhaustedError)):
        return "it does not fit into memory"
    if isinstance(error, OSError) and error.filename and Path(error.filename) != job.source:
        return f"{shown(job.target)} cannot be written: {error.strerror}"
    return first_reason(error, job.source)
