"""LPIPS agrees with its reference implementation."""

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from skimage import data

from metrics import LPIPS

PRETRAINED = Path(__file__).resolve().parents[4] / "shared" / "pretrained" / "lpips_alexnet.npz"


def measured(path, true, colored):
    metric = LPIPS(path)
    metric.update_state(np.stack(true), np.stack(colored))
    return float(metric.result())


def photograph(size=64):
    return (data.astronaut()[100 : 100 + size, 150 : 150 + size] / 255.0).astype("float32")


@pytest.mark.skipif(not PRETRAINED.exists(), reason="the trained weights are not here")
@pytest.mark.parametrize(
    ("name", "of_gray", "of_mirrored"),
    [("astronaut", 0.1858, 0.7257), ("coffee", 0.3386, 0.5511), ("cat", 0.2470, 0.6170)],
)
def test_pretrained_weights_give_the_values_of_the_reference(name, of_gray, of_mirrored):
    true = getattr(data, name)()
    gray = np.asarray(Image.fromarray(true).convert("L").convert("RGB"))
    true, gray = (pixels.astype("float32") / 255.0 for pixels in (true, gray))
    assert measured(PRETRAINED, [true], [gray]) == pytest.approx(of_gray, abs=2e-4)
    assert measured(PRETRAINED, [true], [true[:, ::-1]]) == pytest.approx(of_mirrored, abs=2e-4)


def test_equal_images_have_a_distance_of_0(lpips_weights):
    assert measured(lpips_weights, [photograph()], [photograph()]) == 0.0


def test_is_the_mean_of_the_images(lpips_weights):
    true, colored = photograph(), [photograph()[::-1], 0.5 * photograph()]
    expected = np.mean([measured(lpips_weights, [true], [image]) for image in colored])
    assert measured(lpips_weights, [true, true], colored) == pytest.approx(expected, rel=1e-5)


def test_channels_with_a_weight_of_0_do_not_count(lpips_weights, tmp_path):
    arrays = dict(np.load(lpips_weights))
    for number in range(5):
        arrays[f"lin{number}"] *= 0.0
    np.savez(tmp_path / "none.npz", **arrays)
    assert measured(tmp_path / "none.npz", [photograph()], [photograph()[::-1]]) == 0.0


def test_distance_does_not_depend_on_the_dtype_policy(lpips_weights):
    expected = measured(lpips_weights, [photograph()], [photograph()[::-1]])
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    assert measured(lpips_weights, [photograph()], [photograph()[::-1]]) == expected


def test_smallest_image_has_a_distance(lpips_weights):
    assert 0 < measured(lpips_weights, [photograph(31)], [photograph(31)[::-1]]) < 10
