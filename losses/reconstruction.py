"""How far the colors are from the true ones: a weighted sum of terms."""

from collections.abc import Mapping

from keras import ops

from data.lab import join_lab, lab1_to_unclipped_rgb1
from losses import TERMS
from losses.perceptual import Perceptual


class Reconstruction:
    """The terms that compare the network's colors with the true ones, each with its weight.

    | term         | what                                                                     |
    |--------------|--------------------------------------------------------------------------|
    | `l1`         | mean absolute difference of ab, in units of 110 (Isola et al. 2017)      |
    | `mse`        | mean squared difference of ab, in units of 110 (Vitoria et al. 2020)     |
    | `perceptual` | difference of VGG19's features of the colored RGB pictures: `Perceptual` |

    Args:
        weights: mapping of terms to weights. A term of weight 0 is neither computed nor reported.
        perceptual: `Perceptual`, or None when the term is not used.

    Example:
        loss = Reconstruction({"l1": 10.0})
        loss.terms(lightness, true_ab, colored_ab)     # {"l1": ...}, not yet weighted
    """

    def __init__(self, weights: Mapping[str, float], perceptual: Perceptual | None = None):
        unknown = set(weights) - set(TERMS)
        if unknown:
            raise ValueError(
                f"`weights` should be of the terms {TERMS}. Received: `weights={weights}`"
            )
        self.weights = {term: weight for term, weight in weights.items() if weight}
        if "perceptual" in self.weights and perceptual is None:
            raise ValueError("the term `perceptual` needs `perceptual`. Received: None")
        self._perceptual = perceptual

    def terms(self, lightness, true_ab, colored_ab):
        """Each term, a float32 scalar, by its name.

        Args:
            lightness: tensor of shape (batch, height, width, 1), in the range of networks.
            true_ab: tensor of shape (batch, height, width, 2), likewise.
            colored_ab: tensor of the same shape, the network's.
        """
        values = {}
        if "l1" in self.weights:
            values["l1"] = ops.mean(ops.abs(true_ab - ops.cast(colored_ab, "float32")))
        if "mse" in self.weights:
            values["mse"] = ops.mean(ops.square(true_ab - ops.cast(colored_ab, "float32")))
        if "perceptual" in self.weights:
            values["perceptual"] = self._perceptual(
                lab1_to_unclipped_rgb1(join_lab(lightness, true_ab)),
                lab1_to_unclipped_rgb1(join_lab(lightness, colored_ab)),
            )
        return values

    def total(self, terms):
        """The weighted sum of the terms, a scalar."""
        return sum(self.weights[term] * value for term, value in terms.items())
