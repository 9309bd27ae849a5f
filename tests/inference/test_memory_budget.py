"""Large photographs wait for each other, small ones do not, and none waits forever."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from inference.memory_budget import MemoryBudget

# Seconds after which a thread that can start has started, and after which it hangs.
SOON, NEVER = 0.1, 10


@pytest.fixture
def reserve_in_thread():
    """Reserves bytes of a budget in a thread; returns an event for its start and one to end it."""
    ends = []
    with ThreadPoolExecutor(8) as pool:

        def call(budget, size):
            started, end = threading.Event(), threading.Event()
            ends.append(end)

            def reserve():
                with budget.share(size):
                    started.set()
                    end.wait(NEVER)

            pool.submit(reserve)
            return started, end

        yield call
        for end in ends:
            end.set()


def test_reservations_that_fit_together_start_together(reserve_in_thread):
    budget = MemoryBudget(10)
    for size in (5, 4, 1):
        started, _ = reserve_in_thread(budget, size)
        assert started.wait(NEVER)


def test_a_reservation_that_does_not_fit_waits_until_there_is_room(reserve_in_thread):
    budget = MemoryBudget(10)
    first, end_first = reserve_in_thread(budget, 6)
    assert first.wait(NEVER)
    second, _ = reserve_in_thread(budget, 5)
    assert not second.wait(SOON)
    end_first.set()
    assert second.wait(NEVER)


def test_a_reservation_larger_than_the_budget_starts_alone(reserve_in_thread):
    budget = MemoryBudget(10)
    small, end_small = reserve_in_thread(budget, 1)
    assert small.wait(NEVER)
    huge, end_huge = reserve_in_thread(budget, 1000)
    assert not huge.wait(SOON)
    end_small.set()
    assert huge.wait(NEVER)
    # Nothing else starts before it ends.
    other, _ = reserve_in_thread(budget, 1)
    assert not other.wait(SOON)
    end_huge.set()
    assert other.wait(NEVER)


def test_all_waiting_reservations_start_when_there_is_room(reserve_in_thread):
    budget = MemoryBudget(10)
    huge, end_huge = reserve_in_thread(budget, 10)
    assert huge.wait(NEVER)
    waiting = [reserve_in_thread(budget, 5)[0] for _ in range(2)]
    end_huge.set()
    assert all(started.wait(NEVER) for started in waiting)


def test_a_block_that_fails_releases_its_bytes(reserve_in_thread):
    budget = MemoryBudget(10)
    with pytest.raises(OSError, match="broken"), budget.share(10):
        raise OSError("broken")
    started, _ = reserve_in_thread(budget, 10)
    assert started.wait(NEVER)
