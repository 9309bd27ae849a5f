"""The base class of metrics that compare features of all images, instead of pixels."""

import os
from typing import Any

import keras

from metrics.distribution.feature_network import FeatureNetwork

# The types that `feature_network` may have.
Network = FeatureNetwork | str | os.PathLike | None


class FeatureMetric(keras.metrics.Metric):
    """Base class of metrics of the features or classes of a `FeatureNetwork`.

    The features are kept in NumPy arrays in float64, and not in the variables of the metric:
    `update_state` must be called outside of `tf.function`.

    Args:
        feature_network: `FeatureNetwork`, str or path of one, or None for Keras' InceptionV3. A
            path is loaded at the first `update_state`.
        name, dtype: as in `keras.metrics.Metric`.
    """

    def __init__(self, feature_network: Network, name: str, dtype: str | None):
        super().__init__(name=name, dtype=dtype)
        self._network = feature_network
        self.reset_state()

    @property
    def network(self) -> FeatureNetwork:
        """The network, loaded when it is used for the first time."""
        if not isinstance(self._network, FeatureNetwork):
            self._network = FeatureNetwork(self._network)
        return self._network

    def get_config(self) -> dict[str, Any]:
        network = self._network
        path = network.path if isinstance(network, FeatureNetwork) else network
        path = None if path is None else os.fspath(path)
        return {**super().get_config(), "feature_network": path}
