"""Measures how a training step on two workers splits into computation and communication.

    python -m benchmarks.workers
    python -m benchmarks.workers --model pix2pix --resolution 128 --batch_size 16

First two processes, each on a core of its own, train independently with half of the batch each.
Then two workers share the whole batch over 127.0.0.1. The workers also send, without computing
anything, what a step sends: all gradients at once, and the statistics of one normalization. Images
are random numbers in memory.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

from benchmarks.in_turn import ROOT, print_machine, python_of
from benchmarks.replicas import tasks_of_workers

_STEPS = 6
# Small messages per measurement.
_SMALL = 50


def main() -> None:
    """Prints where the time goes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=("sagan", "pix2pix"), default="sagan")
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument(
        "--batch_size", type=int, default=16, help="images of both workers together in a step"
    )
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.core is not None:
        _work(arguments)
        return
    print_machine()
    alone = _measure(arguments, [{}, {}], arguments.batch_size // 2)
    both = _measure(arguments, tasks_of_workers(2), arguments.batch_size)
    print(
        f"{arguments.model}, {arguments.resolution} px, {both['gradient_bytes'] / 1e6:.1f} MB of "
        f"gradients, {both['collectives']} messages per step"
    )
    rows = {
        f"a step of {arguments.batch_size // 2} images in each process": alone["step"],
        f"a step of {arguments.batch_size} images on two workers": both["step"],
        "    difference": both["step"] - alone["step"],
        "sending all gradients": both["gradients"],
        "sending one small message": both["small"],
    }
    for name, seconds in rows.items():
        print(f"{name:45} {1e3 * seconds:9.2f} ms")


def _measure(
    arguments: argparse.Namespace, environments: list[dict[str, str]], batch_size: int
) -> dict:
    """Runs a process on each core and returns the results of the slower one."""
    processes = []
    for number, environment in enumerate(environments):
        command = python_of(
            "benchmarks.workers",
            *("--model", arguments.model, "--resolution", str(arguments.resolution)),
            *("--batch_size", str(batch_size), "--core", str(number)),
        )
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
        processes.append(
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        )
    found = [json.loads(process.communicate()[0].splitlines()[-1]) for process in processes]
    return max(found, key=lambda results: results["step"])


def _work(arguments: argparse.Namespace) -> None:
    """Measures in one process and prints the results as JSON."""
    # This must come before TensorFlow counts the cores.
    os.sched_setaffinity(0, {arguments.core})
    from jobs.common.runtime import import_tensorflow_quietly, prepare_keras

    import_tensorflow_quietly()
    import tensorflow as tf

    from config.parser import parse
    from jobs.train.build import compile_model, new_model
    from jobs.train.devices import find_worker, join_workers

    worker = find_worker("auto")
    strategy = join_workers(worker) if worker.workers > 1 else tf.distribute.get_strategy()
    prepare_keras("auto", seed=0)
    settings, _ = parse(
        [
            *("--model", arguments.model, "--resolution", str(arguments.resolution)),
            *("--dataset", os.curdir, "--reconstruction", "l1:10"),
        ]
    )
    with strategy.scope():
        model = new_model(settings)
        compile_model(model, settings)

    def batches(context):
        size = context.get_per_replica_batch_size(arguments.batch_size)
        shape = (size, arguments.resolution, arguments.resolution)
        images = tf.random.uniform((*shape, 1), -1, 1), tf.random.uniform((*shape, 2), -1, 1)
        return tf.data.Dataset.from_tensors(images).repeat()

    stream = iter(strategy.distribute_datasets_from_function(batches))
    variables = [*model.generator_variables, *model.discriminator.trainable_variables]
    gradients = [tf.zeros(variable.shape) for variable in variables]
    small = tf.zeros([2, 256])

    @tf.function
    def send_gradients():
        context = tf.distribute.get_replica_context
        return strategy.run(lambda: context().all_reduce("sum", gradients)[0])

    @tf.function
    def send_small():
        def several(value):
            # Each message waits for the one before.
            for _ in range(_SMALL):
                value = tf.distribute.get_replica_context().all_reduce("sum", value)
            return value

        return strategy.run(several, args=(small,))

    # Traced once more to count its messages.
    step = tf.function(lambda batch: strategy.run(model.train_step, args=(batch,)))
    operations = _operations(step.get_concrete_function(next(stream)).graph)
    names = [operation.type for operation in operations]
    model.make_train_function()
    found = {
        "gradient_bytes": sum(4 * int(tf.size(gradient)) for gradient in gradients),
        "collectives": sum(name.startswith("CollectiveReduce") for name in names),
        "step": _seconds(lambda: model.train_function(stream)),
    }
    if strategy.num_replicas_in_sync > 1:
        found["gradients"] = _seconds(send_gradients)
        found["small"] = _seconds(send_small) / _SMALL
    print(json.dumps(found), flush=True)


def _operations(graph) -> list:
    """The operations of a graph and of the functions that it calls."""
    found = list(graph.get_operations())
    for name in graph._functions:
        found += graph._functions[name].graph.get_operations()
    return found


def _seconds(work) -> float:
    """The median time of a few calls, after a first one that is discarded."""
    import tensorflow as tf

    found = []
    for _ in range(1 + _STEPS):
        begun = time.perf_counter()
        tf.nest.map_structure(lambda value: tf.convert_to_tensor(value).numpy(), work())
        found.append(time.perf_counter() - begun)
    return statistics.median(found[1:])


if __name__ == "__main__":
    sys.exit(main())
