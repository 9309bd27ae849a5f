"""The teacher: its class distributions, its precision, and the choice of its network."""

import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax
from skimage import color

from errors import InputError
from models.teacher import Teacher, find_application

LIGHTNESS = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)).astype("float32")


def gray_rgb255(lightness):
    """The gray images of scikit-image for a lightness, in [0, 255]."""
    lab100 = np.concatenate([50.0 * (lightness + 1.0), np.zeros((*lightness.shape[:-1], 2))], -1)
    return 255.0 * color.lab2rgb(lab100)


def logits_of(teacher_name, lightness):
    """The logits of the tiny classifier of this name, without the teacher."""
    network = find_tiny(teacher_name)("imagenet", None)
    return network(gray_rgb255(lightness) / 127.5 - 1.0).numpy()


def find_tiny(name):
    return sys.modules["models.teacher"].find_application(name)


@pytest.fixture(scope="module")
def mobilenet(tmp_path_factory):
    """A MobileNetV2 with random weights whose output depends on the image, and its file."""
    keras.utils.set_random_seed(3)
    network = keras.applications.MobileNetV2(weights=None)
    # With the initial moving statistics the features vanish with depth: the softmax is flat.
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(np.random.default_rng(4).uniform(-1, 1, (4, 224, 224, 3)), training=True)
    path = tmp_path_factory.mktemp("teacher") / "mobilenet.weights.h5"
    network.save_weights(path)
    return network, str(path)


# --- inputs and outputs --------------------------------------------------------------------------


