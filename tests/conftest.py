"""What all tests share: a quiet TensorFlow, and float32 unless a test says otherwise."""

import gc
import os
import zlib

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def pytest_collection_finish():
    """Leaves what was imported out of garbage collection: it took a seventh of the tests' time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _float32():
    """Puts back the precision that a job may have set for the whole process."""
    import keras

    keras.mixed_precision.set_global_policy("float32")
    yield
    keras.mixed_precision.set_global_policy("float32")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, which relative paths belong to."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def without_graphs(request):
    """A few steps of a tiny model take less time than tracing one; some tests want the graph."""
    import tensorflow as tf

    tf.config.run_functions_eagerly("in_a_graph" not in request.keywords)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def lpips_weights(tmp_path_factory):
    """A file of weights for LPIPS, of the right shapes and of no meaning."""
    shapes = [(11, 11, 3, 64), (5, 5, 64, 192), (3, 3, 192, 384), (3, 3, 384, 256)]
    shapes.append((3, 3, 256, 256))
    random = np.random.default_rng(0)
    arrays = {}
    for number, shape in enumerate(shapes):
        arrays[f"conv{number + 1}_w"] = random.normal(0, 0.05, shape).astype("float32")
        arrays[f"conv{number + 1}_b"] = random.normal(0, 0.05, shape[-1]).astype("float32")
        arrays[f"lin{number}"] = random.uniform(0, 1, shape[-1]).astype("float32")
    path = tmp_path_factory.mktemp("lpips") / "weights.npz"
    np.savez(path, **arrays)
    return str(path)


def preprocess_input(rgb255):
    """Of the tiny classifiers below, as each module of keras.applications has one."""
    return rgb255 / 127.5 - 1.0


@pytest.fixture
def tiny_teachers(monkeypatch):
    """Has a tiny classifier of images of 8 px in place of every network of keras.applications.

    Its weights depend on its name. Returned is the list of the names that were asked for.
    """
    import keras

    names = []

    def find_application(name):
        def application(weights, classifier_activation):
            initializer = keras.initializers.RandomNormal(0.0, 0.2, seed=zlib.crc32(name.encode()))
            images = keras.Input((8, 8, 3))
            logits = keras.layers.Dense(
                1000, activation=classifier_activation, kernel_initializer=initializer
            )(keras.layers.Flatten()(images))
            network = keras.Model(images, logits)
            if weights != "imagenet":
                network.load_weights(weights)
            return network

        names.append(name)
        return application

    monkeypatch.setattr("models.teacher.find_application", find_application)
    return names


@pytest.fixture
def tiny_encoder(monkeypatch):
    """Has five tiny convolutions in place of VGG16 where a generator begins with it."""
    import keras

    from models.networks.encoder_recipes import ENCODERS, EncoderRecipe

    names = tuple(f"half_{number}" for number in range(1, 6))

    def build(include_top, weights, input_shape):
        features = images = keras.Input((None, None, 3))
        for name in names:
            features = keras.layers.Conv2D(4, 3, 2, "same", activation="relu", name=name)(features)
        return keras.Model(images, features)

    monkeypatch.setattr(keras.applications, "Tiny", build, raising=False)
    monkeypatch.setitem(ENCODERS, "vgg16", EncoderRecipe("Tiny", names, "signed"))
