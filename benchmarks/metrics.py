"""Measures how long each metric takes per image.

    python -m benchmarks.metrics [--lpips_weights PATH]

All metrics are measured on the same random images, in turn and round after round in one run, so
that their ratios do not depend on other load. InceptionV3 has random weights, which take as long as
trained ones. LPIPS is measured if its weights are available. scikit-image's SSIM is measured beside
ours. At the end, FID and KID are computed once from random features.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from jobs.common.runtime import import_tensorflow_quietly

RESOLUTIONS = (128, 256)
BATCH_SIZE = 16
ROUNDS = 5
SAMPLES = 2000


def main() -> None:
    """Prints medians in milliseconds per image."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lpips_weights", metavar="PATH")
    arguments = parser.parse_args()
    import_tensorflow_quietly()
    import numpy as np

    print(f"{os.cpu_count()} processor cores")
    for resolution in RESOLUTIONS:
        random = np.random.default_rng(0)
        shape = (2, BATCH_SIZE, resolution, resolution, 3)
        true, colored = random.uniform(0, 1, shape).astype("float32")
        measures = _measures(arguments.lpips_weights)
        times = {name: [] for name in measures}
        for round_number in range(ROUNDS + 1):
            for name, measure in measures.items():
                begun = time.perf_counter()
                measure(true, colored)
                # The first round traces the graphs.
                if round_number:
                    times[name].append(1000.0 * (time.perf_counter() - begun) / BATCH_SIZE)
        print(f"{resolution} px, batch {BATCH_SIZE}; milliseconds per image")
        for name, values in times.items():
            print(
                f"  {name:28} median {statistics.median(values):7.2f}, "
                f"{min(values):.2f} to {max(values):.2f}"
            )
    _measure_distances()


def _measures(lpips_weights: str | None) -> dict[str, Callable]:
    """For each metric, a function of a batch that returns when its result is computed."""
    from errors import InputError
    from metrics.image.blotches import Blotches
    from metrics.image.colorfulness import Colorfulness
    from metrics.image.hue_coverage import HueCoverage
    from metrics.image.lpips import LPIPS
    from metrics.image.pooled_psnr import PooledPSNR
    from metrics.image.psnr import PSNR
    from metrics.image.ssim import SSIM

    metrics = [PSNR(), PooledPSNR(), SSIM(), Colorfulness(), HueCoverage(), Blotches()]
    try:
        metrics.append(LPIPS(lpips_weights))
    except InputError as error:
        print(f"LPIPS is not measured: {error}")
    network = _inception()
    measures = {metric.name: _in_a_graph(metric) for metric in metrics}
    measures["ssim of scikit-image"] = _ssim_of_scikit_image
    measures["features of InceptionV3"] = lambda true, colored: network(colored)
    return measures


def _ssim_of_scikit_image(true, colored) -> None:
    from skimage.metrics import structural_similarity

    for pair in zip(true, colored, strict=True):
        structural_similarity(
            *pair,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1.0,
            channel_axis=-1,
        )


def _measure_distances() -> None:
    """Prints the seconds that FID and KID take from given features."""
    import numpy as np

    from metrics.distribution.feature_statistics import FeatureStatistics
    from metrics.distribution.frechet_distance import FrechetDistance
    from metrics.distribution.kernel_distance import KernelDistance

    features = np.random.default_rng(0).normal(size=(2, SAMPLES, 2048))
    statistics_of_both, kernel = [FeatureStatistics(), FeatureStatistics()], KernelDistance()
    kernel.update(*features)
    print(f"{SAMPLES} images of 2048 features; seconds")
    begun = time.perf_counter()
    for accumulator, samples in zip(statistics_of_both, features, strict=True):
        for start in range(0, SAMPLES, BATCH_SIZE):
            accumulator.update(samples[start : start + BATCH_SIZE])
    print(f"  {'both covariances':28} {time.perf_counter() - begun:.1f}")
    for name, distance in (("FID", FrechetDistance(*statistics_of_both)), ("KID", kernel)):
        begun = time.perf_counter()
        distance.result()
        print(f"  {name:28} {time.perf_counter() - begun:.1f}")


def _in_a_graph(metric) -> Callable:
    """The metric in a graph, as the evaluator calls it."""
    import tensorflow as tf

    update = tf.function(metric.update_state)

    def measure(true, colored) -> None:
        update(tf.constant(true), tf.constant(colored))
        # Reading the result waits until it is computed.
        float(metric.result())

    return measure


def _inception() -> Callable:
    """InceptionV3 with random weights, as `FeatureNetwork` calls the trained one."""
    import keras

    from metrics.distribution.feature_network import FeatureNetwork

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "inception.weights.h5")
        keras.applications.InceptionV3(weights=None).save_weights(path)
        return FeatureNetwork(str(path))


if __name__ == "__main__":
    main()