def test_rows_are_distributions_over_all_classes(tiny_teachers):
    teacher = Teacher("vgg16")
    rows = teacher(LIGHTNESS).numpy()
    assert tiny_teachers == ["vgg16"]
    assert (teacher.classes, teacher.class_numbers) == (1000, None)
    assert (rows.shape, rows.dtype) == ((3, 1000), np.float32)
    np.testing.assert_allclose(rows.sum(axis=-1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(
        rows, softmax(logits_of("vgg16", LIGHTNESS), axis=-1), rtol=2e-3, atol=1e-6
    )


def test_rows_over_chosen_classes_sum_to_one_in_the_order_of_the_dataset(tiny_teachers):
    numbers = np.array([700, 2, 999, 31])
    teacher = Teacher("vgg16", class_numbers=numbers)
    rows = teacher(LIGHTNESS).numpy()
    assert (teacher.classes, teacher.class_numbers) == (4, (700, 2, 999, 31))
    np.testing.assert_allclose(rows.sum(axis=-1), 1.0, rtol=1e-5)
    # The softmax over the chosen classes, column by column.
    exponentials = np.exp(logits_of("vgg16", LIGHTNESS))
    total = sum(exponentials[:, number] for number in (700, 2, 999, 31))
    for column, number in enumerate((700, 2, 999, 31)):
        np.testing.assert_allclose(rows[:, column], exponentials[:, number] / total, rtol=2e-3)


def test_network_of_keras_receives_the_gray_image_as_keras_prepares_it(mobilenet):
    network, path = mobilenet
    lightness = np.random.default_rng(1).uniform(-1, 1, (2, 224, 224, 1)).astype("float32")
    lightness[1] *= np.linspace(0, 1, 224, dtype="float32")[:, None]
    teacher = Teacher("mobilenet_v2", path, class_numbers=[5, 3, 400])
    prepared = keras.applications.mobilenet_v2.preprocess_input(gray_rgb255(lightness))
    # The network's own softmax is over all classes: scale the chosen ones to a sum of 1.
    chosen = network(prepared.astype("float32")).numpy()[:, [5, 3, 400]].astype("float64")
    expected = chosen / chosen.sum(axis=-1, keepdims=True)
    assert np.ptp(expected, axis=-1).min() > 0.05
    np.testing.assert_allclose(teacher(lightness), expected, rtol=0.02, atol=1e-4)


@pytest.mark.parametrize("size", [(8, 8), (24, 24), (5, 13)])
def test_network_receives_gray_images_of_its_own_size(tiny_teachers, monkeypatch, size):
    received = []
    module = sys.modules[find_tiny("vgg16").__module__]
    prepare = module.preprocess_input
    monkeypatch.setattr(
        module, "preprocess_input", lambda rgb: received.append(rgb) or prepare(rgb)
    )
    lightness = np.random.default_rng(2).uniform(-1, 1, (2, *size, 1)).astype("float32")
    Teacher("vgg16")(lightness)
    [rgb255] = received
    assert rgb255.shape == (2, 8, 8, 3)
    np.testing.assert_array_equal(rgb255[..., 0], rgb255[..., 1])
    np.testing.assert_array_equal(rgb255[..., 0], rgb255[..., 2])
    assert np.ptp(rgb255) > 20.0
    assert np.min(rgb255) >= 0.0
    assert np.max(rgb255) <= 255.0
    if size == (8, 8):
        np.testing.assert_allclose(rgb255, gray_rgb255(lightness), atol=0.1)


def test_no_gradient_flows_through_the_teacher(tiny_teachers):
    lightness = tf.constant(LIGHTNESS)
    with tf.GradientTape() as tape:
        tape.watch(lightness)
        rows = Teacher("vgg16")(lightness)
    assert tape.gradient(rows, lightness) is None


# --- precision -----------------------------------------------------------------------------------


def test_teacher_computes_in_float32_and_restores_the_precision_policy(tiny_teachers):
    exact = Teacher("vgg16")(LIGHTNESS)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    teacher = Teacher("vgg16")
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    np.testing.assert_array_equal(teacher(LIGHTNESS), exact)


def test_precision_policy_is_restored_if_loading_fails(tiny_teachers, tmp_path):
    (tmp_path / "bad.weights.h5").write_bytes(b"no weights")
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    for path in ("absent.weights.h5", tmp_path / "bad.weights.h5"):
        with pytest.raises(InputError):
            Teacher("vgg16", path)
        assert keras.config.dtype_policy().name == "mixed_bfloat16"


# --- which network -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spellings", "application"),
    [
        (("vgg16", "VGG16", "vgg_16"), "VGG16"),
        (("mobilenet_v2", "MobileNetV2", "mobilenetv2", "MOBILENET_V2"), "MobileNetV2"),
        (("efficientnet_v2_b0", "EfficientNetV2B0"), "EfficientNetV2B0"),
        (("resnet50", "ResNet50"), "ResNet50"),
    ],
)
def test_names_are_known_in_any_spelling(spellings, application):
    for spelling in spellings:
        assert find_application(spelling) is getattr(keras.applications, application)


def test_every_network_has_a_function_that_prepares_images():
    names = [name for name in vars(keras.applications) if name[0].isupper()]
    assert len(names) > 30
    for name in names:
        assert callable(sys.modules[find_application(name).__module__].preprocess_input)


@pytest.mark.parametrize(
    ("name", "red"),
    [
        # Blue, green, red, with ImageNet's mean subtracted.
        ("vgg16", (-103.939, -116.779, 255.0 - 123.68)),
        ("resnet50", (-103.939, -116.779, 255.0 - 123.68)),
        ("mobilenet_v2", (1.0, -1.0, -1.0)),
        ("inception_v3", (1.0, -1.0, -1.0)),
        # These networks prepare their images inside.
        ("efficientnet_b0", (255.0, 0.0, 0.0)),
        ("mobilenet_v3_small", (255.0, 0.0, 0.0)),
    ],
)
def test_images_are_prepared_as_in_the_training_of_each_network(name, red):
    preprocess = sys.modules[find_application(name).__module__].preprocess_input
    found = preprocess(np.array([[[[255.0, 0.0, 0.0]]]], "float32"))
    np.testing.assert_allclose(np.ravel(found), red, rtol=1e-5)


def test_network_of_any_size_receives_images_of_224_px(tmp_path):
    path = tmp_path / "teacher.weights.h5"
    keras.applications.MobileNetV3Small(weights=None).save_weights(path)
    teacher = Teacher("mobilenet_v3_small", path)
    assert teacher.side == 224
    assert teacher(LIGHTNESS).shape == (3, 1000)


def refusal(*arguments):
    """The one-line error message of a teacher with these arguments."""
    with pytest.raises(InputError) as caught:
        Teacher(*arguments)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize("name", ["vgg17", "", "imagenet_utils", "keras"])
def test_unknown_name_is_a_one_line_error(name):
    message = refusal(name)
    assert message.startswith("there is no such network in keras.applications; give vgg16, mobile")
    assert message.endswith(f"Received: `name={name!r}`")


def test_missing_file_is_a_one_line_error(tmp_path):
    path = str(tmp_path / "absent.weights.h5")
    assert refusal("mobilenet", path) == (
        f"{path}: there is no such file; give the weights of mobilenet with its classifier"
    )


@pytest.mark.parametrize("kind", ["another network", "without a classifier", "no weights"])
def test_file_of_other_content_is_a_one_line_error(tmp_path, recwarn, kind):
    path = str(tmp_path / "other.weights.h5")
    if kind == "no weights":
        (tmp_path / "other.weights.h5").write_text("hello")
    elif kind == "another network":
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    else:
        keras.applications.MobileNet(weights=None, include_top=False).save_weights(path)
    assert refusal("mobilenet", path).startswith(
        f"{path}: these are not the weights of mobilenet with its classifier ("
    )
    # Keras warns of every layer that does not fit.
    assert [warning for warning in recwarn if warning.category is UserWarning] == []


def test_weights_that_cannot_be_downloaded_are_a_one_line_error(tmp_path, monkeypatch):
    def no_network(*args, **options):
        raise Exception("URL fetch failure\non https://storage.googleapis.com")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    # The networks of Keras call `get_file` through this module.
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", no_network)
    message = refusal("mobilenet_v2")
    assert message.startswith(
        "the ImageNet weights of mobilenet_v2 cannot be downloaded (URL fetch failure"
    )
    assert message.endswith("give the path of a file")
