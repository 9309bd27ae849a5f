"""The pipeline preserves order and count, holds few photographs at once and stops cleanly."""

import os
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from inference import pipeline as colorization_pipeline
from inference.pipeline import (
    COLORED,
    DROPPED,
    FAILED,
    SKIPPED,
    ColorizationPipeline,
    Job,
)

SIDE = 8


class GrayColorizer:
    """Returns gray without delay, and records the sizes of its batches."""

    def __init__(self, batch_size=4):
        self.batch_size = batch_size
        self.batches = []

    provenance = None

    def trace(self):
        pass

    def place(self, hints, pages):
        return [[] for _ in pages]

    def check(self, look):
        pass

    def lab_at_render_size(self, page):
        return np.broadcast_to(page.shrunk(SIDE, SIDE) / 2.55, (SIDE, SIDE, 3)).astype("float32")

    def predict(self, lightness, squares=None, looks=None):
        self.batches.append(len(lightness))
        return [np.zeros((SIDE, SIDE, 2), "float32") for _ in lightness]

    def strips(self, page, lightness, ab):
        for rgb, _ in page.strips():
            yield np.repeat(rgb, 3, axis=-1)


def photograph(path, level=100, size=(6, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, level).save(path)
    return path


def jobs_of(folder, count):
    """`count` photographs, each of a different gray level."""
    names = [f"{number:03}.png" for number in range(count)]
    return [
        Job(photograph(folder / "in" / name, level), folder / "out" / name)
        for level, name in enumerate(names)
    ]


def test_order_and_outcomes_are_preserved_among_failures_and_skipped_photographs(here):
    jobs = jobs_of(here, 50)
    for number in range(0, 50, 7):
        jobs[number].source.write_text("no image")
    for number in range(3, 50, 7):
        jobs[number].outcome = SKIPPED
    colorizer = GrayColorizer(batch_size=4)
    done = list(ColorizationPipeline(colorizer).run(jobs))
    assert done == jobs
    expected = {0: FAILED, 3: SKIPPED}
    assert [job.outcome for job in done] == [expected.get(n % 7, COLORED) for n in range(50)]
    # The network's batches are full, even if photographs in between fail or are skipped.
    colored = [number for number in range(50) if number % 7 not in expected]
    assert colorizer.batches == [4] * (len(colored) // 4) + [len(colored) % 4]
    # Each result shows its own photograph.
    for number in colored:
        assert Image.open(here / f"out/{number:03}.png").getpixel((0, 0)) == (number,) * 3
    assert len(os.listdir(here / "out")) == len(colored)


def test_few_photographs_are_held_at_once(here):
    started = []

    def jobs():
        for job in jobs_of(here, 120):
            started.append(job)
            yield job

    results = ColorizationPipeline(GrayColorizer(batch_size=4)).run(jobs())
    next(results)
    # One batch being read, one in the network, and those waiting for the writers.
    assert len(started) <= 4 + 4 + 4 + 2 * colorization_pipeline._THREADS
    assert all(job.photo is None and not job.colors for job in results)


def test_reading_continues_while_photographs_are_written(here, monkeypatch):
    if colorization_pipeline._THREADS < 2:
        pytest.skip("one core")
    jobs = jobs_of(here, 10)
    last_was_read = threading.Event()

    class Watched(colorization_pipeline.PhotoFile):
        def __init__(self, path):
            super().__init__(path)
            if path == jobs[-1].source:
                last_was_read.set()

    waited = []
    write = colorization_pipeline.write_photo

    def wait_and_write(*arguments):
        waited.append(last_was_read.wait(10))
        write(*arguments)

    monkeypatch.setattr(colorization_pipeline, "PhotoFile", Watched)
    monkeypatch.setattr(colorization_pipeline, "write_photo", wait_and_write)
    assert len(list(ColorizationPipeline(GrayColorizer()).run(jobs))) == 10
    assert all(waited)


def test_large_photographs_are_not_in_memory_together(here, monkeypatch):
    lock, counts = threading.Lock(), {"now": 0, "most": 0}

    class Counting(GrayColorizer):
        def lab_at_render_size(self, page):
            with lock:
                counts["now"] += 1
                counts["most"] = max(counts["most"], counts["now"])
            time.sleep(0.01)
            with lock:
                counts["now"] -= 1
            return super().lab_at_render_size(page)

        def strips(self, page, lightness, ab):
            self.lab_at_render_size(page)
            return super().strips(page, lightness, ab)

    # Every photograph alone exceeds this budget.
    monkeypatch.setattr(colorization_pipeline, "_BUDGET", 1)
    done = list(ColorizationPipeline(Counting()).run(jobs_of(here, 8)))
    assert [job.outcome for job in done] == [COLORED] * 8
    assert counts["most"] == 1


def test_photographs_that_do_not_fit_into_memory_fail_and_the_others_are_colored(here):
    class Small(GrayColorizer):
        def predict(self, lightness, squares=None, looks=None):
            if len(self.batches) == 1:
                self.batches.append(0)
                raise tf.errors.ResourceExhaustedError(None, None, "OOM when\nallocating")
            return super().predict(lightness)

        def strips(self, page, lightness, ab):
            if page.width == 7:
                raise MemoryError
            return super().strips(page, lightness, ab)

    jobs = jobs_of(here, 6)
    photograph(jobs[1].source, size=(7, 4))
    done = list(ColorizationPipeline(Small(batch_size=2)).run(jobs))
    assert [job.outcome for job in done] == [COLORED, FAILED, FAILED, FAILED, COLORED, COLORED]
    assert [job.reason for job in done[1:4]] == ["it does not fit into memory"] * 3


def before_writing(monkeypatch, action):
    """Calls `action` with the path each time before a photograph is written."""
    write_photo = colorization_pipeline.write_photo

    def act_and_write(path, *arguments):
        action(path)
        write_photo(path, *arguments)

    monkeypatch.setattr(colorization_pipeline, "write_photo", act_and_write)


def test_a_photograph_that_is_deleted_between_its_two_reads_fails(here, monkeypatch):
    jobs = jobs_of(here, 3)
    gone = jobs[1]
    before_writing(
        monkeypatch, lambda target: gone.source.unlink() if target == gone.target else None
    )
    done = list(ColorizationPipeline(GrayColorizer()).run(jobs))
    assert [job.outcome for job in done] == [COLORED, FAILED, COLORED]
    assert done[1].reason == "there is no such file"
    assert sorted(os.listdir(here / "out")) == ["000.png", "002.png"]


def test_while_waiting_is_called_with_the_job_in_progress(here, monkeypatch):
    monkeypatch.setattr(colorization_pipeline, "_BLINK", 0.01)
    before_writing(monkeypatch, lambda target: time.sleep(0.1))
    waited_for = []
    [job] = jobs_of(here, 1)
    list(ColorizationPipeline(GrayColorizer(), while_waiting=waited_for.append).run([job]))
    assert set(waited_for) == {job}


def test_nothing_is_read_once_the_pipeline_is_stopped(here, monkeypatch):
    monkeypatch.delattr(colorization_pipeline, "PhotoFile")
    jobs = jobs_of(here, 9)
    jobs[2].outcome, jobs[3].outcome = SKIPPED, FAILED
    done = list(ColorizationPipeline(GrayColorizer(), is_stopped=lambda: True).run(jobs))
    outcomes = [DROPPED, DROPPED, SKIPPED, FAILED] + [DROPPED] * 5
    assert [job.outcome for job in done] == outcomes
    assert not (here / "out").exists()


def test_photographs_being_written_when_the_pipeline_is_stopped_are_finished(here, monkeypatch):
    stopped = threading.Event()
    jobs = jobs_of(here, 40)
    before_writing(monkeypatch, lambda target: stopped.set())
    done = list(ColorizationPipeline(GrayColorizer(), is_stopped=stopped.is_set).run(jobs))
    finished = [job for job in done if job.outcome == COLORED]
    assert 1 <= len(finished) <= colorization_pipeline._THREADS
    assert {job.outcome for job in done} == {COLORED, DROPPED}
    assert sorted(os.listdir(here / "out")) == [job.target.name for job in finished]


def test_closing_the_iterator_leaves_no_threads_and_no_partial_files(here):
    before = threading.active_count()
    results = ColorizationPipeline(GrayColorizer()).run(jobs_of(here, 40))
    next(results)
    results.close()
    assert threading.active_count() == before
    for file in (here / "out").iterdir():
        assert file.suffix == ".png"
        Image.open(file).load()
        assert not file.name.startswith(".")


def test_a_comparison_that_fails_leaves_the_colored_photograph(here, monkeypatch):
    source = photograph(here / "a.png")
    job = Job(source, here / "out/a.png", here / "out/a_comparison.png")

    def disk_is_full(path):
        if path == job.comparison:
            raise OSError(28, "No space left on device")

    before_writing(monkeypatch, disk_is_full)
    [job] = ColorizationPipeline(GrayColorizer()).run([job])
    assert (job.outcome, job.reason) == (FAILED, "No space left on device")
    assert os.listdir(here / "out") == ["a.png"]


def test_files_written_together_have_the_permissions_of_any_new_file(here, monkeypatch):
    ordinary = photograph(here / "ordinary.png")
    umask = os.umask
    before = umask(0)
    umask(before)

    def slow_umask(mask):
        earlier = umask(mask)
        # Lets another thread run in between.
        time.sleep(0.02)
        return earlier

    monkeypatch.setattr(os, "umask", slow_umask)
    try:
        assert len(list(ColorizationPipeline(GrayColorizer()).run(jobs_of(here, 8)))) == 8
    finally:
        after = umask(before)
    assert oct(after) == oct(before)
    modes = {file.stat().st_mode for file in (here / "out").iterdir()}
    assert modes == {ordinary.stat().st_mode}


def test_photographs_waiting_for_memory_when_the_pipeline_is_stopped_are_dropped(here, monkeypatch):
    monkeypatch.setattr(colorization_pipeline, "_BUDGET", 1)
    monkeypatch.setattr(colorization_pipeline, "_THREADS", 8)
    stopped = threading.Event()
    before_writing(monkeypatch, lambda target: (stopped.set(), time.sleep(0.2)))
    done = list(
        ColorizationPipeline(GrayColorizer(), is_stopped=stopped.is_set).run(jobs_of(here, 20))
    )
    assert [job.outcome for job in done].count(COLORED) == 1
    assert len(os.listdir(here / "out")) == 1


def test_a_write_error_names_the_result(here):
    [job] = jobs_of(here, 1)
    job.target.mkdir(parents=True)
    [done] = ColorizationPipeline(GrayColorizer()).run([job])
    assert done.reason == f"{job.target} cannot be written: Is a directory"
