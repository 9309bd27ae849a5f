"""Large photographs wait for each other, small ones do not, and nobody waits forever."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from inference.memory_budget import MemoryBudget

# Seconds: until a thread has certainly begun, and until it certainly hangs.
SOON, NEVER = 0.1, 10


@pytest.fixture
def hold():
    """Holds bytes of a budget in a thread; returns what tells that it began and what ends it."""
    ends = []
    with ThreadPoolExecutor(8) as pool:

        def call(budget, size):
            began, end = threading.Event(), threading.Event()
            ends.append(end)

            def work():
                with budget.share(size):
                    began.set()
                    end.wait(NEVER)

            pool.submit(work)
            return began, end

        yield call
        for end in ends:
            end.set()


def test_what_fits_together_is_let_in_together(hold):
    budget = MemoryBudget(10)
    for size in (5, 4, 1):
        began, _ = hold(budget, size)
        assert began.wait(NEVER)


def test_what_does_not_fit_waits_until_there_is_room(hold):
    budget = MemoryBudget(10)
    first, end_first = hold(budget, 6)
    assert first.wait(NEVER)
    second, _ = hold(budget, 5)
    assert not second.wait(SOON)
    end_first.set()
    assert second.wait(NEVER)


def test_what_is_larger_than_the_budget_is_let_in_alone(hold):
    budget = MemoryBudget(10)
    small, end_small = hold(budget, 1)
    assert small.wait(NEVER)
    huge, end_huge = hold(budget, 1000)
    assert not huge.wait(SOON)
    end_small.set()
    assert huge.wait(NEVER)
    # And nothing beside it.
    other, _ = hold(budget, 1)
    assert not other.wait(SOON)
    end_huge.set()
    assert other.wait(NEVER)


def test_all_that_wait_are_let_in_when_room_comes(hold):
    budget = MemoryBudget(10)
    huge, end_huge = hold(budget, 10)
    assert huge.wait(NEVER)
    waiting = [hold(budget, 5)[0] for _ in range(2)]
    end_huge.set()
    assert all(began.wait(NEVER) for began in waiting)


def test_what_fails_gives_its_bytes_back(hold):
    budget = MemoryBudget(10)
    with pytest.raises(OSError, match="broken"), budget.share(10):
        raise OSError("broken")
    began, _ = hold(budget, 10)
    assert began.wait(NEVER)
