"""Metrics can be used alone, and what Keras can serialize comes back from its config."""

import importlib
import inspect
import pkgutil

import keras
import numpy as np
import pytest
import tensorflow as tf

import metrics
from metrics import (
    FID,
    KID,
    LPIPS,
    PSNR,
    SSIM,
    Blotches,
    Colorfulness,
    FeatureNetwork,
    HueCoverage,
    InceptionScore,
    PooledPSNR,
)
from metrics.distribution.feature_metric import FeatureMetric
from metrics.image.image_metric import ImageMetric
from metrics.image.lab_metric import LabMetric

TRUE, COLORED = np.random.default_rng(0).uniform(0, 1, (2, 12, 32, 32, 3)).astype("float32")
CLASSES = np.random.default_rng(0).dirichlet(np.ones(4), 12)

OPTIONS = {
    Blotches: {},
    Colorfulness: {"of_truth": True},
    FID: {"feature_network": "the file"},
    HueCoverage: {},
    InceptionScore: {"feature_network": "the file", "splits": 3},
    KID: {"feature_network": "the file", "limit": 10, "seed": 5},
    LPIPS: {"weights": "the file"},
    PSNR: {},
    PooledPSNR: {},
    SSIM: {},
}


@pytest.fixture
def make(lpips_weights, feature_network):
    """Makes a metric with arguments other than the default ones."""

    def make(kind):
        file = lpips_weights if kind is LPIPS else feature_network
        options = {
            name: file if value == "the file" else value for name, value in OPTIONS[kind].items()
        }
        return kind(**options, name="mine", dtype="float32")

    return make


def updated(metric):
    if isinstance(metric, InceptionScore):
        # No small network has classes.
        metric.update_with_classes(CLASSES)
    else:
        metric.update_state(TRUE[:5], COLORED[:5])
        metric.update_state(TRUE[5:], COLORED[5:])
    return metric.result()


def test_every_metric_is_tested():
    found = set()
    for module in pkgutil.walk_packages(metrics.__path__, "metrics."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if kind.__module__ == module.name and issubclass(kind, keras.metrics.Metric):
                found.add(kind)
    assert found == {*OPTIONS, FeatureMetric, ImageMetric, LabMetric}


@pytest.mark.parametrize("kind", OPTIONS, ids=lambda kind: kind.__name__)
def test_metric_survives_its_config(make, kind):
    metric = make(kind)
    expected = updated(metric)
    config = keras.saving.serialize_keras_object(metric)
    assert config["registered_name"] == f"colorizer>{kind.__name__}"
    assert metric.get_config().items() >= {"name": "mine", "dtype": "float32"}.items()
    assert kind.from_config(metric.get_config()).get_config() == metric.get_config()
    again = keras.saving.deserialize_keras_object(config)
    np.testing.assert_array_equal(updated(again), expected)
    metric.reset_state()
    np.testing.assert_array_equal(updated(metric), expected)


@pytest.mark.parametrize("kind", OPTIONS, ids=lambda kind: kind.__name__)
def test_metric_is_not_saved_with_a_model(make, kind, tmp_path):
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    sizes = []
    for name in ("without", "with"):
        model.save_weights(tmp_path / f"{name}.weights.h5")
        sizes.append((tmp_path / f"{name}.weights.h5").stat().st_size)
        model.validation_metric = make(kind)
    assert sizes[1] < sizes[0] + 100_000


def test_metrics_of_one_feature_network_share_it(feature_network):
    network = FeatureNetwork(feature_network)
    shared, own = FID(network), FID(feature_network)
    assert shared.network is network
    assert shared.get_config() == own.get_config()
    assert updated(shared) == updated(own)


def test_metrics_of_features_cannot_be_part_of_a_graph(feature_network):
    with pytest.raises(ValueError, match="run_eagerly=True"):
        tf.function(FID(feature_network).update_state)(TRUE, COLORED)


def test_inception_score_needs_classes(feature_network):
    with pytest.raises(ValueError, match=r"should have classes\. Received: .*mean color"):
        InceptionScore(feature_network).update_state(TRUE, COLORED)
