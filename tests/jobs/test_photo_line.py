"""The line keeps order and count, holds few photographs at once, and stops at a good moment."""

import os
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from jobs import photo_line
from jobs.photo_line import COLORED, DROPPED, FAILED, SKIPPED, PhotoLine, Task, Work

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


def works_of(here, count):
    """As many photographs, each of its own gray."""
    names = [f"{number:03}.png" for number in range(count)]
    return [
        Work(Task(photograph(here / "in" / name, level), here / "out" / name))
        for level, name in enumerate(names)
    ]


def test_order_and_outcomes_are_kept_among_failures_and_skips(here):
    works = works_of(here, 50)
    for number in range(0, 50, 7):
        works[number].task.source.write_text("no picture")
    for number in range(3, 50, 7):
        works[number].outcome = SKIPPED
    colorizer = GrayColorizer(batch_size=4)
    done = list(PhotoLine(colorizer).run(works))
    assert [work.task for work in done] == [work.task for work in works]
    expected = {0: FAILED, 3: SKIPPED}
    assert [work.outcome for work in done] == [expected.get(n % 7, COLORED) for n in range(50)]
    # The network's batches are full, whatever fails or is skipped between.
    colored = [number for number in range(50) if number % 7 not in expected]
    assert colorizer.batches == [4] * (len(colored) // 4) + [len(colored) % 4]
    # And each got its own pixels.
    for number in colored:
        assert Image.open(here / f"out/{number:03}.png").getpixel((0, 0)) == (number,) * 3
    assert len(os.listdir(here / "out")) == len(colored)


def test_few_photographs_are_held_at_once(here):
    begun = []

    def works():
        for work in works_of(here, 120):
            begun.append(work)
            yield work

    line = PhotoLine(GrayColorizer(batch_size=4)).run(works())
    next(line)
    # A batch being read, one in the network, and what the writers have before them.
    assert len(begun) <= 4 + 4 + 4 + 2 * photo_line._THREADS
    assert all(work.photo is None and not work.colors for work in line)


def test_reading_goes_on_while_photographs_are_written(here, monkeypatch):
    if photo_line._THREADS < 2:
        pytest.skip("one core")
    works = works_of(here, 10)
    last_is_read = threading.Event()

    class Watched(photo_line.PhotoFile):
        def __init__(self, path):
            super().__init__(path)
            if path == works[-1].task.source:
                last_is_read.set()

    waited = []
    write = photo_line.write_photo

    def wait_and_write(*arguments):
        waited.append(last_is_read.wait(10))
        write(*arguments)

    monkeypatch.setattr(photo_line, "PhotoFile", Watched)
    monkeypatch.setattr(photo_line, "write_photo", wait_and_write)
    assert len(list(PhotoLine(GrayColorizer()).run(works))) == 10
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
    monkeypatch.setattr(photo_line, "_BUDGET", 1)
    done = list(PhotoLine(Counting()).run(works_of(here, 8)))
    assert [work.outcome for work in done] == [COLORED] * 8
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

    works = works_of(here, 6)
    photograph(works[1].task.source, size=(7, 4))
    done = list(PhotoLine(Small(batch_size=2)).run(works))
    assert [work.outcome for work in done] == [COLORED, FAILED, FAILED, FAILED, COLORED, COLORED]
    assert [work.reason for work in done[1:4]] == ["it does not fit into memory"] * 3


def before_writing(monkeypatch, do):
    """Does something each time a photograph begins to be written."""
    write_photo = photo_line.write_photo

    def write_later(path, pages, quality):
        do(path)
        write_photo(path, pages, quality)

    monkeypatch.setattr(photo_line, "write_photo", write_later)


def test_a_photograph_that_goes_away_between_its_readings_fails(here, monkeypatch):
    works = works_of(here, 3)
    gone = works[1].task
    before_writing(
        monkeypatch, lambda target: gone.source.unlink() if target == gone.target else None
    )
    done = list(PhotoLine(GrayColorizer()).run(works))
    assert [work.outcome for work in done] == [COLORED, FAILED, COLORED]
    assert done[1].reason == "there is no such file"
    assert sorted(os.listdir(here / "out")) == ["000.png", "002.png"]


def test_whoever_waits_is_told_what_is_in_work(here, monkeypatch):
    monkeypatch.setattr(photo_line, "_BLINK", 0.01)
    before_writing(monkeypatch, lambda target: time.sleep(0.1))
    told = []
    works = works_of(here, 1)
    list(PhotoLine(GrayColorizer(), while_waiting=told.append).run(works))
    assert told
    assert set(told) == {works[0].task}


def test_nothing_is_read_once_it_is_stopped(here, monkeypatch):
    monkeypatch.delattr(photo_line, "PhotoFile")
    works = works_of(here, 9)
    works[2].outcome, works[3].outcome = SKIPPED, FAILED
    done = list(PhotoLine(GrayColorizer(), is_stopped=lambda: True).run(works))
    outcomes = [DROPPED, DROPPED, SKIPPED, FAILED] + [DROPPED] * 5
    assert [work.outcome for work in done] == outcomes
    assert not (here / "out").exists()


def test_what_is_being_written_when_it_is_stopped_is_finished(here, monkeypatch):
    stopped = threading.Event()
    works = works_of(here, 40)
    before_writing(monkeypatch, lambda target: stopped.set())
    done = list(PhotoLine(GrayColorizer(), is_stopped=stopped.is_set).run(works))
    finished = [work for work in done if work.outcome == COLORED]
    assert 1 <= len(finished) <= photo_line._THREADS
    assert {work.outcome for work in done} == {COLORED, DROPPED}
    assert sorted(os.listdir(here / "out")) == [work.task.target.name for work in finished]


def test_whoever_looks_away_leaves_no_threads_and_no_half_files(here):
    before = threading.active_count()
    line = PhotoLine(GrayColorizer()).run(works_of(here, 40))
    next(line)
    line.close()
    assert threading.active_count() == before
    for file in (here / "out").iterdir():
        assert file.suffix == ".png"
        Image.open(file).load()
        assert not file.name.startswith(".")


def test_a_comparison_that_fails_leaves_the_colored_photograph(here, monkeypatch):
    source = photograph(here / "a.png")
    task = Task(source, here / "out/a.png", here / "out/a_comparison.png")

    def disk_is_full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(photo_line, "write_rgb", disk_is_full)
    [work] = PhotoLine(GrayColorizer()).run([Work(task)])
    assert (work.outcome, work.reason) == (FAILED, "No space left on device")
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
        assert len(list(PhotoLine(GrayColorizer()).run(works_of(here, 8)))) == 8
    finally:
        left = umask(before)
    assert oct(left) == oct(before)
    modes = {file.stat().st_mode for file in (here / "out").iterdir()}
    assert modes == {ordinary.stat().st_mode}


def test_what_waits_for_memory_is_dropped_when_it_is_stopped(here, monkeypatch):
    monkeypatch.setattr(photo_line, "_BUDGET", 1)
    monkeypatch.setattr(photo_line, "_THREADS", 8)
    stopped = threading.Event()
    before_writing(monkeypatch, lambda target: (stopped.set(), time.sleep(0.2)))
    done = list(PhotoLine(GrayColorizer(), is_stopped=stopped.is_set).run(works_of(here, 20)))
    assert [work.outcome for work in done].count(COLORED) == 1
    assert len(os.listdir(here / "out")) == 1


def test_an_error_of_writing_names_the_result(here):
    [work] = works_of(here, 1)
    work.task.target.mkdir(parents=True)
    [done] = PhotoLine(GrayColorizer()).run([work])
    assert done.reason == f"{work.task.target} cannot be written: Is a directory"
