"""What a training step of each colorizer takes, and where the time and the memory go.

    python -m benchmarks.training_step
    python -m benchmarks.training_step --models pix2pix sagan --resolutions 128
    python -m benchmarks.training_step --models pix2pix --torch_python torch/bin/python

Each colorizer with its own defaults against its adversary, in float32 and bfloat16, in turn. The
images are random numbers that lie in memory; with `--data` it is measured what a batch of a
folder's images takes on its way, while nothing else is done.
The parts of a step are graphs of their own: what the whole step takes is less or more than their
sum. Encoders and teachers have random weights; ChromaGAN's distributions come from its cache.

With `--torch_python`, a Python that has PyTorch, pix2pix and SAGAN are measured there too, eagerly
and with torch.compile: the networks of benchmarks/torch_networks.py, the same step.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks.in_turn import measure, print_machine, python_of, serve, show

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
    parser.add_argument("--data", metavar="DIR", help="images, to measure the input pipeline too")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        _work(**json.loads(arguments.worker))
        return
    print_machine()
    print(f"batches of {BATCH_SIZE}; the discriminator learns too")
    for model in arguments.models:
        for resolution in arguments.resolutions:
            _compare(model, resolution, arguments.torch_python)
            _split(model, resolution, arguments.data)


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


def _split(model: str, resolution: int, data: str | None) -> None:
    for precision in PRECISIONS:
        what = {"model": model, "resolution": resolution, "precision": precision}
        command = _worker(**what, part="all", data=data)
        found = json.loads(subprocess.check_output(command, text=True).splitlines()[-1])
        peak = found.pop("peak")
        words = ", ".join(f"{part} {milliseconds:.0f}" for part, milliseconds in found.items())
        print(f"{precision}: ms a step: {words}; peak {peak:.2f} GB", flush=True)


def _worker(**what) -> list[str]:
    return python_of("benchmarks.training_step", "--worker", json.dumps(what))


def _work(model: str, resolution: int, precision: str, part: str, data: str | None = None) -> None:
    from jobs.common.runtime import import_tensorflow_quietly

    import_tensorflow_quietly()
    import keras

    keras.utils.set_random_seed(0)
    keras.mixed_precision.set_global_policy(precision)
    pieces = _pieces(model, resolution)
    if part == "all":
        found = _milliseconds_of(pieces)
        if data:
            found["data"] = _milliseconds_of_data(data, resolution)
        print(json.dumps(found))
    else:
        serve(lambda: images_per_second(pieces[part]))


def _milliseconds_of(pieces: dict[str, Callable[[], None]]) -> dict[str, float]:
    """The medians of all parts, measured in turn, and under `peak` gigabytes of memory."""
    for _ in range(2):
        pieces["step"]()
    # Before the parts, which are no part of a training, take some of their own.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    for piece in pieces.values():
        piece()
    found = {name: [] for name in pieces}
    for _ in range(ROUNDS):
        for name, piece in pieces.items():
            found[name].append(1e3 * BATCH_SIZE / images_per_second(piece))
    return {"peak": peak, **{name: statistics.median(values) for name, values in found.items()}}


def _milliseconds_of_data(folder: str, resolution: int) -> float:
    """What a batch takes when nothing else is to be done."""
    from benchmarks import pipeline
    from data.datasets.find_images import find_images

    stream = pipeline.training_stream(find_images([folder]).training, resolution, BATCH_SIZE)
    return 1e3 * BATCH_SIZE / pipeline.images_per_second(stream, BATCH_SIZE)


def images_per_second(step: Callable[[], None], batch_size: int = BATCH_SIZE) -> float:
    """How many images a second go through a step."""
    begun = time.perf_counter()
    for _ in range(STEPS):
        step()
    return STEPS * batch_size / (time.perf_counter() - begun)


def _pieces(model: str, resolution: int) -> dict[str, Callable[[], None]]:
    """By name what runs a part of the step; nothing is traced before it is called."""
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
        # Without the perceptual loss, whose network cannot be had everywhere.
        arguments += ["--reconstruction", "l1:10"]
    settings, explicit = parse(arguments)
    teacher = _RandomTeacher() if model == "chromagan" else None
    colorizer, settings = new_model(settings, explicit, teacher)
    compile_model(colorizer, settings, explicit, teacher)

    shape = (BATCH_SIZE, resolution, resolution)
    lightness = tf.random.uniform((*shape, 1), -1, 1)
    true_ab = tf.random.uniform((*shape, 2), -1, 1)
    data = (lightness, true_ab)
    if teacher:
        data += (tf.nn.softmax(tf.random.normal((BATCH_SIZE, teacher.classes))),)
    real = join_lab(lightness, true_ab)
    gradients = {
        name: [tf.random.normal(each.shape, 0.0, 1e-3) for each in variables]
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
        # All of them: what is not asked for is not computed.
        return tape.gradient(found, colorizer.generator_variables)

    def discriminator():
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(real)
            logits = tf.concat(colorizer.score_both(real, real), axis=0)
            judged = colorizer.score(real)
        variables = colorizer.discriminator.trainable_variables
        return tape.gradient(logits, variables), tape.gradient(judged, real)

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
        each.__name__: _awaited(each)
        for each in (step, generator, discriminator, losses, optimizers)
    }


class _RandomTeacher:
    """Stands for a teacher whose distributions are in its cache."""

    classes = 1000


def _awaited(part: Callable) -> Callable[[], None]:
    """The part as a graph, and done when it returns."""
    import tensorflow as tf

    graph = tf.function(part)

    def run() -> None:
        for each in tf.nest.flatten(graph()):
            each.numpy()

    return run


if __name__ == "__main__":
    sys.exit(main())
