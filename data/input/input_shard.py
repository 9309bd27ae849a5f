"""The part of each batch that one of several workers trains on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class InputShard:
    """The part of each batch that one of several workers trains on.

    Attributes:
        worker: int, the index of the worker, from 0. Defaults to `0`.
        workers: int, the number of workers. Defaults to `1`.
        replicas: int, the number of replicas of the model on all workers together, among which the
            batch is divided. Defaults to `1`.
    """

    worker: int = 0
    workers: int = 1
    replicas: int = 1
