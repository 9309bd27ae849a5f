"""The perceptual loss, compared with the first layers of VGG19 in NumPy."""

from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from errors import InputError
from losses.perceptual import Perceptual
from losses.reconstruction import Reconstruction

LAYERS = ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1")
PRETRAINED_WEIGHTS = (
    Path(__file__).parents[3] / "shared" / "pretrained" / "vgg19_block1_to_block3_conv1.npz"
)


@pytest.fixture(scope="module")
def arrays(vgg19_weights):
    """Random weights in the shapes of VGG19, by their names in the .npz file."""
    return dict(np.load(vgg19_weights))


def write_npz(path, arrays):
    np.savez(path, **arrays)
    return path


def write_h5(path, arrays, top="", other_layers=("block4_conv1", "fc1")):
    """Writes weights as Keras 2 did: two arrays per layer, in two nested groups of its name."""
    with h5py.File(path, "w") as file:
        for name in LAYERS:
            file[f"{top}{name}/{name}/kernel:0"] = arrays[f"{name}_w"]
            file[f"{top}{name}/{name}/bias:0"] = arrays[f"{name}_b"]
        for name in other_layers:
            file[f"{top}{name}/{name}/kernel:0"] = np.zeros((2, 2), "float32")
        file.create_group(f"{top}block1_pool")
    return path


@pytest.fixture(scope="module")
def perceptual(vgg19_weights):
    return Perceptual(vgg19_weights)


def images(seed=0, size=9):
    return np.random.default_rng(seed).uniform(0, 1, (2, size, size, 3)).astype("float32")


def convolve(values, kernel, bias):
    padded = np.pad(values, [(0, 0), (1, 1), (1, 1), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.maximum(np.einsum("nhwcij,ijco->nhwo", windows, kernel, optimize=True) + bias, 0.0)


def pool(values):
    count, height, width, channels = values.shape
    even = values[:, : height // 2 * 2, : width // 2 * 2]
    return even.reshape(count, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))


def features(rgb1, arrays):
    """Does what Keras Applications does: BGR minus the mean of ImageNet, then five layers."""
    values = rgb1.astype("float64")[..., ::-1] * 255.0 - [103.939, 116.779, 123.68]
    for name in LAYERS:
        values = convolve(values, arrays[f"{name}_w"], arrays[f"{name}_b"])
        if name in ("block1_conv2", "block2_conv2"):
            values = pool(values)
    return values / 255.0


def test_value_equals_numpy(perceptual, arrays):
    true, colored = images(0), images(1)
    expected = np.abs(features(true, arrays) - features(colored, arrays)).mean()
    assert expected > 0.01
    assert float(perceptual(true, colored)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("top", ["", "model_weights/"])
def test_h5_of_keras_gives_the_same_value_as_npz(perceptual, arrays, tmp_path, top):
    from_h5 = Perceptual(write_h5(tmp_path / "vgg19.h5", arrays, top))
    assert float(from_h5(images(0), images(1))) == float(perceptual(images(0), images(1)))


def test_preprocessing_is_that_of_keras_applications(perceptual):
    expected = keras.applications.vgg19.preprocess_input(images() * 255.0)
    found = perceptual._features(images())
    np.testing.assert_allclose(found, perceptual.network(expected) / 255.0, rtol=1e-4, atol=1e-5)


def test_equal_images_have_no_distance(perceptual):
    assert float(perceptual(images(), images())) == 0.0


def test_images_outside_the_gamut_have_a_finite_distance(perceptual):
    assert np.isfinite(perceptual(images(), images() * 3.0 - 1.0))


def test_network_has_no_trainable_variables(perceptual):
    assert perceptual.network.trainable_variables == []


def test_every_pixel_has_a_gradient_where_only_color_differs(perceptual):
    lightness = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 8, 8, 1)).astype("float32")
    true_ab = np.random.default_rng(1).uniform(-0.3, 0.3, (1, 8, 8, 2)).astype("float32")
    gray = tf.zeros_like(true_ab)
    loss = Reconstruction({"perceptual": 1.0}, perceptual)
    with tf.GradientTape() as tape:
        tape.watch(gray)
        value = loss.terms(lightness, true_ab, gray)["perceptual"]
    gradient = tape.gradient(value, gray).numpy()
    assert float(value) > 0.0
    assert np.isfinite(gradient).all()
    assert (np.abs(gradient).max(axis=-1) > 0.0).all()


def test_gradient_does_not_flow_into_the_true_image(perceptual):
    true, colored = tf.constant(images(0)), tf.constant(images(1))
    with tf.GradientTape() as tape:
        tape.watch(true)
        value = perceptual(true, colored)
    assert tape.gradient(value, true) is None


def absent(path, arrays):
    pass


def folder(path, arrays):
    path.mkdir()


def empty(path, arrays):
    path.write_bytes(b"")


def letter(path, arrays):
    path.write_bytes(b"a letter")


def start_of_a_zip(path, arrays):
    path.write_bytes(b"PK\x03\x04 and no more")


def write(path, arrays):
    (write_npz if path.suffix == ".npz" else write_h5)(path, arrays)


def truncated(path, arrays):
    write(path, arrays)
    path.write_bytes(path.read_bytes()[:100_000])


def other_shape(path, arrays):
    write(path, {**arrays, "block2_conv1_w": np.zeros((3, 3, 64, 64), "float32")})


def other_arrays(path, arrays):
    if path.suffix == ".npz":
        np.savez(path, a=np.zeros(3))
    else:
        with h5py.File(path, "w") as file:
            file["conv2d/kernel:0"] = np.zeros((3, 3, 3, 64))


@pytest.mark.parametrize("name", ["vgg19.npz", "vgg19.h5"])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (absent, "there is no such file"),
        (other_arrays, "block1_conv1"),
        *(
            (make, "cannot be read as VGG19's weights")
            for make in (folder, empty, letter, start_of_a_zip, truncated, other_shape)
        ),
    ],
)
def test_file_without_the_weights_is_a_one_line_error(arrays, tmp_path, name, make, words):
    make(tmp_path / name, arrays)
    with pytest.raises(InputError) as error:
        Perceptual(tmp_path / name)
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith(f"{tmp_path / name}: ")
    assert words in message


def test_weights_that_cannot_be_downloaded_are_an_input_error(monkeypatch):
    def no_network(*args, **options):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.utils, "get_file", no_network)
    with pytest.raises(InputError, match=r"put https://\S+\.h5 at .*/vgg19_\S+\.h5, or give"):
        Perceptual()


def test_weights_in_the_keras_cache_are_found(arrays, tmp_path, monkeypatch):
    path = write_h5(tmp_path / "vgg19.h5", arrays)
    monkeypatch.setattr(keras.utils, "get_file", lambda *args, **options: str(path))
    assert float(Perceptual()(images(), images())) == 0.0


@pytest.mark.skipif(not PRETRAINED_WEIGHTS.exists(), reason=f"there is no {PRETRAINED_WEIGHTS}")
def test_pretrained_weights_detect_missing_color():
    perceptual = Perceptual(PRETRAINED_WEIGHTS)
    colored = np.zeros((1, 32, 32, 3), "float32") + np.array([0.8, 0.3, 0.2], "float32")
    gray = np.full_like(colored, 0.45)
    half_gray = 0.5 * (colored + gray)
    assert float(perceptual(colored, colored)) == 0.0
    assert float(perceptual(colored, gray)) > float(perceptual(colored, half_gray)) > 0.01
