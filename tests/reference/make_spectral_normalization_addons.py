"""Writes the results of tensorflow-addons' spectral normalization, for the test of Keras' layer.

    python3.11 -m venv addons
    addons/bin/pip install tensorflow==2.15.1 tensorflow-addons==0.23.0 "numpy<2"
    addons/bin/python tests/reference/make_spectral_normalization_addons.py

`tfa.layers.SpectralNormalization` is called once in training around a `Conv2D` and a `Dense`. It
computes v <- l2(u W'), u <- l2(v W) with W of shape (everything else, outputs), and overwrites the
kernel with kernel / sigma, where sigma = v W u'. All arrays are float32, under `<layer>/<array>`:
kernel, u (before the call); new_kernel, new_u (after it); sigma, a scalar, from the ratio of the
two kernels.

Made with Python 3.11.7, tensorflow 2.15.1, tensorflow-addons 0.23.0, numpy 1.26.4.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

TARGET = Path(__file__).with_name("spectral_normalization_addons.npz")


def main():
    random = np.random.default_rng(0)
    layers = {
        "conv2d": (tf.keras.layers.Conv2D(5, 3), (1, 4, 5, 3)),
        "dense": (tf.keras.layers.Dense(4), (1, 6)),
    }
    arrays = {}
    for name, (layer, input_shape) in layers.items():
        for key, value in record(layer, input_shape, random).items():
            arrays[f"{name}/{key}"] = np.asarray(value, "float32")
    np.savez_compressed(TARGET, **arrays)
    print(f"{TARGET.name}: {len(arrays)} arrays, {TARGET.stat().st_size} bytes")


def record(layer, input_shape: tuple, random: np.random.Generator) -> dict[str, np.ndarray]:
    normalized = tfa.layers.SpectralNormalization(layer)
    normalized.build(input_shape)
    kernel = random.normal(scale=0.7, size=layer.kernel.shape).astype("float32")
    u = random.normal(size=normalized.u.shape).astype("float32")
    u /= np.linalg.norm(u)
    layer.kernel.assign(kernel)
    normalized.u.assign(u)
    normalized(tf.zeros(input_shape), training=True)
    new_kernel = layer.kernel.numpy()
    return {
        "kernel": kernel,
        "u": u[0],
        "new_kernel": new_kernel,
        "new_u": normalized.u.numpy()[0],
        "sigma": np.linalg.norm(kernel) / np.linalg.norm(new_kernel),
    }


if __name__ == "__main__":
    main()
