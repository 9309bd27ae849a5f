"""The devices that learn together: one, the GPUs of this machine, or those of several machines.

TensorFlow's own strategies do the work. Several machines are told of each other by the environment
variable TF_CONFIG, as everywhere in TensorFlow: see docs/scaling.md.
"""

import contextlib
import json
import os
import re
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from errors import InputError, LostWorkerError, first_line
from models.layers.replicas import each_of_replicas

# What stands in an error whose cause is another worker. A defect of this one has other words.
_OF_OTHERS = re.compile(r"collective|coordination|heartbeat|socket|connection|grpc", re.IGNORECASE)
_CAUSE = re.compile(r"(?:aborted by|Additional GRPC error information.*?): *(\S.*)")


@dataclass(frozen=True)
class Worker:
    """Which of the processes of a training this one is.

    Attributes:
        number: int, from 0.
        workers: int, how many there are.
    """

    number: int = 0
    workers: int = 1

    def __str__(self):
        return f"worker {self.number + 1} of {self.workers}"

    @property
    def is_chief(self) -> bool:
        """Whether this one writes what a training leaves behind, and tells of it."""
        return self.number == 0

    @property
    def list_name(self) -> str:
        """Of its list of images that are left out: one file has one writer."""
        return (
            "skipped_images.tsv"
            if self.is_chief
            else f"skipped_images_worker_{self.number + 1}.tsv"
        )

    @contextlib.contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Says in one line when another worker is gone.

        Raises:
            LostWorkerError: it is.
        """
        try:
            yield
        except tf.errors.OpError as error:
            if self.workers == 1 or not _OF_OTHERS.search(str(error)):
                raise
            # Behind the bar of the epoch.
            print(file=sys.stderr)
            cause = _CAUSE.search(str(error))
            raise LostWorkerError(
                f"{self}: another worker ended or cannot be reached "
                f"({cause[1].strip() if cause else first_line(error)}); start all of them again, "
                "with --load_weights to go on from the last checkpoint"
            ) from error


def find_worker(strategy: str) -> Worker:
    """Which worker TF_CONFIG says that this process is; without a cluster the only one.

    Args:
        strategy: `auto`, `none`, `mirrored` or `multiworker`.

    Raises:
        InputError: TF_CONFIG is no description of workers, or `multiworker` is without one.
    """
    if strategy not in ("auto", "multiworker"):
        return Worker()
    text = os.environ.get("TF_CONFIG", "")
    try:
        described = json.loads(text or "{}")
        cluster, task = described.get("cluster", {}), described.get("task", {})
        others = sorted(set(cluster) - {"chief", "worker"})
        if others:
            raise InputError(
                f"TF_CONFIG: a training has workers alone, one of them the chief; received "
                f"{', '.join(others)}"
            )
        chiefs, workers = len(cluster.get("chief", [])), len(cluster.get("worker", []))
        if chiefs + workers > 1:
            number = int(task["index"]) + (chiefs if task["type"] == "worker" else 0)
            if task["type"] not in cluster or not 0 <= number < chiefs + workers:
                raise ValueError("the task is not in the cluster")
            return Worker(number, chiefs + workers)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"TF_CONFIG is no description of a cluster: {first_line(error)}; received {text}; see "
            "docs/scaling.md"
        ) from error
    if strategy == "multiworker":
        raise InputError(
            "--strategy multiworker: TF_CONFIG names no cluster of several workers; see "
            "docs/scaling.md"
        )
    return Worker()


def join_workers(worker: Worker) -> tf.distribute.Strategy:
    """TensorFlow's strategy for several workers; it returns when all of them are there.

    Called before anything is computed: later it is too late to be joined.

    Args:
        worker: as `find_worker` found it.

    Raises:
        InputError: they cannot be joined.
    """
    print(f"{worker}: waiting for the others", flush=True)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{worker} cannot join the others: {first_line(error)}; TF_CONFIG is "
            f"{os.environ['TF_CONFIG']}"
        ) from error


def use_devices(strategy: str, batch_size: int) -> tf.distribute.Strategy:
    """TensorFlow's strategy for the devices of one machine.

    Args:
        strategy: `none`; `mirrored`, for all; or `auto`, for as many GPUs as can share a batch
            evenly.
        batch_size: int, of all devices together.

    Raises:
        InputError: there are no such devices.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if strategy != "mirrored":
        several = range(2, 1 + len(gpus)) if strategy == "auto" else ()
        count = max((number for number in several if batch_size % number == 0), default=1)
        if strategy == "auto" and count < len(gpus):
            print(
                f"note: {count} of {len(gpus)} GPUs take part: more cannot share batches of "
                f"{batch_size} evenly; give another --batch_size"
            )
        # TensorFlow would take the memory of all of them.
        tf.config.set_visible_devices(gpus[:count], "GPU")
        if count == 1:
            return tf.distribute.get_strategy()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        raise InputError(
            f"--strategy mirrored: TensorFlow sees {len(gpus)} GPUs, and two replicas take two; "
            "leave it out"
        )
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def check_batch_size(strategy: tf.distribute.Strategy, **sizes: int | None) -> None:
    """Makes sure that all replicas get as many images as each other.

    Args:
        strategy: with the replicas.
        **sizes: sizes of batches by the names of their arguments; None for no size of its own.

    Raises:
        InputError: they do not.
    """
    replicas = strategy.num_replicas_in_sync
    for name, size in sizes.items():
        if size and size % replicas:
            raise InputError(
                f"--{name} {size}: {replicas} replicas cannot share these images evenly; give a "
                f"multiple of {replicas}"
            )


def check_agreement(strategy: tf.distribute.Strategy, facts: Mapping[str, Any]) -> None:
    """Makes sure that all workers are about to do the same.

    Where one has other images, an older checkpoint or another argument, they would learn from
    different numbers, or wait for each other forever.

    Args:
        strategy: of the workers.
        facts: what has to be the same, by name; the text of each is compared.

    Raises:
        InputError: it is not.
    """
    if not _has_workers(strategy):
        return
    own = tf.constant([zlib.crc32(repr(fact).encode()) for fact in facts.values()], tf.int64)

    @tf.function
    def ask():
        return strategy.run(lambda: each_of_replicas(own))

    sums = strategy.experimental_local_results(ask())[0].numpy()
    others = [name for name, column in zip(facts, sums.T, strict=True) if len({*column}) > 1]
    if others:
        raise InputError(
            f"the workers do not agree on: {', '.join(others)}; start all of them with the same "
            "arguments, files and packages"
        )


@contextlib.contextmanager
def chief_first(strategy: tf.distribute.Strategy, worker: Worker) -> Iterator[None]:
    """Lets the chief do something alone; the others do it then, and find what it has made."""
    if not worker.is_chief:
        wait_for_all(strategy)
    yield
    if worker.is_chief:
        wait_for_all(strategy)


def wait_for_all(strategy: tf.distribute.Strategy) -> None:
    """Returns when all workers have come here."""
    check_agreement(strategy, {"nothing": None})


def _has_workers(strategy: tf.distribute.Strategy) -> bool:
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
