"""Measures the time and memory of self-attention as images grow, as a whole and in parts.

    python -m benchmarks.attention

One layer with 128 channels is run on features at a quarter of the image's side, as in the default
network. Training computes all attention weights at once; coloring computes some rows of them at a
time. Each size runs in a process of its own, so that the peaks of memory are independent.
"""

import argparse
import resource
import time

import numpy as np

from benchmarks.in_turn import measure, print_machine, python_of, serve

SIDES = (128, 256, 512, 1024)
CHANNELS = 128
# The attention weights of the next size would take 17 GB.
LARGEST_WHOLE = 512
WAYS = ("in parts", "whole")
ROUNDS = 3


def main() -> None:
    """Prints milliseconds and megabytes for each image size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        way, side, what = arguments.worker
        serve(_measured(way, int(side), what))
        return
    print_machine()
    print(
        f"{CHANNELS} channels, one image; the peak is the memory beyond that before the first call"
    )
    print("  image  positions  way           ms   peak MB  full matrix MB  largest difference")
    for side in SIDES:
        for way in WAYS if side <= LARGEST_WHOLE else WAYS[:1]:
            commands = {
                what: python_of("benchmarks.attention", "--worker", way, str(side), what)
                for what in ("ms", "peak", "difference")
            }
            found = {name: np.median(values) for name, values in measure(commands, ROUNDS).items()}
            positions = (side // 4) ** 2
            print(
                f"{side:7d}  {positions:9d}  {way:8} {found['ms']:7.0f} {found['peak']:9.0f} "
                f"{4e-6 * positions**2:15.0f}  {found['difference']:.1e}",
                flush=True,
            )


def _measured(way: str, side: int, what: str):
    from jobs.common.runtime import import_tensorflow_quietly

    import_tensorflow_quietly()
    import tensorflow as tf

    from models.layers.self_attention import SelfAttention

    layer = SelfAttention(spectral_normalization=False)
    shape = (1, side // 4, side // 4, CHANNELS)
    features = tf.constant(np.random.default_rng(0).normal(size=shape).astype("float32"))
    layer.build(shape)
    layer.gamma.assign(0.7)
    attend = tf.function(lambda: layer(features, training=way == "whole"))
    before = _peak_megabytes()

    def milliseconds() -> float:
        begun = time.perf_counter()
        attend().numpy()
        return 1e3 * (time.perf_counter() - begun)

    def peak() -> float:
        attend().numpy()
        return _peak_megabytes() - before

    def difference() -> float:
        """The largest difference from the equation in float64, at every 97th position."""
        return float(np.abs(attend().numpy()[0].reshape(-1, CHANNELS)[::97] - expected).max())

    if what == "difference":
        expected = _by_equation(layer, features.numpy()[0].reshape(-1, CHANNELS).astype("float64"))
    return {"ms": milliseconds, "peak": peak, "difference": difference}[what]


def _by_equation(layer, positions: np.ndarray) -> np.ndarray:
    def convolve(inputs, convolution):
        kernel, bias = (weight.numpy().astype("float64") for weight in convolution.weights)
        return inputs @ kernel[0, 0] + bias

    keys, queries = convolve(positions, layer.f), convolve(positions[::97], layer.g)
    scores = queries @ keys.T
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    attended = convolve(weights @ convolve(positions, layer.h), layer.v)
    return positions[::97] + float(layer.gamma.numpy()) * attended


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
