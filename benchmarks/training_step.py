"""Measures the training step of each colorizer, and where its time and memory go.

    python -m benchmarks.training_step
    python -m benchmarks.training_step --models pix2pix sagan --resolutions 128
    python -m benchmarks.training_step --models pix2pix --torch_python torch/bin/python

Each colorizer runs with its own defaults and an adversary, in float32 and bfloat16 in turn, on
random numbers in memory. The parts of a step are graphs of their own, so their sum is more or less
than the whole step. Encoders have random weights; ChromaGAN's class distributions come with the
batch, as from its cache.

With `--torch_python`, a Python with PyTorch, pix2pix and SAGAN are measured there too, eagerly and
with torch.compile: the same networks and the same step, from benchmarks/torch_networks.py.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable

from benchmarks.in_turn import (
    measure,
    peak_megabytes,
    print_machine,
    python_of,
    seconds_of,
    serve,
    show,
)

BATCH_SIZE = 8
ROUNDS = 3
STEPS = 2
MODELS = ("sagan", "pix2pix", "chromagan", "encoder_decoder")
OF_TORCH = ("sagan", "pix2pix")
PRECISIONS = ("float32", "mixed_bfloat16")


def main() -> None:
    """Prints a table for each colorizer and resolution."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--resolutions", nargs="+", type=int, default=[64, 128, 256])
    parser.add_argument("--torch_python", metavar="PATH", help="a Python with PyTorch")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        _work(**json.loads(arguments.worker))
        return
    print_machine()
    print(f"batches of {BATCH_SIZE}; the discriminator is trained too")
    for model in arguments.models:
        for resolution in arguments.resolutions:
            _compare(model, resolution, arguments.torch_python)
            _split(model, resolution)


def _compare(model: str, resolution: int, torch_python: str | None) -> None:
    print(f"\n{model} at {resolution} px")
    commands = {
        precision: _worker(model=model, resolution=resolution, precision=precision, part="step")
        for precision in PRECISIONS
    }
    if torch_python and model in OF_TORCH:
        for precision in PRECISIONS:
            for compiled in (False, True):
                name = f"torch {'compiled' if compiled else 'eager'} {precision}"
                commands[name] = python_of(
                    "benchmarks.torch_networks",
                    *(model, str(resolution), precision, str(int(compiled))),
                    *(str(BATCH_SIZE), str(STEPS)),
                    python=torch_python,
                )
    show(measure(commands, ROUNDS), "images/s", beside="float32")


def _split(model: str, resolution: int) -> None:
    for precision in PRECISIONS:
        what = {"model": model, "resolution": resolution, "precision": precision}
        command = _worker(**what, part="all")
        found = json.loads(subprocess.check_output(command, text=True).splitlines()[-1])
        peak = found.pop("peak")
        words = ", ".join(f"{part} {milliseconds:.0f}" for part, milliseconds in found.items())
        print(f"{precision}: ms per step: {words}; peak {peak:.2f} GB", flush=True)


def _worker(**what) -> list[str]:
    return python_of("benchmarks.training_step", "--worker", json.dumps(what))


def _work(model: str, resolution: int, precision: str, part: str) -> None:
    from jobs.common.runtime import import_tensorflow_quietly, prepare_keras

    import_tensorflow_quietly()
    prepare_keras(precision, seed=0)
    pieces = _pieces(model, resolution)
    if part == "all":
        print(json.dumps(_milliseconds_of(pieces)))
    else:
        serve(lambda: _images_per_second(pieces[part]))


def _milliseconds_of(pieces: dict[str, Callable[[], None]]) -> dict[str, float]:
    """The median of each part, measured in turn, and under `peak` the peak memory in GB."""
    for _ in range(2):
        pieces["step"]()
    # Read before the parts run: their graphs take memory that a training does not.
    peak = peak_megabytes() / 1e3
    found = seconds_of(pieces, ROUNDS * STEPS)
    return {"peak": peak, **{name: 1e3 * statistics.median(found[name]) for name in found}}


def _images_per_second(step: Callable[[], None]) -> float:
    begun = time.perf_counter()
    for _ in range(STEPS):
        step()
    return STEPS * BATCH_SIZE / (time.perf_counter() - begun)


def _pieces(model: str, resolution: int) -> dict[str, Callable[[], None]]:
    """Functions that run the step and its parts, by name; each is traced at its first call."""
    import tensorflow as tf

    from config.parser import parse
    from data.color.lab import join_lab
    from jobs.train.build import compile_model, new_model

    arguments = ["--model", model, "--resolution", str(resolution), "--dataset", os.curdir]
    if model in ("chromagan", "encoder_decoder"):
        arguments += ["--encoder_weights", "none"]
    if model == "encoder_decoder":
        arguments += ["--adversarial", "vanilla"]
    if model == "sagan":
        # Without the perceptual loss, whose weights are not available everywhere.
        arguments += ["--reconstruction", "l1:10"]
    settings, _ = parse(arguments)
    teacher = _RandomTeacher() if model == "chromagan" else None
    colorizer = new_model(settings, teacher)
    compile_model(colorizer, settings, teacher)

    shape = (BATCH_SIZE, resolution, resolution)
    lightness = tf.random.uniform((*shape, 1), -1, 1)
    true_ab = tf.random.uniform((*shape, 2), -1, 1)
    data = (lightness, true_ab)
    if teacher:
        data += (tf.nn.softmax(tf.random.normal((BATCH_SIZE, teacher.classes))),)
    real = join_lab(lightness, true_ab)
    gradients = {
        name: [tf.random.normal(variable.shape, 0.0, 1e-3) for variable in variables]
        for name, variables in (
            ("generator", colorizer.generator_variables),
            ("discriminator", colorizer.discriminator.trainable_variables),
        )
    }

    def generator():
        with tf.GradientTape() as tape:
            colored_ab, terms = colorizer.generate(data)
            found = [colored_ab]
            if "class_divergence" in terms:
                found.append(terms["class_divergence"])
        # Returns all gradients, since a graph does not compute what it does not return.
        return tape.gradient(found, colorizer.generator_variables)

    def discriminator():
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(real)
            logits = tf.concat(colorizer.score_both(real, real), axis=0)
            score = colorizer.score(real)
        variables = colorizer.discriminator.trainable_variables
        return tape.gradient(logits, variables), tape.gradient(score, real)

    def losses():
        with tf.GradientTape() as tape:
            tape.watch(true_ab)
            terms = colorizer.reconstruction.terms(lightness, true_ab[::-1], true_ab)
            loss = colorizer.reconstruction.total(terms)
        return tape.gradient(loss, true_ab)

    def optimizers():
        colorizer._apply_to_generator(gradients["generator"])
        colorizer._apply_to_discriminator(gradients["discriminator"])
        return tf.constant(0.0)

    def step():
        return colorizer.train_step(data)["generator_loss"]

    return {
        part.__name__: _awaited(part)
        for part in (step, generator, discriminator, losses, optimizers)
    }


class _RandomTeacher:
    """Stands in for a teacher whose class distributions are in a cache."""

    classes = 1000


def _awaited(part: Callable) -> Callable[[], None]:
    """A function that runs the part as a graph and returns when it is done."""
    import tensorflow as tf

    graph = tf.function(part)

    def run() -> None:
        for tensor in tf.nest.flatten(graph()):
            tensor.numpy()

    return run


if __name__ == "__main__":
    main()
