"""How many pictures a second the SAGAN colorizer trains with, in float32 and bfloat16.

    python -m benchmarks.training_step

The two precisions are measured in turn, round after round in one run, so that their ratio does not
depend on what else the machine does. The pictures are random numbers: the input pipeline is not
part of it.
"""

import statistics
import time

from jobs.runtime import import_tensorflow_quietly

RESOLUTION = 64
BATCH_SIZE = 16
ROUNDS = 5
STEPS = 4
PRECISIONS = ("float32", "mixed_bfloat16")


def main() -> None:
    """Prints a table of medians and ranges."""
    import_tensorflow_quietly()
    import keras
    import tensorflow as tf

    print(f"TensorFlow {tf.__version__}, Keras {keras.__version__}")
    print(f"default networks, {RESOLUTION} px, batch {BATCH_SIZE}; pictures a second")
    for adversarial in (False, True):
        steps = {precision: _step(precision, adversarial) for precision in PRECISIONS}
        speeds = {precision: [] for precision in PRECISIONS}
        for _ in range(ROUNDS):
            for precision, step in steps.items():
                speeds[precision].append(_pictures_per_second(step))
        what = "with the discriminator" if adversarial else "generator alone"
        for precision, values in speeds.items():
            print(
                f"{what:24} {precision:16} median {statistics.median(values):6.1f}, "
                f"{min(values):.1f} to {max(values):.1f}"
            )
        medians = [statistics.median(speeds[precision]) for precision in PRECISIONS]
        print(f"{what:24} bfloat16 / float32 = {medians[1] / medians[0]:.2f}")


def _step(precision: str, adversarial: bool):
    """A traced training step of a fresh model, as a function without arguments."""
    import keras
    import tensorflow as tf

    from losses.hinge_adversarial import HingeAdversarial
    from losses.reconstruction import Reconstruction
    from models.sagan import SAGAN

    keras.mixed_precision.set_global_policy(precision)
    model = SAGAN()
    model.compile(
        generator_optimizer=keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9),
        discriminator_optimizer=keras.optimizers.Adam(4e-4, beta_1=0.0, beta_2=0.9),
        reconstruction=Reconstruction({"l1": 10.0}),
        adversarial=HingeAdversarial() if adversarial else None,
    )
    shape = (BATCH_SIZE, RESOLUTION, RESOLUTION)
    data = (tf.random.uniform((*shape, 1), -1, 1), tf.random.uniform((*shape, 2), -1, 1))
    graph = tf.function(model.train_step)

    def step() -> None:
        # Reading a loss waits for the step.
        float(graph(data)["generator_loss"])

    step()
    return step


def _pictures_per_second(step) -> float:
    begun = time.perf_counter()
    for _ in range(STEPS):
        step()
    return STEPS * BATCH_SIZE / (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
