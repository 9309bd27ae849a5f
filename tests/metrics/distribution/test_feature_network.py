"""A feature network is read from a file, or downloaded by Keras."""

import keras
import numpy as np
import pytest

from errors import InputError
from metrics.distribution.feature_network import FeatureNetwork


def images(size=12, count=3):
    return np.random.default_rng(0).uniform(0, 1, (count, size, size, 3)).astype("float32")


def saved_network(folder, inputs, outputs):
    path = folder / "features.keras"
    keras.Model(inputs, outputs).save(path)
    return path


def test_network_of_a_file_receives_images_from_0_to_255(tmp_path):
    inputs = keras.Input((None, None, 3))
    path = saved_network(tmp_path, inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    network = FeatureNetwork(path)
    features, classes = network(images())
    np.testing.assert_allclose(features, 255.0 * images().mean(axis=(1, 2)), rtol=1e-5)
    assert classes is None
    assert network.name == "features"
    assert not network.has_classes


def test_features_are_averaged_over_positions(tmp_path):
    inputs = keras.Input((None, None, 3))
    path = saved_network(tmp_path, inputs, keras.layers.Rescaling(2.0)(inputs))
    features, _ = FeatureNetwork(path)(images())
    np.testing.assert_allclose(features, 510.0 * images().mean(axis=(1, 2)), rtol=1e-5)


def test_images_are_resized_to_the_input_size_of_the_network(tmp_path):
    inputs = keras.Input((4, 4, 3))
    path = saved_network(tmp_path, inputs, keras.layers.Flatten()(inputs))
    features, _ = FeatureNetwork(path)(images(size=12))
    assert features.shape == (3, 48)
    assert 0 < features.min() < features.max() < 255


def test_inception_returns_features_and_classes(monkeypatch):
    # The weights are not downloaded in tests: random ones have the same shapes.
    build = keras.applications.InceptionV3
    requested = []

    def without_weights(weights):
        requested.append(weights)
        return build(weights=None)

    monkeypatch.setattr(keras.applications, "InceptionV3", without_weights)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    network = FeatureNetwork()
    features, classes = network(images(count=2))
    assert requested == ["imagenet"]
    assert network.name == "Keras' InceptionV3, ImageNet"
    assert features.shape == (2, 2048)
    assert features.dtype == np.float32
    np.testing.assert_allclose(classes.sum(axis=1), 1.0, rtol=1e-5)
    assert keras.mixed_precision.global_policy().name == "mixed_bfloat16"


def one_line(caught):
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_inception_that_cannot_be_downloaded_raises_an_error_with_the_path_of_its_weights(
    monkeypatch, tmp_path
):
    def no_network(weights):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "InceptionV3", no_network)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(InputError) as caught:
        FeatureNetwork()
    path = f"{tmp_path}/models/inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
    assert f"put inception_v3_weights_tf_dim_ordering_tf_kernels.h5 at {path}" in one_line(caught)


@pytest.mark.parametrize("name", ["absent.h5", "text.h5", "absent.keras", "text.keras"])
def test_a_file_without_a_network_raises_a_one_line_error(tmp_path, name):
    if name.startswith("text"):
        (tmp_path / name).write_text("not a network")
    with pytest.raises(InputError) as caught:
        FeatureNetwork(tmp_path / name)
    assert one_line(caught).startswith(f"--feature_network {tmp_path / name}: ")


def test_network_that_does_not_take_color_images_is_rejected(tmp_path):
    inputs = keras.Input((8, 8, 1))
    path = saved_network(tmp_path, inputs, keras.layers.Flatten()(inputs))
    with pytest.raises(InputError) as caught:
        FeatureNetwork(path)
    assert "should take square color images" in one_line(caught)


def test_network_with_two_outputs_is_rejected(tmp_path):
    inputs = keras.Input((8, 8, 3))
    path = saved_network(tmp_path, inputs, [keras.layers.Flatten()(inputs), inputs])
    with pytest.raises(InputError) as caught:
        FeatureNetwork(path)
    assert "should take square color images and return features" in one_line(caught)
