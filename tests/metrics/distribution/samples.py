"""Random features and their statistics."""

import numpy as np

from metrics.distribution.feature_statistics import FeatureStatistics


def statistics_of(features, batch_size=None):
    statistics = FeatureStatistics()
    for start in range(0, len(features), batch_size or len(features)):
        statistics.update(features[start : start + (batch_size or len(features))])
    return statistics


def samples(seed, count=500, channels=8):
    random = np.random.default_rng(seed)
    mixture = random.normal(size=(channels, channels))
    return random.normal(size=(count, channels)) @ mixture + random.normal(size=channels)
