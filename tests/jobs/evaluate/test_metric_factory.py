"""Tests of `MetricFactory`: the metrics of each row, and footnotes on missing metrics."""

import numpy as np
import pytest
import tensorflow as tf

from config.settings import Settings
from errors import InputError
from jobs.evaluate import metric_factory
from jobs.evaluate.metric_factory import MetricFactory
from metrics.evaluator import Evaluator
from metrics.image_features import ImageFeatures


@pytest.fixture
def network_with_classes(monkeypatch):
    """Replaces the default network with one whose classes are red, green and blue."""

    class Classes:
        name = "red, green and blue"
        has_classes = True

        def __init__(self, path):
            assert path is None

        def __call__(self, rgb1):
            features = np.mean(rgb1, axis=(1, 2))
            return features, features / features.sum(axis=1, keepdims=True)

    monkeypatch.setattr(metric_factory, "FeatureNetwork", Classes)


def rows(count=12, side=16, number=3):
    random = np.random.default_rng(0)
    return list(random.integers(0, 256, (number, count, side, side, 3), "uint8"))


def evaluated(metric_factory, colored):
    """The metrics of each row."""
    first = metric_factory.new_evaluator()
    evaluators = [first, *(metric_factory.new_evaluator(first) for _ in colored[1:])]
    features = [metric_factory.features_of(pixels) for pixels in colored]
    for evaluator, features_of_row in zip(evaluators, features, strict=True):
        evaluator.update(features_of_row, features[0])
    return [evaluator.results() for evaluator in evaluators]


# --- metrics -------------------------------------------------------------------------------------


def test_every_row_is_compared_with_the_first(offline, feature_network):
    colored = rows()
    found = evaluated(MetricFactory(Settings(feature_network=feature_network), True), colored)
    truth = Evaluator()
    for pixels, metrics in zip(colored, found, strict=True):
        evaluator = Evaluator(truth) if pixels is not colored[0] else truth
        rgb1 = [each.astype("float32") / 255.0 for each in (pixels, colored[0])]
        evaluator.update(
            *(ImageFeatures(tf.constant(each), features=each.mean(axis=(1, 2))) for each in rgb1)
        )
        expected = evaluator.results()
        assert metrics.keys() == expected.keys()
        for name, number in expected.items():
            assert metrics[name] == (number and pytest.approx(number, rel=1e-4, abs=1e-6))
    assert found[0]["psnr"] == float("inf")
    assert found[0]["fid"] == pytest.approx(0.0, abs=1e-6)


def test_inception_score_is_computed_without_truth_too(network_with_classes):
    colored = rows()
    [first, *_] = evaluated(MetricFactory(Settings(), False), colored)
    assert set(first) == {"colorfulness", "inception_score", "inception_score_deviation"}
    assert 1.0 <= first["inception_score"] < 3.0


def test_weights_of_lpips_are_used(offline, lpips_weights):
    [true, other] = evaluated(
        MetricFactory(Settings(lpips_weights=lpips_weights), True), rows(2, 32, 2)
    )
    assert true["lpips"] == 0.0
    assert other["lpips"] > 0.01


def test_images_that_are_too_small_for_lpips_have_a_footnote(offline, lpips_weights):
    small = MetricFactory(Settings(lpips_weights=lpips_weights, resolution=16), True)
    [_, other] = evaluated(small, rows(2, 16, 2))
    assert other["lpips"] is None
    assert other["psnr"] > 0
    assert any(line.startswith("- LPIPS: ") for line in small.footnotes(2))


# --- footnotes -----------------------------------------------------------------------------------


def test_footnotes_say_where_to_put_weights_that_cannot_be_downloaded(offline):
    first, lpips, inception = MetricFactory(Settings(), True).footnotes(5000)
    assert first.startswith("^ higher is better, v lower is better, ")
    assert lpips.startswith(
        "- LPIPS: --lpips_weights: LPIPS's weights cannot be downloaded; put https://"
    )
    assert inception.startswith("- FID, KID, IS: --feature_network: InceptionV3's weights cannot")


def test_without_truth_footnotes_do_not_mention_distances(offline):
    [line] = MetricFactory(Settings(), False).footnotes(5)
    assert line.startswith(
        "- IS: --feature_network: InceptionV3's weights cannot be downloaded; put "
    )


def test_every_missing_metric_has_a_footnote(offline, feature_network):
    metric_factory = MetricFactory(Settings(feature_network=feature_network), True)
    [metrics] = evaluated(metric_factory, rows(number=1))
    missing = {name for name, number in metrics.items() if number is None}
    assert missing == {"lpips", "inception_score", "inception_score_deviation"}
    lines = [line for line in metric_factory.footnotes(12) if line.startswith("- ")]
    assert [line.split(":")[0] for line in lines] == ["- LPIPS", "- IS"]
    assert lines[1] == "- IS: mean color has no classes"


@pytest.mark.parametrize(("count", "is_too_few"), [(2, True), (2047, True), (2048, False)])
def test_footnotes_name_the_networks_and_warn_about_few_images(
    feature_network, lpips_weights, count, is_too_few
):
    options = {"feature_network": feature_network, "lpips_weights": lpips_weights}
    lines = MetricFactory(Settings(**options), True).footnotes(count)
    assert "LPIPS: version 0.1 with AlexNet" in lines
    assert any(line.startswith("FID, KID: computed with mean color;") for line in lines)
    warning = f"warning: with {count:,} images, fewer than 2,048, FID is too high: "
    assert any(line.startswith(warning) for line in lines) == is_too_few


def test_one_image_has_no_distances_and_a_footnote(offline, feature_network):
    metric_factory = MetricFactory(Settings(feature_network=feature_network), True)
    [_, metrics] = evaluated(metric_factory, rows(1, number=2))
    assert metrics["fid"] is metrics["kid"] is None
    assert "- FID, KID: need at least 2 images" in metric_factory.footnotes(1)


@pytest.mark.parametrize("has_truth", [True, False])
def test_too_few_images_for_the_inception_score_have_a_footnote(
    offline, network_with_classes, has_truth
):
    metric_factory = MetricFactory(Settings(), has_truth)
    [metrics] = evaluated(metric_factory, rows(9, number=1))
    assert metrics["inception_score"] is None
    assert any(line.startswith("- IS: ") for line in metric_factory.footnotes(9))


def test_footnotes_are_the_same_when_they_are_asked_for_again(offline, feature_network):
    metric_factory = MetricFactory(Settings(feature_network=feature_network), True)
    assert metric_factory.footnotes(5) == metric_factory.footnotes(5)


# --- explicit files ------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["feature_network", "lpips_weights"])
@pytest.mark.parametrize("name", ["absent", "absent.keras", "text.keras", "absent\nline.npz"])
def test_an_explicit_file_that_cannot_be_used_is_a_one_line_error(offline, tmp_path, option, name):
    (tmp_path / "text.keras").write_text("no network")
    with pytest.raises(InputError) as caught:
        MetricFactory(Settings(**{option: str(tmp_path / name)}), True).new_evaluator()
    message = str(caught.value)
    assert message.startswith(f"--{option}: {tmp_path}")
    assert message.count("\n") == 0


def test_weights_of_lpips_are_not_read_without_truth(offline):
    MetricFactory(Settings(lpips_weights="absent"), False).new_evaluator()
