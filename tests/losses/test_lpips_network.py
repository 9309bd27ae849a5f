"""The gradients and errors of the LPIPS network; its values are tested with the metric."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from skimage import data

from errors import InputError
from losses.lpips_network import LPIPSNetwork


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


@pytest.mark.parametrize("kind", ["absent", "text", "other arrays", "other shapes"])
def test_invalid_weights_are_a_one_line_error(lpips_weights, tmp_path, kind):
    path = tmp_path / "weights.npz"
    if kind == "text":
        path.write_text("not weights")
    elif kind == "other arrays":
        np.savez(path, a=np.zeros(3))
    elif kind == "other shapes":
        np.savez(path, **{name: array[..., :1] for name, array in np.load(lpips_weights).items()})
    with pytest.raises(InputError) as caught:
        LPIPSNetwork(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("side", [16, 30])
def test_image_that_is_too_small_is_an_input_error(lpips_weights, side):
    with pytest.raises(InputError, match="at least 31 px; received 40 x "):
        LPIPSNetwork(lpips_weights).features(photograph(40)[None, :side])
