"""Fixtures and settings of all tests, such as float32 unless a test sets another precision."""

import contextlib
import gc
import os
import zlib

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Tiny operations are a fifth faster on one thread, and there is a process for each core.
for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")


def pytest_collection_finish():
    """Makes garbage collection rare, and excludes imported objects: it took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(autouse=True, scope="session")
def _cache_of_the_tests(tmp_path_factory):
    """Keeps the user's cache out of the tests, and the tests out of the user's cache."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        # Shared by the processes of pytest-xdist, because preparing a network takes seconds.
        folder = folder.parent
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
            monkeypatch.setenv(name, str(folder / "cache"))
        # The networks of all tests, each of which takes a second or more to prepare.
        monkeypatch.setattr("inference.generator_cache.MOST_FILES", 100)
        yield


@pytest.fixture(autouse=True)
def _float32():
    """Resets the precision policy, which a job may have set for the whole process."""
    import keras

    keras.mixed_precision.set_global_policy("float32")
    yield
    keras.mixed_precision.set_global_policy("float32")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Changes to an empty working folder and returns it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def without_values():
    """Returns a context in which the weights of networks get no values, for counting them."""
    import keras

    @contextlib.contextmanager
    def context():
        with keras.StatelessScope(initialize_variables=False):
            yield
        # Keras would give values to the weights at the end of the next scope.
        keras.utils.clear_session()

    return context


@pytest.fixture
def without_graphs(request):
    """Runs functions eagerly, unless the test has the marker `in_a_graph`.

    A few eager steps of a tiny model take less time than tracing it.
    """
    import tensorflow as tf

    tf.config.run_functions_eagerly("in_a_graph" not in request.keywords)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def lpips_weights(tmp_path_factory):
    """The path of a file of LPIPS weights with the right shapes and random values."""
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


@pytest.fixture(scope="session")
def vgg19_weights(tmp_path_factory):
    """The path of a file of VGG19's first weights with the right shapes and random values."""
    channels = {
        "block1_conv1": (3, 64),
        "block1_conv2": (64, 64),
        "block2_conv1": (64, 128),
        "block2_conv2": (128, 128),
        "block3_conv1": (128, 256),
    }
    random = np.random.default_rng(0)
    arrays = {}
    for name, (inputs, outputs) in channels.items():
        scale = np.sqrt(2.0 / (9 * inputs))
        arrays[f"{name}_w"] = random.normal(0, scale, (3, 3, inputs, outputs)).astype("float32")
        arrays[f"{name}_b"] = random.normal(0, 0.1, outputs).astype("float32")
    path = tmp_path_factory.mktemp("vgg19") / "weights.npz"
    np.savez(path, **arrays)
    return str(path)


@pytest.fixture(scope="session")
def feature_network(tmp_path_factory):
    """The path of a network for FID and KID, whose features are the mean color in [0, 1]."""
    import keras

    inputs = keras.Input((None, None, 3))
    scaled = keras.layers.Rescaling(1 / 255)(inputs)
    path = str(tmp_path_factory.mktemp("features") / "mean color.keras")
    keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(scaled)).save(path)
    return path


def preprocess_input(rgb255):
    """Preprocesses images for the tiny classifiers below.

    The teacher looks it up in the module of its network, as in keras.applications.
    """
    return rgb255 / 127.5 - 1.0


@pytest.fixture
def tiny_teachers(monkeypatch):
    """Replaces every network of keras.applications with a tiny classifier of images of 8 px.

    The weights of a classifier depend on its name. Returns the list of the requested names.
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
    """Replaces VGG16 as the encoder of a generator with five tiny convolutions."""
    import keras

    from models.networks.encoder_recipes import ENCODERS, EncoderRecipe

    names = tuple(f"half_{number}" for number in range(1, 6))

    def build(include_top=False, weights=None, input_shape=None):
        features = images = keras.Input((None, None, 3))
        for name in names:
            features = keras.layers.Conv2D(4, 3, 2, "same", activation="relu", name=name)(features)
        return keras.Model(images, features)

    monkeypatch.setattr(keras.applications, "Tiny", build, raising=False)
    monkeypatch.setitem(ENCODERS, "vgg16", EncoderRecipe("Tiny", names, "signed"))


@pytest.fixture
def tiny_normalized_encoder(monkeypatch):
    """As `tiny_encoder`, with batch normalization after each convolution."""
    import keras

    from models.networks.encoder_recipes import ENCODERS, EncoderRecipe

    names = tuple(f"half_{number}" for number in range(1, 6))

    def build(include_top=False, weights=None, input_shape=None):
        layers = keras.layers
        features = images = keras.Input((None, None, 3))
        for name in names:
            features = layers.Conv2D(4, 3, 2, "same", activation="relu")(features)
            features = layers.BatchNormalization(name=name)(features)
        return keras.Model(images, features)

    monkeypatch.setattr(keras.applications, "Tiny", build, raising=False)
    monkeypatch.setitem(ENCODERS, "vgg16", EncoderRecipe("Tiny", names, "signed"))
