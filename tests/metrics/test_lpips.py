"""LPIPS is that of its reference program."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from errors import InputError
from metrics.lpips import LPIPS

TRAINED = Path(__file__).resolve().parents[3] / "shared" / "pretrained" / "lpips_alexnet.npz"
SHAPES = [(11, 11, 3, 64), (5, 5, 64, 192), (3, 3, 192, 384), (3, 3, 384, 256), (3, 3, 256, 256)]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights of the right shapes and of no meaning."""
    random = np.random.default_rng(0)
    arrays = {}
    for number, shape in enumerate(SHAPES):
        arrays[f"conv{number + 1}_w"] = random.normal(0, 0.05, shape).astype("float32")
        arrays[f"conv{number + 1}_b"] = random.normal(0, 0.05, shape[-1]).astype("float32")
        arrays[f"lin{number}"] = random.uniform(0, 1, shape[-1]).astype("float32")
    path = tmp_path_factory.mktemp("lpips") / "weights.npz"
    np.savez(path, **arrays)
    return path


def measured(path, true, colored):
    metric = LPIPS(path)
    metric.update_state(np.stack(true), np.stack(colored))
    return float(metric.result())


def photograph(size=64):
    return (data.astronaut()[100 : 100 + size, 150 : 150 + size] / 255.0).astype("float32")


@pytest.mark.skipif(not TRAINED.exists(), reason="the trained weights are not here")
@pytest.mark.parametrize(
    ("name", "of_gray", "of_mirrored"),
    [("astronaut", 0.1858, 0.7257), ("coffee", 0.3386, 0.5511), ("cat", 0.2470, 0.6170)],
)
def test_trained_weights_have_the_values_of_the_reference(name, of_gray, of_mirrored):
    true = getattr(data, name)()
    gray = np.asarray(Image.fromarray(true).convert("L").convert("RGB"))
    true, gray = (pixels.astype("float32") / 255.0 for pixels in (true, gray))
    assert measured(TRAINED, [true], [gray]) == pytest.approx(of_gray, abs=2e-4)
    assert measured(TRAINED, [true], [true[:, ::-1]]) == pytest.approx(of_mirrored, abs=2e-4)


def test_equal_pictures_have_none(weights):
    assert measured(weights, [photograph()], [photograph()]) == 0.0


def test_is_symmetric_and_grows_with_the_difference(weights):
    true = photograph()
    near, far = 0.9 * true, 0.2 * true
    assert measured(weights, [true], [near]) < measured(weights, [true], [far])
    assert measured(weights, [true], [far]) == pytest.approx(measured(weights, [far], [true]))


def test_is_the_mean_of_the_pictures(weights):
    true, colored = photograph(), [photograph()[::-1], 0.5 * photograph()]
    expected = np.mean([measured(weights, [true], [each]) for each in colored])
    assert measured(weights, [true, true], colored) == pytest.approx(expected, rel=1e-5)


def test_channels_of_no_weight_do_not_count(weights, tmp_path):
    arrays = dict(np.load(weights))
    for number in range(5):
        arrays[f"lin{number}"] *= 0.0
    np.savez(tmp_path / "none.npz", **arrays)
    assert measured(tmp_path / "none.npz", [photograph()], [photograph()[::-1]]) == 0.0


def test_half_precision_is_not_for_it(weights):
    import keras

    expected = measured(weights, [photograph()], [photograph()[::-1]])
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    assert measured(weights, [photograph()], [photograph()[::-1]]) == expected


@pytest.mark.parametrize("kind", ["absent", "text", "other arrays", "other shapes"])
def test_what_are_no_such_weights_is_one_line(weights, tmp_path, kind):
    path = tmp_path / "weights.npz"
    if kind == "text":
        path.write_text("not weights")
    elif kind == "other arrays":
        np.savez(path, a=np.zeros(3))
    elif kind == "other shapes":
        np.savez(path, **{name: array[..., :1] for name, array in np.load(weights).items()})
    with pytest.raises(InputError) as caught:
        LPIPS(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).endswith("with --lpips_weights PATH")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("side", [16, 30])
def test_picture_that_is_too_small_is_one_line(weights, side):
    with pytest.raises(InputError, match="at least 31 px; received 40 x "):
        measured(weights, [photograph(40)[:side]], [photograph(40)[:side]])


def test_smallest_picture_has_a_distance(weights):
    assert 0 < measured(weights, [photograph(31)], [photograph(31)[::-1]]) < 10


def test_is_made_again_from_its_configuration(weights):
    metric = LPIPS.from_config(LPIPS(weights, name="distance").get_config())
    metric.update_state(photograph()[None], photograph()[None, ::-1])
    assert metric.name == "distance"
    assert float(metric.result()) == measured(weights, [photograph()], [photograph()[::-1]])
