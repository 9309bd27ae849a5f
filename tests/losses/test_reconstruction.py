"""The terms that compare colors, each compared with NumPy or scikit-image, and their sum."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from skimage.color import lab2rgb, rgb2lab

from data.color.lab import join_lab, lab1_to_unclipped_rgb1
from losses import REBALANCED, TERMS
from losses.reconstruction import Reconstruction
from tests.colors import skimage_ssim


class RecordingPerceptual:
    """Stands in for `Perceptual`: records its inputs and returns 7."""

    def __call__(self, true_rgb1, colored_rgb1):
        self.images = np.asarray(true_rgb1), np.asarray(colored_rgb1)
        return tf.constant(7.0)


class SquaredDifference:
    """Stands in for `Perceptual`: the mean squared difference of the images."""

    def __call__(self, true_rgb1, colored_rgb1):
        return tf.reduce_mean(tf.square(true_rgb1 - colored_rgb1))


class SquaredFeatures:
    """Stands in for `LPIPSNetwork`: the features are the images themselves."""

    def features(self, rgb1):
        return [rgb1]

    def distance(self, true_features, colored_features):
        [true], [colored] = true_features, colored_features
        return tf.reduce_mean(tf.square(true - colored), axis=(1, 2, 3))


def random_images(seed=0, size=(4, 4)):
    lab1 = np.random.default_rng(seed).uniform(-0.9, 0.9, (2, *size, 5)).astype("float32")
    return lab1[..., :1], lab1[..., 1:3], lab1[..., 3:]


def colors_of_srgb():
    """Returns lightness, true ab and similar colored ab of images well inside sRGB."""
    random = np.random.default_rng(0)
    lab1 = rgb2lab(random.uniform(0.35, 0.65, (2, 12, 13, 3))) / [50.0, 110.0, 110.0] - [1, 0, 0]
    noise = random.normal(0.0, 0.03, (2, 12, 13, 2))
    lightness, true_ab = lab1[..., :1], lab1[..., 1:]
    return tuple(each.astype("float32") for each in (lightness, true_ab, true_ab + noise))


def loss_of(term, weight=1.0):
    return Reconstruction({term: weight}, SquaredDifference(), SquaredFeatures())


def value_and_gradient(term, lightness, true_ab, colored_ab):
    """Returns the value of one term, and its gradient with respect to the colored ab."""
    colored_ab = tf.constant(colored_ab, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(colored_ab)
        [value] = loss_of(term).terms(lightness, true_ab, colored_ab).values()
    return float(value), tape.gradient(value, colored_ab).numpy()


# --- each term -----------------------------------------------------------------------------------


def rgb1_by_skimage(lightness, ab):
    lab1 = np.concatenate([lightness, ab], axis=-1).astype("float64")
    return lab2rgb((lab1 + [1, 0, 0]) * [50.0, 110.0, 110.0])


def hasler(rgb1):
    """Returns the colorfulness of Hasler and Suesstrunk of one image."""
    red, green, blue = np.moveaxis(255.0 * rgb1, -1, 0)
    red_green, yellow_blue = red - green, (red + green) / 2.0 - blue
    spread = np.hypot(np.std(red_green), np.std(yellow_blue))
    return spread + 0.3 * np.hypot(np.mean(red_green), np.mean(yellow_blue))


def huber_by_keras(true_ab, colored_ab):
    delta = 1.0 / 110.0
    return float(keras.losses.Huber(delta, dtype="float64")(true_ab, colored_ab)) / delta


def ssim_by_skimage(lightness, true_ab, colored_ab):
    pairs = zip(
        rgb1_by_skimage(lightness, true_ab), rgb1_by_skimage(lightness, colored_ab), strict=True
    )
    return 1.0 - np.mean([skimage_ssim(true, colored) for true, colored in pairs])


def colorfulness_loss_by_numpy(lightness, true_ab, colored_ab):
    images = rgb1_by_skimage(lightness, colored_ab)
    return 1.0 - np.mean([hasler(image) for image in images]) / 100.0


def squared_by_skimage(lightness, true_ab, colored_ab):
    pair = (rgb1_by_skimage(lightness, ab) for ab in (true_ab, colored_ab))
    return np.mean(np.subtract(*pair) ** 2)


# The reference of each term, from lightness, true ab and colored ab in float64.
REFERENCES = {
    "l1": lambda lightness, true_ab, colored_ab: np.mean(np.abs(true_ab - colored_ab)),
    "mse": lambda lightness, true_ab, colored_ab: np.mean((true_ab - colored_ab) ** 2),
    "huber": lambda lightness, true_ab, colored_ab: huber_by_keras(true_ab, colored_ab),
    "log_mse": lambda lightness, true_ab, colored_ab: np.mean(
        [np.log(np.mean(image**2) + 2e-4) for image in true_ab - colored_ab]
    ),
    "ssim": ssim_by_skimage,
    "perceptual": lambda *images: squared_by_skimage(*images),
    "lpips": lambda *images: squared_by_skimage(*images),
    "colorfulness": colorfulness_loss_by_numpy,
}


def test_every_term_has_a_reference_and_its_images_are_suitable():
    assert set(REFERENCES) == set(TERMS)
    lightness, true_ab, colored_ab = colors_of_srgb()
    for ab in (true_ab, colored_ab):
        rgb1 = rgb1_by_skimage(lightness, ab)
        assert rgb1.min() > 0.1
        assert rgb1.max() < 0.9
    # The differences are in both parts of the Huber loss, the quadratic and the linear one.
    share = np.mean(np.abs(true_ab - colored_ab) < 1.0 / 110.0)
    assert 0.1 < share < 0.9


@pytest.mark.parametrize("term", TERMS)
def test_term_equals_its_reference(term):
    images = colors_of_srgb()
    value, _ = value_and_gradient(term, *images)
    expected = REFERENCES[term](*(each.astype("float64") for each in images))
    assert 1e-4 < abs(expected) < 10
    assert value == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("term", TERMS)
def test_gradient_equals_finite_differences_of_the_reference(term):
    lightness, true_ab, colored_ab = (each.astype("float64") for each in colors_of_srgb())
    _, gradient = value_and_gradient(term, *colors_of_srgb())
    random, step = np.random.default_rng(3), 1e-6

    def slope(direction):
        ahead, behind = (
            REFERENCES[term](lightness, true_ab, colored_ab + sign * step * direction)
            for sign in (1.0, -1.0)
        )
        return (ahead - behind) / (2.0 * step)

    directions = list(random.normal(size=(3, *colored_ab.shape)))
    for position in random.integers(0, colored_ab.shape, (12, 4)):
        directions.append(np.zeros_like(colored_ab))
        directions[-1][tuple(position)] = 1.0
    for direction in directions:
        scale = np.abs(gradient).max() * np.linalg.norm(direction)
        assert np.sum(gradient * direction) == pytest.approx(slope(direction), abs=2e-3 * scale)


def test_gradients_of_distances_by_hand():
    lightness, true_ab, colored_ab = colors_of_srgb()
    difference = colored_ab - true_ab
    by_hand = {
        "l1": np.sign(difference),
        "mse": 2.0 * difference,
        "huber": np.clip(110.0 * difference, -1.0, 1.0),
    }
    for term, expected in by_hand.items():
        _, gradient = value_and_gradient(term, lightness, true_ab, colored_ab)
        np.testing.assert_allclose(gradient * difference.size, expected, atol=1e-4)


def test_huber_by_hand():
    # In units of ab, where delta is 1: the quadratic part is 1/8 at 1/2, and the linear part is
    # 5/2 at 3.
    true_ab = np.zeros((1, 1, 1, 2), "float32")
    colored_ab = np.array([[[[0.5, -3.0]]]], "float32") / 110.0
    value, _ = value_and_gradient("huber", np.zeros((1, 1, 1, 1)), true_ab, colored_ab)
    assert value == pytest.approx((0.125 + 2.5) / 2 / 110.0, rel=1e-5)


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("level", [-1.0, 0.0, 1.0, None])
def test_gray_images_have_a_finite_gradient(term, level):
    # Black, middle gray, white, and gray of every lightness.
    lightness = np.random.default_rng(0).uniform(-1, 1, (2, 12, 13, 1)).astype("float32")
    lightness = lightness if level is None else np.full_like(lightness, level)
    gray = np.zeros((2, 12, 13, 2), "float32")
    value, gradient = value_and_gradient(term, lightness, gray, gray)
    # Gray has the largest colorfulness loss; all other terms compare equal images.
    expected = {"colorfulness": 1.0, "log_mse": np.log(2e-4)}.get(term, 0.0)
    assert value == pytest.approx(expected, abs=2e-3)
    assert np.isfinite(gradient).all()


def test_colorfulness_loss_does_not_depend_on_the_true_colors():
    lightness, true_ab, colored_ab = colors_of_srgb()
    value, gradient = value_and_gradient("colorfulness", lightness, true_ab, colored_ab)
    same_value, same_gradient = value_and_gradient("colorfulness", lightness, -true_ab, colored_ab)
    assert value == same_value
    np.testing.assert_array_equal(gradient, same_gradient)


@pytest.mark.filterwarnings("ignore:Conversion from CIE-LAB:UserWarning")
def test_colors_outside_srgb_gain_no_colorfulness():
    # At this lightness and hue, clipping gives pure red, however strong the color is.
    lightness = np.zeros((1, 12, 12, 1), "float32")
    red = np.full((1, 12, 12, 2), 0.9, "float32")
    # Half of the image is gray, so that the standard deviations are not 0.
    red[:, :6] = 0.0
    losses = {}
    for factor in (1.0, 2.0):
        losses[factor], gradient = value_and_gradient("colorfulness", lightness, red, factor * red)
        assert not np.any(gradient[:, 6:])
        expected = colorfulness_loss_by_numpy(lightness, red, factor * red)
        assert losses[factor] == pytest.approx(expected, abs=1e-3)
    assert losses[2.0] == pytest.approx(losses[1.0], abs=1e-6)
    # Inside sRGB, stronger colors reduce the loss.
    weak, gradient = value_and_gradient("colorfulness", lightness, red, 0.1 * red)
    assert weak > losses[1.0] + 0.1
    assert np.all(gradient[:, 6:].sum(axis=-1) < 0)


@pytest.mark.parametrize("term", ["ssim", "perceptual"])
def test_colors_outside_srgb_have_a_nonzero_gradient(term):
    lightness = np.zeros((1, 12, 12, 1), "float32")
    true_ab = np.random.default_rng(0).uniform(-0.1, 0.1, (1, 12, 12, 2)).astype("float32")
    outside = np.full((1, 12, 12, 2), 0.9, "float32")
    _, gradient = value_and_gradient(term, lightness, true_ab, outside)
    assert np.isfinite(gradient).all()
    assert (np.abs(gradient).max(axis=-1) > 0).all()


@pytest.mark.parametrize("term", TERMS)
def test_graph_with_unknown_sizes_gives_the_same(term):
    signature = [tf.TensorSpec((None, None, None, channels), tf.float32) for channels in (1, 2, 2)]
    call = tf.function(lambda *images: loss_of(term).terms(*images), signature)
    images = colors_of_srgb()
    [[name, value]] = call(*images).items()
    [[same_name, expected]] = loss_of(term).terms(*images).items()
    assert name == same_name
    assert float(value) == pytest.approx(float(expected), rel=1e-4)


# --- weighted sum --------------------------------------------------------------------------------


class DoubleRed:
    """Stands in for `ColorRebalancing`: pixels of positive a count twice."""

    def __call__(self, true_ab):
        return tf.where(true_ab[..., :1] > 0.0, 2.0, 1.0)


@pytest.mark.parametrize("term", TERMS)
def test_rare_colors_count_more_in_the_rebalanced_terms(term):
    lightness, true_ab, colored_ab = colors_of_srgb()
    loss = Reconstruction({term: 1.0}, SquaredDifference(), SquaredFeatures(), DoubleRed())
    [value] = loss.terms(lightness, true_ab, colored_ab).values()
    if term in REBALANCED:
        is_red = true_ab[..., 0] > 0.0
        assert 0.2 < is_red.mean() < 0.8
        parts = [
            REFERENCES[term](lightness[where], true_ab[where], colored_ab[where])
            for where in (is_red, ~is_red)
        ]
        expected = 2.0 * parts[0] * is_red.mean() + parts[1] * (1.0 - is_red.mean())
    else:
        expected = REFERENCES[term](lightness, true_ab, colored_ab)
    assert float(value) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("term", TERMS)
def test_term_of_half_precision_is_float32(term):
    lightness, true_ab, colored_ab = colors_of_srgb()
    half = tf.cast(colored_ab, tf.bfloat16)
    [value] = loss_of(term).terms(lightness, true_ab, half).values()
    assert value.dtype == tf.float32
    [expected] = loss_of(term).terms(lightness, true_ab, tf.cast(half, "float32")).values()
    assert float(value) == float(expected)


def test_perceptual_receives_rgb_images():
    perceptual = RecordingPerceptual()
    lightness, true_ab, colored_ab = random_images()
    Reconstruction({"perceptual": 1.0}, perceptual).terms(lightness, true_ab, colored_ab)
    for image, ab in zip(perceptual.images, (true_ab, colored_ab), strict=True):
        np.testing.assert_allclose(image, lab1_to_unclipped_rgb1(join_lab(lightness, ab)))


def test_term_of_weight_zero_needs_no_network():
    loss = Reconstruction({"l1": 2.0, "perceptual": 0.0})
    assert list(loss.terms(*random_images())) == ["l1"]
    assert loss.weights == {"l1": 2.0}


@pytest.mark.parametrize("term", ["ssim", "colorfulness", "perceptual"])
def test_term_of_weight_zero_is_not_computed(monkeypatch, term):
    def refuse(*args, **options):
        raise AssertionError(f"{term} was computed")

    module = "losses.reconstruction"
    monkeypatch.setattr(f"{module}.structural_similarity", refuse)
    monkeypatch.setattr(f"{module}.colorfulness", refuse)
    loss = Reconstruction({"l1": 1.0, term: 0.0}, refuse)
    assert list(loss.terms(*random_images(size=(12, 12)))) == ["l1"]
    with pytest.raises(AssertionError, match=f"{term} was computed"):
        Reconstruction({"l1": 1.0, term: 0.1}, refuse).terms(*random_images(size=(12, 12)))


def test_every_named_term_is_computed():
    loss = Reconstruction(dict.fromkeys(TERMS, 1.0), RecordingPerceptual(), SquaredFeatures())
    terms = loss.terms(*random_images(size=(12, 12)))
    assert list(terms) == loss.names
    assert all(np.isfinite(float(value)) for value in terms.values())
    # The plain names are those of metrics.
    assert set(TERMS) - set(terms) == {"ssim", "lpips", "colorfulness"}
    assert set(terms) - set(TERMS) == {"ssim_loss", "lpips_loss", "colorfulness_loss"}


def test_total_is_the_weighted_sum_of_the_terms():
    images = colors_of_srgb()
    loss = Reconstruction({"l1": 1.0, "ssim": 0.5, "colorfulness": 0.25})
    assert loss.weights == {"l1": 1.0, "ssim": 0.5, "colorfulness": 0.25}
    assert loss.names == ["l1", "ssim_loss", "colorfulness_loss"]
    l1, ssim, colorfulness = (REFERENCES[term](*images) for term in ("l1", "ssim", "colorfulness"))
    total = float(loss.total(loss.terms(*images)))
    assert total == pytest.approx(l1 + 0.5 * ssim + 0.25 * colorfulness, rel=1e-3)


def test_unknown_term_is_an_error():
    with pytest.raises(ValueError, match=r"should have keys from.*Received: .*'style'"):
        Reconstruction({"l1": 1.0, "style": 1.0})
