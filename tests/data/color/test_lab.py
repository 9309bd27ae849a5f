"""The conversions between sRGB and Lab agree with scikit-image and have useful gradients."""

import numpy as np
import pytest
import tensorflow as tf
from skimage import color

from data.color import lab
from tests.colors import amount_outside, lab_outside_the_gamut, rgb_cube


@tf.function
def gradient_of_squared_distance(lab100, target_rgb1):
    with tf.GradientTape() as tape:
        tape.watch(lab100)
        distance = tf.reduce_sum((lab.lab100_to_unclipped_rgb1(lab100) - target_rgb1) ** 2)
    return tape.gradient(distance, lab100)


def after_a_small_step(lab100, gradient, length=0.01):
    return lab100 - length * gradient / tf.norm(gradient, axis=-1, keepdims=True)


def test_rgb_to_lab_equals_skimage_over_the_cube():
    rgb1 = rgb_cube()
    np.testing.assert_allclose(lab.rgb1_to_lab100(rgb1), color.rgb2lab(rgb1), rtol=0, atol=1e-3)


def test_lab_to_rgb_equals_skimage_over_the_cube():
    lab100 = color.rgb2lab(rgb_cube())
    np.testing.assert_allclose(lab.lab100_to_rgb1(lab100), color.lab2rgb(lab100), rtol=0, atol=1e-3)


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_every_8_bit_color_survives_the_round_trip_to_lab(step):
    levels = np.arange(0, 256, step, dtype="uint8")
    for reds in np.array_split(levels, 16):
        grid = np.meshgrid(reds, levels, levels, indexing="ij")
        rgb255 = np.stack(grid, axis=-1).reshape(-1, 3)
        back = lab.rgb1_to_rgb255(lab.lab1_to_rgb1(lab.rgb255_to_lab1(rgb255)))
        np.testing.assert_array_equal(back, rgb255)


def test_white_black_and_red_have_their_known_lab():
    rgb255 = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0]], "uint8")
    lab100 = lab.lab1_to_lab100(lab.rgb255_to_lab1(rgb255))
    expected = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]]
    np.testing.assert_allclose(lab100, expected, atol=0.02)


def test_lab1_of_srgb_is_between_minus_one_and_one():
    lab1 = np.asarray(lab.rgb255_to_lab1(rgb_cube() * 255.0))
    assert lab1.min() >= -1.0 - 1e-5
    assert lab1.max() <= 1.0 + 1e-5


def test_scales_of_lab1_and_lab100():
    lab100 = [[0.0, 110.0, -110.0], [50.0, 0.0, 55.0], [100.0, -55.0, 0.0]]
    lab1 = [[-1.0, 1.0, -1.0], [0.0, 0.0, 0.5], [1.0, -0.5, 0.0]]
    np.testing.assert_allclose(lab.lab100_to_lab1(lab100), lab1, atol=1e-6)
    np.testing.assert_allclose(lab.lab1_to_lab100(lab1), lab100, atol=1e-4)


def test_rgb1_to_rgb255_rounds_and_clips():
    rgb255 = np.asarray(lab.rgb1_to_rgb255(np.array([-0.5, 0.0, 100.4 / 255, 100.6 / 255, 1.5])))
    assert rgb255.dtype == np.uint8
    np.testing.assert_array_equal(rgb255, [0, 0, 100, 101, 255])


def test_rgb255_to_rgb1_accepts_integers():
    rgb1 = np.asarray(lab.rgb255_to_rgb1(np.array([0, 51, 255], "uint8")))
    assert rgb1.dtype == np.float32
    np.testing.assert_allclose(rgb1, [0.0, 0.2, 1.0], rtol=1e-6)


def test_every_16_bit_level_survives_the_round_trip_to_rgb1():
    rgb65535 = np.arange(65536, dtype="uint16").reshape(256, 256)
    rgb1 = np.asarray(lab.integers_to_rgb1(rgb65535))
    assert rgb1.dtype == np.float32
    np.testing.assert_allclose(rgb1, rgb65535 / 65535.0, rtol=1e-6)
    back = np.asarray(lab.rgb1_to_integers(rgb1, "uint16"))
    assert back.dtype == np.uint16
    np.testing.assert_array_equal(back, rgb65535)


