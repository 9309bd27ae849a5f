"""The network of LPIPS: where its weights come from, its gradients and errors.

Its values are tested with the metric.
"""

import os

import keras
import numpy as np
import pytest
import tensorflow as tf
from skimage import data

from errors import InputError
from losses import LPIPSNetwork, lpips_network


def photograph(size=64):
    return (data.astronaut()[100 : 100 + size, 150 : 150 + size] / 255.0).astype("float32")


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_gradient_steps_lead_to_the_true_image(lpips_weights, dtype):
    network = LPIPSNetwork(lpips_weights, keras.DTypePolicy(dtype))
    true = tf.constant(photograph()[None])
    colored = tf.Variable(tf.reverse(true, [1]) * 0.5)
    previous = None
    for _ in range(5):
        with tf.GradientTape() as tape:
            distances = network.distance(network.features(true), network.features(colored))
        gradient = tape.gradient(distances, colored)
        assert np.isfinite(gradient).all()
        assert gradient.dtype == distances.dtype == "float32"
        assert previous is None or float(distances[0]) < previous
        previous = float(distances[0])
        colored.assign_sub(0.02 * gradient / tf.reduce_max(tf.abs(gradient)))


def test_gradient_is_zero_where_all_features_are_zero(lpips_weights, tmp_path):
    arrays = dict(np.load(lpips_weights))
    # With these biases, no channel is ever active.
    arrays["conv1_b"] = np.full_like(arrays["conv1_b"], -1e3)
    np.savez(tmp_path / "blind.npz", **arrays)
    network = LPIPSNetwork(tmp_path / "blind.npz")
    colored = tf.Variable(photograph()[None])
    with tf.GradientTape() as tape:
        features = network.features(colored)
        distance = network.distance(network.features(colored[:, ::-1]), features)
    assert float(tf.reduce_max(features[0])) == 0.0
    np.testing.assert_array_equal(tape.gradient(distance, colored), tf.zeros_like(colored))


@pytest.mark.parametrize("side", [16, 30])
def test_image_that_is_too_small_is_an_input_error(lpips_weights, side):
    with pytest.raises(InputError, match="at least 31 px; received 40 x "):
        LPIPSNetwork(lpips_weights).features(photograph(40)[None, :side])


# --- weights -------------------------------------------------------------------------------------


def one_line_error(path):
    with pytest.raises(InputError) as caught:
        LPIPSNetwork(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize("kind", ["absent", "text", "other arrays", "other shapes"])
def test_invalid_weights_are_a_one_line_error(lpips_weights, tmp_path, kind):
    path = tmp_path / "weights.npz"
    if kind == "text":
        path.write_text("not weights")
    elif kind == "other arrays":
        np.savez(path, a=np.zeros(3))
    elif kind == "other shapes":
        np.savez(path, **{name: array[..., :1] for name, array in np.load(lpips_weights).items()})
    words = "there is no such file" if kind == "absent" else "it cannot be read as the weights of"
    assert one_line_error(path).startswith(f"{path}: {words}")


@pytest.fixture
def downloads(lpips_weights, tmp_path, monkeypatch):
    """Replaces the official files by those of the fixture; returns the hashes asked for."""
    arrays = np.load(lpips_weights)
    alexnet, channels, hashes = {}, {}, []
    for number, layer in enumerate((0, 3, 6, 8, 10)):
        kernel = arrays[f"conv{number + 1}_w"]
        alexnet[f"features.{layer}.weight"] = kernel.transpose(3, 2, 0, 1)
        alexnet[f"features.{layer}.bias"] = arrays[f"conv{number + 1}_b"]
        channels[f"lin{number}.model.1.weight"] = arrays[f"lin{number}"].reshape(1, -1, 1, 1)

    def get_file(origin, file_hash, cache_subdir):
        hashes.append(file_hash)
        return "alexnet" if "alexnet-owt" in origin else "channels"

    files = {"alexnet": alexnet, "channels": channels}
    monkeypatch.setattr(lpips_network, "read_state_dict", files.__getitem__)
    monkeypatch.setattr(keras.utils, "get_file", get_file)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return hashes


def test_official_files_are_converted_once(downloads, lpips_weights, tmp_path):
    images = photograph()[None]
    expected = LPIPSNetwork(lpips_weights).features(images)
    for _ in range(2):
        for level, wanted in zip(LPIPSNetwork().features(images), expected, strict=True):
            np.testing.assert_array_equal(level, wanted)
    assert [len(sha256) for sha256 in downloads] == [64, 64]
    assert os.listdir(tmp_path / "models") == ["lpips_alexnet_v0.1.npz"]


def test_failed_download_says_where_to_put_the_file(tmp_path, monkeypatch):
    def no_network(**options):
        raise Exception("URL fetch failure\non https://...")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(keras.utils, "get_file", no_network)
    name = "alexnet-owt-7be5be79.pth"
    assert f"{name} at {tmp_path}/models/{name}, or give a file" in one_line_error(None)
    assert os.listdir(tmp_path) == []
