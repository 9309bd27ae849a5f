"""The devices to train on: one device, the GPUs of one machine, or those of several machines.

All distribution is done by TensorFlow's strategies. Several machines find each other through the
environment variable TF_CONFIG, as usual in TensorFlow; see docs/scaling.md.
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

# Words of errors caused by another worker. Errors of this worker do not contain them.
_WORKER_ERROR = re.compile(
    r"collective|coordination|heartbeat|socket|connection|grpc", re.IGNORECASE
)
_CAUSE = re.compile(r"(?:aborted by|Additional GRPC error information.*?): *(\S.*)")


@dataclass(frozen=True)
class Worker:
    """Identifies this process among the workers of a training.

    Attributes:
        number: int, the number of this worker, from 0. Defaults to `0`.
        workers: int, the number of workers. Defaults to `1`.
    """

    number: int = 0
    workers: int = 1

    def __str__(self) -> str:
        return f"worker {self.number + 1} of {self.workers}"

    @property
    def is_chief(self) -> bool:
        """Whether this worker writes the files of the training and prints its messages."""
        return self.number == 0

    @property
    def list_name(self) -> str:
        """The file name of this worker's list of skipped images: each file has one writer."""
        return (
            "skipped_images.tsv"
            if self.is_chief
            else f"skipped_images_worker_{self.number + 1}.tsv"
        )

    @contextlib.contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Translates TensorFlow's errors about lost workers into one line.

        Raises:
            LostWorkerError: another worker ended or cannot be reached.
        """
        try:
            yield
        except tf.errors.OpError as error:
            if self.workers == 1 or not _WORKER_ERROR.search(str(error)):
                raise
            # Ends the line of the progress bar.
            print(file=sys.stderr)
            cause = _CAUSE.search(str(error))
            raise LostWorkerError(
                f"{self}: another worker ended or cannot be reached "
                f"({cause[1].strip() if cause else first_line(error)}); restart all workers, with "
                "--load_weights to resume from the last checkpoint"
            ) from error


def find_worker(strategy: str) -> Worker:
    """Finds which worker this process is, from TF_CONFIG. Without a cluster it is the only one.

    Args:
        strategy: str, `auto`, `none`, `mirrored` or `multiworker`.

    Returns:
        `Worker`.

    Raises:
        InputError: TF_CONFIG does not describe a cluster of workers, or `strategy` is `multiworker`
            and TF_CONFIG does not describe several.
    """
    if strategy not in ("auto", "multiworker"):
        return Worker()
    text = os.environ.get("TF_CONFIG", "")
    try:
        described = json.loads(text or "{}")
        cluster, task = described.get("cluster", {}), described.get("task", {})
        unknown = sorted(set(cluster) - {"chief", "worker"})
        if unknown:
            raise InputError(
                f"TF_CONFIG: the only task types of a training are chief and worker; received "
                f"{', '.join(unknown)}"
            )
        chiefs, workers = len(cluster.get("chief", [])), len(cluster.get("worker", []))
        if chiefs + workers > 1:
            number = int(task["index"]) + (chiefs if task["type"] == "worker" else 0)
            if task["type"] not in cluster or not 0 <= number < chiefs + workers:
                raise ValueError("the task is not in the cluster")
            return Worker(number, chiefs + workers)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"TF_CONFIG does not describe a cluster: {first_line(error)}; received {text}; see "
            "docs/scaling.md"
        ) from error
    if strategy == "multiworker":
        raise InputError(
            "--strategy multiworker: TF_CONFIG does not describe a cluster of several workers; see "
            "docs/scaling.md"
        )
    return Worker()


def join_workers(worker: Worker) -> tf.distribute.Strategy:
    """Connects the workers, and returns TensorFlow's strategy for them once all have joined.

    TensorFlow requires this call before any computation.

    Args:
        worker: `Worker`, from `find_worker`.

    Returns:
        `tf.distribute.MultiWorkerMirroredStrategy`.

    Raises:
        InputError: the worker cannot join the others.
    """
    print(f"{worker}: waiting for the other workers", flush=True)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{worker} cannot join the other workers: {first_line(error)}; TF_CONFIG is "
            f"{os.environ['TF_CONFIG']}"
        ) from error


def use_devices(strategy: str, batch_size: int) -> tf.distribute.Strategy:
    """TensorFlow's strategy for the devices of one machine.

    Args:
        strategy: str, `none` for one device, `mirrored` for all devices, or `auto` for as many
            GPUs as divide the batch evenly.
        batch_size: int, the batch size of all devices together.

    Returns:
        `tf.distribute.Strategy`.

    Raises:
        InputError: `strategy` is `mirrored` and there are fewer than two devices.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if strategy != "mirrored":
        counts = range(2, 1 + len(gpus)) if strategy == "auto" else ()
        count = max((number for number in counts if batch_size % number == 0), default=1)
        if strategy == "auto" and count < len(gpus):
            print(
                f"note: using {count} of {len(gpus)} GPUs: batches of {batch_size} cannot be "
                "divided evenly among more; give another --batch_size to use them"
            )
        # Otherwise TensorFlow reserves the memory of all GPUs.
        tf.config.set_visible_devices(gpus[:count], "GPU")
        if count == 1:
            return tf.distribute.get_strategy()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        raise InputError(
            f"--strategy mirrored: TensorFlow found {len(gpus)} GPUs, and at least two are needed; "
            "leave it out"
        )
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def check_batch_size(strategy: tf.distribute.Strategy, **sizes: int | None) -> None:
    """Checks that batches can be divided evenly among the replicas.

    Args:
        strategy: `tf.distribute.Strategy`.
        **sizes: int or None, batch sizes by the name of their option; None is not checked.

    Raises:
        InputError: a batch size is not a multiple of the number of replicas.
    """
    replicas = strategy.num_replicas_in_sync
    for name, size in sizes.items():
        if size and size % replicas:
            raise InputError(
                f"--{name} {size}: it cannot be divided evenly among {replicas} replicas; give a "
                f"multiple of {replicas}"
            )


def check_agreement(strategy: tf.distribute.Strategy, facts: Mapping[str, Any]) -> None:
    """Checks that all workers agree on what they are about to do.

    If one of them has other images, an older checkpoint or another argument, the workers would
    train on inconsistent gradients or wait for each other forever.

    Args:
        strategy: `tf.distribute.Strategy` of the workers.
        facts: mapping from names to values that have to be equal; their `repr` is compared.

    Raises:
        InputError: a value is not the same on all workers.
    """
    if not _has_workers(strategy):
        return
    checksums = tf.constant([zlib.crc32(repr(fact).encode()) for fact in facts.values()], tf.int64)

    @tf.function
    def gather():
        return strategy.run(lambda: each_of_replicas(checksums))

    rows = strategy.experimental_local_results(gather())[0].numpy()
    different = [name for name, column in zip(facts, rows.T, strict=True) if len({*column}) > 1]
    if different:
        raise InputError(
            f"the workers do not agree on: {', '.join(different)}; start all of them with the same "
            "arguments, files and packages"
        )


@contextlib.contextmanager
def chief_first(strategy: tf.distribute.Strategy, worker: Worker) -> Iterator[None]:
    """Runs a block on the chief first. The other workers run it when the chief is done."""
    if not worker.is_chief:
        wait_for_all(strategy)
    yield
    if worker.is_chief:
        wait_for_all(strategy)


def wait_for_all(strategy: tf.distribute.Strategy) -> None:
    """Blocks until all workers have called this function."""
    check_agreement(strategy, {"nothing": None})


def _has_workers(strategy: tf.distribute.Strategy) -> bool:
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
