"""Layers that resize features bilinearly, compared with scikit-image."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from skimage.transform import resize

from models.layers.resizing import EnlargeToAtLeast, ResizeLike, enlarge_squares, mean_of_squares


def random(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def resized_by_skimage(features, size):
    """Resizes every image of a batch in float64, without anti-aliasing."""
    images = [
        resize(image.astype("float64"), size, order=1, mode="edge", anti_aliasing=False)
        for image in features
    ]
    return np.stack(images)


def network(layer, *channels):
    """A model of the layer alone, for features of unknown size."""
    inputs = [keras.Input((None, None, each)) for each in channels]
    inputs = inputs if len(inputs) > 1 else inputs[0]
    return keras.Model(inputs, layer(inputs))


def in_a_graph(layer, channels=(3, 1)):
    """The layer in a graph of unknown batch size, height and width."""
    signature = [tf.TensorSpec((None, None, None, each), tf.float32) for each in channels]
    call = tf.function(lambda *inputs: layer(inputs if len(inputs) > 1 else inputs[0]), signature)

    def checked(*inputs):
        # One graph accepts all sizes.
        result = call(*inputs)
        assert call.experimental_get_tracing_count() == 1
        return result

    return checked


# --- ResizeLike ----------------------------------------------------------------------------------


def test_a_row_twice_as_wide_by_hand():
    # The centers of the new pixels are at -1/4, 1/4, 3/4 and 5/4 of the old; values outside the
    # old centers are those of the border.
    row = np.array([0.0, 4.0], "float32").reshape(1, 1, 2, 1)
    resized = ResizeLike()([row, np.zeros((1, 1, 4, 1), "float32")])
    np.testing.assert_allclose(np.ravel(resized), [0.0, 1.0, 3.0, 4.0])


@pytest.mark.parametrize("size", [(6, 10), (3, 5), (2, 4), (1, 1), (7, 4), (16, 5)])
def test_resizes_to_the_reference_as_skimage_does(size):
    features = random(2, 3, 5, 4)
    resized = ResizeLike()([features, np.zeros((2, *size, 1), "float32")])
    assert resized.shape == (2, *size, 4)
    np.testing.assert_allclose(resized, resized_by_skimage(features, size), atol=1e-5)


def test_features_of_the_right_size_are_unchanged():
    features = random(2, 3, 5, 4)
    np.testing.assert_array_equal(ResizeLike()([features, features[..., :1]]), features)


@pytest.mark.parametrize("size", [(6, 10), (2, 9)])
def test_output_size_is_known_if_the_size_of_the_reference_is(size):
    layer = ResizeLike()
    shapes = [(None, 3, 5, 4), (None, *size, 1)]
    assert layer.compute_output_shape(shapes) == (None, *size, 4)
    symbolic = layer([keras.Input(shape[1:]) for shape in shapes])
    assert symbolic.shape == (None, *size, 4)
    assert network(layer, 4, 1).output_shape == (None, None, None, 4)


def test_resizes_to_the_reference_in_a_graph_of_unknown_sizes():
    call = in_a_graph(ResizeLike())
    for size, other in (((3, 5), (6, 9)), ((8, 2), (3, 3)), ((1, 1), (4, 2))):
        features, reference = random(2, *size, 3), random(2, *other, 1)
        np.testing.assert_allclose(
            call(features, reference), resized_by_skimage(features, other), atol=1e-5
        )


# --- EnlargeToAtLeast ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "enlarged"),
    [
        ((4, 4), (8, 8)),
        ((4, 6), (8, 12)),
        ((6, 4), (12, 8)),
        # 8/3 of 5 is 13.3. Sizes are rounded up, so that none is too small.
        ((3, 5), (8, 14)),
        ((1, 1), (8, 8)),
        ((1, 7), (8, 56)),
        ((30, 7), (35, 8)),
    ],
)
def test_small_images_are_enlarged_with_their_proportions(size, enlarged):
    layer = EnlargeToAtLeast(8)
    images = random(2, *size, 3)
    larger = layer(images)
    np.testing.assert_allclose(larger, resized_by_skimage(images, enlarged), atol=1e-5)
    assert layer.compute_output_shape(images.shape) == (2, *enlarged, 3)
    assert layer(keras.Input((*size, 3))).shape == (None, *enlarged, 3)


@pytest.mark.parametrize("size", [(8, 8), (8, 9), (31, 8), (50, 11)])
def test_large_images_are_unchanged(size):
    layer = EnlargeToAtLeast(8)
    images = random(2, *size, 3)
    np.testing.assert_array_equal(layer(images), images)
    assert layer.compute_output_shape(images.shape) == (2, *size, 3)


def test_small_images_are_enlarged_in_a_graph_of_unknown_sizes():
    call = in_a_graph(EnlargeToAtLeast(8), channels=(3,))
    for size, enlarged in (((3, 5), (8, 14)), ((30, 7), (35, 8)), ((1, 1), (8, 8))):
        images = random(2, *size, 3)
        np.testing.assert_allclose(call(images), resized_by_skimage(images, enlarged), atol=1e-5)
    for size in ((8, 8), (9, 31)):
        images = random(2, *size, 3)
        np.testing.assert_array_equal(call(images), images)


@pytest.mark.parametrize("sides", [(None, 5), (3, None)])
def test_one_unknown_side_makes_both_output_sides_unknown(sides):
    layer = EnlargeToAtLeast(8)
    assert layer.compute_output_shape((None, *sides, 3)) == (None, None, None, 3)
    call = tf.function(layer, [tf.TensorSpec((None, *sides, 3), tf.float32)])
    images = random(1, 3, 5, 3)
    np.testing.assert_allclose(call(images), resized_by_skimage(images, (8, 14)), atol=1e-5)


def test_every_image_has_the_minimum_size_and_is_hardly_distorted():
    call = in_a_graph(EnlargeToAtLeast(75), channels=(1,))
    for height, width in np.random.default_rng(1).integers(1, 90, (40, 2)):
        larger = call(np.zeros((1, height, width, 1), "float32")).shape[1:3]
        assert min(larger) == max(75, min(height, width))
        factor = min(larger) / min(height, width)
        assert larger[0] - height * factor < 1
        assert larger[1] - width * factor < 1


# --- both layers ---------------------------------------------------------------------------------


LAYERS = [
    (ResizeLike(), [(1, 2, 3, 4), (1, 5, 4, 1)]),
    (EnlargeToAtLeast(8), [(1, 2, 3, 4)]),
]


def one_or_list(inputs):
    return inputs if len(inputs) > 1 else inputs[0]


def own_arguments(layer):
    return set(layer.get_config()) - set(keras.layers.Layer().get_config())


@pytest.mark.parametrize(("layer", "shapes"), LAYERS, ids=lambda each: type(each).__name__)
def test_half_precision_stays_half(layer, shapes):
    half = type(layer).from_config({**layer.get_config(), "dtype": "bfloat16"})
    inputs = [random(*shape) for shape in shapes]
    resized = half(one_or_list([tf.cast(each, "bfloat16") for each in inputs]))
    assert resized.dtype == tf.bfloat16
    expected = layer(one_or_list(inputs))
    assert expected.dtype == tf.float32
    np.testing.assert_allclose(tf.cast(resized, "float32"), expected, atol=0.03)


@pytest.mark.parametrize(("layer", "shapes"), LAYERS, ids=lambda each: type(each).__name__)
def test_symbolic_outputs_are_in_half_precision_under_a_mixed_policy(layer, shapes):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    mixed = type(layer)(**{name: getattr(layer, name) for name in own_arguments(layer)})
    symbolic = mixed(one_or_list([keras.Input(shape[1:]) for shape in shapes]))
    actual = mixed(one_or_list([random(*shape) for shape in shapes]))
    assert symbolic.dtype == "bfloat16"
    assert actual.dtype == tf.bfloat16
    assert actual.shape == (1, *symbolic.shape[1:])


@pytest.mark.parametrize(("layer", "shapes"), LAYERS, ids=lambda each: type(each).__name__)
def test_gradients_reach_every_pixel(layer, shapes):
    inputs = [tf.constant(random(*shape)) for shape in shapes]
    with tf.GradientTape() as tape:
        tape.watch(inputs[0])
        total = tf.reduce_sum(layer(one_or_list(inputs)))
    gradient = tape.gradient(total, inputs[0])
    assert gradient.shape == shapes[0]
    # Adding 1 to all pixels of the input adds 1 to all pixels of the output.
    assert float(tf.reduce_sum(gradient)) == pytest.approx(
        float(tf.size(layer(one_or_list(inputs)))), rel=1e-5
    )


@pytest.mark.parametrize(("layer", "shapes"), LAYERS, ids=lambda each: type(each).__name__)
def test_config_round_trip(layer, shapes):
    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert copy.name == layer.name
    for name in own_arguments(layer):
        assert getattr(copy, name) == getattr(layer, name)
    inputs = one_or_list([random(*shape) for shape in shapes])
    np.testing.assert_array_equal(copy(inputs), layer(inputs))
    assert copy.weights == []


# --- means of squares ----------------------------------------------------------------------------


def test_means_of_squares_are_those_of_numpy():
    image = random(2, 8, 12, 3)
    expected = image.reshape(2, 2, 4, 3, 4, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(mean_of_squares(image, 4), expected, atol=1e-6)


def test_means_of_squares_stay_in_float32_under_a_mixed_policy():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    image = random(1, 8, 8, 2)
    means = mean_of_squares(tf.constant(image), 4)
    assert means.dtype == tf.float32
    assert enlarge_squares(means, 4, (8, 8)).dtype == tf.float32
    np.testing.assert_allclose(means, image.reshape(1, 2, 4, 2, 4, 2).mean(axis=(2, 4)), atol=1e-6)


def test_the_last_square_is_filled_with_the_last_row_and_column():
    image = random(1, 5, 7, 2)
    padded = np.pad(image, ((0, 0), (0, 3), (0, 1), (0, 0)), mode="edge")
    np.testing.assert_allclose(mean_of_squares(image, 4), mean_of_squares(padded, 4), atol=1e-6)


@pytest.mark.parametrize("size", [(8, 12), (5, 7), (1, 1)])
def test_enlarged_squares_have_the_size_that_is_asked_for(size):
    means = mean_of_squares(np.full((1, *size, 2), 0.3, "float32"), 4)
    enlarged = enlarge_squares(means, 4, size)
    assert enlarged.shape == (1, *size, 2)
    np.testing.assert_allclose(enlarged, 0.3, atol=1e-6)


def test_a_gradient_comes_back_at_the_same_position():
    # Between the centers of the outer squares: beyond them nothing is known.
    ramp = np.arange(16, dtype="float32")[None, None, :, None] + np.zeros((1, 16, 1, 1), "float32")
    enlarged = enlarge_squares(mean_of_squares(ramp, 4), 4, (16, 16))
    np.testing.assert_allclose(enlarged[0, :, 2:14], ramp[0, :, 2:14], atol=1e-5)
