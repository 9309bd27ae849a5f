"""Compares the gradients and weights of a training on two devices with those on one.

    python -m benchmarks.replicas
    python -m benchmarks.replicas --model sagan

Each colorizer is trained for three steps on the same images in four variants: alone; alone without
oneDNN's kernels, which shows the effect of rounding; as two replicas in one process; and as two
worker processes that communicate over 127.0.0.1. Batch normalization, dropout, gradient penalties
and augmentation are on. The optimizer is SGD with momentum, whose velocity after the first step is
proportional to the gradient: Adam would turn a difference in rounding into a whole step.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.crashes import arrays_of, make_images
from benchmarks.in_turn import ROOT, print_machine

WAYS = ("alone", "other kernels", "two replicas", "two workers")
# Seconds to wait for a training.
_PATIENCE = 600
# Differences are relative to the largest number of their array, but at least to this share of the
# largest number of all arrays.
_OF_THE_LARGEST = 1e-3

_SHARED = [
    *("--precision", "float32", "--batch_size", "8", "--validation_share", "0.25"),
    *("--steps_per_epoch", "3", "--epochs", "1", "--checkpoint_steps", "1", "--keep", "5"),
    *("--optimizer", "sgd", "--beta_1", "0.9", "--sample_every", "0", "--seed", "3"),
    *("--generator_lr", "0.001", "--discriminator_lr", "0.001", "--deterministic"),
]
_TEACHER = "teacher.weights.h5"
MODELS = {
    "sagan": [
        *("--resolution", "32", "--filters", "8", "--discriminator_filters", "8", "--depth", "3"),
        *("--reconstruction", "l1:10"),
    ],
    "pix2pix": [
        *("--resolution", "32", "--filters", "8", "--discriminator_filters", "8"),
        *("--discriminator_steps", "2"),
    ],
    "chromagan": [
        *("--resolution", "32", "--filters", "8", "--discriminator_filters", "8"),
        *("--encoder_weights", "none"),
        *("--teacher", "mobilenet_v2", "--teacher_weights", _TEACHER),
    ],
    "encoder_decoder": [
        *("--resolution", "96", "--filters", "8", "--adversarial", "vanilla"),
        *("--encoder_weights", "none"),
    ],
}

# TensorFlow can split a CPU into several devices only before it first uses it.
TWO_DEVICES = """
import tensorflow as tf

[cpu] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""
_RUN = """
import sys

import run

sys.exit(run.main(sys.argv[1:]))
"""


def main() -> int:
    """Prints the differences of each colorizer in each variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="+", choices=sorted(MODELS), default=list(MODELS))
    arguments = parser.parse_args()
    print_machine()
    print("largest difference, as a share of the largest number in its array")
    print(f"{'':33} {'gradients, step 1':>18}  {'weights, step 3':>18}  {'seconds':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for model in arguments.model:
            for way, figures in compare(Path(folder) / model, model).items():
                numbers = "  ".join(f"{figures[name]:18.1e}" for name in ("gradients", "weights"))
                print(f"{model:12} {way:20} {numbers}  {figures['seconds']:8.0f}", flush=True)
    return 0


def compare(folder: Path, model: str, ways: tuple[str, ...] = WAYS[1:]) -> dict[str, dict]:
    """The differences of each variant from a training on one device.

    Args:
        folder: `pathlib.Path`, a folder to make, for images, weights and logs.
        model: str, a key of `MODELS`.
        ways: tuple of str, some of `WAYS`. Defaults to all but the first.

    Returns:
        dict, by variant a dict of `gradients` (after the first step) and `weights` (after the
        third), the largest differences as in `_difference`, and of `seconds`, the time of the run.
    """
    folder.mkdir(parents=True)
    make_images(folder / "images")
    if _TEACHER in MODELS[model]:
        import keras

        keras.applications.MobileNetV2(weights=None).save_weights(folder / _TEACHER)
    alone = _numbers_of(folder, "alone", model)
    found = {}
    for way in ways:
        begun = time.perf_counter()
        numbers = _numbers_of(folder, way, model)
        found[way] = {name: _difference(alone[name], numbers[name]) for name in alone}
        found[way]["seconds"] = time.perf_counter() - begun
    return found


def start_workers(
    arguments: list[str], folder: Path, workers: int = 2, **options
) -> list[subprocess.Popen]:
    """Starts a training as several processes on this machine, the chief first.

    Args:
        arguments: list of str, the arguments of run.py.
        folder: `pathlib.Path`, the working directory.
        workers: int, the number of processes. Defaults to `2`.
        **options: keyword arguments of `subprocess.Popen`.
    """
    command = [sys.executable, str(ROOT / "run.py"), *arguments]
    return [
        subprocess.Popen(command, cwd=folder, env={**os.environ, **task}, **options)
        for task in tasks_of_workers(workers)
    ]


def tasks_of_workers(workers: int) -> list[dict[str, str]]:
    """The environment variables of each of several workers on this machine, with new ports."""
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(workers)]
    tasks = [{"type": "worker", "index": number} for number in range(workers)]
    return [
        {"TF_CONFIG": json.dumps({"cluster": {"worker": addresses}, "task": task})}
        for task in tasks
    ]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _numbers_of(folder: Path, way: str, model: str) -> dict[str, dict[str, np.ndarray]]:
    """Trains, and returns the gradients of the first step and the weights after the third."""
    name = way.replace(" ", "_")
    arguments = [*("--dataset", "images", "--model", model), *_SHARED, *MODELS[model]]
    arguments += ["--weights_dir", name, "--log_dir", f"logs/{name}"]
    with open(folder / f"{name}.txt", "ab") as log:
        output = {"stdout": log, "stderr": log}
        if way == "two workers":
            processes = start_workers(arguments, folder, **output)
        else:
            start, environment = [str(ROOT / "run.py")], {**os.environ, "PYTHONPATH": str(ROOT)}
            if way == "two replicas":
                start = ["-c", TWO_DEVICES + _RUN]
                arguments = [*arguments, "--strategy", "mirrored"]
            elif way == "other kernels":
                environment["TF_ENABLE_ONEDNN_OPTS"] = "0"
            command = [sys.executable, *start, *arguments]
            processes = [subprocess.Popen(command, cwd=folder, env=environment, **output)]
        statuses = [process.wait(_PATIENCE) for process in processes]
    if any(statuses):
        log = (folder / f"{name}.txt").read_text()
        raise RuntimeError(f"{model}, {way}: exit statuses {statuses}\n{log[-4000:]}")
    checkpoints = sorted((folder / name / "checkpoints").iterdir())
    found = {}
    for kind, checkpoint in (("gradients", checkpoints[0]), ("weights", checkpoints[-1])):
        arrays = arrays_of(checkpoint / "model.weights.h5")
        found[kind] = {
            name: array
            for name, array in arrays.items()
            if array.dtype == "float32" and ("optimizer" in name) == (kind == "gradients")
        }
    return found


def _difference(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    """The largest difference in any array, as a share of the largest number in that array."""
    if one.keys() != other.keys():
        raise RuntimeError(f"different arrays: {sorted(one.keys() ^ other.keys())[:5]}")
    arrays = {name: array for name, array in one.items() if array.ndim}
    # Some gradients consist of rounding only, such as that of a bias before a normalization.
    least = _OF_THE_LARGEST * max(np.abs(array).max() for array in arrays.values())
    return max(
        float(np.abs(array - other[name]).max() / max(least, np.abs(array).max()))
        for name, array in arrays.items()
    )


if __name__ == "__main__":
    sys.exit(main())
