"""Measures the time of a ChromaGAN training step and the share of it that the teacher takes.

    python -m benchmarks.chromagan_step --teacher mobilenet_v2 --teacher_weights PATH

The same step is measured in turn with the teacher, with the teacher's class distributions from a
cache (they come with the batch), without classes, and with the cache but without an adversary.
"""

import argparse
import statistics
import time
from collections.abc import Callable

ROUNDS, STEPS = 5, 3


def main() -> None:
    """Prints medians, ranges and the teacher's share."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", default="vgg16")
    parser.add_argument("--teacher_weights", metavar="PATH")
    parser.add_argument("--encoder", default="vgg16")
    parser.add_argument("--global_features", default="pool", choices=("flatten", "pool"))
    parser.add_argument("--resolution", type=int, default=112)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--precision", default="mixed_bfloat16")
    arguments = parser.parse_args()

    from jobs.common.runtime import import_tensorflow_quietly, prepare_keras

    import_tensorflow_quietly()
    from models.teacher import Teacher

    prepare_keras(arguments.precision, seed=0)
    teacher = Teacher(arguments.teacher, arguments.teacher_weights)
    steps = {
        "teacher": _step(arguments, teacher),
        "cached": _step(arguments, teacher, is_cached=True),
        "no classes": _step(arguments),
        "no adversary": _step(arguments, teacher, is_cached=True, is_adversarial=False),
    }
    seconds = {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(ROUNDS):
        for name, step in steps.items():
            begun = time.perf_counter()
            for _ in range(STEPS):
                step()
            seconds[name].append((time.perf_counter() - begun) / STEPS)
    print(
        f"{arguments.resolution} px, batch {arguments.batch_size}, {arguments.precision}, encoder "
        f"{arguments.encoder}, teacher {arguments.teacher}; seconds per step"
    )
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, values in seconds.items():
        print(f"{name:12} median {medians[name]:.3f}, {min(values):.3f} to {max(values):.3f}")
    share = 1.0 - medians["cached"] / medians["teacher"]
    print(f"the teacher takes {100 * share:.0f} % of the step")


def _step(
    arguments: argparse.Namespace, teacher=None, is_cached: bool = False, is_adversarial=True
) -> Callable[[], None]:
    import keras
    import tensorflow as tf

    from losses.adversarial.wasserstein_adversarial import WassersteinAdversarial
    from losses.reconstruction import Reconstruction
    from models.chromagan import ChromaGAN

    model = ChromaGAN(
        encoder=arguments.encoder,
        global_features=arguments.global_features,
        resolution=arguments.resolution,
        classes=teacher.classes if teacher else 0,
    )
    adams = [keras.optimizers.Adam(2e-5, beta_1=0.5, beta_2=0.999) for _ in range(2)]
    model.compile(
        *adams,
        Reconstruction({"mse": 1.0}),
        WassersteinAdversarial(10.0) if is_adversarial else None,
        adversarial_weight=0.1,
        teacher=teacher,
    )
    shape = (arguments.batch_size, arguments.resolution, arguments.resolution)
    data = [tf.random.uniform((*shape, 1), -1, 1), tf.random.uniform((*shape, 2), -0.5, 0.5)]
    if is_cached:
        data.append(tf.nn.softmax(tf.random.normal((arguments.batch_size, teacher.classes))))
    graph = tf.function(model.train_step)
    # Reading a loss waits until the step is done.
    return lambda: float(graph(tuple(data))["generator_loss"])


if __name__ == "__main__":
    main()
