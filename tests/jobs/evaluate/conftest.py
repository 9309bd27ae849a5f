"""Evaluations that load each colorizer only once."""

from pathlib import Path

import pytest

import run
from jobs.evaluate import evaluate as evaluate_job
from tests.jobs.evaluate.evaluated import FEW, record_drawn_images


@pytest.fixture(scope="session")
def load_once():
    """Loads each colorizer only once: compiling it takes longer than all the rest."""
    loaded = {}
    load = evaluate_job.load_colorizer

    def call(folder, settings, render_size):
        file = Path(folder.path, "generator.weights.h5")
        if not file.exists():
            return load(folder, settings, render_size)
        key = file.read_bytes(), render_size
        if key not in loaded:
            loaded[key] = load(folder, settings, render_size)
        loaded[key].batch_size = settings.batch_size
        return loaded[key]

    return call


@pytest.fixture
def evaluate(weights, here, offline, load_once, monkeypatch):
    """Evaluates at 16 px, by default the tiny weights, and returns the exit status."""
    monkeypatch.setattr(evaluate_job, "load_colorizer", load_once)

    def call(*arguments):
        has_weights = {"--weights", "--load_weights"}.intersection(arguments)
        default = [] if has_weights else ["--weights", weights]
        return run.main(["--evaluate", *FEW, *default, *arguments])

    return call


@pytest.fixture
def drawn(monkeypatch):
    """The images that are drawn on the contact sheet, by the name of their row, and `captions`."""
    return record_drawn_images(monkeypatch)
