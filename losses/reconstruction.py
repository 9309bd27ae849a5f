"""The reconstruction loss: a weighted sum of terms that compare with the true colors."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from data.color.colorfulness import colorfulness
from data.color.lab import join_lab, lab1_to_rgb1, lab1_to_unclipped_rgb1
from losses import TERMS
from losses.color_rebalancing import ColorRebalancing
from losses.lpips_network import LPIPSNetwork
from losses.perceptual import Perceptual
from losses.structural_similarity import structural_similarity

# The Huber loss becomes linear at 1 unit of ab, as in Zhang et al. 2017.
_HUBER_DELTA = 1.0 / 110.0

# The squared error of ab, in units of 110, below which it hardly matters: 1.6 units of ab.
_SMALL_SQUARED_ERROR = 2e-4

# Terms with the name of a metric; the logs contain both.
_NAMES_OF_METRICS = ("ssim", "lpips", "colorfulness")

# Added under the square roots of the colorfulness, whose gradients are infinite at a gray image:
# the square of a thousandth of an 8-bit step.
_COLORFULNESS_EPSILON = 1e-6


@keras.saving.register_keras_serializable("colorizer")
class Reconstruction:
    """Weighted sum of terms that compare the generated colors with the true ones.

    | term           | definition                                                             |
    |----------------|------------------------------------------------------------------------|
    | `l1`           | mean absolute difference of ab, in units of 110 (Isola et al. 2017)    |
    | `mse`          | mean squared difference of ab, in units of 110 (Vitoria et al. 2020)   |
    | `huber`        | as `l1`, but a parabola below 1 unit of ab (Zhang et al. 2017)         |
    | `log_mse`      | mean over the images of log(mse + 2e-4): without the small term minus  |
    |                | the PSNR of ab, up to a factor. An image with small errors counts as   |
    |                | much as one with large ones                                            |
    | `ssim`         | 1 - structural similarity of the RGB images (Zhao et al. 2017), which  |
    |                | depends mostly on their structure, and so on the lightness             |
    | `perceptual`   | difference of the VGG19 features of the RGB images: `Perceptual`       |
    | `lpips`        | LPIPS with AlexNet of the RGB images (Zhang et al. 2018):              |
    |                | `LPIPSNetwork`                                                         |
    | `colorfulness` | 1 - colorfulness / 100 of the generated images, regardless of the true |
    |                | ones (as in DDColor, Kang et al. 2023, but with the definition in      |
    |                | `data.color.colorfulness`); use it together with another term          |

    Args:
        weights: mapping from terms to weights. Terms of weight 0 are neither computed nor reported.
        perceptual: `Perceptual`, for the term of this name. Defaults to `None`: with the weights in
            Keras' cache, which are downloaded if they are missing.
        lpips: `LPIPSNetwork`, for the term of this name. Defaults to `None`: with the weights in
            Keras' cache, and the global dtype policy.
        rebalancing: `ColorRebalancing`, the weights of pixels in `l1`, `mse` and `huber`. Defaults
            to `None`: all pixels have the same weight.

    Attributes:
        weights: dict, the nonzero weights.
        names: list of str, the names of the terms in `terms`.

    Example:
        loss = Reconstruction({"l1": 10.0, "ssim": 1.0})
        terms = loss.terms(lightness, true_ab, colored_ab)     # {"l1": ..., "ssim_loss": ...}
        loss.total(terms)                                      # 10 * l1 + ssim_loss
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        perceptual: Perceptual | None = None,
        lpips: LPIPSNetwork | None = None,
        rebalancing: ColorRebalancing | None = None,
    ):
        if not set(TERMS).issuperset(weights):
            raise ValueError(
                f"`weights` should have keys from {TERMS}. Received: `weights={weights}`"
            )
        self.weights = {term: weight for term, weight in weights.items() if weight}
        self.names = [_reported(term) for term in self.weights]
        if "perceptual" in self.weights and perceptual is None:
            perceptual = Perceptual()
        if "lpips" in self.weights and lpips is None:
            lpips = LPIPSNetwork(dtype=keras.config.dtype_policy())
        # Not None if there is the term.
        self._perceptual: Any = perceptual
        self._lpips: Any = lpips
        self._rebalancing = rebalancing

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return keras.saving.serialize_keras_object(
            {
                "weights": self.weights,
                "perceptual": self._perceptual,
                "lpips": self._lpips,
                "rebalancing": self._rebalancing,
            }
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Reconstruction":
        return cls(**keras.saving.deserialize_keras_object(config))

    def terms(self, lightness: Tensor, true_ab: Tensor, colored_ab: Tensor) -> dict[str, Tensor]:
        """Computes the terms, before they are weighted.

        Args:
            lightness: tensor of shape (batch, height, width, 1), in the range of the networks.
            true_ab: tensor of shape (batch, height, width, 2), in the range of the networks.
            colored_ab: tensor of the same shape, the output of the generator.

        Returns:
            dict of float32 scalars by name; `ssim`, `lpips` and `colorfulness` are named
            `ssim_loss`, `lpips_loss` and `colorfulness_loss`.
        """
        colored_ab = ops.cast(colored_ab, "float32")
        difference = ops.abs(true_ab - colored_ab)
        weights = None if self._rebalancing is None else self._rebalancing(true_ab)

        def mean(differences):
            return ops.mean(differences if weights is None else weights * differences)

        def rgb1(ab):
            return lab1_to_unclipped_rgb1(join_lab(lightness, ab))

        makers = {
            "l1": lambda: mean(difference),
            "mse": lambda: mean(ops.square(difference)),
            "huber": lambda: mean(_huber(difference)),
            "log_mse": lambda: _mean_log(ops.square(difference)),
            "ssim": lambda: 1.0 - ops.mean(structural_similarity(rgb1(true_ab), rgb1(colored_ab))),
            "perceptual": lambda: self._perceptual(rgb1(true_ab), rgb1(colored_ab)),
            "lpips": lambda: self._lpips_distance(rgb1(true_ab), rgb1(colored_ab)),
            "colorfulness": lambda: _grayness(lab1_to_rgb1(join_lab(lightness, colored_ab))),
        }
        return {_reported(term): makers[term]() for term in self.weights}

    def _lpips_distance(self, true_rgb1, colored_rgb1):
        true = [ops.stop_gradient(level) for level in self._lpips.features(true_rgb1)]
        return ops.mean(self._lpips.distance(true, self._lpips.features(colored_rgb1)))

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """Returns the weighted sum of the terms from `terms`, a scalar."""
        return sum(weight * terms[_reported(term)] for term, weight in self.weights.items())


def get_reconstruction(
    identifier: Mapping[str, Any] | Reconstruction,
) -> Reconstruction:
    """Returns a reconstruction loss, as `keras.losses.get` returns other losses.

    Args:
        identifier: dict from terms to weights; dict, the config that
            `keras.saving.serialize_keras_object` returns; or `Reconstruction`.

    Raises:
        ValueError: the identifier is none of these.

    Example:
        get_reconstruction({"l1": 10.0, "ssim": 1.0})
    """
    loss = identifier
    if isinstance(identifier, Mapping) and "class_name" in identifier:
        loss = keras.saving.deserialize_keras_object(dict(identifier))
    elif isinstance(identifier, Mapping):
        loss = Reconstruction(identifier)
    if isinstance(loss, Reconstruction):
        return loss
    raise ValueError(
        "`reconstruction` should be a dict from terms to weights, the config of a "
        f"`Reconstruction`, or a `Reconstruction`. Received: reconstruction={identifier!r}"
    )


def _reported(term: str) -> str:
    """The name of a term in the logs; `_loss` tells it from the metric of the same name."""
    return f"{term}_loss" if term in _NAMES_OF_METRICS else term


def _mean_log(squares):
    return ops.mean(ops.log(ops.mean(squares, axis=(1, 2, 3)) + _SMALL_SQUARED_ERROR))


def _huber(difference):
    """The Huber loss, scaled to a slope of 1 so that its weight is comparable to that of `l1`."""
    parabola = 0.5 * ops.square(difference) / _HUBER_DELTA
    return ops.where(difference < _HUBER_DELTA, parabola, difference - 0.5 * _HUBER_DELTA)


def _grayness(rgb1):
    """1 for gray images, 0 for a colorfulness of 100.

    `rgb1` must be clipped, so that colors outside the sRGB gamut gain nothing.
    """
    return 1.0 - ops.mean(colorfulness(255.0 * rgb1, ops, _COLORFULNESS_EPSILON)) / 100.0
