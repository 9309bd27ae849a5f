"""Signals are remembered until the work can stop."""

import os
import signal

import pytest

from jobs.common.signals import SignalWatch


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_remembered_and_said(number, capfd):
    before = signal.getsignal(number)
    with SignalWatch() as watch:
        os.kill(os.getpid(), number)
        assert watch.received == number
    assert signal.getsignal(number) == before
    assert f"{number.name}: finishing the work in progress" in capfd.readouterr().err


def test_after_nohup_a_closed_terminal_stops_nothing():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with SignalWatch() as watch:
            os.kill(os.getpid(), signal.SIGHUP)
        assert watch.received is None
    finally:
        signal.signal(signal.SIGHUP, before)
