"""The assembly line of coloring: reading, network and writing overlap.

Each photograph is read twice: shrunk, for the network, and again in strips when its colors are
known. So a batch holds no full-size pixels, and memory does not grow with the photographs' size or
number.
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

# Bytes of colored pixels that may be in work: one photograph of 100 megapixels and 8 bits, or many
# small ones.
_BUDGET = 2**29

# With those that were skipped or failed.
_LONGEST_BATCH = 64

_THREADS = min(8, os.cpu_count() or 1)

# Seconds between two looks at what is in work.
_BLINK = 0.5

# The longer side of each half of a comparison: what fills a screen.
_COMPARISON_SIDE = 1600
_GAP = 8


@dataclass(frozen=True)
class Job:
    """One photograph to color.

    Attributes:
        source: its file.
        target: the file of the colored one.
        comparison: the file with both side by side, or None.
        problem: str, why it cannot even be begun; empty when it can.
    """

    source: Path
    target: Path
    comparison: Path | None = None
    problem: str = ""


@dataclass
class JobState:
    """A photograph on the line.

    Attributes:
        job: what is to be done.
        outcome: str, how it ended; empty while it is on the line.
        reason: str, why it failed.
        notes: list of str, what had to be left out.
        had_colors: bool, whether it was in color before.
        is_there: bool, whether it was colored before and only the comparison is missing.
        photo: the opened file, while it is on the line.
        lightness: list of arrays, what the network sees of each page.
        colors: list of arrays, what it makes of them.
    """

    job: Job
    outcome: str = ""
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    had_colors: bool = False
    is_there: bool = False
    photo: PhotoFile | None = None
    lightness: list[np.ndarray] = field(default_factory=list)
    colors: list[np.ndarray] = field(default_factory=list)

    def fail(self, error: Exception) -> "JobState":
        """Ends it with the reason of an error."""
        self.outcome, self.reason = FAILED, _reason(error, self.job)
        return self


class ColorizationPipeline:
    """Colors photographs one after the other, several steps of them at once.

    Args:
        colorizer: `PhotoColorizer`.
        quality: int, of JPEG.
        while_waiting: called twice a second by the thread that takes the results, with the job
            that was begun last.
        is_stopped: called often; when it returns True, what is being written is finished and all
            else dropped.
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
        self._begun: Job | None = None
        self._budget = MemoryBudget(_BUDGET)

    def run(self, states: Iterable[JobState]) -> Iterator[JobState]:
        """Colors photographs.

        Args:
            states: those that have an outcome already are passed through.

        Yields:
            The same in the same order, with their outcomes. Nothing a photograph has in it ends
            the line.
        """
        readers, writers = ThreadPoolExecutor(_THREADS), ThreadPoolExecutor(_THREADS)
        try:
            # NumPy's own threads would wait for each other at work, and take the time of these.
            with threadpool_limits(1, user_api="blas"):
                # While the first photographs are read.
                readers.submit(self._colorizer.trace)
                looked_at = self._ahead(readers, self._look, states, self._colorizer.batch_size)
                colored = self._color(looked_at)
                yield from self._ahead(writers, self._write, colored, 2 * _THREADS)
        finally:
            for pool in (readers, writers):
                pool.shutdown(cancel_futures=True)

    def _look(self, state: JobState) -> JobState:
        if state.outcome or self._drop(state):
            return state
        # Decoders raise whatever they make of a broken file.
        try:
            state.photo = PhotoFile(state.job.source)
            state.notes += state.photo.notes + what_is_lost(state.job.target, state.photo.pages)
            for page in state.photo.pages:
                with self._budget.share(page.size):
                    if self._drop(state):
                        return state
                    lab = self._colorizer.look_at(page)
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
                # It may have waited for its share.
                if self._drop(state):
                    return state
                self._begun = job
                if not state.is_there:
                    write_photo(job.target, self._colored_pages(state), self._quality)
                if job.comparison:
                    self._write_comparison(state)
            state.outcome = COLORED
        except Exception as error:
            state.fail(error)
        # The rest of the line does not need them any more.
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
        """Calls a function of each item in a pool, `count` items ahead, and yields in order."""
        waiting = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > count:
                yield self._result(waiting.popleft())
        while waiting:
            yield self._result(waiting.popleft())

    def _result(self, future: Future) -> JobState:
        while not wait([future], timeout=_BLINK).done:
            if self._begun:
                self._while_waiting(self._begun)
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
