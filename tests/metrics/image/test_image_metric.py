"""The metrics of pixels agree with scikit-image and NumPy."""

import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab
from skimage.metrics import peak_signal_noise_ratio

from data.color.colorfulness import colorfulness
from metrics import PSNR, SSIM, Blotches, Colorfulness, HueCoverage, PooledPSNR
from tests.colors import skimage_ssim


def images(seed, count=4):
    """Images of many colors, whose frequencies depend on the seed."""
    random = np.random.default_rng(seed)
    colors = random.beta(1.0 + seed, 1.0, (count, 12, 13, 3))
    gray = random.uniform(0.3, 0.7, (count, 12, 13, 1)) + random.uniform(
        -0.1 - 0.3 * seed, 0.1 + 0.3 * seed, (count, 12, 13, 3)
    )
    return (
        np.where(random.uniform(size=gray.shape[:3])[..., None] < 0.5, colors, gray)
        .clip(0, 1)
        .astype("float32")
    )


def psnr(true, colored):
    return peak_signal_noise_ratio(true, colored, data_range=1.0)


def chroma_and_hue(rgb1):
    lab = rgb2lab(rgb1.astype("float64"))
    return np.hypot(lab[..., 1], lab[..., 2]), np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))


def blotches(true, colored):
    is_gray = chroma_and_hue(true)[0] < 15.0
    return (is_gray & (chroma_and_hue(colored)[0] > 40.0)).sum() / is_gray.sum()


def hue_shares(rgb1):
    chroma, hue = chroma_and_hue(rgb1)
    return np.histogram(hue[chroma > 10.0] % 360.0, bins=8, range=(0.0, 360.0))[0] / hue.size


def hue_coverage(true, colored):
    coverage = hue_shares(colored) / hue_shares(true)
    by_name = {f"hue_{45 * number}": each for number, each in enumerate(coverage)}
    return {"least_hue": coverage.min(), **by_name}


# Means over images, by the value of each image.
MEANS = {
    "psnr": (PSNR, psnr),
    "ssim": (SSIM, skimage_ssim),
    "colorfulness": (Colorfulness, lambda true, colored: colorfulness(255.0 * colored)),
    "true_colorfulness": (
        lambda: Colorfulness(of_truth=True),
        lambda true, colored: colorfulness(255.0 * true),
    ),
}
# Values of all pixels of all images.
POOLED = {
    "pooled_psnr": (PooledPSNR, psnr),
    "blotches": (Blotches, blotches),
    "hue_coverage": (HueCoverage, hue_coverage),
}


def result(metric):
    value = metric.result()
    return {name: float(value[name]) for name in value} if isinstance(value, dict) else float(value)


@pytest.mark.parametrize("name", [*MEANS, *POOLED])
def test_result_is_that_of_the_reference_over_all_batches_since_the_last_reset(name):
    make, reference = (MEANS | POOLED)[name]
    true, colored = images(0), images(1)
    expected = (
        reference(true, colored)
        if name in POOLED
        else np.mean([reference(*pair) for pair in zip(true, colored, strict=True)])
    )
    metric = make()
    assert metric.name == name
    metric.update_state(images(2), images(0))
    metric.reset_state()
    metric.update_state(true[:3], colored[:3])
    metric.update_state(true[3:], colored[3:])
    assert result(metric) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", MEANS)
def test_images_of_weight_0_do_not_count(name):
    make, reference = MEANS[name]
    metric = make()
    metric.update_state(images(0), images(1), sample_weight=np.array([0.0, 0.0, 1.0, 0.0]))
    assert float(metric.result()) == pytest.approx(reference(images(0)[2], images(1)[2]), rel=1e-4)


def test_an_error_of_a_tenth_everywhere_is_20_decibels_and_equal_images_are_100():
    black = np.zeros((1, 4, 4, 3), "float32")
    for metric in (PSNR(), PooledPSNR()):
        metric.update_state(black, black + 0.1)
        assert float(metric.result()) == pytest.approx(20.0)
        metric.reset_state()
        metric.update_state(black, black)
        assert float(metric.result()) == pytest.approx(100.0)


def test_one_bad_image_weighs_more_in_the_pooled_psnr():
    true, colored = np.zeros((2, 4, 4, 3), "float32"), np.zeros((2, 4, 4, 3), "float32")
    colored[0] += 0.01
    colored[1] += 1.0
    pooled, mean = PooledPSNR(), PSNR()
    for metric in (pooled, mean):
        metric.update_state(true, colored)
    assert float(mean.result()) == pytest.approx(20.0, abs=1e-3)
    assert float(pooled.result()) == pytest.approx(-10 * np.log10(0.50005), abs=1e-4)


def test_dark_and_flat_images_have_the_ssim_of_skimage():
    true = np.full((20, 30, 3), 0.02, "float32")
    noise = np.random.default_rng(0).normal(0.0, 0.01, true.shape)
    colored = (true + noise).clip(0, 1).astype("float32")
    metric = SSIM()
    metric.update_state(true[None], colored[None])
    assert float(metric.result()) == pytest.approx(skimage_ssim(true, colored), abs=1e-4)


def test_gray_images_have_no_colorfulness():
    metric = Colorfulness()
    metric.update_state(images(0), images(1)[..., :1].repeat(3, axis=-1))
    assert float(metric.result()) == pytest.approx(0.0, abs=1e-3)


def test_there_are_no_blotches_where_nothing_should_be_gray():
    metric = Blotches()
    red = np.broadcast_to(np.array([1.0, 0.0, 0.0], "float32"), (1, 4, 4, 3))
    metric.update_state(red, red)
    assert float(metric.result()) == 0.0


# --- hue coverage --------------------------------------------------------------------------------


def patch(chroma, degrees):
    """An image of one color of lightness 60."""
    angle = np.radians(degrees)
    lab = [60.0, chroma * np.cos(angle), chroma * np.sin(angle)]
    return np.broadcast_to(lab2rgb(lab), (1, 4, 4, 3)).astype("float32")


def measured_hues(metric):
    """The hues that are measured; the others are NaN."""
    return {name: value for name, value in result(metric).items() if not np.isnan(value)}


@pytest.mark.parametrize("start", range(0, 360, 45))
def test_hues_are_eighths_of_the_circle_starting_at_0(start):
    metric = HueCoverage()
    for degrees in (start + 1, start + 44):
        metric.update_state(patch(20.0, degrees), patch(20.0, degrees))
    assert measured_hues(metric) == {"least_hue": 1.0, f"hue_{start}": 1.0}


def test_a_hue_of_less_than_a_thousandth_of_the_true_pixels_is_not_measured():
    metric = HueCoverage()
    true = np.repeat(patch(20.0, 30.0), 1001, axis=0)
    true[0] = patch(20.0, 100.0)
    metric.update_state(true, true)
    assert measured_hues(metric).keys() == {"least_hue", "hue_0"}
    metric.reset_state()
    metric.update_state(true[:999], true[:999])
    assert measured_hues(metric).keys() == {"least_hue", "hue_0", "hue_90"}


def test_almost_gray_pixels_have_no_hue():
    metric = HueCoverage()
    metric.update_state(patch(11.0, 30.0), patch(9.0, 30.0))
    assert measured_hues(metric) == {"least_hue": 0.0, "hue_0": 0.0}
    metric.reset_state()
    metric.update_state(patch(9.0, 30.0), patch(11.0, 30.0))
    assert measured_hues(metric) == {}
