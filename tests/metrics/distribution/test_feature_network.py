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

    monkeypatch.setattr(keras.utils, "get_file", lambda **options: __file__)
    monkeypatch.setattr(keras.applications, "InceptionV3", without_weights)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    network = FeatureNetwork()
    features, classes = network(images(count=2))
    assert requested == [__file__]
    assert network.name == "Keras' InceptionV3, ImageNet"
    assert features.shape == (2, 2048)
    assert features.dtype == np.float32
    np.testing.assert_allclose(classes.sum(axis=1), 1.0, rtol=1e-5)
    assert keras.mixed_precision.global_policy().name == "mixed_bfloat16"


def one_line_error(path):
    with pytest.raises(InputError) as caught:
        FeatureNetwork(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_inception_that_cannot_be_downloaded_raises_an_error_with_the_path_of_its_weights(
    monkeypatch, tmp_path
):
    def no_network(**options):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.utils, "get_file", no_network)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    name = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
    assert f"{name} at {tmp_path}/models/{name}, or give a file" in one_line_error(None)


@pytest.mark.parametrize("name", ["text.h5", "text.keras"])
def test_a_file_without_a_network_raises_a_one_line_error(tmp_path, name, monkeypatch):
    # Inception takes seconds to build.
    monkeypatch.setattr(keras.applications, "InceptionV3", keras.saving.load_model)
    assert "there is no such file" in one_line_error(tmp_path / name)
    (tmp_path / name).write_text("not a network")
    assert one_line_error(tmp_path / name).startswith(f"{tmp_path / name}: it cannot be read as ")


@pytest.mark.parametrize(("channels", "outputs"), [(1, 1), (3, 2)])
def test_network_of_other_inputs_or_outputs_is_rejected(tmp_path, channels, outputs):
    inputs = keras.Input((8, 8, channels))
    path = saved_network(tmp_path, inputs, [keras.layers.Flatten()(inputs), inputs][:outputs])
    assert "should take square color images and return features" in one_line_error(path)
