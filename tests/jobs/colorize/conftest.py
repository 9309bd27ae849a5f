"""A job that loads each colorizer only once, and signals that come at a known time."""

import itertools
import os
import threading

import pytest

import run
from inference import pipeline as colorization_pipeline
from jobs.colorize import colorize
from jobs.common.signals import SignalWatch


@pytest.fixture(scope="session")
def load_once():
    """Loads each colorizer only once: compiling it takes longer than all the rest."""
    loaded = {}
    load = colorize.load_colorizer

    def call(folder, settings, render_size):
        if folder.path not in loaded:
            loaded[folder.path] = load(folder, settings, render_size)
        loaded[folder.path].batch_size = settings.batch_size
        return loaded[folder.path]

    return call


@pytest.fixture
def prepared(monkeypatch):
    """The kinds of strips that a job prepared for; nothing is compiled in advance."""
    kinds = []
    monkeypatch.setattr(colorize, "prepare_recombination", lambda *kind: kinds.append(kind))
    return kinds


@pytest.fixture
def color_photographs(weights, here, load_once, prepared, monkeypatch):
    monkeypatch.setattr(colorize, "load_colorizer", load_once)

    def call(*arguments):
        return run.main(["--weights", weights, "--precision", "float32", "--images", *arguments])

    return call


@pytest.fixture
def send_signal(monkeypatch):
    """Sends this process a signal, from any thread, and waits until its handler has run."""
    handled = threading.Event()
    remember = SignalWatch._remember

    def remember_and_notify(watch, number, frame):
        try:
            remember(watch, number, frame)
        finally:
            handled.set()

    monkeypatch.setattr(SignalWatch, "_remember", remember_and_notify)

    def call(number):
        handled.clear()
        os.kill(os.getpid(), number)
        assert handled.wait(10)

    return call


@pytest.fixture
def at_first_write(monkeypatch):
    """Calls a function before the first photograph is written; the other writers wait for it."""

    def patch(function):
        count, is_done = itertools.count(), threading.Event()
        write = colorization_pipeline.write_photo

        def write_later(*arguments):
            if next(count) == 0:
                function()
                is_done.set()
            assert is_done.wait(10)
            write(*arguments)

        monkeypatch.setattr(colorization_pipeline, "write_photo", write_later)

    return patch