def test_rgb1_to_rgb65535_rounds_and_clips():
    # 40000 is above 32767, where a signed 16-bit integer would overflow.
    rgb1 = np.array([-0.5, 0.0, 100.4 / 65535, 100.6 / 65535, 40000 / 65535, 1.0, 1.5])
    rgb65535 = np.asarray(lab.rgb1_to_integers(rgb1, "uint16"))
    assert rgb65535.dtype == np.uint16
    np.testing.assert_array_equal(rgb65535, [0, 0, 100, 101, 40000, 65535, 65535])


def test_16_bit_grays_survive_the_round_trip_to_lab():
    levels = np.arange(0, 65536, 5, dtype="uint16")
    rgb65535 = np.stack([levels, levels, levels], axis=-1)
    lab100 = lab.rgb1_to_lab100(lab.integers_to_rgb1(rgb65535))
    back = np.asarray(lab.rgb1_to_integers(lab.lab100_to_rgb1(lab100), "uint16"))
    assert np.abs(back.astype(int) - rgb65535).max() <= 1


def test_clipped_rgb_stays_between_zero_and_one():
    rgb1 = np.asarray(lab.lab100_to_rgb1(lab_outside_the_gamut(limit=400.0)))
    assert rgb1.min() >= 0.0
    assert rgb1.max() <= 1.0


def test_unclipped_rgb_equals_the_clipped_one_inside_the_gamut():
    lab100 = color.rgb2lab(rgb_cube())
    np.testing.assert_allclose(
        lab.lab100_to_unclipped_rgb1(lab100), lab.lab100_to_rgb1(lab100), rtol=0, atol=1e-5
    )


def test_lab1_and_lab100_give_the_same_unclipped_rgb():
    lab100 = lab_outside_the_gamut(100)
    np.testing.assert_allclose(
        lab.lab1_to_unclipped_rgb1(lab.lab100_to_lab1(lab100)),
        lab.lab100_to_unclipped_rgb1(lab100),
        atol=1e-5,
    )


@pytest.mark.parametrize("limit", [128.0, 1000.0])
def test_gradient_of_unclipped_rgb_is_finite_everywhere(limit):
    ends = np.array([[0, 0, 0], [100, 0, 0], [-20, 0, 0], [120, 0, 0], [8, 0, 0]], "float32")
    lab100 = np.concatenate([ends, lab_outside_the_gamut(limit=limit)])
    assert np.isfinite(gradient_of_squared_distance(lab100, 0.5)).all()


def test_gradient_of_rgb_to_lab_is_finite_at_black_white_and_beyond():
    rgb1 = tf.constant([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [-0.5, 1.5, 0.0], [0.04045] * 3])
    with tf.GradientTape() as tape:
        tape.watch(rgb1)
        total = tf.reduce_sum(lab.rgb1_to_lab100(rgb1) ** 2)
    assert np.isfinite(tape.gradient(total, rgb1)).all()


@pytest.mark.parametrize("limit", [128.0, 1000.0])
def test_gradient_outside_the_gamut_is_never_zero(limit):
    lab100 = lab_outside_the_gamut(limit=limit)
    nearest = lab.lab100_to_rgb1(lab100)
    gradient = gradient_of_squared_distance(lab100, nearest)
    assert (np.linalg.norm(gradient, axis=-1) > 1e-6).all()


@pytest.mark.parametrize("limit", [128.0, 1000.0])
def test_a_step_toward_the_nearest_color_leads_back_inside(limit):
    lab100 = lab_outside_the_gamut(limit=limit)
    gradient = gradient_of_squared_distance(lab100, lab.lab100_to_rgb1(lab100))
    moved = lab.lab100_to_unclipped_rgb1(after_a_small_step(lab100, gradient))
    assert (amount_outside(moved) < amount_outside(lab.lab100_to_unclipped_rgb1(lab100))).all()


