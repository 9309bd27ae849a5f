"""A signal finishes the photographs that are being written, and drops the rest."""

import re
import signal
import time

import pytest

from inference import pipeline as colorization_pipeline
from tests.jobs.colorize.photographs import files_below, photograph, pixels_of, summary


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow),
    ],
)
def test_a_signal_finishes_started_files_and_drops_the_rest(
    color_photographs, here, capsys, send_signal, at_first_write, number, status
):
    for seed in range(40):
        photograph(here / f"in/{seed:02}.png", seed=seed)
    at_first_write(lambda: send_signal(number))
    assert color_photographs("in") == status
    written = files_below(here / "results")
    assert 1 <= len(written) <= colorization_pipeline._THREADS
    for name in written:
        assert pixels_of(here / "results" / name).shape == (30, 40, 3)
    captured = capsys.readouterr()
    assert captured.out.endswith(summary(colored=len(written)))
    assert captured.err == "stopped: run the same command without --overwrite to color the rest\n"
    # The same command colors the rest.
    assert color_photographs("in") == 0
    assert capsys.readouterr().out.endswith(
        summary(colored=40 - len(written), skipped=len(written))
    )
    assert files_below(here / "results") == files_below(here / "in")


def test_a_signal_drops_photographs_that_are_only_read(
    color_photographs, here, capsys, monkeypatch, send_signal
):
    for name in "abc":
        photograph(here / f"in/{name}.png")

    class InterruptedPhotoFile(colorization_pipeline.PhotoFile):
        def __init__(self, path):
            if path.name == "b.png":
                send_signal(signal.SIGINT)
            super().__init__(path)

    monkeypatch.setattr(colorization_pipeline, "PhotoFile", InterruptedPhotoFile)
    assert color_photographs("in") == 130
    assert files_below(here / "results") == set()
    captured = capsys.readouterr()
    assert captured.out.endswith(summary())
    assert captured.err.startswith("stopped: ")


def test_a_second_ctrl_c_leaves_whole_files_and_a_summary_too(
    color_photographs, here, capsys, send_signal, at_first_write
):
    for seed in range(20):
        photograph(here / f"in/{seed:02}.png", seed=seed)

    def twice():
        send_signal(signal.SIGINT)
        time.sleep(0.1)
        send_signal(signal.SIGINT)

    at_first_write(twice)
    assert color_photographs("in") == 130
    captured = capsys.readouterr()
    assert captured.err == "interrupted\n"
    assert re.search(r"^\d+ colored, 0 skipped", captured.out, re.MULTILINE)
    for name in files_below(here / "results"):
        assert pixels_of(here / "results" / name).shape == (30, 40, 3)
