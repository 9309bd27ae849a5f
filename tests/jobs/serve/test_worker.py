"""The worker runs one function at a time, urgent ones first, and stops cleanly."""

import threading
from concurrent.futures import CancelledError

import pytest

from jobs.serve.worker import Worker


@pytest.fixture
def worker():
    worker = Worker()
    yield worker
    worker.stop()


@pytest.fixture
def busy(worker):
    """Keeps the worker busy until the event is set."""
    begun, event = threading.Event(), threading.Event()
    worker.submit(lambda: begun.set() or event.wait(30), is_urgent=True)
    assert begun.wait(30)
    yield event
    event.set()


def test_urgent_functions_go_first_and_others_in_order(worker, busy):
    order = []
    for number in range(3):
        last = worker.submit(lambda number=number: order.append(number))
    urgent = worker.submit(lambda: order.append("urgent"), is_urgent=True)
    assert worker.place_of(last) == 4
    assert worker.place_of(urgent) == 1
    busy.set()
    last.result(30)
    assert order == ["urgent", 0, 1, 2]
    assert worker.place_of(last) == 0


def test_an_error_reaches_the_one_who_waits_and_the_worker_goes_on(worker):
    failed = worker.submit(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        failed.result(30)
    assert worker.submit(lambda: 7).result(30) == 7


def test_stopping_cancels_what_waits(worker, busy):
    waiting = worker.submit(lambda: 7)
    stopping = threading.Thread(target=worker.stop)
    stopping.start()
    with pytest.raises(CancelledError):
        waiting.result(30)
    busy.set()
    stopping.join(30)
    with pytest.raises(CancelledError):
        worker.submit(lambda: 7).result(30)
