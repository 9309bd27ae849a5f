"""What the tests of the jobs share: small pictures and a training that takes seconds."""

import numpy as np
import pytest

import run
from data.pictures import write_rgb

TINY = [
    *("--resolution", "16", "--filters", "2", "--discriminator_filters", "2", "--depth", "2"),
    *("--batch_size", "2", "--steps_per_epoch", "2"),
    *("--reconstruction", "l1:10", "--precision", "float32", "--validation_share", "0.3"),
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, which relative paths belong to."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pictures(here):
    """A folder of ten small color pictures."""
    random = np.random.default_rng(0)
    for number in range(10):
        colors = random.uniform(0, 255, (1, 1, 3)) + random.normal(0, 20, (20, 24, 3))
        write_rgb(here / "pictures" / f"{number}.png", colors.clip(0, 255).astype("uint8"))
    return here / "pictures"


@pytest.fixture
def train(pictures):
    """Trains a tiny model on the pictures and returns the exit status."""

    def call(*arguments):
        return run.main(["--dataset", str(pictures), *TINY, *arguments])

    return call
