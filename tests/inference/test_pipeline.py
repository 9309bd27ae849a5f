"""The line keeps order and count, holds few photographs at once, and stops at a good moment."""

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
    JobState,
)

SIDE = 8


class GrayColorizer:
    """Colors nothing, at once; remembers how many photographs it saw together."""

    def __init__(self, batch_size=4):
        self.batch_size = batch_size
        self.batches = []

    def trace(self):
        pass

    def look_at(self, page):
        return np.broadcast_to(page.shrunk(SIDE, SIDE) / 2.55, (SIDE, SIDE, 3)).astype("float32")

    def predict(self, lightness):
        self.batches.append(len(lightness))
        return [np.zeros((SIDE, SIDE, 2), "float32") for _ in lightness]

    def strips(self, page, lightness, ab):
        for rgb, _ in page.strips():
            yield np.repeat(rgb, 3, axis=-1)


def photograph(path, level=100, size=(6, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, level).save(path)
    return path


def states_of(here, count):
    """As many photographs, each of its own gray."""
    names = [f"{number:03}.png" for number in range(count)]
    return [
        JobState(Job(photograph(here / "in" / name, level), here / "out" / name))
        for level, name in enumerate(names)
    ]


def test_order_and_outcomes_are_kept_among_failures_and_skips(here):
    states = states_of(here, 50)
    for number in range(0, 50, 7):
        states[number].job.source.write_text("no image")
    for number in range(3, 50, 7):
        states[number].outcome = SKIPPED
    colorizer = GrayColorizer(batch_size=4)
    done = list(ColorizationPipeline(colorizer).run(states))
    assert [state.job for state in done] == [state.job for state in states]
    expected = {0: FAILED, 3: SKIPPED}
    assert [state.outcome for state in done] == [expected.get(n % 7, COLORED) for n in range(50)]
    # The network's batches are full, whatever fails or is skipped between.
    colored = [number for number in range(50) if number % 7 not in expected]
    assert colorizer.batches == [4] * (len(colored) // 4) + [len(colored) % 4]
    # And each got its own pixels.
    for number in colored:
        assert Image.open(here / f"out/{number:03}.png").getpixel((0, 0)) == (number,) * 3
    assert len(os.listdir(here / "out")) == len(colored)


def test_few_photographs_are_held_at_once(here):
    begun = []

    def states():
        for state in states_of(here, 120):
            begun.append(state)
            yield state

    line = ColorizationPipeline(GrayColorizer(batch_size=4)).run(states())
    next(line)
    # A batch being read, one in the network, and what the writers have before them.
    assert len(begun) <= 4 + 4 + 4 + 2 * colorization_pipeline._THREADS
    assert all(state.photo is None and not state.colors for state in line)


def test_reading_goes_on_while_photographs_are_written(here, monkeypatch):
    if colorization_pipeline._THREADS < 2:
        pytest.skip("one core")
    states = states_of(here, 10)
    last_is_read = threading.Event()

    class Watched(colorization_pipeline.PhotoFile):
        def __init__(self, path):
            super().__init__(path)
            if path == states[-1].job.source:
                last_is_read.set()

    waited = []
    write = colorization_pipeline.write_photo

    def wait_and_write(*arguments):
        waited.append(last_is_read.wait(10))
        write(*arguments)

    monkeypatch.setattr(colorization_pipeline, "PhotoFile", Watched)
    monkeypatch.setattr(colorization_pipeline, "write_photo", wait_and_write)
    assert len(list(ColorizationPipeline(GrayColorizer()).run(states))) == 10
    assert all(waited)


def test_large_photographs_are_not_in_memory_together(here, monkeypatch):
    lock, counts = threading.Lock(), {"now": 0, "most": 0}

    class Counting(GrayColorizer):
        def look_at(self, page):
            with lock:
                counts["now"] += 1
                counts["most"] = max(counts["most"], counts["now"])
            time.sleep(0.01)
            with lock:
                counts["now"] -= 1
            return super().look_at(page)

        def strips(self, page, lightness, ab):
            self.look_at(page)
            return super().strips(page, lightness, ab)

    # As if each were larger than all memory.
    monkeypatch.setattr(colorization_pipeline, "_BUDGET", 1)
    done = list(ColorizationPipeline(Counting()).run(states_of(here, 8)))
    assert [state.outcome for state in done] == [COLORED] * 8
    assert counts["most"] == 1


def test_what_does_not_fit_into_memory_fails_and_the_rest_goes_on(here):
    class Small(GrayColorizer):
        def predict(self, lightness):
            if len(self.batches) == 1:
                self.batches.append(0)
                raise tf.errors.ResourceExhaustedError(None, None, "OOM when\nallocating")
            return super().predict(lightness)

        def strips(self, page, lightness, ab):
            if page.width == 7:
                raise MemoryError
            return super().strips(page, lightness, ab)

    states = states_of(here, 6)
    photograph(states[1].job.source, size=(7, 4))
    done = list(ColorizationPipeline(Small(batch_size=2)).run(states))
    assert [state.outcome for state in done] == [COLORED, FAILED, FAILED, FAILED, COLORED, COLORED]
    assert [state.reason for state in done[1:4]] == ["it does not fit into memory"] * 3


def before_writing(monkeypatch, do):
    """Does something each time a photograph begins to be written."""
    write_photo = colorization_pipeline.write_photo

    def write_later(path, pages, quality):
        do(path)
        write_photo(path, pages, quality)

    monkeypatch.setattr(colorization_pipeline, "write_photo", write_later)


def test_a_photograph_that_goes_away_between_its_readings_fails(here, monkeypatch):
    states = states_of(here, 3)
    gone = states[1].job
    before_writing(
        monkeypatch, lambda target: gone.source.unlink() if target == gone.target else None
    )
    done = list(ColorizationPipeline(GrayColorizer()).run(states))
    assert [state.outcome for state in done] == [COLORED, FAILED, COLORED]
    assert done[1].reason == "there is no such file"
    assert sorted(os.listdir(here / "out")) == ["000.png", "002.png"]


def test_whoever_waits_is_told_what_is_in_work(here, monkeypatch):
    monkeypatch.setattr(colorization_pipeline, "_BLINK", 0.01)
    before_writing(monkeypatch, lambda target: time.sleep(0.1))
    told = []
    states = states_of(here, 1)
    list(ColorizationPipeline(GrayColorizer(), while_waiting=told.append).run(states))
    assert told
    assert set(told) == {states[0].job}


def test_nothing_is_read_once_it_is_stopped(here, monkeypatch):
    monkeypatch.delattr(colorization_pipeline, "PhotoFile")
    states = states_of(here, 9)
    states[2].outcome, states[3].outcome = SKIPPED, FAILED
    done = list(ColorizationPipeline(GrayColorizer(), is_stopped=lambda: True).run(states))
    outcomes = [DROPPED, DROPPED, SKIPPED, FAILED] + [DROPPED] * 5
    assert [state.outcome for state in done] == outcomes
    assert not (here / "out").exists()


def test_what_is_being_written_when_it_is_stopped_is_finished(here, monkeypatch):
    stopped = threading.Event()
    states = states_of(here, 40)
    before_writing(monkeypatch, lambda target: stopped.set())
    done = list(ColorizationPipeline(GrayColorizer(), is_stopped=stopped.is_set).run(states))
    finished = [state for state in done if state.outcome == COLORED]
    assert 1 <= len(finished) <= colorization_pipeline._THREADS
    assert {state.outcome for state in done} == {COLORED, DROPPED}
    assert sorted(os.listdir(here / "out")) == [state.job.target.name for state in finished]


def test_whoever_looks_away_leaves_no_threads_and_no_half_files(here):
    before = threading.active_count()
    line = ColorizationPipeline(GrayColorizer()).run(states_of(here, 40))
    next(line)
    line.close()
    assert threading.active_count() == before
    for file in (here / "out").iterdir():
        assert file.suffix == ".png"
        Image.open(file).load()
        assert not file.name.startswith(".")


def test_a_comparison_that_fails_leaves_the_colored_photograph(here, monkeypatch):
    source = photograph(here / "a.png")
    job = Job(source, here / "out/a.png", here / "out/a_comparison.png")

    def disk_is_full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(colorization_pipeline, "write_rgb", disk_is_full)
    [state] = ColorizationPipeline(GrayColorizer()).run([JobState(job)])
    assert (state.outcome, state.reason) == (FAILED, "No space left on device")
    assert os.listdir(here / "out") == ["a.png"]


def test_files_written_together_have_the_permissions_of_any_new_file(here, monkeypatch):
    ordinary = photograph(here / "ordinary.png")
    umask = os.umask
    before = umask(0)
    umask(before)

    def slow(mask):
        earlier = umask(mask)
        # As if another thread came in between.
        time.sleep(0.02)
        return earlier

    monkeypatch.setattr(os, "umask", slow)
    try:
        assert len(list(ColorizationPipeline(GrayColorizer()).run(states_of(here, 8)))) == 8
    finally:
        left = umask(before)
    assert oct(left) == oct(before)
    modes = {file.stat().st_mode for file in (here / "out").iterdir()}
    assert modes == {ordinary.stat().st_mode}


def test_what_waits_for_memory_is_dropped_when_it_is_stopped(here, monkeypatch):
    monkeypatch.setattr(colorization_pipeline, "_BUDGET", 1)
    monkeypatch.setattr(colorization_pipeline, "_THREADS", 8)
    stopped = threading.Event()
    before_writing(monkeypatch, lambda target: (stopped.set(), time.sleep(0.2)))
    done = list(
        ColorizationPipeline(GrayColorizer(), is_stopped=stopped.is_set).run(states_of(here, 20))
    )
    assert [state.outcome for state in done].count(COLORED) == 1
    assert len(os.listdir(here / "out")) == 1


def test_an_error_of_writing_names_the_result(here):
    [state] = states_of(here, 1)
    state.job.target.mkdir(parents=True)
    [done] = ColorizationPipeline(GrayColorizer()).run([state])
    assert done.reason == f"{state.job.target} cannot be written: Is a directory"