def test_a_step_toward_any_color_inside_nearly_always_leads_back_inside():
    # The channels share L, so a large error in a channel inside the gamut can outweigh a small
    # error in one outside. This happens for about 1 color in 70.
    lab100 = lab_outside_the_gamut()
    target = np.random.default_rng(1).uniform(0.0, 1.0, lab100.shape).astype("float32")
    gradient = gradient_of_squared_distance(lab100, target)
    moved = lab.lab100_to_unclipped_rgb1(after_a_small_step(lab100, gradient))
    reduced = amount_outside(moved) < amount_outside(lab.lab100_to_unclipped_rgb1(lab100))
    assert reduced.mean() > 0.97


def test_descent_brings_every_color_inside():
    lab100 = tf.constant(lab_outside_the_gamut(200))
    target = tf.fill(lab100.shape, 0.5)
    for _ in range(400):
        gradient = gradient_of_squared_distance(lab100, target)
        lab100 = after_a_small_step(lab100, gradient, length=0.5)
    assert amount_outside(lab.lab100_to_unclipped_rgb1(lab100)).max() == 0.0


def test_gray_of_a_lightness_equals_skimage():
    lightness100 = np.linspace(0.0, 100.0, 401)[:, None]
    gray = lab.lightness1_to_gray_rgb1(lightness100 / 50.0 - 1.0)
    expected = color.lab2rgb(np.concatenate([lightness100, 0 * lightness100, 0 * lightness100], 1))
    np.testing.assert_allclose(gray, expected, rtol=0, atol=1e-3)


def test_gray_of_a_lightness_has_three_equal_channels_in_range():
    gray = np.asarray(lab.lightness1_to_gray_rgb1(np.linspace(-1.2, 1.2, 50)[:, None]))
    assert gray.shape == (50, 3)
    assert gray.min() >= 0.0
    assert gray.max() <= 1.0
    np.testing.assert_array_equal(gray, gray[:, :1].repeat(3, axis=1))


def test_split_and_join_are_inverse():
    lab1 = np.random.default_rng(0).uniform(-1, 1, (2, 3, 4, 3)).astype("float32")
    lightness, ab = lab.split_lab(lab1)
    assert lightness.shape == (2, 3, 4, 1)
    assert ab.shape == (2, 3, 4, 2)
    np.testing.assert_array_equal(lab.join_lab(lightness, ab), lab1)


def test_join_casts_half_precision_to_float32():
    joined = lab.join_lab(tf.zeros([1, 1], tf.bfloat16), tf.zeros([1, 2], tf.bfloat16))
    assert joined.dtype == tf.float32


@pytest.mark.parametrize("shape", [(3,), (5, 3), (4, 5, 3), (2, 4, 5, 3), (1, 2, 4, 5, 3)])
@pytest.mark.parametrize(
    "convert",
    [lab.rgb1_to_lab100, lab.lab100_to_rgb1, lab.lab100_to_unclipped_rgb1],
)
def test_any_leading_shape_is_preserved(convert, shape):
    values = np.random.default_rng(0).uniform(0, 1, shape).astype("float32")
    converted = np.asarray(convert(values))
    assert converted.shape == shape
    np.testing.assert_allclose(
        converted.reshape(-1, 3), convert(values.reshape(-1, 3)), rtol=1e-5, atol=1e-5
    )


def test_conversions_run_inside_a_tf_data_graph():
    rgb255 = np.random.default_rng(0).integers(0, 256, (4, 6, 5, 3), dtype="uint8")
    dataset = tf.data.Dataset.from_tensor_slices(rgb255).map(
        lambda image: lab.rgb1_to_rgb255(lab.lab1_to_rgb1(lab.rgb255_to_lab1(image)))
    )
    np.testing.assert_array_equal(list(dataset.as_numpy_iterator()), rgb255)


def test_xla_computes_the_same():
    rgb1 = rgb_cube(step=51).astype("float32")
    compiled = tf.function(lab.rgb1_to_lab100, jit_compile=True)
    np.testing.assert_allclose(compiled(rgb1), lab.rgb1_to_lab100(rgb1), atol=1e-3)
