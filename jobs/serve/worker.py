"""The thread that owns the model."""

import heapq
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any


@dataclass(order=True)
class _Task:
    rank: tuple[bool, int]
    run: Callable[[], Any] = field(compare=False)
    future: Future = field(compare=False)


class Worker:
    """Runs functions one after another on a thread of its own, urgent ones first.

    Example:
        worker = Worker()
        worker.submit(lambda: 1 + 1).result()       # 2
        worker.stop()
    """

    def __init__(self):
        self._tasks: list[_Task] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._work, name="model")
        self._thread.start()

    def submit(self, run: Callable[[], Any], is_urgent: bool = False) -> Future:
        """Puts a function into the queue.

        Args:
            run: function without arguments.
            is_urgent: bool, whether it goes before all that are not: a person waits for it.
                Defaults to `False`.

        Returns:
            `Future` of what it returns. It is canceled if the worker is stopped before.
        """
        future: Future = Future()
        with self._changed:
            if self._is_stopped:
                future.cancel()
                return future
            heapq.heappush(self._tasks, _Task((not is_urgent, next(self._numbers)), run, future))
            self._changed.notify()
        return future

    def place_of(self, future: Future) -> int:
        """How many functions are before this one; 0 if it is not in the queue (any more)."""
        with self._changed:
            own = next((task for task in self._tasks if task.future is future), None)
            return 1 + sum(task < own for task in self._tasks) if own else 0

    @property
    def waiting(self) -> int:
        """The number of functions in the queue."""
        return len(self._tasks)

    def stop(self) -> None:
        """Cancels what is in the queue and waits until the function in progress returns."""
        with self._changed:
            self._is_stopped = True
            for task in self._tasks:
                task.future.cancel()
            self._tasks.clear()
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._tasks or self._is_stopped)
                if self._is_stopped:
                    return
                task = heapq.heappop(self._tasks)
            if not task.future.set_running_or_notify_cancel():
                continue
            # Whoever waits for the future gets the error.
            try:
                result = task.run()
            except BaseException as error:
                task.future.set_exception(error)
            else:
                task.future.set_result(result)
            # Not kept until the next one comes.
            del task
