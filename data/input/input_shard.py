"""The part of each batch that one of several workers learns from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class InputShard:
    """Which part of each batch one of several workers learns from.

    Attributes:
        worker: int, its number, from 0.
        workers: int, how many there are.
        replicas: int, of the model on all of them together; the batch is divided among these.
    """

    worker: int = 0
    workers: int = 1
    replicas: int = 1
