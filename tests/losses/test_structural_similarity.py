"""Structural similarity for the loss: equal to that of scikit-image, and differentiable."""

import numpy as np
import pytest
import tensorflow as tf

from losses.structural_similarity import structural_similarity
from tests.colors import skimage_ssim


def random(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 1, shape).astype("float32")


def expected(true, colored):
    """Returns the similarity of each image by scikit-image, in float64."""
    pairs = zip(true.astype("float64"), colored.astype("float64"), strict=True)
    return [skimage_ssim(*pair) for pair in pairs]


@pytest.mark.parametrize("size", [(11, 11), (12, 30), (25, 11)])
def test_similarity_of_every_image_equals_skimage(size):
    true = random(3, *size, 3)
    noise = 0.2 * random(3, *size, 3, seed=1)
    colored = np.stack([true[0], true[1] + noise[1], 1.0 - true[2]])
    found = structural_similarity(true, colored)
    assert found.shape == (3,)
    np.testing.assert_allclose(found, expected(true, colored), atol=1e-5)
    assert float(found[0]) == pytest.approx(1.0, abs=1e-5)
    assert found[2] < -0.5


def test_flat_images_have_the_similarity_of_their_lightness():
    # Equation 6 of the paper with means of 0.2 and 0.8; variances and covariance are 0.
    true, colored = np.full((1, 11, 11, 3), 0.2), np.full((1, 11, 11, 3), 0.8)
    by_hand = (2 * 0.2 * 0.8 + 1e-4) / (0.2**2 + 0.8**2 + 1e-4)
    found = structural_similarity(true, colored)
    assert float(found[0]) == pytest.approx(by_hand, rel=1e-5)


def test_colors_may_be_out_of_range():
    true = random(2, 14, 13, 3)
    colored = 1.6 * random(2, 14, 13, 3, seed=1) - 0.3
    assert colored.min() < -0.2
    assert colored.max() > 1.2
    np.testing.assert_allclose(
        structural_similarity(true, colored), expected(true, colored), atol=1e-5
    )


def test_half_precision_is_computed_in_float32():
    true, colored = (tf.cast(random(1, 12, 12, 3, seed=seed), "bfloat16") for seed in (0, 1))
    found = structural_similarity(true, colored)
    assert found.dtype == tf.float32
    wide = (tf.cast(each, "float32").numpy() for each in (true, colored))
    np.testing.assert_allclose(found, expected(*wide), atol=1e-5)


def test_graph_with_unknown_sizes_gives_the_same():
    signature = [tf.TensorSpec((None, None, None, 3), tf.float32)] * 2
    call = tf.function(structural_similarity, signature)
    for size in ((11, 20), (30, 12)):
        true, colored = random(2, *size, 3), random(2, *size, 3, seed=1)
        np.testing.assert_allclose(call(true, colored), expected(true, colored), atol=1e-5)


def test_gradient_equals_finite_differences_of_skimage():
    true, colored = random(1, 12, 13, 3), random(1, 12, 13, 3, seed=1)
    colored = 0.5 * (true + colored)
    variable = tf.constant(colored)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = structural_similarity(true, variable)[0]
    gradient = tape.gradient(value, variable).numpy()
    rng, step = np.random.default_rng(2), 1e-5
    for _ in range(4):
        direction = rng.normal(size=colored.shape)
        ahead, behind = (
            expected(true, colored + sign * step * direction)[0] for sign in (1.0, -1.0)
        )
        difference = (ahead - behind) / (2.0 * step)
        assert np.sum(gradient * direction) == pytest.approx(difference, rel=1e-3)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_gradient_is_finite_for_flat_images(level):
    flat = tf.fill((1, 12, 12, 3), level)
    with tf.GradientTape() as tape:
        tape.watch(flat)
        value = structural_similarity(tf.identity(flat), flat)[0]
    assert float(value) == pytest.approx(1.0, abs=1e-4)
    assert np.isfinite(tape.gradient(value, flat)).all()
