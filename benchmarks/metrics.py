"""Measures how long each metric takes per image.

    python -m benchmarks.metrics [--lpips_weights PATH]

InceptionV3 has random weights, which take as long as trained ones. LPIPS is measured if its weights
are available, and scikit-image's SSIM beside ours. FID and KID are computed from random features.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.in_turn import print_machine, seconds_of, show
from jobs.common.runtime import import_tensorflow_quietly

BATCH_SIZE = 16
ROUNDS = 5
SAMPLES = 2000


def main() -> None:
    """Prints milliseconds per image of each metric, and seconds of the distances."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lpips_weights", metavar="PATH")
    parser.add_argument("--resolutions", nargs="+", type=int, default=[128, 256])
    arguments = parser.parse_args()
    import_tensorflow_quietly()
    print_machine("scikit-image")
    for resolution in arguments.resolutions:
        print(f"\n{resolution} px, batches of {BATCH_SIZE}")
        seconds = seconds_of(_measures(resolution, arguments.lpips_weights), ROUNDS)
        milliseconds = {
            name: [1e3 * value / BATCH_SIZE for value in values] for name, values in seconds.items()
        }
        show(milliseconds, "ms/image")
    print(f"\n{SAMPLES} images of 2048 features")
    show(seconds_of(_distances(), 1), "s")


def _measures(resolution: int, lpips_weights: str | None) -> dict[str, Callable]:
    """For each metric, a function that returns when the result of a batch is computed."""
    import numpy as np
    import tensorflow as tf
    from skimage.metrics import structural_similarity

    from errors import InputError
    from metrics import LPIPS, PSNR, SSIM, Blotches, Colorfulness, HueCoverage, PooledPSNR

    random = np.random.default_rng(0)
    shape = (2, BATCH_SIZE, resolution, resolution, 3)
    true, colored = random.uniform(0, 1, shape).astype("float32")

    def in_a_graph(metric) -> Callable:
        update = tf.function(metric.update_state)

        def measure() -> None:
            update(tf.constant(true), tf.constant(colored))
            # Reading the result waits until it is computed.
            tf.nest.map_structure(float, metric.result())

        return measure

    def ssim_of_scikit_image() -> None:
        options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        for pair in zip(true, colored, strict=True):
            structural_similarity(*pair, **options, data_range=1.0, channel_axis=-1)

    metrics = [PSNR(), PooledPSNR(), SSIM(), Colorfulness(), HueCoverage(), Blotches()]
    try:
        metrics.append(LPIPS(lpips_weights))
    except InputError as error:
        print(f"LPIPS is not measured: {error}")
    network = _inception()
    return {
        **{metric.name: in_a_graph(metric) for metric in metrics},
        "ssim of scikit-image": ssim_of_scikit_image,
        "features of InceptionV3": lambda: network(colored),
    }


def _distances() -> dict[str, Callable]:
    import numpy as np

    from metrics import KID
    from metrics.distribution.feature_statistics import FeatureStatistics
    from metrics.distribution.fid import frechet_distance

    features = np.random.default_rng(0).normal(size=(2, SAMPLES, 2048))
    kernel = KID()
    kernel.update_with_features(*features)

    def fid() -> None:
        both = FeatureStatistics(), FeatureStatistics()
        for statistics, samples in zip(both, features, strict=True):
            for start in range(0, SAMPLES, BATCH_SIZE):
                statistics.update(samples[start : start + BATCH_SIZE])
        frechet_distance(*both)

    return {"FID": fid, "KID": kernel.result}


def _inception() -> Callable:
    """InceptionV3 with random weights, as `FeatureNetwork` calls the trained one."""
    import keras

    from metrics import FeatureNetwork

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "inception.weights.h5")
        keras.applications.InceptionV3(weights=None).save_weights(path)
        return FeatureNetwork(str(path))


if __name__ == "__main__":
    main()
