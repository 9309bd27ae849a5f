"""How far the colors are from the true ones: a weighted sum of terms."""

from collections.abc import Mapping

from keras import ops

from data.color.colorfulness import colorfulness
from data.color.lab import join_lab, lab1_to_rgb1, lab1_to_unclipped_rgb1
from losses import TERMS
from losses.color_rebalancing import ColorRebalancing
from losses.lpips_network import LPIPSNetwork
from losses.perceptual import Perceptual
from losses.structural_similarity import structural_similarity

# Where the Huber loss becomes linear: at 1 unit of ab, as in Zhang et al. 2017.
_HUBER_DELTA = 1.0 / 110.0

# Metrics have these names, and records both.
_OF_METRICS_TOO = ("ssim", "lpips", "colorfulness")

# Of 255^2, as the squares below the roots are: a thousandth of a step of 8 bits.
_COLORFULNESS_EPSILON = 1e-6


class Reconstruction:
    """The terms that compare the network's colors with the true ones, each with its weight.

    | term           | what                                                                   |
    |----------------|------------------------------------------------------------------------|
    | `l1`           | mean absolute difference of ab, in units of 110 (Isola et al. 2017)    |
    | `mse`          | mean squared difference of ab, in units of 110 (Vitoria et al. 2020)   |
    | `huber`        | as `l1`, but a parabola below 1 unit of ab (Zhang et al. 2017)         |
    | `ssim`         | 1 - structural similarity of the colored RGB images (Zhao et al.       |
    |                | 2017): mostly of their structure, which the lightness gives            |
    | `perceptual`   | difference of VGG19's features of the RGB images: `Perceptual`         |
    | `lpips`        | LPIPS with AlexNet of the RGB images (Zhang et al. 2018):              |
    |                | `LPIPSNetwork`                                                         |
    | `colorfulness` | 1 - colorfulness / 100 of the network's images, whatever the true      |
    |                | ones are (as Kang et al. 2023, DDColor, but with the colorfulness of   |
    |                | `data.color.colorfulness`): to be added to terms that compare          |

    Args:
        weights: mapping of terms to weights. A term of weight 0 is neither computed nor reported.
        perceptual: `Perceptual`, or None when the term is not used.
        lpips: `LPIPSNetwork`, or None likewise.
        rebalancing: `ColorRebalancing`, by which `l1`, `mse` and `huber` weigh pixels, or None to
            weigh all the same.

    Attributes:
        weights: dict, those above 0.
        names: list of str, what `terms` calls them.

    Example:
        loss = Reconstruction({"l1": 10.0})
        loss.terms(lightness, true_ab, colored_ab)     # {"l1": ...}, not yet weighted
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        perceptual: Perceptual | None = None,
        lpips: LPIPSNetwork | None = None,
        rebalancing: ColorRebalancing | None = None,
    ):
        unknown = set(weights) - set(TERMS)
        if unknown:
            raise ValueError(
                f"`weights` should be of the terms {TERMS}. Received: `weights={weights}`"
            )
        self.weights = {term: weight for term, weight in weights.items() if weight}
        self.names = [_reported(term) for term in self.weights]
        for term, network in (("perceptual", perceptual), ("lpips", lpips)):
            if term in self.weights and network is None:
                raise ValueError(f"the term `{term}` needs `{term}`. Received: None")
        self._perceptual = perceptual
        self._lpips = lpips
        self._rebalancing = rebalancing

    def terms(self, lightness, true_ab, colored_ab):
        """Each term, a float32 scalar, by its name.

        `ssim`, `lpips` and `colorfulness` are called `ssim_loss` and so on.

        Args:
            lightness: tensor of shape (batch, height, width, 1), in the range of networks.
            true_ab: tensor of shape (batch, height, width, 2), likewise.
            colored_ab: tensor of the same shape, the network's.
        """
        colored_ab = ops.cast(colored_ab, "float32")
        difference = ops.abs(true_ab - colored_ab)
        weights = None if self._rebalancing is None else self._rebalancing(true_ab)

        def mean(differences):
            return ops.mean(differences if self._rebalancing is None else weights * differences)

        def rgb1(ab):
            return lab1_to_unclipped_rgb1(join_lab(lightness, ab))

        makers = {
            "l1": lambda: mean(difference),
            "mse": lambda: mean(ops.square(difference)),
            "huber": lambda: mean(_huber(difference)),
            "ssim": lambda: 1.0 - ops.mean(structural_similarity(rgb1(true_ab), rgb1(colored_ab))),
            "perceptual": lambda: self._perceptual(rgb1(true_ab), rgb1(colored_ab)),
            "lpips": lambda: self._lpips_distance(rgb1(true_ab), rgb1(colored_ab)),
            "colorfulness": lambda: _grayness(lab1_to_rgb1(join_lab(lightness, colored_ab))),
        }
        return {_reported(term): makers[term]() for term in self.weights}

    def _lpips_distance(self, true_rgb1, colored_rgb1):
        true = [ops.stop_gradient(each) for each in self._lpips.features(true_rgb1)]
        return ops.mean(self._lpips.distance(true, self._lpips.features(colored_rgb1)))

    def total(self, terms):
        """The weighted sum of the terms, a scalar."""
        return sum(weight * terms[_reported(term)] for term, weight in self.weights.items())


def _reported(term: str) -> str:
    """What a term is called in records, with `_loss` behind the names that metrics have."""
    return f"{term}_loss" if term in _OF_METRICS_TOO else term


def _huber(difference):
    """The Huber loss with a slope of 1, so that its weight is like that of `l1`."""
    parabola = 0.5 * ops.square(difference) / _HUBER_DELTA
    return ops.where(difference < _HUBER_DELTA, parabola, difference - 0.5 * _HUBER_DELTA)


def _grayness(rgb1):
    """1 for gray images, 0 for a colorfulness of 100. Colors outside sRGB win nothing."""
    return 1.0 - ops.mean(colorfulness(255.0 * rgb1, ops, _COLORFULNESS_EPSILON)) / 100.0
